"""A whole table as CSV, JSON Lines or Parquet, written while it is read."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

from django.db.models import Model, QuerySet

from ingestion.selectors.tables import columns_of, kind_of, record_row

AT_A_TIME = 2000  # rows that are in memory, and in a row group of Parquet
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes such a cell for a formula


class NoParquet(Exception):
    """The library that writes Parquet is not installed."""

    code = "invalid_arguments"
    message = "This server writes no Parquet. Whoever runs it can install pyarrow."
    fields = {"format": message}


def csv_lines(model: type[Model], rows: QuerySet[Any]) -> Iterator[bytes]:
    """CSV with a heading; no cell is taken for a formula."""
    names = [field.attname for field in columns_of(model)]
    cells = ([_cell(value) for value in record_row(row).values()] for row in _read(rows))
    for group in _groups(chain([names], cells)):
        out = io.StringIO()
        csv.writer(out).writerows(group)
        yield out.getvalue().encode()


def json_lines(model: type[Model], rows: QuerySet[Any]) -> Iterator[bytes]:
    """One JSON object on each line, as records.list gives them."""
    for group in _groups(_read(rows)):
        lines = (json.dumps(record_row(row), ensure_ascii=False) for row in group)
        yield "".join(f"{line}\n" for line in lines).encode()


def parquet(model: type[Model], rows: QuerySet[Any]) -> Iterator[bytes]:
    """Parquet with typed columns; nested values are JSON text. Raises NoParquet."""
    try:
        import pyarrow
        from pyarrow import parquet as writer_of
    except ImportError:
        raise NoParquet from None
    return _parquet(pyarrow, writer_of.ParquetWriter, model, rows)


WRITERS: dict[str, Callable[[type[Model], QuerySet[Any]], Iterator[bytes]]] = {
    "csv": csv_lines,
    "jsonl": json_lines,
    "parquet": parquet,
}


def _parquet(
    pyarrow: Any, writer_of: Any, model: type[Model], rows: QuerySet[Any]
) -> Iterator[bytes]:
    fields = columns_of(model)
    kinds = {
        "integer": pyarrow.int64(),
        "boolean": pyarrow.bool_(),
        "moment": pyarrow.timestamp("us", tz="UTC"),
        "json": pyarrow.string(),
        "text": pyarrow.string(),
    }
    schema = pyarrow.schema([(field.attname, kinds[kind_of(field)]) for field in fields])
    sink = _Sink()
    with writer_of(sink, schema) as writer:
        for group in _groups(_read(rows)):
            values = [[_typed(field, row) for row in group] for field in fields]
            writer.write_batch(pyarrow.record_batch(values, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _read(rows: QuerySet[Any]) -> Iterable[Any]:
    return rows.iterator(chunk_size=AT_A_TIME)


def _groups(rows: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    source = iter(rows)
    while group := tuple(islice(source, AT_A_TIME)):
        yield group


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def _typed(field: Any, row: Model) -> Any:
    value = getattr(row, field.attname)
    if kind_of(field) == "json" and value is not None:
        return json.dumps(value, ensure_ascii=False)
    return value


class _Sink(io.RawIOBase):
    """Takes bytes, and gives them on in pieces."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
