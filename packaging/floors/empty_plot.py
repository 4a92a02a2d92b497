"""Floor of the first plot with data: an empty pyqtgraph window, then one request: ``empty_plot URL CA_FILE``."""

import sys

import pyqtgraph as pg
import requests
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

URL, CA_FILE = sys.argv[1:3]


def ask() -> None:
    """Read one reply, say so, and end the program."""
    requests.get(URL, verify=CA_FILE, timeout=20).json()
    print("start: data", flush=True)
    QApplication.quit()


class Window(QMainWindow):
    """Asks once it is painted."""

    def event(self, event: QEvent) -> bool:
        is_handled = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            QTimer.singleShot(0, ask)
        return is_handled


app = QApplication(sys.argv)
window = Window()
window.setCentralWidget(pg.PlotWidget())
window.resize(1280, 800)
window.show()
sys.exit(app.exec())
