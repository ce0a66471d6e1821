"""Segments, and tags that are read from a column."""

import pyarrow as pa
import pytest

from exporter.errors import BatchError
from exporter.sources.segments import (
    describing_tag,
    other_rows,
    rows_where,
    segment_values,
    split,
    values_of,
)

TABLE = pa.table(
    {
        "origin": pa.array(["EWR", "JFK", None, "EWR", "LGA", "JFK", "EWR"]).dictionary_encode(),
        "version": [1.0, 2.0, 1.0, None, 10.0, 2.0, 1.0],
        "row": list(range(7)),
    }
)


def test_segments_are_the_most_frequent_values():
    assert segment_values(TABLE, "origin", 2) == ["EWR", "JFK"]


def test_values_that_are_as_frequent_are_taken_in_order():
    assert segment_values(pa.table({"a": ["c", "b", "a"]}), "a", 2) == ["a", "b"]


def test_values_are_canonical_text():
    assert values_of(TABLE, "version") == ["1", "10", "2"]


@pytest.mark.parametrize("value", ["1", "EWR"])
def test_rows_are_found_by_canonical_text(value):
    column = "version" if value == "1" else "origin"
    expected = [0, 2, 6] if value == "1" else [0, 3, 6]
    assert rows_where(TABLE, column, value)["row"].to_pylist() == expected


def test_a_value_that_does_not_occur_has_no_rows():
    assert len(rows_where(TABLE, "origin", "SFO")) == 0


def test_a_table_is_split_by_the_values_of_a_column():
    parts = {value: rows["row"].to_pylist() for value, rows in split(TABLE, "origin")}
    assert parts == {"EWR": [0, 3, 6], "JFK": [1, 5], "LGA": [4]}


def test_rows_of_other_values_and_without_one_are_counted():
    assert other_rows(TABLE, "origin", ["EWR", "JFK"]) == 2


@pytest.mark.parametrize(
    ("values", "tag"),
    [
        (["2"], "2"),
        (["2", "1", None], "1,2"),
        (["1", "2", "3"], "1,2,3"),
        (["1", "2", "3", "4", "5"], "1,2,3 +2"),
        ([None], ""),
    ],
)
def test_a_describing_tag_names_three_values(values, tag):
    assert describing_tag(pa.table({"v": pa.array(values, pa.string())}), "v") == tag


def test_a_column_that_is_not_there_names_the_nearest():
    with pytest.raises(BatchError, match=r"no column 'orign'.*did you mean 'origin'"):
        values_of(TABLE, "orign")
