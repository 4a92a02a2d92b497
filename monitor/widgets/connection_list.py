"""Connection cards: one card a socket, drawn, so that a hundred of them cost what the visible ones cost."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QListView,
    QStyle,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monitor.qtmodels.connection_model import CLOSE_WORDS, NOW_ROLE, ConnectionModel, ConnectionRow
from monitor.qtmodels.figures import DASH, age_text, duration_text, safe_text
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate
from monitor.widgets.watchlist_delegate import small_font

EMPTY_TEXT = "No connection yet. Each socket gets a card here."
EMPTY_PERIOD_TEXT = "No card is kept of a socket of this period. Esc shows all again."
PADDING_PX = 9
GAP_PX = 4

STATE_GLYPHS = {"active": "▶", "idle": "●", "suspect": "◐", "closed": "○"}


def state_color(state: str, theme: Theme) -> str:
    """Colour of a connection's state: green is alive, amber may be dead, grey is gone."""
    return {"active": theme.accent, "idle": theme.ok, "suspect": theme.warn}.get(state, theme.text_muted)


class ConnectionDelegate(ThemedDelegate):
    """Draws a card: number, state and requests; age, peer, TLS and protocol, or who closed it."""

    def texts(self, index: Index) -> tuple[str, ...]:
        """Everything that is drawn of an item, before anything of it is left out for want of room."""
        row = index.data(ROW_ROLE)
        assert isinstance(row, ConnectionRow)  # noqa: S101  # the model has no others
        return (title_text(row), served_text(row), *small_lines(row, float(index.data(NOW_ROLE))))

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt: a title, and a line for each group of facts."""
        row = index.data(ROW_ROLE)
        small = QFontMetrics(small_font(option.font)).height()
        lines = len(small_lines(row, 0.0)) if isinstance(row, ConnectionRow) else 1
        return QSize(120, QFontMetrics(option.font).height() + lines * (small + 1) + 2 * 6 + GAP_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one card."""
        row = index.data(ROW_ROLE)
        if not isinstance(row, ConnectionRow):
            return
        theme = self._theme
        now_s = float(index.data(NOW_ROLE))
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        card_rect = QRectF(option.rect.adjusted(0, 0, 0, -GAP_PX)).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.accent if is_selected else theme.border), 1))
        painter.setBrush(QColor(theme.selection if is_selected else theme.raised))
        painter.drawRoundedRect(card_rect, 5, 5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        stripe = QRect(option.rect.left() + 1, option.rect.top() + 6, 3, option.rect.height() - 12 - GAP_PX)
        painter.fillRect(stripe, QColor(theme.venue_color(row.venue)))
        self._paint_lines(painter, option, row, now_s)
        painter.restore()

    def _paint_lines(self, painter: QPainter, option: QStyleOptionViewItem, row: ConnectionRow, now_s: float) -> None:
        theme, card = self._theme, row.card
        inner = option.rect.adjusted(PADDING_PX + 2, 6, -PADDING_PX, -6 - GAP_PX)
        metrics = QFontMetrics(option.font)
        small = small_font(option.font)
        small_metrics = QFontMetrics(small)
        served = served_text(row)
        right_width = small_metrics.horizontalAdvance(served) + 6
        color = state_color(card.state, theme)
        painter.setFont(option.font)
        painter.setPen(QColor(color))
        glyph = STATE_GLYPHS.get(card.state, "○")
        glyph_width = metrics.horizontalAdvance("▶ ")
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft, glyph)
        painter.setPen(QColor(theme.text if row.is_open else theme.text_muted))
        title = title_text(row)
        title_rect = inner.adjusted(glyph_width, 0, -right_width, 0)
        painter.drawText(
            title_rect,
            Qt.AlignmentFlag.AlignLeft,
            metrics.elidedText(title, Qt.TextElideMode.ElideRight, title_rect.width()),
        )
        painter.setFont(small)
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight, served)
        painter.setPen(QColor(theme.text_muted))
        top = inner.top() + metrics.height() + 1
        for text in small_lines(row, now_s):
            line = QRect(inner.left(), top, inner.width(), small_metrics.height())
            shown = small_metrics.elidedText(text, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, shown)
            top += small_metrics.height() + 1


def title_text(row: ConnectionRow) -> str:
    """Number and state of a socket."""
    return f"#{row.card.connection_id} {row.state_text}{' · prewarmed' if row.card.is_prewarmed else ''}"


def served_text(row: ConnectionRow) -> str:
    """``266 requests``; ``266 requests by now`` beside a chosen period."""
    count, by_now = row.card.requests, " by" if row.now_word else ""
    return f"{count:,} {'request' if count == 1 else 'requests'}{by_now}{row.now_word}"


def small_lines(row: ConnectionRow, now_s: float) -> tuple[str, ...]:
    """What a card says below its title; as many lines whatever the time."""
    card = row.card
    now = f"{row.now_word.strip()}: " if row.now_word else ""
    peer = " ".join(part for part in (row.venue_title, card.address_family, safe_text(card.peer or DASH, 60)) if part)
    if not row.is_open:
        cause = DASH if card.close_cause is None else CLOSE_WORDS[card.close_cause]
        return (peer, f"{now}lived {age_text(row.age_s(now_s))} · closed {cause}")
    idle_s = row.idle_s(now_s)
    tls = " · ".join(safe_text(part, 40) for part in (card.tls_version, card.cipher) if part) or "no TLS"
    resumed = "" if card.is_resumed is None else " · resumed" if card.is_resumed else " · full handshake"
    lines = (
        f"{now}age {age_text(row.age_s(now_s))} · idle {age_text(idle_s)} · set-up {duration_text(card.connect_s)}",
        peer,
        tls,
        f"ALPN {safe_text(card.alpn or DASH, 20)}{resumed}",
    )
    return lines if row.protocols is None else (*lines, row.protocols)


class ConnectionList(QListView):
    """The cards of all sockets, open ones first."""

    def __init__(self, model: ConnectionModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._delegate = ConnectionDelegate(theme, self)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName("Connections")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._empty = QLabel(EMPTY_TEXT, self)
        self._empty.setWordWrap(True)
        self._empty.setProperty("muted", True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self.viewport())
        layout.addWidget(self._empty)
        model.rowsInserted.connect(self._show_or_hide_empty)
        model.rowsRemoved.connect(self._show_or_hide_empty)
        self._show_or_hide_empty()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._delegate.set_theme(theme)
        self.viewport().update()

    def set_period(self, has_period: bool) -> None:
        """Say, where there is no card, that it is of a chosen period."""
        self._empty.setText(EMPTY_PERIOD_TEXT if has_period else EMPTY_TEXT)

    def _show_or_hide_empty(self) -> None:
        self._empty.setVisible(self.model().rowCount() == 0)
