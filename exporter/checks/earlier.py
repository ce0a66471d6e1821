"""How far sound batches are from each other: the figures of a rolling reference's own windows.

A day is never a sample of a month. What the days of the reference are to the month as a whole, the
next day may be as well, and a little more: few windows have not seen the worst.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, isfinite, log
from typing import Any, NamedTuple, Protocol

from exporter.checks.chance import tail
from exporter.checks.records import Records
from exporter.checks.severities import Severities
from exporter.metrics import MetricSpec
from exporter.metrics.drift import DriftRows
from exporter.profile.column import ColumnProfile, NumericProfile
from exporter.profile.outcome import Outcome
from exporter.profile.points import Estimate
from exporter.profile.table import TableProfile
from exporter.snapshot import DriftRow, canonical

BEYOND = 1.25  # so much farther than the worst window
FEWEST = 2  # windows from which anything can be learnt
Params = Mapping[str, Any]


class Profiles(Protocol):
    """What is read of a reference, and of each of its windows."""

    @property
    def columns(self) -> Mapping[str, ColumnProfile]:
        """By name."""

    @property
    def table(self) -> TableProfile:
        """Of the rows."""

    @property
    def outcome(self) -> Outcome | None:
        """Of target and prediction."""


class Reach(NamedTuple):
    """How low and how high a sound batch's figure may be."""

    lower: float
    upper: float


class Evidence(Protocol):
    """What a reference itself tells of how far sound batches are from it."""

    chance_only: bool  # that of the rows: what else differs from batch to batch is not known
    drift: Mapping[str, Params]  # a column's drift options

    def reach(
        self,
        spec: MetricSpec,
        params: Params,
        column: str,
        label: str,
        *,
        center: float,
        rows: int | None = None,
    ) -> Reach | None:
        """How far a figure may be off; None where nothing is known. With *rows*, of a count in so many."""

    def severity(self, column: str, params: Params) -> float:
        """How severe a drift may be: 1 at the threshold."""

    def once(self, column: str) -> int:
        """How many values occur only once, where chance alone is known; 0 where windows tell more."""


def excused(evidence: Evidence, rows: Sequence[DriftRow]) -> float:
    """The share of the compared columns that have drifted, but not farther than sound batches do."""
    tested = [row for row in rows if row.error is None and row.column in evidence.drift]
    drifted = [row for row in tested if row.drifted]
    fine = [
        row
        for row in drifted
        if (row.severity or 0.0) < evidence.severity(row.column, evidence.drift[row.column])
    ]
    return len(fine) / len(tested) if tested else 0.0


class WindowFigure(NamedTuple):
    """What a metric says of one window."""

    label: str
    value: float
    rows: int  # of the window
    record: bool = False  # it is of a window beside those before it, or after it, only


@dataclass
class Earlier:
    """The figures of a reference's windows, each computed when first asked for.

    A metric that compares is computed of each window beside the whole reference; one that counts
    what the reference does not have, beside the other windows, for the whole has all of it.
    """

    whole: Profiles
    windows: Sequence[Profiles]
    drift: Mapping[str, Params] = field(default_factory=dict)  # a column's drift options
    min_rows: int = 0  # windows that have fewer say nothing
    chance_only = False
    _known: dict[tuple[str, str, str], list[WindowFigure]] = field(default_factory=dict)
    _drift: dict[str, list[DriftRow | None]] = field(default_factory=dict)
    _records: dict[str, Records] = field(default_factory=dict)

    def once(self, column: str) -> int:  # noqa: ARG002  windows show what comes new
        """Nothing: what came new in the windows themselves is known."""
        return 0

    def reach(
        self,
        spec: MetricSpec,
        params: Params,
        column: str,
        label: str,
        *,
        center: float,
        rows: int | None = None,
    ) -> Reach | None:
        """A quarter beyond the worst window, and to where the tail of the windows' figures seldom reaches."""
        figures = self.figures(spec, params, column, label, rows=rows)
        if len(figures) < FEWEST:  # the other windows have too few rows, or none
            return None
        worst = figures + self.figures(spec, params, column, label, rows=rows, records=True)
        share = spec.unit == "ratio" and min(worst) >= 0 and max(worst) <= 1
        low, high = _reaches_of_shares(figures) if share else reaches(figures)
        most, least = max(worst), min(worst)
        lower, upper = center + BEYOND * (least - center), center + BEYOND * (most - center)
        if spec.better == "lower" and most > 0:  # far from zero, not from the whole
            upper = max(upper, BEYOND * most)
        if share:
            lower, upper = max(lower, least**BEYOND), min(upper, 1 - (1 - most) ** BEYOND)
        return Reach(min(low, lower), max(high, upper))

    def severity(self, column: str, params: Params) -> float:
        """A quarter more than that of the worst window, or what the tail seldom passes."""
        severities = self.severities(column, params)
        if len(severities) < FEWEST:
            return 1.0
        return max(1.0, BEYOND * max(severities), tail(severities))

    def figures(
        self,
        spec: MetricSpec,
        params: Params,
        column: str,
        label: str,
        *,
        rows: int | None = None,
        records: bool = False,
    ) -> list[float]:
        """One figure a window that has it; with *rows*, scaled to a batch of so many.

        With *records* those of windows that had what the windows before them, or after, had not.
        """
        if len(self.windows) < FEWEST:
            return []
        key = (spec.id, column, canonical(params))
        if key not in self._known:
            read = self._of_table if spec.per == "dataset" else self._of_column
            self._known[key] = list(read(spec, params, column))
        return [
            found.value if rows is None else found.value * rows / found.rows
            for found in self._known[key]
            if found.label == label and found.record == records
        ]

    def severities(self, column: str, params: Params) -> list[float]:
        """How far each window has drifted from the whole: 1 at the threshold."""
        if len(self.windows) < FEWEST:
            return []
        rows = self._drift_rows(column, params)
        return [row.severity for row in rows if row is not None and row.severity is not None]

    def _of_table(self, spec: MetricSpec, params: Params, _: str) -> Iterator[WindowFigure]:
        for place, window in enumerate(self.windows):
            current = self._read(spec, window, place)
            if current is None or not window.table.rows:
                continue
            count = window.table.rows if not isinstance(current, Outcome) else current.count
            if count >= self.min_rows or isinstance(current, TableProfile):
                beside = (self.whole.table,) if spec.compares else ()
                yield from finite_figures(spec, params, window.table.rows, current, *beside)

    def _read(self, spec: MetricSpec, window: Profiles, place: int) -> object | None:
        if DriftRows in spec.reads:
            rows = [self._drift_rows(name, params)[place] for name, params in self.drift.items()]
            return DriftRows([row for row in rows if row is not None])
        parts = (window.table, window.outcome)
        return next((part for part in parts if isinstance(part, spec.reads)), None)

    def _of_column(self, spec: MetricSpec, params: Params, name: str) -> Iterator[WindowFigure]:
        for place, window in enumerate(self.windows):
            column, whole = window.columns.get(name), self.whole.columns.get(name)
            if column is None or whole is None or not column.rows:
                continue
            if not spec.compares:
                yield from finite_figures(spec, params, column.rows, column)
            elif column.count >= max(self.min_rows, 1):
                alike = not spec.alone and isinstance(column, NumericProfile)  # moments hardly move
                beside = whole if alike else self._records_of(name).others(place)
                yield from finite_figures(spec, params, column.rows, column, beside)
        if spec.compares and name in self.whole.columns:
            yield from self._broken(spec, params, name)

    def _broken(self, spec: MetricSpec, params: Params, name: str) -> Iterator[WindowFigure]:
        """The figures of windows that had what those before them, or after them, had not."""
        if not spec.alone and isinstance(self.whole.columns[name], NumericProfile):
            return
        for column, beside in self._records_of(name).broken():
            if column.count >= max(self.min_rows, 1):
                for figure in finite_figures(spec, params, column.rows, column, beside):
                    yield figure._replace(record=True)

    def _records_of(self, name: str) -> Records:
        if name not in self._records:
            windows = [window.columns.get(name) for window in self.windows]
            self._records[name] = Records(self.whole.columns[name], windows)
        return self._records[name]

    def _drift_rows(self, column: str, params: Params) -> list[DriftRow | None]:
        if column not in self._drift:
            whole = self.whole.columns.get(column)
            beside = Severities(whole, params) if whole is not None else None
            windows = [window.columns.get(column) for window in self.windows]
            self._drift[column] = [
                beside.of(w) if beside and w and w.count >= max(self.min_rows, 1) else None
                for w in windows
            ]
        return self._drift[column]


def reaches(figures: Sequence[float]) -> Reach:
    """Where both tails of the figures seldom reach."""
    return Reach(-tail([-x for x in figures]), tail(figures))


def _reaches_of_shares(figures: Sequence[float]) -> Reach:
    """The same where nothing and all are infinitely far: a feed that is all dead is beyond any window that is not."""
    high = 1.0 if max(figures) == 1 else 1 - exp(-tail([-log(1 - x) for x in figures]))
    low = 0.0 if min(figures) == 0 else exp(-tail([-log(x) for x in figures]))
    return Reach(low, high)


def finite_figures(
    spec: MetricSpec, params: Params, rows: int, *profiles: object
) -> Iterator[WindowFigure]:
    """The figures of a metric, one a label; none where it cannot be computed, or is not finite."""
    try:
        result = spec.compute(*profiles, **params)
    except Exception:  # noqa: BLE001  a window that has no such figure says nothing
        return
    for label, value in result.items() if isinstance(result, Mapping) else (("", result),):
        number = float(value.value if isinstance(value, Estimate) else value)
        if isfinite(number):
            yield WindowFigure(label, number, rows)
