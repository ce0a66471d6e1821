"""Figures of a numerical column, of its finite values only, and the ends of a column of times."""

from __future__ import annotations

from math import ceil, floor, inf
from typing import Annotated

import numpy as np
from annotated_types import Interval

from exporter.metrics._registry import NEAR_10, Automatic, Bound, metric
from exporter.profile.column import NumericProfile, TimeProfile
from exporter.profile.points import Estimate


@metric(per="column", unit="value", automatic=Automatic(Bound("gte")))
def min(column: NumericProfile) -> float:
    """Smallest value."""
    return column.moments.least


@metric(per="column", unit="value", automatic=Automatic(Bound("lte")))
def max(column: NumericProfile) -> float:
    """Largest value."""
    return column.moments.most


@metric(per="column", unit="value", automatic=Automatic(NEAR_10))
def mean(column: NumericProfile) -> float:
    """Mean."""
    return column.moments.mean


@metric(per="column", unit="value", automatic=Automatic(NEAR_10))
def std(column: NumericProfile) -> float:
    """Standard deviation of the sample."""
    return column.moments.std()


def _quantile_of_all(column: NumericProfile, *, q: float = 0.5) -> Estimate:
    """The same with infinite values at both ends, as Evidently has it."""
    if not column.infinite:
        return quantile(column, q=q)
    place = q * (column.count + column.infinite - 1)
    low, high = (_at(column, rank) for rank in (floor(place), ceil(place)))
    value = low if low == high else low + (high - low) * (place - floor(place))
    return Estimate(value, value, value)


def _at(column: NumericProfile, rank: int) -> float:
    rank -= column.negative_infinite
    if 0 <= rank < column.count:
        return float(column.points.at(np.array([rank]))[0])
    return -inf if rank < 0 else inf


@metric(per="column", unit="value", automatic=Automatic(NEAR_10), evidently=_quantile_of_all)
def median(column: NumericProfile) -> Estimate:
    """Median."""
    return quantile(column, q=0.5)


@metric(
    per="column",
    unit="value",
    automatic=Automatic(NEAR_10, directional=Bound("eq", relative=0.1, scaled=True)),
    gauge="summed_value",
)
def sum(column: NumericProfile) -> float:
    """Sum of the values."""
    return column.moments.mean * column.count if column.count else 0.0


@metric(per="column", unit="value", automatic=Automatic(NEAR_10), evidently=_quantile_of_all)
def quantile(
    column: NumericProfile, *, q: Annotated[float, Interval(ge=0, le=1)] = 0.5
) -> Estimate:
    """Value below which a share q of the column lies."""
    return column.points.quantile(q) if column.count else Estimate(*[float("nan")] * 3)


@metric(per="column", unit="value", automatic=Automatic(Bound("eq", 0.0, absolute=2.0)))
def mean_shift_sigmas(column: NumericProfile, reference: NumericProfile) -> float:
    """How far the mean is from the reference's, in standard deviations of the reference."""
    shift, spread = column.moments.mean - reference.moments.mean, reference.moments.std()
    return shift / spread if spread else (0.0 if shift == 0 else float("inf"))


@metric(per="column", unit="value")
def first(column: TimeProfile) -> float:
    """Earliest time, in seconds since 1970-01-01 UTC."""
    return column.first


@metric(per="column", unit="value")
def last(column: TimeProfile) -> float:
    """Latest time, in seconds since 1970-01-01 UTC."""
    return column.last
