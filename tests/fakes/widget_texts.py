"""Everything that can be read in a widget: for tests that look for what must not be there."""

from PySide6.QtWidgets import QWidget

_READERS = (
    "text",
    "toPlainText",
    "toolTip",
    "statusTip",
    "accessibleName",
    "accessibleDescription",
    "placeholderText",
    "windowTitle",
    "title",
)


def everything_in(widget: QWidget) -> str:
    """All texts that ``widget`` and its children hold, whether they can be seen or not."""
    found = []
    for one in (widget, *widget.findChildren(QWidget)):
        for name in _READERS:
            read = getattr(one, name, None)
            if callable(read):
                found.append(str(read()))
    return "\n".join(found)
