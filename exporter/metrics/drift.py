"""How far a batch has moved away from its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from exporter.batch import Kind
from exporter.distances import DRIFT_METHODS, DriftMethod, Verdict, method_named
from exporter.distances.contributions import contributions
from exporter.distances.shares import Bins, shares
from exporter.distances.texts import Texts
from exporter.metrics._registry import Automatic, Bound, metric
from exporter.profile.column import CategoryProfile, NumericProfile, OpaqueProfile
from exporter.profile.points import Estimate
from exporter.snapshot import DriftRow

LARGE_REFERENCE = 1000
FEW_VALUES = 5  # numbers with no more distinct values are compared as categories
COLUMN_DRIFT, EMBEDDINGS_DRIFT = "column_drift", "embeddings_drift"  # what gives drift rows
DRIFT_METRICS = (COLUMN_DRIFT, EMBEDDINGS_DRIFT)
EMBEDDING = "embedding"  # the type of the latter's
LEAST_LIMIT = 1e-12  # of a threshold found from the data: severity is a ratio
NO_ROWS = "is read from the rows themselves, and those of the reference are not at hand"
Comparable = NumericProfile | CategoryProfile | OpaqueProfile


@dataclass(frozen=True, slots=True)
class DriftRows:
    """The drift results of an evaluation's columns."""

    rows: Sequence[DriftRow]

    @property
    def tested(self) -> list[DriftRow]:
        """Columns that could be compared."""
        return [row for row in self.rows if row.error is None]


def _drifted(drift: DriftRows) -> list[str]:
    """The columns that have drifted, the farthest first."""
    found = [row for row in drift.rows if row.drifted]
    return [row.column for row in sorted(found, key=lambda row: -(row.severity or 0.0))]


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
    words: bool = False,
) -> DriftRow:
    """How far a column has moved away from its reference.

    `compat` takes Evidently's own figure where a method of ours was mended. `bins` and `missing`
    are for methods that compare bins or categories: where numbers are cut, and whether what is
    missing is one more. `words` is for texts: whether the words are kept by which a batch that has
    drifted is told from its reference.
    """
    return compare(
        column, reference, method, threshold,
        compat=compat, bins=bins, missing=missing, words=words,
    )  # fmt: skip


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lt", one_in=3)),
    names=_drifted,
)
def drifted_columns(drift: DriftRows) -> float:
    """Columns that have drifted."""
    return sum(bool(row.drifted) for row in drift.rows)


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(Bound("lt", 0.3)),
    names=_drifted,
)
def drifted_columns_ratio(drift: DriftRows) -> float:
    """Share of the compared columns that have drifted."""
    if not drift.tested:
        raise ValueError("no column could be compared")
    return sum(bool(row.drifted) for row in drift.rows) / len(drift.tested)


@metric(
    per="dataset",
    unit="columns",
    better="lower",
    automatic=Automatic(Bound("lte", 0.0), Bound("lte", 0.0)),
    names=lambda drift: [row.column for row in drift.rows if row.error is not None],
)
def untested_columns(drift: DriftRows) -> float:
    """Columns that could not be compared."""
    return len(drift.rows) - len(drift.tested)


def methods_of(metric: str) -> dict[str, DriftMethod]:
    """The methods that one of the two drift metrics can be given, by their ids."""
    of_sets = metric == EMBEDDINGS_DRIFT
    return {m.id: m for m in DRIFT_METHODS.values() if (EMBEDDING in m.kinds) == of_sets}


def rows_of(metric: str, drift: Sequence[DriftRow]) -> list[DriftRow]:
    """Those of the drift rows that one of the two drift metrics gave."""
    of_sets = metric == EMBEDDINGS_DRIFT
    return [row for row in drift if (row.type == EMBEDDING) == of_sets]


def compare(
    column: Comparable,
    reference: Comparable,
    method: str,
    threshold: float | None,
    *,
    per_batch: bool = False,
    texts: Callable[[], tuple[Texts, Texts]] | None = None,
    **options: Any,
) -> DriftRow:
    """The drift result of a column; one that cannot be compared says why.

    `auto` is chosen by the reference alone, so that a column keeps its method from batch to
    batch; with `per_batch` by both, as Evidently does. With a threshold `auto` is a distance: a
    p-value's threshold means something else. A method that has no use for an option does without.
    *texts* gives those of batch and reference, for methods that read them.
    """
    if method == "auto":
        chosen = automatic_method(
            reference, column if per_batch else None, distance=threshold is not None
        )
    else:
        chosen = method_named(method)
    limit = chosen.threshold if threshold is None else threshold
    kind = kind_of(column)
    whole = options.get("missing", False) and "missing" in chosen.options
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
    if chosen.reads == "texts" and texts is None:
        return replace(row, error=f"{chosen.id} {NO_ROWS}")
    return scored(row, chosen, partial(_pair, chosen, column, reference, texts, options), options)


def kind_of(column: Comparable) -> Kind:
    """The kind of column that a profile was made of."""
    if isinstance(column, OpaqueProfile):
        return "text"
    return "numerical" if isinstance(column, NumericProfile) else "categorical"


def automatic_method(
    reference: Comparable, column: Comparable | None, *, distance: bool = False
) -> DriftMethod:
    """Evidently's choice by type, size of the reference and number of distinct values (of both, with *column*)."""
    large = distance or reference.count > LARGE_REFERENCE
    if isinstance(reference, OpaqueProfile):
        return method_named("abs_text_content_drift" if large else "perc_text_content_drift")
    distinct = reference.distinct
    if column is not None and distinct <= FEW_VALUES:
        distinct = _distinct_of_both(column, reference)
    numerical = isinstance(reference, NumericProfile) and distinct > FEW_VALUES
    if large:
        return method_named("wasserstein" if numerical else "jensenshannon")
    return method_named("ks" if numerical else "chisquare" if distinct > 2 else "z")


def scored(
    row: DriftRow,
    chosen: DriftMethod,
    read: Callable[[], tuple[Any, Any]],
    options: Mapping[str, Any],
) -> DriftRow:
    """The row with its score, and with what a drifted score comes from; *read* gives what the method compares."""
    if lack := chosen.lack():
        return replace(row, error=lack)
    limit = chosen.threshold if row.threshold is None else row.threshold
    pair = read()
    result = chosen.compute(*pair, **chosen.given({**options, "threshold": limit}))
    verdict = result if isinstance(result, Verdict) else Verdict(result)
    told = verdict.score
    score = told if isinstance(told, Estimate) else Estimate(told, told, told)
    if not isfinite(score.value):
        return replace(row, error=f"the {chosen.id} score is not a finite number")
    if verdict.limit is not None:
        limit = max(verdict.limit, LEAST_LIMIT)
    drifted, exact = bool(chosen.drifted(score.value, limit)), score.low == score.high
    culprits = verdict.told
    if drifted and chosen.parts:
        culprits = contributions(*pair, chosen.parts(*pair))
    return replace(
        row,
        score=float(score.value),
        threshold=limit,
        drifted=drifted,
        severity=float(chosen.severity(score.value, limit)),
        low=None if exact else float(score.low),
        high=None if exact else float(score.high),
        contributions=culprits if drifted else None,
    )


def _pair(
    chosen: DriftMethod,
    column: Comparable,
    reference: Comparable,
    texts: Callable[[], tuple[Texts, Texts]] | None,
    options: Mapping[str, Any],
) -> tuple[Any, Any]:
    """What the method compares: the profiles, or what it reads instead of them."""
    if chosen.reads == "texts" and texts is not None:
        return texts()
    if chosen.reads == "shares":
        assert not isinstance(column, OpaqueProfile)  # noqa: S101  no such method is of texts
        assert not isinstance(reference, OpaqueProfile)  # noqa: S101
        given = {name: options[name] for name in ("bins", "missing") if name in options}
        return shares(column, reference, **given)
    return column, reference


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
