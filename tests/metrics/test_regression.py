"""Errors beside scikit-learn's, on rows that miss target or prediction or hold infinity."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from metrics.outcomes import guesses, regression
from metrics.profiles import figure
from sklearn import metrics as sklearn

from exporter.metrics import CATALOGUE
from exporter.profile.outcome import ErrorProfile

OF_ERRORS = [spec.id for spec in CATALOGUE.values() if ErrorProfile in spec.reads]
ORACLES = {
    "mean_error": lambda y, said: float(np.mean(said - y)),
    "error_std": lambda y, said: float(np.std(said - y, ddof=1)) if len(y) > 1 else nan,
    "mae": sklearn.mean_absolute_error,
    "absolute_error_std": lambda y, said: float(np.std(abs(said - y), ddof=1)) if len(y) > 1 else nan,
    "median_absolute_error": sklearn.median_absolute_error,
    "rmse": sklearn.root_mean_squared_error,
    "max_absolute_error": sklearn.max_error,
    "underestimation_ratio": lambda y, said: float(np.mean(said < y)),
    "baseline_mae": lambda y, _: sklearn.mean_absolute_error(y, np.full(len(y), np.median(y))),
    "baseline_rmse": lambda y, _: sklearn.root_mean_squared_error(y, np.full(len(y), y.mean())),
    "baseline_max_absolute_error": lambda y, _: float(abs(y - np.median(y)).max()),
}  # fmt: skip


def both(told: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Target and prediction where both are finite."""
    rows = np.array(told, dtype=float).reshape(-1, 2)
    target, prediction = rows[np.isfinite(rows).all(axis=1)].T
    return target, prediction


@pytest.mark.parametrize("metric", ORACLES)
@given(told=guesses)
def test_an_error_is_scikit_learn_s(metric, told):
    target, prediction = both(told)
    ours = figure(metric, regression(told))
    theirs = ORACLES[metric](target, prediction) if len(target) else nan
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9, nan_ok=True)


@given(guesses)
def test_r2_is_scikit_learn_s(told):
    target, prediction = both(told)
    ours = figure("r2", regression(told))
    if len(target) < 2:
        assert isnan(ours)
    elif np.ptp(target) == 0 or np.ptp(target) > 1e-3:
        theirs = sklearn.r2_score(target, prediction)
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)


@given(guesses)
def test_mape_is_scikit_learn_s_over_targets_that_are_not_zero(told):
    target, prediction = both(told)
    there = abs(target) > 1e-300
    ours = figure("mape", regression([x for x in told if x[0] == 0 or abs(x[0]) > 1e-300]))
    if there.any():
        theirs = 100 * sklearn.mean_absolute_percentage_error(target[there], prediction[there])
        if abs(target[there]).min() > 1e-9:  # theirs divides by at least 2e-16
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)
    else:
        assert isnan(ours)


@given(guesses)
def test_no_constant_has_less_error_in_percent_than_the_baseline(told):
    target, _ = both(told)
    target = target[abs(target) > 1e-6]
    ours = figure("baseline_mape", regression([(y, 0.0) for y in target]))
    if not len(target):
        assert isnan(ours)
        return
    of_constants = [100 * np.mean(abs((y - target) / target)) for y in [*target, 0.0, 1.0]]
    assert ours == pytest.approx(min(of_constants), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("metric", OF_ERRORS)
def test_of_no_rows_there_is_no_error(metric):
    assert isnan(figure(metric, regression([])))
    assert isnan(figure(metric, regression([(nan, 1.0), (1.0, nan)])))


def test_errors_of_a_small_sample_by_hand():
    told = regression([(1.0, 2.0), (2.0, 2.0), (4.0, 1.0), (nan, 5.0)])
    assert figure("mean_error", told) == pytest.approx(-2 / 3)
    assert figure("mae", told) == pytest.approx(4 / 3)
    assert figure("mape", told) == pytest.approx(100 * (1 + 0 + 0.75) / 3)
    assert figure("rmse", told) == pytest.approx((10 / 3) ** 0.5)
    assert figure("r2", told) == pytest.approx(1 - 10 / (14 / 3))
    assert figure("max_absolute_error", told) == 3
    assert figure("underestimation_ratio", told) == pytest.approx(1 / 3)


def test_errors_too_large_to_square_have_a_mean_and_no_root():
    told = regression([(0.0, 1e200), (1.0, -1e200)])
    assert figure("mae", told) == 1e200
    assert figure("rmse", told) == float("inf")
