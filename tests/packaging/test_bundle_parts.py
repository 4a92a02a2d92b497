"""What the bundle is made of: versions, icons, the lists of Qt parts, and the bundle itself where one was built."""

import importlib
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import a script of packaging/ by name, as the scripts do among themselves."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    before = set(sys.modules)

    def load_one(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load_one
    for name in set(sys.modules) - before:
        if str(PACKAGING) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("0.1.0", ["0", "1", "0", "0"]), ("1.2.3rc1", ["1", "2", "3", "0"]), ("2", ["2", "0", "0", "0"])],
)
def test_windows_gets_four_numbers_of_a_version(load: Any, version: str, numbers: list[str]) -> None:
    assert load("build").version_numbers(version) == numbers


def test_version_resource_has_every_field_filled_in(load: Any, tmp_path: Path) -> None:
    build, facts = load("build"), load("bundle_facts")
    build.write_version_resource(tmp_path / "version_info.txt")

    text = (tmp_path / "version_info.txt").read_text("utf-8")
    assert "$" not in text
    assert f'"ProductVersion", "{facts.VERSION}"' in text
    compile(text, "version_info.txt", "eval")


def test_a_missing_file_stops_the_build_with_its_name(load: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.svg").touch()
    for name in ("empty.svg", "absent.svg"):
        with pytest.raises(SystemExit, match=name):
            load("bundle_facts").require(tmp_path / name)


def test_icons_hold_every_size_of_the_one_drawing(load: Any, tmp_path: Path) -> None:
    facts, icons = load("bundle_facts"), load("icons")
    icons.draw_icons(facts.ICON_SOURCE, tmp_path, facts.ICON_SIZES)

    for size in facts.ICON_SIZES:
        png = (tmp_path / f"app-{size}.png").read_bytes()
        assert struct.unpack(">II", png[16:24]) == (size, size)
    ico = (tmp_path / "app.ico").read_bytes()
    count = struct.unpack("<HHH", ico[:6])[2]
    assert count == len(icons.ICO_SIZES)
    for i in range(count):
        side, _, _, _, _, _, length, offset = struct.unpack("<BBBBHHII", ico[6 + 16 * i : 22 + 16 * i])
        assert struct.unpack(">I", ico[offset + 16 : offset + 20])[0] == (side or 256)
        assert ico[offset : offset + 4] == b"\x89PNG"
        assert offset + length <= len(ico)
    icns = (tmp_path / "app.icns").read_bytes()
    assert struct.unpack(">I", icns[4:8])[0] == len(icns)


def test_qt_parts_are_told_by_their_file_names(load: Any) -> None:
    contents = load("bundle_contents")

    assert contents.qt_part("PySide6/Qt/lib/libQt6Core.so.6") == "lib/Core"
    assert contents.qt_part("PySide6/QtWidgets.abi3.so") == "lib/Widgets"
    assert contents.qt_part("PySide6\\plugins\\platforms\\qwindows.dll") == "platforms/qwindows"
    assert contents.qt_part("numpy/core/_multiarray.so") is None


def test_a_part_of_qt_nobody_decided_about_stops_the_build(load: Any) -> None:
    contents = load("bundle_contents")
    assert contents.is_kept("platforms/qxcb")
    assert not contents.is_kept("tls/qopensslbackend")
    with pytest.raises(SystemExit, match="brandnew"):
        contents.is_kept("platforms/brandnew")


def test_everything_kept_or_left_out_has_a_reason(load: Any) -> None:
    contents = load("bundle_contents")
    for reasons in (
        contents.EXCLUDED_MODULES,
        contents.KEPT_QT_LIBRARIES,
        contents.KEPT_QT_PLUGINS,
        contents.LEFT_OUT_QT,
    ):
        assert all(reason.strip() for reason in reasons.values())


def test_the_built_bundle_holds_no_part_of_qt_that_was_left_out(load: Any) -> None:
    contents, facts = load("bundle_contents"), load("bundle_facts")
    folder = facts.bundle_folder()
    if not folder.is_dir():
        pytest.skip("no bundle was built here: packaging/build.py")
    files = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
    parts = {part for part in map(contents.qt_part, files) if part is not None}

    assert {"lib/Core", "lib/Gui", "lib/Widgets"} <= parts
    assert [part for part in sorted(parts) if not contents.is_kept(part)] == []
    assert not [file for file in files if file.endswith(".qm")]
    notices = (folder / "_internal" / "resources" / "third-party-notices.txt").read_text("utf-8")
    for name in ("PySide6", "GNU LESSER GENERAL PUBLIC LICENSE", "numpy", "requests", "Python 3"):
        assert name in notices
