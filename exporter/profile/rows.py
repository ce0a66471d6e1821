"""The rows of a batch themselves, for figures that no profile of single columns can give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from exporter.batch import Batch, Kind, Schema
from exporter.errors import BatchError
from exporter.profile.arrays import Bools, Codes, Floats
from exporter.profile.table import HashRows

if TYPE_CHECKING:  # metrics name this module's class, and a config is checked without Arrow
    import pyarrow as pa

Made = TypeVar("Made")


@dataclass(frozen=True)
class Rows:
    """Columns side by side, each read when a metric asks for it, and kept while others may ask.

    A metric that reads rows cannot be merged from parts.
    """

    count: int
    schema: Schema
    types: Mapping[str, pa.DataType] = field(repr=False)
    read: Callable[[str], pa.ChunkedArray] = field(repr=False)
    columns: tuple[str, ...]  # that the metric was asked of
    _kept: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def of(self, columns: Sequence[str]) -> Rows:
        """The same rows, asked of these columns; what was read is shared."""
        return replace(self, columns=tuple(columns))

    def of_kind(self, kind: Kind) -> list[str]:
        """Those of the columns that are of a kind and are there."""
        return [c for c in self.columns if self.schema.kinds.get(c) == kind and c in self.types]

    def floats(self, name: str) -> Floats:
        """A column row by row, NaN where a value is missing; shape (count,)."""
        from exporter.profile.arrow import floats

        return self._once(name, "floats", floats)

    def codes(self, name: str) -> tuple[list[str], Codes]:
        """A column's labels and each row's index among them, their number where it is missing."""
        from exporter.profile.arrow import codes

        return self._once(name, "codes", codes)

    def arrow(self, name: str) -> pa.ChunkedArray:
        """A column as it lies in the batch; a BatchError that names it where it is not there."""
        if name not in self.types:
            raise BatchError(f"column {name!r}: the batch has no such column")
        return self.read(name)

    def hashes(self, name: str) -> HashRows:
        """What gives the hashes of some of a column's rows: equal for equal values and for missing ones."""
        from exporter.profile.build import hashes_of

        return self._made(name, lambda column: hashes_of(column, self.schema.kinds[name]))

    def absent(self, name: str) -> Bools:
        """Which rows miss a column's value; shape (count,)."""
        from exporter.profile.arrays import MISSING_HASH

        missing: Bools = self.hashes(name)(None, 0) == MISSING_HASH
        return missing

    def once(self, about: str, form: str, made: Callable[[], Made]) -> Made:
        """What *made* gives, computed once for all metrics that read these rows."""
        if (about, form) not in self._kept:
            self._kept[about, form] = made()
        kept: Made = self._kept[about, form]
        return kept

    def _once(self, name: str, form: str, made: Callable[[pa.ChunkedArray], Made]) -> Made:
        return self.once(name, form, lambda: self._made(name, made))

    def _made(self, name: str, made: Callable[[pa.ChunkedArray], Made]) -> Made:
        try:
            return made(self.arrow(name))
        except BatchError as error:
            text = str(error)
            raise BatchError(text if name in text else f"column {name!r}: {text}") from error


def rows_of(batch: Batch, schema: Schema) -> Rows:
    """The rows of a batch, asked of every declared column."""
    return Rows(batch.rows, schema, batch.types, batch.read, tuple(schema.kinds))
