"""What the build writes into a bundle: the commit it was built from, and the licences of the libraries in it."""

from monitor import APP_NAME, __version__
from monitor.desktop.paths import resource_path

COMMIT_RESOURCE = "commit.txt"
NOTICES_RESOURCE = "third-party-notices.txt"


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


def licence_notices() -> str:
    """Licences of everything the bundle contains, as plain text; empty outside a bundle. Reads a local file."""
    try:
        return resource_path(NOTICES_RESOURCE).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
