"""Every test of an evaluation judged: pure arithmetic on figures, no profile of the batch is looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import isfinite
from typing import Any

from exporter.checks.automatic import (
    EMPTY_REFERENCE,
    NEEDS_REFERENCE,
    Figure,
    Missing,
    Situation,
)
from exporter.checks.conditions import Condition, Demand, demand, told
from exporter.checks.naming import listed
from exporter.distances import DRIFT_METHODS, DriftMethod
from exporter.distances._registry import SMALLEST_P
from exporter.errors import Path
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.metrics.drift import DRIFT_METRICS, DriftRows, rows_of
from exporter.profile.outcome import ErrorProfile, ScoreProfile
from exporter.profile.ranking import RankingProfile
from exporter.profile.rows import Rows
from exporter.snapshot import INFINITE, NO_VALUE, Alert, CheckResult, DriftRow, MetricRow, Status


@dataclass(frozen=True, slots=True)
class Check:
    """One test as the plan resolved it; no condition = the metric's automatic one."""

    name: str
    spec: MetricSpec
    params: Mapping[str, Any]
    columns: tuple[str, ...] | None = None  # None = every column that has the figure
    conditions: tuple[Condition, ...] = ()
    critical: bool = True
    label: str | None = None  # None = the total, or every label where there is no total
    preset: bool = False  # it came with a preset: an explicit test of the same figure replaces it
    at: Path = ()
    without: frozenset[str] = field(default_factory=frozenset)  # columns that other tests look at
    alert: Alert | None = None

    def reads(self, column: str) -> bool:
        """Whether it looks at this column."""
        wanted = self.columns is None or column in self.columns
        return wanted and column not in self.without

    def reads_all(self, columns: tuple[str, ...]) -> bool:
        """Whether it looks at what is told of these; of a pair one is enough where it looks at one column."""
        enough = any if self.columns is not None and len(self.columns) == 1 else all
        return enough(map(self.reads, columns))

    def result(
        self, status: Status, message: str, column: str = "", label: str = ""
    ) -> CheckResult:
        """What became of it, without a figure."""
        return CheckResult(
            self.name, self.spec.id, column, label, self.params, status, self.critical,
            message=message, alert=self.alert,
        )  # fmt: skip

    def judged(self, fine: bool) -> Status:
        """The status of a figure that meets the condition, or does not."""
        return "success" if fine else "fail" if self.critical else "warning"

    @property
    def compares(self) -> bool:
        """Whether the figure is read from batch and reference together.

        Where a metric can do without a reference, its options stand in for it.
        """
        given = any(value is not None for value in self.params.values())
        return self.spec.compares and not (self.spec.alone and given)

    def wants_values(self, *, follows: bool) -> bool:
        """Whether few values say nothing: it judges quality, or compares; integrity shows in any number.

        `follows`: the condition follows the reference's figure.
        """
        reads = set(self.spec.reads)
        if {ErrorProfile, ScoreProfile, DriftRows} & reads:
            return True
        if RankingProfile in reads and self.spec.unit != "rows":
            return True
        if Rows in reads and self.spec.unit == "score":
            return True
        compared = self.compares or (follows and self.spec.better == "neutral")
        return (self.spec.per != "dataset" or Rows in reads) and compared


def check_all(
    checks: Sequence[Check],
    metrics: Iterable[MetricRow],
    drift: Sequence[DriftRow],
    situation: Situation,
) -> tuple[CheckResult, ...]:
    """Every test's result, in the plan's order; one that finds no figure says so."""
    by_id: dict[str, list[MetricRow]] = {}
    for row in metrics:
        by_id.setdefault(row.metric, []).append(row)
    judge = _Judge(by_id, drift, situation)
    return tuple(result for check in checks for result in judge.results(check))


@dataclass(frozen=True, slots=True)
class _Judge:
    by_id: Mapping[str, Sequence[MetricRow]]
    drift: Sequence[DriftRow]
    at: Situation

    def results(self, check: Check) -> list[CheckResult]:
        if check.spec.id in DRIFT_METRICS:
            mine = rows_of(check.spec.id, self.drift)
            rows = [row for row in mine if check.reads(row.column)]
            found = {row.column for row in rows}
            told_of = [self._drift_result(check, row) for row in rows]
        else:
            figures = self._figures(check)
            found = {name for row in figures for name in _columns_of(check.spec, row)}
            told_of = [self._named(self._result(check, row)) for row in figures]
        absent = [c for c in check.columns or (() if found else ("",)) if c not in found]
        return told_of + [self._absent(check, column) for column in absent]

    def _named(self, result: CheckResult) -> CheckResult:
        """With the columns that the figure counts, where there are too many."""
        names = self.at.names.get(result.metric)
        if not names or result.status not in ("fail", "warning"):
            return result
        return replace(result, message=f"{result.message}: {listed(names)}")

    def _figures(self, check: Check) -> list[MetricRow]:
        mine = [
            row
            for row in self.by_id.get(check.spec.id, ())
            if check.reads_all(_columns_of(check.spec, row))
            and dict(row.params) == dict(check.params)
        ]
        if check.label is not None:
            return [row for row in mine if row.label == check.label or row.error]
        totals = [row for row in mine if row.label == ""]
        return totals or mine

    def _absent(self, check: Check, column: str) -> CheckResult:
        """A test that finds no figure is told, never dropped: a silent test reads as a passed one."""
        label = check.label or ""
        if self.at.reference_rows is None and (check.compares or _reads_drift(check.spec)):
            status, message = self._unreferenced()
            return check.result(status, message, column, label)
        text = f"there is no figure with label {label!r}" if label else "there is no such figure"
        return check.result("error", text, column, label)

    def _unreferenced(self) -> tuple[Status, str]:
        if self.at.reference_expected:
            return "skipped", EMPTY_REFERENCE
        return "error" if self.at.mode == "evidently" else "skipped", NEEDS_REFERENCE

    def _drift_result(self, check: Check, row: DriftRow) -> CheckResult:
        few = self._too_few(row.n or 0) or self._too_few(row.reference_n or 0, "reference ")
        if few:
            return check.result("skipped", few, row.column)
        if row.error is not None or row.score is None:
            return check.result("error", row.error or "no score", row.column)
        if check.conditions:
            wanted = demand(check.conditions)
            return _against(check.result("success", "", row.column), check, wanted, row.score)
        return self._by_threshold(check, row, row.score)

    def _by_threshold(self, check: Check, row: DriftRow, score: float) -> CheckResult:
        """Drifted, and farther than the windows of a rolling reference are from it as a whole."""
        method, threshold = DRIFT_METHODS[row.method], row.threshold or 0.0
        allowed = self._allowed_severity(check, row)
        fine = not row.drifted or (allowed > 1 and (row.severity or 0.0) < allowed)
        bound = _threshold_at(method, threshold, allowed)
        p = method.score == "p_value"
        text = f"{row.method} {'p-value ' if p else ''}{told(score)}, threshold {told(bound)}"
        if allowed > 1:
            text += f" ({told(threshold)} widened: {self._why_widened()})"
        blank = check.result(check.judged(fine), text, row.column)
        return replace(blank, value=score, lower=bound if p else None, upper=None if p else bound)

    def _why_widened(self) -> str:
        if self.at.evidence is not None and self.at.evidence.chance_only:
            return "so few rows differ as much by chance"
        return "the reference's own windows differ as much"

    def _allowed_severity(self, check: Check, row: DriftRow) -> float:
        if self.at.mode == "evidently" or self.at.evidence is None:
            return 1.0
        return self.at.evidence.severity(row.column, check.params)

    def _result(self, check: Check, row: MetricRow) -> CheckResult:
        gone = self._no_value(check, row)
        if gone is not None:
            return gone
        blank = check.result("success", "", row.column, row.label)
        blank = replace(blank, value=row.value)
        if row.value is None or not isfinite(row.value):  # beyond any limit
            return replace(
                blank, status=check.judged(False), value=None, message="the figure is infinite"
            )
        if check.conditions:
            return self._by_conditions(check, row, row.value, blank)
        others = partial(self._dataset_figure, check, row.label)
        limits = Figure(check.spec, row, others, self.drift).limits(self.at)
        if isinstance(limits, Missing):
            status: Status = "error" if limits.fault else "skipped"
            return replace(blank, status=status, message=limits.reason)
        return _against(blank, check, Demand(limits), row.value)

    def _no_value(self, check: Check, row: MetricRow) -> CheckResult | None:
        """The result where there is no figure, or too few values make it."""
        follows = any(c.follows for c in check.conditions) or not check.conditions
        if not self.at.rows and row.value is None:
            return check.result("skipped", "the batch has no rows", row.column, row.label)
        if check.wants_values(follows=follows and self.at.reference_rows is not None):
            few = self._too_few(row.n or 0)
            if not few and check.compares:
                few = self._too_few(self.at.reference_rows or 0, "reference ")
            if few:
                return check.result("skipped", few, row.column, row.label)
        if row.error is not None and row.error != INFINITE:
            empty = row.error == NO_VALUE and not row.n
            reason = "no values in the batch" if empty else row.error
            return check.result("error", reason, row.column, row.label)
        return None

    def _too_few(self, n: int, whose: str = "") -> str:
        """Why nothing is judged; a large enough batch that has no values at all is an error instead."""
        least, rows = self.at.min_rows, self.at.rows
        if rows < least:
            return f"{rows} rows, fewer than min_rows ({least})"
        return f"{n} {whose}values, fewer than min_rows ({least})" if 0 < n < least else ""

    def _by_conditions(
        self, check: Check, row: MetricRow, value: float, blank: CheckResult
    ) -> CheckResult:
        if row.reference is None and any(c.follows for c in check.conditions):
            if self.at.reference_rows is not None:
                return replace(blank, status="error", message="the reference has no such figure")
            status, message = self._unreferenced()
            return replace(blank, status=status, message=message)
        return _against(blank, check, demand(check.conditions, row.reference), value)

    def _dataset_figure(self, check: Check, label: str, metric: str) -> float | None:
        """Another metric's figure with the test's own options, of the same label where it has that."""
        wanted = shared_params(check, metric)
        rows = [row for row in self.by_id.get(metric, ()) if dict(row.params) == wanted]
        found = {row.label: row.value for row in reversed(rows)}
        return found[label] if label in found else next((row.value for row in rows), None)


def shared_params(check: Check, metric: str) -> dict[str, Any]:
    """The options of another metric that a test's condition reads: the test's own, as far as it has them."""
    spec = CATALOGUE[metric]
    return spec.params({k: v for k, v in check.params.items() if k in spec.options})


def _against(blank: CheckResult, check: Check, wanted: Demand, value: float) -> CheckResult:
    limits = wanted.limits
    return replace(
        blank,
        status=check.judged(wanted.hold(value)),
        value=value,
        lower=limits.lower if isfinite(limits.lower) else None,
        upper=limits.upper if isfinite(limits.upper) else None,
        message=wanted.said(value),
    )


def _threshold_at(method: DriftMethod, threshold: float, severity: float) -> float:
    """The score that has this severity: the threshold itself at 1."""
    if severity == 1:
        return threshold
    if method.score == "p_value":
        return max(float(threshold**severity), SMALLEST_P)
    return threshold * severity


def _columns_of(spec: MetricSpec, row: MetricRow) -> tuple[str, ...]:
    """The columns that a figure is about: of a pair both, the other one as label."""
    pair = spec.per == "pair" and spec.labels == "column" and row.label
    return (row.column, row.label) if pair else (row.column,)


def _reads_drift(spec: MetricSpec) -> bool:
    return spec.id in DRIFT_METRICS or DriftRows in spec.reads
