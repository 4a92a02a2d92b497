"""Floor of the first frame: a window with a word in it, and nothing but Qt."""

import sys

from PySide6.QtCore import QEvent, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow


class Window(QMainWindow):
    """Says when it is painted, and ends the program."""

    def event(self, event: QEvent) -> bool:
        is_handled = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest:
            print("start: frame", flush=True)
            QTimer.singleShot(0, QApplication.quit)
        return is_handled


app = QApplication(sys.argv)
window = Window()
window.setCentralWidget(QLabel("Hello"))
window.resize(1280, 800)
window.show()
sys.exit(app.exec())
