"""Whom we trust: TLS contexts from the operating system's store, plus an extra certificate authority if given."""

import ssl
import sys
from pathlib import Path

import certifi


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


def _linux_context() -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not paths.capath:
        # An interpreter from elsewhere whose OpenSSL knows no bundle on this system.
        return ssl.create_default_context(cafile=certifi.where())
    return ssl.create_default_context()
