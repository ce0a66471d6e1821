"""Curves beside scikit-learn's, at every point of their grids."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from metrics.outcomes import CLASSES, binary, decisions, many, verdicts
from metrics.profiles import figure
from sklearn import metrics as sklearn
from sklearn.calibration import calibration_curve

GRID = [f"{i / 20:g}" for i in range(21)]
few = settings(max_examples=30)  # of what is asked of many metrics


def scored(told):
    """What was and its probability, of decided rows that have one."""
    rows = np.array(told, dtype=float).reshape(-1, 3)
    actual, _, chance = rows[~np.isnan(rows).any(axis=1)].T
    return actual, chance


def two_classes(told):
    actual, chance = scored(told)
    assume(len(set(actual)) == 2)
    return actual, chance


def height(fpr: np.ndarray, tpr: np.ndarray, at: float) -> float:
    """Of a ROC curve, its top where it is upright."""
    i = np.flatnonzero(fpr <= at + 1e-12)[-1]
    if i == len(fpr) - 1:
        return tpr[i]
    return tpr[i] + (at - fpr[i]) / (fpr[i + 1] - fpr[i]) * (tpr[i + 1] - tpr[i])


@given(decisions)
def test_the_roc_curve_is_scikit_learn_s(told):
    actual, chance = two_classes(told)
    fpr, tpr, _ = sklearn.roc_curve(actual, chance, drop_intermediate=False)
    ours = figure("roc_curve", binary(told))
    assert list(ours) == GRID
    assert ours == pytest.approx({x: height(fpr, tpr, float(x)) for x in GRID}, rel=1e-9)


@given(decisions)
def test_the_roc_curve_never_falls(told):
    two_classes(told)
    ours = list(figure("roc_curve", binary(told)).values())
    assert ours == sorted(ours)
    assert ours[-1] == 1


@given(decisions)
def test_precision_at_a_recall_is_that_of_the_highest_threshold_of_scikit_learn_s_curve(told):
    actual, chance = two_classes(told)
    precision, recall, _ = sklearn.precision_recall_curve(actual, chance)
    theirs = {x: precision[np.flatnonzero(recall >= float(x) - 1e-12)[-1]] for x in GRID[1:]}
    assert figure("pr_curve", binary(told)) == pytest.approx(theirs, rel=1e-9)


@given(decisions)
def test_lift_is_what_sorting_gives_whatever_the_order_of_equal_scores(told):
    actual, chance = two_classes(told)
    ours = figure("lift", binary(told))
    orders = [np.lexsort((actual * sign, chance))[::-1] for sign in (1, -1)]
    for x, y in ours.items():
        rows = float(x) * len(actual)
        found = []
        for order in orders:
            gains = np.append(0, np.cumsum(actual[order]))
            found.append(np.interp(rows, np.arange(len(gains)), gains) / rows / actual.mean())
        assert min(found) - 1e-9 <= y <= max(found) + 1e-9
    assert ours["1"] == 1


def test_the_top_share_takes_part_of_equal_scores():
    told = binary([(1.0, 1.0, 0.9), (1.0, 1.0, 0.5), (0.0, 1.0, 0.5), (0.0, 0.0, 0.1)])
    assert figure("lift", told)["0.25"] == 2
    assert figure("lift", told)["0.5"] == 1.5  # half of the two rows that are equal


@given(decisions)
def test_calibration_is_scikit_learn_s(told):
    actual, chance = scored(told)
    if not len(actual):
        return
    ours = figure("calibration", binary(told))
    theirs, _ = calibration_curve(actual, chance, n_bins=10, pos_label=1)
    assert list(ours.values()) == pytest.approx(list(theirs))


@given(decisions)
def test_the_error_of_calibration_is_the_mean_gap_of_the_bins(told):
    actual, chance = scored(told)
    ours = figure("calibration_error", binary(told), bins=5)
    if not len(actual):
        assert isnan(ours)
        return
    place = np.searchsorted(np.linspace(0, 1, 6)[1:-1], chance)
    gaps = [
        (place == i).mean() * abs(actual[place == i].mean() - chance[place == i].mean())
        for i in set(place)
    ]
    assert ours == pytest.approx(sum(gaps), rel=1e-9, abs=1e-12)


def test_bins_are_named_by_their_edges():
    told = binary([(1.0, 1.0, 0.9), (0.0, 1.0, 0.85), (0.0, 0.0, 0.0)])
    assert figure("calibration", told, bins=4) == {"0-0.25": 0, "0.75-1": 0.5}


@pytest.mark.parametrize("metric", ["roc_curve", "pr_curve", "lift", "calibration"])
@few
@given(told=verdicts)
def test_of_more_classes_each_has_the_curve_of_itself_against_the_rest(metric, told):
    theirs = {}
    rows = [row for row in told if row[0] and row[1] and np.isfinite(row[2:]).all()]
    for i, label in enumerate(CLASSES):
        alone = [(float(row[0] == label), 1.0, row[2 + i]) for row in rows]
        if metric == "calibration" or len({row[0] for row in alone}) == 2:
            try:
                points = figure(metric, binary(alone))
            except ValueError:
                continue
            theirs |= {f"{label}: {at}": y for at, y in points.items()}
    if theirs:
        assert figure(metric, many(told)) == pytest.approx(theirs)
    else:
        with pytest.raises(ValueError, match=r"only one class|no rows have"):
            figure(metric, many(told))


@given(verdicts)
def test_the_error_of_calibration_of_more_classes_is_their_mean(told):
    rows = [row for row in told if row[0] and row[1] and np.isfinite(row[2:]).all()]
    if not rows:
        return
    alone = [
        binary([(float(row[0] == label), 1.0, row[2 + i]) for row in rows])
        for i, label in enumerate(CLASSES)
    ]
    theirs = np.mean([figure("calibration_error", one) for one in alone])
    assert figure("calibration_error", many(told)) == pytest.approx(theirs)
