"""Targets that come in files of their own, joined to the rows by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.errors import BatchError, nearest
from exporter.profile.arrays import Bools, Hashes, Ints
from exporter.sources.buffers import absent, arrow, mask
from exporter.sources.checksums import scrambled, value_hashes
from exporter.sources.listing import DataFile
from exporter.sources.reading import Wanted, read_file
from exporter.sources.tables import as_text, as_type, common_type, is_text, stacked, without


@dataclass(frozen=True)
class Labels:
    """All labels of a model in the order of their files; of an id that comes twice the last one stands.

    Ids are compared by 64-bit hashes of their values: a wrong match is a matter of one in 10^6 at
    ten million labels and as many rows.
    """

    key: str  # the name of the id column
    ids: pa.ChunkedArray
    values: pa.ChunkedArray
    is_loose: bool  # ids read from csv, where text and numbers look alike

    @property
    def duplicates(self) -> int:
        """How many labels a later one of the same id replaces."""
        return len(self.ids) - len(self._by_hash[0])

    def places(self, ids: pa.ChunkedArray, *, is_loose: bool, where: str) -> Ints:
        """For each id the place of its label, -1 where it has none.

        `is_loose`: the ids were read from csv. Raises BatchError where the types cannot be compared.
        """
        (hashes, order), wanted = self._by_hash, ids
        if _is_number(self.ids.type) != _is_number(ids.type) and ids.null_count < len(ids):
            if is_loose and _is_number(self.ids.type):
                wanted = self._numbers(ids, ids.type, where)
            elif self.is_loose and _is_number(ids.type):
                hashes, order = _sorted(value_hashes(self._numbers(self.ids, ids.type, where)))
            else:
                raise BatchError(self._mismatch(ids.type, where))
        if not len(hashes):
            return np.full(len(ids), -1)
        sought = value_hashes(wanted)
        near = np.minimum(np.searchsorted(hashes, sought), len(hashes) - 1)
        return np.where((hashes[near] == sought) & (sought != 0), order[near], -1)

    def targets(self, places: Ints, own: pa.ChunkedArray | None) -> pa.ChunkedArray:
        """The label of each row, or the target that the row already had."""
        taken = self.values.take(arrow(places, null=places < 0))
        if own is None:
            return taken
        kind = common_type([taken.type, own.type])
        taken, own = as_type(taken, kind), as_type(own, kind)
        if pa.types.is_dictionary(kind):
            return pc.coalesce(as_text(taken), as_text(own)).dictionary_encode()
        return pc.coalesce(taken, own)

    def _numbers(self, texts: pa.ChunkedArray, kind: pa.DataType, where: str) -> pa.ChunkedArray:
        try:
            return as_text(texts).cast(pa.int64())
        except pa.ArrowInvalid as error:
            raise BatchError(self._mismatch(kind, where)) from error

    def _mismatch(self, kind: pa.DataType, where: str) -> str:
        return (
            f"{where}: labels cannot be joined: {self.key!r} is {_said(kind)} in the data and "
            f"{_said(self.ids.type)} in the labels: write both as text, or both as whole numbers"
        )

    @cached_property
    def _by_hash(self) -> tuple[Hashes, Ints]:
        return _sorted(value_hashes(self.ids))


def load_labels(
    files: Sequence[DataFile],
    key: str,
    target: str,
    *,
    is_category: bool,
    missing_values: Sequence[str | float] = (),
) -> Labels:
    """The labels of these files; rows without an id or a target are none.

    Raises BatchError for a file that cannot be read or lacks one of the two columns.
    """
    wanted = Wanted(
        frozenset((key, target)),
        as_text=frozenset((key,)),
        labels=frozenset((target,) if is_category else ()),
        plain=frozenset((key,)),
    )
    tables = []
    for file in files:
        table = read_file(file, wanted)
        for name in (key, target):
            if name not in table.column_names:
                others = read_file(file).column_names
                raise BatchError(
                    f"{file.path}: labels need the columns {key!r} and {target!r}; there is no {name!r}"
                    + nearest(name, others)
                )
        tables.append(without(table.select([key, target]), missing_values))
    whole = _one_type(tables, files, key)
    known: Bools = ~(absent(whole[key]) | absent(whole[target]))
    whole = whole if known.all() else whole.filter(mask(known))
    loose = all(file.format == "csv" for file in files)
    return Labels(key, whole[key], whole[target], loose)


def label_hashes(ids: pa.ChunkedArray, targets: pa.ChunkedArray) -> Hashes:
    """One hash a row of its id and target; 0 where it has no target."""
    values = value_hashes(targets)
    hashes: Hashes = scrambled(scrambled(values) + value_hashes(ids)) * (values != 0)
    return hashes


def _one_type(tables: Sequence[pa.Table], files: Sequence[DataFile], key: str) -> pa.Table:
    """All rows; ids of csv files are numbers where other files hold numbers."""
    numbers = any(_is_number(t[key].type) for t in tables)
    same = []
    for table, file in zip(tables, files, strict=True):
        if numbers and file.format == "csv":
            try:
                ids = as_text(table[key]).cast(pa.int64())
            except pa.ArrowInvalid as error:
                raise BatchError(
                    f"{file.path}: {key!r} holds text where other label files hold numbers"
                ) from error
            table = table.set_column(table.column_names.index(key), key, ids)  # noqa: PLW2901
        elif numbers and is_text(table[key].type):
            raise BatchError(
                f"{file.path}: {key!r} holds text where other label files hold numbers"
            )
        same.append(table)
    return stacked(same)


def _sorted(hashes: Hashes) -> tuple[Hashes, Ints]:
    """The distinct hashes, and where each comes last."""
    unique, last = np.unique(hashes[::-1], return_index=True)
    return unique, len(hashes) - 1 - last


def _is_number(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _said(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return "text" if is_text(kind) else str(kind)
