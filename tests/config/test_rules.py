"""What has to fit together in a config, and what is only warned of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from config.samples import (
    COLUMNS,
    INPUTS,
    MODEL,
    SOUND,
    changed,
    mistakes,
    place_of,
    warnings,
    without,
    written,
)

RETURNS = SOUND["models"]["returns"]
LATE = {"path": "labels-*.csv", "delay": "7d"}
QUALITY: dict[str, Any] = {"requires": "target", "metrics": ["rmse"]}
BINARY = {**RETURNS, "task": "binary"}
CLASSES = {"time": "t", "target": "y", "probability": {"ape": "p_ape", "bat": "p_bat"}}


def multiclass(**parts: Any) -> Any:
    return changed(MODEL, {**RETURNS, "task": "multiclass", "columns": {**CLASSES, **parts}})


def model(**parts: Any) -> Any:
    return changed(MODEL, {**RETURNS, **parts})


def columns(**parts: Any) -> Any:
    return changed(COLUMNS, {**RETURNS["columns"], **parts})


@pytest.mark.parametrize(
    ("data", "key", "text"),
    [
        (columns(categorical=["age"]), "- age", "column 'age' is already listed under numerical"),
        (columns(numerical=["age", "age"]), "- age", "column 'age' is already listed under numerical"),
        (columns(ignore=["country"]), "- country", "column 'country' is already listed under categorical"),
        (columns(numerical=["order_id"]), "- order_id", "'order_id' is the id, which no metric reads: take it out"),
        (columns(categorical=["amount"]), "- amount", "'amount' is numerical, as its part in the model tells: take it out"),
        (columns(prediction="amount"), "prediction", "column 'amount' cannot be both target and prediction"),
        (columns(target="order_id"), "target", "column 'order_id' cannot be both id and target"),
        (changed(MODEL, {**BINARY, "columns": {"time": "t", "target": "y"}}), "task", "a binary model needs columns.prediction or columns.probability"),
        (changed(MODEL, {**BINARY, "columns": {"time": "t", "probability": {"yes": "p"}}}), "probability", "no column is given for the positive class '1'"),
        (changed(MODEL, {**BINARY, "columns": {"time": "t", "probability": {"yes": "p"}, "positive": "yess"}}), "probability", "no column is given for the positive class 'yess'; did you mean 'yes'?"),
        (multiclass(probability=None), "task", "a multiclass model needs columns.prediction or columns.probability"),
        (multiclass(probability="p_ape"), "probability", "of a multiclass model give every class's column: {class: column, …}"),
        (multiclass(probability={"ape": "p_ape"}), "probability", "of a multiclass model give every class's column: {class: column, …}"),
        (multiclass(prediction="p_bat"), "probability", "column 'p_bat' cannot be both prediction and probability"),
        (multiclass(categorical=["p_ape"]), "- p_ape", "'p_ape' is numerical, as its part in the model tells: take it out"),
        (changed((*MODEL, "labels"), LATE, without((*COLUMNS, "id"))), "labels", "labels are joined by columns.id, which is not given"),
        (changed((*MODEL, "labels"), LATE, without((*COLUMNS, "target"))), "labels", "labels need columns.target, the column to take from them"),
        (changed((*INPUTS, "requires"), "target", without((*COLUMNS, "target"))), "requires", "there is no columns.target"),
        (changed(INPUTS, {"metrics": ["rmse"]}, without((*COLUMNS, "target"))), "- rmse", "rmse needs columns.target"),
        (model(reference={"rolling": "12h"}), "rolling", "shorter than a window (1d): no batch would have a reference"),
        (changed((*INPUTS, "reference"), {"rolling": "3d"}, model(batch="1w")), "rolling", "shorter than a window (1w): no batch would have a reference"),
        (model(segments={"country": {"evaluations": ["inputz"]}}), "- inputz", "there is no evaluation 'inputz'; did you mean 'inputs'?"),
        (changed(("stream_tags",), ["arm"]), "- arm", "no model has a tag 'arm'"),
        (changed(("stream_tags",), ["armm"], model(tags={"arm": "a"})), "- armm", "no model has a tag 'armm'; did you mean 'arm'?"),
        (changed(("retention",), {"metrics": "2d"}, model(labels=LATE)), "metrics", "nothing of model 'returns' would be kept: its windows are due later (batch + wait + labels.delay) than this"),
        (changed((*INPUTS, "metrics"), ["data_sumary"]), "- data_sumary", "there is no metric or preset 'data_sumary'; did you mean 'data_summary'?"),
        (changed((*INPUTS, "tests"), ["data_summary"]), "- data_summary", "there is no metric or preset 'data_summary' among the tests: it is a preset of metrics; did you mean 'data_quality'?"),
        (changed((*INPUTS, "tests"), [{"mean": {"columns": ["agee"], "lt": 5}}]), "- agee", "'agee' is not among the model's columns; did you mean 'age'?"),
        (changed((*INPUTS, "tests"), [{"mean": {"columns": ["age"], "less": 5}}]), "less", "mean has no option 'less'"),
        (changed((*INPUTS, "metrics"), [{"column_drift": {"columns": ["country"], "method": "ks"}}]), "- country", "ks does not compare categorical columns such as 'country'"),
    ],
    ids=lambda x: x[:50] if isinstance(x, str) else "",
)  # fmt: skip
def test_what_does_not_fit_together_is_told_with_its_place(
    data: Any, key: str, text: str, tmp_path: Path
) -> None:
    place, told = mistakes(tmp_path, data)[0].split(": ", 1)
    line = written(data).splitlines()[int(place.split(":")[0]) - 1]
    assert told == text
    assert line.lstrip(" -").startswith(key.removeprefix("- "))


@pytest.mark.parametrize(
    ("data", "key", "text"),
    [
        (changed((*INPUTS, "metrics"), ["data_drift"]), "inputs", "column_drift compares with a reference, and model 'returns' has none"),
        (multiclass(positive="ape"), "positive", "'positive' is for two classes: a multiclass model has no use for it"),
        (multiclass(threshold=0.3), "threshold", "'threshold' is for two classes: a multiclass model has no use for it"),
        (model(segments={"contry": {}}), "contry", "no declared column is called 'contry'; did you mean 'country'?"),
        (model(labels=LATE, reference={"rolling": "28d", "lag": "1d"}, evaluations={"quality": QUALITY}), "lag", "evaluation 'quality' reads labels: its reference lags as they do, by labels.delay"),
    ],
    ids=lambda x: x[:50] if isinstance(x, str) else "",
)  # fmt: skip
def test_what_is_likely_not_meant_is_warned_of(
    data: Any, key: str, text: str, tmp_path: Path
) -> None:
    assert warnings(tmp_path, data) == [f"{place_of(written(data), key)}: {text}"]


def test_a_sound_config_is_told_nothing_of(tmp_path: Path) -> None:
    assert warnings(tmp_path, SOUND) == []


def test_a_rolling_reference_without_lag_lags_as_the_labels_do(tmp_path: Path) -> None:
    data = model(labels=LATE, reference={"rolling": "28d"}, evaluations={"quality": QUALITY})
    assert warnings(tmp_path, data) == []


def two_arms(**second: Any) -> Any:
    first = {**RETURNS, "model": "returns", "tags": {"arm": "a"}}
    data = changed(("models",), {"one": first, "two": {**first, **second}})
    return changed(("stream_tags",), ["arm"], data)


def test_two_entries_that_write_the_same_stream_are_refused(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, two_arms())
    assert "writes the same stream as 'one' (evaluation 'inputs'): give it another" in told


@pytest.mark.parametrize(
    "second",
    [
        {"tags": {"arm": "b"}},
        {"model": "other"},
        {"evaluations": {"predictions": {"metrics": ["row_count"]}}},
        {"tags": {"arm": {"column": "arm"}}},
    ],
    ids=str,
)
def test_entries_may_share_a_model_where_something_tells_them_apart(
    second: dict[str, Any], tmp_path: Path
) -> None:
    assert mistakes(tmp_path, two_arms(**second)) == []


def test_a_tag_that_only_describes_does_not_tell_entries_apart(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, two_arms(tags={"arm": "a", "version": 2}))
    assert "writes the same stream" in told


def test_a_number_and_its_text_are_one_value_of_a_tag(tmp_path: Path) -> None:
    first = {**RETURNS, "model": "returns", "tags": {"arm": 1}}
    data = changed(("models",), {"one": first, "two": {**first, "tags": {"arm": "1"}}})
    (told,) = mistakes(tmp_path, changed(("stream_tags",), ["arm"], data))
    assert "writes the same stream" in told


def test_a_model_without_a_stream_tag_that_others_have_is_warned_of(tmp_path: Path) -> None:
    data = two_arms(tags={"amr": "b"})
    (told,) = warnings(tmp_path, data)
    assert told.endswith("model 'two' has no stream tag 'arm': it is empty; did you mean 'amr'?")


def test_a_stream_tag_given_twice_is_told(tmp_path: Path) -> None:
    data = changed(("stream_tags",), ["arm", "arm"], model(tags={"arm": "a"}))
    (told,) = mistakes(tmp_path, data)
    assert told.endswith("stream tag 'arm' is given twice")


def test_a_broken_key_is_not_also_told_to_be_missing(tmp_path: Path) -> None:
    for path in ((*MODEL, "source"), COLUMNS, (*MODEL, "evaluations"), INPUTS):
        assert len(mistakes(tmp_path, changed(path, 5))) == 1, path


def test_an_evaluation_is_checked_against_what_the_defaults_bring(tmp_path: Path) -> None:
    data = changed(("defaults", "columns"), {"text": None, "ignore": None, "categorical": ["x"]})
    data = changed((*INPUTS, "tests"), [{"missing_ratio": {"columns": ["x"], "lte": 0}}], data)
    data = without((*COLUMNS, "categorical"), data)
    assert mistakes(tmp_path, data) == []


def test_columns_that_make_no_pair_are_refused_with_their_place(tmp_path: Path) -> None:
    asked = [{"correlation": {"columns": ["age", "contry"]}}, "conflicting_predictions"]
    data = without((*COLUMNS, "prediction"), changed((*INPUTS, "metrics"), asked))
    data = changed((*MODEL, "task"), "none", data)
    lines = written(data).splitlines()

    def place(text: str) -> str:
        ((number, line),) = [(n, x) for n, x in enumerate(lines, 1) if x.endswith(text)]
        return f"{number}:{line.index(text) + 1}"

    first, second = mistakes(tmp_path, data)
    assert first.startswith(f"{place('contry')}: 'contry' is not among the model's columns; did")
    lacks = "conflicting_predictions: the model has no prediction: give columns.prediction"
    assert second == f"{place('conflicting_predictions')}: {lacks}"
