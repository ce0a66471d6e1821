"""What every descriptor keeps, and what comes in and goes out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from descriptors.answers import said
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.descriptors import DESCRIPTORS, compute, descriptor_named
from exporter.descriptors.computing import type_of
from exporter.errors import BatchError

OPTIONS = {
    "regexp_match": {"pattern": "[a-z]+"},
    "regexp_count": {"pattern": "a"},
    "contains": {"items": ["a", "é"]},
    "does_not_contain": {"items": ["a"], "case_sensitive": False},
    "begins_with": {"prefix": "a"},
    "ends_with": {"suffix": "a"},
    "trigger_words": {"words": ["a", "b"]},
    "excludes_words": {"words": ["a"]},
    "json_schema_match": {"keys": {"a": "any"}},
    "all_of": {"conditions": {"other": {"not_eq": "a"}}},
    "any_of": {"conditions": {"other": {"not_eq": "a"}}},
    "share_of": {"conditions": {"other": {"not_eq": "a"}}},
}
BUILT_IN = [
    name for name, spec in DESCRIPTORS.items() if spec.compute.__module__.startswith("exporter.")
]
texts = st.lists(
    st.none()
    | st.text(max_size=40)
    | st.sampled_from(["", " ", "I love it. So much!", '{"a": 1}', "select 1", "x = 1", "é 👍🏽"]),
    max_size=12,
)


STRING = pa.string()


def column_of(name, values, kind=STRING):
    spec = descriptor_named(name)
    params = spec.params(OPTIONS.get(name, {}) | dict.fromkeys(spec.others, "other"))
    array = pa.array(values, pa.string())
    text = array.dictionary_encode() if kind == "dictionary" else array.cast(kind)
    other = pa.chunked_array([array.fill_null("x")])
    others = dict.fromkeys(spec.reads(params), other)
    return spec, compute(spec, params, pa.chunked_array([text]), others)


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=25)
@given(values=texts)
def test_null_in_is_null_out_and_only_that(name, values):
    spec, column = column_of(name, values)
    assert column.type == type_of(spec)
    assert [v is None for v in column.to_pylist()] == [v is None for v in values] or spec.others


@pytest.mark.parametrize("name", BUILT_IN)
@settings(max_examples=15)
@given(values=texts)
def test_a_row_s_value_is_its_own_whatever_the_order(name, values):
    backwards = column_of(name, values[::-1])[1].to_pylist()[::-1]
    assert column_of(name, values)[1].to_pylist() == backwards


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("kind", [pa.large_string(), "dictionary"], ids=str)
@settings(max_examples=10)
@given(values=texts)
def test_how_texts_are_held_makes_no_difference(name, kind, values):
    assert column_of(name, values, kind)[1].to_pylist() == column_of(name, values)[1].to_pylist()


@pytest.mark.parametrize("name", [n for n in BUILT_IN if DESCRIPTORS[n].kind == "numerical"])
@settings(max_examples=25)
@given(values=texts)
def test_figures_stay_within_their_bounds(name, values):
    found = [v for v in column_of(name, values)[1].to_pylist() if v is not None]
    low = -1 if name == "sentiment" else 0
    high = 1 if name.endswith("_ratio") or name in ("sentiment", "share_of") else np.inf
    assert all(low <= value <= high for value in found)


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_empty_column_stays_empty(name):
    spec, column = column_of(name, [])
    assert len(column) == 0
    assert column.type == type_of(spec)


@pytest.mark.parametrize("name", BUILT_IN)
def test_one_huge_text_is_read(name):
    _, column = column_of(name, ["wörd " * 100_000, "a"])
    assert len(column) == 2


def test_more_rows_than_a_slice_come_back_in_order():
    rows = 40_000
    column = pa.chunked_array([pa.array(["x" * (i % 7) for i in range(rows)])])
    spec = descriptor_named("text_length")
    assert compute(spec, {}, column).to_pylist() == [i % 7 for i in range(rows)]


def test_a_slice_of_a_larger_array_is_read_where_it_begins():
    column = pa.chunked_array([pa.array(["a", "bé b", None, "ccc c c"]).slice(1)])
    assert compute(descriptor_named("word_count"), {"compat": False}, column).to_pylist() == [
        2, None, 3,
    ]  # fmt: skip


def test_dictionaries_that_differ_by_chunk_are_one():
    chunks = [
        pa.array(["a", "bb"]).dictionary_encode(),
        pa.array(["ccc", None]).dictionary_encode(),
    ]
    column = pa.chunked_array(chunks)
    assert compute(descriptor_named("text_length"), {}, column).to_pylist() == [1, 2, 3, None]


def test_a_column_of_nothing_is_all_null():
    column = pa.chunked_array([pa.nulls(3)])
    assert compute(descriptor_named("text_length"), {}, column).to_pylist() == [None] * 3


@pytest.mark.parametrize("values", [[1, 2], [True], [["a"]]])
def test_what_is_no_text_is_told(values):
    with pytest.raises(BatchError, match="not texts"):
        compute(descriptor_named("text_length"), {}, pa.chunked_array([pa.array(values)]))


def test_bytes_that_are_no_text_are_told():
    broken = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
    with pytest.raises(BatchError, match="non_letter_ratio cannot read these texts"):
        compute(descriptor_named("non_letter_ratio"), {}, pa.chunked_array([broken]))


def test_texts_that_repeat_are_parsed_once():
    assert said("is_valid_json", *["[" * 199 + "]" * 199] * 50_000) == [True] * 50_000


def test_nothing_imports_pandas():
    code = (
        "import pyarrow as pa, sys\n"
        "from exporter.descriptors import compute, descriptor_named\n"
        "from exporter.profile.arrow import texts\n"
        "column = pa.chunked_array([texts(['a b', 'c'])])\n"
        "for name in ('word_count', 'is_valid_json', 'unique_word_ratio', 'sentence_count'):\n"
        "    spec = descriptor_named(name)\n"
        "    compute(spec, spec.params({}), column)\n"
        "print('pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
