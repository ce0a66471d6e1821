"""Checksums of rows depend on their values and on nothing else."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.checksums import RowHashes, sums_by, value_hashes


def hashes(values, kind=None):
    return value_hashes(pa.chunked_array([pa.array(values, kind)])).tolist()


def of_table(table):
    found = RowHashes(len(table))
    for name in table.column_names:
        found.add(name, value_hashes(table[name]))
    return found.of_rows().tolist()


def rows(**columns):
    return of_table(pa.table(columns))


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=60))
def test_texts_have_equal_hashes_exactly_where_they_are_equal(values):
    found = dict(zip(values, hashes(values, pa.string()), strict=True))
    assert len(set(found.values())) == len(found)
    assert hashes(values, pa.string()) == [found[value] for value in values]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=60))
def test_whole_numbers_have_equal_hashes_exactly_where_they_are_equal(values):
    found = dict(zip(values, hashes(values, pa.int64()), strict=True))
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint16(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(9, 2)]
)
def test_a_number_has_one_hash_whatever_its_type(kind):
    assert hashes([1, None, 7], kind) == hashes([1.0, None, 7.0])


def test_text_has_one_hash_whatever_its_encoding():
    texts = ["a", "bb", None, "a"]
    expected = hashes(texts)
    dictionary = pa.chunked_array([pa.array(texts).dictionary_encode()])
    assert hashes(texts, pa.large_string()) == expected
    assert value_hashes(dictionary).tolist() == expected
    assert value_hashes(dictionary.slice(1)).tolist() == expected[1:]


def test_an_instant_has_one_hash_whatever_its_unit():
    assert hashes([1_000], pa.timestamp("s")) == hashes([1_000_000_000], pa.timestamp("us"))


def test_negative_zero_is_zero_and_nan_is_missing():
    assert hashes([-0.0, float("nan")]) == [hashes([0.0])[0], 0]


def test_slices_have_the_hashes_of_their_rows():
    table = pa.table(
        {"a": [1, None, 3, 4], "b": ["x", "y", None, "z"], "c": [True, None, False, True]}
    )
    assert of_table(table.slice(1, 2)) == of_table(table)[1:3]


def test_values_that_change_places_between_rows_change_the_sum():
    assert sum(rows(a=[1, 2], b=[3, 4])) != sum(rows(a=[1, 2], b=[4, 3]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1)), max_size=30))
def test_hashes_are_summed_by_place(pairs):
    places, values = (np.array([p[i] for p in pairs], "u8") for i in range(2))
    expected = [sum(v for p, v in pairs if p == place) % 2**64 for place in range(4)]
    assert sums_by(places.astype(np.int64), values, 4) == expected


def test_values_that_change_places_between_columns_change_the_row():
    assert rows(a=[1], b=[2]) != rows(a=[2], b=[1])


def test_a_column_of_missing_values_is_like_none():
    assert rows(a=[1, 2], b=pa.nulls(2, pa.float64())) == rows(a=[1, 2])


def test_nested_values_have_a_hash():
    assert len(set(hashes([[1, 2], [2, 1], None]))) == 3


def test_hashes_are_the_same_in_another_process():
    code = (
        "import pyarrow as pa; from exporter.sources.checksums import value_hashes; "
        "print(value_hashes(pa.chunked_array([pa.array(['flight', 'x'])])).tolist())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == str(hashes(["flight", "x"]))
