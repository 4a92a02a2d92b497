"""What the history files are called, in the folder of the user's data."""


def history_name(*, is_demo: bool) -> str:
    """Simulated prices never mix with real ones: a file each."""
    return "history-demo.db" if is_demo else "history.db"
