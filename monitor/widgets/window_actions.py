"""Everything the user can do from toolbar, menu, keyboard and palette, defined once."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from monitor.desktop.settings import TIME_RANGES_S
from monitor.widgets.resources import themed_icon
from monitor.widgets.theme import Theme

RANGE_NAMES: dict[int, str] = {60: "1m", 900: "15m", 3_600: "1h", 21_600: "6h", 86_400: "24h"}
RANGE_WORDS: dict[int, str] = {
    60: "1 minute",
    900: "15 minutes",
    3_600: "1 hour",
    21_600: "6 hours",
    86_400: "24 hours",
}


class ActionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One action: what it is called, its key, its picture, and what it does in a sentence."""

    name: str
    text: str
    what: str
    shortcut: str = ""
    icon: str = ""
    is_checkable: bool = False


SPECS: tuple[ActionSpec, ...] = (
    ActionSpec(
        name="pause",
        text="Pause",
        what="Stop all polling; ages keep rising",
        shortcut="Ctrl+P",
        icon="pause",
        is_checkable=True,
    ),
    ActionSpec(
        name="refresh",
        text="Refresh now",
        what="Poll everything at once, within the budget",
        shortcut="F5",
        icon="refresh",
    ),
    ActionSpec(
        name="search",
        text="Search…",
        what="Find an instrument or a command",
        shortcut="Ctrl+K",
        icon="search",
    ),
    ActionSpec(
        name="line", text="Line", what="Show prices as a line", shortcut="Ctrl+1", icon="line", is_checkable=True
    ),
    ActionSpec(
        name="candles",
        text="Candles",
        what="Show prices as candles with volume",
        shortcut="Ctrl+2",
        icon="candles",
        is_checkable=True,
    ),
    ActionSpec(
        name="measure",
        text="Measure…",
        what="Compare pooled with unpooled requests to a venue, politely, and see what that means per day",
        shortcut="Ctrl+M",
        icon="measure",
    ),
    ActionSpec(
        name="theme", text="Dark or light", what="Switch between the dark and the light theme", shortcut="Ctrl+T"
    ),
    ActionSpec(
        name="settings",
        text="Settings…",
        what="Cadences, limits, pool, proxy, theme",
        shortcut="Ctrl+,",
        icon="settings",
    ),
    ActionSpec(
        name="accounts",
        text="Accounts…",
        what="Add, test, replace or delete accounts (read-only)",
        shortcut="Ctrl+Shift+A",
        icon="key",
    ),
    ActionSpec(
        name="hide_amounts",
        text="Hide amounts",
        what="Cover sizes, balances and profits of accounts, for sharing the screen",
        shortcut="Ctrl+Shift+H",
        icon="hide",
        is_checkable=True,
    ),
    ActionSpec(
        name="account_lines",
        text="Own prices on the chart",
        what="Draw entries, liquidation prices and open orders of the instrument in focus",
        shortcut="Ctrl+Shift+L",
        is_checkable=True,
    ),
    ActionSpec(name="filter", text="Filter requests", what="Go to the filter of the request table", shortcut="Ctrl+F"),
    ActionSpec(name="reset_layout", text="Reset layout", what="Put every panel back where it was at the first start"),
    ActionSpec(name="next_panel", text="Next panel", what="Move the keyboard to the next panel", shortcut="F6"),
    ActionSpec(name="full_screen", text="Full screen", what="Fill the screen", shortcut="F11", is_checkable=True),
    ActionSpec(name="help", text="Keys and help", what="List the keys and what the figures mean", shortcut="F1"),
    ActionSpec(
        name="alert",
        text="New alert…",
        what="Be told of a price, its age, a venue that is down, slow requests and more",
        shortcut="Ctrl+Shift+P",
    ),
    ActionSpec(
        name="export",
        text="Export…",
        what="Write the period the charts show as JSON, CSV or a picture",
        shortcut="Ctrl+E",
    ),
    ActionSpec(
        name="incident",
        text="Save incident",
        what="Keep the last 15 minutes with a picture of the window as one file, without secrets",
        shortcut="Ctrl+Shift+I",
    ),
    ActionSpec(
        name="open_incident",
        text="Open incident…",
        what="Look at a saved incident in a window of its own; this one goes on",
        shortcut="Ctrl+O",
    ),
    ActionSpec(name="logs", text="Open log folder", what="Show the folder of the log file"),
    ActionSpec(name="about", text="About", what="Version, licences and libraries"),
    ActionSpec(name="quit", text="Quit", what="End the app", shortcut="Ctrl+Q"),
)


class WindowActions(QObject):
    """Owns the actions; the window connects them. ``named`` holds those of ``SPECS``."""

    def __init__(self, parent: QWidget, *, venues: Sequence[str], venue_title: Callable[[str], str]) -> None:
        super().__init__(parent)
        self.named: dict[str, QAction] = {}
        for spec in SPECS:
            action = self._make(parent, spec.text, spec.what, spec.shortcut)
            action.setCheckable(spec.is_checkable)
            self.named[spec.name] = action
        chart_group = QActionGroup(self)
        chart_group.addAction(self.named["line"])
        chart_group.addAction(self.named["candles"])
        self.ranges: dict[int, QAction] = {}
        range_group = QActionGroup(self)
        for place, seconds in enumerate(TIME_RANGES_S, start=1):
            action = self._make(parent, RANGE_NAMES[seconds], f"Show the last {RANGE_WORDS[seconds]}", f"Alt+{place}")
            action.setCheckable(True)
            action.setData(seconds)
            range_group.addAction(action)
            self.ranges[seconds] = action
        self.venues: dict[str, QAction] = {}
        for place, venue in enumerate(venues, start=1):
            title = venue_title(venue)
            action = self._make(parent, title, f"Poll {title}, or leave it alone", f"Ctrl+Shift+{place}")
            action.setCheckable(True)
            action.setChecked(True)
            action.setData(venue)
            self.venues[venue] = action

    def _make(self, parent: QWidget, text: str, what: str, shortcut: str) -> QAction:
        action = QAction(text, parent)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        keys = f"  ({shortcut})" if shortcut else ""
        action.setToolTip(what + keys)
        action.setStatusTip("")
        # A shortcut works wherever the keyboard is, docks that float included.
        action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        parent.addAction(action)
        return action

    def all(self) -> list[QAction]:
        """Every action, for the palette and the list of keys."""
        return [*self.named.values(), *self.ranges.values(), *self.venues.values()]

    def set_theme(self, theme: Theme) -> None:
        """Draw the icons in the colours of ``theme``."""
        for spec in SPECS:
            if spec.icon:
                self.named[spec.name].setIcon(themed_icon(spec.icon, theme.text, theme.text_muted))
        self.named["theme"].setIcon(themed_icon("light" if theme.is_dark else "dark", theme.text))
        self.set_paused(self.named["pause"].isChecked(), theme)

    def set_paused(self, is_paused: bool, theme: Theme) -> None:
        """Let the pause action say what pressing it would do."""
        pause = self.named["pause"]
        pause.setChecked(is_paused)
        pause.setText("Resume" if is_paused else "Pause")
        pause.setIcon(themed_icon("play" if is_paused else "pause", theme.warn if is_paused else theme.text))


def key_table(actions: Mapping[str, QAction]) -> list[tuple[str, str]]:
    """Keys and what they do, for the help: only actions that have a key."""
    return [
        (action.shortcut().toString(), action.toolTip().partition("  (")[0])
        for action in actions.values()
        if not action.shortcut().isEmpty()
    ]
