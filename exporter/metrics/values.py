"""Which values are there: ranges, lists, categories, patterns. Missing values count as neither in nor out."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Any

import numpy as np

from exporter.metrics._registry import (
    NEAR_10,
    NONE_AT_ALL,
    Automatic,
    Bound,
    NeedsReferenceError,
    metric,
)
from exporter.options import Checked, re2
from exporter.profile.arrays import number_text
from exporter.profile.column import CategoryProfile, NumericProfile

Listed = list[bool | int | float | str]
MOST_CATEGORIES = 100  # that are told one by one, where nobody asked for any


def _finite(end: float) -> float:
    """The end of a range, if it is one."""
    if not isfinite(end):
        raise ValueError("expected a finite number; a side that is left out is open")
    return end


def _outside_of_all(
    column: NumericProfile,
    reference: NumericProfile | None = None,
    *,
    left: float | None = None,
    right: float | None = None,
) -> int:
    """The same with infinite values as ordinary ones, in the column and as the reference's ends."""
    negative, positive = _infinities(column)
    finite = _outside(column, reference, left, right)
    if left is not None or right is not None or reference is None:
        return finite + negative * (left is not None) + positive * (right is not None)
    open_left, open_right = (count > 0 for count in _infinities(reference))
    low = column.points.below(np.array([reference.moments.least]))[0]
    high = column.count - column.points.below(np.array([reference.moments.most]), "right")[0]
    return int((0 if open_left else low + negative) + (0 if open_right else high + positive))


def _out_of_all(*profiles: Any, **ends: Any) -> float:
    return _share(_outside_of_all(*profiles, **ends), _with_infinite(profiles[0]))


def _infinities(column: NumericProfile) -> tuple[int, int]:
    return column.negative_infinite, column.infinite - column.negative_infinite


def _with_infinite(column: NumericProfile) -> int:
    return column.count + column.infinite


Finite = Annotated[float, Checked(_finite)]
Pattern = Annotated[str, Checked(re2)]


@metric(
    per="column",
    unit="rows",
    automatic=Automatic(NEAR_10),
    gauge="in_range_values",
    evidently=lambda *profiles, **ends: (
        _with_infinite(profiles[0]) - _outside_of_all(*profiles, **ends)
    ),
)
def in_range_count(
    column: NumericProfile,
    reference: NumericProfile | None = None,
    *,
    left: Finite | None = None,
    right: Finite | None = None,
) -> float:
    """Finite values inside a range, by default the reference's."""
    return column.count - _outside(column, reference, left, right)


@metric(
    per="column",
    unit="rows",
    better="lower",
    automatic=Automatic(NONE_AT_ALL, NONE_AT_ALL),
    gauge="out_of_range_values",
    evidently=_outside_of_all,
)
def out_of_range_count(
    column: NumericProfile,
    reference: NumericProfile | None = None,
    *,
    left: Finite | None = None,
    right: Finite | None = None,
) -> float:
    """Values outside a range, by default the reference's.

    Both ends belong to it; where one of `left` and `right` is given, the other side is open.
    """
    return _outside(column, reference, left, right)


@metric(
    per="column",
    unit="ratio",
    better="lower",
    automatic=Automatic(NONE_AT_ALL, NONE_AT_ALL),
    evidently=_out_of_all,
)
def out_of_range_ratio(
    column: NumericProfile,
    reference: NumericProfile | None = None,
    *,
    left: Finite | None = None,
    right: Finite | None = None,
) -> float:
    """Share of the values outside a range, by default the reference's."""
    return _share(_outside(column, reference, left, right), column.count)


@metric(
    per="column",
    unit="ratio",
    better="higher",
    automatic=Automatic(NEAR_10),
    evidently=lambda *profiles, **ends: 1 - _out_of_all(*profiles, **ends),
)
def in_range_ratio(
    column: NumericProfile,
    reference: NumericProfile | None = None,
    *,
    left: Finite | None = None,
    right: Finite | None = None,
) -> float:
    """Share of the finite values inside a range, by default the reference's."""
    return _share(column.count - _outside(column, reference, left, right), column.count)


@metric(per="column", unit="rows", automatic=Automatic(NEAR_10), gauge="in_list_values")
def in_list_count(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile | None = None,
    *,
    values: Listed | None = None,
) -> float:
    """Values that are in a list, by default the reference's values."""
    return _listed(column, reference, values)


@metric(per="column", unit="ratio", better="higher", automatic=Automatic(NEAR_10))
def in_list_ratio(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile | None = None,
    *,
    values: Listed | None = None,
) -> float:
    """Share of the values that are in a list, by default the reference's values."""
    return _share(_listed(column, reference, values), column.count)


@metric(
    per="column",
    unit="rows",
    better="lower",
    automatic=Automatic(NONE_AT_ALL, NONE_AT_ALL),
    gauge="out_of_list_values",
)
def out_of_list_count(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile | None = None,
    *,
    values: Listed | None = None,
) -> float:
    """Values that are not in a list, by default the reference's values."""
    return column.count - _listed(column, reference, values)


@metric(per="column", unit="ratio", better="lower", automatic=Automatic(NONE_AT_ALL, NONE_AT_ALL))
def out_of_list_ratio(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile | None = None,
    *,
    values: Listed | None = None,
) -> float:
    """Share of the values that are not in a list, by default the reference's values."""
    return _share(column.count - _listed(column, reference, values), column.count)


@metric(
    per="column",
    unit="rows",
    automatic=Automatic(NEAR_10),
    gauge="category_rows",
    labels="category",
)
def category_count(
    column: CategoryProfile, *, categories: Listed | None = None
) -> dict[str, float]:
    """Rows in each category, or in those that are asked for and all of these together."""
    return _by_category(column, categories, 1)


@metric(per="column", unit="ratio", automatic=Automatic(NEAR_10), labels="category")
def category_ratio(
    column: CategoryProfile, *, categories: Listed | None = None
) -> dict[str, float]:
    """Share of rows in each category, or in those that are asked for and all of these together."""
    return _by_category(column, categories, column.rows)


@metric(per="column", unit="value", better="lower", automatic=Automatic(Bound("eq", 0.0)))
def new_categories(column: CategoryProfile, reference: CategoryProfile) -> float:
    """Categories that the reference does not have."""
    return len(set(column.labels) - set(reference.labels))


@metric(per="column", unit="value", better="lower")
def gone_categories(column: CategoryProfile, reference: CategoryProfile) -> float:
    """Categories that only the reference has."""
    return len(set(reference.labels) - set(column.labels))


@metric(
    per="column",
    unit="rows",
    better="lower",
    automatic=Automatic(Bound("eq", relative=0.1, scaled=True), NONE_AT_ALL),
    gauge="regexp_mismatches",
)
def regexp_mismatch_count(column: CategoryProfile, *, pattern: Pattern) -> float:
    """Values that do not match a regular expression (RE2) from their first character on."""
    return column.count - _matching(column, pattern)


@metric(per="column", unit="ratio", better="lower", automatic=Automatic(NEAR_10, NONE_AT_ALL))
def regexp_mismatch_ratio(column: CategoryProfile, *, pattern: Pattern) -> float:
    """Share of the values that do not match a regular expression (RE2) from their first character on."""
    return _share(column.count - _matching(column, pattern), column.count)


@metric(per="column", unit="rows", automatic=Automatic(NEAR_10), gauge="regexp_matches")
def regexp_match_count(column: CategoryProfile, *, pattern: Pattern) -> float:
    """Values that match a regular expression (RE2) from their first character on."""
    return _matching(column, pattern)


@metric(per="column", unit="ratio", better="higher", automatic=Automatic(NEAR_10))
def regexp_match_ratio(column: CategoryProfile, *, pattern: Pattern) -> float:
    """Share of the values that match a regular expression (RE2) from their first character on."""
    return _share(_matching(column, pattern), column.count)


def _matching(column: CategoryProfile, pattern: str) -> int:
    """How many values match, each label looked at once."""
    import pyarrow.compute as pc

    from exporter.profile.arrow import texts

    found = pc.match_substring_regex(texts(column.labels), f"^(?:{pattern})")
    hits = np.array(found.to_pylist(), bool)
    return int(column.counts[hits].sum())


def _outside(
    column: NumericProfile,
    reference: NumericProfile | None,
    left: float | None,
    right: float | None,
) -> int:
    """Values below *left* or above *right*; infinite ones are always outside, and counted apart."""
    low, high = -np.inf if left is None else left, np.inf if right is None else right
    if left is None and right is None:
        if reference is None:
            raise NeedsReferenceError("needs left, right or a reference")
        if not reference.count:
            raise ValueError("the reference has no values")
        low, high = reference.moments.least, reference.moments.most
    below = int(column.points.below(np.array([low]))[0])
    return below + column.count - int(column.points.below(np.array([high]), "right")[0])


def _listed(
    column: NumericProfile | CategoryProfile,
    reference: NumericProfile | CategoryProfile | None,
    values: Sequence[Any] | None,
) -> int:
    """How many values are in the list."""
    if values is None and reference is None:
        raise NeedsReferenceError("needs values or a reference")
    if isinstance(column, CategoryProfile):
        known = reference.labels if isinstance(reference, CategoryProfile) else ()
        names = set(known if values is None else map(label_of, values))
        return sum(count for label, count in column.count_of.items() if label in names)
    told = reference.points.values if isinstance(reference, NumericProfile) else np.empty(0)
    numbers = np.unique(told if values is None else np.array([float(v) for v in values]))
    return int((column.points.below(numbers, "right") - column.points.below(numbers)).sum())


def label_of(value: Any) -> str:
    """A value of the YAML as the canonical text of a category: `1`, never `1.0`; `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return number_text(value) if isinstance(value, float) else str(value)


def _by_category(
    column: CategoryProfile, categories: Sequence[Any] | None, whole: int
) -> dict[str, float]:
    if categories is None:
        names = column.labels[:MOST_CATEGORIES]
        return {name: _share(column.count_of[name], whole) for name in names}
    wanted = dict.fromkeys(map(label_of, categories))
    counts = {name: column.count_of.get(name, 0) for name in wanted}
    total = {"": _share(sum(counts.values()), whole)}
    return total | {name: _share(count, whole) for name, count in counts.items()}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
