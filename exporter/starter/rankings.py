"""Whether rows are recommendations: who was shown what, in which order, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from exporter.profile.arrow import codes
from exporter.starter.facts import Facts
from exporter.starter.roles import Roles

SOME = 3  # different items of a user, in the mean: fewer make no list
_USERS = frozenset(("user", "customer", "client", "member", "visitor", "reader", "viewer"))
_ITEMS = frozenset(
    ("item", "product", "article", "sku", "movie", "film", "song", "track", "book", "video", "offer")
)  # fmt: skip
_IDS = frozenset(("id", "uuid", "guid", "key", "no", "code", "number"))
_RANKS = frozenset(("rank", "position", "place"))
_SCORES = frozenset(("score", "prediction", "predicted", "pred"))
_ANSWERS = frozenset(
    ("clicked", "click", "clicks", "rating", "relevance", "relevant", "liked", "bought", "purchased",
     "watched", "feedback")
)  # fmt: skip


def be_ranking(facts: Mapping[str, Facts], taken: Collection[str], roles: Roles) -> None:
    """Make the roles those of a ranking, where users were shown several items each in an order."""
    plain = {n: c for n, c in facts.items() if c.family in ("number", "text")}
    free = {n: c for n, c in plain.items() if n not in taken and n != roles.id}
    user, item = _called(free, _USERS), _called(free, _ITEMS)
    if user is None or item is None or _items_a_user(user, item) < SOME:
        return
    apart = (user.name, item.name)
    rest = {
        n: c for n, c in free.items() if c.family == "number" and len(c.numbers) and n not in apart
    }
    target = rest.get(roles.target or "") or _named(rest, _ANSWERS)
    ranks = [c for c in _all_named(rest, _RANKS) if c.is_whole and c.numbers.min() >= 1]
    scores = [c for c in _all_named(rest, _SCORES) if c is not target]
    known = [rest[n] for n in (roles.probability, roles.prediction) if n in rest]
    order = next(iter((*ranks, *known, *scores)), None)
    if order is None or order is target:
        return
    for other in (*known, *scores):
        if other is not order:
            roles.spare[other.name] = f"another order than that of {order.name!r}"
    roles.task, roles.user, roles.item = "ranking", user.name, item.name
    roles.target, roles.prediction = target.name if target else None, order.name
    roles.probability = roles.positive = None
    roles.by_rank = bool(ranks)
    roles.why["task"] = f"many {item.name!r} of each {user.name!r}; or regression, binary or none"
    roles.why["prediction"] = (
        "the place: 1 is first" if ranks else "the score: the highest is first"
    )


def _called(free: Mapping[str, Facts], names: Collection[str]) -> Facts | None:
    """The first column called so, or its id: `user`, `user_id`."""
    for column in free.values():
        said = [word for word in column.words if word not in _IDS]
        if len(said) == 1 and said[0].removesuffix("s") in names:
            return column
    return None


def _all_named(rest: Mapping[str, Facts], names: Collection[str]) -> list[Facts]:
    return [c for c in rest.values() if {*c.words[:1], *c.words[-1:]} & set(names)]


def _named(rest: Mapping[str, Facts], names: Collection[str]) -> Facts | None:
    """The first column called so that is no prediction of it."""
    found = [c for c in _all_named(rest, names) if not _SCORES & set(c.words)]
    return next(iter(found), None)


def _items_a_user(user: Facts, item: Facts) -> float:
    """How many different items a user has, in the mean."""
    (users, whose), (items, what) = codes(user.values), codes(item.values)
    there = (whose < len(users)) & (what < len(items))
    pairs = np.unique(whose[there].astype(np.int64) * max(len(items), 1) + what[there])
    return len(pairs) / max(len(users), 1)
