import sys
from pathlib import Path

import pytest

from monitor.desktop.paths import PORTABLE_MARKER, find_paths, resource_path


def test_linux_follows_the_xdg_folders(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": "relative/ignored", "XDG_CACHE_HOME": ""}
    paths = find_paths(platform="linux", environment=environment, home=tmp_path / "home")

    assert paths.config_dir == tmp_path / "c" / "trading-monitor"
    assert paths.data_dir == tmp_path / "home" / ".local" / "share" / "trading-monitor"
    assert paths.cache_dir == tmp_path / "home" / ".cache" / "trading-monitor"
    assert paths.log_dir == tmp_path / "home" / ".local" / "state" / "trading-monitor" / "log"
    assert paths.settings_file == paths.config_dir / "settings.json"
    assert paths.problem is None
    assert paths.log_dir.is_dir()


def test_macos_uses_the_library_folder(tmp_path: Path) -> None:
    paths = find_paths(platform="darwin", environment={"XDG_CONFIG_HOME": str(tmp_path / "c")}, home=tmp_path)

    assert paths.config_dir == tmp_path / "Library" / "Application Support" / "Trading Monitor"
    assert paths.cache_dir == tmp_path / "Library" / "Caches" / "Trading Monitor"
    assert paths.log_dir == tmp_path / "Library" / "Logs" / "Trading Monitor"


def test_windows_keeps_settings_roaming_and_the_rest_local(tmp_path: Path) -> None:
    environment = {"APPDATA": str(tmp_path / "r"), "LOCALAPPDATA": str(tmp_path / "l")}
    paths = find_paths(platform="win32", environment=environment, home=tmp_path)

    assert paths.config_dir == tmp_path / "r" / "Trading Monitor"
    assert paths.data_dir == tmp_path / "l" / "Trading Monitor" / "Data"
    assert paths.log_dir == tmp_path / "l" / "Trading Monitor" / "Logs"


def test_windows_without_its_variables_uses_their_defaults(tmp_path: Path) -> None:
    paths = find_paths(platform="win32", environment={}, home=tmp_path)

    assert paths.config_dir == tmp_path / "AppData" / "Roaming" / "Trading Monitor"
    assert paths.cache_dir == tmp_path / "AppData" / "Local" / "Trading Monitor" / "Cache"


def test_a_portable_app_keeps_everything_beside_itself(tmp_path: Path) -> None:
    (tmp_path / PORTABLE_MARKER).touch()
    paths = find_paths(platform="linux", environment={}, home=tmp_path / "home", executable=tmp_path / "app")

    assert paths.is_portable
    assert paths.config_dir == tmp_path / "portable-data" / "config"
    assert not (tmp_path / "home").exists()


def test_a_portable_mac_app_keeps_its_bundle_unchanged(tmp_path: Path) -> None:
    (tmp_path / PORTABLE_MARKER).touch()
    executable = tmp_path / "Monitor.app" / "Contents" / "MacOS" / "monitor"
    paths = find_paths(platform="darwin", environment={}, home=tmp_path / "home", executable=executable)

    assert paths.data_dir == tmp_path / "portable-data" / "data"


def test_a_frozen_app_without_the_marker_is_not_portable(tmp_path: Path) -> None:
    paths = find_paths(platform="linux", environment={}, home=tmp_path / "home", executable=tmp_path / "app")

    assert not paths.is_portable


def test_folders_that_cannot_be_made_are_replaced_by_temporary_ones_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file where the home should be fails for root too, unlike a mode.
    home = tmp_path / "home"
    home.write_text("not a folder")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    paths = find_paths(platform="linux", environment={}, home=home)

    assert paths.problem is not None
    assert "temporary" in paths.problem
    assert str(tmp_path) not in paths.problem
    for folder in (paths.config_dir, paths.data_dir, paths.cache_dir, paths.log_dir):
        assert folder.is_dir()
        assert folder.is_relative_to(tmp_path)


def test_resources_are_found_in_the_checkout_and_in_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resource_path("icons").is_dir()

    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resource_path("style.qss") == tmp_path / "resources" / "style.qss"
