"""How far chance goes: windows of the batch's size, drawn from a fixed reference.

Fixed data have no windows to learn from. What can be known is how far a batch would be if its rows
were drawn from the reference at random: less than that says nothing about the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from math import exp, sqrt
from statistics import median
from typing import Any

import numpy as np

from exporter.checks.chance import RARE, reach, tail
from exporter.checks.drawing import drawn_column, drawn_outcome
from exporter.checks.earlier import FEWEST, Params, Profiles, Reach, finite_figures, reaches
from exporter.checks.severities import Severities
from exporter.distances import DRIFT_METHODS
from exporter.metrics import MetricSpec
from exporter.profile.arrays import Floats
from exporter.profile.column import CategoryProfile, ColumnProfile, NumericProfile
from exporter.profile.outcome import ErrorProfile, Outcome
from exporter.snapshot import canonical

DRAWS = 24
MOST = 5_000  # values in a draw: in more of them chance falls off as the root of their number
HIGHEST = 100  # values of the reference from which its tail beyond them is told
LIGHT = 0.9  # an exponential tail's excesses spread by their mean: below this share of it they fall off sooner
ENOUGH = 25  # values to tell that from
LARGEST = 700.0  # of which a float has the exponential
STEP = 1.25  # sizes are rounded down to powers of it, so that neighbouring batches share draws
Kept = MutableMapping[tuple[str, str, tuple[str, ...]], Any]


@dataclass
class Drawn:
    """The figures of windows drawn from a reference, each computed when first asked for and then kept."""

    whole: Profiles
    rows: int  # of the batch
    drift: Mapping[str, Params] = field(default_factory=dict)  # a column's drift options
    kept: Kept = field(default_factory=dict)
    chance_only = True
    _columns: dict[str, list[NumericProfile | CategoryProfile]] = field(default_factory=dict)
    _drawn_outcomes: list[Outcome] | None = None

    def reach(
        self,
        spec: MetricSpec,
        params: Params,
        column: str,
        label: str,
        *,
        center: float,  # noqa: ARG002  the draws have one of their own
        rows: int | None = None,
    ) -> Reach | None:
        """Where the tail of the draws' figures seldom reaches."""
        if spec.compares or (spec.per == "dataset" and not isinstance(self._outcome, spec.reads)):
            return None
        if spec.id in ("min", "max"):
            return self._extremes(column)
        if spec.id == "max_absolute_error":
            return self._largest_error()
        size = self._size(column)
        figures = self._kept(
            (spec.id, column, (canonical(params), str(size))),
            lambda: self._figures(spec, params, column, size),
        ).get(label, [])
        if len(figures) < DRAWS:
            return None
        middle, part = median(figures), self._part(column)
        grown = 1.0 if rows is None else self._count(column)[0] / size  # counts and sums
        low, high = (middle + (end - middle) * part for end in reaches(figures))
        return Reach(low * grown, high * grown)

    def severity(self, column: str, params: Params) -> float:
        """What drift the draws seldom pass; p-values know chance already."""
        size = self._size(column)
        severities = self._kept(
            ("column_drift", column, (canonical(params), str(size))),
            lambda: self._severities(column, params, size),
        )
        return max(1.0, tail(severities) * self._part(column)) if severities else 1.0

    def once(self, column: str) -> int:
        """How many values of the reference occur only once: about as many more there are that it has not.

        Good and Turing's estimate of what is unseen.
        """
        return _once(self.whole.columns.get(column))

    def _kept(self, key: tuple[str, str, tuple[str, ...]], make: Callable[[], Any]) -> Any:
        key = ("drawn " + key[0], *key[1:])
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def _count(self, column: str) -> tuple[int, int]:
        """How many values the batch has about, and the reference."""
        of = self.whole.columns.get(column)
        table, outcome = self.whole.table.rows, self.whole.outcome
        there = of.count if of is not None else outcome.count if outcome and not column else table
        return round(self.rows * there / table) if table else 0, there

    def _part(self, column: str) -> float:
        """How much less chance does in all of the batch than in a draw of the most values."""
        return min(1.0, sqrt(MOST / max(_both(*self._count(column)), 1.0)))

    def _size(self, column: str) -> int:
        """Of a draw: the reference is a sample, too, so it is as far off as a smaller one of a known source."""
        n = min(_both(*self._count(column)), MOST)
        return int(STEP ** int(np.log(n) / np.log(STEP))) if n >= 1 else 0

    def _figures(
        self, spec: MetricSpec, params: Params, column: str, size: int
    ) -> Mapping[str, list[float]]:
        found: dict[str, list[float]] = {}
        draws: Sequence[ColumnProfile | Outcome] = self._drawn(column, size)
        if spec.per == "dataset":
            draws = self._outcomes(size)
        for draw in draws:
            if isinstance(draw, spec.reads):
                for figure in finite_figures(spec, params, size, draw):
                    found.setdefault(figure.label, []).append(figure.value)
        return found

    def _outcomes(self, size: int) -> Sequence[Outcome]:
        outcome = self._outcome
        if outcome is None or not size:
            return []
        if self._drawn_outcomes is None:
            self._drawn_outcomes = [drawn_outcome(outcome, size, seed) for seed in range(DRAWS)]
        return self._drawn_outcomes

    @property
    def _outcome(self) -> Outcome | None:
        return self.whole.outcome

    def _severities(self, column: str, params: Params, size: int) -> list[float]:
        whole = self.whole.columns.get(column)
        if whole is None:
            return []
        beside = Severities(whole, params)
        rows = [beside.of(draw) for draw in self._drawn(column, size)]
        found = [row for row in rows if row and DRIFT_METHODS[row.method].score == "distance"]
        return [row.severity for row in found if row.severity is not None]

    def _drawn(self, column: str, size: int) -> Sequence[NumericProfile | CategoryProfile]:
        whole = self.whole.columns.get(column)
        if not isinstance(whole, NumericProfile | CategoryProfile) or not whole.count or not size:
            return []
        if column not in self._columns:
            self._columns[column] = [drawn_column(whole, size, seed) for seed in range(DRAWS)]
        return self._columns[column]

    def _extremes(self, column: str) -> Reach | None:
        """How far beyond the reference's own range the tails of its values seldom reach."""
        whole = self.whole.columns.get(column)
        if not isinstance(whole, NumericProfile) or whole.count < FEWEST:
            return None
        odds = self._odds(column)
        low, high = _ends(whole)
        return Reach(-_beyond(-low, odds), _beyond(high, odds))

    def _largest_error(self) -> Reach | None:
        if not isinstance(self._outcome, ErrorProfile) or self._outcome.count < FEWEST:
            return None
        low, high = _ends(self._outcome.errors)
        largest = np.sort(np.abs(np.concatenate([low, high])))[::-1][: len(low)]
        return Reach(0.0, _beyond(largest, self._odds("")))

    def _odds(self, column: str) -> float:
        """One over the chance of a value so far out that a batch seldom has one, among the highest."""
        n, m = self._count(column)
        return _highest(m) * max(n, 1) / ((m + 1) * RARE)


def _highest(m: int) -> int:
    return max(1, min(m // 4, HIGHEST))


def _ends(column: NumericProfile) -> tuple[Floats, Floats]:
    """The lowest values and the highest, the last one first."""
    ranks = np.arange(_highest(column.count) + 1)
    return column.points.at(ranks), column.points.at(column.count - 1 - ranks)


def _beyond(highest: Floats, odds: float) -> float:
    """Where the tail of these values, the highest first, seldom reaches.

    An exponential one; or, where all of them are above zero and do not fall off sooner than that,
    one that falls as a power.
    """
    far = reach(highest.tolist(), odds)
    if highest[-1] <= 0 or _is_light(highest):
        return far
    power = reach(np.log(highest).tolist(), odds)
    return max(far, exp(min(power, LARGEST)))


def _is_light(highest: Floats) -> bool:
    """Whether enough values tell that the tail falls off sooner than an exponential one."""
    excess = highest[:-1] - highest[-1]
    return len(excess) >= ENOUGH and bool(excess.std() < LIGHT * excess.mean())


def _once(column: ColumnProfile | None) -> int:
    if isinstance(column, CategoryProfile):
        return int(np.count_nonzero(column.counts == 1))
    if not isinstance(column, NumericProfile):
        return 0
    points = column.points
    if points.counts is not None:
        return int(np.count_nonzero(points.counts == 1))
    apart = np.ones(len(points.values) + 1, bool)
    apart[1:-1] = points.values[1:] != points.values[:-1]
    return int(np.count_nonzero(apart[1:] & apart[:-1]))


def _both(n: int, m: int) -> float:
    return n * m / (n + m) if n + m else 0.0
