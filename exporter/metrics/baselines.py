"""What a classifier must beat: guessing at random in the proportion of the actual classes.

The figures are those to expect, not those of one draw. At another threshold than a half, which is
what `threshold` and `top_k` lead to, positives are guessed more seldom or more often, and precision
and recall of both classes are scaled as Evidently scales them. Of more than two classes precision,
recall and F1 are means over those that occur.
"""

from __future__ import annotations

from math import log, nan

from exporter.metrics._registry import metric
from exporter.metrics.classification import ByLabel, Count, Share, cut, overall, sides_of
from exporter.profile.outcome import ScoreProfile


@metric(per="dataset", unit="ratio")
def baseline_accuracy(scores: ScoreProfile) -> float:
    """Accuracy to expect of guessing at random in the proportion of the actual classes."""
    return sum(share * share for share in _shares(scores).values()) if scores.count else nan


@metric(per="dataset", unit="ratio", terse=True)
def baseline_precision(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> float:
    """Precision to expect of guessing in proportion."""
    figures = baseline_precision_by_label(scores, threshold=threshold, top_k=top_k, compat=compat)
    return overall(scores, figures)


@metric(per="dataset", unit="ratio", terse=True)
def baseline_recall(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> float:
    """Recall, TPR and FPR to expect of guessing in proportion: the share of actual positives."""
    figures = baseline_recall_by_label(scores, threshold=threshold, top_k=top_k, compat=compat)
    return overall(scores, figures)


@metric(per="dataset", unit="score", terse=True)
def baseline_f1(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> float:
    """F1 to expect of guessing in proportion."""
    figures = baseline_f1_by_label(scores, threshold=threshold, top_k=top_k, compat=compat)
    return overall(scores, figures)


@metric(per="dataset", unit="ratio", terse=True)
def baseline_tnr(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> float:
    """TNR and FNR to expect of guessing in proportion: the share of actual negatives."""
    if not scores.binary:
        raise ValueError("the model's task has no such figure")
    figures = baseline_recall_by_label(scores, threshold=threshold, top_k=top_k, compat=compat)
    return figures[scores.labels[0]]


@metric(per="dataset", unit="ratio", labels="class", terse=True)
def baseline_precision_by_label(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> ByLabel:
    """Precision of each class to expect of guessing in proportion."""
    rarer, oftener = _scales(scores, threshold, top_k, compat=compat)
    return _scaled(scores, oftener, rarer)


@metric(per="dataset", unit="ratio", labels="class", terse=True)
def baseline_recall_by_label(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> ByLabel:
    """Recall of each class to expect of guessing in proportion."""
    rarer, oftener = _scales(scores, threshold, top_k, compat=compat)
    return _scaled(scores, rarer, oftener)


@metric(per="dataset", unit="score", labels="class", terse=True)
def baseline_f1_by_label(
    scores: ScoreProfile,
    *,
    threshold: Share | None = None,
    top_k: Count | None = None,
    compat: bool = False,
) -> ByLabel:
    """F1 of each class to expect of guessing in proportion."""
    rarer, oftener = _scales(scores, threshold, top_k, compat=compat)
    whole = rarer + oftener
    both = 2 * rarer * oftener / whole if whole else 0.0
    return _scaled(scores, both, both)


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


def _scales(
    scores: ScoreProfile, threshold: float | None, top_k: int | None, *, compat: bool
) -> tuple[float, float]:
    """What a threshold makes of a guess at a half: of the positive class's recall, and its precision."""
    if threshold is None and top_k is None:
        return 1.0, 1.0
    if threshold is not None and top_k is not None:
        raise ValueError("threshold and top_k exclude each other")
    if not scores.binary:
        raise ValueError("threshold and top_k are for two classes: the model has more")
    (side,) = sides_of(scores).values()
    above = 1 - (cut(side, top_k + compat) if top_k is not None else threshold or 0.0)
    return min(1.0, max(above, 0.0) / 0.5), min(1.0, 0.5 / above) if above > 0 else 1.0


def _scaled(scores: ScoreProfile, positive: float, negative: float) -> ByLabel:
    shares = _shares(scores)
    if not scores.binary:
        return shares
    no, yes = scores.labels
    return {no: shares[no] * negative, yes: shares[yes] * positive}
