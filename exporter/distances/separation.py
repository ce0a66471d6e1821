"""How well a classifier tells batch from reference: what drift of texts and of vectors is read from."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import ceil
from threading import Lock

import numpy as np
import numpy.typing as npt

from exporter.profile.arrays import Bools, Floats, Ints

SEED = 42  # as Evidently deals the rows out
_ALONE = Lock()  # columns are visited by threads, which share the filters of warnings


@contextmanager
def learning() -> Iterator[None]:
    """Without the warnings of a classifier that stops before its best: its score is what is asked."""
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def halves(labels: Bools) -> tuple[Ints, Ints]:
    """The rows to learn from and those to judge by: a half each, dealt out with a fixed seed.

    Raises ValueError where one of them lacks batch or reference.
    """
    dealt = np.random.RandomState(SEED).permutation(len(labels))
    judged = ceil(len(labels) / 2)
    learnt, held = dealt[judged:], dealt[:judged]
    for half in (learnt, held):
        if not 0 < np.count_nonzero(labels[half]) < len(half):
            raise ValueError("too few rows: a half of them must have some of batch and reference")
    return learnt, held


def roc_auc(labels: Bools, scores: npt.NDArray[np.floating]) -> float:
    """The chance that a row of the batch has a higher score than one of the reference."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return _from_ranks(labels, float(ranks[place][labels].sum()))


def by_chance(labels: Bools, seeds: Iterable[int], quantile: float) -> float:
    """A quantile of the ROC AUC of classifiers that know nothing, one a seed."""
    drawn = [_drawn(labels, seed) for seed in seeds]
    return float(np.percentile(drawn, 100 * quantile))


def _drawn(labels: Bools, seed: int) -> float:
    order = np.argsort(np.random.RandomState(seed).rand(len(labels)))  # no two are equal
    return _from_ranks(labels, float(np.flatnonzero(labels[order]).sum() + labels.sum()))


def _from_ranks(labels: Bools, total: float) -> float:
    """From the sum of the ranks that the batch's rows have, the lowest 1."""
    n = int(np.count_nonzero(labels))
    return (total - n * (n + 1) / 2) / (n * (len(labels) - n))


def beside(reference: int, current: int) -> Bools:
    """Which rows are of the batch, of so many of the reference and those of the batch after them."""
    labels: Floats = np.repeat([0.0, 1.0], [reference, current])
    return labels.astype(bool)
