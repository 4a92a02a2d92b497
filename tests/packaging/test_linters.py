"""The workflows and shell scripts of packaging/ pass the programs made for reading them."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
WORKFLOWS = sorted((ROOT / "packaging" / "ci" / "github").glob("*.yml"))
SHELL_SCRIPTS = [ROOT / "packaging" / "linux" / name for name in ("install.sh", "postrm")]

# The lock installs them on this system only; there they must be.
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="actionlint and shellcheck: Linux on x86-64 only"
)


def _lint(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SCRIPTS / program), *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_workflow_passes_actionlint(workflow: Path) -> None:
    result = _lint("actionlint", "-no-color", f"-shellcheck={SCRIPTS / 'shellcheck'}", workflow)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda file: file.name)
def test_shell_script_passes_shellcheck(script: Path) -> None:
    result = _lint("shellcheck", script)

    assert (result.returncode, result.stdout + result.stderr) == (0, "")


def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    """It reads the shell inside the workflows too, with the shellcheck it was given."""
    bad = tmp_path / "bad.yml"
    text = WORKFLOWS[0].read_text("utf-8")
    bad.write_text(text.replace("run: python packaging/dev.py test", "run: echo $HOME/${{ matrix.nothing }}"))

    result = _lint("actionlint", "-no-color", f"-shellcheck={SCRIPTS / 'shellcheck'}", bad)

    assert result.returncode == 1
    assert "nothing" in result.stdout
    assert "SC2086" in result.stdout
