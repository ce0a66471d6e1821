"""A test that counts too many columns says which they are."""

from __future__ import annotations

import pyarrow as pa
import pytest
from golden.evaluations import evaluated, schema_of

from exporter.checks.naming import listed

KINDS = dict.fromkeys("abcd", "numerical")
SOUND = {name: [float(i * k + i % 3) for i in range(40)] for k, name in enumerate("abcd", 1)}


def message(test, batch: dict, reference: dict | None = SOUND) -> str:
    beside = None if reference is None else pa.table(reference)
    (found,) = evaluated(
        pa.table(batch), beside, schema_of(KINDS, tuple(KINDS)), tests=[test]
    ).tests
    return found.message


@pytest.mark.parametrize(
    ("test", "changed", "names"),
    [
        ("constant_columns", {"b": [1.0] * 40, "d": [2.0] * 40}, "'b', 'd'"),
        ("almost_constant_columns", {"c": [3.0] * 39 + [4.0]}, "'c'"),
        ("empty_columns", {"a": pa.nulls(40, pa.float64())}, "'a'"),
        ("duplicated_columns", {"c": SOUND["a"]}, "'a = c'"),
        ("columns_with_missing", {"d": [None, *SOUND["d"][1:]]}, "'d'"),
        ("columns_with_missing_ratio", {"d": [None, *SOUND["d"][1:]]}, "'d'"),
        ("type_mismatches", {"b": ["x"] * 40}, "'b'"),
        ("untested_columns", {"c": ["x"] * 40}, "'c'"),
        ("drifted_columns_ratio", {n: [1e9 + i for i in range(40)] for n in "ab"}, "'a', 'b'"),
        ("drifted_columns", {n: [1e9 + i for i in range(40)] for n in "ab"}, "'a', 'b'"),
    ],
)
def test_what_is_counted_is_named(test, changed, names):
    assert message(test, SOUND | changed).endswith(f": {names}")
    assert "'" not in message(test, SOUND)


def test_columns_that_the_reference_counts_as_well_are_no_news():
    before = SOUND | {"a": [1.0] * 40}
    assert message("constant_columns", before | {"b": [1.0] * 40}, before).endswith(": 'b'")
    fewer = {"constant_columns": {"lt": 1}}
    assert message(fewer, before, before).endswith(": 'a'")
    assert message("constant_columns", before, None).endswith(": 'a'")


def test_of_many_columns_the_first_are_named_and_of_long_names_their_beginning():
    assert listed(["a" * 999, "b\n"]) == f"'{'a' * 59}…', 'b\\n'"
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more"
