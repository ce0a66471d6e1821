"""csv and jsonl: bytes in, an Arrow table out; types are inferred from all rows, never from the first."""

from __future__ import annotations

import csv as python_csv
import gzip
import io
import json as python_json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, json

from exporter.errors import BatchError
from exporter.sources.buffers import null_where, texts
from exporter.sources.tables import checked_names, stacked, untyped

if TYPE_CHECKING:
    from exporter.sources.reading import Wanted

_LARGEST_BLOCK = 1 << 30
_SEPARATORS = ";\t|"


def unpacked(data: bytes, path: Path, read: Callable[[bytes], pa.Table]) -> pa.Table:
    """What *read* makes of the data, gunzipped or unzipped first where it is packed."""
    if data[:2] == b"\x1f\x8b":
        return read(gzip.decompress(data))
    if data[:4] != b"PK\x03\x04":
        return read(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith("__MACOSX")
        ]
        if not names:
            raise BatchError(f"{path}: there is no file in the archive")
        return stacked([read(archive.read(name)) for name in sorted(names)])


def read_csv(data: bytes, path: Path, wanted: Wanted) -> pa.Table:
    """The wanted columns of a csv file with a header; an empty field is a missing value.

    Categories stay the text they are (`007`), but `1.0` is `1` and `True` is `true` as everywhere.
    """
    separator, header = _header(data, path)
    names = checked_names(wanted.chosen(header), path)
    as_they_are = [n for n in names if n in wanted.as_text or n in wanted.labels]
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(block_size=_block(data)),
        parse_options=csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            include_columns=names,
            column_types=dict.fromkeys(as_they_are, pa.string()),
            strings_can_be_null=False,
        ),
    )
    for i, field in enumerate(table.schema):
        column = table.column(i)
        if pa.types.is_binary(field.type):
            raise BatchError(f"{path}: column {field.name!r} is not UTF-8: save the file as UTF-8")
        if not pa.types.is_string(field.type):
            continue
        column = _or_null(column)
        if field.name in wanted.labels:
            column = _canonical(column)
        if field.name not in wanted.plain:
            column = column.dictionary_encode()
            column = untyped(column) if field.name in wanted.labels else column
        table = table.set_column(i, field.name, column)
    return table


def read_jsonl(data: bytes, path: Path, wanted: Wanted) -> pa.Table:
    """The wanted columns of a file with one JSON object a line."""
    if not data.strip():
        raise BatchError(f"{path}: the file holds no rows: remove it, or write it again")
    # without this, "…T00:00:00+02:00" would be read as a time that has lost its zone
    zones = pa.schema([(name, pa.string()) for name in sorted(wanted.as_text & wanted.plain)])
    try:
        table = json.read_json(
            pa.BufferReader(data),
            read_options=json.ReadOptions(block_size=_block(data)),
            parse_options=json.ParseOptions(explicit_schema=zones),
        )
    except pa.ArrowInvalid:  # a column of numbers and text, or NaN: slower, but it reads them
        table = _from_objects(data, path)
    present = _own_names(table, zones)
    table = table.select(checked_names(wanted.chosen(present), path))
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name not in wanted.plain:
            table = table.set_column(i, field.name, table.column(i).dictionary_encode())
    return table


def _header(data: bytes, path: Path) -> tuple[str, list[str]]:
    """The separator and the column names of a csv file's first line."""
    end = data.find(b"\n")
    try:
        line = data[: end if end >= 0 else None].decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise BatchError(f"{path}: the header is not UTF-8: save the file as UTF-8") from error
    if not line.strip():
        raise BatchError(f"{path}: the first line is empty: it should name the columns")
    separator = ","
    if "," not in line:
        separator = max(_SEPARATORS, key=line.count)
        separator = separator if separator in line else ","
    return separator, next(python_csv.reader([line], delimiter=separator))


def _block(data: bytes) -> int:
    """All at once: what is a number in the first million bytes need not be one in the second."""
    return min(max(len(data), 1 << 16), _LARGEST_BLOCK)


def _or_null(column: pa.ChunkedArray) -> pa.ChunkedArray:
    empty = pc.is_in(column, value_set=texts([""]))
    if not pc.any(empty).as_py():
        return column
    return null_where(empty, column)


def _canonical(column: pa.ChunkedArray) -> pa.ChunkedArray:
    for pattern, text in (
        (r"^([+-]?\d+)\.0+$", r"\1"),
        (r"^(?:True|TRUE)$", "true"),
        (r"^(?:False|FALSE)$", "false"),
    ):
        if pc.any(pc.match_substring_regex(column, pattern)).as_py():
            column = pc.replace_substring_regex(column, pattern, text)
    return column


def _own_names(table: pa.Table, zones: pa.Schema) -> list[str]:
    """The columns that the file has: those that were only expected hold nothing."""
    return [
        name
        for name in table.column_names
        if name not in zones.names or table[name].null_count < len(table)
    ]


def _from_objects(data: bytes, path: Path) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = python_json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BatchError(f"{path}: line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise BatchError(f"{path}: line {number} is no JSON object: one object a line is read")
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return pa.table({name: _column([row.get(name) for row in rows]) for name in names})


def _column(values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError):
        return pa.array([_text(x) for x in values], pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else python_json.dumps(value)
