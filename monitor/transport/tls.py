"""Whom we trust: TLS contexts from the operating system's store, plus an extra certificate authority if given."""

import re
import ssl
import sys
from pathlib import Path

import certifi

SYSTEM_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
)

_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


def make_ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """A client context that verifies host names against the system's roots, and against ``ca_file`` (PEM) too.

    On Windows and macOS the system itself verifies. Such a context takes one lock for a whole handshake, so use one
    per venue and never share it; a Linux context may be shared. Building one reads and parses files (tens of
    milliseconds): not on the GUI thread.

    Raises:
        OSError: ``ca_file`` cannot be read; ``ssl.SSLError`` (an ``OSError``) when it holds no certificate.
    """
    if sys.platform == "linux":
        context = _linux_context()
    else:
        import truststore  # noqa: PLC0415 - not installed on Linux, where it would re-read the bundle per handshake

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    # SSLKEYLOGFILE would let anyone who sets a variable read signed requests. A debugger can be had otherwise.
    context.keylog_filename = None  # type: ignore[assignment]  # None is how it is switched off; the stub says str
    return context


def trust_store_name() -> str:
    """Whose certificate authorities :func:`make_ssl_context` trusts, for people. Blocks briefly: it looks at files.

    Raises:
        OSError: there are none at all.
    """
    return _linux_store()[1] if sys.platform == "linux" else "the system's own"


def _linux_context() -> ssl.SSLContext:
    return _linux_store()[0]


def _linux_store() -> tuple[ssl.SSLContext, str]:
    """A context that trusts somebody, and who that is.

    OpenSSL looks in the place that it was built for (or that SSL_CERT_FILE and SSL_CERT_DIR name). That is another
    system's for a bundle or an interpreter from elsewhere, and empty where no authorities were installed.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if context.cert_store_stats()["x509_ca"]:
        return context, str(paths.cafile)
    # OpenSSL opens files of a folder one by one, when a certificate asks for them.
    if paths.capath and _holds_certificates(Path(paths.capath)):
        return context, paths.capath
    for bundle in SYSTEM_BUNDLES:
        try:
            return ssl.create_default_context(cafile=bundle), bundle
        except OSError:  # absent, or without a certificate
            continue
    return ssl.create_default_context(cafile=certifi.where()), "certifi's list, as this system has none"


def _holds_certificates(folder: Path) -> bool:
    try:
        return any(_HASHED.fullmatch(file.name) and file.is_file() for file in folder.iterdir())
    except OSError:  # OpenSSL could not read it either
        return False
