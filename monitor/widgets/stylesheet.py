"""The stylesheet of the window, filled with colours."""

from collections.abc import Mapping
from functools import cache
from string import Template

from monitor.desktop.paths import resource_path


def stylesheet(colors: Mapping[str, str]) -> str:
    """Fill ``resources/style.qss``; raises ``KeyError`` when it names a colour that ``colors`` does not have."""
    icons = resource_path("icons").as_posix()
    return _template().substitute(colors, icons=icons)


@cache
def _template() -> Template:
    return Template(resource_path("style.qss").read_text(encoding="utf-8"))
