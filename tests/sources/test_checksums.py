"""Checksums of rows depend on their values and on nothing else."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.sources.checksums import row_hashes, value_hashes


def hashes(values, kind=None):
    return value_hashes(pa.chunked_array([pa.array(values, kind)])).tolist()


def rows(**columns):
    arrays = {name: pa.chunked_array([pa.array(x)]) for name, x in columns.items()}
    return row_hashes(arrays, len(next(iter(arrays.values())))).tolist()


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
    whole = row_hashes({n: table[n] for n in table.column_names}, 4)
    part = table.slice(1, 2)
    assert row_hashes({n: part[n] for n in part.column_names}, 2).tolist() == whole[1:3].tolist()


def test_values_that_change_places_between_rows_change_the_sum():
    one = np.sum(rows(a=[1, 2], b=[3, 4]), dtype=np.uint64)
    other = np.sum(rows(a=[1, 2], b=[4, 3]), dtype=np.uint64)
    assert one != other


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
