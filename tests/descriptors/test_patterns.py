"""What texts contain, begin and end with; regular expressions that cannot hang."""

from __future__ import annotations

import pytest
from descriptors.answers import said
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError


def test_a_pattern_is_found_anywhere():
    assert said("regexp_match", "abc", "b", "", None, pattern="b") == [True, True, False, None]


def test_a_whole_pattern_takes_all_of_the_text():
    options = {"pattern": "a|ab", "whole": True}
    assert said("regexp_match", "ab", "abc", "ab\n", **options) == [True, False, False]


def test_matches_are_counted_without_overlaps():
    assert said("regexp_count", "aaaa", "", None, pattern="aa") == [2, 0, None]


@pytest.mark.parametrize("name", ["regexp_match", "regexp_count"])
@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "a)(b", "(?<=a)b", "x{5000}"])
def test_what_is_no_pattern_to_re2_is_refused(name, pattern):
    with pytest.raises(ValidationError, match="not a regular expression to RE2"):
        said(name, "a", pattern=pattern)


def test_a_hostile_pattern_on_hostile_text_ends():
    assert said("regexp_match", "a" * 50_000 + "b", pattern="^(a+)+$") == [False]
    assert said("regexp_count", "a" * 2_000 + "b", pattern="(a|aa)+$") == [0]


def test_items_are_taken_as_they_are_not_as_patterns():
    assert said("contains", "a.b", "axb", "(", items=["a.b", "("]) == [True, False, True]


def test_any_or_all_items_are_asked_for():
    texts = ("refund now", "refund", "", None)
    assert said("contains", *texts, items=["refund", "now"]) == [True, True, False, None]
    assert said("contains", *texts, items=["refund", "now"], mode="all") == [
        True, False, False, None,
    ]  # fmt: skip


def test_case_can_be_left_aside_in_every_alphabet():
    texts = ("REFUND", "ПРИВЕТ")
    assert said("contains", *texts, items=["refund", "привет"]) == [False, False]
    assert said("contains", *texts, items=["refund", "привет"], case_sensitive=False) == [
        True, True,
    ]  # fmt: skip


def test_hundreds_of_items_are_found():
    items = [f"item-{i}-{'x' * 50}" for i in range(750)]
    assert said("contains", items[-1], items[0], "item", items=items) == [True, True, False]


def test_not_containing_is_the_opposite():
    options = {"items": ["a", "b"]}
    assert said("does_not_contain", "a", "c", None, **options) == [False, True, None]
    assert said("does_not_contain", "a", "ab", **options, mode="all") == [True, False]


def test_beginnings_and_ends_are_compared():
    assert said("begins_with", "Hello", "hello", None, prefix="He") == [True, False, None]
    assert said("begins_with", "hELLO", prefix="He", case_sensitive=False) == [True]
    assert said("ends_with", "the end", "END", suffix="end") == [True, False]
    assert said("ends_with", "END", suffix="end", case_sensitive=False) == [True]


def test_a_link_has_a_scheme_and_a_host():
    texts = (
        "see https://a.example/x",
        "(http://a.example)",
        "FTP://a",
        "https://",
        "a: //b",
        "a.example",
    )
    assert said("contains_link", *texts) == [True, True, True, False, False, False]


@pytest.mark.parametrize("options", [{"items": []}, {"items": [""]}, {}])
def test_items_that_say_nothing_are_refused(options):
    with pytest.raises(ValidationError):
        said("contains", "a", **options)


@given(st.lists(st.text(max_size=20), max_size=20), st.text(min_size=1, max_size=3))
def test_containing_is_python_s_own(texts, item):
    assert said("contains", *texts, items=[item]) == [item in text for text in texts]
    assert said("begins_with", *texts, prefix=item) == [text.startswith(item) for text in texts]
