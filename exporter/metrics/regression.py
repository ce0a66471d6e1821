"""How wrong a regression is; errors are prediction minus target."""

from __future__ import annotations

from math import sqrt

from exporter.metrics._registry import NEAR_10, Automatic, Bound, metric
from exporter.profile.outcome import ErrorProfile


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


@metric(per="dataset", unit="value", better="lower", automatic=Automatic(NEAR_10))
def mae(errors: ErrorProfile) -> float:
    """Mean absolute error."""
    return errors.absolute.mean


@metric(per="dataset", unit="percent", better="lower", automatic=Automatic(NEAR_10))
def mape(errors: ErrorProfile) -> float:
    """Mean absolute error in percent of the target, over targets that are not zero."""
    return 100 * errors.percent.mean


@metric(per="dataset", unit="value", better="lower", automatic=Automatic(NEAR_10))
def rmse(errors: ErrorProfile) -> float:
    """Root of the mean squared error."""
    return sqrt(_squares(errors) / errors.count) if errors.count else float("nan")


@metric(per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_10, Bound("gt", 0)))
def r2(errors: ErrorProfile) -> float:
    """Share of the target's variance that the prediction explains."""
    return (
        1 - _squares(errors) / errors.target.moments.squares
        if errors.target.moments.squares
        else float("nan")
    )


@metric(
    per="dataset", unit="value", better="lower", automatic=Automatic(Bound("lte", relative=0.1))
)
def max_absolute_error(errors: ErrorProfile) -> float:
    """Largest absolute error."""
    return errors.absolute.most


def _squares(errors: ErrorProfile) -> float:
    moments = errors.errors.moments
    return moments.squares + moments.count * moments.mean**2
