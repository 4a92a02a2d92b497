"""A board that is fed by hand and recorded, and a child process that records until it is killed."""

import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from monitor.domain.market import Quote, QuoteBatch
from monitor.domain.telemetry import RequestTrace
from monitor.history.observer import BoardObserver
from monitor.history.recorder import HistoryRecorder
from monitor.history.records import Entry, Reading, ReplyRecord
from monitor.history.trouble import HistoryNotice
from monitor.polling.results import PollSuccess
from monitor.state.board import Board
from tests.fakes.poll_results import FakeClock, make_quotes, make_success, make_trace

KEYS = (("bitunix", "BTCUSDT"), ("bitunix", "ETHUSDT"))
NO_VALUES = (None,) * 14


class WatchedBoard:
    """A board with two tracked instruments of one venue; gathers the entries of what it is fed."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.board = Board(venues=("bitunix", "hyperliquid"), clock=self.clock, utc_now=self.clock.utc_now)
        self.board.track(KEYS)
        self.observer = BoardObserver(self.board)
        self.entries: list[Entry] = []
        self._polls = 0

    def feed(self, prices: Mapping[str, str | None], *, seconds: float = 1.0, field: str = "last") -> PollSuccess:
        """A reply that came ``seconds`` after the one before."""
        return self.feed_batch(make_quotes(prices, field=field), seconds=seconds)

    def feed_quotes(self, quotes: Sequence[Quote], fields: frozenset[str], *, seconds: float = 1.0) -> PollSuccess:
        """The same with several fields."""
        batch = QuoteBatch(venue="bitunix", fields=fields, quotes=tuple(quotes), is_complete=True)
        return self.feed_batch(batch, seconds=seconds)

    def feed_batch(
        self, batch: QuoteBatch, *, seconds: float = 1.0, traces: Sequence[RequestTrace] | None = None
    ) -> PollSuccess:
        """One whole reply with its request."""
        self.clock.advance(seconds)
        self._polls += 1
        now_s = self.clock.mono_s
        if traces is None:
            traces = (
                make_trace(
                    self._polls,
                    started_at=self.clock.at(now_s - 0.06),
                    started_mono_s=now_s - 0.06,
                    ended_mono_s=now_s,
                ),
            )
        result = make_success(batch, self.clock, traces=traces, planned=self._polls, made=self._polls)
        self.apply(result)
        return result

    def apply(self, result: PollSuccess) -> None:
        """Show ``result`` and note what that changed."""
        self.board.apply((result,))
        self.entries.append(self.observer.after(result))


def numbered_entry(number: int, at: datetime) -> Entry:
    """An entry whose price is its number."""
    reading = Reading("BTCUSDT", "BTC-USDT-PERP", True, Decimal(number), "last", (Decimal(number), *NO_VALUES[1:]))
    reply = ReplyRecord(
        venue="bitunix",
        dex="",
        endpoint="bitunix.tickers",
        requested_mono_s=number - 0.06,
        received_mono_s=float(number),
        received_at=at,
        cache_age_s=0.0,
        gap_s=3.0,
        is_whole=True,
        readings=(reading,),
    )
    return Entry(at=at, reply=reply, traces=(make_trace(number, started_at=at),))


def _print_notice(notice: HistoryNotice) -> None:
    _say(f"notice {notice.text}")


_SAYING = threading.Lock()


def _say(text: str) -> None:
    """One whole line, whichever thread says it."""
    with _SAYING:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def record_until_killed(file: Path, seconds: float, pause_s: float) -> None:
    """Record one entry every ``pause_s``; print its number and the moment as soon as it was handed over ("shown")."""
    recorder = HistoryRecorder(file, version="test", tell=_print_notice, retry_every_s=0.2)
    recorder.start()
    began_s = time.monotonic()
    number = 0
    while time.monotonic() - began_s < seconds:
        number += 1
        recorder.record(numbered_entry(number, datetime.now(UTC)))
        _say(f"shown {number} {time.monotonic()}")
        time.sleep(pause_s)
    recorder.close()


def _limit_file_size(limit_bytes: int) -> None:
    import resource  # noqa: PLC0415 - does not exist on Windows

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, resource.RLIM_INFINITY))


if __name__ == "__main__":
    if len(sys.argv) > 4:
        _limit_file_size(int(sys.argv[4]))
    record_until_killed(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
