"""Is the batch well formed? Rows, missing values, repeats, categories."""

from __future__ import annotations

from exporter.batch import KINDS
from exporter.metrics._registry import NEAR_10, NONE_AT_ALL, Automatic, Bound, metric
from exporter.profile.column import CategoryProfile, ColumnProfile, NumericProfile
from exporter.profile.table import TableProfile


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


@metric(
    per="column",
    unit="value",
    automatic=Automatic(NEAR_10, Bound("gt", 1), Bound("lte", relative=0.1)),
    gauge="unique_values",
)
def unique_count(column: NumericProfile | CategoryProfile) -> float:
    """Distinct values."""
    return column.distinct


@metric(
    per="column",
    unit="ratio",
    automatic=Automatic(NEAR_10, Bound("lt", 0.8), Bound("lte", relative=0.1)),
)
def most_common_ratio(column: NumericProfile | CategoryProfile) -> float:
    """Share of rows that hold the most common value."""
    return _ratio(column.top, column.rows)


@metric(per="column", unit="ratio", automatic=Automatic(NEAR_10))
def unique_ratio(column: NumericProfile | CategoryProfile) -> float:
    """Distinct values as a share of the values that are there."""
    return _ratio(column.distinct, column.count)


@metric(
    per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("lte"), NONE_AT_ALL)
)
def columns_with_missing(table: TableProfile) -> float:
    """Columns that miss at least one value."""
    return sum(count > 0 for count in table.missing.values())


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


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
