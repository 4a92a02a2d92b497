"""About: versions, and the licences that a bundle carries."""

import shutil
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QPlainTextEdit

from monitor.desktop.build_info import NOTICES_RESOURCE, licence_notices
from monitor.desktop.paths import resource_path
from monitor.widgets.about_dialog import AboutDialog


def test_a_bundles_notices_are_shown_whole(qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notices = "Qt\nGNU LESSER GENERAL PUBLIC LICENSE\n" + "a line\n" * 5000 + "the last of them – ü"
    shutil.copytree(resource_path(""), tmp_path / "resources", ignore=shutil.ignore_patterns("screenshots"))
    (tmp_path / "resources" / NOTICES_RESOURCE).write_text(notices, "utf-8")
    # As in a bundle.
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)

    dialog = AboutDialog(licence_notices())
    (text,) = dialog.findChildren(QPlainTextEdit)

    assert text.toPlainText() == notices
    assert text.isReadOnly()
    assert text.accessibleName() == "Licences of the libraries"


def test_a_checkout_has_none_to_show(qapp: QApplication) -> None:
    assert licence_notices() == ""
    assert AboutDialog(licence_notices()).findChildren(QPlainTextEdit) == []
