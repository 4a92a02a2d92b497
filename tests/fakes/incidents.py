"""An incident file of a board that was fed by hand."""

from datetime import timedelta
from pathlib import Path

from monitor.history.incident import IncidentWish, write_incident
from monitor.history.schema import open_for_writing
from monitor.history.writer import HistoryWriter
from tests.fakes.history_samples import WatchedBoard


def save_incident(
    watched: WatchedBoard, folder: Path, *, seconds: float = 3_600.0, is_demo: bool | None = None
) -> Path:
    """Record what ``watched`` showed and save its last ``seconds``; returns the file."""
    history = folder / "history.db"
    connection = open_for_writing(history)
    HistoryWriter(connection, version="test").write(watched.entries)
    connection.close()
    now = watched.clock.utc_now()
    wish = IncidentWish(start=now - timedelta(seconds=seconds), end=now, versions={"app": "1.2.3"}, is_demo=is_demo)
    problems = write_incident(history, folder / "incident.zip", wish)
    if problems:
        raise RuntimeError(problems)
    return folder / "incident.zip"
