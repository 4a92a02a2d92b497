"""Where things are on the user's machine: our own resources, and folders for settings, data, cache and logs.

The rules per platform are few and have not changed in years, so they are written out here, not taken from a library.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = "Trading Monitor"
_XDG_FOLDER = "trading-monitor"

PORTABLE_MARKER = "portable"
"""A file of this name beside the executable keeps everything in a folder beside it, on a memory stick for example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPaths:
    """The app's own folders; all exist and can be written to.

    ``problem`` says for the user why they are temporary ones, ``None`` when they are the real ones.
    """

    config_dir: Path
    data_dir: Path
    cache_dir: Path
    log_dir: Path
    is_portable: bool = False
    problem: str | None = None

    @property
    def settings_file(self) -> Path:
        """The settings file; it may not exist yet."""
        return self.config_dir / "settings.json"


def resource_path(name: str) -> Path:
    """Return the file ``resources/<name>``, in a source checkout and in a bundle alike; it is not checked to exist."""
    bundle = getattr(sys, "_MEIPASS", None)
    root = Path(bundle) if bundle is not None else Path(__file__).resolve().parents[2]
    return root / "resources" / name


def find_paths(
    *,
    platform: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
    home: Path | None = None,
    executable: Path | None = None,
) -> AppPaths:
    """Choose the folders and create them; a temporary folder where they cannot be written to. Blocks on the disk.

    ``home``: default the user's. ``executable``: that of a frozen app, ``None`` in a source checkout; default the
    running one.
    """
    if executable is None and getattr(sys, "frozen", False):
        executable = Path(sys.executable)
    portable = None if executable is None else _portable_folder(executable)
    try:
        wanted = (
            _below(portable, is_portable=True) if portable else _user_paths(platform, environment, home or Path.home())
        )
        for folder in (wanted.config_dir, wanted.data_dir, wanted.cache_dir, wanted.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
            # os.access() answers wrongly for Windows folders and read-only mounts; only writing tells.
            with tempfile.TemporaryFile(dir=folder):
                pass
    except (OSError, RuntimeError) as error:
        # RuntimeError: there is no home folder to be found.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        fallback = _below(Path(tempfile.mkdtemp(prefix=f"{_XDG_FOLDER}-")))
        for folder in (fallback.config_dir, fallback.data_dir, fallback.cache_dir, fallback.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
        return AppPaths(
            config_dir=fallback.config_dir,
            data_dir=fallback.data_dir,
            cache_dir=fallback.cache_dir,
            log_dir=fallback.log_dir,
            problem=f"Your folders cannot be written to ({reason}). Settings and logs of this run are temporary.",
        )
    return wanted


def _portable_folder(executable: Path) -> Path | None:
    folder = executable.parent
    if folder.name == "MacOS" and folder.parent.name == "Contents":
        # Beside Some.app, not inside it: a bundle's content is signed.
        folder = folder.parents[2]
    return folder / "portable-data" if (folder / PORTABLE_MARKER).is_file() else None


def _below(root: Path, *, is_portable: bool = False) -> AppPaths:
    return AppPaths(
        config_dir=root / "config",
        data_dir=root / "data",
        cache_dir=root / "cache",
        log_dir=root / "log",
        is_portable=is_portable,
    )


def _user_paths(platform: str, environment: Mapping[str, str], home: Path) -> AppPaths:
    if platform == "win32":
        local = _folder(environment.get("LOCALAPPDATA"), home / "AppData" / "Local") / _FOLDER
        roaming = _folder(environment.get("APPDATA"), home / "AppData" / "Roaming") / _FOLDER
        return AppPaths(config_dir=roaming, data_dir=local / "Data", cache_dir=local / "Cache", log_dir=local / "Logs")
    if platform == "darwin":
        library = home / "Library"
        support = library / "Application Support" / _FOLDER
        return AppPaths(
            config_dir=support,
            data_dir=support / "Data",
            cache_dir=library / "Caches" / _FOLDER,
            log_dir=library / "Logs" / _FOLDER,
        )
    return AppPaths(
        config_dir=_folder(environment.get("XDG_CONFIG_HOME"), home / ".config") / _XDG_FOLDER,
        data_dir=_folder(environment.get("XDG_DATA_HOME"), home / ".local" / "share") / _XDG_FOLDER,
        cache_dir=_folder(environment.get("XDG_CACHE_HOME"), home / ".cache") / _XDG_FOLDER,
        log_dir=_folder(environment.get("XDG_STATE_HOME"), home / ".local" / "state") / _XDG_FOLDER / "log",
    )


def _folder(value: str | None, default: Path) -> Path:
    """The XDG specification wants relative paths ignored; an empty variable counts as unset."""
    return Path(value) if value and Path(value).is_absolute() else default
