"""Is the batch well formed? Rows, missing values, repeats, categories."""

from __future__ import annotations

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
from exporter.profile.table import TableProfile, empty_texts, gaps

Repeating = NumericProfile | CategoryProfile | TimeProfile  # of text, who repeats says little


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
    """Declared columns, in all and by type."""
    kinds = list(table.kinds.values())
    by_type = {kind: float(kinds.count(kind)) for kind in KINDS}
    return {"": float(len(kinds))} | by_type


@metric(
    per="dataset",
    unit="values",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1, scaled=True), NONE_AT_ALL),
)
def missing_cells(table: TableProfile) -> float:
    """Missing values in the whole batch."""
    return sum(table.missing.values())


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1), NONE_AT_ALL),
)
def missing_cells_ratio(table: TableProfile) -> float:
    """Share of all values that are missing."""
    return _ratio(sum(table.missing.values()), table.rows * len(table.missing))


@metric(
    per="dataset",
    unit="rows",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1, scaled=True), NONE_AT_ALL),
)
def rows_with_missing(table: TableProfile) -> float:
    """Rows that miss at least one value."""
    return table.rows_with_missing


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1), NONE_AT_ALL),
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
    per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL)
)
def empty_columns(table: TableProfile) -> float:
    """Columns in which every value is missing."""
    return sum(count == table.rows for count in table.missing.values())


@metric(
    per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL)
)
def constant_columns(table: TableProfile) -> float:
    """Columns with at most one value."""
    return len(table.constant)


@metric(
    per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL)
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
    per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL)
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
)
def missing_count(column: ColumnProfile) -> float:
    """Missing values."""
    return column.missing


@metric(
    per="column",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lte", relative=0.1), NONE_AT_ALL),
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
)
def unique_count(column: Repeating) -> float:
    """Distinct values."""
    return column.distinct


@metric(
    per="column",
    unit="ratio",
    automatic=Automatic(NEAR_10, Bound("lt", 0.8), Bound("lte", relative=0.1)),
)
def most_common_ratio(column: Repeating) -> float:
    """Share of rows that hold the most common value."""
    return _ratio(column.top, column.rows)


@metric(per="column", unit="ratio", automatic=Automatic(NEAR_10))
def unique_ratio(column: Repeating) -> float:
    """Distinct values as a share of the values that are there."""
    return _ratio(column.distinct, column.count)


@metric(
    per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL)
)
def columns_with_missing(table: TableProfile) -> float:
    """Columns that miss at least one value."""
    return sum(count > 0 for count in table.missing.values())


@metric(per="dataset", unit="ratio", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL))
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
    """Kinds of missing values in the whole batch: null, empty text, infinity and its negative."""
    return len(table.gaps)


@metric(per="column", unit="value", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL))
def missing_kinds(column: ColumnProfile, *, values: Listed | None = None) -> float:
    """Kinds of missing values: null and, where `values` names no others, empty text and both infinities.

    What `missing_values` of the model has turned into nulls is of one kind.
    """
    return len(gaps(column)) if values is None else _kinds(column, values)


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
)
def type_mismatches(table: TableProfile, reference: TableProfile) -> float:
    """Columns whose type is of another family than in the reference; gone columns count."""
    return sum(
        table.types.get(name, "gone") not in (kind, "null")
        for name, kind in reference.types.items()
        if kind != "null"
    )


def _kinds(column: ColumnProfile, values: Listed) -> int:
    """Null, if it occurs, and how many of the values do."""
    wanted = set(map(label_of, values))
    if isinstance(column, CategoryProfile):
        found = wanted & column.count_of.keys()
    elif isinstance(column, NumericProfile):
        found = {x for x in wanted if _occurs(column, x)}
    elif wanted <= {""} or isinstance(column, TimeProfile):
        found = wanted & set(gaps(column))
    else:
        raise ValueError("of a text column only empty text can be told apart, not other values")
    return len(found) + (column.missing > 0)


def _occurs(column: NumericProfile, label: str) -> bool:
    """Whether a number, told as text, is among the values; other text is not."""
    if label in ("inf", "-inf"):
        return label in gaps(column)
    try:
        x = np.array([float(label)])
    except ValueError:
        return False
    return bool((column.points.below(x, "right") > column.points.below(x)).any())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
