import ssl
from pathlib import Path

import pytest
import trustme

from monitor.transport.tls import make_ssl_context


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
