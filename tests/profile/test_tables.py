"""Table profiles beside pandas, and in parts beside the whole."""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import batch_of
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import BatchError
from exporter.profile.arrays import MISSING_HASH, hash_floats, hash_integers, hash_labels, mixed
from exporter.profile.arrow import codes, instants, numbers
from exporter.profile.build import in_threads, profile_table
from exporter.profile.merge import merge_columns, merge_tables
from exporter.profile.table import TableProfile

KINDS = {"a": "numerical", "b": "numerical", "c": "categorical", "d": "categorical",
         "t": "datetime", "w": "text"}  # fmt: skip
cell = {
    "a": st.sampled_from([None, 0.0, -0.0, 1.0, 2.0]), "b": st.sampled_from([None, 1.0, 2.0]),
    "c": st.sampled_from([None, "x", "y"]), "d": st.sampled_from([None, "x", "y"]),
    "t": st.sampled_from([None, datetime(2024, 1, 1), datetime(2024, 1, 2)]),
    "w": st.sampled_from([None, "one", "two"]),
}  # fmt: skip
tables = st.lists(st.fixed_dictionaries(cell), min_size=1, max_size=40)
TYPES = {"a": pa.float64(), "b": pa.float64(), "c": pa.string(), "d": pa.string(),
         "t": pa.timestamp("us"), "w": pa.string()}  # fmt: skip


def arrow(rows: list[dict]) -> pa.Table:
    return pa.table({n: pa.array([r[n] for r in rows], kind) for n, kind in TYPES.items()})


def profiled(table: pa.Table, kinds=None, *, mergeable: bool = False):
    found = {}

    def keep(column) -> None:
        found[column.name] = column

    def refuse(name, error) -> None:
        raise AssertionError(name) from error

    _, whole = profile_table(
        batch_of(table), kinds or KINDS, keep, refuse, gridded=False, mergeable=mergeable
    )
    return whole, found


def merged_of(parts: list[pa.Table], kinds=None) -> TableProfile:
    told = [profiled(part, kinds, mergeable=True) for part in parts]
    columns = {n: merge_columns([found[n] for _, found in told]) for n in kinds or KINDS}
    return merge_tables([whole for whole, _ in told], columns)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_a_table_profile_counts_what_pandas_counts(rows):
    frame = pd.DataFrame(rows, columns=list(KINDS))
    ours, _ = profiled(arrow(rows))
    missing = frame.isna()
    assert ours.rows == len(frame)
    assert dict(ours.missing) == missing.sum().to_dict()
    assert ours.rows_with_missing == missing.any(axis=1).sum()
    assert ours.empty_rows == missing.all(axis=1).sum()
    assert ours.duplicated_rows == frame.duplicated().sum()
    assert set(ours.constant) == {n for n in frame if len(frame[n].dropna().unique()) <= 1}
    tops = {n: frame[n].value_counts().max() for n in frame if frame[n].notna().any()}
    assert set(ours.almost_constant) == {n for n, top in tops.items() if top >= 0.95 * len(frame)}


@settings(max_examples=60, deadline=None)
@given(tables)
def test_equal_and_similar_columns_are_those_of_pandas(rows):
    frame = pd.DataFrame(rows, columns=list(KINDS))
    ours, _ = profiled(arrow(rows))
    equal = similar = 0
    for one, other in (("a", "b"), ("c", "d")):
        x, y = frame[one], frame[other]
        equal += int(((x == y) | (x.isna() & y.isna())).all())
        similar += int((x == y).sum() >= 0.95 * len(frame))
    assert (ours.duplicated_columns, ours.almost_duplicated_columns) == (equal, similar)


@settings(max_examples=60, deadline=None)
@given(st.lists(tables, min_size=1, max_size=4))
def test_merged_parts_equal_the_whole(parts):
    merged = merged_of([arrow(part) for part in parts])
    whole, _ = profiled(arrow([row for part in parts for row in part]))
    for name in ("rows", "kinds", "missing", "constant", "almost_constant", "rows_with_missing",
                 "empty_rows", "duplicated_rows", "duplicated_columns", "types"):  # fmt: skip
        assert getattr(merged, name) == getattr(whole, name), name


@settings(max_examples=40, deadline=None)
@given(tables, tables, tables)
def test_merging_takes_any_order(a, b, c):
    one, other = (merged_of([arrow(x) for x in parts]) for parts in ([a, b, c], [c, a, b]))
    for name in ("duplicated_rows", "duplicated_columns", "almost_duplicated_columns", "alike",
                 "equal", "missing", "constant"):  # fmt: skip
        assert getattr(one, name) == getattr(other, name), name


def test_columns_that_are_almost_equal_in_parts_are_so_in_the_whole():
    rng = np.random.default_rng(4)
    a = rng.integers(0, 50, 4000).astype(float)
    b = np.where(rng.random(4000) < 0.03, -1.0, a)
    whole = pa.table({"a": a, "b": b})
    kinds = {"a": "numerical", "b": "numerical"}
    merged = merged_of([whole.slice(i, 1000) for i in range(0, 4000, 1000)], kinds)
    assert merged.almost_duplicated_columns == 1
    assert profiled(whole, kinds)[0].almost_duplicated_columns == 1
    assert merged.alike == (("a", "b", int((a == b).sum())),)
    assert merged.duplicated_columns == 0


@pytest.mark.parametrize("repeats", [0, 1, 157])
def test_duplicate_rows_of_a_large_table_are_found_by_narrowing(repeats):
    rng = np.random.default_rng(5)
    rows = 40_000
    columns = {f"c{i}": rng.integers(0, 30, rows) for i in range(14)}
    columns["w"] = rng.choice(["x", "y", "z"], rows)
    whole = pa.table(columns)
    whole = pa.concat_tables([whole, whole.slice(0, repeats)])
    kinds = {n: "text" if n == "w" else "numerical" for n in columns}
    expected = int(whole.to_pandas().duplicated().sum())
    assert profiled(whole, kinds)[0].duplicated_rows == expected == repeats


def test_a_column_without_repeats_leaves_only_the_rows_that_miss_it():
    key = pa.array([*range(1000), None, None, None])
    other = pa.array([1] * 1000 + [7, 7, 8])
    kinds = {"key": "numerical", "other": "numerical"}
    assert profiled(pa.table({"key": key, "other": other}), kinds)[0].duplicated_rows == 1


def test_parts_that_kept_no_row_hashes_add_up_their_own_duplicates():
    rows = pa.table({"a": [1.0, 1.0, 2.0]})
    told = [profiled(rows, {"a": "numerical"}, mergeable=kept)[0] for kept in (True, False)]
    assert merge_tables(told, {}).duplicated_rows == 2
    assert merge_tables([told[0], told[0]], {}).duplicated_rows == 4


def test_the_family_of_merged_types_is_that_of_most_rows():
    kinds = {"x": "categorical"}
    parts = [pa.table({"x": pa.nulls(9)}), pa.table({"x": ["a"]}), pa.table({"x": [1, 2]})]
    assert merged_of(parts, kinds).types == {"x": "number"}


def test_a_column_that_cannot_be_read_is_named():
    seen = []

    def note(name, error):
        seen.append((name, str(error)))

    batch = batch_of(pa.table({"x": ["a"]}))
    _, whole = profile_table(batch, {"x": "numerical", "y": "numerical"}, lambda _: None, note)
    assert dict(whole.failed) == dict(seen)
    assert set(whole.failed) == {"x", "y"}


def test_many_threads_give_what_one_gives():
    rng = np.random.default_rng(6)
    whole = pa.table({f"c{i}": rng.integers(0, 9, 60_000) for i in range(8)})
    kinds = dict.fromkeys(whole.column_names, "numerical")
    told, _ = profiled(whole, kinds)
    assert told.duplicated_rows == int(whole.to_pandas().duplicated().sum())
    assert in_threads(lambda x: x * x, range(9), threads=3) == [x * x for x in range(9)]


# ---- hashes


def test_hashes_are_equal_for_equal_values_of_any_type():
    whole = np.array([1, 2, -3, 2**53 - 1])
    absent = np.zeros(4, bool)
    assert hash_floats(whole.astype(float), 7).tolist() == hash_integers(whole, absent, 7).tolist()


def test_integers_beyond_floats_differ_by_their_bits():
    whole = np.array([2**60, 2**60 + 1, -(2**60)])
    assert len(set(hash_integers(whole, np.zeros(3, bool), 7).tolist())) == 3


def test_missing_values_are_all_alike_and_zero_has_no_sign():
    assert len(set(hash_floats(np.array([np.nan, -np.nan]), 3).tolist())) == 1
    assert len(set(hash_floats(np.array([0.0, -0.0]), 3).tolist())) == 1
    for told in (hash_floats(np.array([np.nan]), 0), mixed(hash_labels(["a"])[-1:], 0),
                 hash_integers(np.array([5]), np.array([True]), 0)):  # fmt: skip
        assert told[0] == MISSING_HASH


def test_label_hashes_are_the_same_in_every_process():
    # a stored window profile is merged by another process, perhaps another machine
    assert hash_labels(["a"])[0] == 3405396810240292928


# ---- Arrow


def test_slices_of_arrays_are_read_where_they_begin():
    sliced = pa.chunked_array([pa.array([9, 9, 1, None, 3]).slice(2)])
    assert numbers(sliced).present().tolist() == [1, 3]
    labels, found = codes(pa.chunked_array([pa.array(["z", "z", "a", None, "b"]).slice(2)]))
    assert [labels[i] if i < len(labels) else None for i in found] == ["a", None, "b"]


def test_dictionaries_with_doubles_and_nulls_among_their_values_are_read_by_text():
    told = pa.DictionaryArray.from_arrays(
        pa.array([0, 1, 2, None], pa.int8()), pa.array(["a", None, "a"])
    )
    labels, found = codes(pa.chunked_array([told]))
    assert labels == ["a"]
    assert found.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "column",
    [pa.array([b"\xff\xfe"]), pa.array([b"\xff" * 16], pa.uuid()), pa.array([[1]]),
     pa.array([(1, 2, 3)], pa.month_day_nano_interval())],
    ids=lambda column: str(column.type),
)  # fmt: skip
def test_values_that_have_no_text_are_told_with_their_type(column):
    with pytest.raises(BatchError, match=rf"holds {re.escape(str(column.type))}"):
        codes(pa.chunked_array([column]))


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.binary(), pa.binary(2), pa.json_()], ids=str
)
def test_text_of_any_arrow_type_is_read(kind):
    stored = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    column = pa.array([b"ab", b"cd"]).cast(stored).cast(kind)
    assert codes(pa.chunked_array([column]))[0] == ["ab", "cd"]


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("s"), pa.timestamp("ns", "UTC"), pa.date32(), pa.date64()],
    ids=str,
)
def test_times_of_any_unit_are_the_same_instants(kind):
    told = instants(pa.chunked_array([pa.array([datetime(2024, 1, 1), None]).cast(kind)]))
    assert told.present().tolist() == [1704067200000000]
    assert told.absent.tolist() == [False, True]


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time64("us"), pa.duration("ms")], ids=str)
def test_clock_times_and_durations_are_whole_numbers(kind):
    whole = pa.array([3, 4], pa.int32() if pa.types.is_time32(kind) else pa.int64())
    assert instants(pa.chunked_array([whole.cast(kind)])).present().tolist() == [3, 4]
