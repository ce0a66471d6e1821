"""What stands under `descriptors:` as columns, and a batch that has them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from exporter.batch import Batch, Kind, Schema
from exporter.descriptors._registry import (
    CONDITIONS,
    DESCRIPTORS,
    DescriptorKind,
    DescriptorSpec,
    unknown,
)
from exporter.descriptors.computing import compute, type_of
from exporter.errors import BatchError, Path, Problem, nearest

Entry = str | Mapping[str, Mapping[str, Any] | None]
KEEP = 256 << 20  # bytes of texts and descriptors that a batch keeps to read them once


@dataclass(frozen=True, slots=True)
class DescriptorColumn:
    """One column that descriptors add: what it is called, and what it is computed from."""

    name: str  # `comment.text_length`
    column: str  # the text
    spec: DescriptorSpec
    params: Mapping[str, Any]
    reads: Mapping[str, str]  # other columns: as the options name them, and what they are called

    @property
    def kind(self) -> DescriptorKind:
        """What it is to the model: a numerical or a categorical column."""
        return self.spec.kind


def descriptor_columns(
    asked: Mapping[str, Sequence[Entry]],
    kinds: Mapping[str, Kind | None] | None = None,
    at: Path = (),
) -> tuple[tuple[DescriptorColumn, ...], list[Problem]]:
    """The columns that `descriptors:` asks for, in order, and the mistakes in it, each with its path.

    *kinds*: the columns of the data, each with its kind, or None where that does not matter; None
    instead of a mapping = nobody knows them yet. *at* is where the mapping itself stands.
    """
    resolving = _Resolving(kinds, dict.fromkeys(kinds or ()))
    for column, entries in asked.items():
        resolving.text(column, entries, (*at, column))
    return tuple(resolving.found), resolving.problems


def source_columns(columns: Sequence[DescriptorColumn]) -> list[str]:
    """The columns of the data that descriptors are computed from, each once."""
    made = {column.name for column in columns}
    read = [name for column in columns for name in (column.column, *column.reads.values())]
    return [name for name in dict.fromkeys(read) if name not in made]


def described(schema: Schema, columns: Sequence[DescriptorColumn]) -> Schema:
    """The schema with the descriptors' columns, which are features like any other."""
    kinds = {column.name: column.kind for column in columns}
    if not columns:
        return schema
    return replace(
        schema,
        kinds={**schema.kinds, **kinds},
        features=(*schema.features, *kinds),
        described={column.name: column.column for column in columns},
    )


def computed(table: pa.Table, columns: Sequence[DescriptorColumn]) -> pa.Table:
    """The table with the descriptors' columns that can be computed; of a batch that is cut into parts."""
    if not columns:
        return table
    names = dict(zip(table.column_names, table.columns, strict=True))
    types = {name: column.type for name, column in names.items()}
    batch = with_descriptors(Batch(len(table), types, names.__getitem__), columns)
    for column in columns:
        with suppress(BatchError):  # whoever asks for the column is told why there is none
            table = table.append_column(column.name, batch.read(column.name))
    return table


@dataclass
class _Resolving:
    """Reads the entries one by one; each may read the columns of those before it."""

    kinds: Mapping[str, Kind | None] | None
    taken: dict[str, None]
    found: list[DescriptorColumn] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def text(self, column: str, entries: Any, at: Path) -> None:
        """All descriptors of one text."""
        kind = (self.kinds or {}).get(column)
        if self.kinds is not None and column not in self.kinds:
            self._tell(at, f"there is no column {column!r}" + nearest(column, self.kinds))
        elif kind in ("numerical", "datetime"):
            self._tell(at, f"{column!r} is {kind}: descriptors read texts")
        elif isinstance(entries, str | Mapping) or not isinstance(entries, Sequence):
            self._tell(at, "expected a list of descriptors, such as [text_length]")
        else:
            for i, entry in enumerate(entries):
                self._entry(column, entry, (*at, i))

    def _tell(self, at: Path, text: str) -> None:
        self.problems.append(Problem(at, text))

    def _entry(self, column: str, entry: Any, at: Path) -> None:
        if isinstance(entry, str):
            name, options = entry, dict[str, Any]()
        elif isinstance(entry, Mapping) and len(entry) == 1:
            name, options = next(iter(entry.items()))
            at = (*at, name)
        else:
            self._tell(at, "expected a descriptor, or one descriptor with its options")
            return
        options = {} if options is None else options
        if name not in DESCRIPTORS:
            self._tell(at, unknown(name))
        elif not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
            self._tell(at, "expected options, such as {name: asks_refund}")
        else:
            self._add(column, DESCRIPTORS[name], dict(options), at)

    def _add(self, column: str, spec: DescriptorSpec, options: dict[str, Any], at: Path) -> None:
        name = self._name(column, options.pop("name", spec.id), at)
        params = self._params(spec, options, at)
        if name is None or params is None:
            return
        reads = {given: self._other(column, given) for given in spec.reads(params)}
        for given, found in reads.items():
            if found is None:
                option = _option_of(spec, params, given)
                self._tell((*at, *option), self._no_column(column, given))
        self.taken[name] = None
        known = {given: found for given, found in reads.items() if found is not None}
        self.found.append(DescriptorColumn(name, column, spec, params, known))

    def _name(self, column: str, name: Any, at: Path) -> str | None:
        """The column's full name; None where it cannot be called so."""
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            self._tell((*at, "name"), "expected a name")
            return None
        full = f"{column}.{name}"
        if full not in self.taken:
            return full
        self._tell(at, f"there is a column {full!r} already: give this one another `name`")
        return None

    def _params(
        self, spec: DescriptorSpec, options: Mapping[str, Any], at: Path
    ) -> dict[str, Any] | None:
        """All options, defaults included; None where they are wrong."""
        from pydantic import ValidationError

        try:
            return spec.params(options)
        except ValidationError as error:
            for path, text in _said(error, spec):
                self._tell((*at, *path), text)
            return None

    def _other(self, column: str, given: str) -> str | None:
        """The column that is meant: a descriptor of the same text, or any; None where there is none."""
        beside = f"{column}.{given}"
        if beside in self.taken and beside not in (self.kinds or {}):
            return beside
        return given if self.kinds is None or given in self.taken else None

    def _no_column(self, column: str, given: str) -> str:
        start = f"{column}."
        own = [name.removeprefix(start) for name in self.taken if name.startswith(start)]
        return f"there is no column {given!r} before this" + nearest(given, [*own, *self.taken])


def _option_of(spec: DescriptorSpec, params: Mapping[str, Any], given: str) -> Path:
    """Where in the options a column is named."""
    if spec.rows:
        return (CONDITIONS, given)
    return next((name,) for name in spec.others if params[name] == given)


def _said(error: Any, spec: DescriptorSpec) -> Iterator[tuple[Path, str]]:
    """What pydantic found, in our words; of the branches of a union once."""
    known = [*spec.others, *spec.options, "name"]
    seen: set[Path] = set()
    for e in error.errors(include_url=False):
        path, text = tuple(e["loc"]), str(e["msg"]).removeprefix("Value error, ")
        option = path[-1] if path else ""
        if e["type"] == "extra_forbidden":
            text = f"{spec.id} has no option {option!r}" + nearest(option, known)
        elif e["type"] == "missing":
            path, text = path[:-1], f"{spec.id} needs {option!r}"
        elif path and path[0] == CONDITIONS and len(path) > 2:
            path, text = path[:2], "expected true, false, a value or operators with values"
            if path in seen:
                continue
        seen.add(path)
        yield path, text[:1].lower() + text[1:]


def with_descriptors(
    batch: Batch, columns: Sequence[DescriptorColumn], *, keep: int = KEEP
) -> Batch:
    """The batch with the descriptors' columns, each computed when it is read.

    Up to *keep* bytes of texts and of what was computed are kept, so that a text is read once for
    all its descriptors. A column that cannot be computed raises a BatchError when it is read. A
    BatchError at once where the data has a column of a descriptor's name.
    """
    for column in columns:
        if column.name in batch.types:
            text = f"the data has a column {column.name!r} itself: give the descriptor a `name`"
            raise BatchError(text)
    added = {column.name: type_of(column.spec) for column in columns}
    reading = _Reading(batch, {column.name: column for column in columns}, keep)
    return replace(batch, types={**batch.types, **added}, read=reading.read)


class _Reading:
    """Reads columns of a batch and computes descriptors, several threads at a time."""

    def __init__(self, batch: Batch, columns: Mapping[str, DescriptorColumn], keep: int) -> None:
        self._batch = batch
        self._columns = columns
        self._keep = keep
        self._shared = set(source_columns(list(columns.values()))) | columns.keys()
        self._kept: OrderedDict[str, pa.ChunkedArray] = OrderedDict()
        self._lock = threading.Lock()
        # One a column: two threads that want the same text read it once. A column waits only for
        # those that it is computed from, which stand before it: nothing waits in a circle.
        self._of_column = {name: threading.Lock() for name in self._shared}

    def read(self, name: str) -> pa.ChunkedArray:
        """A column of the data, or of a descriptor."""
        if name not in self._shared:
            return self._batch.read(name)
        with self._of_column[name]:
            kept = self._look_up(name)
            return self._remember(name, self._made(name)) if kept is None else kept

    def _made(self, name: str) -> pa.ChunkedArray:
        column = self._columns.get(name)
        if column is None:
            return self._batch.read(name)
        text = self._source(column.column)
        others = {given: self._source(found) for given, found in column.reads.items()}
        try:
            return compute(column.spec, column.params, text, others)
        except BatchError as error:
            raise BatchError(f"computed from {column.column!r}: {error}") from error

    def _source(self, name: str) -> pa.ChunkedArray:
        if name not in self._columns and name not in self._batch.types:
            raise BatchError(f"is computed from {name!r}: the batch has no such column")
        return self.read(name)

    def _look_up(self, name: str) -> pa.ChunkedArray | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _remember(self, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
        with self._lock:
            self._kept[name] = values
            while self._kept and sum(kept.nbytes for kept in self._kept.values()) > self._keep:
                self._kept.popitem(last=False)
        return values
