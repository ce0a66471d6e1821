"""How good the first k recommendations of every user are, and how varied; means over users.

A recommendation is relevant where its target is above 0, or at least `min_relevance`. Users without
anything relevant cannot be served well or badly and are left out, unless `no_feedback_users` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, TypeVar

import numpy as np
from annotated_types import Ge, Gt

from exporter.distances.methods import wasserstein
from exporter.errors import BatchError
from exporter.metrics._registry import (
    NEAR_10,
    Automatic,
    Better,
    Bound,
    Role,
    Unit,
    metric,
    named_as,
)
from exporter.options import Checked
from exporter.profile.arrays import Bools, Codes, Floats, Hashes, Ints
from exporter.profile.column import numeric_profile
from exporter.profile.ranking import ItemFeatures, RankingProfile, TrainProfile

NAN = float("nan")
LACKS: Mapping[Role, str] = {  # what to say where a model has not what a figure needs
    "scores": "a ranking by rank has no scores",
    "train": "needs the interactions of training: `ranking: {train: {path: …}}`",
    "items": "needs features of the items: `ranking: {items: {path: …}}`",
}
BLOCK = 1 << 20  # features looked at at a time


def _finite(number: float) -> float:
    """The number, if it bounds or weighs anything."""
    if not isfinite(number):
        raise ValueError("expected a finite number")
    return number


Finite = Annotated[float, Checked(_finite)]
Length = Annotated[int, Ge(1)]
Compute = TypeVar("Compute", bound=Callable[..., float])


def _figure(
    unit: Unit, better: Better, needs: Collection[Role] = ()
) -> Callable[[Compute], Compute]:
    """A figure of the whole ranking, tested as Evidently does: like the reference's, or above 0."""
    return metric(
        per="dataset",
        unit=unit,
        better=better,
        automatic=Automatic(NEAR_10, Bound("gt", 0)),
        needs=needs,
    )


@dataclass(frozen=True)
class _Hits:
    """The relevant rows among the first k, by user and place."""

    users: Ints
    places: Ints
    items: Codes
    relevant: Ints  # each user's relevant rows, at any place
    sizes: Ints  # each user's rows

    def per_user(self, weights: Floats | None = None) -> Floats:
        """Their number, or the sum of their weights, for every user."""
        return _totals(self.users, weights, len(self.relevant))

    def precision(self, k: int) -> Floats:
        """Each user's share of relevant rows among the first k."""
        return self.per_user() / np.minimum(self.sizes, k)

    def recall(self) -> Floats:
        """The share of each user's relevant rows that are among them."""
        return _over(self.per_user(), self.relevant)

    def so_far(self) -> Floats:
        """At each, how many the user has had, this one included."""
        counts = np.bincount(self.users, minlength=len(self.relevant))
        before = np.cumsum(counts) - counts
        return np.arange(1.0, len(self.users) + 1) - before[self.users]

    def chosen(self, *, all_users: bool) -> Bools:
        """The users that count."""
        return (self.relevant > 0) | all_users


def _of_users(func: Callable[[_Hits, int], Floats]) -> Callable[..., float]:
    """The mean over users of a figure that each has, of what is relevant among the first k."""

    def compute(
        ranking: RankingProfile,
        *,
        k: Length = 10,
        min_relevance: Finite | None = None,
        no_feedback_users: bool = False,
    ) -> float:
        top = _judged(ranking, k, min_relevance)
        return _mean(func(top, k), top.chosen(all_users=no_feedback_users))

    return _figure("ratio", "higher", {"target"})(named_as(func, compute))


@_of_users
def precision_at_k(top: _Hits, k: int) -> Floats:
    """Share of a user's first k recommendations that are relevant.

    Of a list that is shorter than k the share of the list.
    """
    return top.precision(k)


@_of_users
def recall_at_k(top: _Hits, _: int) -> Floats:
    """Share of a user's relevant items that are among the first k recommendations."""
    return top.recall()


@_figure("ratio", "higher", {"target"})
def f_beta_at_k(
    ranking: RankingProfile,
    *,
    k: Length = 10,
    beta: Annotated[Finite, Gt(0)] = 1.0,
    min_relevance: Finite | None = None,
    no_feedback_users: bool = False,
) -> float:
    """Harmonic mean of precision and recall at k, in which recall counts beta times as much."""
    top = _judged(ranking, k, min_relevance)
    chosen = top.chosen(all_users=no_feedback_users)
    precision, recall = _mean(top.precision(k), chosen), _mean(top.recall(), chosen)
    if not precision or not recall:
        return precision * recall
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


@_of_users
def map_at_k(top: _Hits, _: int) -> Floats:
    """Mean average precision: the precision at each relevant place up to k, over a user's relevant items."""
    lists = np.minimum(top.sizes[top.users], top.places)
    return _over(top.per_user(top.so_far() / lists), top.relevant)


@_of_users
def mar_at_k(top: _Hits, _: int) -> Floats:
    """Mean average recall: the recall at each relevant place up to k, over a user's relevant items."""
    return _over(top.per_user(top.so_far() / top.relevant[top.users]), top.relevant)


@_figure("ratio", "higher", {"target"})
def ndcg_at_k(
    ranking: RankingProfile,
    *,
    k: Length = 10,
    min_relevance: Finite | None = None,
    no_feedback_users: bool = False,
) -> float:
    """Discounted gain of the first k recommendations, as a share of what the best order would give.

    The gain of a row is its target, where that is above 0; with `min_relevance` it is 1 or 0.
    """
    relevant = _relevant(ranking, min_relevance)
    gain = np.where(relevant, ranking.relevance if min_relevance is None else 1.0, 0.0)
    rows = np.flatnonzero((gain > 0) & (ranking.places <= k))
    found = gain[rows] / np.log2(ranking.places[rows] + 1)
    count = len(ranking.users)
    best = _best_gain(ranking, gain, k)
    share = _over(_totals(ranking.user_codes[rows], found, count), best)
    return _mean(np.minimum(share, 1.0), (best > 0) | no_feedback_users)


@_of_users
def mrr_at_k(top: _Hits, _: int) -> Floats:
    """Mean of 1 / the place of a user's first relevant recommendation, 0 where that is beyond k."""
    first = top.so_far() == 1
    return _totals(top.users[first], 1 / top.places[first], len(top.relevant))


@_of_users
def hit_rate_at_k(top: _Hits, _: int) -> Floats:
    """Share of users with something relevant among their first k recommendations."""
    return (top.per_user() > 0).astype(np.float64)


@metric(per="dataset", unit="rows", better="lower")
def unranked_rows(ranking: RankingProfile) -> int:
    """Rows left out of the ranking: without user, item or prediction, or with an infinite one."""
    return ranking.left_out


@_figure("score", "neutral", {"scores"})
def score_entropy(ranking: RankingProfile, *, k: Length = 10) -> float:
    """Entropy of the softmax of all scores among the first k, in nats: how alike they are."""
    if ranking.ranked_by == "rank":
        raise BatchError(LACKS["scores"])
    scores = ranking.predictions[ranking.places <= k]
    if not len(scores):
        return NAN
    weights = np.exp(scores - scores.max())
    shares = weights / weights.sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


@_figure("ratio", "higher")
def personalization_at_k(ranking: RankingProfile, *, k: Length = 10) -> float:
    """How little the first k recommendations of two users overlap: 1 where nobody shares an item.

    The items that two users share, over k, or over the longest list where all are shorter.
    """
    rows = np.flatnonzero(ranking.places <= k)
    users, items = _distinct(ranking.user_codes[rows], ranking.item_codes[rows])
    count = len(ranking.users)
    if count < 2:
        return NAN
    longest = int(np.bincount(users, minlength=count).max())
    often = np.bincount(items).astype(np.float64)
    shared = float((often * (often - 1)).sum())
    return max(1 - shared / longest / (count * (count - 1.0)), 0.0)


@_figure("score", "higher", {"train"})
def novelty_at_k(ranking: RankingProfile, *, k: Length = 10) -> float:
    """How rare the first k recommendations were in training, in bits: -log2 of the share of its users.

    Items that training does not know have none and are left out.
    """
    train = _train(ranking)
    users, known = _found(ranking, train.items, k)
    with np.errstate(divide="ignore"):
        bits = -np.log2(train.popularity[known] / len(train.users))
    return _mean_of_means(users, bits, len(ranking.users))


@_figure("value", "neutral", {"train"})
def average_popularity(
    ranking: RankingProfile, *, k: Length = 10, normalized: bool = False
) -> float:
    """Mean number of users who had interacted in training with the first k recommendations.

    `normalized`: over that of the most popular item. Items that training does not know are left out.
    """
    train = _train(ranking)
    users, known = _found(ranking, train.items, k)
    most = train.popularity.max(initial=1) if normalized else 1
    return _mean_of_means(users, train.popularity[known] / most, len(ranking.users))


@_figure("ratio", "higher", {"train"})
def item_coverage(ranking: RankingProfile, *, k: Length = 10) -> float:
    """Share of the items of training that are among anyone's first k recommendations."""
    train = _train(ranking)
    _, known = _found(ranking, train.items, k)
    return len(np.unique(known)) / len(train.items) if len(train.items) else NAN


@metric(per="dataset", unit="ratio", better="lower", automatic=Automatic(NEAR_10, Bound("lt", 1)))
def item_gini(ranking: RankingProfile, *, k: Length = 10) -> float:
    """Gini index of how often each item is among the first k: 0 where all are recommended as often.

    Of the items that are recommended at all; of a single one there is none.
    """
    often = np.bincount(ranking.item_codes[ranking.places <= k])
    often = np.sort(often[often > 0]).astype(np.float64)
    n = len(often)
    if n < 2:
        return NAN
    return float(((2 * np.arange(1, n + 1) - n - 1) * often).sum() / ((n - 1) * often.sum()))


@_figure("score", "higher", {"items"})
def diversity_at_k(ranking: RankingProfile, *, k: Length = 10, compat: bool = False) -> float:
    """Mean cosine distance between the features of two of a user's first k recommendations.

    `compat`: Evidently's figure, the sum over pairs divided by the list's length, which grows with k.
    """
    features = _features(ranking)
    users, known = _found(ranking, features.items, k)
    count = np.bincount(users, minlength=len(ranking.users))
    sums, squares = _sums(features, users, known, len(ranking.users))
    pairs = count * (count - 1) / 2
    distances = np.maximum(pairs - ((sums**2).sum(axis=1) - squares) / 2, 0)
    if compat:
        return _mean(_over(distances, count), count > 0)
    return _mean(_over(distances, pairs), pairs > 0)


@_figure("score", "higher", {"target", "train", "items"})
def serendipity_at_k(
    ranking: RankingProfile,
    *,
    k: Length = 10,
    min_relevance: Finite | None = None,
    compat: bool = False,
) -> float:
    """Mean cosine distance of a user's relevant recommendations to what the user had in training.

    Of users with something relevant among the first k, and a history. `compat`: Evidently's figure,
    1 - the sum of likenesses, which falls with the number of relevant items and may be below 0.
    """
    train, features = _train(ranking), _features(ranking)
    top = _judged(ranking, k, min_relevance)
    users, known = _matched(top.users, top.items, ranking.items, features.items)
    likeness = _likeness(train, features, ranking.users[users], known)
    served = ~np.isnan(likeness)
    users, likeness = users[served], likeness[served]
    count = np.bincount(users, minlength=len(ranking.users))
    summed = _totals(users, likeness, len(ranking.users))
    unlike = 1 - (summed if compat else _over(summed, count))
    return _mean(unlike, count > 0)


@metric(per="dataset", unit="score", better="lower", labels="column", needs={"train", "items"})
def item_bias(ranking: RankingProfile, *, k: Length = 10) -> dict[str, float]:
    """Normed Wasserstein distance of recommended items' features to those of all items of training.

    Of the first k recommendations, as often as they are made, to the items of training, once each:
    by feature, in standard deviations of the latter.
    """
    train, features = _train(ranking), _features(ranking)
    _, known = _found(ranking, features.items, k)
    place, there = _places(train.items, features.items)
    if not len(known) or not there.any():
        return dict.fromkeys(features.names, NAN)
    out = {}
    for name, values in zip(features.names, features.table.T, strict=True):
        sides = (values[known], values[place[there]])
        current, before = (numeric_profile(name, len(side), side) for side in sides)
        out[name] = wasserstein(current, before).value
    return out


def _relevant(ranking: RankingProfile, least: float | None) -> Bools:
    if ranking.unjudged:
        raise BatchError(ranking.unjudged)
    return ranking.relevance > 0 if least is None else ranking.relevance >= least


def _judged(ranking: RankingProfile, k: int, least: float | None) -> _Hits:
    """The relevant rows among the first k: found once for all figures."""
    key = ("judged", k, least)
    if key not in ranking.known:
        ranking.known[key] = _find_relevant(ranking, k, least)
    hits: _Hits = ranking.known[key]
    return hits


def _find_relevant(ranking: RankingProfile, k: int, least: float | None) -> _Hits:
    relevant = _relevant(ranking, least)
    rows = np.flatnonzero(relevant & (ranking.places <= k))
    whole = np.bincount(ranking.user_codes[relevant], minlength=len(ranking.users))
    return _Hits(
        ranking.user_codes[rows],
        ranking.places[rows],
        ranking.item_codes[rows],
        whole,
        ranking.sizes,
    )


def _best_gain(ranking: RankingProfile, gain: Floats, k: int) -> Floats:
    """Each user's discounted gain, were the list in the best order."""
    rows = np.flatnonzero(gain > 0)
    users, gains = ranking.user_codes[rows], gain[rows]
    if len(gains) and gains.min() < gains.max():
        order = np.lexsort((-gains, users))
        users, gains = users[order], gains[order]
    counts = np.bincount(users, minlength=len(ranking.users))
    place = np.arange(len(rows)) - (np.cumsum(counts) - counts)[users]
    there = place < k
    return _totals(users[there], gains[there] / np.log2(place[there] + 2), len(ranking.users))


def _train(ranking: RankingProfile) -> TrainProfile:
    if ranking.train is None:
        raise BatchError(LACKS["train"])
    return ranking.train


def _features(ranking: RankingProfile) -> ItemFeatures:
    if ranking.features is None:
        raise BatchError(LACKS["items"])
    return ranking.features


def _found(ranking: RankingProfile, known: Hashes, k: int) -> tuple[Ints, Ints]:
    """Of the first k recommendations whose item is *known*: the user's index, and the item's among them."""
    rows = np.flatnonzero(ranking.places <= k)
    return _matched(ranking.user_codes[rows], ranking.item_codes[rows], ranking.items, known)


def _matched(users: Ints, items: Codes, names: Hashes, known: Hashes) -> tuple[Ints, Ints]:
    place, there = _places(names, known)
    kept = there[items]
    return users[kept], place[items[kept]]


def _places(names: Hashes, known: Hashes) -> tuple[Ints, Bools]:
    """Where names stand among the known ones, and which of them do."""
    if not len(known):
        return np.zeros(len(names), np.int64), np.zeros(len(names), bool)
    place = np.minimum(np.searchsorted(known, names), len(known) - 1)
    return place, known[place] == names


def _likeness(train: TrainProfile, features: ItemFeatures, users: Hashes, items: Ints) -> Floats:
    """The mean cosine similarity of each item to its user's history; NaN where that is empty."""
    place, known = _places(users, train.users)
    served = np.unique(place[known])
    index = np.full(len(train.users), -1)
    index[served] = np.arange(len(served))
    whose = np.repeat(index, np.diff(train.starts))
    rows = np.flatnonzero(whose >= 0)
    histories, had = _matched(whose[rows], train.interactions[rows], train.items, features.items)
    lengths = np.bincount(histories, minlength=len(served))
    sums, _ = _sums(features, histories, had, len(served))
    means = sums / np.where(lengths > 0, lengths, np.nan)[:, None]
    out = np.full(len(users), np.nan)
    at = np.flatnonzero(known)
    for some in _blocks(features, len(at)):
        mine, theirs = features.vectors[items[at[some]]], means[index[place[at[some]]]]
        out[at[some]] = np.einsum("ij,ij->i", mine, theirs)
    return out


def _sums(features: ItemFeatures, groups: Ints, items: Ints, count: int) -> tuple[Floats, Floats]:
    """The sum of the vectors of each of *count* groups, which come in order, and of their squares."""
    sums, squares = np.zeros((count, len(features.names))), np.zeros(count)
    for some in _blocks(features, len(groups)):
        chosen, vectors = groups[some], features.vectors[items[some]]
        first = np.flatnonzero(np.diff(chosen, prepend=-1))
        sums[chosen[first]] += np.add.reduceat(vectors, first, axis=0)
        squares += np.bincount(chosen, np.einsum("ij,ij->i", vectors, vectors), count)
    return sums, squares


def _blocks(features: ItemFeatures, rows: int) -> Iterator[slice]:
    """Parts of the rows whose vectors fit into little memory."""
    step = max(BLOCK // len(features.names), 1)
    return (slice(at, at + step) for at in range(0, rows, step))


def _distinct(users: Ints, items: Codes) -> tuple[Ints, Ints]:
    """Pairs of user and item, each once."""
    width = int(items.max(initial=0)) + 1
    pairs = np.sort(users * width + items)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return pairs // width, pairs % width


def _totals(groups: Ints, weights: Floats | None, count: int) -> Floats:
    """The sum of the weights, or the number, of each of *count* groups."""
    return np.bincount(groups, weights, count).astype(np.float64, copy=False)


def _over(part: Floats, whole: Ints | Floats) -> Floats:
    """The ratio, 0 where there is nothing to divide by."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _mean(values: Floats, chosen: Bools) -> float:
    return float(values[chosen].mean()) if chosen.any() else NAN


def _mean_of_means(users: Ints, values: Floats, count: int) -> float:
    """The mean over users of the mean of their values; users without any are left out."""
    often = np.bincount(users, minlength=count)
    return _mean(_over(_totals(users, values, count), often), often > 0)
