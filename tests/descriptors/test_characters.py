"""Figures of characters, counted by hand."""

from __future__ import annotations

import pytest
from descriptors.answers import said
from hypothesis import given
from hypothesis import strategies as st


def test_a_length_is_counted_in_code_points():
    assert said("text_length", "abc", "", "né", "👍🏽", None) == [3, 0, 2, 2, None]


def test_letters_of_any_alphabet_and_spaces_are_no_non_letters():
    assert said("non_letter_ratio", "ab c", "ab1!", "привет", "日本!") == [
        0,
        0.5,
        0,
        pytest.approx(1 / 3),
    ]


def test_an_empty_text_has_no_non_letters_instead_of_an_exception():
    assert said("non_letter_ratio", "", None) == [0, None]


def test_a_line_break_is_a_non_letter():
    assert said("non_letter_ratio", "a\n") == [0.5]


def test_capital_letters_are_a_share_of_the_letters():
    assert said("uppercase_ratio", "ABc d!!", "1234", "", "ÉÀ", None) == [0.5, 0, 0, 1, None]


def test_emoji_are_one_character_and_no_letter():
    assert said("non_letter_ratio", "a😀") == [0.5]


@given(st.lists(st.none() | st.text()))
def test_characters_are_python_s_own(texts):
    assert said("text_length", *texts) == [None if t is None else len(t) for t in texts]
    assert said("non_letter_ratio", *texts) == [
        None if t is None else sum(not c.isalpha() and c != " " for c in t) / len(t) if t else 0
        for t in texts
    ]
