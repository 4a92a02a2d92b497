"""pyqtgraph with Qt names looked up when they are used: the same library, without the classes that nobody needs."""

import os
import subprocess
import sys

from tests.fakes.command_line import ROOT

SCRIPT = """
from PySide6 import QtCore, QtGui, QtWidgets
names = {source: set(dir(source)) for source in (QtCore, QtGui, QtWidgets)}
from monitor.widgets import plot_library
import pyqtgraph as pg
from pyqtgraph.Qt import QtCore as core, QtGui as gui, QtWidgets as widgets

assert all(set(dir(source)) == before for source, before in names.items()), "Qt's own modules are as they were"
made = len(vars(QtWidgets)), len(names[QtWidgets])
assert made[0] < made[1] / 2, f"{made[0]} of {made[1]} names were made"
app = QtWidgets.QApplication([])
plot = pg.PlotWidget()
plot.plot([1.0, 3.0, 2.0])
plot.resize(300, 200)
image = plot.grab().toImage()
assert len({image.pixel(x, y) for x in range(0, 300, 3) for y in range(0, 200, 3)}) > 2
for mirror, source in ((core, QtCore), (gui, QtGui), (widgets, QtWidgets)):
    assert names[source] <= set(dir(mirror))
    for name in names[source]:
        assert getattr(mirror, name) is getattr(source, name) or name.startswith("__"), name
try:
    widgets.NoSuchWidget
except AttributeError:
    print("done")
"""


def test_it_is_the_same_library_with_fewer_classes_made() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.strip() == "done", done.stderr
