"""Conditions on the columns of a row, put together to one verdict."""

from __future__ import annotations

import pyarrow as pa
import pytest
from descriptors.answers import texts_column
from pydantic import ValidationError

from exporter.descriptors import compute, descriptor_named
from exporter.errors import BatchError

COLUMNS = {
    "length": pa.chunked_array([pa.array([5.0, 50.0, None, float("nan")])]),
    "valid": pa.chunked_array([pa.array([True, True, False, None])]),
    "language": pa.chunked_array([pa.array(["de", "en", "fr", None])]),
    "stars": pa.chunked_array([pa.array([1, 2, 3, 4])]),
}


def verdict(name, conditions, texts=("a", "b", "c", "d")):
    spec = descriptor_named(name)
    params = spec.params({"conditions": conditions})
    columns = {column: COLUMNS[column] for column in conditions}
    return compute(spec, params, texts_column(*texts), columns).to_pylist()


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"length": {"lt": 50}}, [True, False, None, None]),
        ({"length": {"lte": 50}}, [True, True, None, None]),
        ({"length": {"gt": 5, "lt": 51}}, [False, True, None, None]),
        ({"stars": {"gte": 3}}, [False, False, True, True]),
        ({"stars": {"between": [2, 3]}}, [False, True, True, False]),
        ({"stars": {"in": [1, 4.0]}}, [True, False, False, True]),
        ({"stars": {"not_in": [1, 4]}}, [False, True, True, False]),
        ({"stars": 2}, [False, True, False, False]),
        ({"stars": {"not_eq": 2.5}}, [True, True, True, True]),
        ({"valid": True}, [True, True, False, None]),
        ({"valid": False}, [False, False, True, None]),
        ({"language": "en"}, [False, True, False, None]),
        ({"language": {"in": ["de", "en"]}}, [True, True, False, None]),
    ],
)
def test_one_condition_is_met_or_not(condition, met):
    assert verdict("all_of", condition) == met
    assert verdict("any_of", condition) == met


def test_a_row_fails_where_one_condition_is_not_met_whatever_is_missing():
    conditions = {"length": {"lt": 50}, "valid": True}
    assert verdict("all_of", conditions) == [True, False, False, None]


def test_one_condition_that_is_met_is_enough_for_any():
    assert verdict("any_of", {"valid": True, "stars": {"gte": 3}}) == [True, True, True, True]


def test_conditions_that_are_met_have_a_share():
    conditions = {"length": {"lt": 50}, "valid": True, "stars": {"gte": 2}, "language": "de"}
    assert verdict("share_of", conditions) == [0.75, 0.5, 0.25, 0.25]


def test_a_row_without_text_has_no_verdict():
    assert verdict("all_of", {"stars": {"gte": 0}}, ("a", None, "c", None)) == [
        True, None, True, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "condition",
    [{"stars": "two"}, {"language": 1}, {"valid": {"gt": 0}},
     {"language": True}],
)  # fmt: skip
def test_values_of_another_type_are_told(condition):
    with pytest.raises(BatchError, match=f"'{next(iter(condition))}' holds"):
        verdict("all_of", condition)


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({}, "expected one condition at least"),
        ({"a": {}}, "expected true, false, a value"),
        ({"a": {"lessthan": 1}}, "no operator 'lessthan'"),
        ({"a": {"le": 1}}, "did you mean"),
        ({"a": {"in": 1}}, "in compares with a list"),
        ({"a": {"in": []}}, "the list of in is empty"),
        ({"a": {"between": [1]}}, "between compares with two values"),
        ({"a": {"gt": [1]}}, "gt compares with one value"),
    ],
)
def test_a_condition_that_says_nothing_is_refused(conditions, text):
    with pytest.raises(ValidationError, match=text):
        verdict("all_of", conditions)
