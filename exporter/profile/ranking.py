"""Ranking profiles: every user's recommendations in order, and what was known of items and users before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from exporter.batch import RankedBy
from exporter.errors import BatchError
from exporter.profile.arrays import Bools, Codes, Floats, Hashes, Ints, hash_labels, mixed

Labelled = tuple[list[str], Codes]  # distinct labels, and each row's index; their number = missing
LAST_PLACE = 1 << 31  # beyond any list
_APART = 1 << 33  # more than two places of one user can be apart
_SHUFFLE = 0x2545F4914F6CDD1D  # so that the order of ties follows neither users nor items


@dataclass(frozen=True)
class TrainProfile:
    """The interactions that a model was trained on: the items of each user, and the users of each item."""

    users: Hashes  # ascending
    starts: Ints  # where a user's interactions begin, and where the last one's end
    interactions: Codes  # indices of items
    items: Hashes  # ascending
    popularity: Ints  # the distinct users of each item


@dataclass(frozen=True)
class ItemFeatures:
    """What items are like: the numbers of each."""

    items: Hashes  # ascending
    names: tuple[str, ...]
    values: Floats  # of one item after the other

    @property
    def table(self) -> Floats:
        """One row an item, one column a feature."""
        return self.values.reshape(len(self.items), len(self.names))

    @cached_property
    def vectors(self) -> Floats:
        """The same, each row made length 1; where all is 0 it stays so."""
        most = np.abs(self.table).max(axis=1, keepdims=True)
        scaled = self.table / np.maximum(most, np.finfo(np.float64).tiny)
        length = np.linalg.norm(scaled, axis=1, keepdims=True)
        unit: Floats = np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
        return unit


@dataclass(frozen=True)
class RankingProfile:
    """What was recommended to whom, user by user and best first, and how relevant it turned out to be.

    Users and items are hashes of their text, so that parts, training data and features meet. Rows
    without user, item or prediction, or with an infinite one, are left out; a row without target
    is a recommendation that nobody followed. Where the target cannot be read at all, `unjudged`
    says why: what was recommended is known, and not how good it was.
    """

    ranked_by: RankedBy
    users: Hashes  # ascending
    starts: Ints  # where a user's rows begin, and where the last one's end
    items: Hashes  # ascending
    item_codes: Codes  # of each row
    relevance: Floats  # the target of each row; NaN where it has none
    predictions: Floats  # scores, or places as they were given
    left_out: int
    unjudged: str = ""
    train: TrainProfile | None = None
    features: ItemFeatures | None = None

    @property
    def rows(self) -> int:
        """Rows with user, item and prediction."""
        return len(self.item_codes)

    @property
    def count(self) -> int:
        """Users: every figure is a mean over them."""
        return len(self.users)

    @cached_property
    def labelled(self) -> int:
        """Rows that have a target as well."""
        return self.rows - int(np.isnan(self.relevance).sum())

    @cached_property
    def known(self) -> dict[Any, Any]:
        """What several figures read and one has computed."""
        return {}

    @cached_property
    def sizes(self) -> Ints:
        """Rows of each user."""
        return np.diff(self.starts)

    @cached_property
    def user_codes(self) -> Ints:
        """The index of each row's user."""
        return np.repeat(np.arange(len(self.users)), self.sizes)

    @cached_property
    def places(self) -> Ints:
        """Each row's place in its user's list, from 1, no two alike.

        Of scores the order; of given places those, moved back where they would be below 1 or taken.
        """
        order = np.arange(self.rows) - self.starts[self.user_codes]
        if self.ranked_by == "score":
            return order + 1
        given = np.clip(np.floor(self.predictions), 1, LAST_PLACE).astype(np.int64)
        pushed = given - order + _APART * self.user_codes
        return np.maximum.accumulate(pushed) - _APART * self.user_codes + order

    def of_users(self, chosen: Ints) -> RankingProfile:
        """The lists of some users, by index and ascending; of one that is chosen twice two lists."""
        sizes = self.sizes[chosen]
        starts = np.concatenate(([0], np.cumsum(sizes)))
        rows = np.repeat(self.starts[chosen] - starts[:-1], sizes) + np.arange(starts[-1])
        return replace(
            self,
            users=self.users[chosen],
            starts=starts,
            item_codes=self.item_codes[rows],
            relevance=self.relevance[rows],
            predictions=self.predictions[rows],
        )

    def beside(self, train: TrainProfile | None, features: ItemFeatures | None) -> RankingProfile:
        """The same with what was known before: profiles are kept without, as one of them serves all."""
        return replace(self, train=train, features=features)


def ranking_profile(
    users: Labelled,
    items: Labelled,
    target: Floats,
    prediction: Floats,
    *,
    ranked_by: RankedBy = "score",
    unjudged: str = "",
) -> RankingProfile:
    """The profile of rows, given in any order.

    Equal predictions of one user are put into an order that is fixed but has nothing to do with
    the rows, the items' names or their relevance.
    """
    there = (users[1] < len(users[0])) & (items[1] < len(items[0])) & np.isfinite(prediction)
    return _assembled(
        (hash_labels(users[0])[:-1], users[1][there]),
        (hash_labels(items[0])[:-1], items[1][there]),
        np.where(np.isfinite(target), target, np.nan)[there],
        prediction[there],
        ranked_by=ranked_by,
        left_out=int(len(there) - np.count_nonzero(there)),
        unjudged=unjudged,
    )


def merge_rankings(parts: Sequence[RankingProfile]) -> RankingProfile:
    """The profile of the whole: parts of one batch may share users; some may lack the target.

    Raises BatchError where some parts are ordered by score and others by rank.
    """
    if len({part.ranked_by for part in parts}) > 1:
        raise BatchError("some parts are ordered by score and others by rank")
    merged = _assembled(
        _joined([(part.users, part.user_codes) for part in parts]),
        _joined([(part.items, part.item_codes) for part in parts]),
        np.concatenate([part.relevance for part in parts]),
        np.concatenate([part.predictions for part in parts]),
        ranked_by=parts[0].ranked_by,
        left_out=sum(part.left_out for part in parts),
        unjudged=min(part.unjudged for part in parts),  # none, where one has targets
    )
    return merged.beside(parts[0].train, parts[0].features)


def train_profile(users: Labelled, items: Labelled) -> TrainProfile:
    """The profile of interactions, a row each; rows without user or item are left out."""
    there = (users[1] < len(users[0])) & (items[1] < len(items[0]))
    names, who = _used(hash_labels(users[0])[:-1], users[1][there])
    things, what = _used(hash_labels(items[0])[:-1], items[1][there])
    order = np.lexsort((what, who))
    who, what = who[order], what[order]
    again = np.zeros(len(who), bool)
    again[1:] = (who[1:] == who[:-1]) & (what[1:] == what[:-1])
    popularity = np.bincount(what[~again], minlength=len(things))
    return TrainProfile(names, _starts(who, len(names)), what, things, popularity)


def item_features(items: Labelled, features: Mapping[str, Floats]) -> ItemFeatures:
    """What is known of items, of one array a feature, of which there is at least one.

    Rows that lack the item or a feature are left out; an item on several rows has their mean.
    """
    table = np.column_stack(list(features.values()))
    there = (items[1] < len(items[0])) & np.isfinite(table).all(axis=1)
    names, which = _used(hash_labels(items[0])[:-1], items[1][there])
    means = np.zeros((len(names), len(features)))
    often = np.bincount(which, minlength=len(names))[:, None]
    np.add.at(means, which, table[there] / often[which])
    return ItemFeatures(names, tuple(features), means.ravel())


def _assembled(
    users: tuple[Hashes, Codes],
    items: tuple[Hashes, Codes],
    relevance: Floats,
    predictions: Floats,
    *,
    ranked_by: RankedBy,
    left_out: int,
    unjudged: str,
) -> RankingProfile:
    (names, who), (things, what) = _used(*users), _used(*items)
    key = (-predictions if ranked_by == "score" else predictions) + 0.0  # one zero
    order, alike = _nearly_sorted(who, key)
    rows = order[alike]
    known = np.nan_to_num(relevance[rows], nan=-np.inf)
    shuffle = mixed(names[who[rows]] ^ things[what[rows]], _SHUFFLE)
    order[alike] = rows[np.lexsort((known, shuffle, key[rows], who[rows]))]
    return RankingProfile(
        ranked_by,
        names,
        _starts(who, len(names)),
        things,
        what[order],
        relevance[order],
        predictions[order],
        left_out,
        unjudged,
    )


def _nearly_sorted(who: Codes, key: Floats) -> tuple[Ints, Ints]:
    """Rows by user and key, and the places at which keys are too near each other for it to tell.

    User, the leading bits of the key and the row in one integer, so that one sort of integers does:
    several times as fast as sorting indices by two columns.
    """
    row_bits = len(who).bit_length()
    key_bits = 64 - row_bits - int(who.max(initial=0)).bit_length()
    bits = key.view(np.uint64)
    negative = bits >> np.uint64(63) == 1
    ascending = np.where(negative, ~bits, bits | np.uint64(1 << 63))
    packed = who.astype(np.uint64) << np.uint64(key_bits)
    packed |= ascending >> np.uint64(64 - key_bits)
    packed <<= np.uint64(row_bits)
    packed |= np.arange(len(who), dtype=np.uint64)
    packed.sort()
    order = (packed & np.uint64((1 << row_bits) - 1)).astype(np.int64)
    packed >>= np.uint64(row_bits)
    alike = np.zeros(len(who) + 1, bool)
    alike[1:-1] = packed[1:] == packed[:-1]
    return order, np.flatnonzero(alike[1:] | alike[:-1])


def _joined(parts: Sequence[tuple[Hashes, Ints | Codes]]) -> tuple[Hashes, Codes]:
    """Names of all parts, some twice, and the codes that follow."""
    before = np.cumsum([0, *(len(names) for names, _ in parts)])
    codes = [codes + at for (_, codes), at in zip(parts, before[:-1], strict=True)]
    return np.concatenate([names for names, _ in parts]), np.concatenate(codes).astype(np.int32)


def _used(names: Hashes, codes: Codes) -> tuple[Hashes, Codes]:
    """The names that occur, ascending and each once, and the codes that follow."""
    occurs: Bools = np.zeros(len(names), bool)
    occurs[codes] = True
    found, place = np.unique(names[occurs], return_inverse=True)
    follow = np.zeros(len(names), np.int32)
    follow[occurs] = place
    return found, follow[codes]


def _starts(codes: Codes, count: int) -> Ints:
    return np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=count))))
