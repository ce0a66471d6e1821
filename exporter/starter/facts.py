"""What a sample shows of each column: the ground on which names are guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.profile.arrays import Floats
from exporter.profile.arrow import codes, family, numbers
from exporter.sources.tables import as_text, is_text

FEW = 10  # distinct values up to which whole numbers are categories
LABELS = 20  # distinct values up to which they are looked at one by one
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_NUMBER = r"^\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*$"


@dataclass(frozen=True)
class Facts:
    """One column of a sample."""

    name: str
    values: pa.ChunkedArray

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name: `predictedDelay` and `predicted_delay` have the same two."""
        return tuple(word.lower() for word in _WORD.findall(self.name))

    @cached_property
    def family(self) -> str:
        """`number`, `text`, `boolean`, `time`, `nested` or `null`."""
        return family(self.values.type) if self.present else "null"

    @cached_property
    def present(self) -> int:
        """How many values are there; NaN is none."""
        there: int = len(self.values) - self.values.null_count
        if pa.types.is_floating(self.values.type):
            there -= int(pc.sum(pc.is_nan(self.values)).as_py() or 0)
        return there

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        if family(self.values.type) in ("nested", "null"):
            return 0
        count = int(pc.count_distinct(self._plain).as_py())
        nan = pa.types.is_floating(self.values.type) and pc.any(pc.is_nan(self.values)).as_py()
        return count - bool(nan)

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value, and no two the same."""
        return 0 < self.distinct == len(self.values)

    @cached_property
    def numbers(self) -> Floats:
        """The finite numbers of a column of numbers."""
        there = numbers(self.values).present()
        return there[np.isfinite(there)]

    @cached_property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers, be they written as floats."""
        return self.family == "number" and bool((self.numbers == np.floor(self.numbers)).all())

    @cached_property
    def is_share(self) -> bool:
        """Whether all its numbers lie between 0 and 1, and not only there."""
        if self.family != "number" or not len(self.numbers):
            return False
        low, high = self.numbers.min(), self.numbers.max()
        return bool(low >= 0 and high <= 1 and not self.is_whole)

    @property
    def is_class(self) -> bool:
        """Whether it can name classes: text, true and false, or few whole numbers."""
        if self.family == "number":
            return self.is_whole and self.distinct <= FEW
        return self.family == "boolean" or (self.family == "text" and self.distinct <= LABELS)

    @property
    def is_continuous(self) -> bool:
        """Whether it holds numbers of which there are many."""
        return self.family == "number" and not self.is_class

    @cached_property
    def labels(self) -> Sequence[str]:
        """Its few values as canonical text, in order; of many none."""
        if self.distinct > LABELS or self.family in ("nested", "null", "time"):
            return []
        return sorted(codes(pa.chunked_array([pc.unique(self._plain).drop_null()]))[0])

    @cached_property
    def numbers_in_text(self) -> float:
        """Which share of a text column's values reads as a number."""
        if self.family != "text":
            return 0.0
        hits = pc.match_substring_regex(as_text(self.values), _NUMBER)
        return int(pc.sum(hits).as_py() or 0) / self.present

    @property
    def example(self) -> str:
        """One of its values, short."""
        value = self._plain.drop_null()[0].as_py()
        return repr(value if not isinstance(value, str) or len(value) < 30 else value[:27] + "…")

    @cached_property
    def _plain(self) -> pa.ChunkedArray:
        if is_text(self.values.type):
            return as_text(self.values)
        if pa.types.is_dictionary(self.values.type):
            return self.values.cast(self.values.type.value_type)
        return self.values


def facts_of(table: pa.Table) -> dict[str, Facts]:
    """The facts of every column, by name."""
    return {name: Facts(name, table[name]) for name in table.column_names}
