"""How a classifier ranks and how far its probabilities can be trusted, point by point.

A point is labelled by where it lies on the curve, of more than two classes by the class as well:
`0.05`, `virginica: 0.05`. Grids are fixed, so that points of different batches can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le

from exporter.metrics._registry import NEAR_20, Automatic, metric
from exporter.metrics.classification import ByLabel, ranks, sides_of, sides_of_probabilities
from exporter.profile.arrays import Floats
from exporter.profile.outcome import ScoreProfile, Side
from exporter.profile.points import Points, merged_points

STEPS = 20  # of a curve: one every 0.05
Bins = Annotated[int, Ge(2), Le(100)]


@metric(per="dataset", unit="ratio", better="higher", labels="point")
def roc_curve(scores: ScoreProfile) -> ByLabel:
    """TPR at each FPR from 0 to 1 in steps of 0.05: the highest there, on straight lines between."""
    return _by_class(scores, sides_of(scores), _roc)


@metric(per="dataset", unit="ratio", better="higher", labels="point")
def pr_curve(scores: ScoreProfile) -> ByLabel:
    """Precision at each recall from 0.05 to 1: at the highest threshold that finds so many."""
    return _by_class(scores, sides_of(scores), _precisions)


@metric(per="dataset", unit="score", better="higher", labels="point")
def lift(scores: ScoreProfile) -> ByLabel:
    """How many times as frequent the class is among the top 5, 10, … 100 % of the scores as among all."""
    return _by_class(scores, sides_of(scores), _lifts)


@metric(per="dataset", unit="ratio", labels="point")
def calibration(scores: ScoreProfile, *, bins: Bins = 10) -> ByLabel:
    """Share of the class among rows whose probability lies in each of so many equal bins; none where a bin is empty."""
    edges = np.linspace(0, 1, bins + 1)
    sides = sides_of_probabilities(scores)
    return _by_class(scores, sides, lambda side: _observed(side, edges), one_is_enough=True)


@metric(per="dataset", unit="score", better="lower", automatic=Automatic(NEAR_20))
def calibration_error(scores: ScoreProfile, *, bins: Bins = 10) -> float:
    """Mean gap between probability and observed share over bins, weighted with their rows; of more classes their mean."""
    edges = np.linspace(0, 1, bins + 1)
    sides = [side for side in sides_of_probabilities(scores).values() if side.count]
    return sum(_gap(side, edges) for side in sides) / len(sides) if sides else float("nan")


def _by_class(
    scores: ScoreProfile,
    sides: Mapping[str, Side],
    curve: Callable[[Side], ByLabel],
    *,
    one_is_enough: bool = False,
) -> ByLabel:
    """The curve, or one a class whose rows can be told from others'."""
    curves = {
        label: curve(side)
        for label, side in sides.items()
        if (side.count if one_is_enough else ranks(side))
    }
    if not curves:
        raise ValueError(
            "no rows have a probability" if one_is_enough else "only one class is there"
        )
    if scores.binary:
        return next(iter(curves.values()))
    return {f"{label}: {at}": y for label, points in curves.items() for at, y in points.items()}


def _roc(side: Side) -> ByLabel:
    """Between two distinct scores of others the curve is straight; where it is upright, its top counts."""
    own, others, n = side.own.points, side.others.points, side.others.count
    wanted = np.arange(STEPS) * n  # of false positives, times STEPS
    at = others.at(n - 1 - wanted // STEPS)
    before, after = n - others.below(at, "right"), n - others.below(at)
    low, high = (side.own.count - own.below(at, end) for end in ("right", "left"))
    share = (wanted / STEPS - before) / (after - before)
    found = np.append((low + share * (high - low)) / side.own.count, 1.0)
    return _named(np.arange(STEPS + 1), found)


def _precisions(side: Side) -> ByLabel:
    steps = np.arange(1, STEPS + 1)
    least = -(-steps * side.own.count // STEPS)  # rows to find
    at = side.own.points.at(side.own.count - least)
    found = side.own.count - side.own.points.below(at)
    wrong = side.others.count - side.others.points.below(at)
    return _named(steps, found / (found + wrong))


def _lifts(side: Side) -> ByLabel:
    """Equal scores that the top share cuts through count with the share that is inside."""
    whole, _ = merged_points([side.own.points, side.others.points])
    steps, n = np.arange(1, STEPS), side.count
    rows = steps * n / STEPS
    at = whole.at(n - 1 - steps * n // STEPS)
    before, after = n - whole.below(at, "right"), n - whole.below(at)
    low, high = (side.own.count - side.own.points.below(at, end) for end in ("right", "left"))
    found = low + (rows - before) / (after - before) * (high - low)
    return _named(np.arange(1, STEPS + 1), np.append(found / rows * n / side.own.count, 1.0))


def _named(steps: np.ndarray, figures: Floats) -> ByLabel:
    return {
        f"{step / STEPS:g}": y for step, y in zip(steps.tolist(), figures.tolist(), strict=True)
    }


def _observed(side: Side, edges: Floats) -> ByLabel:
    own, others = (_in_bins(part.points, edges)[0] for part in (side.own, side.others))
    return {
        f"{low:g}-{high:g}": mine / (mine + rest)
        for low, high, mine, rest in zip(
            edges[:-1].tolist(), edges[1:].tolist(), own.tolist(), others.tolist(), strict=True
        )
        if mine + rest
    }


def _gap(side: Side, edges: Floats) -> float:
    (own, of_own), (_, of_others) = (
        _in_bins(part.points, edges) for part in (side.own, side.others)
    )
    return float(np.abs(of_own + of_others - own).sum()) / side.count


def _in_bins(points: Points, edges: Floats) -> tuple[Floats, Floats]:
    """How many values lie in each bin, its upper edge included, and their sum."""
    inner = np.searchsorted(points.values, edges[1:-1], "right")
    at = np.concatenate(([0], inner, [len(points.values)]))
    weights = np.ones(len(points.values)) if points.counts is None else points.counts
    counts, sums = (
        np.diff(np.concatenate(([0.0], np.cumsum(x)))[at])
        for x in (weights, points.values * weights)
    )
    return counts, sums
