"""``--self-test``: what its check of the trust store says."""

import ssl
import sys
from pathlib import Path
from typing import Any

import certifi
import pytest

from monitor.self_test import CheckFailedError, SelfTest
from monitor.transport import tls


@pytest.fixture
def check() -> SelfTest:
    desk: Any = None  # the window is not asked
    return SelfTest(desk)


def test_it_names_whose_authorities_are_trusted(check: SelfTest) -> None:
    assert check.trust_store() == f"{tls.trust_store_name()}; {ssl.OPENSSL_VERSION}"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system itself verifies")
def test_it_fails_when_there_are_none(check: SelfTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = str(tmp_path / "absent.pem")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", absent)
    monkeypatch.setattr(tls, "SYSTEM_BUNDLES", (absent,))
    assert "certifi" in check.trust_store()

    monkeypatch.setattr(certifi, "where", lambda: absent)
    with pytest.raises(CheckFailedError, match="cannot be read"):
        check.trust_store()
