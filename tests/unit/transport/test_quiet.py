import logging

import pytest

from monitor.transport.quiet import silence_urls

SECRET = "/api?sign=0123456789abcdef"


@pytest.fixture(autouse=True)
def _silenced() -> None:
    silence_urls()
    silence_urls()


def test_texts_of_urllib3_are_cut_out(caplog: pytest.LogCaptureFixture) -> None:
    # The program's own set-up, which another test may have run, lets only errors of urllib3 through.
    caplog.set_level(logging.DEBUG, "urllib3")
    log = logging.getLogger("urllib3.connectionpool")
    log.debug('%s://%s:%s "%s %s" %s', "https", "venue.test", 443, "GET", SECRET, 200)
    log.warning("broken by %r", ValueError(SECRET), exc_info=ValueError(SECRET))
    logging.getLogger("urllib3.util.retry").debug("at %(url)s", {"url": SECRET})

    assert [record.getMessage() for record in caplog.records] == [
        'https://<str>:443 "GET <str>" 200',
        "broken by '<ValueError>'",
        "(redacted)",
    ]
    assert SECRET not in caplog.text


def test_retrying_is_not_a_warning_for_us(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("urllib3.connectionpool")
    log.warning("Retrying (%r) after connection broken by '%r': %s", 1, ValueError(SECRET), SECRET)

    assert caplog.records == []


def test_other_loggers_are_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("monitor.somewhere").warning("plain %s", "words of any length")
    assert caplog.messages == ["plain words of any length"]
