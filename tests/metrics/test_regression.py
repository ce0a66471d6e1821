"""Errors beside scikit-learn's, on rows that miss target or prediction or hold infinity."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
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


@given(guesses, st.floats(0, 1))
def test_an_error_s_quantile_is_numpy_s(told, q):
    target, prediction = both(told)
    if len(target):
        ours = figure("error_quantile", regression(told), q=q)
        assert ours == pytest.approx(np.quantile(prediction - target, q), rel=1e-9, abs=1e-9)


@given(guesses, st.floats(0.01, 0.49))
def test_groups_of_errors_are_cut_at_their_quantiles(told, share):
    target, prediction = both(told)
    if not len(target):
        return
    errors = np.sort(prediction - target)
    profile = regression(told)
    means = figure("mean_error_by_group", profile, share=share)
    stds = figure("error_std_by_group", profile, share=share)
    points = profile.errors.points
    low, high = points.quantile(share).value, points.quantile(1 - share).value
    groups = {
        "underestimation": errors[errors <= low],
        "majority": errors[(errors > low) & (errors < high)],
        "overestimation": errors[errors >= high],
    }
    of_groups = {name: group.mean() for name, group in groups.items() if len(group)}
    assert means == pytest.approx(of_groups, rel=1e-9, abs=1e-9)
    spread = {name: group.std(ddof=1) for name, group in groups.items() if len(group) > 1}
    if spread:
        assert stds == pytest.approx(spread, rel=1e-6, abs=1e-6)


@given(guesses, st.floats(0.01, 1))
def test_the_worst_rows_have_the_share_of_the_error_that_sorting_gives(told, share):
    target, prediction = both(told)
    if not len(target):
        return
    worst = np.sort(abs(prediction - target))[::-1]
    ours = figure("top_error_share", regression(told), share=share)
    rows = share * len(worst)
    whole = int(rows)
    rest = (rows - whole) * worst[whole] if whole < len(worst) else 0.0
    theirs = (worst[:whole].sum() + rest) / worst.sum() if worst.sum() else 0.0
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-9)
    assert 0 <= ours <= 1


@given(guesses)
def test_normality_is_that_of_scipy_s_probability_plot(told):
    target, prediction = both(told)
    errors = prediction - target
    ours = figure("error_normality", regression(told))
    if len(errors) < 3 or np.ptp(errors) <= 1e-6 * max(abs(errors).max(), 1):
        return
    _, (slope, intercept, r) = scipy.stats.probplot(errors, dist="norm")
    assert ours[""] == pytest.approx(r, rel=1e-6)
    assert ours["slope"] == pytest.approx(slope, rel=1e-6)
    assert ours["intercept"] == pytest.approx(intercept, rel=1e-6, abs=1e-6)


def test_errors_that_are_all_equal_lie_on_no_line():
    assert isnan(figure("error_normality", regression([(0.0, 1.0)] * 9))[""])


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
    for told in ([], [(nan, 1.0), (1.0, nan)]):
        result = figure(metric, regression(told))
        figures = result.values() if isinstance(result, dict) else [result]
        assert all(x is None or isnan(x) for x in figures)


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
