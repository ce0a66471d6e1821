"""A text beside another column of its row, such as the expected answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.descriptors._registry import Other, Result, Texts, descriptor
from exporter.descriptors.buffers import booleans, null, scalar
from exporter.descriptors.formats import NotJsonError, json_of
from exporter.descriptors.patterns import Name
from exporter.descriptors.vocabulary import stem
from exporter.descriptors.words import distinct, words_of
from exporter.errors import BatchError
from exporter.profile.arrays import Ints

PairMode = Literal["any", "all", "none"]


@descriptor(kind="categorical")
def exact_match(texts: Texts, other: Other, *, case_sensitive: bool = True) -> Result:
    """Whether the text is the same as that of another column."""
    _refuse_lists(other)
    if case_sensitive:
        return pc.equal(texts, other)
    return pc.equal(pc.utf8_lower(texts), pc.utf8_lower(other))


@descriptor(kind="categorical")
def json_match(texts: Texts, other: Other) -> Result:
    """Whether text and other column are the same JSON value: spaces and the order of keys aside.

    A text that is no JSON matches nothing.
    """
    _refuse_lists(other)
    pairs = zip(texts.to_pylist(), other.to_pylist(), strict=True)
    return [None if right is None else _same_json(left, right) for left, right in pairs]


@descriptor(kind="categorical")
def item_match(
    texts: Texts,
    other: Other,
    *,
    mode: PairMode = "any",
    case_sensitive: bool = True,
    separator: Name | None = None,
) -> Result:
    """Whether any, all or none of another column's items are a part of the text.

    The other column holds lists of texts, or texts: one item each, or several between separators.
    """
    read = str if case_sensitive else str.casefold
    return [
        _has([item in text for item in items], mode)
        for text, items in _rows(texts, other, read, separator)
    ]


@descriptor(kind="categorical")
def word_match(texts: Texts, other: Other, *, mode: PairMode = "any") -> Result:
    """Whether any, all or none of another column's words stand in the text, as whole words.

    The other column holds lists of words, or texts whose words are meant. Case and inflections
    make no difference: `refund` is found in `Refunded`.
    """
    if pa.types.is_large_list(other.type):
        other = pc.binary_join(other, scalar(" "))
    place: dict[str, int] = {}
    there = _stems_of(texts, place)
    wanted = _stems_of(pc.fill_null(other, scalar("")), place)
    size = max(len(place), 1)
    asked = distinct(wanted[0] * size + wanted[1])
    given = distinct(there[0] * size + there[1])
    met = np.isin(asked, given, assume_unique=True)
    counts = np.bincount(asked // size, minlength=len(texts))
    hits = np.bincount(asked[met] // size, minlength=len(texts))
    verdict = {"any": hits > 0, "all": hits == counts, "none": hits == 0}[mode]
    return pc.if_else(booleans(counts > 0), booleans(verdict), null(pa.bool_()))


def _rows(
    texts: pa.Array, other: pa.Array, read: Callable[[str], str], separator: str | None
) -> Iterator[tuple[str, list[str]]]:
    """Text and items of each row, prepared by *read*."""
    for text, told in zip(texts.to_pylist(), other.to_pylist(), strict=True):
        items = told or []
        if isinstance(items, str):
            items = [items] if separator is None else items.split(separator)
        yield read(text), [read(item.strip()) for item in items if item and item.strip()]


def _has(found: Sequence[bool], mode: PairMode) -> bool | None:
    """The verdict of a mode; of a row without items there is none."""
    if not found:
        return None
    return {"any": any(found), "all": all(found), "none": not any(found)}[mode]


def _stems_of(texts: pa.Array, place: dict[str, int]) -> tuple[Ints, Ints]:
    """Rows, and the number of the stem of each word in them; *place* learns new stems."""
    words = words_of(texts)
    stems = [place.setdefault(stem(word), len(place)) for word in words.known]
    return words.rows, np.array(stems, np.int64)[words.codes]


def _same_json(left: str, right: str) -> bool:
    try:
        return same_value(json_of(left), json_of(right))
    except NotJsonError:
        return False


def same_value(left: Any, right: Any) -> bool:
    """Whether two JSON values are one: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_value(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_value, left, right))
    return bool(left == right)


def _refuse_lists(other: pa.Array) -> None:
    if pa.types.is_large_list(other.type):
        raise BatchError("the other column holds lists: item_match reads them")
