"""Error and score profiles: what the quality of predictions is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.profile.arrays import Floats
from exporter.profile.column import Moments, NumericProfile, moments_of, numeric_profile

OPPOSITE = {"1": "0", "0": "1", "true": "false", "false": "true", "yes": "no", "no": "yes"}


@dataclass(frozen=True)
class ErrorProfile:
    """Prediction minus target, over the rows where both are there and finite."""

    errors: NumericProfile
    absolute: Moments
    percent: Moments  # |error / target| where the target is not zero
    target: NumericProfile

    @property
    def count(self) -> int:
        """Rows with both."""
        return self.errors.count


@dataclass(frozen=True)
class ScoreProfile:
    """A binary classifier's outcomes: the confusion matrix, and the scores of either class."""

    labels: tuple[str, str]  # negative, positive
    matrix: tuple[tuple[int, int], tuple[int, int]]  # [actual][predicted]
    negatives: NumericProfile | None = None  # scores by actual class
    positives: NumericProfile | None = None
    log_loss: float = float("nan")  # means over the rows that have a score
    brier: float = float("nan")

    @property
    def count(self) -> int:
        """Rows with target and prediction."""
        return sum(sum(row) for row in self.matrix)

    @property
    def scored(self) -> int:
        """Those of them that have a probability as well."""
        sides = (self.negatives, self.positives)
        return sum(side.count for side in sides if side is not None)


Outcome = ErrorProfile | ScoreProfile


def error_profile(target: Floats, prediction: Floats) -> ErrorProfile:
    """The profile of a regression's errors; rows that lack either, or hold infinity, are left out."""
    both = np.isfinite(target) & np.isfinite(prediction)
    target, prediction = target[both], prediction[both]
    nonzero = target != 0
    with np.errstate(over="ignore"):
        errors = prediction - target
        absolute = np.abs(errors)
        percent = absolute[nonzero] / np.abs(target[nonzero])
    return ErrorProfile(
        numeric_profile("error", len(errors), errors),
        _moments(absolute),
        _moments(percent),
        numeric_profile("target", len(target), target),
    )


def score_profile(
    actual: Floats, predicted: Floats, probability: Floats | None, labels: tuple[str, str]
) -> ScoreProfile:
    """The profile of a binary classifier; actual and predicted are 0, 1 or NaN.

    The matrix counts rows with target and prediction; scores are of those that have a
    probability as well. Log loss clips probabilities at the smallest float step, as scikit-learn.
    """
    both = ~(np.isnan(actual) | np.isnan(predicted))
    actual, predicted = actual[both], predicted[both]
    cells = np.bincount((2 * actual + predicted).astype(np.int64), minlength=4).tolist()
    matrix = ((cells[0], cells[1]), (cells[2], cells[3]))
    if probability is None:
        return ScoreProfile(labels, matrix)
    score = probability[both]
    there = np.isfinite(score)
    score, actual = score[there], actual[there]
    return ScoreProfile(
        labels,
        matrix,
        _scores("negatives", score[actual == 0]),
        _scores("positives", score[actual == 1]),
        *_losses(actual, score),
    )


def negative_label(labels: set[str], positive: str) -> str:
    """What to call the class that is not positive: the one other label, or the usual opposite."""
    others = labels - {positive}
    if len(others) == 1:
        return next(iter(others))
    unknown = f"not {positive}"
    return unknown if others else OPPOSITE.get(positive, unknown)


def _losses(actual: Floats, score: Floats) -> tuple[float, float]:
    """Log loss and Brier score."""
    if not len(score):
        return float("nan"), float("nan")
    eps = np.finfo(np.float64).eps
    of_actual = np.clip(np.where(actual == 1, score, 1 - score), eps, 1 - eps)
    return float(-np.log(of_actual).mean()), float(np.square(score - actual).mean())


def _moments(values: Floats) -> Moments:
    values.sort()
    return moments_of(values[: np.searchsorted(values, np.inf)])


def _scores(name: str, scores: Floats) -> NumericProfile:
    return numeric_profile(name, len(scores), scores)
