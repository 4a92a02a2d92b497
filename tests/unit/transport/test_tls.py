import ssl
import sys
from pathlib import Path

import certifi
import pytest
import trustme

from monitor.transport import tls
from monitor.transport.tls import make_ssl_context, trust_store_name


def test_context_verifies_and_trusts_an_extra_authority(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    plain = make_ssl_context(None)
    extended = make_ssl_context(ca_file)

    assert extended.verify_mode is ssl.CERT_REQUIRED
    assert extended.check_hostname
    assert extended.cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1


def test_key_log_variable_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sets it could read signed requests."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    assert make_ssl_context(None).keylog_filename is None


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_unusable_authority_is_said_at_once(tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(OSError):
        make_ssl_context(ca_file)


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system itself verifies")


@pytest.fixture
def no_system_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OpenSSL's own places are an empty folder, and there is none of another distribution; return the folder."""
    folder = tmp_path / "certs"
    folder.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "absent.pem"))
    monkeypatch.setattr(tls, "SYSTEM_BUNDLES", (str(folder / "absent.crt"),))
    return folder


@linux_only
def test_an_empty_system_store_is_replaced_by_certifi(no_system_store: Path) -> None:
    expected = ssl.create_default_context(cafile=certifi.where()).cert_store_stats()["x509_ca"]

    assert expected > 50
    assert make_ssl_context(None).cert_store_stats()["x509_ca"] == expected
    assert "certifi" in trust_store_name()


@linux_only
def test_names_that_openssl_would_not_look_for_are_no_store(no_system_store: Path) -> None:
    (no_system_store / "README").write_text("nothing here")
    (no_system_store / "0123abcd.0").symlink_to(no_system_store / "absent.pem")

    assert "certifi" in trust_store_name()


@linux_only
def test_a_folder_of_hashed_certificates_is_the_systems_store(no_system_store: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(no_system_store / "0123abcd.0"))

    assert trust_store_name() == str(no_system_store)
    # Nothing is added to what the system trusts.
    assert make_ssl_context(None).cert_store_stats()["x509_ca"] == 0


@linux_only
def test_the_file_of_another_distribution_is_found(
    no_system_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty, bundle = tmp_path / "empty.pem", tmp_path / "bundle.pem"
    empty.touch()
    trustme.CA().cert_pem.write_to_path(str(bundle))
    monkeypatch.setattr(tls, "SYSTEM_BUNDLES", (str(empty), str(bundle)))

    assert trust_store_name() == str(bundle)
    assert make_ssl_context(None).cert_store_stats()["x509_ca"] == 1


@linux_only
def test_no_authority_at_all_is_an_error(no_system_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certifi, "where", lambda: str(no_system_store / "absent.pem"))

    for ask in (trust_store_name, lambda: make_ssl_context(None)):
        with pytest.raises(OSError):
            ask()
