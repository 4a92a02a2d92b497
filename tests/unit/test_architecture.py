"""The rules of the house that no other tool checks: layers, sizes, leftovers, and what the command line may import."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("monitor", "packaging")
# Above this a module has a seam that nobody has looked for.
MAX_MODULE_LINES = 400
# Written in two parts so that this file does not find itself.
LEFTOVERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
# A rule code and then something in words. One comment above may speak for several lines that follow it closely.
REASON_REACH_LINES = 10
SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore)\b(?P<rest>.*)")
SILENCED_WITH_REASON = re.compile(r"^(: [A-Z]+[0-9]+(,\s*[A-Z]+[0-9]+)*|\[[a-z-]+(,\s*[a-z-]+)*\])\s+(#\s*)?\S.*\w")
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "monitor",
    "packaging",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements.lock",
    "resources",
    "tests",
}


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_obey_the_contracts() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


def test_no_module_is_too_long() -> None:
    lengths = {_name(path): len(path.read_text("utf-8").splitlines()) for path in _sources(*CODE)}

    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MAX_MODULE_LINES} == {}


def test_no_note_to_oneself_is_left() -> None:
    found = [
        f"{_name(path)}:{number}"
        for path in _sources(*CODE, "tests")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if LEFTOVERS.search(line)
    ]

    assert found == []


def test_every_silenced_check_says_why() -> None:
    found = []
    for path in _sources(*CODE, "tests"):
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            silenced = SILENCED.search(line)
            if silenced is None or path == Path(__file__) or SILENCED_WITH_REASON.match(silenced["rest"]):
                continue
            above = lines[max(0, number - 1 - REASON_REACH_LINES) : number - 1]
            if not any(candidate.strip().startswith("# ") for candidate in above):
                found.append(f"{_name(path)}:{number}")

    assert found == []


@pytest.mark.parametrize(
    ("comment", "has_reason"),
    [
        ("# noqa", False),
        ("# noqa: S101", False),
        ("# noqa: S101  a test", True),
        ("# noqa: S101, PLR0913 - as many as fields", True),
        ("# type: ignore", False),
        ("# type: ignore[misc]", False),
        ("# type: ignore[misc]  # the stub is wrong", True),
    ],
)
def test_a_reason_is_told_from_a_rule_code(comment: str, has_reason: bool) -> None:
    silenced = SILENCED.search(comment)

    assert silenced is not None
    assert bool(SILENCED_WITH_REASON.match(silenced["rest"])) is has_reason


def test_packages_open_with_a_docstring_and_hold_nothing_else() -> None:
    packages = list((ROOT / "monitor").rglob("__init__.py"))
    wrong = []
    for path in packages:
        tree = ast.parse(path.read_text("utf-8"))
        # The version lives at the top: the bundle and the build tool read it without importing anything.
        extra = [node for node in tree.body[1:] if not (path.parent.name == "monitor" and _is_constant(node))]
        if ast.get_docstring(tree) is None or extra:
            wrong.append(_name(path))

    assert packages
    assert wrong == []


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)


def test_every_module_says_what_it_is_for() -> None:
    sources = list(_sources(*CODE))
    silent = [_name(path) for path in sources if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None]

    assert sources
    assert silent == []


def test_the_command_line_does_not_load_qt() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import monitor.cli"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    imported = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if "|" in line}

    assert result.returncode == 0, result.stderr[-2000:]
    assert "monitor.cli" in imported
    assert {name for name in imported if name.split(".")[0] in ("PySide6", "shiboken6", "pyqtgraph")} == set()


def test_the_top_level_holds_only_what_belongs_there() -> None:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run([git, "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    if tracked.returncode:
        pytest.skip(f"git refuses to list this checkout: {tracked.stderr.strip()}")

    assert {name.split("/")[0] for name in tracked.stdout.splitlines()} == TOP_LEVEL
