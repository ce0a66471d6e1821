"""How wrong a regression is; errors are prediction minus target.

Groups: `underestimation` is the rows whose error is at or below its `share` quantile, 5 % if not
given, `overestimation` those at or above the quantile of one less `share`, `majority` the others.
"""

from __future__ import annotations

from math import isnan, sqrt
from statistics import NormalDist
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from exporter.metrics._registry import NEAR_10, Automatic, Bound, metric
from exporter.profile.arrays import Floats
from exporter.profile.outcome import ErrorProfile
from exporter.profile.points import Estimate, Points

NAN = float("nan")
Tail = Annotated[float, Gt(0), Lt(0.5)]
Part = Annotated[float, Gt(0), Le(1)]
Quantile = Annotated[float, Ge(0), Le(1)]


@metric(
    per="dataset",
    unit="value",
    automatic=Automatic(
        Bound("eq", 0.0, relative=1e-6, absolute=0.1, spread="error_std"),
        Bound("eq", 0.0, absolute=0.1, spread="error_std"),
    ),
)
def mean_error(errors: ErrorProfile) -> float:
    """Mean of prediction minus target."""
    return errors.errors.moments.mean


@metric(per="dataset", unit="value", better="lower")
def error_std(errors: ErrorProfile) -> float:
    """Standard deviation of the errors."""
    return errors.errors.moments.std()


@metric(
    per="dataset",
    unit="value",
    better="lower",
    automatic=Automatic(NEAR_10, Bound("lt", metric="baseline_mae")),
)
def mae(errors: ErrorProfile) -> float:
    """Mean absolute error."""
    return errors.absolute.mean


@metric(per="dataset", unit="value", better="lower")
def absolute_error_std(errors: ErrorProfile) -> float:
    """Standard deviation of the absolute errors."""
    return errors.absolute.std()


@metric(per="dataset", unit="value", better="lower", automatic=Automatic(NEAR_10))
def median_absolute_error(errors: ErrorProfile) -> float:
    """Median of the absolute errors."""
    signed = errors.errors.points
    folded = Points(*_ascending(np.abs(signed.values), signed.counts))
    return folded.quantile(0.5).value if errors.count else NAN


@metric(
    per="dataset",
    unit="percent",
    better="lower",
    automatic=Automatic(NEAR_10, Bound("lt", metric="baseline_mape")),
)
def mape(errors: ErrorProfile) -> float:
    """Mean absolute error in percent of the target, over targets that are not zero."""
    return 100 * errors.percent.mean


@metric(
    per="dataset",
    unit="value",
    better="lower",
    automatic=Automatic(NEAR_10, Bound("lt", metric="baseline_rmse")),
)
def rmse(errors: ErrorProfile) -> float:
    """Root of the mean squared error."""
    return sqrt(_squares(errors) / errors.count) if errors.count else NAN


@metric(
    per="dataset",
    unit="score",
    better="higher",
    automatic=Automatic(NEAR_10, Bound("gt", 0), Bound("gte", absolute=0.1)),
)
def r2(errors: ErrorProfile) -> float:
    """Share of the target's variance that the prediction explains.

    Of a constant target 1 where every prediction is right, else 0, as scikit-learn has it.
    """
    if errors.count < 2:
        return NAN
    left, whole = _squares(errors), errors.target.moments.squares
    return 1 - left / whole if whole else float(left == 0)


@metric(
    per="dataset",
    unit="value",
    better="lower",
    automatic=Automatic(
        Bound("lte", relative=0.1), Bound("lte", metric="baseline_max_absolute_error")
    ),
)
def max_absolute_error(errors: ErrorProfile) -> float:
    """Largest absolute error."""
    return errors.absolute.most


@metric(per="dataset", unit="ratio")
def underestimation_ratio(errors: ErrorProfile) -> float:
    """Share of the predictions that are below the target."""
    if not errors.count:
        return NAN
    return int(errors.errors.points.below(np.zeros(1))[0]) / errors.count


@metric(per="dataset", unit="value")
def error_quantile(errors: ErrorProfile, *, q: Quantile = 0.5) -> Estimate | None:
    """The error below which a share q of the errors lies, interpolated."""
    return errors.errors.points.quantile(q) if errors.count else None


@metric(per="dataset", unit="value", labels="group")
def mean_error_by_group(errors: ErrorProfile, *, share: Tail = 0.05) -> dict[str, float]:
    """Mean error of the most underestimated and the most overestimated rows, and of all others."""
    return _known({group: mean for group, (mean, _) in _by_group(errors, share).items()})


@metric(per="dataset", unit="value", better="lower", labels="group")
def error_std_by_group(errors: ErrorProfile, *, share: Tail = 0.05) -> dict[str, float]:
    """Standard deviation of the errors of the same groups."""
    return _known({group: std for group, (_, std) in _by_group(errors, share).items()})


@metric(per="dataset", unit="ratio", better="lower")
def top_error_share(errors: ErrorProfile, *, share: Part = 0.05) -> float:
    """How much of all absolute error the worst rows make, 5 % of them if `share` is not given."""
    if not errors.count:
        return NAN
    signed = errors.errors.points
    values, weights = _weighted(Points(*_ascending(np.abs(signed.values), signed.counts)))
    summed, rows = np.cumsum(values * weights), np.cumsum(weights)
    if not summed[-1]:
        return 0.0
    rest = np.interp((1 - share) * errors.count, np.append(0, rows), np.append(0, summed))
    return float(1 - rest / summed[-1])


@metric(per="dataset", unit="score", better="higher", labels="group")
def error_normality(errors: ErrorProfile) -> dict[str, float]:
    """How straight the errors lie on the line of a normal distribution: r, 1 = normal; with the line's slope and intercept."""
    n = errors.count
    values, weights = _weighted(errors.errors.points)
    if n < 3 or not errors.errors.moments.squares:
        return dict.fromkeys(("", "slope", "intercept"), NAN)
    normal = _normal_medians(n)
    ends = np.cumsum(weights).astype(np.int64)
    sums = np.add.reduceat(normal, ends - weights.astype(np.int64))
    mean, gaps = errors.errors.moments.mean, values - errors.errors.moments.mean
    both, spread = float(np.sum(gaps * sums)), float(np.sum(np.square(normal)))
    slope = both / spread
    r = both / sqrt(spread * errors.errors.moments.squares)
    return {"": r, "slope": slope, "intercept": mean}


@metric(per="dataset", unit="value")
def baseline_mae(errors: ErrorProfile) -> float:
    """Mean absolute error of always predicting the batch's own median target."""
    return _mean_distance(errors, _median(errors))


@metric(per="dataset", unit="value")
def baseline_rmse(errors: ErrorProfile) -> float:
    """Root of the mean squared error of always predicting the batch's own mean target."""
    return errors.target.moments.std(ddof=0)


@metric(per="dataset", unit="percent")
def baseline_mape(errors: ErrorProfile) -> float:
    """Mean absolute error in percent of always predicting what makes it least.

    That is the median of the targets, each weighted with one over its size; zeros are left out.
    """
    values, weights = _weighted(errors.target.points)
    values, weights = values[values != 0], weights[values != 0]
    if not len(values):
        return NAN
    pull = weights / np.abs(values)
    best = values[np.searchsorted(np.cumsum(pull), pull.sum() / 2)]
    return float(100 * (np.abs(values - best) * pull).sum() / weights.sum())


@metric(per="dataset", unit="value")
def baseline_max_absolute_error(errors: ErrorProfile) -> float:
    """Largest absolute error of always predicting the batch's own median target."""
    ends = errors.target.moments
    middle = _median(errors)
    return max(ends.most - middle, middle - ends.least)


def _normal_medians(n: int) -> Floats:
    """Where n values of a standard normal distribution lie: their order statistics' medians, after Filliben."""
    medians = (np.arange(1, n // 2 + 1) - 0.3175) / (n + 0.365)
    medians[0] = -np.expm1(-np.log(2) / n)
    lower = np.fromiter(map(NormalDist().inv_cdf, medians.tolist()), float, len(medians))
    return np.concatenate((lower, np.zeros(n % 2), -lower[::-1]))


def _by_group(errors: ErrorProfile, share: float) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the errors in each group."""
    names = ("underestimation", "majority", "overestimation")
    if not errors.count:
        return dict.fromkeys(names, (NAN, NAN))
    points = errors.errors.points
    low, high = points.quantile(share).value, points.quantile(1 - share).value
    values, weights = _weighted(points)
    ends = int(np.searchsorted(values, low, "right")), int(np.searchsorted(values, high))
    parts = (slice(0, ends[0]), slice(*ends), slice(ends[1], None))
    return {
        name: _mean_and_std(values[part], weights[part])
        for name, part in zip(names, parts, strict=True)
    }


def _known(figures: dict[str, float]) -> dict[str, float]:
    """Without groups of too few rows, unless there are no others: where all errors are alike there is no majority."""
    return {group: x for group, x in figures.items() if not isnan(x)} or figures


def _mean_and_std(values: Floats, weights: Floats) -> tuple[float, float]:
    n = weights.sum()
    if not n:
        return NAN, NAN
    mean = float((values * weights).sum() / n)
    squares = float((np.square(values - mean) * weights).sum())
    return mean, sqrt(squares / (n - 1)) if n > 1 else NAN


def _squares(errors: ErrorProfile) -> float:
    moments = errors.errors.moments
    return moments.squares + moments.count * moments.mean**2


def _median(errors: ErrorProfile) -> float:
    return errors.target.points.quantile(0.5).value if errors.count else NAN


def _mean_distance(errors: ErrorProfile, center: float) -> float:
    values, weights = _weighted(errors.target.points)
    return float((np.abs(values - center) * weights).sum() / errors.count) if errors.count else NAN


def _weighted(points: Points) -> tuple[Floats, Floats]:
    counts = np.ones(len(points.values)) if points.counts is None else points.counts
    return points.values, counts.astype(np.float64)


def _ascending(
    values: np.ndarray, counts: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    order = np.argsort(values, kind="stable")
    return values[order], None if counts is None else counts[order]
