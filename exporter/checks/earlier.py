"""How far sound batches are from each other: the figures of a rolling reference's own windows.

A day is never a sample of a month. What the days of the reference are to the month as a whole, the
next day may be as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Any, NamedTuple, Protocol

from exporter.metrics import MetricSpec
from exporter.metrics.drift import DriftRows, compare
from exporter.profile.column import CategoryProfile, ColumnProfile, NumericProfile
from exporter.profile.outcome import Outcome
from exporter.profile.points import Estimate
from exporter.profile.table import TableProfile
from exporter.snapshot import DriftRow, canonical

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


class _Figure(NamedTuple):
    label: str
    value: float
    rows: int  # of the window


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
    _known: dict[tuple[str, str, str], list[_Figure]] = field(default_factory=dict)
    _drift: dict[str, list[DriftRow | None]] = field(default_factory=dict)

    def figures(
        self, spec: MetricSpec, params: Params, column: str, label: str, *, rows: int | None = None
    ) -> list[float]:
        """One figure a window that has it; with *rows*, scaled to a batch of so many."""
        if len(self.windows) < FEWEST:
            return []
        key = (spec.id, column, canonical(params))
        if key not in self._known:
            read = self._of_table if spec.per == "dataset" else self._of_column
            self._known[key] = list(read(spec, params, column))
        return [
            value if rows is None else value * rows / whole
            for named, value, whole in self._known[key]
            if named == label
        ]

    def severities(self, column: str, params: Params) -> list[float]:
        """How far each window has drifted from the whole: 1 at the threshold."""
        if len(self.windows) < FEWEST:
            return []
        rows = self._drift_rows(column, params)
        return [row.severity for row in rows if row is not None and row.severity is not None]

    def _of_table(self, spec: MetricSpec, params: Params, _: str) -> Iterator[_Figure]:
        for place, window in enumerate(self.windows):
            current = self._read(spec, window, place)
            if current is None or not window.table.rows:
                continue
            count = window.table.rows if not isinstance(current, Outcome) else current.count
            if count >= self.min_rows or isinstance(current, TableProfile):
                beside = (self.whole.table,) if spec.compares else ()
                yield from _figures(spec, params, window.table.rows, current, *beside)

    def _read(self, spec: MetricSpec, window: Profiles, place: int) -> object | None:
        if DriftRows in spec.reads:
            rows = [self._drift_rows(name, params)[place] for name, params in self.drift.items()]
            return DriftRows([row for row in rows if row is not None])
        parts = (window.table, window.outcome)
        return next((part for part in parts if isinstance(part, spec.reads)), None)

    def _of_column(self, spec: MetricSpec, params: Params, name: str) -> Iterator[_Figure]:
        for place, window in enumerate(self.windows):
            column, whole = window.columns.get(name), self.whole.columns.get(name)
            if column is None or whole is None or not column.rows:
                continue
            if spec.compares and column.count < max(self.min_rows, 1):
                continue
            beside = (self._others(place, column, whole),) if spec.compares else ()
            yield from _figures(spec, params, column.rows, column, *beside)

    def _others(self, place: int, column: ColumnProfile, whole: ColumnProfile) -> ColumnProfile:
        """The reference without one window, as far as range and categories go."""
        if isinstance(column, CategoryProfile) and isinstance(whole, CategoryProfile):
            spread = self._spread[column.name]
            known = [i for i, label in enumerate(column.labels) if spread[label] > 1]
            labels = tuple([column.labels[i] for i in known])
            return replace(whole, labels=labels, counts=column.counts[known])
        if isinstance(column, NumericProfile) and isinstance(whole, NumericProfile):
            others = [
                w.columns[column.name]
                for i, w in enumerate(self.windows)
                if i != place and column.name in w.columns
            ]
            ends = [o.moments for o in others if isinstance(o, NumericProfile) and o.count]
            if ends:
                least, most = min(m.least for m in ends), max(m.most for m in ends)
                moments = replace(whole.moments, least=least, most=most)
                return replace(whole, moments=moments)
        return whole

    def _drift_rows(self, column: str, params: Params) -> list[DriftRow | None]:
        if column not in self._drift:
            self._drift[column] = [self._compared(w, column, params) for w in self.windows]
        return self._drift[column]

    def _compared(self, window: Profiles, name: str, params: Params) -> DriftRow | None:
        column, whole = window.columns.get(name), self.whole.columns.get(name)
        kinds = (NumericProfile, CategoryProfile)
        if not isinstance(column, kinds) or not isinstance(whole, kinds):
            return None
        if column.count < self.min_rows:
            return None
        try:
            return compare(column, whole, **params)
        except Exception:  # noqa: BLE001  a window that cannot be compared says nothing
            return None

    @cached_property
    def _spread(self) -> _Spread:
        return _Spread(self.windows)


class _Spread(dict[str, Counter[str]]):
    """By column: in how many windows each label occurs."""

    def __init__(self, windows: Sequence[Profiles]) -> None:
        super().__init__()
        self._windows = windows

    def __missing__(self, name: str) -> Counter[str]:
        found: Counter[str] = Counter()
        for window in self._windows:
            column = window.columns.get(name)
            if isinstance(column, CategoryProfile):
                found.update(column.labels)
        self[name] = found
        return found


def _figures(spec: MetricSpec, params: Params, rows: int, *profiles: object) -> Iterator[_Figure]:
    try:
        result = spec.compute(*profiles, **params)
    except Exception:  # noqa: BLE001  a window that has no such figure says nothing
        return
    for label, value in result.items() if isinstance(result, Mapping) else (("", result),):
        number = float(value.value if isinstance(value, Estimate) else value)
        if isfinite(number):
            yield _Figure(label, number, rows)
