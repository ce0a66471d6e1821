"""How well a binary classifier decides and ranks; 0/0 is 0 in precision and recall, as in scikit-learn."""

from __future__ import annotations

from math import log

import numpy as np

from exporter.metrics._registry import NEAR_20, Automatic, Bound, metric
from exporter.profile.outcome import ScoreProfile


@metric(
    per="dataset",
    unit="ratio",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", metric="baseline_accuracy")),
)
def accuracy(scores: ScoreProfile) -> float:
    """Share of right decisions."""
    return _ratio(scores, scores.matrix[0][0] + scores.matrix[1][1], scores.count)


@metric(
    per="dataset",
    unit="ratio",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", metric="baseline_recall")),
)
def precision(scores: ScoreProfile) -> float:
    """Share of positive decisions that are right."""
    return precision_by_label(scores)[scores.labels[1]]


@metric(
    per="dataset",
    unit="ratio",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", metric="baseline_recall")),
)
def recall(scores: ScoreProfile) -> float:
    """Share of actual positives that are found."""
    return recall_by_label(scores)[scores.labels[1]]


@metric(
    per="dataset",
    unit="score",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", metric="baseline_recall")),
)
def f1(scores: ScoreProfile) -> float:
    """Harmonic mean of precision and recall."""
    return f1_by_label(scores)[scores.labels[1]]


@metric(
    per="dataset",
    unit="ratio",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", metric="baseline_recall")),
)
def tpr(scores: ScoreProfile) -> float:
    """Share of actual positives decided positive."""
    return recall(scores)


@metric(
    per="dataset",
    unit="ratio",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", metric="baseline_tnr")),
)
def tnr(scores: ScoreProfile) -> float:
    """Share of actual negatives decided negative."""
    return recall_by_label(scores)[scores.labels[0]]


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(NEAR_20, Bound("lt", metric="baseline_recall")),
)
def fpr(scores: ScoreProfile) -> float:
    """Share of actual negatives decided positive."""
    return _ratio(scores, scores.matrix[0][1], sum(scores.matrix[0]))


@metric(
    per="dataset",
    unit="ratio",
    better="lower",
    automatic=Automatic(NEAR_20, Bound("lt", metric="baseline_tnr")),
)
def fnr(scores: ScoreProfile) -> float:
    """Share of actual positives decided negative."""
    return _ratio(scores, scores.matrix[1][0], sum(scores.matrix[1]))


@metric(
    per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20, Bound("gt", 0.5))
)
def roc_auc(scores: ScoreProfile) -> float:
    """Chance that a positive is scored above a negative."""
    return _auc(scores)


@metric(
    per="dataset", unit="value", better="lower", automatic=Automatic(NEAR_20, Bound("lt", log(2)))
)
def log_loss(scores: ScoreProfile) -> float:
    """Mean negative log-likelihood of the actual classes."""
    _refuse_other_than_probabilities(scores)
    return scores.log_loss


@metric(per="dataset", unit="value", better="lower")
def brier_score(scores: ScoreProfile) -> float:
    """Mean squared gap between probability and outcome."""
    _refuse_other_than_probabilities(scores)
    return scores.brier


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20), labels="class")
def precision_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Share of the decisions for each class that are right."""
    m = scores.matrix
    return {
        label: _ratio(scores, m[i][i], m[0][i] + m[1][i]) for i, label in enumerate(scores.labels)
    }


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20), labels="class")
def recall_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Share of each actual class that is found."""
    m = scores.matrix
    return {label: _ratio(scores, m[i][i], sum(m[i])) for i, label in enumerate(scores.labels)}


@metric(per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20), labels="class")
def f1_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Harmonic mean of precision and recall of each class."""
    m = scores.matrix
    return {
        label: _ratio(scores, 2 * m[i][i], sum(m[i]) + m[0][i] + m[1][i])
        for i, label in enumerate(scores.labels)
    }


@metric(per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20), labels="class")
def roc_auc_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Chance that a row of each class is scored above one of another class, for that class."""
    return dict.fromkeys(scores.labels, _auc(scores))


@metric(per="dataset", unit="rows", gauge="confusion_rows", labels="cell")
def confusion(scores: ScoreProfile) -> dict[str, float]:
    """Rows by actual and predicted class, and in all."""
    cells = {
        f"{actual}→{predicted}": float(count)
        for actual, row in zip(scores.labels, scores.matrix, strict=True)
        for predicted, count in zip(scores.labels, row, strict=True)
    }
    return {"": float(scores.count)} | cells


@metric(per="dataset", unit="ratio")
def baseline_accuracy(scores: ScoreProfile) -> float:
    """Accuracy to expect of guessing at random in the proportion of the actual classes."""
    share = baseline_recall(scores)
    return share**2 + (1 - share) ** 2


@metric(per="dataset", unit="ratio")
def baseline_recall(scores: ScoreProfile) -> float:
    """Share of actual positives: precision, recall, F1 and FPR to expect of guessing in proportion."""
    return sum(scores.matrix[1]) / scores.count if scores.count else float("nan")


@metric(per="dataset", unit="ratio")
def baseline_tnr(scores: ScoreProfile) -> float:
    """Share of actual negatives: TNR and FNR to expect of guessing in proportion."""
    return 1 - baseline_recall(scores)


def _auc(scores: ScoreProfile) -> float:
    """Mann-Whitney's U over the number of pairs; equal scores count half."""
    negatives, positives = scores.negatives, scores.positives
    if negatives is None or positives is None:
        raise ValueError("needs a probability among the model's columns")
    if not negatives.count or not positives.count:
        raise ValueError("only one class is there")
    at = positives.points
    weights = 1 if at.counts is None else at.counts
    wins = negatives.points.below(at.values) + negatives.points.below(at.values, "right")
    return float(np.sum(wins * weights) / 2 / negatives.count / positives.count)


def _refuse_other_than_probabilities(scores: ScoreProfile) -> None:
    sides = [side.moments for side in (scores.negatives, scores.positives) if side is not None]
    if not sides:
        raise ValueError("needs a probability among the model's columns")
    for side in sides:
        if side.count and (side.least < 0 or side.most > 1):
            raise ValueError(f"scores from {side.least:g} to {side.most:g} are no probabilities")


def _ratio(scores: ScoreProfile, part: float, whole: float) -> float:
    """A share; 0/0 is 0, unless there is not a row to judge by."""
    if not scores.count:
        return float("nan")
    return part / whole if whole else 0.0
