"""Numbers for the words that repeat in every row: looked up once, then remembered."""

import sqlite3
from collections.abc import Iterable

from monitor.history.memory import Memory


class Names:
    """Finds, or adds, the numbers of words within the transaction that is open. Raises ``sqlite3.Error``."""

    def __init__(self, connection: sqlite3.Connection, memory: Memory) -> None:
        self._connection = connection
        self._memory = memory

    def label(self, text: str | None) -> int | None:
        if text is None:
            return None
        number = self._memory.labels.get(text)
        if number is None:
            number = self._number_of("label", ("text",), (text,))
            self._memory.labels[text] = number
        return number

    def source(self, venue: str, dex: str, endpoint: str) -> int:
        place = (venue, dex, endpoint)
        number = self._memory.sources.get(place)
        if number is None:
            number = self._number_of("source", ("venue", "dex", "endpoint"), place)
            self._memory.sources[place] = number
        return number

    def instrument(self, venue: str, symbol: str, name: str | None) -> int:
        known = self._memory.instruments.get((venue, symbol))
        if known is not None and (name is None or name == known[1]):
            return known[0]
        number = self._number_of("instrument", ("venue", "symbol"), (venue, symbol))
        if name is not None:
            self._connection.execute("UPDATE instrument SET name = ? WHERE id = ?", (name, number))
        self._memory.instruments[(venue, symbol)] = (number, name)
        return number

    def _number_of(self, table: str, columns: Iterable[str], values: tuple[str, ...]) -> int:
        # Table and column names are the constants of the three callers above.
        names = ", ".join(columns)
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", values)
        where = f"SELECT id FROM {table} WHERE ({names}) = ({marks})"
        (number,) = self._connection.execute(where, values).fetchone()
        return int(number)
