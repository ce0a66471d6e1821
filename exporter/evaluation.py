"""A batch, a reference profile and a plan in, a snapshot out; no file, clock or log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from exporter.batch import Batch, Schema
from exporter.checks import Situation, check_all
from exporter.metrics.drift import DriftRows
from exporter.plan import Plan, Use
from exporter.profile.arrays import Floats, codes, floats
from exporter.profile.build import profile_table
from exporter.profile.column import CategoryProfile, ColumnProfile, NumericProfile
from exporter.profile.outcome import (
    ErrorProfile,
    ScoreProfile,
    error_profile,
    score_profile,
)
from exporter.profile.points import Estimate
from exporter.profile.table import TableProfile
from exporter.snapshot import Distribution, DriftRow, MetricRow, Snapshot

BINS = 20
COLUMN_DRIFT = "column_drift"  # the metric whose results are drift rows
CATEGORIES = 20
Outcome = ErrorProfile | ScoreProfile
Dataset = TableProfile | DriftRows | ErrorProfile | ScoreProfile


@dataclass(frozen=True, slots=True)
class ReferenceProfile:
    """All that evaluations read of a reference."""

    schema: Schema
    columns: Mapping[str, ColumnProfile]
    table: TableProfile
    outcome: Outcome | None = None
    windows: int | None = None  # how many batches it was put together from; None = fixed data
    release: Callable[[str], None] = field(
        default=lambda name: None, repr=False
    )  # this column is done with


@dataclass(slots=True)
class ColumnResult:
    """What one column adds to the snapshot."""

    metrics: list[MetricRow]
    drift: list[DriftRow]
    distribution: Distribution | None


def evaluate(batch: Batch, reference: ReferenceProfile | None, plan: Plan) -> Snapshot:
    """Evaluate the plan on the batch: every column once, then what reads the whole."""
    kinds = {name: plan.schema.kinds[name] for name in plan.columns()}

    def failed(name: str, error: Exception) -> ColumnResult:
        return failed_column(
            name, error, reference.columns.get(name) if reference else None, plan, batch.rows
        )

    def visit(column: ColumnProfile) -> ColumnResult:
        if reference is None:
            return evaluate_column(column, None, plan)
        result = evaluate_column(column, reference.columns.get(column.name), plan)
        reference.release(column.name)
        return result

    results, table = profile_table(batch, kinds, visit, failed)
    drift = DriftRows([row for result in results for row in result.drift])
    here: list[Dataset] = [table, drift]
    there: list[Dataset] = [reference.table] if reference else []
    if (outcome := outcome_of(batch, plan)) is not None:
        here.append(outcome)
        there += [reference.outcome] if reference and reference.outcome else []
    rows = [
        row for use in plan.for_dataset() for row in _dataset_rows(use, here, there, batch.rows)
    ]
    rows += [row for result in results for row in result.metrics]
    situation = Situation(
        plan.mode,
        batch.rows,
        reference.table.rows if reference else None,
        reference.windows if reference else None,
        plan.min_rows,
    )
    return Snapshot(
        batch.rows,
        reference_rows=reference.table.rows if reference else None,
        labelled_rows=outcome.count if outcome else None,
        metrics=tuple(rows),
        drift=tuple(drift.rows),
        tests=check_all(plan.checks, rows, drift.rows, situation),
        distributions=tuple(result.distribution for result in results if result.distribution),
    )


def evaluate_column(
    column: ColumnProfile, reference: ColumnProfile | None, plan: Plan
) -> ColumnResult:
    """Every column metric of one column; one that fails is a row with an error text."""
    metrics: list[MetricRow] = []
    drift: list[DriftRow] = []
    uses = [use for use in plan.for_column(column.name) if isinstance(column, use.spec.reads)]
    for use in uses:
        if use.spec.compares and reference is None:
            continue
        result = _attempt(use, column, reference if use.spec.compares else None)
        if isinstance(result, DriftRow) or use.spec.id == COLUMN_DRIFT:
            drift.append(
                result
                if isinstance(result, DriftRow)
                else _failed_drift(column.name, reference, result)
            )
            continue
        beside = (
            _attempt(use, reference, None)
            if reference is not None and not use.spec.compares
            else None
        )
        metrics += _metric_rows(use, column.name, column.rows - column.missing, result, beside)
    return ColumnResult(metrics, drift, distribution(column, reference) if uses else None)


def failed_column(
    name: str, error: Exception, reference: ColumnProfile | None, plan: Plan, n: int
) -> ColumnResult:
    """What is told of a column that is not there or cannot be read: every figure asked for, with the reason."""
    metrics: list[MetricRow] = []
    drift: list[DriftRow] = []
    for use in plan.for_column(name):
        if reference is not None and not isinstance(reference, use.spec.reads):
            continue
        if use.spec.id == COLUMN_DRIFT:
            drift.append(_failed_drift(name, reference, error))
        else:
            metrics += _metric_rows(use, name, n, error, None)
    return ColumnResult(metrics, drift, None)


def _failed_drift(name: str, reference: ColumnProfile | None, error: Exception) -> DriftRow:
    kind = "categorical" if isinstance(reference, CategoryProfile) else "numerical"
    return DriftRow(
        name,
        kind,
        "",
        n=0,
        reference_n=reference.count if reference else 0,
        error=str(error) or repr(error),
    )


def outcome_of(batch: Batch, plan: Plan) -> Outcome | None:
    """The error or score profile, where the plan reads one."""
    schema = plan.schema
    wanted = {kind for use in plan.uses for kind in use.spec.reads}
    if schema.target is None or schema.score is None or not wanted & {ErrorProfile, ScoreProfile}:
        return None
    if any(name not in batch.types for name in (schema.target, schema.score)):
        return None
    if schema.task == "regression" and ErrorProfile in wanted:
        return error_profile(
            floats(batch.read(schema.target)), floats(batch.read(str(schema.prediction)))
        )
    if schema.task == "binary" and ScoreProfile in wanted:
        labels, actual = codes(batch.read(schema.target))
        score = floats(batch.read(schema.probability)) if schema.probability else None
        if schema.prediction is None and score is not None:
            said = np.where(np.isnan(score), np.nan, (score >= schema.threshold).astype(float))
            negative = next((x for x in sorted(labels) if x != schema.positive), "")
            return score_profile(
                _is(labels, actual, schema.positive), said, score, (negative, schema.positive)
            )
        others, predicted = codes(batch.read(str(schema.prediction)))
        negative = next((x for x in sorted({*labels, *others}) if x != schema.positive), "")
        return score_profile(
            _is(labels, actual, schema.positive),
            _is(others, predicted, schema.positive),
            score,
            (negative, schema.positive),
        )
    return None


def distribution(column: ColumnProfile, reference: ColumnProfile | None) -> Distribution | None:
    """The column's histogram on edges or categories that come from the reference, where there is one."""
    base = reference or column
    if isinstance(column, NumericProfile) and isinstance(base, NumericProfile):
        if not base.count:
            return None
        low, high = base.points.quantile(0.01).value, base.points.quantile(0.99).value
        edges = np.linspace(low, high, BINS + 1) if high > low else np.array([low])
        return Distribution(
            column.name,
            edges.tolist(),
            None,
            _histogram(column, edges),
            _histogram(reference, edges) if isinstance(reference, NumericProfile) else None,
        )
    if isinstance(column, CategoryProfile) and isinstance(base, CategoryProfile):
        names = base.labels[:CATEGORIES]
        return Distribution(
            column.name,
            None,
            [*names, "other"],
            _top(column, names),
            _top(reference, names) if isinstance(reference, CategoryProfile) else None,
        )
    return None


def _attempt(use: Use, *profiles: Any) -> Any:
    """The metric's result, or what went wrong: one bad column never costs the batch."""
    try:
        return use.spec.compute(*[p for p in profiles if p is not None], **use.params)
    except Exception as error:  # noqa: BLE001  the seam at which a metric may fail
        return error


def _dataset_rows(
    use: Use, here: Sequence[Dataset], there: Sequence[Dataset], n: int
) -> list[MetricRow]:
    current = next((x for x in here if isinstance(x, use.spec.reads)), None)
    reference = next((x for x in there if isinstance(x, use.spec.reads)), None)
    if current is None:
        return [MetricRow(use.spec.id, params=use.params, n=n, error="nothing to read it from")]
    n = current.count if isinstance(current, Outcome) else n
    if use.spec.compares:
        return (
            []
            if reference is None
            else _metric_rows(use, "", n, _attempt(use, current, reference), None)
        )
    return _metric_rows(
        use,
        "",
        n,
        _attempt(use, current, None),
        None if reference is None else _attempt(use, reference, None),
    )


def _metric_rows(use: Use, column: str, n: int, result: Any, beside: Any) -> list[MetricRow]:
    if isinstance(result, Exception):
        return [
            MetricRow(
                use.spec.id, column, params=use.params, n=n, error=str(result) or repr(result)
            )
        ]
    labelled = result if isinstance(result, Mapping) else {"": result}
    others = beside if isinstance(beside, Mapping) else {"": beside}
    return [
        _metric_row(use, column, label, n, value, others.get(label))
        for label, value in labelled.items()
    ]


def _metric_row(use: Use, column: str, label: str, n: int, result: Any, beside: Any) -> MetricRow:
    value, low, high = result if isinstance(result, Estimate) else (result, None, None)
    if low == high:
        low = high = None
    if isinstance(beside, Estimate):
        beside = beside.value
    return MetricRow(
        use.spec.id,
        column,
        label,
        use.params,
        float(value),
        None if beside is None or isinstance(beside, Exception) else float(beside),
        low,
        high,
        n,
    )


def _histogram(column: NumericProfile, edges: Floats) -> list[int]:
    below = [0, *column.points.below(edges).tolist(), column.count]
    return [after - before for before, after in pairwise(below)]


def _top(column: CategoryProfile, names: Sequence[str]) -> list[int]:
    counts = [column.count_of.get(name, 0) for name in names]
    return [*counts, column.count - sum(counts)]


def _is(labels: list[str], indices: Any, wanted: str) -> Floats:
    """1 where the label is the wanted one, 0 where it is another, NaN where it is missing."""
    values = np.array([float(x == wanted) for x in labels] + [float("nan")])
    chosen: Floats = np.take(values, indices)
    return chosen
