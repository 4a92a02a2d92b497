"""The stylesheet of the window, filled with colours."""

from collections.abc import Mapping

from monitor.widgets.resources import load_template


def stylesheet(colors: Mapping[str, str]) -> str:
    """Fill ``resources/style.qss`` with ``colors``; raises ``KeyError`` when it names one that is not there."""
    return load_template("style.qss").substitute(colors)
