"""Targets in files of their own."""

from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from exporter.batch import Schema
from exporter.errors import BatchError
from exporter.sources.files import FileSource, Layout

LAYOUT = Layout("t", "UTC", "UTC", "1d", "id", "labels*")
SCHEMA = Schema({"x": "numerical", "y": "numerical"}, ("x",), "y", "x", task="regression")


def data(folder, ids, **more):
    table = pa.table({"t": ["2024-01-01"] * len(ids), "id": ids, "x": [0.5] * len(ids), **more})
    pq.write_table(table, folder / "data.parquet")


def joined(folder, pattern="data*", schema=SCHEMA):
    return FileSource(pattern, folder, schema, LAYOUT).whole()["y"].to_pylist()


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([3, 1, 2], pa.int64()),
        pa.array([3, 1, 2], pa.int16()),
        pa.array([3.0, 1.0, 2.0]),
        pa.array([3, 1, 2], pa.decimal128(9, 0)),
        pa.array(["3", "1", "2"]),
        pa.array(["3", "1", "2"]).dictionary_encode(),
        pa.array(["3", "1", "2"], pa.large_string()),
    ],
    ids=lambda ids: str(ids.type),
)
def test_labels_are_joined_by_ids_of_any_type(tmp_path, ids):
    data(tmp_path, ids)
    is_number = pa.types.is_primitive(ids.type) or pa.types.is_decimal(ids.type)
    kind = pa.int64() if is_number else pa.string()
    pq.write_table(
        pa.table({"id": pa.array([1, 2, 3]).cast(kind), "y": [1.0, 2.0, 3.0]}),
        tmp_path / "labels.parquet",
    )
    assert joined(tmp_path) == [3.0, 1.0, 2.0]


@pytest.mark.parametrize("ids", [[3, 1, 2], ["3", "1", "2"]])
def test_ids_of_a_csv_are_compared_as_the_other_side_writes_them(tmp_path, ids):
    data(tmp_path, ids)
    csv.write_csv(pa.table({"id": [1, 2], "y": [1.0, 2.0]}), tmp_path / "labels.csv")
    assert joined(tmp_path) == [None, 1.0, 2.0]


def test_ids_of_a_csv_keep_their_leading_zeros(tmp_path):
    data(tmp_path, ["007", "7"])
    (tmp_path / "labels.csv").write_text("id,y\n007,1.5\n")
    assert joined(tmp_path) == [1.5, None]


def test_numbers_of_parquet_find_text_of_a_csv_source(tmp_path):
    (tmp_path / "data.csv").write_text("t,id,x\n2024-01-01,12,0.5\n2024-01-01,13,0.5\n")
    pq.write_table(pa.table({"id": [13], "y": [1.0]}), tmp_path / "labels.parquet")
    assert joined(tmp_path) == [None, 1.0]


def test_ids_that_cannot_be_compared_are_an_error_that_says_what_to_do(tmp_path):
    data(tmp_path, [1, 2])
    pq.write_table(pa.table({"id": ["1"], "y": [1.0]}), tmp_path / "labels.parquet")
    expected = "'id' is int64 in the data and text in the labels: write both as text"
    with pytest.raises(BatchError, match=expected):
        joined(tmp_path)


def test_text_of_a_csv_that_is_no_number_cannot_be_compared_with_numbers(tmp_path):
    data(tmp_path, [1, 2])
    (tmp_path / "labels.csv").write_text("id,y\nA1,1.5\n")
    with pytest.raises(BatchError, match="labels cannot be joined"):
        joined(tmp_path)


def test_of_an_id_that_comes_twice_the_last_label_counts_and_it_is_told(tmp_path):
    data(tmp_path, ["a", "b"])
    (tmp_path / "labels-1.csv").write_text("id,y\na,1\na,2\nb,3\n")
    (tmp_path / "labels-2.csv").write_text("id,y\nb,4\n")
    source = FileSource("data*", tmp_path, SCHEMA, LAYOUT)
    assert source.whole()["y"].to_pylist() == [2, 4]
    (line,) = source.told(datetime(2024, 2, 1, tzinfo=UTC))
    assert line.startswith("labels*: 2 labels are replaced by a later one of the same id")


def test_a_row_without_id_or_target_is_no_label(tmp_path):
    data(tmp_path, ["a", None])
    (tmp_path / "labels.csv").write_text("id,y\na,1.5\n,2\na,\n")
    assert joined(tmp_path) == [1.5, None]


def test_a_target_that_the_rows_have_stands_where_no_label_came(tmp_path):
    data(tmp_path, ["a", "b"], y=pa.array([10.0, 20.0]))
    (tmp_path / "labels.csv").write_text("id,y\nb,2\n")
    assert joined(tmp_path) == [10.0, 2.0]


def test_targets_of_classes_are_joined_as_the_text_they_are(tmp_path):
    data(tmp_path, ["a", "b", "c"], y=pa.array(["old", "old", "old"]).dictionary_encode())
    (tmp_path / "labels.csv").write_text("id,y\na,001\nb,new\n")
    schema = replace(SCHEMA, kinds={"x": "numerical", "y": "categorical"}, task="binary")
    assert joined(tmp_path, schema=schema) == ["001", "new", "old"]


def test_a_label_that_counts_as_missing_is_none(tmp_path):
    data(tmp_path, ["a"])
    (tmp_path / "labels.csv").write_text("id,y\na,-999\n")
    assert joined(tmp_path, schema=replace(SCHEMA, missing_values=(-999,))) == [None]


def test_labels_join_a_reference_too(tmp_path):
    from exporter.config import Files

    data(tmp_path, ["a"])
    (tmp_path / "labels.csv").write_text("id,y\nr,7\n")
    reference = pa.table({"t": ["2023-01-01"], "id": ["r"], "x": [1.0]})
    pq.write_table(reference, tmp_path / "reference.parquet")
    source = FileSource("data*", tmp_path, SCHEMA, LAYOUT)
    other = source.like(Files(path="reference.parquet"), tmp_path)
    assert other.whole()["y"].to_pylist() == [7]


def test_a_label_file_without_the_target_is_named(tmp_path):
    data(tmp_path, ["a"])
    (tmp_path / "labels.csv").write_text("id,yy\na,1\n")
    with pytest.raises(BatchError, match=r"labels.csv: labels need the columns 'id' and 'y'.*'yy'"):
        joined(tmp_path)


def test_rows_without_the_id_column_are_an_error(tmp_path):
    pq.write_table(pa.table({"t": ["2024-01-01"], "x": [1.0]}), tmp_path / "data.parquet")
    (tmp_path / "labels.csv").write_text("id,y\na,1\n")
    with pytest.raises(BatchError, match=r"data.parquet: there is no id column 'id'"):
        joined(tmp_path)


def test_labels_that_are_not_there_yet_are_an_error_with_what_to_do(tmp_path):
    data(tmp_path, ["a"])
    with pytest.raises(BatchError, match="no file matches"):
        joined(tmp_path)
