"""Has the batch moved away from the reference?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from exporter.distances import DriftMethod, method_named
from exporter.distances.shares import shares
from exporter.metrics._registry import Automatic, Bound, metric
from exporter.profile.column import CategoryProfile, NumericProfile
from exporter.profile.points import Estimate
from exporter.snapshot import DriftRow

LARGE_REFERENCE = 1000


@dataclass(frozen=True, slots=True)
class DriftRows:
    """The drift results of an evaluation."""

    rows: Sequence[DriftRow]

    @property
    def tested(self) -> list[DriftRow]:
        """Columns that could be compared."""
        return [row for row in self.rows if row.error is None]


@metric(per="column", unit="score", better="lower", automatic=Automatic(Bound("method")))
def column_drift(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile,
    *,
    method: str = "auto",
    threshold: float | None = None,
    choose: Literal["reference", "batch"] = "reference",
) -> DriftRow:
    """How far a column has moved away from its reference."""
    chosen = (
        automatic_method(column, reference, choose) if method == "auto" else method_named(method)
    )
    limit = chosen.threshold if threshold is None else threshold
    kind = "numerical" if isinstance(column, NumericProfile) else "categorical"
    row = DriftRow(
        column.name, kind, chosen.id, threshold=limit, n=column.count, reference_n=reference.count
    )
    if not column.count or not reference.count:
        side = "batch" if not column.count else "reference"
        return _failed(row, f"no values in the {side}")
    if method != "auto" and kind not in chosen.kinds:
        return _failed(row, f"{chosen.id} does not compare {kind} columns")
    result = (
        chosen.compute(*shares(column, reference))
        if chosen.reads == "shares"
        else chosen.compute(column, reference)
    )
    score, low, high = result if isinstance(result, Estimate) else (result, None, None)
    return replace(
        row,
        score=score,
        drifted=chosen.drifted(score, limit),
        severity=chosen.severity(score, limit),
        low=low,
        high=high,
    )


@metric(per="dataset", unit="columns", better="lower")
def drifted_columns(drift: DriftRows) -> float:
    """Columns that have drifted."""
    return sum(bool(row.drifted) for row in drift.rows)


@metric(per="dataset", unit="ratio", better="lower", automatic=Automatic(Bound("lt", 0.3)))
def drifted_columns_ratio(drift: DriftRows) -> float:
    """Share of the compared columns that have drifted."""
    return (
        sum(bool(row.drifted) for row in drift.rows) / len(drift.tested)
        if drift.tested
        else float("nan")
    )


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte", 0.0), Bound("lte", 0.0)),
)
def untested_columns(drift: DriftRows) -> float:
    """Columns that could not be compared."""
    return len(drift.rows) - len(drift.tested)


def automatic_method(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile,
    choose: Literal["reference", "batch"],
) -> DriftMethod:
    """Evidently's choice by type, size of the reference and number of distinct values."""
    distinct = reference.distinct
    if choose == "batch" and distinct <= 5:
        distinct = _distinct_of_both(column, reference)
    numerical = isinstance(reference, NumericProfile) and distinct > 5
    if reference.count > LARGE_REFERENCE:
        return method_named("wasserstein" if numerical else "jensenshannon")
    return method_named("ks" if numerical else "chisquare" if distinct > 2 else "z")


def _distinct_of_both(
    column: NumericProfile | CategoryProfile, reference: NumericProfile | CategoryProfile
) -> int:
    if isinstance(column, NumericProfile) and isinstance(reference, NumericProfile):
        return len({*column.points.values[:100_000].tolist(), *reference.points.values.tolist()})
    if isinstance(column, CategoryProfile) and isinstance(reference, CategoryProfile):
        return len({*column.labels, *reference.labels})
    raise TypeError("a numerical column cannot be compared with a categorical one")


def _failed(row: DriftRow, error: str) -> DriftRow:
    return replace(row, error=error)
