"""Every other column: numerical, categorical, datetime, or left out with the reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.batch import Batch, Schema
from exporter.sources.inference import inferred
from exporter.sources.tables import as_text, is_text
from exporter.starter.facts import FEW, Facts
from exporter.starter.sampling import Sample

Listed = Literal["numerical", "categorical", "datetime"]
ENOUGH = 20  # values from which one that never changes means something
MOSTLY = 0.8  # numbers in a column of text, from which the rest is in their way
_IDS = frozenset(("id", "uuid", "guid", "key", "index", "idx", "unnamed"))
_CODES = frozenset(("zip", "zipcode", "postcode", "postal", "plz"))
_SENTINELS = tuple(sign * int("9" * digits) for digits in (3, 4, 5, 6) for sign in (-1, 1))
_MARKERS = (
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "NULL",
    "null",
    "None",
    "NaN",
    "nan",
    "?",
    "-",
    "missing",
)


@dataclass
class Kinds:
    """The columns that are watched, by list, and those that are not, with the reason."""

    numerical: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    datetime: list[str] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)

    @property
    def watched(self) -> list[str]:
        """All that are in a list."""
        return [*self.numerical, *self.categorical, *self.datetime]


def kinds_of(
    sample: Sample, facts: Mapping[str, Facts], taken: Collection[str], spare: Mapping[str, str]
) -> Kinds:
    """The kind of every column that is not taken: types first, then what would make no sense in drift."""
    out = Kinds(ignored=dict(spare))
    codes = _with_leading_zeros(sample, facts) | {
        name for name, column in facts.items() if column.is_whole and _CODES & set(column.words)
    }
    left = {name: c for name, c in facts.items() if name not in taken and name not in spare}
    for name, column in left.items():
        reason = _useless(column) if name not in codes else None
        kind = "categorical" if name in codes else _kind(column)
        if reason or kind is None:
            out.ignored[name] = reason or "no values that can be watched"
        else:
            getattr(out, kind).append(name)
    return out


def missing_values(facts: Mapping[str, Facts]) -> dict[str | int, list[str]]:
    """Values that look as if they meant "no value", and the columns that they were seen in."""
    found: dict[str | int, list[str]] = {}
    for name, column in facts.items():
        for value in (*_markers(column), *_sentinels(column)):
            found.setdefault(value, []).append(name)
    return found


def _kind(column: Facts) -> Listed | None:
    table = pa.table({column.name: column.values})
    batch = Batch(len(table), {column.name: column.values.type}, table.column)
    kind = inferred(batch, Schema({}, ()), (), "").kinds.get(column.name)
    return None if kind in ("text", None) else kind  # type: ignore[return-value]  # text is gone


def _useless(column: Facts) -> str | None:
    """Why a column's drift would tell nothing, or cannot be had."""
    kind = column.values.type
    if not column.present:
        return "no value at all"
    if column.family == "nested" or pa.types.is_binary(kind):
        return "lists or bytes: not one value a row"
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return "times of day or durations: numbers could be watched"
    if column.present >= ENOUGH and column.distinct == 1:
        return "one value only"
    is_many = column.distinct > (FEW if column.is_whole else column.present / 2)
    if _IDS & {*column.words[:1], *column.words[-1:]} and is_many and column.present > FEW:
        return "ids by their name: every batch has others"
    if column.is_whole and column.is_unique and _counts(column):
        return "the number of the row"
    return _useless_text(column) if column.family == "text" else None


def _useless_text(column: Facts) -> str | None:
    if column.distinct > FEW and column.numbers_in_text >= MOSTLY:
        return "numbers written as text, or with text among them"
    if column.present > 100 and column.distinct > column.present / 2:
        return "texts, most of them different: `text: […]` takes them, and the preset text looks at them"
    return None


def _counts(column: Facts) -> bool:
    numbers = column.numbers
    return len(numbers) > ENOUGH and bool((np.abs(np.diff(numbers)) == 1).mean() > 0.9)


def _with_leading_zeros(sample: Sample, facts: Mapping[str, Facts]) -> set[str]:
    """Columns of csv whose numbers are codes: `007` is not seven."""
    whole = [name for name, column in facts.items() if pa.types.is_integer(column.values.type)]
    if not whole or not any(piece.texts for piece in sample.pieces):
        return set()
    table = sample.as_text(*whole)
    return {
        name for name in whole
        if is_text(table[name].type)
        and pc.any(pc.match_substring_regex(as_text(table[name]), r"^0\d")).as_py()
    }  # fmt: skip


def _markers(column: Facts) -> list[str | int]:
    if column.family != "text" or not column.present:
        return []
    values = set(pc.unique(as_text(column.values)).to_pylist())
    return [marker for marker in _MARKERS if marker in values]


def _sentinels(column: Facts) -> list[str | int]:
    """-999 and the like: at the edge, more than once, and far from all else."""
    if column.family != "number" or not len(column.numbers):
        return []
    out: list[str | int] = []
    for sentinel in _SENTINELS:
        hits = column.numbers == sentinel
        rest = column.numbers[~hits]
        if hits.sum() > 1 and len(rest) and np.abs(rest).max() < abs(sentinel) / 3:
            out.append(sentinel)
    return out
