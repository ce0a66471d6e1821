"""What opens, and which kinds its columns are."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporter.batch import Schema
from exporter.errors import BatchError, PlanError
from exporter.sources.files import FileSource, Layout
from exporter.sources.frames import open_batch, open_table, open_with_schema, resolve_schema


def kinds(**columns):
    return dict(resolve_schema(open_batch(pa.table(columns)), None, None).kinds)


def test_kinds_are_inferred_from_types_and_values():
    n = 200
    found = kinds(
        real=np.linspace(0, 1, n),
        few=pa.array([i % 10 for i in range(n)]),
        many=pa.array(range(n)),
        flag=pa.array([i % 2 == 0 for i in range(n)]),
        city=pa.array([f"c{i % 50}" for i in range(n)]),
        comment=pa.array([f"text {i}" for i in range(n)]),
        encoded=pa.array([f"text {i}" for i in range(n)]).dictionary_encode(),
        when=pa.array([datetime(2024, 1, 1)] * n),
    )
    assert found == {
        "real": "numerical",
        "few": "categorical",
        "many": "numerical",
        "flag": "categorical",
        "city": "categorical",
        "comment": "text",
        "encoded": "text",
        "when": "datetime",
    }


def test_a_hundred_distinct_texts_are_not_yet_text():
    assert kinds(a=[f"t{i}" for i in range(100)]) == {"a": "categorical"}


@pytest.mark.parametrize(
    "column",
    [pa.nulls(3), pa.nulls(3, pa.float64()), pa.array([float("nan")] * 3), pa.array([[1]] * 3)],
    ids=lambda column: str(column.type),
)
def test_a_column_without_values_is_left_out_with_a_warning(column):
    with pytest.warns(UserWarning, match="column 'b' holds no values"):
        assert kinds(a=[1.5, 2.5, 3.5], b=column) == {"a": "numerical"}


def test_whole_numbers_that_floats_do_not_tell_apart_are_watched_with_a_warning():
    large = pa.array([2**60 + i for i in range(20)])
    with pytest.warns(UserWarning, match="'key' holds whole numbers beyond 2\\^53, .* ignore it"):
        kinds = resolve_schema(open_batch(pa.table({"key": large})), None, None).kinds
    assert kinds == {"key": "numerical"}
    ignored = open_batch(pa.table({"key": large, "x": pa.array(range(20))}))
    assert resolve_schema(ignored, {"ignore": ["key"]}, None).kinds == {"x": "numerical"}


def test_roles_are_no_features_and_have_the_kind_of_the_task():
    batch = open_batch(pa.table({"x": [1.5], "y": [1], "p": [1], "key": ["a"], "no": [1.0]}))
    columns = {"target": "y", "prediction": "p", "id": "key", "ignore": ["no"]}
    schema = resolve_schema(batch, columns, "regression")
    assert schema.kinds == {"x": "numerical", "y": "numerical", "p": "numerical"}
    assert schema.features == ("x",)


def test_declared_columns_are_complete():
    batch = open_batch(pa.table({"x": [1.5], "y": [1], "z": [1]}))
    schema = resolve_schema(batch, {"numerical": ["x"], "target": "y", "positive": 1.0}, "binary")
    assert schema.kinds == {"x": "numerical", "y": "categorical"}
    assert schema.positive == "1"


def test_the_probability_of_the_positive_class_is_the_one_that_is_read():
    batch = open_batch(pa.table({"x": [1.5], "y": ["a"], "pa": [0.5], "pb": [0.5]}))
    columns = {"target": "y", "probability": {"a": "pa", "b": "pb"}, "positive": "b"}
    assert resolve_schema(batch, columns, "binary").probability == "pb"


def test_a_multiclass_model_reads_the_probability_of_every_class():
    batch = open_batch(pa.table({"x": [1.5], "y": [1], "pa": [0.5], "pb": [0.5]}))
    columns = {"target": "y", "probability": {1: "pa", 2.0: "pb"}}
    schema = resolve_schema(batch, columns, "multiclass")
    assert schema.probabilities == {"1": "pa", "2": "pb"}
    assert schema.kinds == {
        "x": "numerical", "y": "categorical", "pa": "numerical", "pb": "numerical",
    }  # fmt: skip
    assert schema.features == ("x",)


@pytest.mark.parametrize("given", ["pa", {"a": "pa"}, {}])
def test_one_probability_is_none_of_a_multiclass_model(given):
    batch = open_batch(pa.table({"y": ["a"], "pa": [0.5]}))
    with pytest.raises(PlanError, match=r"should be \{class: column\}, for every class"):
        resolve_schema(batch, {"target": "y", "probability": given}, "multiclass")


def test_a_declared_column_that_is_not_there_names_the_nearest():
    batch = open_batch(pa.table({"distance": [1.5]}))
    with pytest.raises(PlanError, match="distnace; did you mean 'distance'"):
        resolve_schema(batch, {"numerical": ["distnace"]}, None)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"numeric": ["x"]}, "no key 'numeric'; did you mean 'numerical'"),
        ({"numerical": "x"}, "'numerical' should be a list"),
        ({"target": ["x"]}, "'target' should be the name of one column"),
    ],
)
def test_a_declaration_of_another_form_is_refused(columns, said):
    with pytest.raises(PlanError, match=said):
        resolve_schema(open_batch(pa.table({"x": [1.5]})), columns, None)


def test_frames_tables_and_what_speaks_arrow_are_opened():
    table = pa.table({"a": [1, 2], "b": ["x", None]})
    for data in (table, table.to_batches()[0], table.to_pandas(), {"a": [1, 2], "b": ["x", None]}):
        assert open_table(data).to_pydict() == {"a": [1, 2], "b": ["x", None]}


def test_missing_values_of_a_frame_are_null():
    table = open_table(pd.DataFrame({"a": [1.0, np.nan], "c": pd.Categorical(["x", None])}))
    assert table["a"].null_count == table["c"].null_count == 1


def test_a_frame_column_of_numbers_and_text_is_text():
    assert open_table(pd.DataFrame({"a": [1, "x", None]}))["a"].to_pylist() == ["1", "x", None]


def test_a_frame_with_names_that_are_no_text_is_opened():
    assert open_table(pd.DataFrame(np.zeros((2, 2)))).column_names == ["0", "1"]


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(BatchError, match="two columns are called 'a'"):
        open_batch(pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_what_is_no_data_is_refused():
    with pytest.raises(BatchError, match="a list is no data"):
        open_batch([1, 2])


def test_a_large_parquet_file_is_read_column_by_column(tmp_path):
    table = pa.table({"x": np.arange(150_000.0), "c": ["a", "b", "c"] * 50_000})
    pq.write_table(table, tmp_path / "a.parquet")
    batch = open_batch(tmp_path / "a.parquet", Schema({}, (), missing_values=("b", 7.0)))
    assert batch.rows == 150_000
    assert batch.read("x").null_count == 1
    assert batch.read("c").null_count == 50_000
    assert (batch.replaced("x"), batch.replaced("c")) == ({"7": 1}, {"b": 50_000})


def test_a_column_that_cannot_be_decoded_names_the_file(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": np.random.default_rng(0).normal(size=150_000)}), path)
    content = bytearray(path.read_bytes())
    content[4:600_000] = b"\xff" * (600_000 - 4)
    path.write_bytes(content)
    batch = open_batch(path)
    with pytest.raises(BatchError, match=r"a\.parquet"):
        batch.read("x")


def test_inferred_categories_of_a_csv_are_the_text_they_are(tmp_path):
    (tmp_path / "a.csv").write_text("code,x\n01,1.5\n02,2.5\n")
    batch, schema = open_with_schema(str(tmp_path / "a.csv"), None, None)
    assert schema.kinds["code"] == "categorical"
    assert batch.read("code").to_pylist() == ["01", "02"]


def write_hours(folder, values):
    table = pa.table(
        {
            "t": [f"2024-01-01T{i % 24:02d}:00:00" for i in range(len(values))],
            "id": list(range(len(values))),
            "n": values,
            "empty": pa.nulls(len(values)),
        }
    )
    pq.write_table(table, folder / "a.parquet")


def test_a_source_infers_its_kinds_from_its_first_windows_and_keeps_them(tmp_path):
    def opened():
        layout = Layout("t", "UTC", "UTC", "1h", "id")
        return FileSource("*.parquet", tmp_path, Schema({}, ()), layout)

    write_hours(tmp_path, list(range(100)))
    source = opened()
    schema = source.infer_schema()
    assert schema.kinds == {"t": "datetime", "n": "numerical"}
    assert schema.features == ("n",)
    assert "column 'empty' holds no values" in source.told(datetime.now().astimezone())[-1]
    write_hours(tmp_path, [1, 2] * 50)
    assert opened().infer_schema() == schema
