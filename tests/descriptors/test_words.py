"""Words and sentences, counted by hand."""

from __future__ import annotations

import re

import pytest
from descriptors.answers import said
from hypothesis import given
from hypothesis import strategies as st

from exporter.descriptors.vocabulary import is_known, stem, vocabulary


def test_words_stand_between_white_space():
    texts = ("one two", " one\n two\t", "", "   ", "один два три", None)
    assert said("word_count", *texts) == [2, 2, 0, 0, 3, None]


def test_evidently_s_words_are_letters_of_its_alphabet_only():
    assert said("word_count", "one two", "a\nb", "5 dollars", "один", compat=True) == [2, 1, 1, 0]


@given(st.lists(st.text()))
def test_words_are_those_that_python_splits(texts):
    assert said("word_count", *texts) == [len(text.split()) for text in texts]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", 0),
        (" \n ", 0),
        ("no end", 1),
        ("One. Two? Three! ", 3),
        ("Wait... what?!", 2),
        ('He said "No!" She said "Yes."', 2),
        ("Dr. Smith lives, e.g. here.", 1),
        ("It costs 3.50 at example.com today.", 1),
        ("?!", 1),
        ("今日は。元気\uff1fはい\uff01", 3),
        ("One.\n\nTwo.", 2),
    ],
)
def test_sentences_end_with_their_mark(text, sentences):
    assert said("sentence_count", text) == [sentences]


def test_a_missing_text_has_no_sentences():
    assert said("sentence_count", None) == [None]


@given(st.lists(st.text(alphabet="aB. ?!\n_gé\x1c\x85\u2003", max_size=30), max_size=20))
def test_evidently_s_sentences_come_back_on_request(texts):
    split = re.compile(r"(?<!\w\.\w.)(?<![A-Z][a-z]\.)(?<=\.|\?)\s")
    expected = [max(1, len(split.split(text))) for text in texts]
    assert said("sentence_count", *texts, compat=True) == expected


def test_the_average_length_of_words_leaves_white_space_out():
    assert said("average_word_length", "ab abcd", "", None) == [3, 0, None]


def test_unique_words_are_told_apart_without_case_and_punctuation():
    texts = ("The the THE end.", "a b", "", "…", None)
    assert said("unique_word_ratio", *texts) == [0.5, 1, 0, 0, None]


def test_an_apostrophe_within_a_word_is_part_of_it():
    assert said("unique_word_ratio", "don't don 't", "'quoted' quoted", "é’s é") == [1, 0.5, 1]


def test_apostrophes_do_not_join_the_words_of_two_rows():
    assert said("unique_word_ratio", "b a'", "b a", "x", "y") == [1, 1, 1, 1]


def test_strange_words_are_a_share_of_all():
    texts = ("the qwrtz house", "the house", "", None)
    assert said("out_of_vocabulary_ratio", *texts) == [pytest.approx(1 / 3), 0, 0, None]


def test_ignored_words_count_as_known():
    assert said("out_of_vocabulary_ratio", "our Qwrtz works", ignore=["qwrTZ"]) == [0]


def test_numbers_links_and_names_of_users_are_no_words():
    text = "see https://qwrtz.example/xkcd @qwrtz 2016 b2b me@qwrtz.example now"
    assert said("out_of_vocabulary_ratio", text) == [0]


@pytest.mark.parametrize(
    "word",
    ["house", "houses", "don't", "don’t", "company's", "cafe", "café", "bigger", "tweeted",
     "retweeted", "paris", "colour", "color"],
)  # fmt: skip
def test_inflections_names_and_both_spellings_are_known(word):
    assert is_known(word)


@pytest.mark.parametrize("word", ["qwrtz", "thx", "asdfs", "дом", "xing"])
def test_what_is_no_english_is_unknown(word):
    assert not is_known(word)


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("refunds", "refund"), ("refunded", "refund"), ("tagged", "tag"), ("qwrtz", "qwrtz")],
)
def test_the_stem_of_an_inflection_is_its_word(word, stemmed):
    assert stem(word) == stemmed


def test_the_list_is_in_lower_case_and_large():
    assert len(vocabulary()) > 70_000
    assert all(word == word.lower() for word in vocabulary())


def test_trigger_words_are_whole_words_in_any_case():
    texts = ("Refund me", "refunds", "prerefund", "REFUND!", "refunder", "", None)
    expected = [True, True, False, True, False, False, None]
    assert said("trigger_words", *texts, words=["refund"]) == expected


def test_case_and_plurals_can_matter():
    texts = ("Refund", "refund", "refunds")
    options = {"words": ["refund"], "lowercase": False, "plurals": False}
    assert said("trigger_words", *texts, **options) == [False, True, False]


def test_a_plural_in_ies_is_found():
    assert said("trigger_words", "two parties", "PARTIES", words=["party"]) == [True, True]


def test_all_trigger_words_can_be_asked_for():
    texts = ("cancel my order", "cancel", "order, cancel")
    options = {"words": ["cancel", "order"], "mode": "all"}
    assert said("trigger_words", *texts, **options) == [True, False, True]


def test_words_beside_letters_of_other_alphabets_are_not_whole():
    assert said("trigger_words", "éclat", "clat", words=["clat"]) == [False, True]


def test_words_with_signs_are_taken_as_they_are():
    assert said("trigger_words", "use c++ now", "use c now", words=["c++"]) == [True, False]


def test_excluding_is_the_opposite():
    texts = ("refund", "thanks", None)
    assert said("excludes_words", *texts, words=["refund"]) == [False, True, None]
