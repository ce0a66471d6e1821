"""Figures of a numerical column, of its finite values only, and the ends of a column of times."""

from __future__ import annotations

from typing import Annotated

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


@metric(per="column", unit="value", automatic=Automatic(NEAR_10))
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


@metric(per="column", unit="value", automatic=Automatic(NEAR_10))
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
