"""Error and score profiles: what the quality of predictions is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.profile.arrays import Floats
from exporter.profile.column import Moments, NumericProfile, numeric_profile


@dataclass(frozen=True)
class ErrorProfile:
    """Prediction minus target, where both are there."""

    errors: NumericProfile
    absolute: Moments
    percent: Moments  # |error / target| where the target is not zero
    target: Moments

    @property
    def count(self) -> int:
        """Rows with both."""
        return self.errors.count


@dataclass(frozen=True)
class ScoreProfile:
    """A binary classifier's outcomes: the confusion matrix, and the scores of either class."""

    labels: tuple[str, str]  # negative, positive
    matrix: tuple[tuple[int, int], tuple[int, int]]  # [actual][predicted]
    negatives: NumericProfile | None  # scores by actual class
    positives: NumericProfile | None
    log_loss: float
    brier: float

    @property
    def count(self) -> int:
        """Rows with target and prediction."""
        return sum(sum(row) for row in self.matrix)


def error_profile(target: Floats, prediction: Floats) -> ErrorProfile:
    """The profile of a regression's errors."""
    both = (target == target) & (prediction == prediction)
    target, prediction = target[both], prediction[both]
    errors = prediction - target
    nonzero = target != 0
    percent, absolute = np.abs(errors[nonzero] / target[nonzero]), np.abs(errors)
    return ErrorProfile(
        numeric_profile("error", len(errors), errors),
        _moments(absolute),
        _moments(percent),
        _moments(target),
    )


def score_profile(
    actual: Floats, predicted: Floats, probability: Floats | None, labels: tuple[str, str]
) -> ScoreProfile:
    """The profile of a binary classifier; actual and predicted are 0, 1 or NaN."""
    both = (actual == actual) & (predicted == predicted)
    actual, predicted = actual[both], predicted[both]
    cells = np.bincount((2 * actual + predicted).astype(np.int64), minlength=4).tolist()
    matrix = ((cells[0], cells[1]), (cells[2], cells[3]))
    if probability is None:
        return ScoreProfile(labels, matrix, None, None, float("nan"), float("nan"))
    score = probability[both]
    eps = np.finfo(np.float64).eps
    of_actual = np.clip(np.where(actual == 1, score, 1 - score), eps, 1 - eps)
    return ScoreProfile(
        labels,
        matrix,
        _scores("negatives", score[actual == 0]),
        _scores("positives", score[actual == 1]),
        float(-np.log(of_actual).mean()),
        float(np.square(score - actual).mean()),
    )


def _moments(values: Floats) -> Moments:
    return numeric_profile("", len(values), values).moments


def _scores(name: str, scores: Floats) -> NumericProfile:
    return numeric_profile(name, len(scores), scores)
