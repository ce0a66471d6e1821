"""What a classifier must beat: guessing at random in the proportion of the actual classes.

The figures are those to expect, not those of one draw. At another threshold than a half, which is
what `threshold` and `top_k` lead to, positives are guessed more seldom or more often, and precision
and recall of both classes are scaled as Evidently scales them. Of more than two classes precision,
recall and F1 are means over those that occur.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, nan

from exporter.metrics._registry import LabelOf, Unit, metric
from exporter.metrics.classification import ByLabel, Figure, overall, sides_of, with_cut
from exporter.profile.outcome import ScoreProfile


@metric(per="dataset", unit="ratio")
def baseline_accuracy(scores: ScoreProfile) -> float:
    """Accuracy to expect of guessing at random in the proportion of the actual classes."""
    return sum(share * share for share in _shares(scores).values()) if scores.count else nan


def _guess(
    unit: Unit, labels: LabelOf = ""
) -> Callable[[Callable[[ScoreProfile, float, float], Figure]], Callable[..., Figure]]:
    """A figure of guesses: of the profile, and of what a threshold makes of recall and precision."""
    enter = metric(per="dataset", unit=unit, labels=labels, terse=True)

    return lambda func: enter(with_cut(func, lambda scores, least: func(scores, *_scales(least))))


@_guess("ratio")
def baseline_precision(scores: ScoreProfile, rarer: float, oftener: float) -> float:
    """Precision to expect of guessing in proportion."""
    return overall(scores, _scaled(scores, oftener, rarer))


@_guess("ratio")
def baseline_recall(scores: ScoreProfile, rarer: float, oftener: float) -> float:
    """Recall, TPR and FPR to expect of guessing in proportion: the share of actual positives."""
    return overall(scores, _scaled(scores, rarer, oftener))


@_guess("score")
def baseline_f1(scores: ScoreProfile, rarer: float, oftener: float) -> float:
    """F1 to expect of guessing in proportion."""
    return overall(scores, _both(scores, rarer, oftener))


@_guess("ratio")
def baseline_tnr(scores: ScoreProfile, rarer: float, oftener: float) -> float:
    """TNR and FNR to expect of guessing in proportion: the share of actual negatives."""
    if not scores.binary:
        raise ValueError("the model's task has no such figure")
    return _scaled(scores, rarer, oftener)[scores.labels[0]]


@_guess("ratio", labels="class")
def baseline_precision_by_label(scores: ScoreProfile, rarer: float, oftener: float) -> ByLabel:
    """Precision of each class to expect of guessing in proportion."""
    return _scaled(scores, oftener, rarer)


@_guess("ratio", labels="class")
def baseline_recall_by_label(scores: ScoreProfile, rarer: float, oftener: float) -> ByLabel:
    """Recall of each class to expect of guessing in proportion."""
    return _scaled(scores, rarer, oftener)


@_guess("score", labels="class")
def baseline_f1_by_label(scores: ScoreProfile, rarer: float, oftener: float) -> ByLabel:
    """F1 of each class to expect of guessing in proportion."""
    return _both(scores, rarer, oftener)


@metric(per="dataset", unit="value")
def baseline_log_loss(scores: ScoreProfile) -> float:
    """Log loss of giving every class the same probability."""
    return log(max(len(sides_of(scores)), 2)) if scores.scored else nan


def _shares(scores: ScoreProfile) -> ByLabel:
    """The shares of the actual classes; of many only those that occur."""
    if not scores.count:
        return dict.fromkeys(scores.labels, nan) or {"": nan}
    rows = {label: sum(row) for label, row in zip(scores.labels, scores.matrix, strict=True)}
    return {x: n / scores.count for x, n in rows.items() if n or scores.binary}


def _scales(least: float | None) -> tuple[float, float]:
    """What another cut makes of a guess at a half: of the positive class's recall, and its precision."""
    if least is None:
        return 1.0, 1.0
    above = 1 - least
    return min(1.0, max(above, 0.0) / 0.5), min(1.0, 0.5 / above) if above > 0 else 1.0


def _scaled(scores: ScoreProfile, positive: float, negative: float) -> ByLabel:
    shares = _shares(scores)
    if not scores.binary:
        return shares
    no, yes = scores.labels
    return {no: shares[no] * negative, yes: shares[yes] * positive}


def _both(scores: ScoreProfile, rarer: float, oftener: float) -> ByLabel:
    """The harmonic means of both."""
    whole = rarer + oftener
    share = 2 * rarer * oftener / whole if whole else 0.0
    return _scaled(scores, share, share)
