import io
import logging
from pathlib import Path

import pytest

from monitor.desktop.logs import LOG_FILE_NAME, configure_logging
from monitor.domain.redaction import redact

HEX64 = "9f" * 32
HEX32 = "a1b2" * 8
ADDRESS = "0x" + "5b" * 20


@pytest.mark.parametrize(
    ("text", "secrets", "kept"),
    [
        ("Retrying after: /api/v1/futures/account?marginCoin=USDT&sign=abcdef12", ["USDT", "abcdef12"], "/account?***"),
        ("GET https://h/x?a=1#f HTTP/1.1", ["a=1"], "https://h/x?***"),
        ("proxy http://user:p@ss:word@proxy.local:3128/ refused", ["user", "p@ss", "word"], "@proxy.local:3128/"),
        ("sign=deadbeef next", ["deadbeef"], "next"),
        ("{'api-key': 'k3y', 'nonce': b'n0nce', 'limit': 5}", ["k3y", "n0nce"], "'limit': 5"),
        ('{"apiKey": "k3y", "secret_key":"s3 cret"}', ["k3y", "s3 cret"], "apiKey"),
        ("api-key: k3y\nsign: s1gn", ["k3y", "s1gn"], "api-key: ***"),
        ("BITUNIX_API_SECRET=s3cret other=1", ["s3cret"], "other=1"),
        ("Proxy-Authorization: Basic dXNlcjpwYXNz", ["dXNlcjpwYXNz"], "Proxy-Authorization: ***"),
        ("Authorization: Bearer tok.en-1", ["tok.en-1"], "Authorization"),
        (f"digest {HEX64} and key {HEX32}", [HEX64, HEX32], "digest"),
        (f"0x{HEX64}", [HEX64], "hex"),
        (f"key{HEX64.upper()}z", [HEX64.upper()], "key<64"),
        (f"clearinghouseState of {ADDRESS}", [ADDRESS], "0x5b5b…5b5b"),
        ("password='hunter 2')", ["hunter", "2'"], ")"),
        ("sign%3Ddeadbeef", ["deadbeef"], "sign"),
    ],
)
def test_secrets_are_removed_and_the_rest_stays(text: str, secrets: list[str], kept: str) -> None:
    redacted = redact(text)

    assert kept in redacted
    for secret in secrets:
        assert secret not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "bitunix.tickers 200 warm lease 0.1 ms total 61.2 ms",
        "why? because a=b was expected",
        "signed 3 orders, design: done, no tokens left",
        "https://fapi.bitunix.com/api/v1/futures/market/tickers",
        "127.0.0.1:8443 closed by server after 400 s",
        "mail someone@example.org",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_text_made_to_be_slow_is_not() -> None:
    """Patterns that backtrack would need minutes for these; the test's time limit would say so."""
    for piece in ("a.", "://", "?", "x:", "'", "sign", "0x", "=?", "://a@"):
        assert "k3y" not in redact(f"{piece * 50_000} api-key=k3y"), piece


@pytest.mark.allow_warnings
def test_the_log_file_has_no_secret_from_message_argument_exception_or_traceback(tmp_path: Path) -> None:
    stream = io.StringIO()
    setup = configure_logging(tmp_path, stream=stream)
    log = logging.getLogger("monitor.test")
    try:
        log.info("GET /x?api-key=%s", "k3y")
        log.error("failed for %s", {"sign": "s1gn"})
        try:
            raise ValueError(f"http://u:hunter2@proxy/ {HEX64}")  # noqa: TRY301 - the traceback is what is tested
        except ValueError:
            log.exception("poll failed")
    finally:
        setup.close()
    written = (tmp_path / LOG_FILE_NAME).read_text(encoding="utf-8")

    assert setup.file == tmp_path / LOG_FILE_NAME
    assert "Traceback" in written
    assert "Traceback" in stream.getvalue()
    assert "GET /x?***" in written
    assert "GET /x" not in stream.getvalue(), "INFO is for the file only"
    for secret in ("k3y", "s1gn", "hunter2", HEX64):
        assert secret not in written
        assert secret not in stream.getvalue()


def test_verbose_brings_debug_lines_and_urllib3_stays_quiet() -> None:
    stream = io.StringIO()
    setup = configure_logging(None, stream=stream, is_verbose=True)
    try:
        logging.getLogger("monitor.transport").debug("one line per request")
        logging.getLogger("urllib3.connectionpool").warning("Retrying /path?sign=abc")
    finally:
        setup.close()

    assert "one line per request" in stream.getvalue()
    assert "Retrying" not in stream.getvalue()
    assert setup.file is None
    assert setup.problem is None


def test_a_log_folder_that_cannot_be_made_is_said_and_not_fatal(tmp_path: Path) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("a file")
    setup = configure_logging(blocker / "log")
    setup.close()

    assert setup.file is None
    assert setup.problem is not None
    assert str(tmp_path) not in setup.problem


def test_a_full_disk_costs_records_not_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = configure_logging(tmp_path)
    handler = setup.handlers[0]
    assert isinstance(handler, logging.StreamHandler)

    def full(_text: str) -> int:
        raise OSError(28, "No space left on device")

    try:
        monkeypatch.setattr(handler.stream, "write", full)
        for _ in range(3):
            logging.getLogger("monitor.test").info("does not fit")
    finally:
        monkeypatch.undo()
        setup.close()

    assert getattr(handler, "lost", None) == 3
    assert capsys.readouterr().err == ""
