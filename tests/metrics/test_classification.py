"""Decisions and scores beside scikit-learn's, on rows that miss one or the other."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from metrics.outcomes import binary, decisions
from metrics.profiles import figure
from sklearn import metrics as sklearn

from exporter.metrics import CATALOGUE
from exporter.profile.outcome import ScoreProfile

ZERO = {"zero_division": 0}
CURVES = {"roc_curve", "pr_curve", "lift"}
RANKING = {"roc_auc", "roc_auc_by_label", *CURVES}  # need both classes
OF_SCORES = [spec.id for spec in CATALOGUE.values() if ScoreProfile in spec.reads]
ORACLES = {
    "accuracy": sklearn.accuracy_score,
    "precision": lambda y, said: sklearn.precision_score(y, said, **ZERO),
    "recall": lambda y, said: sklearn.recall_score(y, said, **ZERO),
    "tpr": lambda y, said: sklearn.recall_score(y, said, **ZERO),
    "tnr": lambda y, said: sklearn.recall_score(y, said, pos_label=0, **ZERO),
    "f1": lambda y, said: sklearn.f1_score(y, said, **ZERO),
    "fpr": lambda y, said: np.mean(said[y == 0]) if (y == 0).any() else 0,
    "fnr": lambda y, said: np.mean(1 - said[y == 1]) if (y == 1).any() else 0,
    "baseline_recall": lambda y, _: np.mean(y),
    "baseline_precision": lambda y, _: np.mean(y),
    "baseline_f1": lambda y, _: np.mean(y),
    "baseline_tnr": lambda y, _: 1 - np.mean(y),
    "baseline_accuracy": lambda y, _: np.mean(y) ** 2 + (1 - np.mean(y)) ** 2,
}
BY_LABEL = {
    "precision_by_label": sklearn.precision_score,
    "recall_by_label": sklearn.recall_score,
    "f1_by_label": sklearn.f1_score,
}


def decided(told: list[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """What was and what was said, where both are there."""
    rows = np.array(told, dtype=float).reshape(-1, 3)
    actual, said, _ = rows[~np.isnan(rows[:, :2]).any(axis=1)].T
    return actual, said


def scored(told: list[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """What was and its probability, of decided rows that have one."""
    rows = np.array(told, dtype=float).reshape(-1, 3)
    actual, _, chance = rows[~np.isnan(rows).any(axis=1)].T
    return actual, chance


@pytest.mark.parametrize("metric", ORACLES)
@given(told=decisions)
def test_a_figure_of_decisions_is_scikit_learn_s(metric, told):
    actual, said = decided(told)
    ours = figure(metric, binary(told))
    if len(actual):
        assert ours == pytest.approx(float(ORACLES[metric](actual, said)), rel=1e-12, abs=1e-15)
    else:
        assert isnan(ours)


@pytest.mark.parametrize("metric", BY_LABEL)
@given(told=decisions)
def test_a_class_s_figure_is_scikit_learn_s(metric, told):
    actual, said = decided(told)
    ours = figure(metric, binary(told))
    assert list(ours) == ["no", "yes"]
    if len(actual):
        theirs = [BY_LABEL[metric](actual, said, pos_label=x, **ZERO) for x in (0, 1)]
        assert list(ours.values()) == pytest.approx(theirs)
    else:
        assert all(isnan(x) for x in ours.values())


@given(decisions)
def test_the_confusion_matrix_is_scikit_learn_s(told):
    actual, said = decided(told)
    ours = figure("confusion", binary(told))
    theirs = np.zeros((2, 2))
    if len(actual):
        theirs = sklearn.confusion_matrix(actual, said, labels=[0, 1])
    assert list(ours.values()) == [len(actual), *theirs.ravel()]
    assert list(ours) == ["", "no→no", "no→yes", "yes→no", "yes→yes"]


@given(decisions)
def test_the_chance_to_rank_right_is_scikit_learn_s(told):
    actual, chance = scored(told)
    if len(set(actual)) == 2:
        theirs = sklearn.roc_auc_score(actual, chance)
        assert figure("roc_auc", binary(told)) == pytest.approx(theirs, rel=1e-12)
        by_label = figure("roc_auc_by_label", binary(told))
        turned = sklearn.roc_auc_score(1 - actual, -chance)
        assert by_label == pytest.approx({"no": turned, "yes": theirs}, rel=1e-9)
    else:
        with pytest.raises(ValueError, match="only one class is there"):
            figure("roc_auc", binary(told))


@given(decisions)
def test_log_loss_and_brier_score_are_scikit_learn_s(told):
    actual, chance = scored(told)
    losses = [figure(name, binary(told)) for name in ("log_loss", "brier_score")]
    if len(actual):
        theirs = [
            sklearn.log_loss(actual, chance, labels=[0, 1]),
            sklearn.brier_score_loss(actual, chance, labels=[0, 1], pos_label=1),
        ]
        assert losses == pytest.approx(theirs, rel=1e-9, abs=1e-15)
    else:
        assert all(isnan(x) for x in losses)


@pytest.mark.parametrize("metric", sorted(set(OF_SCORES) - RANKING - {"calibration"}))
def test_of_no_rows_there_is_no_figure_but_a_count(metric):
    result = figure(metric, binary([(nan, 1.0, 0.5), (1.0, nan, 0.5)]))
    figures = result.values() if isinstance(result, dict) else [result]
    assert all(x == 0 if metric == "confusion" else isnan(x) for x in figures)


@pytest.mark.parametrize("actual", [0.0, 1.0])
def test_a_batch_of_a_single_class_has_every_figure_but_a_ranking(actual):
    told = binary([(actual, actual, 0.5)] * 4)
    for metric in set(OF_SCORES) - RANKING:
        result = figure(metric, told)
        figures = result.values() if isinstance(result, dict) else [result]
        assert all(0 <= x <= max(1, 4 * (metric == "confusion")) for x in figures), metric
    assert figure("accuracy", told) == 1
    assert figure("precision", told) == actual  # 0/0 is 0


@pytest.mark.parametrize("metric", sorted({*RANKING, "calibration"}))
@pytest.mark.parametrize("told", [[], [(0.0, 0.0, 0.5)] * 3])
def test_what_ranks_two_classes_has_a_reason_where_there_are_none(metric, told):
    if told and metric == "calibration":
        assert figure(metric, binary(told)) == {"0.4-0.5": 0}
    else:
        with pytest.raises(ValueError, match=r"only one class|no rows have"):
            figure(metric, binary(told))


def test_equal_scores_count_half():
    assert figure("roc_auc", binary([(0.0, 1.0, 0.5), (1.0, 1.0, 0.5)])) == 0.5


def test_figures_of_a_small_sample_by_hand():
    told = binary([(1.0, 1.0, 0.9), (1.0, 0.0, 0.4), (0.0, 1.0, 0.6), (0.0, 0.0, 0.1)])
    assert figure("accuracy", told) == 0.5
    assert figure("roc_auc", told) == 0.75
    assert figure("brier_score", told) == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    assert figure("baseline_accuracy", told) == 0.5
