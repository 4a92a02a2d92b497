"""Python's own ``import`` again, which PySide replaces when it is loaded."""

import builtins

from PySide6 import QtCore

assert QtCore.__name__  # noqa: S101 - loaded, so its hook is in place


def leave_features_out() -> None:
    """Take PySide's hook out of ``import``.

    It reads the source text of every module that is imported later on, numpy's included, and looks for the word PySide6
    in it, so that ``from __feature__ import snake_case`` can follow. Nobody here writes that, and from source it makes
    up a fifth of the time to the first price.
    """
    original = getattr(builtins, "__orig_import__", None)
    if original is not None:
        builtins.__import__ = original
