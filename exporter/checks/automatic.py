"""Conditions of tests for which the user gives none: Evidently's, and the directional ones derived from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import floor, sqrt
from typing import Literal

from exporter.checks.chance import SIGMAS, beyond_extremes, seldom_more
from exporter.checks.conditions import Limits, interval, told
from exporter.checks.earlier import Evidence, Reach, excused
from exporter.metrics import MetricSpec
from exporter.metrics._registry import Bound
from exporter.metrics.drift import COLUMN_DRIFT, DriftRows, rows_of
from exporter.profile.column import CategoryProfile
from exporter.profile.rows import Rows
from exporter.snapshot import DriftRow, MetricRow

Mode = Literal["directional", "evidently"]
TINY = 1e-12  # Evidently's absolute tolerance
ROW_COUNT = "row_count"
NEEDS_REFERENCE = "needs a reference"
EMPTY_REFERENCE = "the reference is still empty"
_SAID = {"eq": "", "lt": "below ", "lte": "at most ", "gt": "above ", "gte": "at least "}
_SIGN = {"eq": "±", "lt": "-", "lte": "+", "gt": "+", "gte": "-"}


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a condition may depend on besides the figure."""

    mode: Mode
    rows: int
    reference_rows: int | None = None  # None: there is no reference, or it is still empty
    reference_windows: int | None = None  # None: the reference is fixed data
    min_rows: int = 0
    reference_expected: bool = False  # one is configured, be it empty still
    evidence: Evidence | None = None  # what the reference tells of sound batches
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # columns that a metric counts


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there are no limits; a fault, or only not possible yet."""

    reason: str
    fault: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure to be judged, and where others of its batch are found."""

    spec: MetricSpec
    row: MetricRow
    others: Callable[[str], float | None]  # a dataset metric's figure by its id
    drift: Sequence[DriftRow] = ()  # of all columns

    def limits(self, at: Situation) -> Limits | Missing:
        """The limits of a test without a condition."""
        there = at.reference_rows is not None
        bound = bound_of(self.spec, at.mode, beside=there or at.reference_expected)
        if bound is None or bound.op == "method":
            return _no_bound(self.spec, at)
        center = self._center(bound, at)
        if center is None:
            return self._no_center(bound, there=there)
        if bound.scaled and at.reference_rows:
            center *= at.rows / at.reference_rows
        if at.mode == "evidently":
            least = TINY if bound.relative or bound.absolute else 0.0
            return interval(bound.op, center, max(self._tolerance(bound, center), least))
        return self._directional(bound, center, at)

    def _no_center(self, bound: Bound, *, there: bool) -> Missing:
        if bound.metric:
            return Missing(f"{bound.metric} has no figure", fault=True)
        if there and bound.one_in:
            return Missing("no column could be compared", fault=True)
        if there and self.spec.labels == "category" and self.row.label:
            return Missing("the reference has no figure of this category", fault=False)
        if there:
            return Missing("the reference has no such figure", fault=True)
        return Missing(EMPTY_REFERENCE, fault=False)

    def _center(self, bound: Bound, at: Situation) -> float | None:
        if bound.metric:
            return self.others(bound.metric)
        if bound.one_in:
            part = self._compared / bound.one_in
            return (floor(part) if at.mode == "evidently" else part) if part else None
        return self.row.reference if bound.to is None else bound.to

    @property
    def _compared(self) -> int:
        """The columns that drifted ones are counted among."""
        return len(DriftRows(rows_of(COLUMN_DRIFT, self.drift)).tested)

    def _directional(self, bound: Bound, center: float, at: Situation) -> Limits:
        """One side where one is better, as wide as chance, or what the reference tells, asks for."""
        reach = self._reach(bound, center, at)
        if self.spec.id == ROW_COUNT and at.reference_windows and self.row.reference:
            mean = self.row.reference / at.reference_windows
            reach = self._reach(bound, mean, at)
            return widened(Limits(mean / 2, 2 * mean), reach)
        tolerance = self._tolerance(bound, center)
        limits = interval(bound.op, center, tolerance)
        more = 0.0
        if DriftRows in self.spec.reads and (self.spec.unit == "ratio" or bound.one_in):
            more = excused(at.evidence, self.drift) if at.evidence else 0.0
            more *= self._compared if bound.one_in else 1
        elif reach is None or (at.evidence is not None and at.evidence.chance_only):
            more = self._sampling(bound, center, tolerance, at)
        limits = replace(limits, lower=limits.lower - more, upper=limits.upper + more)
        return widened(limits, reach)

    def _reach(self, bound: Bound, center: float, at: Situation) -> Reach | None:
        if at.evidence is None or bound.metric:
            return None
        row, scaled_to = self.row, at.rows if bound.scaled else None
        return at.evidence.reach(
            self.spec, row.params, row.column, row.label, center=center, rows=scaled_to
        )

    def _tolerance(self, bound: Bound, center: float) -> float:
        absolute = bound.absolute
        if bound.spread:
            absolute *= self.others(bound.spread) or 0.0
        return max(abs(center) * bound.relative, absolute)

    def _sampling(self, bound: Bound, center: float, tolerance: float, at: Situation) -> float:
        """How much farther than the tolerance a sound batch of this size may be off by chance."""
        n, m = self.row.n, at.reference_rows
        if not n or not m:
            return 0.0
        if self.spec.compares and (self.spec.alone or bound.to == 0):
            return self._unknown(n, m, at)
        if bound.spread:
            return SIGMAS * (self.others(bound.spread) or 0.0) / sqrt(n)
        if bound.to is not None or bound.metric:
            return 0.0
        if self.spec.unit == "ratio":
            share = min(max(center, 0.0), 1.0)
            usual = SIGMAS * sqrt(share * (1 - share) * (1 / n + 1 / m))
            return max(usual, _more(share * m, n, m) / n - share - tolerance)
        if self.spec.unit in ("rows", "values"):
            usual = SIGMAS * sqrt(max(center, 0.0) * (1 + at.rows / m))
            return max(usual, _more(center * m / max(at.rows, 1), at.rows, m) - center - tolerance)
        if Rows in self.spec.reads and self.spec.unit == "score":  # a correlation
            return SIGMAS * sqrt(1 / n + 1 / m)
        return 0.0

    def _unknown(self, n: int, m: int, at: Situation) -> float:
        """What a batch may have that its reference has not: values beyond its range, or not in its list."""
        if CategoryProfile in self.spec.reads:
            once = at.evidence.once(self.row.column) if at.evidence else 0
            beyond = seldom_more(once, n, m)
        elif self.spec.alone:
            beyond = beyond_extremes(n, m)
        else:
            return 0.0
        return beyond / n if self.spec.unit == "ratio" else float(beyond)


def _more(known: float, n: int, m: int) -> float:
    """The count that is seldom passed; of what the reference does not have at all nothing is sound."""
    return seldom_more(round(known), n, m) if known > 0 else 0.0


def bound_of(spec: MetricSpec, mode: Mode, *, beside: bool) -> Bound | None:
    """The metric's automatic condition with a reference (`beside`), or without one."""
    if spec.automatic is None:
        return None
    if mode == "evidently":
        return spec.automatic.beside if beside else spec.automatic.alone
    bound = spec.automatic.alone
    if beside:
        bound = spec.automatic.directional or spec.automatic.beside
    return None if bound is None else _one_sided(bound, spec)


def widened(limits: Limits, reach: Reach | None) -> Limits:
    """The limits, moved out to where sound batches reach; a side that is open stays open."""
    if reach is None:
        return limits
    upper, lower = max(limits.upper, reach.upper), min(limits.lower, reach.lower)
    return replace(limits, upper=upper, lower=lower)


def describe(spec: MetricSpec, mode: Mode, *, reference: bool = True) -> str:
    """The automatic condition in words, such as `at most the reference + 10 %`; "" where there is none."""
    bound = bound_of(spec, mode, beside=reference)
    if bound is None:
        return ""
    if bound.op == "method":
        return "as the drift method's threshold says"
    if mode == "directional" and spec.id == ROW_COUNT and reference:
        return "above 0; rolling: half to twice the mean window"
    scaled = ", scaled to the batch" if bound.scaled else ""
    whole = ", rounded down" if bound.one_in and mode == "evidently" else ""
    return _SAID[bound.op] + _target(bound) + _tolerance_said(bound) + scaled + whole


def _one_sided(bound: Bound, spec: MetricSpec) -> Bound:
    """Of a two-sided condition the side that is worse; counts follow the batch's rows."""
    op = bound.op
    if op == "eq" and spec.better != "neutral":
        op = "lte" if spec.better == "lower" else "gte"
    follows = bound.to is None and not bound.metric
    counted = follows and spec.unit == "rows" and spec.id != ROW_COUNT
    return replace(bound, op=op, scaled=bound.scaled or counted)


def _no_bound(spec: MetricSpec, at: Situation) -> Missing:
    compared = spec.automatic is not None and spec.automatic.beside is not None
    if compared and at.reference_rows is None:
        return Missing(f"{NEEDS_REFERENCE}, or a condition", fault=at.mode == "evidently")
    return Missing("no condition is given, and there is no automatic one", fault=True)


def _target(bound: Bound) -> str:
    if bound.metric:
        return f"`{bound.metric}`"
    if bound.one_in:
        return f"1/{bound.one_in} of the compared columns"
    return "the reference" if bound.to is None else told(bound.to)


def _tolerance_said(bound: Bound) -> str:
    sign = _SIGN.get(bound.op, "")
    if bound.spread:
        return f" {sign} {told(bound.absolute)} of `{bound.spread}`"
    if bound.absolute:
        return f" {sign} {told(bound.absolute)}"
    if bound.relative and bound.to != 0:
        return f" {sign} {told(100 * bound.relative)} %"
    return ""
