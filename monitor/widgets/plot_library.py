"""Imports pyqtgraph without having all of Qt made for it.

pyqtgraph keeps mirrors of QtCore, QtGui and QtWidgets and copies every name into them, with which PySide makes Python's
faces of some thousand classes and enumerations: half of the time the import takes, for a few dozen that are used. The
mirrors made here look a name up when it is asked for. Import this module before anything of pyqtgraph.
"""

import importlib
import sys
from types import ModuleType

from PySide6 import QtCore, QtGui, QtWidgets


class _Mirror(ModuleType):
    """A module with the names of another one, and perhaps some of its own."""

    def __init__(self, name: str, source: ModuleType) -> None:
        super().__init__(name, f"The names of {source.__name__}, each looked up when it is first asked for.")
        self._source = source
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> object:
        found = getattr(self._source, name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *dir(self._source)})


def _import_plots() -> None:
    if "pyqtgraph" in sys.modules:
        return
    sources: tuple[ModuleType, ...] = (QtCore, QtGui, QtWidgets)
    # What pyqtgraph goes through to copy it; PySide's lists what was not made yet as well.
    listings = [source.__dict__.get("__dir__") for source in sources]
    for source in sources:
        name = f"pyqtgraph.Qt.{source.__name__.rpartition('.')[2]}"
        sys.modules[name] = _Mirror(name, source)
        source.__dict__["__dir__"] = list
    try:
        importlib.import_module("pyqtgraph")
    finally:
        for source, listing in zip(sources, listings, strict=True):
            if listing is None:
                del source.__dict__["__dir__"]
            else:
                source.__dict__["__dir__"] = listing


_import_plots()
