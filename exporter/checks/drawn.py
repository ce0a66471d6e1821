"""How far chance goes: windows of the batch's size, drawn from a fixed reference.

Fixed data have no windows to learn from. What can be known is how far a batch would be if its rows
were drawn from the reference at random: less than that says nothing about the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from statistics import median
from typing import Any
from zlib import crc32

import numpy as np

from exporter.checks.chance import RARE, reach, tail
from exporter.checks.earlier import Params, Profiles, Reach, finite_figures, reaches
from exporter.checks.severities import Severities
from exporter.distances import DRIFT_METHODS
from exporter.metrics import MetricSpec
from exporter.profile.column import (
    CategoryProfile,
    ColumnProfile,
    Moments,
    NumericProfile,
    moments_of,
    numeric_profile,
)
from exporter.profile.outcome import ErrorProfile, Outcome
from exporter.profile.points import Points
from exporter.snapshot import canonical

DRAWS = 24
MOST = 5_000  # values in a draw: in more of them chance falls off as the root of their number
HIGHEST = 100  # values of the reference from which its tail beyond them is told
STEP = 1.25  # sizes are rounded down to powers of it, so that neighbouring batches share draws
Kept = MutableMapping[tuple[str, str, tuple[str, ...]], Any]


@dataclass
class Drawn:
    """The figures of windows drawn from a reference, each computed when first asked for and then kept."""

    whole: Profiles
    rows: int  # of the batch
    kept: Kept = field(default_factory=dict)
    chance_only = True
    _columns: dict[str, list[NumericProfile | CategoryProfile]] = field(default_factory=dict)

    def reach(
        self,
        spec: MetricSpec,
        params: Params,
        column: str,
        label: str,
        *,
        center: float,  # noqa: ARG002  the draws have one of their own
        rows: int | None = None,  # noqa: ARG002  they are of the batch's size
    ) -> Reach | None:
        """Where the tail of the draws' figures seldom reaches."""
        if spec.compares or (spec.unit in ("rows", "ratio") and spec.per == "dataset"):
            return None
        if spec.id in ("min", "max"):
            return self._extremes(column)
        size = self._size(column)
        figures = self._kept(
            (spec.id, column, (canonical(params), str(size))),
            lambda: self._figures(spec, params, column, size),
        ).get(label, [])
        if len(figures) < DRAWS:
            return None
        middle, part = median(figures), self._part(column)
        low, high = reaches(figures)
        return Reach(middle + (low - middle) * part, middle + (high - middle) * part)

    def severity(self, column: str, params: Params) -> float:
        """What drift the draws seldom pass; p-values know chance already."""
        size = self._size(column)
        severities = self._kept(
            ("column_drift", column, (canonical(params), str(size))),
            lambda: self._severities(column, params, size),
        )
        return max(1.0, tail(severities) * self._part(column)) if severities else 1.0

    def unseen(self, column: str) -> float | None:
        """The share of rows with a category that the reference has not, to be expected (Good and Turing)."""
        whole = self.whole.columns.get(column)
        if not isinstance(whole, CategoryProfile) or not whole.count:
            return None
        return (np.count_nonzero(whole.counts == 1) + 1) / whole.count

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
            outcome = self.whole.outcome
            if not isinstance(outcome, ErrorProfile) or ErrorProfile not in spec.reads:
                return found
            draws = [_errors(outcome, size, seed) for seed in range(DRAWS)] if size else []
        for draw in draws:
            if isinstance(draw, spec.reads):
                for figure in finite_figures(spec, params, size, draw):
                    found.setdefault(figure.label, []).append(figure.value)
        return found

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
            self._columns[column] = [_draw(whole, size, seed) for seed in range(DRAWS)]
        return self._columns[column]

    def _extremes(self, column: str) -> Reach | None:
        """How far beyond the reference's own range the tails of its values seldom reach."""
        whole = self.whole.columns.get(column)
        if not isinstance(whole, NumericProfile) or whole.count < 2:
            return None
        m, n = whole.count, max(self._count(column)[0], 1)
        k = max(1, min(m // 4, HIGHEST))
        odds = k * n / ((m + 1) * RARE)
        ranks = np.arange(k + 1)
        low, high = whole.points.at(ranks), whole.points.at(m - 1 - ranks)
        return Reach(-reach((-low).tolist(), odds), reach(high.tolist(), odds))


def _both(n: int, m: int) -> float:
    return n * m / (n + m) if n + m else 0.0


def _random(name: str, size: int, seed: int) -> np.random.Generator:
    return np.random.default_rng([crc32(name.encode("utf-8", "surrogatepass")), size, seed])


def _draw(
    whole: NumericProfile | CategoryProfile, size: int, seed: int
) -> NumericProfile | CategoryProfile:
    if isinstance(whole, NumericProfile):
        return _numbers(whole, size, seed)
    return _categories(whole, size, seed)


def _numbers(whole: NumericProfile, size: int, seed: int) -> NumericProfile:
    rng = _random(whole.name, size, seed)
    return numeric_profile(whole.name, size, _values(whole.points, size, rng))


def _values(points: Points, size: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    return points.at(np.sort(rng.integers(points.total, size=size)))


def _categories(whole: CategoryProfile, size: int, seed: int) -> CategoryProfile:
    rng = _random(whole.name, size, seed)
    counts = rng.multinomial(size, whole.counts / whole.count)
    there = np.flatnonzero(counts)
    order = there[np.argsort(-counts[there], kind="stable")]
    labels = tuple([whole.labels[i] for i in order])
    return CategoryProfile(whole.name, size, 0, labels, counts[order])


def _errors(whole: ErrorProfile, size: int, seed: int) -> ErrorProfile:
    """Errors drawn as they are; the percentages, of which only moments are known, by their mean's own error."""
    errors = _numbers(whole.errors, size, seed)
    rng = _random("percent", size, seed)
    p = whole.percent
    spread = p.std() / sqrt(size) if p.count > 1 else 0.0
    mean = p.mean + spread * float(rng.standard_normal())
    absolute = np.abs(_values(whole.errors.points, size, _random("error", size, seed)))
    return replace(
        whole,
        errors=errors,
        absolute=moments_of(np.sort(absolute)),
        percent=Moments(size, mean, 0.0, 0.0, inf),
        target=_numbers(whole.target, size, seed),
    )
