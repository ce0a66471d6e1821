"""Classifiers of more than two classes beside scikit-learn's, on rows that miss one thing or another."""

from __future__ import annotations

from math import isnan, log, nan

import numpy as np
import pytest
from hypothesis import given, settings
from metrics.outcomes import CLASSES, many, verdicts
from metrics.profiles import figure
from sklearn import metrics as sklearn

from exporter.metrics import CATALOGUE
from exporter.metrics.classification import ALL_CELLS, classes_of_cell
from exporter.presets import OF_TWO_CLASSES
from exporter.profile.merge import merge_outcomes
from exporter.profile.outcome import ScoreProfile, class_profile

ZERO = {"zero_division": 0}
MACRO = {
    "precision": sklearn.precision_score,
    "recall": sklearn.recall_score,
    "f1": sklearn.f1_score,
}
few = settings(max_examples=30)  # of what is asked of many metrics


def decided(told):
    """What was and what was said, where both are there."""
    rows = [(actual, said) for actual, said, *_ in told if actual and said]
    return [actual for actual, _ in rows], [said for _, said in rows]


def scored(told):
    """What was and its probabilities, of decided rows that have them all."""
    rows = [row for row in told if row[0] and row[1] and np.isfinite(row[2:]).all()]
    return [row[0] for row in rows], np.array([row[2:] for row in rows]).reshape(-1, 3)


@given(verdicts)
def test_accuracy_is_scikit_learn_s(told):
    actual, said = decided(told)
    ours = figure("accuracy", many(told))
    assert ours == pytest.approx(sklearn.accuracy_score(actual, said)) if actual else isnan(ours)


@pytest.mark.parametrize("metric", MACRO)
@few
@given(told=verdicts)
def test_the_overall_figure_is_scikit_learn_s_macro_mean(metric, told):
    actual, said = decided(told)
    ours = figure(metric, many(told))
    if actual:
        theirs = MACRO[metric](actual, said, average="macro", **ZERO)
        assert ours == pytest.approx(theirs, rel=1e-12)
    else:
        assert isnan(ours)


@pytest.mark.parametrize("metric", MACRO)
@few
@given(told=verdicts)
def test_a_class_that_occurs_has_scikit_learn_s_figure_and_another_has_none(metric, told):
    actual, said = decided(told)
    ours = figure(f"{metric}_by_label", many(told))
    if actual:
        labels = sorted({*actual, *said})
        theirs = MACRO[metric](actual, said, labels=labels, average=None, **ZERO)
        assert ours == pytest.approx(dict(zip(labels, theirs, strict=True)), rel=1e-12)


@given(verdicts)
def test_the_confusion_matrix_is_scikit_learn_s(told):
    actual, said = decided(told)
    theirs = np.zeros((3, 3))
    if actual:
        theirs = sklearn.confusion_matrix(actual, said, labels=list(CLASSES))
    cells = {
        f"{row}→{column}": theirs[i, j]
        for i, row in enumerate(CLASSES)
        for j, column in enumerate(CLASSES)
    }
    assert figure("confusion", many(told)) == {"": len(actual)} | cells


@given(verdicts)
def test_the_chance_to_rank_right_is_scikit_learn_s_one_class_against_the_rest(told):
    actual, chances = scored(told)
    theirs = {
        label: sklearn.roc_auc_score(np.array(actual) == label, chances[:, i])
        for i, label in enumerate(CLASSES)
        if 0 < actual.count(label) < len(actual)
    }
    if theirs:
        assert figure("roc_auc_by_label", many(told)) == pytest.approx(theirs, rel=1e-12)
        mean = float(np.mean(list(theirs.values())))
        assert figure("roc_auc", many(told)) == pytest.approx(mean, rel=1e-12)
    else:
        with pytest.raises(ValueError, match="only one class is there"):
            figure("roc_auc", many(told))


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
@given(verdicts)
def test_losses_are_scikit_learn_s_whatever_the_probabilities_add_up_to(told):
    actual, chances = scored(told)
    ours = [figure(name, many(told)) for name in ("log_loss", "brier_score")]
    if actual:
        theirs = [
            sklearn.log_loss(actual, chances, labels=list(CLASSES)),
            sklearn.brier_score_loss(actual, chances, labels=list(CLASSES)),
        ]
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-15)
    else:
        assert all(isnan(x) for x in ours)


@given(verdicts)
def test_the_baselines_are_what_guessing_in_proportion_is_expected_to_reach(told):
    actual, _ = decided(told)
    shares = {label: actual.count(label) / len(actual) for label in CLASSES if label in actual}
    profile = many(told)
    if shares:
        assert figure("baseline_accuracy", profile) == pytest.approx(
            sum(x * x for x in shares.values())
        )
        for name in ("precision", "recall", "f1"):
            assert figure(f"baseline_{name}", profile) == pytest.approx(1 / len(shares))
            assert figure(f"baseline_{name}_by_label", profile) == pytest.approx(shares)
    else:
        assert isnan(figure("baseline_accuracy", profile))
        assert isnan(figure("baseline_f1", profile))


def test_the_baseline_of_log_loss_gives_every_class_the_same_chance():
    assert figure("baseline_log_loss", many([("a", "a", 0.5, 0.3, 0.2)])) == log(3)


@pytest.mark.parametrize("metric", sorted(OF_TWO_CLASSES))
def test_what_only_two_classes_have_says_so(metric):
    with pytest.raises(ValueError, match="the model's task has no such figure"):
        figure(metric, many([("a", "b", 0.2, 0.5, 0.3)]))


@pytest.mark.parametrize("option", [{"threshold": 0.5}, {"top_k": 1}])
@pytest.mark.parametrize("metric", ["accuracy", "f1_by_label", "confusion", "baseline_recall"])
def test_a_threshold_is_for_two_classes(metric, option):
    with pytest.raises(ValueError, match="threshold and top_k are for two classes"):
        figure(metric, many([("a", "b", 0.2, 0.5, 0.3)]), **option)


def test_a_class_without_a_probability_was_given_no_chance():
    told = [("d", "a", 0.5, 0.3, 0.2), ("a", "a", 0.5, 0.3, 0.2)]
    least = -log(np.finfo(float).eps)
    assert figure("log_loss", many(told)) == pytest.approx((least - log(0.5)) / 2)
    of_a = 0.5**2 + 0.3**2 + 0.2**2
    assert figure("brier_score", many(told)) == pytest.approx(of_a + 1 / 2)
    assert figure("recall_by_label", many(told)) == {"a": 1, "d": 0}


def test_a_batch_of_a_single_class_has_figures_of_its_decisions():
    told = many([("b", "b", 0.1, 0.8, 0.1)] * 3)
    assert figure("accuracy", told) == figure("f1", told) == 1
    assert figure("recall_by_label", told) == {"b": 1}
    assert figure("log_loss", told) == pytest.approx(-log(0.8))


def test_scores_that_are_no_probabilities_rank_and_have_no_loss():
    told = many([("a", "a", 7.0, 0.0, -1.0), ("b", "b", 1.0, 2.0, 0.0), ("c", "c", 0.0, 0.0, 3.0)])
    assert figure("roc_auc", told) == 1
    with pytest.raises(ValueError, match="are no probabilities"):
        figure("log_loss", told)


def test_without_probabilities_decisions_are_judged_all_the_same():
    told = class_profile(CLASSES, np.array([0, 1, 2]), np.array([0, 1, 1]), {})
    assert figure("accuracy", told) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="needs a probability"):
        figure("roc_auc", told)


def test_arrows_in_the_names_of_classes_do_not_blur_the_cells():
    told = class_profile(("a", "a→b", "b\\"), np.array([0, 1, 2]), np.array([1, 0, 1]), {})
    cells = {label: n for label, n in figure("confusion", told).items() if label and n}
    assert cells == {"a→a\\→b": 1, "a\\→b→a": 1, "b\\\\→a\\→b": 1}
    named = [classes_of_cell(label) for label in cells]
    assert named == [("a", "a→b"), ("a→b", "a"), ("b\\", "a→b")]
    assert classes_of_cell("of a plugin") is None


def test_of_many_classes_only_cells_with_rows_are_told():
    labels = tuple(f"{i:02}" for i in range(ALL_CELLS + 1))
    told = class_profile(labels, np.array([0, 0]), np.array([3, 3]), {})
    assert figure("confusion", told) == {"": 2, "00→03": 2}


@pytest.mark.parametrize("metric", [s.id for s in CATALOGUE.values() if ScoreProfile in s.reads])
@few
@given(one=verdicts, other=verdicts)
def test_parts_merge_into_what_the_whole_gives(metric, one, other):
    merged, whole = merge_outcomes([many(one), many(other)]), many(one + other)
    results = []
    for profile in (merged, whole):
        try:
            results.append(figure(metric, profile))
        except ValueError as error:
            results.append(str(error))
    if isinstance(results[0], str):
        assert results[0] == results[1]
    else:
        assert results[0] == pytest.approx(results[1], rel=1e-9, abs=1e-12, nan_ok=True)


def test_parts_that_know_different_classes_merge_by_name():
    one = class_profile(("a", "b"), np.array([0, 1]), np.array([0, 0]), {})
    other = class_profile(("b", "c"), np.array([0, 1]), np.array([0, 0]), {})
    merged = merge_outcomes([one, other])
    assert isinstance(merged, ScoreProfile)
    assert merged.labels == ("a", "b", "c")
    assert merged.matrix == ((1, 0, 0), (1, 1, 0), (0, 1, 0))


def test_of_no_classes_at_all_there_is_no_figure():
    nothing = class_profile((), np.empty(0, np.int32), np.empty(0, np.int32), {})
    assert isnan(figure("accuracy", nothing))
    assert isnan(figure("f1", nothing))
    assert figure("confusion", nothing) == {"": 0}
    assert isnan(figure("f1", many([("a", None, nan, nan, nan)])))
