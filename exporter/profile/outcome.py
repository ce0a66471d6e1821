"""Error and score profiles: what the quality of predictions is computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from exporter.profile.arrays import Bools, Codes, Floats
from exporter.profile.column import Moments, NumericProfile, moments_of, numeric_profile
from exporter.profile.ranking import RankingProfile

MOST_CLASSES = 1000  # a confusion matrix of more is none that anybody reads
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

    @property
    def labelled(self) -> int:
        """The same."""
        return self.count


@dataclass(frozen=True)
class Side:
    """A class's probabilities: of the rows that are of the class, and of all others."""

    own: NumericProfile
    others: NumericProfile

    @property
    def count(self) -> int:
        """Rows that have one."""
        return self.own.count + self.others.count


@dataclass(frozen=True)
class ScoreProfile:
    """A classifier's outcomes: the confusion matrix, and the scores of each class against the rest."""

    labels: tuple[str, ...]  # of a binary classifier: negative, positive
    matrix: tuple[tuple[int, ...], ...]  # [actual][predicted]
    sides: Mapping[str, Side] = field(default_factory=dict)  # binary: the positive class's alone
    log_loss: float = float("nan")  # means over the rows that have a score
    brier: float = float("nan")
    binary: bool = True

    @property
    def count(self) -> int:
        """Rows with target and prediction."""
        return sum(sum(row) for row in self.matrix)

    @property
    def labelled(self) -> int:
        """The same."""
        return self.count

    @property
    def scored(self) -> int:
        """Those of them that have every probability as well."""
        return next((side.count for side in self.sides.values()), 0)


Outcome = ErrorProfile | ScoreProfile | RankingProfile


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
    side = _side(labels[1], score, actual == 1)
    return ScoreProfile(labels, matrix, {labels[1]: side}, *losses(actual, score))


def class_profile(
    labels: tuple[str, ...], actual: Codes, predicted: Codes, probabilities: Mapping[str, Floats]
) -> ScoreProfile:
    """The profile of a classifier of any number of classes; a code of *labels*' number is missing.

    The matrix counts rows with target and prediction; scores are of those that have every
    probability as well. A class that has none was given no chance. Probabilities are taken as
    they are, whatever they add up to, as scikit-learn takes them.
    """
    n = len(labels)
    both = (actual < n) & (predicted < n)
    cells = np.bincount(actual[both].astype(np.int64) * n + predicted[both], minlength=n * n)
    matrix = tuple([tuple(row) for row in cells.reshape(n, n).tolist()])
    if not probabilities:
        return ScoreProfile(labels, matrix, binary=False)
    there = both & np.logical_and.reduce([np.isfinite(p) for p in probabilities.values()])
    actual = actual[there]
    of_actual, squares = np.zeros(len(actual)), np.zeros(len(actual))
    unforeseen = np.ones(len(actual), bool)
    sides = {}
    for label, chance in probabilities.items():
        score, own = chance[there], actual == labels.index(label)
        of_actual[own] = score[own]
        squares += np.square(score - own)
        unforeseen &= ~own
        sides[label] = _side(label, score, own)
    brier = float((squares + unforeseen).mean()) if len(actual) else float("nan")
    return ScoreProfile(labels, matrix, sides, _log_loss(of_actual), brier, binary=False)


def negative_label(labels: set[str], positive: str) -> str:
    """What to call the class that is not positive: the one other label, or the usual opposite."""
    others = labels - {positive}
    if len(others) == 1:
        return next(iter(others))
    unknown = f"not {positive}"
    return unknown if others else OPPOSITE.get(positive, unknown)


def losses(actual: Floats | Bools, score: Floats) -> tuple[float, float]:
    """Log loss and Brier score."""
    if not len(score):
        return float("nan"), float("nan")
    brier = float(np.square(score - actual).mean())
    return _log_loss(np.where(actual == 1, score, 1 - score)), brier


def _log_loss(of_actual: Floats) -> float:
    """Of the chances that the actual classes were given."""
    eps = np.finfo(np.float64).eps
    chances = np.clip(of_actual, eps, 1 - eps)
    return float(-np.log(chances).mean()) if len(chances) else float("nan")


def _side(label: str, score: Floats, own: Bools) -> Side:
    return Side(*[numeric_profile(label, len(x), x) for x in (score[own], score[~own])])


def _moments(values: Floats) -> Moments:
    values.sort()
    return moments_of(values[: np.searchsorted(values, np.inf)])
