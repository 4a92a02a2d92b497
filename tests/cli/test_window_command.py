"""The window's command line where there is no screen: the demo, the self-test, and what is said when it cannot be."""

import struct
from pathlib import Path

from tests.fakes.command_line import run_monitor
from tests.fakes.history_samples import WatchedBoard
from tests.fakes.incidents import save_incident


def _png_size(file: Path) -> tuple[int, int]:
    head = file.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_the_demo_without_a_display_says_so_and_leaves_a_picture_and_a_summary(tmp_path: Path) -> None:
    picture = tmp_path / "out" / "demo.png"
    done = run_monitor(["--demo", "--duration=6", f"--screenshot={picture}", "--size=1280x720"], home=tmp_path)

    assert done.code == 0, done.err
    assert "No display was found: running offscreen for 6 s." in done.err
    assert _png_size(picture) == (1280, 720)
    for word in ("Prices", "BTC-USDT-PERP", "Latency", "cold", "warm", "Connection reuse", "reused"):
        assert word in done.out
    assert "Traceback" not in done.err


def test_without_a_display_the_live_window_says_what_to_use_instead(tmp_path: Path) -> None:
    done = run_monitor([], home=tmp_path)

    assert done.code == 1
    assert "watch --headless" in done.err
    assert "Traceback" not in done.err


def test_the_self_test_names_every_check_and_passes(tmp_path: Path) -> None:
    done = run_monitor(["--self-test"], home=tmp_path)

    assert done.code == 0, done.out + done.err
    for check in ("resources", "folders", "window", "trust store", "TLS and prices", "TLS refusal", "price plot"):
        assert f"ok    {check}" in done.out
    assert "self-test passed" in done.out


def test_the_self_test_fails_when_the_users_folders_cannot_be_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    # A file where a folder must be: fails for root as well, whom permissions do not stop.
    (home / ".config").write_text("")
    done = run_monitor(["--self-test"], home=home, environment={"APPDATA": str(home / ".config")})

    assert done.code == 1
    assert "FAIL  folders" in done.out


def test_settings_that_are_wrong_do_not_stop_the_window(tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text('{"schema": "trading-monitor.settings/1", "theme": "pink", "colour": 1}')
    done = run_monitor(["--demo", "--duration=4", f"--settings={settings}"], home=tmp_path)

    assert done.code == 0, done.err


def test_a_saved_incident_is_shown_and_what_is_none_is_told(tmp_path: Path) -> None:
    watched = WatchedBoard()
    for price in range(30):
        watched.feed({"BTCUSDT": str(100 + price), "ETHUSDT": "10"})
    incident, picture = save_incident(watched, tmp_path), tmp_path / "past.png"
    run = ["--replay", str(incident), "--duration=2", f"--screenshot={picture}", "--size=1280x720"]
    done = run_monitor(run, home=tmp_path)

    assert done.code == 0, done.err
    assert _png_size(picture) == (1280, 720)
    assert "Traceback" not in done.err
    other = tmp_path / "notes.json"
    other.write_text("{}")
    done = run_monitor(
        ["--replay", str(other), "--duration=2"], home=tmp_path, environment={"QT_QPA_PLATFORM": "minimal"}
    )
    assert done.code == 1
    assert "notes.json is not of the form" in done.err
