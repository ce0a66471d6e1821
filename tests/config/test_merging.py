"""Defaults and what a model says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from config.samples import COLUMNS, INPUTS, MODEL, SOUND, changed, load, mistakes, warnings, written

from exporter.config import Model, schema_of


def model_of(folder: Path, data: Any, name: str = "returns") -> Model:
    return load(folder, data).models[name]


def with_defaults(**defaults: Any) -> dict[str, Any]:
    return changed(("defaults",), defaults)


def test_what_a_model_does_not_say_it_has_from_the_defaults(tmp_path: Path) -> None:
    data = with_defaults(batch="1w", wait="2h", reference={"rolling": "28d"}, min_rows=50)
    model = model_of(tmp_path, data)
    assert (model.batch, model.wait, model.min_rows) == ("1w", 7200.0, 50)
    assert model.reference is not None


def test_what_a_model_says_replaces_the_defaults_as_a_whole(tmp_path: Path) -> None:
    data = with_defaults(source={"path": "a", "format": "csv"}, reference={"rolling": "28d"})
    data = changed((*MODEL, "reference"), {"previous": 2}, data)
    model = model_of(tmp_path, data)
    assert model.source is not None
    assert model.source.model_dump() == {"path": "orders-*.parquet", "format": None}
    assert model.reference is not None
    assert model.reference.model_dump() == {"previous": 2}


def test_columns_are_merged_key_by_key(tmp_path: Path) -> None:
    data = with_defaults(columns={"id": "row", "numerical": ["a", "b"], "threshold": 0.2})
    columns = model_of(tmp_path, data).columns
    assert columns is not None
    assert (columns.id, columns.numerical, columns.threshold) == ("order_id", ["age"], 0.2)


@pytest.mark.parametrize("kind", ["tags", "segments", "evaluations"])
def test_named_parts_are_merged_name_by_name(kind: str, tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "tags": ("old", "new"),
        "segments": ({"max": 1}, {"max": 2}),
        "evaluations": ({"metrics": ["mean"]}, {"metrics": ["std"]}),
    }
    old, new = values[kind]
    data = with_defaults(**{kind: {"both": old, "theirs": old}})
    data = changed((*MODEL, kind), {"both": new, "mine": new}, data)
    got = getattr(model_of(tmp_path, data), kind)
    assert set(got) == {"both", "theirs", "mine"}
    assert got["both"] == got["mine"] != got["theirs"]


@pytest.mark.parametrize("kind", ["tags", "segments", "evaluations"])
def test_null_takes_away_a_name_of_the_defaults(kind: str, tmp_path: Path) -> None:
    value = {"tags": "x", "segments": {}, "evaluations": {"metrics": ["mean"]}}[kind]
    data = changed((*MODEL, kind, "theirs"), None, with_defaults(**{kind: {"theirs": value}}))
    assert "theirs" not in (getattr(model_of(tmp_path, data), kind) or {})


@pytest.mark.parametrize(
    ("kind", "meant"), [("tags", "its value"), ("segments", "{}"), ("evaluations", "its value")]
)
def test_null_where_the_defaults_have_nothing_is_told(
    kind: str, meant: str, tmp_path: Path
) -> None:
    (told,) = mistakes(tmp_path, changed((*MODEL, kind, "theirs"), None))
    assert told.endswith(f"and they have no 'theirs' here: write {meant}")


@pytest.mark.parametrize("key", ["reference", "wait", "min_rows", "labels", "missing_values"])
def test_null_takes_away_a_key_of_the_defaults(key: str, tmp_path: Path) -> None:
    values = {
        "reference": {"rolling": "28d"},
        "wait": "2h",
        "min_rows": 5,
        "labels": {"path": "l.csv"},
        "missing_values": ["n/a"],
    }
    data = changed((*MODEL, key), None, with_defaults(**{key: values[key]}))
    assert getattr(model_of(tmp_path, data), key) is None


def test_null_takes_away_a_column_of_the_defaults(tmp_path: Path) -> None:
    data = with_defaults(columns={"datetime": ["signed_up"]})
    columns = model_of(tmp_path, changed((*COLUMNS, "datetime"), None, data)).columns
    assert columns is not None
    assert columns.datetime is None


def test_the_projects_automatic_tests_reach_every_model_that_has_none(tmp_path: Path) -> None:
    data = changed(("automatic_tests",), "evidently")
    assert model_of(tmp_path, data).automatic_tests == "evidently"
    data = changed((*MODEL, "automatic_tests"), "directional", data)
    assert model_of(tmp_path, data).automatic_tests == "directional"


def test_a_mistake_of_what_comes_from_the_defaults_stands_there(tmp_path: Path) -> None:
    data = with_defaults(reference={"rolling": "12h"})
    (told,) = mistakes(tmp_path, data)
    line = written(data).split("rolling")[0].count("\n") + 1
    assert told == f"{line}:5: shorter than a window (1d): no batch would have a reference"


def test_keys_that_begin_with_x_are_a_place_for_anchors(tmp_path: Path) -> None:
    text = "x-all: &all {metrics: [mean], tests: []}\n" + written(SOUND)
    text += "      more: *all\n      merged: {<<: *all, requires: target}\n    x-note: anything\n"
    model = model_of(tmp_path, text)
    assert model.evaluations is not None
    assert model.evaluations["more"].metrics == model.evaluations["merged"].metrics == ["mean"]


@pytest.mark.parametrize("at", [(), MODEL, COLUMNS, INPUTS, (*MODEL, "source"), ("defaults",)])
def test_a_key_that_begins_with_x_is_ignored_in_every_form(
    at: tuple[str, ...], tmp_path: Path
) -> None:
    assert mistakes(tmp_path, changed((*at, "x-mine"), {"any": ["thing"]})) == []


def test_a_model_or_evaluation_that_begins_with_x_is_ignored_with_a_warning(
    tmp_path: Path,
) -> None:
    data = changed(("models", "x-ray"), SOUND["models"]["returns"])
    data = changed((*MODEL, "evaluations", "x-tra"), {"metrics": ["mean"]}, data)
    told = warnings(tmp_path, data)
    assert len(told) == 2
    assert all("is ignored, as every key that begins with x-" in line for line in told)


@pytest.mark.parametrize("at", [(*MODEL, "tags"), (*MODEL, "segments")])
def test_names_of_the_users_own_may_begin_with_x(at: tuple[str, ...], tmp_path: Path) -> None:
    if at[-1] == "segments":
        segments = model_of(tmp_path, changed((*at, "x-ray"), {"max": 1})).segments
        assert segments is not None
        assert "x-ray" in segments
    else:
        (told,) = mistakes(tmp_path, changed((*at, "x-ray"), "a"))
        assert "a tag is a label in Prometheus" in told


def test_the_schema_says_what_part_each_column_plays(tmp_path: Path) -> None:
    schema = schema_of(model_of(tmp_path, SOUND))
    assert dict(schema.kinds) == {
        "age": "numerical",
        "country": "categorical",
        "amount": "numerical",
        "said": "numerical",
    }
    assert schema.features == ("age", "country")
    assert (schema.target, schema.prediction, schema.task) == ("amount", "said", "regression")


def test_without_lists_of_kinds_the_schema_leaves_them_to_the_reference(tmp_path: Path) -> None:
    data = changed(COLUMNS, {"time": "t", "target": "y", "prediction": "p"})
    assert not schema_of(model_of(tmp_path, data)).kinds


def test_the_target_of_a_classification_is_categorical(tmp_path: Path) -> None:
    given = {"time": "t", "target": "y", "probability": "p", "numerical": ["a"], "positive": 1.0}
    data = changed(COLUMNS, given, changed((*MODEL, "task"), "binary"))
    schema = schema_of(model_of(tmp_path, data))
    assert (schema.kinds["y"], schema.kinds["p"]) == ("categorical", "numerical")
    assert schema.positive == "1"


def test_missing_values_are_those_that_are_said_whatever_the_tests(tmp_path: Path) -> None:
    evidently = changed(("automatic_tests",), "evidently")
    assert schema_of(model_of(tmp_path, evidently)).missing_values == ()
    own = changed((*MODEL, "missing_values"), [None, "n/a", 5], evidently)
    assert schema_of(model_of(tmp_path, own)).missing_values == ("n/a", 5.0)
    assert schema_of(model_of(tmp_path, SOUND)).missing_values == ()


def test_a_multiclass_model_has_a_probability_for_every_class(tmp_path: Path) -> None:
    given = {"time": "t", "target": "y", "probability": {"1": "p1", "2": "p2"}, "numerical": ["a"]}
    data = changed(MODEL, {**SOUND["models"]["returns"], "task": "multiclass", "columns": given})
    schema = schema_of(model_of(tmp_path, data))
    assert schema.probabilities == {"1": "p1", "2": "p2"}
    assert (schema.task, schema.probability, schema.features) == ("multiclass", None, ("a",))
    assert schema.kinds == {
        "a": "numerical", "y": "categorical", "p1": "numerical", "p2": "numerical",
    }  # fmt: skip
    assert schema.scores == ("p1", "p2")
