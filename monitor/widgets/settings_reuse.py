"""The page of the settings that says how connections are kept, replaced and opened."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QScrollArea, QSpinBox, QWidget

from monitor.desktop.settings import Settings
from monitor.qtmodels.figures import plain_tooltip

_SIZINGS = (("fixed", "As set, with advice"), ("automatic", "Follows its use, 2 to 32"))
_NUMBER_WIDTH_PX = 130


class ReusePage(QScrollArea):
    """Edits what of ``settings`` concerns keeping connections; ``venues`` are those that HTTP/2 may be chosen for."""

    def __init__(self, settings: Settings, venues: Sequence[str], venue_title: Callable[[str], str]) -> None:
        super().__init__()
        self._known = frozenset(venues)
        self.sizing = QComboBox()
        for value, text in _SIZINGS:
            self.sizing.addItem(text, value)
        self.sizing.setCurrentIndex(max(self.sizing.findData(settings.pool_sizing), 0))
        self.prewarm = QSpinBox()
        self.prewarm.setRange(0, 8)
        self.prewarm.setValue(settings.prewarm_connections)
        self.keep_warm = _check("Keep one connection per venue from being closed", settings.keep_warm)
        self.max_age = _number(settings.max_age_s / 60.0, 1.0, 1_440.0, " min")
        self.dns_cache = _number(settings.dns_cache_s, 0.0, 3_600.0, " s")
        self.ipv4_only = _check("IPv4 only, where IPv6 is broken", settings.is_ipv4_only)
        self.resumption = _check("Shorten new TLS handshakes by resuming earlier sessions", settings.tls_resumption)
        self.http2 = {
            venue: _check(f"{venue_title(venue)} over HTTP/2", venue in settings.http2_venues) for venue in venues
        }
        inside = QWidget()
        form = QFormLayout(inside)
        for name, field, what in (
            ("Pool size", self.sizing, "Automatic: the size follows the connections in use. Otherwise only advice."),
            ("Opened ahead", self.prewarm, "Connections opened to each venue before the first request needs them."),
            ("", self.keep_warm, "A small request now and then where the poll interval outlives the venue's sockets."),
            ("Replaced after", self.max_age, "An older connection is replaced, so that new addresses are followed."),
            ("Address reused for", self.dns_cache, "How long a looked-up address is used again; 0: asked every time."),
            ("", self.ipv4_only, "No IPv6 address is tried."),
            ("", self.resumption, "Only new connections are affected; the phases of a request show what it saves."),
            *(("", box, "Needs the optional HTTP/2 part; saves sockets, not latency.") for box in self.http2.values()),
        ):
            field.setToolTip(plain_tooltip(what))
            field.setAccessibleName(name or what)
            field.setAccessibleDescription(what)
            if isinstance(field, QSpinBox | QDoubleSpinBox):
                field.setMaximumWidth(_NUMBER_WIDTH_PX)
            form.addRow(name, field)
        self.setWidgetResizable(True)
        self.setWidget(inside)

    def settings(self, before: Settings) -> Settings:
        """``before`` with what was edited here."""
        others = tuple(venue for venue in before.http2_venues if venue not in self._known)
        return replace(
            before,
            pool_sizing=str(self.sizing.currentData()),
            prewarm_connections=self.prewarm.value(),
            keep_warm=self.keep_warm.isChecked(),
            max_age_s=_edited(self.max_age, before.max_age_s, 60.0),
            dns_cache_s=_edited(self.dns_cache, before.dns_cache_s, 1.0),
            is_ipv4_only=self.ipv4_only.isChecked(),
            tls_resumption=self.resumption.isChecked(),
            http2_venues=(*others, *(venue for venue, box in self.http2.items() if box.isChecked())),
        )


def _check(text: str, is_on: bool) -> QCheckBox:
    box = QCheckBox(text)
    box.setChecked(is_on)
    return box


def _number(value: float, low: float, high: float, unit: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(1)
    box.setSuffix(unit)
    box.setValue(value)
    return box


def _edited(box: QDoubleSpinBox, before: float, unit: float) -> float:
    # What was not touched stays as it is, digits the box does not show included.
    shown = box.value() * unit
    return before if abs(shown - before) <= 0.05 * unit else shown
