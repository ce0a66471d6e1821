"""How well a classifier decides and ranks; 0/0 is 0 in precision and recall, as in scikit-learn.

Of a binary classifier precision, recall and F1 are those of the positive class; of one of more
classes they, and ROC AUC, are means over the classes that occur, each against the rest. `threshold`
and `top_k` decide anew, by the probability of a binary classifier's positive class: from the
threshold on, or the k rows of the highest (and those that are equal to the k-th). Evidently takes
one row more than k: `compat: true` does as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, TypeVar

import numpy as np
from annotated_types import Ge, Le

from exporter.metrics._registry import (
    NEAR_20,
    Automatic,
    Better,
    Bound,
    LabelOf,
    Unit,
    metric,
    named_as,
)
from exporter.profile.outcome import ScoreProfile, Side

NAN = float("nan")
ALL_CELLS = 20  # classes up to which empty cells of the confusion matrix are told as well
NO_PROBABILITY = "needs a probability among the model's columns"
_CELL = re.compile(r"((?:[^\\→]|\\[\\→])*)→((?:[^\\→]|\\[\\→])*)")
Share = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(1)]
ByLabel = dict[str, float]
Figure = TypeVar("Figure", float, ByLabel)


def _decision(
    unit: Unit, better: Better, baseline: str, labels: LabelOf = ""
) -> Callable[[Callable[[ScoreProfile], Figure]], Callable[..., Figure]]:
    """A figure of decisions, tested as Evidently does: like the reference's, or better than guessing's.

    The decorated function reads the profile as it was decided anew: the options that do are added
    to all alike.
    """
    beyond = Bound("gt" if better == "higher" else "lt", metric=baseline)
    enter = metric(
        per="dataset",
        unit=unit,
        better=better,
        automatic=Automatic(NEAR_20, beyond),
        labels=labels,
        terse=True,
    )
    return lambda func: enter(_deciding(func))


def _deciding(func: Callable[[ScoreProfile], Figure]) -> Callable[..., Figure]:
    """The function with options that decide anew; it reads the profile as it was decided."""
    return with_cut(func, lambda scores, least: func(_decided(scores, least)))


def with_cut(
    func: Callable[..., Figure], figure: Callable[[ScoreProfile, float | None], Figure]
) -> Callable[..., Figure]:
    """A *figure* of scores and of the least probability that is decided positive, with the options that say which.

    It is None where the model's own decisions stand. Name and docstring are those of *func*.
    """

    def compute(
        scores: ScoreProfile,
        *,
        threshold: Share | None = None,
        top_k: Count | None = None,
        compat: bool = False,
    ) -> Figure:
        return figure(scores, _least(scores, threshold, top_k, compat=compat))

    return named_as(func, compute)


@_decision("ratio", "higher", "baseline_accuracy")
def accuracy(decided: ScoreProfile) -> float:
    """Share of right decisions."""
    return _ratio(decided, sum(row[i] for i, row in enumerate(decided.matrix)), decided.count)


@_decision("ratio", "higher", "baseline_precision")
def precision(decided: ScoreProfile) -> float:
    """Share of positive decisions that are right; of more than two classes their mean."""
    return overall(decided, precision_by_label(decided))


@_decision("ratio", "higher", "baseline_recall")
def recall(decided: ScoreProfile) -> float:
    """Share of actual positives that are found; of more than two classes their mean."""
    return overall(decided, recall_by_label(decided))


@_decision("score", "higher", "baseline_f1")
def f1(decided: ScoreProfile) -> float:
    """Harmonic mean of precision and recall; of more than two classes their mean."""
    return overall(decided, f1_by_label(decided))


@_decision("ratio", "higher", "baseline_recall")
def tpr(decided: ScoreProfile) -> float:
    """Share of actual positives decided positive."""
    _, found = _of_two(decided)
    return _ratio(decided, found[1], sum(found))


@_decision("ratio", "higher", "baseline_tnr")
def tnr(decided: ScoreProfile) -> float:
    """Share of actual negatives decided negative."""
    found, _ = _of_two(decided)
    return _ratio(decided, found[0], sum(found))


@_decision("ratio", "lower", "baseline_recall")
def fpr(decided: ScoreProfile) -> float:
    """Share of actual negatives decided positive."""
    found, _ = _of_two(decided)
    return _ratio(decided, found[1], sum(found))


@_decision("ratio", "lower", "baseline_tnr")
def fnr(decided: ScoreProfile) -> float:
    """Share of actual positives decided negative."""
    _, found = _of_two(decided)
    return _ratio(decided, found[0], sum(found))


@metric(
    per="dataset", unit="score", better="higher", automatic=Automatic(NEAR_20, Bound("gt", 0.5))
)
def roc_auc(scores: ScoreProfile) -> float:
    """Chance that a row of a class is scored above one of another; of more than two classes their mean."""
    return overall(scores, roc_auc_by_label(scores))


@metric(
    per="dataset",
    unit="value",
    better="lower",
    automatic=Automatic(NEAR_20, Bound("lt", metric="baseline_log_loss")),
)
def log_loss(scores: ScoreProfile) -> float:
    """Mean negative log-likelihood of the actual classes."""
    sides_of_probabilities(scores)
    return scores.log_loss


@metric(per="dataset", unit="value", better="lower", automatic=Automatic(NEAR_20))
def brier_score(scores: ScoreProfile) -> float:
    """Mean squared gap between probability and outcome; of more than two classes added up over them."""
    sides_of_probabilities(scores)
    return scores.brier


@_decision("ratio", "higher", "baseline_precision_by_label", labels="class")
def precision_by_label(decided: ScoreProfile) -> ByLabel:
    """Share of the decisions for each class that are right."""
    return {label: _ratio(decided, right, said) for label, right, _, said in _tallies(decided)}


@_decision("ratio", "higher", "baseline_recall_by_label", labels="class")
def recall_by_label(decided: ScoreProfile) -> ByLabel:
    """Share of each actual class that is found."""
    return {label: _ratio(decided, right, actual) for label, right, actual, _ in _tallies(decided)}


@_decision("score", "higher", "baseline_f1_by_label", labels="class")
def f1_by_label(decided: ScoreProfile) -> ByLabel:
    """Harmonic mean of precision and recall of each class."""
    return {
        label: _ratio(decided, 2 * right, actual + said)
        for label, right, actual, said in _tallies(decided)
    }


@metric(
    per="dataset",
    unit="score",
    better="higher",
    automatic=Automatic(NEAR_20, Bound("gt", 0.5)),
    labels="class",
)
def roc_auc_by_label(scores: ScoreProfile) -> ByLabel:
    """Chance that a row of each class is scored above one of another class, for that class."""
    known = {label: _auc(side) for label, side in sides_of(scores).items() if ranks(side)}
    if not known:
        raise ValueError("only one class is there")
    return dict.fromkeys(scores.labels, known[scores.labels[1]]) if scores.binary else known


@metric(per="dataset", unit="rows", gauge="confusion_rows", labels="cell", terse=True)
@_deciding
def confusion(decided: ScoreProfile) -> ByLabel:
    """Rows by actual and predicted class, and in all.

    Of more than 20 classes cells without rows are left out. An arrow or backslash in a class's
    name has a backslash before it.
    """
    names = [re.sub(r"([\\→])", r"\\\1", label) for label in decided.labels]
    cells = {
        f"{actual}→{predicted}": float(count)
        for actual, row in zip(names, decided.matrix, strict=True)
        for predicted, count in zip(names, row, strict=True)
        if count or len(names) <= ALL_CELLS
    }
    return {"": float(decided.count)} | cells


def classes_of_cell(label: str) -> tuple[str, str] | None:
    """Actual and predicted class of a cell of the confusion matrix; None where it is no such label."""
    found = _CELL.fullmatch(label)
    if found is None:
        return None
    actual, predicted = (re.sub(r"\\(.)", r"\1", name) for name in found.groups())
    return actual, predicted


def _decided(scores: ScoreProfile, least: float | None) -> ScoreProfile:
    """The outcomes as they would be if the probability alone had decided: only its rows count."""
    if least is None:
        return scores
    (side,) = sides_of(scores).values()
    below = [int(x.points.below(np.array([least]))[0]) for x in (side.others, side.own)]
    negatives, positives = below
    matrix = (
        (negatives, side.others.count - negatives),
        (positives, side.own.count - positives),
    )
    return replace(scores, matrix=matrix)


def _least(
    scores: ScoreProfile, threshold: float | None, top_k: int | None, *, compat: bool
) -> float | None:
    if threshold is None and top_k is None:
        return None
    if threshold is not None and top_k is not None:
        raise ValueError("threshold and top_k exclude each other")
    if not scores.binary:
        raise ValueError("threshold and top_k are for two classes: the model has more")
    (side,) = sides_of(scores).values()
    return threshold if top_k is None else _cut(side, top_k + compat)


def _cut(side: Side, k: int) -> float:
    """The k-th highest probability, the lowest where there are fewer; NaN where there are none."""
    best = np.concatenate(
        [x.points.at(np.arange(max(x.count - k, 0), x.count)) for x in (side.own, side.others)]
    )
    k = min(k, len(best))
    return float(np.partition(best, len(best) - k)[len(best) - k]) if k else NAN


def _of_two(decided: ScoreProfile) -> Sequence[Sequence[int]]:
    """The rows of actual negatives and of actual positives, by decision; a ValueError where there are more classes."""
    if not decided.binary:
        raise ValueError("the model's task has no such figure")
    return decided.matrix


def _tallies(scores: ScoreProfile) -> list[tuple[str, int, int, int]]:
    """Of each class the right decisions, the actual rows and the decisions for it.

    Of many classes only those that occur: one that a batch does not have is neither well nor
    badly told.
    """
    said = [sum(column) for column in zip(*scores.matrix, strict=True)]
    whole = scores.binary or not scores.count
    return [
        (label, row[i], sum(row), said[i])
        for i, (label, row) in enumerate(zip(scores.labels, scores.matrix, strict=True))
        if whole or said[i] or sum(row)
    ]


def overall(scores: ScoreProfile, by_label: Mapping[str, float]) -> float:
    """The positive class's figure, or the mean of all."""
    if scores.binary:
        return by_label[scores.labels[1]]
    return sum(by_label.values()) / len(by_label) if by_label else NAN


def sides_of(scores: ScoreProfile) -> Mapping[str, Side]:
    """The probabilities by class; a ValueError where the model has none."""
    if not scores.sides:
        raise ValueError(NO_PROBABILITY)
    return scores.sides


def ranks(side: Side) -> bool:
    """Whether there is a pair to rank."""
    return bool(side.own.count and side.others.count)


def _auc(side: Side) -> float:
    """Mann-Whitney's U over the number of pairs; equal scores count half."""
    at, others = side.own.points, side.others.points
    weights = 1 if at.counts is None else at.counts
    wins = others.below(at.values) + others.below(at.values, "right")
    return float(np.sum(wins * weights) / 2 / side.others.count / side.own.count)


def sides_of_probabilities(scores: ScoreProfile) -> Mapping[str, Side]:
    """The same; a ValueError as well where they do not lie between 0 and 1."""
    sides = sides_of(scores)
    for side in sides.values():
        for part in (side.others, side.own):
            ends = part.moments
            if part.count and (ends.least < 0 or ends.most > 1):
                text = f"scores from {ends.least:g} to {ends.most:g} are no probabilities"
                raise ValueError(text)
    return sides


def _ratio(scores: ScoreProfile, part: float, whole: float) -> float:
    """A share; 0/0 is 0, unless there is not a row to judge by."""
    if not scores.count:
        return NAN
    return part / whole if whole else 0.0
