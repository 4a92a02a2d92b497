"""The self-test's keyring probe: no keyring here is told as such; a real one is written, read and cleaned."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROBE = """
from monitor.desktop.keyring_probe import PROBE_SERVICE, PROBE_USER, probe_keyring
from monitor.domain.credentials import CredentialError
try:
    print("works:", probe_keyring())
    from monitor.desktop.keyring_backends import choose_backend
    print("left:", choose_backend().get_password(PROBE_SERVICE, PROBE_USER))
except CredentialError as error:
    print("problem:", error.problem.value)
"""
HAS_DAEMON = shutil.which("gnome-keyring-daemon") is not None and shutil.which("dbus-run-session") is not None


def _environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "XDG_", "GNOME_"))}
    kept.pop("DISPLAY", None)
    return {**kept, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(tmp_path), "HOME": str(tmp_path)}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a machine without a keyring exists on Linux only")
def test_without_a_secret_service_the_probe_says_absent(tmp_path: Path) -> None:
    environment = {**_environment(tmp_path), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/nobody"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.strip() == "problem: keyring_absent", done.stderr


@pytest.mark.keyring
@pytest.mark.skipif(not HAS_DAEMON, reason="gnome-keyring and dbus are not installed")
def test_a_real_unlocked_keyring_gives_back_what_was_stored_and_keeps_nothing(tmp_path: Path) -> None:
    script = (
        "printf testpw | gnome-keyring-daemon --unlock --components=secrets >/dev/null; "
        f'exec "{sys.executable}" -c "$PROBE"'
    )
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", script],
        env={**_environment(tmp_path), "PROBE": PROBE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.splitlines() == ["works: keyring.backends.SecretService.Keyring", "left: None"], done.stderr
