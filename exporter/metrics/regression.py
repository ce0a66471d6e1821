"""How wrong a regression is; errors are prediction minus target."""

from __future__ import annotations

from math import sqrt

import numpy as np

from exporter.metrics._registry import NEAR_10, Automatic, Bound, metric
from exporter.profile.outcome import ErrorProfile
from exporter.profile.points import Points

NAN = float("nan")


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


def _squares(errors: ErrorProfile) -> float:
    moments = errors.errors.moments
    return moments.squares + moments.count * moments.mean**2


def _median(errors: ErrorProfile) -> float:
    return errors.target.points.quantile(0.5).value if errors.count else NAN


def _mean_distance(errors: ErrorProfile, center: float) -> float:
    values, weights = _weighted(errors.target.points)
    return float((np.abs(values - center) * weights).sum() / errors.count) if errors.count else NAN


def _weighted(points: Points) -> tuple[np.ndarray, np.ndarray]:
    counts = np.ones(len(points.values)) if points.counts is None else points.counts
    return points.values, counts.astype(np.float64)


def _ascending(
    values: np.ndarray, counts: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    order = np.argsort(values, kind="stable")
    return values[order], None if counts is None else counts[order]
