"""Valid JSON, SQL and Python, and texts that are made to hurt their parsers."""

from __future__ import annotations

import warnings

import pytest
from descriptors.answers import said
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ('{"a": [1, 2.5e3, null]}', True),
        ("null", True),
        ("1" * 6_000, True),
        ('"[[[["', True),
        ("", False),
        ("{'a': 1}", False),
        ("NaN", False),
        ('{"a": Infinity}', False),
        ('{"a": 1,}', False),
        ('"\ttab"', False),
    ],
)
def test_json_is_strict(text, valid):
    assert said("is_valid_json", text) == [valid]


@pytest.mark.parametrize(
    "bomb",
    ["[" * 1_000_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000],
)
def test_nested_json_ends_with_a_verdict(bomb):
    assert said("is_valid_json", bomb, "[1]") == [False, True]


@pytest.mark.parametrize(
    "text", ['"' + '\\"' * 200_000 + "[" * 300, "[" * 300 + '"\\' * 100_000 + "\\", '"[' * 100_000]
)
def test_brackets_in_broken_strings_are_counted_in_one_pass(text):
    assert said("is_valid_json", text) == [False]


def test_brackets_within_strings_are_not_nested():
    assert said("is_valid_json", '["' + "[" * 5_000 + '"]') == [True]


def test_many_brackets_beside_each_other_are_not_nested():
    assert said("is_valid_json", "[" + ",".join(["[]"] * 5_000) + "]") == [True]


def test_texts_that_are_missing_are_neither_valid_nor_not():
    for name in ("is_valid_json", "is_valid_python", "is_valid_sql"):
        assert said(name, None, None) == [None, None]


def test_an_object_has_its_keys_and_their_types():
    keys = {"id": "integer", "name": "string"}
    texts = (
        '{"id": 1, "name": "a"}', '{"id": 1, "name": "a", "more": 1}', '{"id": 1}',
        '{"id": 1.5, "name": "a"}', '{"id": true, "name": "a"}', '{"id": 1, "name": null}',
        "[1]", "3", "broken", None,
    )  # fmt: skip
    expected = [True, True, False, False, False, False, False, False, False, None]
    assert said("json_schema_match", *texts, keys=keys) == expected
    assert said("json_schema_match", *texts[:2], keys=keys, exact=True) == [True, False]


@pytest.mark.parametrize(
    ("kind", "fitting"),
    [
        ("any", ["1", "1.5", '"a"', "true", "[]", "{}"]),
        ("string", ['"a"']),
        ("number", ["1", "1.5", "1" * 6_000]),
        ("integer", ["1", "1" * 6_000]),
        ("boolean", ["true"]),
        ("array", ["[]"]),
        ("object", ["{}"]),
    ],
)
def test_a_type_is_that_of_json(kind, fitting):
    values = ["1", "1.5", '"a"', "true", "[]", "{}", "null", "1" * 6_000]
    found = said("json_schema_match", *[f'{{"k": {v}}}' for v in values], keys={"k": kind})
    chosen = [v for v, fits in zip(values, found, strict=True) if fits]
    assert set(chosen) - {"1" * 6_000} == set(fitting) - {"1" * 6_000}
    assert found[-1] == (kind in ("any", "number", "integer"))


@pytest.mark.parametrize("keys", [{}, {"a": "int"}, ["a"]])
def test_keys_without_a_type_of_json_are_refused(keys):
    with pytest.raises(ValidationError):
        said("json_schema_match", "{}", keys=keys)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("x = 1\nprint(x)", True),
        ("def f(:", False),
        ("hello world", False),
        ("", True),
        ("a\0b", False),
        ("raise SystemExit", True),
    ],
)
def test_python_is_parsed_and_never_run(text, valid):
    assert said("is_valid_python", text) == [valid]


@pytest.mark.parametrize(
    "bomb",
    ["(" * 50_000, "-" * 90_000 + "1", "1" + "+1" * 45_000, "a" + ".b" * 45_000, "not " * 20_000 + "1",
     "[" * 150 + "]" * 150, "lambda: " * 10_000 + "1", "x = " * 20_000 + "1"],
)  # fmt: skip
def test_nested_python_ends_with_a_verdict(bomb):
    assert said("is_valid_python", bomb, "1") in ([True, True], [False, True])


def test_of_a_huge_text_nobody_knows_whether_it_is_python():
    assert said("is_valid_python", "1" * 100_001, "# " + "a" * 99_998) == [None, True]


def test_doubtful_escapes_are_no_warning():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert said("is_valid_python", r"'\d'", "1 is 1") == [True, True]
    assert seen == []


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("select a, count(*) from t where b > 1 group by 1", True),
        ("with x as (select 1) select * from x", True),
        ("insert into t values (1); delete from t", True),
        ("create table t (a int)", True),
        ("select * from", False),
        ("select a b c from t", False),
        ("SELECT FROM WHERE", False),
        ("hello world", False),
        ("show me the money", False),
        ("call me", False),
        ("42", False),
        ("", False),
        (" ; ", False),
        ("sorry, I can't", False),
    ],
)
def test_sql_is_a_statement_not_an_expression(text, valid):
    assert said("is_valid_sql", text) == [valid]


def test_a_dialect_has_its_own_sql():
    text = "select `a` from t"
    assert said("is_valid_sql", text, dialect="mysql") == [True]
    assert said("is_valid_sql", text, dialect="postgres") == [False]


def test_a_dialect_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="postgress"):
        said("is_valid_sql", "select 1", dialect="postgress")


@pytest.mark.parametrize(
    "bomb", ["select " + "(" * 9_000, "select " + "not " * 4_000 + "1", "select * from " * 1_000]
)
def test_nested_sql_ends_with_a_verdict(bomb):
    assert said("is_valid_sql", bomb, "select 1") == [False, True]


def test_of_a_huge_text_nobody_knows_whether_it_is_sql():
    assert said("is_valid_sql", "select " + "1" * 20_000) == [None]


def test_statements_that_are_only_passed_on_leave_no_line_in_the_log(caplog):
    assert said("is_valid_sql", "show tables") == [False]
    assert caplog.records == []
