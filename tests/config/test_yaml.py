"""YAML as a config's author means it: nothing is guessed, and every trap has a line of its own."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

import pytest

from exporter import yaml
from exporter.yaml import Document, Mistake

BOTH = pytest.mark.parametrize("loader", [None, yaml._PurePython], ids=["libyaml", "python"])


def data_of(text: str, loader: Any = None) -> Any:
    document = yaml.load(text, loader=loader)
    assert document.mistakes == []
    return document.data


def mistakes_of(text: str, loader: Any = None) -> list[tuple[int, int, str]]:
    return [(m.line, m.column, m.text) for m in yaml.load(text, loader=loader).mistakes]


@BOTH
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("TRUE", True),
        ("on", "on"), ("off", "off"), ("yes", "yes"), ("no", "no"), ("y", "y"), ("N", "N"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nil", "nil"),
        ("7", 7), ("-7", -7), ("+7", 7), ("010", 10), ("0o10", 8), ("0x1F", 31),
        ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("0b11", "0b11"), ("1,5", "1,5"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("5.", 5.0), (".inf", inf), ("-.INF", -inf),
        ("1e", "1e"), ("inf", "inf"), ("nan", "nan"),
        ("2024-01-31", "2024-01-31"), ("2024-01-31T12:00:00Z", "2024-01-31T12:00:00Z"),
        ("'7'", "7"), ('"true"', "true"), ("!!str 7", "7"), ("!!int '7'", 7), ("=", "="),
    ],
)  # fmt: skip
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: Any, loader: Any) -> None:
    got = data_of(f"x: {text}\n", loader)["x"]
    assert got == value
    assert type(got) is type(value)


@BOTH
def test_nan_is_a_number(loader: Any) -> None:
    assert isnan(data_of("x: .nan", loader)["x"])


@BOTH
def test_keys_are_text_as_it_is_written(loader: Any) -> None:
    text = "1: a\n1.0: b\non: c\nnull: d\ntrue: e\n2024-01-01: f\n'': g\n"
    assert list(data_of(text, loader)) == ["1", "1.0", "on", "null", "true", "2024-01-01", ""]


@BOTH
def test_every_key_that_is_given_twice_is_told_with_its_first_line(loader: Any) -> None:
    text = "a: 1\nb: {c: 1, c: 2}\na: 3\n'a': 4\n"
    assert mistakes_of(text, loader) == [
        (2, 11, "key 'c' is given twice, first in line 2"),
        (3, 1, "key 'a' is given twice, first in line 1"),
        (4, 1, "key 'a' is given twice, first in line 1"),
    ]


@BOTH
def test_anchors_and_merge_keys_bring_in_what_is_not_given(loader: Any) -> None:
    text = "x-a: &a {p: 1, q: 1}\nx-b: &b {q: 2, r: 2}\nc: {<<: [*a, *b], p: 3}\nd: {q: 4, <<: *a}\ne: *b\n"
    data = data_of(text, loader)
    assert data["c"] == {"p": 3, "q": 1, "r": 2}
    assert data["d"] == {"p": 1, "q": 4}
    assert data["e"] == {"q": 2, "r": 2}


@BOTH
@pytest.mark.parametrize("value", ["5", "[1]", "text", "!env A"])
def test_a_merge_of_what_is_no_mapping_is_told(value: str, loader: Any) -> None:
    ((line, _, text),) = mistakes_of(f"a:\n  <<: {value}\n", loader)
    assert (line, text) == (2, "<< merges mappings: expected *NAME of one, or a list of them")


def test_a_value_from_a_merge_is_located_where_it_stands() -> None:
    document = yaml.load("x-a: &a\n  p: 1\nb:\n  <<: *a\n  q: 2\n")
    assert document.locate(("b", "p")) == (2, 3)
    assert document.locate(("b", "q")) == (5, 3)


def test_the_deepest_place_that_is_there_is_located() -> None:
    document = yaml.load("a:\n  b:\n    - c\n    - d: 1\n")
    assert document.locate(()) == (1, 1)
    assert document.locate(("a", "b", 1, "d")) == (4, 7)
    assert document.locate(("a", "b", 0)) == (3, 7)
    assert document.locate(("a", "b", 9)) == (2, 3)
    assert document.locate(("a", "z", "b")) == (1, 1)
    assert Document().locate(("a",)) == (1, 1)


@BOTH
def test_columns_are_counted_in_characters(loader: Any) -> None:
    assert mistakes_of("é🐘: {ü: 1, ü: 2}\n", loader) == [
        (1, 12, "key 'ü' is given twice, first in line 1")
    ]


@BOTH
@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: 1\n\tb: 2\n", 2, "a tab: indent with spaces"),
        ("a:\n\t- 1\n", 2, "a tab: indent with spaces"),
        ("a: [1, 2\nb: 3\n", 2, "expected"),
        ("a: 'open\n", 2, "end of stream"),
        ("a: @b\n", 1, "text that begins so has to stand in quotes"),
        ("a: `b`\n", 1, "text that begins so has to stand in quotes"),
        ("a: b: c\n", 1, "is a quote missing, or the indentation wrong?"),
        ("a: *nobody\n", 1, "text that begins with * has to stand in quotes"),
        ("a: 1\n---\nb: 2\n", 2, "one file is one document"),
        ("a: 1\n b: 2\n", 2, "is a quote missing, or the indentation wrong?"),
        ("a: %x\n", 1, "quotes"),
    ],
)  # fmt: skip
def test_what_is_no_yaml_is_told_with_its_line_and_a_hint(
    text: str, line: int, part: str, loader: Any
) -> None:
    ((told_line, _, told),) = mistakes_of(text, loader)
    assert (told_line, part in told) == (line, True), told


@BOTH
@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\ufffe"])
def test_a_character_that_yaml_does_not_allow_is_told_with_its_place(
    character: str, loader: Any
) -> None:
    assert mistakes_of(f"a: 1\né: x{character}\n", loader) == [
        (2, 5, "a character that YAML does not allow")
    ]


@BOTH
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: !!python/object:os.system x", "there is no tag !!python/object:os.system; there are !env NAME and !file PATH"),
        ("a: !secret x", "there is no tag !secret; there are !env NAME and !file PATH"),
        ("a: !!timestamp 2024-01-01", "there is no tag !!timestamp; there are !env NAME and !file PATH"),
        ("a: !!set {b}", "there is no tag !!set; there are !env NAME and !file PATH"),
        ("a: !env [b]", "!env takes plain text"),
        ("a: !file {b: c}", "!file takes plain text"),
        ("a: !env", "write !env NAME"),
        ("a: !file ''", "write !file PATH"),
        ("a: !!int x", "expected a whole number of a sensible length"),
        ("a: !!bool x", "expected true or false of a sensible length"),
        ("a: " + "9" * 5000, "expected a whole number of a sensible length"),
    ],
)  # fmt: skip
def test_a_tag_or_value_that_cannot_be_read_is_told(text: str, told: str, loader: Any) -> None:
    assert mistakes_of(text, loader) == [(1, 4, told)]


@BOTH
@pytest.mark.parametrize("text", ["? [a]\n: b\n", "? {a: b}\n: c\n", "!env A: b\n"])
def test_a_key_must_be_plain_text(text: str, loader: Any) -> None:
    assert [told for _, _, told in mistakes_of(text, loader)] == ["a key must be plain text"]


@BOTH
def test_what_is_nested_too_deeply_is_told(loader: Any) -> None:
    (told,) = mistakes_of("[" * 40 + "]" * 40, loader)
    assert told[2] == "nested deeper than 32 levels"


@BOTH
def test_what_is_nested_endlessly_is_told(loader: Any) -> None:
    ((line, column, told),) = mistakes_of("[" * 50_000, loader)
    assert line == 1
    assert 1 <= column <= 50_001
    assert told


@BOTH
def test_a_bomb_of_aliases_is_refused_soon(loader: Any) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert mistakes_of("\n".join(lines), loader) == [
        (1, 1, "more than 100,000 values, aliases spelt out: split the file")
    ]


@BOTH
def test_a_bomb_of_merges_is_refused_soon(loader: Any) -> None:
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    assert "more than 100,000 values" in mistakes_of("\n".join(lines), loader)[0][2]


@BOTH
def test_an_anchor_that_holds_itself_is_told(loader: Any) -> None:
    assert mistakes_of("a: &a [*a]\n", loader) != []


def test_a_mistake_that_an_alias_repeats_is_told_once() -> None:
    assert mistakes_of("a: &a {b: !secret x}\nc: *a\nd: *a\n") == [
        (1, 11, "there is no tag !secret; there are !env NAME and !file PATH")
    ]


def test_what_could_not_be_read_is_known_as_broken() -> None:
    document = yaml.load("a: {b: !secret x, c: 1}\n")
    assert document.is_broken(("a", "b"))
    assert not document.is_broken(("a", "c"))
    assert document.data == {"a": {"b": None, "c": 1}}


def test_mistakes_are_in_the_order_of_the_text() -> None:
    assert min(Mistake(2, 1, "b"), Mistake(1, 9, "z"), Mistake(1, 2, "y")).text == "y"
