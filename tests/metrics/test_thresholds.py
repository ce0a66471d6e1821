"""Decisions that a threshold or the highest scores make: beside scikit-learn's, and Evidently's rule."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.outcomes import binary, decisions
from metrics.profiles import figure
from sklearn import metrics as sklearn

ZERO = {"zero_division": 0}
ORACLES = {
    "accuracy": sklearn.accuracy_score,
    "precision": lambda y, said: sklearn.precision_score(y, said, **ZERO),
    "recall": lambda y, said: sklearn.recall_score(y, said, **ZERO),
    "f1": lambda y, said: sklearn.f1_score(y, said, **ZERO),
    "tpr": lambda y, said: sklearn.recall_score(y, said, **ZERO),
    "tnr": lambda y, said: sklearn.recall_score(y, said, pos_label=0, **ZERO),
    "fpr": lambda y, said: np.mean(said[y == 0]) if (y == 0).any() else 0,
    "fnr": lambda y, said: np.mean(1 - said[y == 1]) if (y == 1).any() else 0,
}
TOLD = [
    (1.0, 1.0, 0.9), (1.0, 0.0, 0.7), (0.0, 1.0, 0.7), (0.0, 0.0, 0.4), (1.0, 0.0, 0.2),
    (0.0, 0.0, 0.1), (1.0, 1.0, nan),
]  # fmt: skip
few = settings(max_examples=30)  # of what is asked of many metrics


def scored(told):
    """What was and its probability, of decided rows that have one."""
    rows = np.array(told, dtype=float).reshape(-1, 3)
    actual, _, chance = rows[~np.isnan(rows).any(axis=1)].T
    return actual, chance


def kth(chance: np.ndarray, k: int) -> float:
    return np.sort(chance)[::-1][min(k, len(chance)) - 1]


@pytest.mark.parametrize("metric", ORACLES)
@few
@given(told=decisions, threshold=st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1)))
def test_a_threshold_decides_by_the_probability_alone(metric, told, threshold):
    actual, chance = scored(told)
    ours = figure(metric, binary(told), threshold=threshold)
    if len(actual):
        theirs = ORACLES[metric](actual, (chance >= threshold).astype(float))
        assert ours == pytest.approx(float(theirs), rel=1e-12)
    else:
        assert isnan(ours)


@pytest.mark.parametrize("metric", ORACLES)
@pytest.mark.parametrize("compat", [False, True])
@few
@given(told=decisions, k=st.integers(1, 60))
def test_the_k_highest_are_positive_and_what_equals_the_last_of_them(metric, compat, told, k):
    actual, chance = scored(told)
    ours = figure(metric, binary(told), top_k=k, compat=compat)
    if len(actual):
        least = kth(chance, k + compat)  # Evidently takes the row after the k-th
        theirs = ORACLES[metric](actual, (chance >= least).astype(float))
        assert ours == pytest.approx(float(theirs), rel=1e-12)
    else:
        assert isnan(ours)


def test_labels_and_cells_follow_the_threshold():
    told = binary(TOLD)
    assert figure("confusion", told, threshold=0.7) == {
        "": 6, "no→no": 2, "no→yes": 1, "yes→no": 1, "yes→yes": 2,
    }  # fmt: skip
    assert figure("precision_by_label", told, threshold=0.7) == pytest.approx(
        {"no": 2 / 3, "yes": 2 / 3}
    )
    assert figure("recall_by_label", told, top_k=1) == pytest.approx({"no": 1, "yes": 1 / 3})
    assert figure("confusion", told)[""] == 7  # without, the rows that lack a score count too


def test_of_equal_scores_all_are_among_the_highest():
    assert figure("confusion", binary(TOLD), top_k=2)["no→yes"] == 1


@pytest.mark.parametrize("metric", ["precision", "baseline_precision"])
def test_a_threshold_and_a_number_of_rows_exclude_each_other(metric):
    with pytest.raises(ValueError, match="exclude each other"):
        figure(metric, binary(TOLD), threshold=0.5, top_k=1)


@pytest.mark.parametrize(
    ("threshold", "recall_scale", "precision_scale"),
    [(0.5, 1, 1), (0.75, 0.5, 1), (0.2, 1, 0.625), (1.0, 0, 1), (0.0, 1, 0.5)],
)
def test_baselines_are_scaled_as_evidently_scales_its_dummy(
    threshold, recall_scale, precision_scale
):
    told, share = binary(TOLD[:6]), 0.5
    precision, recall = share * precision_scale, share * recall_scale
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    assert figure("baseline_precision", told, threshold=threshold) == precision
    assert figure("baseline_recall", told, threshold=threshold) == recall
    assert figure("baseline_f1", told, threshold=threshold) == pytest.approx(f1)
    assert figure("baseline_tnr", told, threshold=threshold) == share * precision_scale
    by_label = figure("baseline_recall_by_label", told, threshold=threshold)
    assert by_label == {"no": share * precision_scale, "yes": recall}


def test_the_baseline_of_the_highest_rows_is_that_of_the_last_one_s_score():
    told = binary(TOLD)
    assert figure("baseline_recall", told, top_k=1) == figure(
        "baseline_recall", told, threshold=0.9
    )
