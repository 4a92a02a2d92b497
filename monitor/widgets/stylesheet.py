"""The stylesheet of the window, filled with colours."""

from collections.abc import Mapping

from monitor.desktop.paths import resource_path
from monitor.widgets.resources import load_template


def stylesheet(colors: Mapping[str, str]) -> str:
    """Fill ``resources/style.qss``; raises ``KeyError`` when it names a colour that ``colors`` does not have."""
    icons = resource_path("icons").as_posix()
    return load_template("style.qss").substitute(colors, icons=icons)
