"""Every figure on screen says what it is: whatever shows one has a tooltip, and every column a definition."""

import re
from collections.abc import Iterator

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QListView,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from monitor.qtmodels.figures import DASH
from monitor.widgets.elided import ElidedLabel
from tests.fakes.account_samples import SampleAccounts
from tests.fakes.figure_walk import everything, is_drawn_by_us, names, plain, told, visible_texts
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

_FIGURE = re.compile(rf"\d|^{DASH}$")


def undefined_labels(root: QWidget) -> Iterator[str]:
    for label, text in visible_texts(root):
        if is_drawn_by_us(label) and not isinstance(label, ElidedLabel):
            if not told(label):
                yield f"{names(label)} paints itself and has no definition"
            continue
        if _FIGURE.search(text) and told(label) in ("", text):
            yield f"{names(label)}: {text!r} has no definition"


def undefined_columns(root: QWidget) -> Iterator[str]:
    for table in root.findChildren(QTableView):
        model = table.model()
        header = table.horizontalHeader()
        assert isinstance(header, QHeaderView)
        if header.isHidden():
            # A line of sums below a table, in the columns of that table.
            continue
        for column in range(model.columnCount(QModelIndex())):
            title = model.headerData(column, Qt.Orientation.Horizontal)
            what = model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
            if plain(str(what or "")) in ("", title) and not table.isColumnHidden(column):
                yield f"{names(table)}: column {column} ({title}) has no definition"


def undefined_cards(root: QWidget) -> Iterator[str]:
    for view in root.findChildren(QListView):
        # A combo box has one for its choices; those are no figures.
        if view.window() is not root.window() or view.model() is None:
            continue
        index = view.model().index(0, 0)
        if index.isValid() and not plain(str(index.data(Qt.ItemDataRole.ToolTipRole) or "")):
            yield f"{names(view)}: its first row has no definition"


def shown(window_factory: WindowFactory, qtbot: QtBot) -> SampleWindow:
    s = window_factory(seconds=120)
    s.window.resize(1680, 1000)
    s.window.show()
    s.window.charts.load_plots()
    SampleAccounts(s.board, s.clock).fill_in()
    s.window.panels.accounts.refresh_all()
    s.show_now()
    s.window.links.show_request(s.board.requests.items[-1].request_id)
    return s


def test_every_figure_on_screen_has_a_definition(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)
    missing: set[str] = set()
    seen = 0
    for _ in everything(s):
        seen += sum(isinstance(one, ElidedLabel) and one.isVisible() for one in s.window.findChildren(QWidget))
        missing |= {*undefined_labels(s.window), *undefined_cards(s.window)}

    assert seen > 100
    assert sorted(missing) == []


def test_every_column_has_a_definition(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)

    assert len(s.window.findChildren(QTableView)) >= 9
    assert sorted(undefined_columns(s.window)) == []


def test_what_has_no_definition_is_found(qtbot: QtBot) -> None:
    root = QWidget()
    qtbot.addWidget(root)
    layout = QVBoxLayout(root)
    figure, word, explained, plain_label = ElidedLabel("12 ms"), ElidedLabel("latency"), ElidedLabel("3"), QLabel("7 %")
    explained.set_definition("how many")
    table = QTableView()
    model = QStandardItemModel(1, 2)
    model.setHorizontalHeaderLabels(["Good", "Bad"])
    model.setHeaderData(0, Qt.Orientation.Horizontal, "what it is", Qt.ItemDataRole.ToolTipRole)
    table.setModel(model)
    for widget in (figure, word, explained, plain_label, table):
        layout.addWidget(widget)
    root.show()

    assert [text.partition(": ")[2] for text in undefined_labels(root)] == [
        "'12 ms' has no definition",
        "'7 %' has no definition",
    ]
    assert [text.partition(": ")[2] for text in undefined_columns(root)] == ["column 1 (Bad) has no definition"]
