"""A text beside another column of its row."""

from __future__ import annotations

import pyarrow as pa
import pytest
from descriptors.answers import said_beside, texts_column

from exporter.errors import BatchError


def test_the_same_text_matches():
    other = texts_column("a", "A", None, "", "x")
    assert said_beside("exact_match", ["a", "a", "a", "", None], other) == [
        True, False, None, True, None,
    ]  # fmt: skip
    assert said_beside("exact_match", ["a", "a"], texts_column("A", "b"), case_sensitive=False) == [
        True, False,
    ]  # fmt: skip


def test_numbers_are_compared_by_their_canonical_text():
    other = pa.chunked_array([pa.array([1.0, 2.5, None])])
    assert said_beside("exact_match", ["1", "2.5", "3"], other) == [True, True, None]


def test_a_dictionary_is_compared_as_its_texts():
    other = pa.chunked_array([pa.array(["a", "b", "a"]).dictionary_encode()])
    assert said_beside("exact_match", ["a", "a", "a"], other) == [True, False, True]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ('{"a": 1, "b": [2]}', '{ "b": [2.0], "a": 1 }', True),
        ("1", "true", False),
        ("[1, 2]", "[2, 1]", False),
        ("[1]", "[1, 2]", False),
        ('{"a": 1}', '{"b": 1}', False),
        ("null", "null", True),
        ("broken", "broken", False),
        ("[" * 100_000, "[" * 100_000, False),
        ("0", "false", False),
        ("1" * 6_000, "1" * 6_000, True),
    ],
)
def test_json_is_compared_by_value(left, right, same):
    assert said_beside("json_match", [left], texts_column(right)) == [same]


def test_json_that_is_missing_matches_nothing_nor_fails_to():
    assert said_beside("json_match", [None, "1"], texts_column("1", None)) == [None, None]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("any", [True, True, False, None, None, None]),
        ("all", [True, False, False, None, None, None]),
        ("none", [False, False, True, None, None, None]),
    ],
)
def test_items_of_a_row_are_a_part_of_its_text(mode, expected):
    items = [["red", "car"], ["red", "bus"], ["bus"], [], None, ["red"]]
    other = pa.chunked_array([pa.array(items, pa.list_(pa.string()))])
    texts = ["a red car", "a red car", "a red car", "a", "a", None]
    assert said_beside("item_match", texts, other, mode=mode) == expected


def test_items_can_stand_between_separators():
    other = texts_column("red; car", "red; bus")
    texts = ["a Red Car", "a Red Car"]
    options = {"separator": ";", "case_sensitive": False, "mode": "all"}
    assert said_beside("item_match", texts, other, **options) == [True, False]
    assert said_beside("item_match", ["red; car"], texts_column("red; car")) == [True]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("any", [True, True, False, None, None, None]),
        ("all", [True, False, False, None, None, None]),
        ("none", [False, False, True, None, None, None]),
    ],
)
def test_words_of_a_row_stand_in_its_text_whatever_their_inflection(mode, expected):
    other = texts_column("refund Order", "refund, cat", "fund", "!", None, "a")
    texts = ["Refunded my orders", "refunds", "refund", "x", "x", None]
    assert said_beside("word_match", texts, other, mode=mode) == expected


def test_words_can_be_lists():
    other = pa.chunked_array([pa.array([["cat", "dog"], ["cat"]])])
    assert said_beside("word_match", ["two dogs", "two dogs"], other) == [True, False]


def test_lists_are_compared_with_items_only():
    other = pa.chunked_array([pa.array([["a"]])])
    with pytest.raises(BatchError, match="holds lists: item_match reads them"):
        said_beside("exact_match", ["a"], other)
