"""Rankings of plain lists, and their figures worked out user by user from the formulas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isfinite, log2, nan
from typing import Any

import numpy as np
from hypothesis import strategies as st

from exporter.batch import RankedBy
from exporter.profile.ranking import (
    ItemFeatures,
    Labelled,
    RankingProfile,
    TrainProfile,
    item_features,
    ranking_profile,
    train_profile,
)

Row = tuple[Any, Any, float, float]  # user, item, target, prediction
Lists = list[list[tuple[int, float, str]]]  # of each user: place, relevance, item
_TARGETS = [0.0, 1.0, 1.0, 2.0, 0.5, -1.0, nan, inf]
_SCORES = [0.0, -0.0, 0.5, 0.25, 1.0, -3.0, 1e300, nan, inf, -inf]
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", None]),
        st.sampled_from([*map(str, range(8)), None]),
        st.sampled_from(_TARGETS),
        st.one_of(st.sampled_from(_SCORES), st.floats(-10, 10)),
    ),
    max_size=40,
)
trained = st.lists(
    st.tuples(st.sampled_from(["a", "b", "e", None]), st.sampled_from([*"01239", None])),
    max_size=20,
)
numbers = st.one_of(st.sampled_from([0.0, 1.0, -1.0, nan]), st.floats(-100, 100))
things = st.lists(st.tuples(st.sampled_from([*"0123456", None]), numbers, numbers), max_size=9)


def labelled(told: Iterable[Any]) -> Labelled:
    """Texts as labels and codes; None is missing."""
    told = list(told)
    names = [str(x) for x in dict.fromkeys(told) if x is not None]
    codes = [len(names) if x is None else names.index(str(x)) for x in told]
    return names, np.array(codes, np.int32)


def ranked(told: Sequence[Row], ranked_by: RankedBy = "score") -> RankingProfile:
    """The profile of rows."""
    target, prediction = np.array([row[2:] for row in told], dtype=float).reshape(-1, 2).T
    who, what = (labelled(row[i] for row in told) for i in (0, 1))
    return ranking_profile(who, what, target, prediction, ranked_by=ranked_by)


def beside(
    told: Sequence[Row], train: Sequence[tuple[Any, Any]], items: Sequence[tuple[Any, ...]]
) -> RankingProfile:
    """The profile of rows, with training and features."""
    return ranked(told).beside(training(train), vectors(items))


def training(told: Sequence[tuple[Any, Any]]) -> TrainProfile:
    """Pairs of user and item."""
    return train_profile(labelled(user for user, _ in told), labelled(item for _, item in told))


def vectors(told: Sequence[tuple[Any, ...]]) -> ItemFeatures:
    """Items, and their features."""
    table = np.array([row[1:] for row in told], dtype=float).reshape(
        len(told), len(told[0]) - 1 if told else 2
    )
    return item_features(
        labelled(row[0] for row in told), {f"f{i}": column for i, column in enumerate(table.T)}
    )


def lists_of(told: Sequence[Row], ranked_by: RankedBy = "score") -> Lists:
    """Each user's rows in order, without what cannot be ranked; equal predictions are not expected."""
    by_user: dict[str, list[Row]] = {}
    for row in told:
        if row[0] is not None and row[1] is not None and isfinite(row[3]):
            by_user.setdefault(row[0], []).append(row)
    out = []
    for mine in by_user.values():
        assert len({row[3] for row in mine}) == len(mine)
        ordered = sorted(mine, key=lambda row: row[3], reverse=ranked_by == "score")
        places = [int(row[3]) if ranked_by == "rank" else i + 1 for i, row in enumerate(ordered)]
        out.append([(p, row[2], row[1]) for p, row in zip(places, ordered, strict=True)])
    return out


def by_the_book(
    metric: str, lists: Lists, k: int, least: float | None = None, *, everyone: bool = False
) -> float:
    """A figure at k as its formula says: a mean over users, each looked at on its own."""
    judged = [
        ([(place, _is_relevant(x, least), _gain(x, least)) for place, x, _ in rows], len(rows))
        for rows in lists
    ]
    chosen = [user for user in judged if everyone or any(hit for _, hit, _ in user[0])]
    if metric == "f_beta_at_k":
        p, r = (
            by_the_book(m, lists, k, least, everyone=everyone)
            for m in ("precision_at_k", "recall_at_k")
        )
        return 2 * p * r / (p + r) if p + r else p + r
    figures = [_OF_A_USER[metric](rows, size, k) for rows, size in chosen]
    return sum(figures) / len(figures) if figures else nan


def _is_relevant(target: float, least: float | None) -> bool:
    return isfinite(target) and (target > 0 if least is None else target >= least)


def _gain(target: float, least: float | None) -> float:
    relevant = _is_relevant(target, least)
    return (target if least is None else 1.0) if relevant else 0.0


def _hits(rows: Any, k: int) -> int:
    return sum(hit for place, hit, _ in rows if place <= k)


def _average(rows: Any, k: int, at: Any) -> float:
    whole = sum(hit for _, hit, _ in rows)
    return sum(at(place) for place, hit, _ in rows if hit and place <= k) / whole if whole else 0.0


def _precision(rows: Any, size: int, k: int) -> float:
    return _hits(rows, k) / min(size, k)


def _recall(rows: Any, size: int, k: int) -> float:
    whole = sum(hit for _, hit, _ in rows)
    return _hits(rows, k) / whole if whole else 0.0


def _ndcg(rows: Any, size: int, k: int) -> float:
    found = sum(gain / log2(place + 1) for place, _, gain in rows if place <= k)
    best = sorted((gain for _, _, gain in rows), reverse=True)[:k]
    ideal = sum(gain / log2(place + 2) for place, gain in enumerate(best))
    return found / ideal if ideal else 0.0


_OF_A_USER = {
    "precision_at_k": _precision,
    "recall_at_k": _recall,
    "map_at_k": lambda rows, size, k: _average(rows, k, lambda i: _precision(rows, size, i)),
    "mar_at_k": lambda rows, size, k: _average(rows, k, lambda i: _recall(rows, size, i)),
    "ndcg_at_k": _ndcg,
    "mrr_at_k": lambda rows, size, k: max(
        (1 / p for p, hit, _ in rows if hit and p <= k), default=0.0
    ),
    "hit_rate_at_k": lambda rows, size, k: float(_hits(rows, k) > 0),
}
AT_K = [*_OF_A_USER, "f_beta_at_k"]
