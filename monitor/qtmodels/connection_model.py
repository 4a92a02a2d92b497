"""Sockets as rows: the open ones first, then the newest closed ones, as the pools report them."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from PySide6.QtCore import QAbstractTableModel, QObject, Qt

from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.qtmodels.figures import DASH, age_text, count_text, duration_text, plain_tooltip, safe_text
from monitor.qtmodels.headed_model import NO_PARENT, ROW_ROLE, Index
from monitor.qtmodels.row_sync import notify_changed, sync_rows
from monitor.state.period import Period
from monitor.state.pool_words import describe_protocols

NOW_ROLE = ROW_ROLE + 1
"""The monotonic time in seconds at which ages are to be shown."""

MAX_CLOSED_PER_POOL = 6

CLOSE_WORDS: dict[CloseCause, str] = {
    CloseCause.STALE: "by server, found stale",
    CloseCause.EXPIRED: "by us, idle or old",
    CloseCause.DISCARDED: "by us, pool was full",
    CloseCause.BY_SERVER: "by server",
    CloseCause.ERROR: "on error",
    CloseCause.ABANDONED: "by us, reply abandoned",
    CloseCause.WITH_POOL: "by us, with its pool",
}
"""Who closed a connection, and why."""


class ConnectionRow(msgspec.Struct, frozen=True):
    """One socket of one venue."""

    venue: str
    venue_title: str
    card: ConnectionCard
    protocols: str | None = None
    """What the host offers besides HTTP/1.1 and what it would gain; ``None``: nobody asked."""
    outlives_period: bool = False
    """Whether it went on after the chosen period: its figures are of its life until now, and have to say so."""

    @property
    def is_open(self) -> bool:
        """Whether the socket still exists."""
        return self.card.state != "closed"

    @property
    def now_word(self) -> str:
        """`` now`` where a figure has to say that it is not of the chosen period, else nothing."""
        return " now" if self.outlives_period else ""

    @property
    def state_text(self) -> str:
        """``idle``; beside a chosen period that it outlived ``idle now``, ``closed by now``."""
        by = " by" if self.outlives_period and not self.is_open else ""
        return f"{self.card.state}{by}{self.now_word}"

    def age_s(self, now_mono_s: float) -> float:
        """Seconds from opening until now, or until it was closed."""
        end = now_mono_s if self.card.closed_mono_s is None else self.card.closed_mono_s
        return max(end - self.card.opened_mono_s, 0.0)

    def idle_s(self, now_mono_s: float) -> float | None:
        """Seconds without a request; ``None`` while one is running or after the close."""
        if not self.is_open or self.card.idle_since_mono_s is None:
            return None
        return max(now_mono_s - self.card.idle_since_mono_s, 0.0)


class ConnectionModel(QAbstractTableModel):
    """One row per socket. ``refresh`` takes new pool figures, ``tick`` lets ages run."""

    def __init__(self, venue_title: Callable[[str], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._venue_title = venue_title
        self._rows: list[ConnectionRow] = []
        self._now_mono_s = 0.0

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of sockets shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: a card has one column."""
        return 0 if parent.isValid() else 1

    def row_at(self, row: int) -> ConnectionRow:
        """The socket in ``row``."""
        return self._rows[row]

    def row_of(self, connection_id: int) -> int | None:
        """Row of a connection by its number; ``None`` when it is not shown (any more)."""
        for at, row in enumerate(self._rows):
            if row.card.connection_id == connection_id:
                return at
        return None

    @property
    def open_count(self) -> int:
        """How many of the rows are open sockets."""
        return sum(row.is_open for row in self._rows)

    def refresh(self, pools: Sequence[PoolStats], now_mono_s: float, period: Period | None = None) -> None:
        """Show the sockets of ``pools``: open before closed, then by venue, then newest first.

        Of a ``period`` those that were open at some moment of it, as far as the pools still tell of them.
        """
        self._now_mono_s = now_mono_s
        opened: list[ConnectionRow] = []
        closed: list[ConnectionRow] = []
        for pool in pools:
            title = self._venue_title(pool.venue)
            protocols = describe_protocols(pool)
            rows = [
                ConnectionRow(pool.venue, title, card, protocols, period is not None and _outlives(card, period))
                for card in pool.connections
                if period is None or _lived_in(card, period)
            ]
            rows.sort(key=lambda row: row.card.connection_id, reverse=True)
            opened.extend(row for row in rows if row.is_open)
            closed.extend([row for row in rows if not row.is_open][:MAX_CLOSED_PER_POOL])
        closed.sort(key=lambda row: row.card.closed_mono_s or 0.0, reverse=True)
        unique = {(row.venue, row.card.host, row.card.connection_id): row for row in (*opened, *closed)}
        sync_rows(
            self, self._rows, tuple(unique.values()), lambda row: (row.venue, row.card.host, row.card.connection_id)
        )

    def tick(self, now_mono_s: float) -> None:
        """Let the ages of the open sockets run on to ``now_mono_s``."""
        self._now_mono_s = now_mono_s
        notify_changed(self, [at for at, row in enumerate(self._rows) if row.is_open])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: a line of text, the row itself under ``ROW_ROLE``, every known fact as tooltip."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{row.venue_title} #{row.card.connection_id} {row.state_text}"
        if role == ROW_ROLE:
            return row
        if role == NOW_ROLE:
            return self._now_mono_s
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            lines = describe_connection(row, self._now_mono_s)
            texts = [f"{name}: {value}" for name, value in lines]
            return plain_tooltip("\n".join(texts)) if role == Qt.ItemDataRole.ToolTipRole else ", ".join(texts)
        return None


def _lived_in(card: ConnectionCard, period: Period) -> bool:
    is_closed_before = card.closed_mono_s is not None and card.closed_mono_s < period.start_mono_s
    return card.opened_mono_s <= period.end_mono_s and not is_closed_before


def _outlives(card: ConnectionCard, period: Period) -> bool:
    return card.closed_mono_s is None or card.closed_mono_s > period.end_mono_s


def describe_connection(row: ConnectionRow, now_mono_s: float) -> list[tuple[str, str]]:
    """Every known fact of a socket as pairs of name and text; unknown is a dash."""
    card, now = row.card, row.now_word
    until_now = f" until{now}" if now else ""
    resumed = DASH if card.is_resumed is None else ("yes" if card.is_resumed else "no")
    lines = [
        ("Connection", f"#{card.connection_id}, {row.state_text}"),
        ("Venue", row.venue_title),
        ("Host", safe_text(card.host, 80)),
        ("Peer", safe_text(card.peer or DASH, 80)),
        ("Address family", card.address_family or DASH),
        ("TLS", card.tls_version or DASH),
        ("Cipher", card.cipher or DASH),
        ("ALPN", safe_text(card.alpn or DASH, 20)),
        ("TLS session resumed", resumed),
        ("Set-up (TCP + TLS)", duration_text(card.connect_s)),
        (f"Age{now}" if row.is_open else f"Lived{until_now}", age_text(row.age_s(now_mono_s))),
        (f"Idle{now} for", age_text(row.idle_s(now_mono_s))),
        (f"Requests served{until_now}", count_text(card.requests)),
    ]
    if card.is_prewarmed:
        lines.append(("Opened ahead", "yes: its handshake was paid before the first request, not saved"))
    if row.protocols is not None:
        lines.append(("Protocols", row.protocols))
    if card.close_cause is not None:
        lines.append(("Closed", CLOSE_WORDS[card.close_cause]))
    return lines
