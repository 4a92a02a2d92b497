"""Every figure in a window, whichever panel shows it: what it says, and what the pointer is told over it."""

import re
from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLabel, QWidget

from monitor.qtmodels.figures import DASH
from monitor.widgets.dock import Dock
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.focus_header import OF_NOW
from monitor.widgets.toasts import Toast
from tests.fakes.sample_window import SampleWindow

_NOT_A_FIGURE = re.compile(r"Period \S+|\S+:\d+|24 h")
"""The name of the period, of a host, of a figure."""
COUNTED = re.compile(r"[1-9]")
_OWN_SPAN = re.compile(r"\bnow\b|^Since start: |^since |in the time shown|rows in the period · full bar")
"""Words with which a figure says itself that it is not of the period, or what of it is."""


def plain(tooltip: str) -> str:
    return QTextDocumentFragment.fromHtml(tooltip).toPlainText().strip()


def told(widget: QWidget) -> str:
    """What the pointer is told over ``widget``: its tooltip, or the nearest one around it."""
    around: QWidget | None = widget
    while around is not None:
        if around.toolTip():
            return plain(around.toolTip())
        around = None if around.isWindow() else around.parentWidget()
    return ""


def is_drawn_by_us(widget: QWidget) -> bool:
    """Whether a widget of this app paints itself, and so may show anything."""
    kinds = [kind for kind in type(widget).__mro__ if kind.__module__.startswith("monitor.")]
    return any("paintEvent" in vars(kind) for kind in kinds)


def names(widget: QWidget) -> str:
    """Where a widget is, for the message."""
    chain = []
    around: QWidget | None = widget
    while around is not None and not around.isWindow():
        chain.append(type(around).__name__)
        around = around.parentWidget()
    return " < ".join(chain[:4])


def visible_texts(root: QWidget) -> Iterator[tuple[QWidget, str]]:
    """Every label that can be seen, with its whole text; of what paints itself, what it tells who cannot see it."""
    for widget in root.findChildren(QWidget):
        if isinstance(widget, QAbstractButton) or not widget.isVisibleTo(root):
            continue
        if isinstance(widget, ElidedLabel):
            yield widget, widget.text
        elif isinstance(widget, QLabel):
            yield widget, plain(widget.text())
        elif is_drawn_by_us(widget):
            yield widget, re.sub(r"\s+", " ", widget.accessibleDescription())


def shown_views(root: QWidget) -> list[QAbstractItemView]:
    """Lists and tables that can be seen in this window."""
    views = root.findChildren(QAbstractItemView)
    return [view for view in views if view.window() is root and view.isVisibleTo(root) and view.model() is not None]


def item_texts(view: QAbstractItemView) -> Iterator[str]:
    """Everything that the items of a view say: drawn by Qt, by a delegate of ours, or told who cannot see it."""
    model = view.model()
    for row in range(model.rowCount()):
        for column in range(model.columnCount()):
            index = model.index(row, column)
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
                text = index.data(role)
                # A comma ends a figure of a text that has several.
                yield from () if text is None else re.split(r", ", str(text))
            drawn = getattr(view.itemDelegateForIndex(index), "texts", None)
            yield from () if drawn is None else drawn(index)


def said(root: QWidget) -> dict[str, set[str]]:
    """What can be read of the chosen period, by where it stands: without what says that it is of another time."""
    texts: dict[str, set[str]] = {}
    found = [(widget, [text]) for widget, text in visible_texts(root) if not isinstance(widget.parentWidget(), Toast)]
    found += [(view, list(item_texts(view))) for view in shown_views(root)]
    for widget, ones in found:
        if not is_of_now(widget):
            texts[f"{names(widget)} {id(widget)}"] = {text for text in ones if not _OWN_SPAN.search(text)}
    return texts


def moving(s: SampleWindow, go_on: Callable[[], None]) -> set[str]:
    """What is another figure after ``go_on`` let time pass, although the chosen period was over before."""
    before = [said(s.window) for _ in everything(s)]
    go_on()
    moved: set[str] = set()
    for was, then in zip(before, [said(s.window) for _ in everything(s)], strict=True):
        for place, texts in then.items():
            fresh = texts - was.get(place, texts) - {DASH}
            moved |= {f"{place.rpartition(' ')[0]}: {text!r}" for text in fresh}
    return moved


def everything(s: SampleWindow) -> Iterator[None]:
    """Bring every dock and every tab of a panel to the front, one after the other."""
    for dock in s.window.docks.values():
        dock.raise_()
        QApplication.processEvents()
        s.show_now()
        yield
    for place in range(s.window.pools.tabs.count()):
        s.window.pools.tabs.setCurrentIndex(place)
        s.show_now()
        yield


def dock_of(widget: QWidget) -> Dock | None:
    around: QWidget | None = widget
    while around is not None and not isinstance(around, Dock):
        around = around.parentWidget()
    return around


def is_of_now(widget: QWidget) -> bool:
    dock = dock_of(widget)
    return (dock is not None and dock.title._label.text.endswith(" · NOW")) or OF_NOW.strip() in told(widget)


def ignoring_period(root: QWidget) -> Iterator[str]:
    """What shows a figure although nothing is known of the chosen period, and does not say of which time it is."""
    for widget, text in visible_texts(root):
        if isinstance(widget.parentWidget(), Toast):
            continue  # news of a moment ago, that goes by itself
        if COUNTED.search(_NOT_A_FIGURE.sub("", text)) and not _OWN_SPAN.search(text) and not is_of_now(widget):
            yield f"{names(widget)}: {text!r}"
    for view in shown_views(root):
        if view.model().rowCount() and not is_of_now(view):
            yield f"{names(view)}: {view.model().rowCount()} rows"
