"""``snapshot``: ask one venue once for some instruments, print what came back and what it cost, exit."""

import argparse
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from monitor.assembly import AssemblyError, VenueRuntime, assemble, check_venues
from monitor.commands.account_reading import find_credentials, read_account, success_of
from monitor.commands.common import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, open_context, print_document, say
from monitor.commands.waiting import telling
from monitor.desktop.demo_process import DemoExchangeError
from monitor.domain.credentials import CredentialError, CredentialProblem, Credentials
from monitor.domain.errors import MonitorError
from monitor.domain.market import Candle, CandleBatch, Instrument, OrderBook
from monitor.domain.telemetry import PoolStats, RequestTrace
from monitor.exchanges.base import Fetched, Focus, Payload, PollJob, Source
from monitor.state.board import Board
from monitor.state.pool_documents import pool_document
from monitor.state.quotes import Origin
from monitor.state.summary import SNAPSHOT_SCHEMA, origin_document, quote_document, trace_document

BUDGET_PATIENCE_S = 30.0
"""Longest wait for our own share of the venue's limit before giving up on a request."""

CANDLES_SHOWN = 5
"""The newest ones, in the text; the document has all."""
INSTRUMENTS_EVERY_S = 3_600.0
QUOTES_EVERY_S = 1.0


class VenueFailedError(Exception):
    """The venue did not give what was asked; the text is for the user."""


class UnknownNameError(Exception):
    """An instrument or interval that the venue does not have; the text is for the user."""


def run_snapshot(options: argparse.Namespace) -> int:
    """Run the command and return its exit code: 0, 1 (the venue failed) or 2 (wrong arguments)."""
    try:
        (venue,) = check_venues([options.venue])
    except AssemblyError as exc:
        say(str(exc))
        return EXIT_USAGE
    if not options.instrument and options.account is None:
        say("Say what to read: --instrument I, or --account NAME.")
        return EXIT_USAGE
    try:
        context = open_context(options)
    except DemoExchangeError as exc:
        say(str(exc))
        return EXIT_FAILED
    try:
        runtime = assemble([venue], context.settings, base_urls=context.base_urls, ca_file=context.ca_file)[venue]
        # Before anything is asked: an account that cannot be opened is better known at once.
        credentials = None if options.account is None else find_credentials(options, context)
        snapshot = Snapshot(runtime, wants_book=options.book, interval=options.candles)
        exit_code = EXIT_DONE
        try:
            snapshot.take(options.instrument or [])
            if credentials is not None:
                snapshot.take_account(credentials)
        except VenueFailedError as exc:
            say(str(exc))
            exit_code = EXIT_FAILED
        finally:
            snapshot.note_pools()
            runtime.transport.close()
        if options.json:
            print_document(snapshot.document())
        elif exit_code == EXIT_DONE:
            for line in snapshot.lines():
                print(line)
        return exit_code
    except (AssemblyError, UnknownNameError) as exc:
        say(str(exc))
        return EXIT_USAGE
    except CredentialError as exc:
        say(exc.user_text)
        return EXIT_USAGE if exc.problem is CredentialProblem.MISSING else EXIT_FAILED
    finally:
        context.close()


class Snapshot:
    """One reading: each job of the default plan once, for the chosen instruments. Blocks on the network."""

    def __init__(self, runtime: VenueRuntime, *, wants_book: bool, interval: str | None) -> None:
        self._runtime = runtime
        self._wants_book = wants_book
        self._interval = interval
        self._board = Board(venues=[runtime.entry.name])
        self._instruments: list[Instrument] = []
        self._books: dict[str, OrderBook] = {}
        self._candles: dict[str, tuple[Candle, ...]] = {}
        self._traces: list[RequestTrace] = []
        self._account: dict[str, Any] | None = None
        self._pools: tuple[PoolStats, ...] = ()

    def take(self, names: Sequence[str]) -> None:
        """Read everything.

        Raises:
            UnknownNameError: an instrument or interval does not exist.
            VenueFailedError: a request failed; what arrived before is kept.
        """
        client = self._runtime.client
        if self._interval is not None and self._interval not in client.intervals:
            raise UnknownNameError(
                f"{self._runtime.entry.title} has no {self._interval} candles; it has {', '.join(client.intervals)}."
            )
        venue = self._runtime.entry.name
        # Names first. The plan below asks again and is answered from the client's cache.
        self._run(
            PollJob(
                venue=venue,
                endpoint=f"{venue}.instruments",
                key=f"{venue}.instruments",
                cadence_s=INSTRUMENTS_EVERY_S,
                weight=1,
                fetch=client.fetch_instruments,
            )
        )
        self._instruments = [self._find(name) for name in dict.fromkeys(names)]
        wanted: dict[str, PollJob] = {}
        for instrument in self._instruments:
            focus = Focus(
                venue_symbol=instrument.venue_symbol,
                interval=self._interval or client.intervals[0],
                is_chart_shown=self._interval is not None,
                dexes=(instrument.dex,) if instrument.dex else (),
            )
            wanted.update((job.key, job) for job in client.poll_jobs(focus))
        # The fastest feed last, so that the price is the youngest figure of the document.
        for job in sorted(wanted.values(), key=lambda one: one.cadence_s, reverse=True):
            self._run(job)

    def take_account(self, credentials: Credentials) -> None:
        """Read an account as well. Raises ``VenueFailedError`` as :meth:`take` does."""
        venue, client = self._runtime.entry.name, self._runtime.client
        # Where the account's reply has no mark price the quotes have one.
        self._run(
            PollJob(
                venue=venue,
                endpoint=f"{venue}.quotes",
                key=f"{venue}.quotes",
                cadence_s=QUOTES_EVERY_S,
                weight=1,
                fetch=client.fetch_quotes,
            )
        )
        known = self._board.instruments

        def name_of(symbol: str) -> str | None:
            found = known.get((venue, symbol))
            return None if found is None else found.name

        try:
            self._account, traces = read_account(self._runtime, credentials, board=self._board, name_of=name_of)
        except MonitorError as exc:
            self._traces.extend(trace for trace in exc.traces if isinstance(trace, RequestTrace))
            raise VenueFailedError(f"{self._runtime.entry.title}, {credentials.account.name}: {exc.user_text}") from exc
        self._traces.extend(traces)

    def note_pools(self) -> None:
        """Keep the pools as they stand, before they are closed."""
        self._pools = self._runtime.transport.pool_stats()

    def document(self) -> dict[str, Any]:
        """The JSON document, see README; what was not read is missing or ``None``."""
        now_mono_s = time.perf_counter()
        venue = self._runtime.entry.name
        catalog = self._board.catalog_origin(venue)
        return {
            "schema": SNAPSHOT_SCHEMA,
            "venue": venue,
            "quotes": [
                quote_document(
                    one,
                    self._board.quote((venue, one.venue_symbol)),
                    now_mono_s=now_mono_s,
                    venue_symbol=one.venue_symbol,
                    book=self._books.get(one.venue_symbol) if self._wants_book else None,
                    book_origin=self._book_origin(one),
                    candles=self._candles.get(one.venue_symbol) if self._interval is not None else None,
                    candle_origin=self._board.candle_origin((venue, one.venue_symbol), self._interval or ""),
                )
                for one in self._instruments
            ],
            **({} if self._account is None else {"account": self._account}),
            "requests": [trace_document(trace) for trace in self._traces],
            "pools": [pool_document(pool, now_mono_s=now_mono_s) for pool in self._pools],
            "catalog": None if catalog is None else origin_document(catalog, now_mono_s=now_mono_s),
        }

    def lines(self) -> Iterable[str]:
        """The same for people."""
        document = self.document()
        for quote in document["quotes"]:
            change = quote["change_24h"]
            yield (
                f"{quote['instrument']:24} {quote['price'] or '-':>16} {quote['price_kind'] or '':5}"
                f" 24 h {'-' if change is None else format(float(change), '+.2%'):>8}"
                f" age {_age_words(quote['age_s'])} {_source_words(quote['source'], quote['cache_age_s'])}"
            )
            # Of another reply than the price where the venue's fast one has none: with an age of their own.
            bid_ask = f"bid {quote['bid'] or '-'} ask {quote['ask'] or '-'}"
            yield f"    {bid_ask:40} age {_age_words(quote['bid_ask_age_s'])}"
            if "candles_source" in quote:
                yield f"    candles {_source_words(quote['candles_source'], quote['candles_cache_age_s'])}"
            yield from _candle_lines(quote.get("candles", [])[-CANDLES_SHOWN:])
            book = quote.get("book")
            if book:
                yield f"    book {_source_words(book['source'], book['cache_age_s'])}"
                for name in ("asks", "bids"):
                    levels = " ".join(f"{price}x{size}" for price, size in book[name][:5])
                    yield f"    {name}  {levels}"
        if "account" in document:
            yield from _account_lines(document["account"])
        for pool in document["pools"]:
            ratio = pool["reuse_ratio"]
            yield (
                f"{pool['host']}: {pool['attempts']} requests, {pool['opened']} connections opened,"
                f" reuse {'-' if ratio is None else format(ratio, '.0%')}"
            )
            if pool["sizing"] is not None:
                yield f"    size: {pool['sizing']['text']}"
            if pool["keep_alive"] is not None:
                yield f"    fit: {pool['keep_alive']['text']}"

    def _book_origin(self, instrument: Instrument) -> Origin | None:
        state = self._board.book((instrument.venue, instrument.venue_symbol))
        return None if state is None else Origin(state.stamp, state.feed)

    def _find(self, name: str) -> Instrument:
        venue = self._runtime.entry.name
        found = self._board.resolve(venue, name)
        if found is not None:
            return found
        near = ", ".join(one.name for one in self._board.find(name, venue=venue, limit=5))
        hint = f" Did you mean {near}?" if near else ""
        raise UnknownNameError(f"{self._runtime.entry.title} has no instrument {name!r}.{hint}")

    def _run(self, job: PollJob) -> None:
        give_up_s = time.perf_counter() + BUDGET_PATIENCE_S
        while (wait_s := self._runtime.transport.available_in_s(job.weight)) > 0.0:
            if time.perf_counter() + wait_s > give_up_s:
                raise VenueFailedError(
                    f"{self._runtime.entry.title}: our share of its rate limit is used up for {wait_s:.0f} s."
                )
            with telling(self._runtime.entry.title, job.endpoint.partition(".")[2], self._runtime.transport):
                time.sleep(wait_s)
        try:
            fetched = job.fetch()
        except MonitorError as exc:
            self._traces.extend(trace for trace in exc.traces if isinstance(trace, RequestTrace))
            raise VenueFailedError(f"{self._runtime.entry.title}: {exc.user_text}") from exc
        self._traces.extend(fetched.traces)
        self._keep(job, fetched)

    def _keep(self, job: PollJob, fetched: Fetched[Payload]) -> None:
        payload = fetched.value
        if isinstance(payload, OrderBook):
            self._books[payload.venue_symbol] = payload
        elif isinstance(payload, CandleBatch):
            self._candles[payload.venue_symbol] = payload.candles
        self._board.apply([success_of(job, fetched, self._runtime)])


def _source_words(source: str | None, held_s: float | None) -> str:
    if source is None or held_s is None:
        return "-"
    return "from the network" if source == Source.NETWORK else f"{source.replace('_', ' ')}, {held_s:.1f} s"


def _age_words(age_s: float | None) -> str:
    return "-" if age_s is None else f"{age_s:.2f} s"


def _candle_lines(candles: Sequence[dict[str, Any]]) -> Iterable[str]:
    names = ("open_time", "open", "high", "low", "close")
    if candles:
        rows = [[name.replace("_", " ") for name in names], *([candle[name] for name in names] for candle in candles)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(names))]
        states = ["", *("closed" if candle["closed"] else "forming" for candle in candles)]
        for row, state in zip(rows, states, strict=True):
            line = "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
            yield f"    {line}  {state}".rstrip()


def _money(text: str | None, currency: str) -> str:
    """An amount for people, dollars to the cent; the document has every digit."""
    if text is None or not currency.startswith("USD"):
        return text or "-"
    return format(round(Decimal(text), 2) + 0, "f")


def _account_lines(account: dict[str, Any]) -> Iterable[str]:
    currency = account["currency"] or ""
    titles = {"equity": "equity", "available": "available", "unrealized_pnl": "unrealised"}
    titles["realized_today"] = "realised today"
    amounts = [f"{title} {_money(account[name], currency)}" for name, title in titles.items()]
    yield f"{account['name']}: {', '.join(amounts)} {currency}".rstrip()
    for position in account["positions"]:
        yield (
            f"    {position['side']:5} {position['size']:>14} {position['instrument'] or position['venue_symbol']:22}"
            f" entry {position['entry_price'] or '-':>12} mark {position['mark_price'] or '-':>12}"
            f" PnL {_money(position['unrealized_pnl'], currency):>12} liq. {position['liquidation_price'] or '-':>12}"
        )
    so_far = "" if account["open_orders_complete"] else " so far (not every part of the account was read)"
    yield f"    {len(account['open_orders'])} open orders{so_far}, {len(account['fills'])} fills listed"
    for problem in account["problems"]:
        yield f"    not readable: {problem['path']} is not {problem['expected']}"
