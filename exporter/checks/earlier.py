"""How far sound batches are from each other: the figures of a rolling reference's own windows.

A day is never a sample of a month. What the days of the reference are to the month as a whole, the
next day may be as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import inf, isfinite
from typing import Any, NamedTuple, Protocol

from exporter.distances import method_named
from exporter.distances.gaps import ks_distance
from exporter.distances.tails import ks_asymptotic
from exporter.metrics import MetricSpec
from exporter.metrics.drift import DriftRows, automatic_method, compare
from exporter.profile.column import CategoryProfile, ColumnProfile, Moments, NumericProfile
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
    _spreads: dict[str, Counter[str]] = field(default_factory=dict)
    _ranges: dict[str, Sequence[tuple[float, float]]] = field(default_factory=dict)

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
            if not spec.compares:
                yield from _figures(spec, params, column.rows, column)
            elif column.count >= max(self.min_rows, 1):
                alike = not spec.alone and isinstance(column, NumericProfile)  # moments hardly move
                beside = whole if alike else self._others(place, column, whole)
                yield from _figures(spec, params, column.rows, column, beside)

    def _others(self, place: int, column: ColumnProfile, whole: ColumnProfile) -> ColumnProfile:
        """The reference without one window, as far as range and categories go."""
        if isinstance(column, CategoryProfile) and isinstance(whole, CategoryProfile):
            spread = self._spread(column.name)
            known = [i for i, label in enumerate(column.labels) if spread[label] > 1]
            labels = tuple([column.labels[i] for i in known])
            return CategoryProfile(
                whole.name, whole.rows, whole.missing, labels, column.counts[known]
            )
        if isinstance(column, NumericProfile) and isinstance(whole, NumericProfile):
            least, most = self._range_beside(column.name)[place]
            if least > most:  # no other window has values
                return whole
            m = whole.moments
            return NumericProfile(
                whole.name, whole.rows, whole.missing, whole.infinite, whole.distinct,
                Moments(m.count, m.mean, m.squares, least, most), whole.points,
            )  # fmt: skip
        return whole

    def _spread(self, name: str) -> Counter[str]:
        """In how many windows each category occurs."""
        if name not in self._spreads:
            columns = (window.columns.get(name) for window in self.windows)
            labels = (c.labels for c in columns if isinstance(c, CategoryProfile))
            self._spreads[name] = Counter(chain.from_iterable(labels))
        return self._spreads[name]

    def _range_beside(self, name: str) -> Sequence[tuple[float, float]]:
        """For each window the least and the most of the others."""
        if name not in self._ranges:
            columns = [window.columns.get(name) for window in self.windows]
            moments = [
                c.moments if isinstance(c, NumericProfile) and c.count else None for c in columns
            ]
            lows = [*sorted([m.least for m in moments if m]), inf, inf]
            highs = [*sorted([m.most for m in moments if m], reverse=True), -inf, -inf]
            self._ranges[name] = [
                (lows[bool(m and m.least == lows[0])], highs[bool(m and m.most == highs[0])])
                for m in moments
            ]
        return self._ranges[name]

    def _drift_rows(self, column: str, params: Params) -> list[DriftRow | None]:
        if column not in self._drift:
            self._drift[column] = [self._compared(w, column, params) for w in self.windows]
        return self._drift[column]

    def _compared(self, window: Profiles, name: str, params: Params) -> DriftRow | None:
        column, whole = window.columns.get(name), self.whole.columns.get(name)
        kinds = (NumericProfile, CategoryProfile)
        if not isinstance(column, kinds) or not isinstance(whole, kinds):
            return None
        if column.count < max(self.min_rows, 1):
            return None
        try:
            return _compared(column, whole, **params)
        except Exception:  # noqa: BLE001  a window that cannot be compared says nothing
            return None


def _compared(
    column: NumericProfile | CategoryProfile,
    whole: NumericProfile | CategoryProfile,
    method: str,
    threshold: float | None,
    **options: Any,
) -> DriftRow:
    """The drift of a window; exact p-values of KS take 20 ms each, and here only their size counts."""
    fixed = threshold is not None
    chosen = automatic_method(whole, None, distance=fixed) if method == "auto" else None
    named = chosen.id if chosen else method
    if isinstance(column, NumericProfile) and isinstance(whole, NumericProfile) and named == "ks":
        return _ks(column, whole, threshold)
    return compare(column, whole, method, threshold, **options)


def _ks(column: NumericProfile, whole: NumericProfile, threshold: float | None) -> DriftRow:
    ks = method_named("ks")
    limit = ks.threshold if threshold is None else threshold
    n, m = column.count, whole.count
    p = ks_asymptotic(ks_distance(column, whole).value, max(round(n * m / (n + m)), 1))
    return DriftRow(
        column.name, "numerical", "ks", p, limit, ks.drifted(p, limit), ks.severity(p, limit),
        n=n, reference_n=m,
    )  # fmt: skip


def _figures(spec: MetricSpec, params: Params, rows: int, *profiles: object) -> Iterator[_Figure]:
    try:
        result = spec.compute(*profiles, **params)
    except Exception:  # noqa: BLE001  a window that has no such figure says nothing
        return
    for label, value in result.items() if isinstance(result, Mapping) else (("", result),):
        number = float(value.value if isinstance(value, Estimate) else value)
        if isfinite(number):
            yield _Figure(label, number, rows)
