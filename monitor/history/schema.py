"""The history file: its tables, its version, and how it is opened.

Numbers a venue sent are TEXT in plain notation: exact for any size and number of digits, which neither a float nor a
scaled 64-bit integer is, and readable with any SQLite tool. Moments are INTEGER milliseconds UTC since 1970, durations
INTEGER microseconds, truth values 0 or 1, unknown NULL. Nothing here can hold a URL, a header, a key or an account
address: there is no column for one.

A reply is one row of ``reply``. What changed in it is told by rows of ``quote``; an instrument without a row in a reply
that carries prices was confirmed unchanged by it. Each ``quote`` row holds the displayed price and, of the other
columns, those whose bit is set in ``told`` (bit n: field n of ``FIELDS``): what has no bit is as in the row before. At
least every ``KEYFRAME_EVERY_S`` a row tells everything, so that a reader need not look back further than that.
``span`` holds the lowest and highest price of each instrument and each ``SPAN_S`` seconds, for drawing long ranges.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

APPLICATION_ID: Final = 0x544D4831
"""``TMH1`` in the header of the file: tells ours from anybody else's SQLite file."""
PAGE_SIZE: Final = 1_024
"""Small pages: each commit of a few rows writes whole pages, and there are two commits a second all day."""
BUSY_TIMEOUT_S: Final = 1.0
"""How long a connection waits for another process that writes at this moment."""
WAL_LIMIT_BYTES: Final = 8 * 1024 * 1024

KEYFRAME_EVERY_S: Final = 60.0
SPAN_S: Final = 20
PRICE_KINDS: Final = ("last", "mid", "mark")
"""``quote.kind`` is the index into this."""
FIELDS: Final = (
    "last",
    "mark",
    "index",
    "mid",
    "bid",
    "ask",
    "open_24h",
    "volume_24h_base",
    "volume_24h_quote",
    "open_interest_base",
    "funding_rate",
    "funding_interval_h",
    "next_funding_time",
    "venue_time",
)
"""Fields of a quote besides the displayed price, in the order of their columns and of the bits of ``told``."""
ALL_TOLD: Final = (1 << len(FIELDS)) - 1

_VERSION_1: Final = """
CREATE TABLE session (id INTEGER PRIMARY KEY, started_ms INTEGER NOT NULL, ended_ms INTEGER, version TEXT NOT NULL);
CREATE TABLE label (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE instrument (
    id INTEGER PRIMARY KEY, venue TEXT NOT NULL, symbol TEXT NOT NULL, name TEXT, UNIQUE (venue, symbol)
);
CREATE TABLE source (
    id INTEGER PRIMARY KEY, venue TEXT NOT NULL, dex TEXT NOT NULL, endpoint TEXT NOT NULL,
    UNIQUE (venue, dex, endpoint)
);
CREATE TABLE reply (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, source INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    took_us INTEGER NOT NULL, cache_age_ms INTEGER, has_price INTEGER NOT NULL, is_after_gap INTEGER NOT NULL
);
CREATE INDEX reply_time ON reply (received_ms);
CREATE TABLE quote (
    reply INTEGER NOT NULL, instrument INTEGER NOT NULL, price TEXT, kind INTEGER, told INTEGER NOT NULL,
    last TEXT, mark TEXT, index_price TEXT, mid TEXT, bid TEXT, ask TEXT, open_24h TEXT, volume_24h_base TEXT,
    volume_24h_quote TEXT, open_interest_base TEXT, funding_rate TEXT, funding_interval_h INTEGER,
    next_funding_ms INTEGER, venue_ms INTEGER, PRIMARY KEY (reply, instrument)
) WITHOUT ROWID;
CREATE TABLE span (
    from_ms INTEGER NOT NULL, instrument INTEGER NOT NULL, session INTEGER NOT NULL, low REAL NOT NULL,
    high REAL NOT NULL, PRIMARY KEY (from_ms, instrument, session)
) WITHOUT ROWID;
CREATE TABLE trace (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, request INTEGER NOT NULL, attempt INTEGER NOT NULL,
    venue INTEGER NOT NULL, endpoint INTEGER NOT NULL, method INTEGER NOT NULL, host INTEGER NOT NULL,
    started_ms INTEGER NOT NULL, elapsed_us INTEGER, queue_us INTEGER, lease_us INTEGER, dns_us INTEGER,
    tcp_us INTEGER, tls_us INTEGER, send_us INTEGER, wait_us INTEGER, read_us INTEGER, unaccounted_us INTEGER,
    total_us INTEGER NOT NULL, is_cold INTEGER, connection INTEGER, request_bytes INTEGER, response_bytes INTEGER,
    status INTEGER, http_version INTEGER, weight INTEGER NOT NULL, error INTEGER, is_healed INTEGER NOT NULL
);
CREATE INDEX trace_time ON trace (started_ms);
CREATE TABLE pool (
    id INTEGER PRIMARY KEY, session INTEGER NOT NULL, at_ms INTEGER NOT NULL, venue INTEGER NOT NULL,
    scheme INTEGER NOT NULL, host INTEGER NOT NULL, attempts INTEGER NOT NULL, opened INTEGER NOT NULL,
    reused INTEGER NOT NULL, connect_failed INTEGER NOT NULL, healed INTEGER NOT NULL, discarded INTEGER NOT NULL,
    closed INTEGER NOT NULL, idle INTEGER NOT NULL, active INTEGER NOT NULL, suspect INTEGER NOT NULL,
    waiting INTEGER NOT NULL, peak_active INTEGER NOT NULL, max_connections INTEGER NOT NULL
);
CREATE INDEX pool_time ON pool (at_ms);
CREATE TABLE connection (
    session INTEGER NOT NULL, connection INTEGER NOT NULL, venue INTEGER NOT NULL, host INTEGER NOT NULL,
    opened_ms INTEGER NOT NULL, closed_ms INTEGER NOT NULL, requests INTEGER NOT NULL, address_family INTEGER,
    tls_version INTEGER, cipher INTEGER, alpn INTEGER, is_resumed INTEGER, connect_us INTEGER, cause INTEGER,
    PRIMARY KEY (session, connection)
) WITHOUT ROWID;
CREATE INDEX connection_time ON connection (closed_ms);
CREATE TABLE event (
    session INTEGER NOT NULL, entry INTEGER NOT NULL, at_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    level TEXT NOT NULL, venue TEXT, text TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (session, entry)
) WITHOUT ROWID;
CREATE INDEX event_time ON event (at_ms);
CREATE TABLE candle (
    instrument INTEGER NOT NULL, interval TEXT NOT NULL, open_ms INTEGER NOT NULL, open TEXT NOT NULL,
    high TEXT NOT NULL, low TEXT NOT NULL, close TEXT NOT NULL, volume_base TEXT, volume_quote TEXT, trades INTEGER,
    PRIMARY KEY (instrument, interval, open_ms)
) WITHOUT ROWID;
CREATE INDEX candle_time ON candle (open_ms);
"""

# What a new connection was spared, or had to go through; NULL in rows of before, which is "not known".
_VERSION_2: Final = """
ALTER TABLE trace ADD COLUMN is_prewarmed INTEGER;
ALTER TABLE trace ADD COLUMN is_dns_cached INTEGER;
ALTER TABLE trace ADD COLUMN is_resumed INTEGER;
ALTER TABLE trace ADD COLUMN dials INTEGER;
"""
_VERSION_3: Final = """
CREATE TABLE spike (
    session INTEGER NOT NULL, request INTEGER NOT NULL, attempt INTEGER NOT NULL, started_ms INTEGER NOT NULL,
    elapsed_us INTEGER NOT NULL, venue INTEGER NOT NULL, cause INTEGER NOT NULL, phase INTEGER NOT NULL,
    phase_us INTEGER NOT NULL, excess_us INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (session, request, attempt)
) WITHOUT ROWID;
CREATE INDEX spike_time ON spike (started_ms);
ALTER TABLE session ADD COLUMN has_spikes INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS: Final[tuple[str, ...]] = (_VERSION_1, _VERSION_2, _VERSION_3)
"""Script n brings a file from version n to n + 1; ``user_version`` of a file is how many were run."""


class NotHistoryError(Exception):
    """The file is a good SQLite file, but not one of ours, or one of a newer version; it was not touched.

    ``is_newer`` tells the second from the first.
    """

    def __init__(self, text: str, *, is_newer: bool) -> None:
        super().__init__(text)
        self.is_newer = is_newer


def open_for_writing(file: Path, *, migrations: Sequence[str] = MIGRATIONS) -> sqlite3.Connection:
    """Open or create ``file`` and bring it to the newest version. Blocks on the disk. Thread: the connection's own.

    A transaction survives the end of this process by any signal as soon as it is committed. After a power cut the
    transactions since the last checkpoint (a minute or two) may be missing; the file is whole.

    Raises:
        sqlite3.Error: it cannot be opened, read or written.
        NotHistoryError: it is not ours, or newer than this code.
    """
    connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        # Only before the first table, like the page size; an existing file keeps what it has.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        version = _version_of(connection, newest=len(migrations))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        # The default number of bytes before a checkpoint, whatever the page size.
        connection.execute(f"PRAGMA wal_autocheckpoint = {4_096_000 // PAGE_SIZE}")
        if version < len(migrations):
            _migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(file: Path) -> sqlite3.Connection:
    """Open an existing ``file`` read-only, beside a recorder that may be writing. Blocks on the disk.

    Raises:
        sqlite3.Error: there is none, or it cannot be read.
        NotHistoryError: it is not ours, or newer than this code.
    """
    connection = sqlite3.connect(
        f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None
    )
    try:
        _check_is_current(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_is_current(connection: sqlite3.Connection) -> None:
    if _version_of(connection, newest=len(MIGRATIONS)) < len(MIGRATIONS):
        raise NotHistoryError(
            "The history file is of an older version; start the app once to bring it up to date.", is_newer=False
        )


def _version_of(connection: sqlite3.Connection, *, newest: int) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and owner != APPLICATION_ID:
        raise NotHistoryError("The file holds something else than history; it was not touched.", is_newer=False)
    if version > newest:
        raise NotHistoryError("The history file was written by a newer version of the app.", is_newer=True)
    return int(version)


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    # One transaction: two processes may start at once, and a kill in the middle must leave the old version.
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for script in migrations[version:]:
            for statement in script.split(";"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
