"""The line over the chart: everything known of the instrument in focus, with the age of its price."""

from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from monitor.domain.market import Instrument
from monitor.qtmodels.figures import (
    DASH,
    age_range_text,
    age_text,
    change_text,
    compact,
    quoted_text,
    safe_text,
    signed,
)
from monitor.qtmodels.quote_figures import short_name
from monitor.qtmodels.quote_model import QuoteSource
from monitor.state.ages import explain_age
from monitor.state.basis import BasisSpan, basis_between, basis_of
from monitor.state.period import Period
from monitor.state.quotes import QuoteState
from monitor.state.sources import SOURCE_DEFINITION, source_of_origin, source_of_quote, source_text
from monitor.state.verdict import Verdict
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.marks import VERDICT_DEFINITIONS, verdict_color, verdict_glyph
from monitor.widgets.theme import Theme

InstrumentKey: TypeAlias = tuple[str, str]

FIELDS: tuple[tuple[str, str], ...] = (
    ("Bid", "Best bid"),
    ("Ask", "Best ask"),
    ("Spread", "Ask minus bid, in parts per ten thousand (bp) of the middle"),
    ("Basis", "Price here minus that of the same market elsewhere, in bp of it, and the age of the older of the two"),
    ("Mark", "The venue's mark price, which margins are reckoned with"),
    ("Funding/h · year", "Funding rate per hour, and per year without compounding; positive: longs pay"),
    ("Volume 24 h", "Turnover of the last 24 hours in quote currency"),
)

LEAST = {
    "Spread": "00.00 bp",
    "Basis": "−00.0 bp · 0.0–0.0 s",
    "Funding/h · year": "−0.0000 % · −00 %",
    "Volume 24 h": "000 M",
}
"""Texts for which each figure has room."""

BY_IMPORTANCE = (("Spread",), ("Basis",), ("Funding/h · year",), ("Mark",), ("Bid", "Ask"), ("Volume 24 h",))
"""Which figures stay when there is not room for all; those of a group stay or go together."""

OF_NOW = "\nOf now, also while a period is chosen."
BASIS_PERIOD_WHAT = "Each price received here is compared with the newest one received there"
SIDE_PX = 12
SPACING_PX = 11


class _Figure(QWidget):
    """A caption over a value."""

    def __init__(self, caption: str, definition: str) -> None:
        super().__init__()
        self._caption = ElidedLabel(caption, scale=0.82, least=caption)
        self.value = ElidedLabel(DASH, least=LEAST.get(caption, "000,000.0"))
        self._caption.set_definition(definition)
        self._definition = definition
        self.setAccessibleName(caption)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._caption)
        layout.addWidget(self.value)

    def show_value(
        self, text: str, theme: Theme, *, is_current: bool, age: str, source: str = "", of_now: str = ""
    ) -> None:
        """Show ``text``, greyed and struck through when it is not current; ``source``: where it came from.

        ``of_now``: what the tooltip adds while the user looks at another time.
        """
        self._show(text, theme, is_current=is_current)
        self.value.set_definition(f"{self._definition}.\nAge {age}{f', {source}' if source else ''}.{of_now}")

    def show_past(self, text: str, theme: Theme, story: str) -> None:
        """Show ``text``, which is of a period; ``story`` says what of it."""
        self._show(text, theme, is_current=True)
        self.value.set_definition(f"{self._definition}.\n{story}.")

    def _show(self, text: str, theme: Theme, *, is_current: bool) -> None:
        is_old = not is_current and text != DASH
        font = self.value.font()
        if font.strikeOut() != is_old:
            font.setStrikeOut(is_old)
            self.value.setFont(font)
        self.value.set_text(text, None if is_current else theme.text_muted)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._caption.set_text(self._caption.text, theme.text_muted)


class FocusHeader(QWidget):
    """Name, price, change, age and the slower figures of one instrument."""

    def __init__(
        self,
        source: QuoteSource,
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._clock = clock
        self._venue_title = venue_title
        self._theme = theme
        self._key: InstrumentKey | None = None
        self._other: InstrumentKey | None = None
        self._period: Period | None = None
        self._basis_key: object = None
        self._basis: BasisSpan | None = None
        self._name = ElidedLabel("No instrument chosen", is_bold=True, scale=1.15, least="MMM-USDT")
        self._venue = ElidedLabel("Choose one on the left, or press Ctrl+K", scale=0.9)
        self._price = ElidedLabel(DASH, is_bold=True, scale=1.5, least="000,000.0")
        self._price.setAccessibleDescription("Price of the instrument in focus")
        self._change = ElidedLabel("", least="▲ +00.00 %")
        self._age = ElidedLabel("", scale=0.9, least="● live · 0.0–0.0 s")
        self._figures = {caption: _Figure(caption, definition) for caption, definition in FIELDS}
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self._name)
        names.addWidget(self._venue)
        now = QVBoxLayout()
        now.setSpacing(0)
        now.addWidget(self._change)
        now.addWidget(self._age)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(SIDE_PX, 5, SIDE_PX, 5)
        layout.setSpacing(SPACING_PX)
        layout.addLayout(names, 2)
        layout.addWidget(self._price, 2)
        layout.addLayout(now, 3)
        for figure in self._figures.values():
            layout.addWidget(figure, 2)
        self.setObjectName("focusHeader")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.set_theme(theme)

    @property
    def price_label(self) -> ElidedLabel:
        """The large price."""
        return self._price

    @property
    def age_label(self) -> ElidedLabel:
        """State and age of the price."""
        return self._age

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        for figure in self._figures.values():
            figure.set_theme(theme)
        self.refresh()

    def set_key(self, key: InstrumentKey | None) -> None:
        """Show another instrument."""
        self._key = key
        self.refresh()

    def set_counterpart(self, key: InstrumentKey | None) -> None:
        """The same market on the other venue, for the basis; ``None`` where there is none."""
        self._other = key

    def set_period(self, period: Period | None) -> None:
        """Let the basis be of ``period``, and say of the others that they are of now; ``None``: all are."""
        self._period = period
        self.refresh()

    def minimumSizeHint(self) -> QSize:
        """Qt: room for what is never left out; figures that can go must not hold the window open."""
        return QSize(self._least_width(), super().minimumSizeHint().height())

    def _least_width(self) -> int:
        always = (self._name, self._price, self._age)
        return 2 * SIDE_PX + sum(label.minimumSizeHint().width() + SPACING_PX for label in always)

    def resizeEvent(self, event: object) -> None:
        """Qt: leave out the figures for which there is no room, the least important first."""
        room = self.width() - self._least_width()
        for captions in BY_IMPORTANCE:
            group = [self._figures[caption] for caption in captions]
            need = sum(figure.minimumSizeHint().width() + SPACING_PX for figure in group)
            for figure in group:
                figure.setVisible(room >= need)
            room -= need if room >= need else 0

    def refresh(self) -> None:
        """Show everything as of now."""
        key = self._key
        for part in (self._price, self._change, self._age):
            part.setVisible(key is not None)
        if key is None:
            return
        theme, now = self._theme, self._clock()
        quote = self._source.quote(key)
        instrument = self._source.instruments.get(key)
        self._name.set_text(short_name(instrument, key[1]))
        verdict = Verdict.UNKNOWN if quote is None else quote.verdict(now)
        self._venue.set_text(self._venue_title(key[0]), theme.venue_color(key[0]))
        self.show_age(now)
        of_now = "" if self._period is None else OF_NOW
        self._age.set_definition(
            f"{VERDICT_DEFINITIONS[verdict]}\n{self._age_story(quote, now)}\n"
            f"Age: between now − response received and now − request sent + cache age.{of_now}"
        )
        is_good = verdict.is_trustworthy
        kind = "" if quote is None or quote.price_kind is None else f" ({quote.price_kind} price)"
        font = QFont(self._price.font())
        if font.strikeOut() != (not is_good and quote is not None):
            font.setStrikeOut(not is_good and quote is not None)
            self._price.setFont(font)
        self._price.set_text(
            DASH if quote is None else quoted_text(quote.price, instrument), None if is_good else theme.text_muted
        )
        self._price.set_definition(f"Price{kind}{of_now}")
        change = None if quote is None else quote.change_24h
        self._change.set_text(
            change_text(change), theme.change_color(None if change is None or not is_good else float(change))
        )
        self._change.set_definition(f"Change against 24 hours ago{of_now}")
        if quote is not None:
            self._show_figures(quote, instrument, now)
        self._show_basis(key, quote, now)

    def show_age(self, now: float) -> None:
        """Let the age and the state beside it run on to ``now``."""
        if self._key is None:
            return
        quote = self._source.quote(self._key)
        verdict = Verdict.UNKNOWN if quote is None else quote.verdict(now)
        word = "no longer listed" if quote is not None and quote.is_vanished else verdict.word
        age = None if quote is None else quote.age(now)
        age_words = DASH if age is None else age_range_text(*age)
        if self._period is not None:
            # The word takes the room of the range, which the tooltip has in full.
            word, age_words = f"{word} now", DASH if age is None else age_text(age.high_s)
        self._age.set_text(f"{verdict_glyph(verdict)} {word} · {age_words}", verdict_color(verdict, self._theme))

    @staticmethod
    def _age_story(quote: QuoteState | None, now: float) -> str:
        """Why the price is as old as it is, and where it came from."""
        stamp, feed = (None, None) if quote is None else (quote.stamp, quote.feed)
        story = explain_age(stamp, now, cadence_s=None if feed is None else feed.cadence_s)
        source = source_of_quote(quote, now)
        return story if source is None else f"{story}\nNow: {safe_text(source.text, 160)}. {SOURCE_DEFINITION}"

    def _show_figures(self, quote: QuoteState, instrument: Instrument | None, now: float) -> None:
        spread = quote.spread_fraction
        hourly, annual = quote.funding_rate_hourly, quote.funding_rate_annual
        funding = DASH if hourly is None else signed(float(hourly) * 100, 4, " %")
        if annual is not None:
            funding += f" · {signed(float(annual) * 100, 0, ' %')}"
        for caption, field, text in (
            ("Bid", "bid", quoted_text(quote.bid, instrument)),
            ("Ask", "ask", quoted_text(quote.ask, instrument)),
            ("Spread", "bid", DASH if spread is None else f"{float(spread) * 1e4:.2f} bp"),
            ("Mark", "mark", quoted_text(quote.mark, instrument)),
            ("Funding/h · year", "funding_rate", funding),
            ("Volume 24 h", "volume_24h_quote", compact(quote.volume_24h_quote)),
        ):
            age = quote.field_age(field, now)
            self._figures[caption].show_value(
                text,
                self._theme,
                is_current=quote.is_current(field, now),
                age=DASH if age is None else age_text(age.high_s),
                source="" if age is None else source_text(source_of_origin(quote.field_origin(field), now)),
                of_now="" if self._period is None else OF_NOW,
            )

    def _show_basis(self, key: InstrumentKey, quote: QuoteState | None, now: float) -> None:
        figure, other = self._figures["Basis"], self._other
        if self._period is not None:
            self._show_past_basis(figure, key, self._period)
            return
        listed = self._source.instruments
        other_quote = None if other is None else self._source.quote(other)
        basis = None
        is_known = key in listed and other in listed
        if is_known and quote is not None and other is not None and other_quote is not None:
            basis = basis_of((listed[key], quote), (listed[other], other_quote), now)
        if basis is None or basis.fraction is None:
            figure.show_value(DASH, self._theme, is_current=False, age=DASH)
            return
        kinds = " against ".join(kind or DASH for kind in basis.kinds)
        foreign = "" if basis.is_same_quote else ", in different quote currencies: their exchange rate is part of it"
        figure.show_value(
            f"{signed(float(basis.fraction) * 1e4, 1, ' bp')} · {age_range_text(*basis.age)}",
            self._theme,
            is_current=basis.is_trustworthy,
            age=(
                f"{age_range_text(*basis.age)}; the prices may be {age_text(basis.max_skew_s)} apart in time.\n"
                f"{signed(basis.difference, 4)} per coin, {kinds} price{foreign}"
            ),
        )

    def _show_past_basis(self, figure: _Figure, key: InstrumentKey, period: Period) -> None:
        span = self._past_basis(key, period)
        if span is None:
            figure.show_past(DASH, self._theme, "Of the chosen period: not both venues told a price then")
            return
        mean, least, most = (signed(one * 1e4, 1) for one in (span.mean, span.least, span.most))
        figure.show_past(
            f"{least} to {most} bp" if least != most else f"{mean} bp",
            self._theme,
            f"Of the chosen period: mean {mean} bp, lowest {least}, highest {most}. {BASIS_PERIOD_WHAT}, up to "
            f"{age_text(span.max_skew_s)} before it (n = {span.n:,})",
        )

    def _past_basis(self, key: InstrumentKey, period: Period) -> BasisSpan | None:
        """Reckoned anew only when the period holds other prices than before: this is called for every frame."""
        listed, other = self._source.instruments, self._other
        first, second = self._source.series(key), None if other is None else self._source.series(other)
        if other is None or first is None or second is None or key not in listed or other not in listed:
            return None
        ends = period.start_mono_s, period.end_mono_s
        basis_key = (period, key, other, first.index_range(*ends), second.index_range(*ends))
        if basis_key != self._basis_key:
            self._basis_key = basis_key
            self._basis = basis_between((listed[key], first), (listed[other], second), period)
        return self._basis
