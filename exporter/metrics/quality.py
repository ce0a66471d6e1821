"""Is the batch well formed? Rows, missing values, repeats, categories."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.batch import KINDS
from exporter.metrics._registry import NEAR_10, NONE_AT_ALL, Automatic, Bound, metric
from exporter.metrics.values import Listed, label_of
from exporter.profile.column import (
    CategoryProfile,
    ColumnProfile,
    NumericProfile,
    OpaqueProfile,
    TimeProfile,
)
from exporter.profile.table import TableProfile, beyond, empty_texts, gaps, kind_of

Kinds = list[bool | int | float | str | None]
Repeating = NumericProfile | CategoryProfile | TimeProfile  # of text, who repeats says little


def _missing(column: ColumnProfile) -> int:
    """Nulls, empty texts and infinities: what Evidently's tests of missing values count."""
    return column.missing + beyond(column)


def _infinities(column: ColumnProfile) -> tuple[int, int]:
    """Negative and positive ones, which are ordinary values to Evidently."""
    if not isinstance(column, NumericProfile):
        return 0, 0
    return column.negative_infinite, column.infinite - column.negative_infinite


def _missing_cells(table: TableProfile) -> int:
    return sum(table.missing.values()) + sum(table.beyond.values())


def _columns_with_missing(table: TableProfile) -> int:
    return sum(count + table.beyond.get(name, 0) > 0 for name, count in table.missing.items())


def _with_missing(table: TableProfile) -> list[str]:
    return [name for name, count in table.missing.items() if count]


def _empty(table: TableProfile) -> list[str]:
    return [name for name, count in table.missing.items() if count == table.rows]


def _pairs(table: TableProfile) -> list[str]:
    return [f"{a} = {b}" for a, b in table.equal]


def _mismatched(table: TableProfile, reference: TableProfile) -> list[str]:
    return [
        name
        for name, kind in reference.types.items()
        if kind != "null" and table.types.get(name, "gone") not in (kind, "null")
    ]


@metric(
    per="dataset",
    unit="rows",
    automatic=Automatic(NEAR_10, Bound("gt", 30), Bound("gt", 0)),
    gauge="rows",
    survives=True,
)
def row_count(table: TableProfile) -> float:
    """Rows in the batch."""
    return table.rows


@metric(
    per="dataset",
    unit="columns",
    automatic=Automatic(Bound("eq"), Bound("gt", 0)),
    gauge="columns",
    labels="type",
    survives=True,
)
def column_count(table: TableProfile) -> dict[str, float]:
    """Declared columns that are there, in all and by type."""
    kinds = [kind for name, kind in table.kinds.items() if name in table.types]
    by_type = {kind: float(kinds.count(kind)) for kind in KINDS}
    return {"": float(len(kinds))} | by_type


@metric(
    per="dataset",
    unit="values",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1, scaled=True), NONE_AT_ALL),
    evidently=_missing_cells,
)
def missing_cells(table: TableProfile) -> float:
    """Missing values in the whole batch."""
    return sum(table.missing.values())


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1), NONE_AT_ALL),
    evidently=lambda table: _ratio(_missing_cells(table), table.rows * len(table.missing)),
)
def missing_cells_ratio(table: TableProfile) -> float:
    """Share of all values that are missing."""
    return _ratio(sum(table.missing.values()), table.rows * len(table.missing))


@metric(
    per="dataset",
    unit="rows",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1, scaled=True), NONE_AT_ALL),
    evidently=lambda table: table.rows_with_gaps,
)
def rows_with_missing(table: TableProfile) -> float:
    """Rows that miss at least one value."""
    return table.rows_with_missing


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1), NONE_AT_ALL),
    evidently=lambda table: _ratio(table.rows_with_gaps, table.rows),
)
def rows_with_missing_ratio(table: TableProfile) -> float:
    """Share of the rows that miss at least one value."""
    return _ratio(table.rows_with_missing, table.rows)


@metric(
    per="dataset",
    unit="rows",
    better="lower",
    automatic=Automatic(Bound("eq", relative=0.1, scaled=True), NONE_AT_ALL),
)
def empty_rows(table: TableProfile) -> float:
    """Rows in which every value is missing."""
    return table.empty_rows


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte"), NONE_AT_ALL),
    names=_empty,
)
def empty_columns(table: TableProfile) -> float:
    """Columns in which every value is missing."""
    return len(_empty(table))


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte"), NONE_AT_ALL),
    names=lambda table: table.constant,
)
def constant_columns(table: TableProfile) -> float:
    """Columns with at most one value."""
    return len(table.constant)


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte"), NONE_AT_ALL),
    names=lambda table: table.almost_constant,
)
def almost_constant_columns(table: TableProfile) -> float:
    """Columns in which one value fills 95 % of the rows."""
    return len(table.almost_constant)


@metric(
    per="dataset",
    unit="rows",
    better="lower",
    automatic=Automatic(Bound("eq", relative=0.1, scaled=True), NONE_AT_ALL),
)
def duplicated_rows(table: TableProfile) -> float:
    """Rows that repeat an earlier row."""
    return table.duplicated_rows


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte"), NONE_AT_ALL),
    names=_pairs,
)
def duplicated_columns(table: TableProfile) -> float:
    """Pairs of columns that are equal."""
    return table.duplicated_columns


@metric(per="dataset", unit="columns", better="lower")
def almost_duplicated_columns(table: TableProfile) -> float:
    """Pairs of columns that are equal in 95 % of the rows."""
    return table.almost_duplicated_columns


@metric(
    per="column",
    unit="rows",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1, scaled=True), NONE_AT_ALL),
    gauge="missing_values",
    evidently=_missing,
)
def missing_count(column: ColumnProfile) -> float:
    """Missing values."""
    return column.missing


@metric(
    per="column",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1), NONE_AT_ALL),
    evidently=lambda column: _ratio(_missing(column), column.rows),
)
def missing_ratio(column: ColumnProfile) -> float:
    """Share of missing values."""
    return _ratio(column.missing, column.rows)


@metric(per="column", unit="rows", better="lower", gauge="infinite_values")
def infinite_count(column: NumericProfile) -> float:
    """Infinite values."""
    return column.infinite


@metric(per="column", unit="ratio", better="lower")
def infinite_ratio(column: NumericProfile) -> float:
    """Share of rows that hold an infinite value."""
    return _ratio(column.infinite, column.rows)


@metric(
    per="column",
    unit="value",
    automatic=Automatic(NEAR_10, Bound("gt", 1), Bound("lte", relative=0.1)),
    gauge="unique_values",
    evidently=lambda column: column.distinct + sum(map(bool, _infinities(column))),
)
def unique_count(column: Repeating) -> float:
    """Distinct values."""
    return column.distinct


@metric(
    per="column",
    unit="ratio",
    automatic=Automatic(NEAR_10, Bound("lt", 0.8), Bound("lte", relative=0.1)),
    evidently=lambda column: _ratio(max(column.top, *_infinities(column)), column.rows),
)
def most_common_ratio(column: Repeating) -> float:
    """Share of rows that hold the most common value."""
    return _ratio(column.top, column.rows)


@metric(
    per="column",
    unit="ratio",
    automatic=Automatic(NEAR_10),
    evidently=lambda column: _ratio(
        column.distinct + sum(map(bool, _infinities(column))),
        column.count + sum(_infinities(column)),
    ),
)
def unique_ratio(column: Repeating) -> float:
    """Distinct values as a share of the values that are there."""
    return _ratio(column.distinct, column.count)


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte"), NONE_AT_ALL),
    evidently=_columns_with_missing,
    names=_with_missing,
)
def columns_with_missing(table: TableProfile) -> float:
    """Columns that miss at least one value."""
    return len(_with_missing(table))


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte"), NONE_AT_ALL),
    evidently=lambda table: _ratio(_columns_with_missing(table), len(table.missing)),
    names=_with_missing,
)
def columns_with_missing_ratio(table: TableProfile) -> float:
    """Share of the columns that miss at least one value."""
    return _ratio(columns_with_missing(table), len(table.missing))


@metric(
    per="dataset",
    unit="value",
    better="lower",
    automatic=Automatic(Bound("eq"), NONE_AT_ALL),
)
def missing_cell_kinds(table: TableProfile) -> float:
    """Kinds of missing values in the whole batch: null, empty text, both infinities, each of `missing_values`."""
    return len(table.gaps)


@metric(per="dataset", unit="values", better="lower", labels="kind")
def missing_cells_by_kind(table: TableProfile, *, kinds: Kinds | None = None) -> dict[str, float]:
    """Missing values of each kind in the whole batch, or of those that are asked for and all of these together."""
    return _by_kind(
        dict.fromkeys(("null", kind_of(""), "inf", "-inf"), 0) | dict(table.gaps), kinds
    )


@metric(per="column", unit="value", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL))
def missing_kinds(column: ColumnProfile, *, values: Listed | None = None) -> float:
    """Kinds of missing values: null and, unless `values` names others, empty text, infinities, `missing_values`."""
    return sum(map(bool, gaps(column).values())) if values is None else _kinds(column, values)


@metric(per="column", unit="rows", better="lower", gauge="missing_values_by_kind", labels="kind")
def missing_count_by_kind(column: ColumnProfile, *, kinds: Kinds | None = None) -> dict[str, float]:
    """Missing values of each kind, or of those that are asked for and all of these together.

    Kinds are `null`, empty text (`""`), `inf`, `-inf` and each of the model's `missing_values`.
    """
    return _by_kind(gaps(column), kinds)


@metric(per="column", unit="rows", better="lower", gauge="empty_texts")
def empty_text_count(column: CategoryProfile | OpaqueProfile) -> float:
    """Values that are texts without a character."""
    return empty_texts(column)


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("eq", 0.0)),
    survives=True,
    names=_mismatched,
)
def type_mismatches(table: TableProfile, reference: TableProfile) -> float:
    """Columns whose type is of another family than in the reference; gone columns count."""
    return len(_mismatched(table, reference))


def _kinds(column: ColumnProfile, values: Listed) -> int:
    """Null, if it occurs, and how many of the values do."""
    wanted = {kind_of(label): label for label in map(label_of, values)}
    there = gaps(column)
    found = {kind for kind in wanted if there.get(kind)}
    rest = {label for kind, label in wanted.items() if kind not in there}
    if isinstance(column, CategoryProfile):
        return len(found) + len(rest & column.count_of.keys()) + (there["null"] > 0)
    if isinstance(column, NumericProfile):
        return len(found) + sum(_occurs(column, x) for x in rest) + (there["null"] > 0)
    if rest and not isinstance(column, TimeProfile):
        raise ValueError("of a text column only empty text can be told apart, not other values")
    return len(found) + (there["null"] > 0)


def _by_kind(counts: Mapping[str, int], kinds: Kinds | None) -> dict[str, float]:
    if kinds is None:
        return dict(counts)
    wanted = ["null" if x is None else kind_of(label_of(x)) for x in kinds]
    found = {kind: float(counts.get(kind, 0)) for kind in wanted}
    return {"": sum(found.values())} | found


def _occurs(column: NumericProfile, label: str) -> bool:
    """Whether a number, told as text, is among the values; other text is not."""
    try:
        x = np.array([float(label)])
    except ValueError:
        return False
    return bool((column.points.below(x, "right") > column.points.below(x)).any())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
