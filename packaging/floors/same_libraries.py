"""Floor of the size: an empty window that only imports the libraries which the program is made with."""

import sys

import keyring
import numpy as np
import pyqtgraph as pg
import requests
from PySide6.QtWidgets import QApplication, QMainWindow

app = QApplication(sys.argv)
window = QMainWindow()
window.setWindowTitle(f"{keyring.__name__} {np.__version__} {pg.__version__} {requests.__version__}")
window.show()
sys.exit(app.exec())
