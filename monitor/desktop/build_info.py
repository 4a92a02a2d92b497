"""Which commit a bundle was built from: written into it by the build."""

from monitor import APP_NAME, __version__
from monitor.desktop.paths import resource_path

COMMIT_RESOURCE = "commit.txt"


def commit() -> str | None:
    """Short commit id, with ``+`` when the checkout had been changed since; ``None`` outside a bundle. Reads a file."""
    try:
        return resource_path(COMMIT_RESOURCE).read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def version_line() -> str:
    """Name, version and, in a bundle, the commit: what ``--version`` prints."""
    built_from = commit()
    return f"{APP_NAME} {__version__}" + (f" ({built_from})" if built_from else "")
