"""The user's own prices across the price plot: entries, liquidations, orders, each with a label at the left.

The labels leave most of the plot to the prices: they get shorter in a narrow one, those that would lie over each other
become one with a count, and of what is beyond the plot only the nearest is named.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from monitor.domain.market import Instrument
from monitor.qtmodels.figures import average_decimals, price_text, quoted_text, safe_text
from monitor.state.account_levels import AccountLevel, LevelKind
from monitor.state.catalog import InstrumentKey
from monitor.widgets.plot_gutter import spread
from monitor.widgets.plot_view import PlotView
from monitor.widgets.theme import Theme

NOTHING_KNOWN: Final[Mapping[InstrumentKey, Instrument]] = MappingProxyType({})
LABEL_PART: Final = 0.45
"""A label takes at most this part of the plot's width."""
MAX_LINES: Final = 24
"""More than these say nothing more; entries and liquidations come first."""
_STYLES: Final = {
    LevelKind.ENTRY: Qt.PenStyle.SolidLine,
    LevelKind.LIQUIDATION: Qt.PenStyle.DashDotLine,
    LevelKind.ORDER: Qt.PenStyle.DashLine,
    LevelKind.TRIGGER: Qt.PenStyle.DotLine,
    LevelKind.TAKE_PROFIT: Qt.PenStyle.DotLine,
    LevelKind.STOP_LOSS: Qt.PenStyle.DotLine,
}
_WORDS: Final = {
    LevelKind.ENTRY: "entry",
    LevelKind.LIQUIDATION: "liq.",
    LevelKind.ORDER: "",
    LevelKind.TRIGGER: "trigger",
    LevelKind.TAKE_PROFIT: "take profit",
    LevelKind.STOP_LOSS: "stop loss",
}
_ORDER: Final = tuple(LevelKind)


class AccountLine(msgspec.Struct, frozen=True):
    """One line of the plot: ``price`` scaled like the plot's own. ``short`` is the label without account and size."""

    price: float
    label: str
    short: str
    color: str
    style: Qt.PenStyle


def lines_of(
    levels: Sequence[AccountLevel],
    theme: Theme,
    *,
    scale_of: Mapping[InstrumentKey, float],
    known: Mapping[InstrumentKey, Instrument] = NOTHING_KNOWN,
    is_covered: bool,
) -> tuple[AccountLine, ...]:
    """What is drawn of ``levels``; sizes stay out of the labels while amounts are hidden.

    ``known``: what is known of their instruments.
    """
    lines = []
    for level in sorted(levels, key=lambda one: _ORDER.index(one.kind))[:MAX_LINES]:
        scale = scale_of.get(level.key, 1.0)
        price = float(level.price) * scale
        label, short = _labels(level, scale, known.get(level.key), is_covered=is_covered)
        lines.append(
            AccountLine(
                price=price,
                label=label,
                short=short,
                color=_color(level, theme),
                style=_STYLES[level.kind],
            )
        )
    return tuple(lines)


def _labels(level: AccountLevel, scale: float, instrument: Instrument | None, *, is_covered: bool) -> tuple[str, str]:
    """The whole label and a short one."""
    # What stands on an axis is in its units: one coin, where the venue prices a thousand.
    price = level.price if scale == 1.0 else level.price * Decimal(str(scale))
    if level.kind is LevelKind.ENTRY:
        price = round(price, average_decimals(price))
    if level.kind is LevelKind.ENTRY or scale != 1.0 or instrument is None:
        # Averages come with zeros at the end, which take room and say nothing.
        shown = price_text(price.normalize())
    else:
        shown = quoted_text(price, instrument)
    is_position = level.kind in {LevelKind.ENTRY, LevelKind.LIQUIDATION}
    way = {True: "long" if is_position else "buy", False: "short" if is_position else "sell", None: "order"}[
        level.is_up
    ]
    word = _WORDS
    size = "" if is_covered else price_text(level.size)
    old = "" if level.is_current else "(old)"
    last = (word[level.kind], shown, old)
    whole = (safe_text(level.account, 28), way, size, *last)
    return " ".join(part for part in whole if part), " ".join(part for part in (way, *last) if part)


def _color(level: AccountLevel, theme: Theme) -> str:
    if not level.is_current:
        return theme.text_muted
    if level.kind is LevelKind.LIQUIDATION:
        return theme.error
    if level.kind is LevelKind.ENTRY:
        return theme.accent
    return theme.text_muted if level.is_up is None else theme.up if level.is_up else theme.down


def draw_account_lines(painter: QPainter, view: PlotView, theme: Theme, lines: Sequence[AccountLine]) -> None:
    """Draw ``lines`` over the data. One beyond the plot's range is named with an arrow at the edge it lies behind."""
    if not lines:
        return
    font = painter.font()
    font.setPointSizeF(max(6.0, font.pointSizeF() * 0.88))
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    height = round(metrics.height()) + 2.0
    places = sorted(((view.y_of(line.price), line) for line in lines), key=lambda place: place[0])
    inside = [(y, line) for y, line in places if 0.0 <= y <= view.height]
    for y, line in inside:
        pen = QPen(QColor(line.color), 1, line.style)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLine(QLineF(0.0, round(y) + 0.5, view.width, round(y) + 0.5))
    above, below = beyond(lines, view)
    most = view.width * LABEL_PART
    room = max(height, view.height - (height if above else 0.0) - (height if below else 0.0))
    top = height if above else 0.0
    groups = grouped(inside, height)
    centres = spread([y for y, _ in groups], height, top, top + room)
    for centre, (_, group) in zip(centres, groups, strict=True):
        text = fitting(group, "", most, metrics)
        if not text:
            continue
        color = group[0].color if len({line.color for line in group}) == 1 else theme.text_muted
        _draw_label(painter, metrics, theme, text, color, QPointF(4.0, centre - height / 2.0))
    for group, mark, y in ((above, "▲ ", 0.0), (below, "▼ ", view.height - height)):
        if group:
            text = fitting(group, mark, most, metrics)
            _draw_label(painter, metrics, theme, text, theme.text_muted, QPointF(4.0, y))


def grouped(places: Sequence[tuple[float, AccountLine]], height: float) -> list[tuple[float, list[AccountLine]]]:
    """Lines (height and line, from the top) that share a label because those of a ``height`` would overlap, with its
    place."""
    groups: list[tuple[float, list[AccountLine]]] = []
    for y, line in places:
        if groups and y - groups[-1][0] < height:
            groups[-1][1].append(line)
        else:
            groups.append((y, [line]))
    return groups


def fitting(group: Sequence[AccountLine], mark: str, most_px: float, metrics: QFontMetricsF) -> str:
    """What to write of ``group``: its first line, as much of it as fits into ``most_px``, and how many more there are.

    Where not even the short label fits, only how many there are, and nothing of a single line: a part of a price would
    be another price.
    """
    more = f"  +{len(group) - 1}" if len(group) > 1 else ""
    for text in (group[0].label, group[0].short):
        if metrics.horizontalAdvance(f"{mark}{text}{more}") <= most_px:
            return f"{mark}{text}{more}"
    return f"{mark}{len(group)}" if mark or more else ""


def beyond(lines: Sequence[AccountLine], view: PlotView) -> tuple[list[AccountLine], list[AccountLine]]:
    """The lines above and below what ``view`` shows, the nearest first."""
    places = sorted(((view.y_of(line.price), line) for line in lines), key=lambda place: place[0])
    above = [line for y, line in reversed(places) if y < 0.0]
    below = [line for y, line in places if y > view.height]
    return above, below


def _draw_label(  # noqa: PLR0917 - private; what to write and where
    painter: QPainter, metrics: QFontMetricsF, theme: Theme, text: str, color: str, corner: QPointF
) -> None:
    box = QRectF(corner.x(), corner.y(), metrics.horizontalAdvance(text) + 8.0, round(metrics.height()) + 1.0)
    ground = QColor(theme.panel)
    ground.setAlpha(215)
    painter.fillRect(box, ground)
    painter.setPen(QColor(color))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
