"""What the bundle is made of: versions, icons, the lists of Qt parts, and the bundle itself where one was built."""

import importlib
import runpy
import shutil
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


@pytest.mark.parametrize(
    ("arguments", "times_exit", "exit_code"), [(["--strict"], 1, 1), (["--strict"], 0, 0), ([], 1, 0)]
)
def test_a_missed_bar_is_an_error_only_of_a_strict_build(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], times_exit: int, exit_code: int
) -> None:
    build, facts = load("build"), load("bundle_facts")
    for name in ("BUILD", "COMMIT_FILE", "VERSION_RESOURCE"):
        monkeypatch.setattr(facts, name, tmp_path / name)
    ran: list[str] = []

    def run(command: list[str], *_: object, is_allowed_to_fail: bool = False) -> int:
        # Minutes of PyInstaller and of starting programs.
        ran.append(Path(command[1]).name)
        assert is_allowed_to_fail == ("start_times.py" in ran[-1])
        return times_exit if is_allowed_to_fail else 0

    monkeypatch.setattr(build, "run", run)
    monkeypatch.setattr(build, "build_python", lambda: Path("python"))

    assert build.main(arguments) == exit_code
    assert ran[-1] == "start_times.py"
    assert "smoke.py" in ran


def test_version_resource_has_every_field_filled_in(load: Any, tmp_path: Path) -> None:
    build, facts = load("build"), load("bundle_facts")
    build.write_version_resource(tmp_path / "version_info.txt")

    text = (tmp_path / "version_info.txt").read_text("utf-8")
    assert "$" not in text
    assert f'"ProductVersion", "{facts.VERSION}"' in text
    compile(text, "version_info.txt", "eval")


def test_a_missing_or_empty_file_is_told_by_its_name(load: Any, tmp_path: Path) -> None:
    facts = load("bundle_facts")
    (tmp_path / "empty.svg").touch()
    (tmp_path / "full.svg").write_text("<svg/>")
    for name in ("empty.svg", "absent.svg"):
        with pytest.raises(SystemExit, match=name):
            facts.require(tmp_path / "full.svg", tmp_path / name)
    facts.require(tmp_path / "full.svg", tmp_path)


SPEC_NEEDS = [
    *(("linux", name) for name in ("ENTRY", "COMMIT_FILE", "ICON_SOURCE")),
    *(("win32", name) for name in ("WINDOWS_ICON", "VERSION_RESOURCE")),
    *(("darwin", name) for name in ("MACOS_ICON", "ENTITLEMENTS")),
]


@pytest.mark.parametrize(("platform", "name"), SPEC_NEEDS)
def test_the_spec_stops_when_one_of_its_files_is_missing(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, name: str
) -> None:
    facts = load("bundle_facts")
    for _, constant in SPEC_NEEDS:
        file = tmp_path / constant
        file.write_text("there")
        monkeypatch.setattr(facts, constant, file)
    reached: list[object] = []

    class AnalysisReached(Exception):
        """All checks were passed."""

    def analyse(*arguments: object, **options: object) -> None:
        reached.append(arguments)
        raise AnalysisReached

    # PyInstaller is not among the test tools; the checks come before it is used.
    monkeypatch.setitem(sys.modules, "PyInstaller", ModuleType("PyInstaller"))
    monkeypatch.setitem(sys.modules, "PyInstaller.depend", ModuleType("PyInstaller.depend"))
    bindepend = ModuleType("PyInstaller.depend.bindepend")
    monkeypatch.setattr(bindepend, "get_imports", None, raising=False)
    monkeypatch.setitem(sys.modules, "PyInstaller.depend.bindepend", bindepend)
    for script in ("notices", "bundle_contents"):
        load(script)
    monkeypatch.setattr(sys, "platform", platform)

    with pytest.raises(AnalysisReached):
        runpy.run_path(str(PACKAGING / "monitor.spec"), {"SPECPATH": str(PACKAGING), "Analysis": analyse})
    (tmp_path / name).unlink()
    with pytest.raises(SystemExit, match=f"{name} is missing"):
        runpy.run_path(str(PACKAGING / "monitor.spec"), {"SPECPATH": str(PACKAGING), "Analysis": analyse})
    assert len(reached) == 1


@pytest.mark.parametrize("script", ["linux_packages", "windows_installer"])
def test_packages_are_not_made_without_a_bundle(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    facts, module = load("bundle_facts"), load(script)
    monkeypatch.setattr(facts, "DIST", tmp_path)
    with pytest.raises(SystemExit, match=facts.EXECUTABLE):
        module.main()


def test_files_of_a_python_with_a_folder_of_its_own_are_covered_by_its_notice(load: Any, tmp_path: Path) -> None:
    notices = load("notices")
    base = tmp_path / "3.11.7"
    own = ("lib/libpython3.11.so.1.0", "lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so")
    for name in own:
        assert notices.is_of_python(base / name, base)
    assert not notices.is_of_python(Path("/usr/lib/x86_64-linux-gnu/libssl.so.3"), base)
    # Debian's own Python is a package, and is told with the others.
    assert not notices.is_of_python(Path("/usr/lib/python3.11/lib-dynload/_ssl.so"), Path("/usr"))
    for name in ("openssl/lib/libssl.so.3", "lib/libffi.so.8"):
        with pytest.raises(SystemExit, match=Path(name).name):
            notices.is_of_python(base / name, base)


def test_folders_of_this_machine_are_taken_out_of_copies(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_paths = load("machine_paths")
    base = tmp_path / "3.11.7"
    paths = {"libpython3.11.so": str(base / "lib"), "_ssl.so": "$ORIGIN/../lib", "libz.so": "/elsewhere"}
    entries = []
    for name in paths:
        file = (tmp_path if name == "libz.so" else base) / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("original")
        entries.append((f"lib/{name}", str(file), "BINARY"))

    def patchelf(option: str, file: str) -> str:
        # The program is in the build's environment only.
        if option == "--remove-rpath":
            Path(file).write_text("changed")
        return paths[Path(file).name] + "\n"

    monkeypatch.setattr(machine_paths, "_patchelf", patchelf)
    python, ssl, zlib = machine_paths.without_machine_paths(entries, tmp_path / "copies", base)

    assert python == ("lib/libpython3.11.so", str(tmp_path / "copies/lib/libpython3.11.so"), "BINARY")
    assert Path(python[1]).read_text() == "changed"
    assert (base / "libpython3.11.so").read_text() == "original"
    assert (ssl, zlib) == (entries[1], entries[2])


@pytest.mark.skipif(sys.platform != "linux" or shutil.which("objdump") is None, reason="Linux with binutils only")
def test_where_a_library_searches_is_read_from_it(load: Any) -> None:
    numpy = importlib.import_module("numpy._core._multiarray_umath").__file__

    assert load("linux_packages").searches_in(Path(str(numpy))).startswith("$ORIGIN")


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
