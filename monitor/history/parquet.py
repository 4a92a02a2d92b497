"""Parquet files, where the optional library is installed."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from monitor.history.memory import Row
from monitor.history.tables import Kind, Table

ROWS_A_GROUP: Final = 50_000


class ParquetFile:
    """One table as one file. Decimals and times are text, as in the other formats. Thread: any one; blocks on disk."""

    def __init__(self, file: Path, table: Table) -> None:
        """Raises ``ImportError`` without the library and ``OSError`` when the file cannot be written."""
        import pyarrow as pa  # noqa: PLC0415 - optional, and large
        from pyarrow import parquet  # noqa: PLC0415 - optional, and large

        types = {Kind.TEXT: pa.string(), Kind.INTEGER: pa.int64(), Kind.REAL: pa.float64(), Kind.FLAG: pa.bool_()}
        self._make = pa.Table.from_arrays
        self._array = pa.array
        self._schema = pa.schema([(name, types[kind]) for name, kind in table.columns])
        self._writer = parquet.ParquetWriter(str(file), self._schema)

    def rows(self, _table: Table, rows: Iterator[Row]) -> None:
        """Write ``rows``, a group at a time."""
        while group := list(islice(rows, ROWS_A_GROUP)):
            columns = zip(*group, strict=True)
            arrays = [self._array(column, type=one.type) for column, one in zip(columns, self._schema, strict=True)]
            self._writer.write_table(self._make(arrays, schema=self._schema))

    def close(self) -> None:
        """End the file."""
        self._writer.close()
