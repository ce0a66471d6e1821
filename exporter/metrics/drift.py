"""How far a batch has moved away from its reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from exporter.batch import Kind
from exporter.distances import DriftMethod, method_named
from exporter.distances.contributions import contributions
from exporter.distances.shares import Bins, Shares, shares
from exporter.metrics._registry import Automatic, Bound, metric
from exporter.profile.column import CategoryProfile, NumericProfile
from exporter.profile.points import Estimate
from exporter.snapshot import DriftRow

LARGE_REFERENCE = 1000
FEW_VALUES = 5  # numbers with no more distinct values are compared as categories
Comparable = NumericProfile | CategoryProfile


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
    column: Comparable,
    reference: Comparable,
    *,
    method: str = "auto",
    threshold: float | None = None,
    compat: bool = False,
    bins: Bins = "sturges",
    missing: bool = False,
) -> DriftRow:
    """How far a column has moved away from its reference.

    `compat` takes Evidently's own figure where a method of ours was mended. `bins` and `missing`
    are for methods that compare bins or categories: where numbers are cut, and whether what is
    missing is one more.
    """
    return compare(column, reference, method, threshold, compat=compat, bins=bins, missing=missing)


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


def compare(
    column: Comparable,
    reference: Comparable,
    method: str,
    threshold: float | None,
    *,
    compat: bool = False,
    bins: Bins = "sturges",
    missing: bool = False,
    per_batch: bool = False,
) -> DriftRow:
    """The drift result of a column; one that cannot be compared says why.

    `auto` is chosen by the reference alone, so that a column keeps its method from batch to
    batch; with `per_batch` by both, as Evidently does. With a threshold `auto` is a distance: a
    p-value's threshold means something else. A method that has no use for an option does without.
    """
    if method == "auto":
        chosen = automatic_method(
            reference, column if per_batch else None, distance=threshold is not None
        )
    else:
        chosen = method_named(method)
    limit = chosen.threshold if threshold is None else threshold
    kind = kind_of(column)
    whole = missing and "missing" in chosen.options
    n, m = (x.count + x.missing if whole else x.count for x in (column, reference))
    row = DriftRow(column.name, kind, chosen.id, threshold=limit, n=n, reference_n=m)
    if kind != kind_of(reference):
        other = kind_of(reference)
        return replace(row, error=f"a {kind} column cannot be compared with a {other} one")
    if not n or not m:
        side = "batch" if not n else "reference"
        return replace(row, error=f"no values in the {side}")
    if method != "auto" and kind not in chosen.kinds:
        return replace(row, error=f"{chosen.id} does not compare {kind} columns")
    options = {"compat": compat, "bins": bins, "missing": missing}
    return _scored(row, chosen, column, reference, options)


def kind_of(column: Comparable) -> Kind:
    """The kind of column that a profile was made of."""
    return "numerical" if isinstance(column, NumericProfile) else "categorical"


def automatic_method(
    reference: Comparable, column: Comparable | None, *, distance: bool = False
) -> DriftMethod:
    """Evidently's choice by type, size of the reference and number of distinct values (of both, with *column*)."""
    distinct = reference.distinct
    if column is not None and distinct <= FEW_VALUES:
        distinct = _distinct_of_both(column, reference)
    numerical = isinstance(reference, NumericProfile) and distinct > FEW_VALUES
    if distance or reference.count > LARGE_REFERENCE:
        return method_named("wasserstein" if numerical else "jensenshannon")
    return method_named("ks" if numerical else "chisquare" if distinct > 2 else "z")


def _scored(
    row: DriftRow,
    chosen: DriftMethod,
    column: Comparable,
    reference: Comparable,
    options: Mapping[str, Any],
) -> DriftRow:
    """The row with its score, and with what a drifted score comes from."""
    pair: tuple[Shares, Shares] | None = None
    if chosen.reads == "shares":
        pair = shares(column, reference, bins=options["bins"], missing=options["missing"])
    result = chosen.compute(*(pair or (column, reference)), **chosen.given(options))
    score = result if isinstance(result, Estimate) else Estimate(result, result, result)
    if not isfinite(score.value):
        return replace(row, error=f"the {chosen.id} score is not a finite number")
    limit = chosen.threshold if row.threshold is None else row.threshold
    drifted = bool(chosen.drifted(score.value, limit))
    exact = score.low == score.high
    told = contributions(*pair, chosen.parts(*pair)) if drifted and pair and chosen.parts else None
    return replace(
        row,
        score=float(score.value),
        drifted=drifted,
        severity=float(chosen.severity(score.value, limit)),
        low=None if exact else float(score.low),
        high=None if exact else float(score.high),
        contributions=told,
    )


def _distinct_of_both(column: Comparable, reference: Comparable) -> int:
    """Distinct values of two columns, of which the reference has few; six and more are all alike here."""
    if isinstance(column, NumericProfile) and isinstance(reference, NumericProfile):
        known = np.unique(reference.points.values)
        here = column.points
        told = here.below(known, "right") - here.below(known)
        new = column.distinct - int(np.count_nonzero(told))
        return len(known) + new
    if isinstance(column, CategoryProfile) and isinstance(reference, CategoryProfile):
        return len({*column.labels, *reference.labels})
    return reference.distinct
