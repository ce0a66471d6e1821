"""How well a binary classifier decides and ranks; 0/0 is 0 in precision and recall, as in scikit-learn."""

from __future__ import annotations

import numpy as np

from exporter.metrics._registry import NEAR_20, Automatic, Bound, metric
from exporter.profile.outcome import ScoreProfile


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20))
def accuracy(scores: ScoreProfile) -> float:
    """Share of right decisions."""
    return _ratio(scores.matrix[0][0] + scores.matrix[1][1], scores.count)


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20))
def precision(scores: ScoreProfile) -> float:
    """Share of positive decisions that are right."""
    return precision_by_label(scores)[scores.labels[1]]


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20))
def recall(scores: ScoreProfile) -> float:
    """Share of actual positives that are found."""
    return recall_by_label(scores)[scores.labels[1]]


@metric(per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20))
def f1(scores: ScoreProfile) -> float:
    """Harmonic mean of precision and recall."""
    return f1_by_label(scores)[scores.labels[1]]


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20))
def tpr(scores: ScoreProfile) -> float:
    """Share of actual positives decided positive."""
    return recall(scores)


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20))
def tnr(scores: ScoreProfile) -> float:
    """Share of actual negatives decided negative."""
    return recall_by_label(scores)[scores.labels[0]]


@metric(per="dataset", unit="ratio", better="lower", automatic=Automatic(NEAR_20))
def fpr(scores: ScoreProfile) -> float:
    """Share of actual negatives decided positive."""
    return _ratio(scores.matrix[0][1], sum(scores.matrix[0]))


@metric(per="dataset", unit="ratio", better="lower", automatic=Automatic(NEAR_20))
def fnr(scores: ScoreProfile) -> float:
    """Share of actual positives decided negative."""
    return _ratio(scores.matrix[1][0], sum(scores.matrix[1]))


@metric(
    per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20, Bound("gt", 0.5))
)
def roc_auc(scores: ScoreProfile) -> float:
    """Chance that a positive is scored above a negative."""
    negatives, positives = scores.negatives, scores.positives
    if negatives is None or positives is None or not negatives.count or not positives.count:
        return float("nan")
    at = positives.points
    weights = 1 if at.counts is None else at.counts
    wins = negatives.points.below(at.values) + negatives.points.below(at.values, "right")
    return float(np.sum(wins * weights) / 2 / negatives.count / positives.count)


@metric(per="dataset", unit="value", better="lower", automatic=Automatic(NEAR_20))
def log_loss(scores: ScoreProfile) -> float:
    """Mean negative log-likelihood of the actual classes."""
    return scores.log_loss


@metric(per="dataset", unit="value", better="lower")
def brier_score(scores: ScoreProfile) -> float:
    """Mean squared gap between probability and outcome."""
    return scores.brier


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20), labels="class")
def precision_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Share of the decisions for each class that are right."""
    m = scores.matrix
    return {label: _ratio(m[i][i], m[0][i] + m[1][i]) for i, label in enumerate(scores.labels)}


@metric(per="dataset", unit="ratio", better="higher", automatic=Automatic(NEAR_20), labels="class")
def recall_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Share of each actual class that is found."""
    m = scores.matrix
    return {label: _ratio(m[i][i], sum(m[i])) for i, label in enumerate(scores.labels)}


@metric(per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20), labels="class")
def f1_by_label(scores: ScoreProfile) -> dict[str, float]:
    """Harmonic mean of precision and recall of each class."""
    m = scores.matrix
    return {
        label: _ratio(2 * m[i][i], sum(m[i]) + m[0][i] + m[1][i])
        for i, label in enumerate(scores.labels)
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
