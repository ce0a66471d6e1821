"""Tests: conditions on the figures of an evaluation; pure arithmetic, no profile is looked at again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import Any, Literal

from exporter.distances import DRIFT_METHODS
from exporter.metrics import MetricSpec
from exporter.metrics._registry import Bound
from exporter.snapshot import NO_VALUE, CheckResult, DriftRow, MetricRow, Status

Mode = Literal["directional", "evidently"]
OPERATORS = ("eq", "not_eq", "lt", "lte", "gt", "gte", "in", "not_in", "between")
TINY = 1e-12  # Evidently's absolute tolerance


@dataclass(frozen=True, slots=True)
class Relative:
    """A value that follows the reference's figure."""

    relative: float = 0.0
    absolute: float = 0.0


@dataclass(frozen=True, slots=True)
class Check:
    """One test as the plan resolved it; no condition = the metric's automatic one."""

    name: str
    spec: MetricSpec
    params: Mapping[str, Any]
    columns: tuple[str, ...] | None
    conditions: tuple[tuple[str, Any], ...] = ()
    critical: bool = True
    label: str | None = None
    preset: bool = False  # it came with a preset: an explicit test of the same figure replaces it
    at: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a condition may depend on besides the figure."""

    mode: Mode
    rows: int
    reference_rows: int | None
    reference_windows: (
        int | None
    )  # None: the reference is fixed data, not a stretch of earlier windows
    min_rows: int
    sampling: float = 3.0  # directional: ratios may be off by so many standard errors of the batch
    earlier: Callable[[str, Mapping[str, Any], str, str], Sequence[float]] | None = (
        None  # metric, params, column, label -> the figures of a rolling reference's own windows
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a figure must lie."""

    lower: float = -inf
    upper: float = inf
    open_lower: bool = False
    open_upper: bool = False

    def hold(self, x: float) -> bool:
        """Whether the figure lies there."""
        above = x > self.lower if self.open_lower else x >= self.lower
        return above and (x < self.upper if self.open_upper else x <= self.upper)


def check_all(
    checks: Sequence[Check],
    metrics: Sequence[MetricRow],
    drift: Sequence[DriftRow],
    situation: Situation,
) -> tuple[CheckResult, ...]:
    """Every test's result, in the plan's order."""
    by_id: dict[str, list[MetricRow]] = {}
    for row in metrics:
        by_id.setdefault(row.metric, []).append(row)
    return tuple(result for check in checks for result in _results(check, by_id, drift, situation))


def overall(results: Sequence[CheckResult]) -> Status:
    """The worst status; `skipped` where nothing was tested."""
    found = {r.status for r in results}
    return next((s for s in ("error", "fail", "warning", "success") if s in found), "skipped")


def _results(
    check: Check, by_id: Mapping[str, list[MetricRow]], drift: Sequence[DriftRow], at: Situation
) -> list[CheckResult]:
    if check.spec.id == "column_drift":
        rows = [d for d in drift if check.columns is None or d.column in check.columns]
        found = {d.column for d in rows}
        absent = [c for c in check.columns or (() if rows else ("",)) if c not in found]
        return [_drift_result(check, row, at) for row in rows] + [
            _absent(check, c, at) for c in absent
        ]
    mine = [
        r
        for r in by_id.get(check.spec.id, [])
        if (check.columns is None or r.column in check.columns)
        and dict(r.params) == dict(check.params)
    ]
    if check.label is not None:
        mine = [r for r in mine if r.label == check.label]
    elif any(r.label == "" for r in mine):
        mine = [r for r in mine if r.label == ""]
    found = {r.column for r in mine}
    absent = [c for c in check.columns or (() if mine else ("",)) if c not in found]
    return [_result(check, row, by_id, at) for row in mine] + [
        _absent(check, column, at) for column in absent
    ]


def _absent(check: Check, column: str, at: Situation) -> CheckResult:
    """A test that finds no figure is told, never dropped: a silent test reads as a passed one."""
    compares = check.spec.compares and at.reference_rows is None
    status: Status = "skipped" if compares and at.mode == "directional" else "error"
    message = "needs a reference" if compares else f"{check.spec.id} has no figure here"
    return CheckResult(
        check.name, check.spec.id, column, "", check.params, status, check.critical, message=message
    )


def _drift_result(check: Check, row: DriftRow, at: Situation) -> CheckResult:
    blank = CheckResult(
        check.name, check.spec.id, row.column, "", check.params, "success", check.critical
    )
    if min(at.rows, at.reference_rows or 0) < at.min_rows:
        return replace(blank, status="skipped", message=f"fewer than {at.min_rows} rows")
    if row.error is not None:
        return replace(blank, status="error", message=row.error)
    if row.n < at.min_rows:
        return replace(blank, status="skipped", message=f"{row.n} values, fewer than {at.min_rows}")
    if check.conditions:
        return _judge(blank, row.score or 0.0, _user_limits(check, None))
    method = DRIFT_METHODS[row.method]
    p = method.score == "p_value"
    status: Status = ("fail" if check.critical else "warning") if row.drifted else "success"
    return replace(
        blank, status=status, value=row.score,
        lower=row.threshold if p else None, upper=None if p else row.threshold,
        message=f"{row.method} {row.score:.4g}, threshold {row.threshold:.4g}",
    )  # fmt: skip


def _result(
    check: Check, row: MetricRow, by_id: Mapping[str, list[MetricRow]], at: Situation
) -> CheckResult:
    blank = CheckResult(
        check.name,
        check.spec.id,
        row.column,
        row.label,
        check.params,
        "success",
        check.critical,
        value=row.value,
    )
    if check.spec.compares and not check.spec.alone and at.reference_rows is None:
        return replace(blank, status="skipped", message="needs a reference")
    if row.error is not None or row.value is None or not isfinite(row.value):
        if row.n == 0 and row.error in (None, NO_VALUE):
            return replace(blank, status="skipped", value=None, message="no values")
        return replace(blank, status="error", value=None, message=row.error or "no value")
    quality = check.spec.reads[0].__name__ in ("ErrorProfile", "ScoreProfile")
    if (quality or check.spec.compares) and row.n < at.min_rows:
        return replace(blank, status="skipped", message=f"{row.n} values, fewer than {at.min_rows}")
    if check.conditions:
        relative = any(isinstance(v, Relative) for _, v in check.conditions)
        if relative and row.reference is None:
            return replace(
                blank,
                status="error",
                message="the condition is relative to a reference that has no figure",
            )
        bad = [
            (op, v)
            for op, v in check.conditions
            if op in ("in", "not_in", "not_eq") and not _member(op, row.value, v)
        ]
        if bad:
            return _judge(blank, row.value, Limits(inf, -inf), f"{bad[0][0]} {bad[0][1]}")
        return _judge(blank, row.value, _user_limits(check, row.reference))
    limits = automatic_limits(check.spec, row, by_id, at)
    if limits is None:
        status: Status = "error" if at.mode == "evidently" else "skipped"
        return replace(
            blank, status=status, message="no condition is given, and there is no automatic one"
        )
    return _judge(blank, row.value, limits)


def _judge(blank: CheckResult, value: float, limits: Limits, text: str = "") -> CheckResult:
    fine = limits.hold(value)
    status: Status = "success" if fine else "fail" if blank.critical else "warning"
    lower, upper = (x if isfinite(x) else None for x in (limits.lower, limits.upper))
    sides = [f"{'above' if limits.open_lower else 'at least'} {lower:.6g}" if lower is not None else "",
             f"{'below' if limits.open_upper else 'at most'} {upper:.6g}" if upper is not None else ""]  # fmt: skip
    wanted = text or " and ".join(s for s in sides if s)
    return replace(
        blank,
        status=status,
        value=value,
        lower=lower,
        upper=upper,
        message=f"{value:.6g}, wanted {wanted}",
    )


def _member(op: str, value: float, wanted: Any) -> bool:
    if op == "not_eq":
        return bool(value != wanted)
    return (value in wanted) == (op == "in")


def _user_limits(check: Check, reference: float | None) -> Limits:
    """The meeting of all conditions of a test."""
    out = Limits()
    for op, wanted in check.conditions:
        if op in ("in", "not_in", "not_eq"):
            continue
        if op == "between":
            out = _meet(_meet(out, _one("gte", wanted[0], 0.0)), _one("lte", wanted[1], 0.0))
        elif isinstance(wanted, Relative):
            center = reference or 0.0
            out = _meet(out, _one(op, center, max(abs(center) * wanted.relative, wanted.absolute)))
        else:
            out = _meet(out, _one(op, wanted, 0.0))
    return out


def _one(op: str, value: float, tolerance: float) -> Limits:
    """Evidently's reading of a tolerance: `lt` and `gt` become stricter by it, the others laxer."""
    if op == "eq":
        return Limits(value - tolerance, value + tolerance)
    if op in ("lt", "lte"):
        return Limits(
            upper=value - tolerance if op == "lt" else value + tolerance, open_upper=op == "lt"
        )
    return Limits(
        lower=value + tolerance if op == "gt" else value - tolerance, open_lower=op == "gt"
    )


def _meet(a: Limits, b: Limits) -> Limits:
    low = max((a.lower, a.open_lower), (b.lower, b.open_lower))
    high = min((a.upper, not a.open_upper), (b.upper, not b.open_upper))
    return Limits(low[0], high[0], low[1], not high[1])


def automatic_limits(
    spec: MetricSpec, row: MetricRow, by_id: Mapping[str, list[MetricRow]], at: Situation
) -> Limits | None:
    """The limits of a test without a condition."""
    auto = spec.automatic
    if auto is None:
        return None
    bound = auto.beside if at.reference_rows is not None else auto.alone
    if bound is None or bound.op == "method":
        return None
    center = bound.to if bound.to is not None else row.reference
    if center is None:
        return None
    if at.mode == "evidently":
        if bound.scaled and at.reference_rows:
            center *= at.rows / at.reference_rows
        return _one(bound.op, center, _tolerance(bound, center, by_id))
    return _directional(spec, bound, row, center, by_id, at)


def _directional(
    spec: MetricSpec,
    bound: Bound,
    row: MetricRow,
    center: float,
    by_id: Mapping[str, list[MetricRow]],
    at: Situation,
) -> Limits | None:
    """One side where one is better, counts scaled to the batch, ratios with the noise of its size."""
    if spec.id == "row_count" and row.reference is not None:
        if at.reference_windows is None:
            return _one("gt", 0.0, 0.0)
        mean = row.reference / at.reference_windows
        return Limits(0.5 * mean, 2 * mean)
    if (
        spec.automatic is not None
        and spec.automatic.directional is not None
        and row.reference is not None
    ):
        bound = spec.automatic.directional
    if bound.to is None and spec.unit == "rows" and at.reference_rows:
        center *= at.rows / at.reference_rows
    op = bound.op
    if op == "eq" and spec.better != "neutral":
        op = "lte" if spec.better == "lower" else "gte"
    tolerance = _tolerance(bound, center, by_id)
    if at.sampling and bound.to is None and row.n:
        if spec.unit == "ratio":
            share = min(max(center, 0.0), 1.0)
            tolerance += at.sampling * sqrt(share * (1 - share) / row.n)
        elif spec.unit == "rows":
            tolerance += at.sampling * sqrt(max(center, 0.0))
    return _one(op, center, tolerance)


def _tolerance(bound: Bound, center: float, by_id: Mapping[str, list[MetricRow]]) -> float:
    absolute = bound.absolute
    if bound.spread:
        absolute *= next((r.value or 0.0 for r in by_id.get(bound.spread, [])), 0.0)
    exact = not bound.relative and not bound.absolute
    return 0.0 if exact else max(abs(center) * bound.relative, absolute, TINY)
