"""The Python API, as a data scientist uses it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exporter
from exporter.errors import BatchError, PlanError, TestsFailed

WINDOW = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def frame(seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"age": rng.normal(40 + shift, 10, 500), "plan": rng.choice(["free", "paid"], 500)}
    )


def test_two_frames_give_figures_and_tests() -> None:
    found = exporter.evaluate(
        frame(1), frame(0), metrics=["data_summary", "data_drift"], tests=["data_stability"]
    )
    assert found.rows == found.reference_rows == 500
    assert found.passed
    assert {d.column: d.drifted for d in found.drift} == {"age": False, "plan": False}


def test_a_failed_test_raises_and_names_what_failed() -> None:
    found = exporter.evaluate(frame(1, shift=30), frame(0), tests=["data_drift"])
    assert not found.passed
    with pytest.raises(TestsFailed, match="age"):
        found.raise_for_tests()


def test_paths_and_frames_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    frame(0).to_parquet(tmp_path / "a.parquet")
    frame(1).to_parquet(tmp_path / "b.parquet")
    by_path = exporter.evaluate(
        tmp_path / "b.parquet", tmp_path / "a.parquet", metrics=["data_drift", "data_summary"]
    )
    again = exporter.evaluate(
        tmp_path / "b.parquet", tmp_path / "a.parquet", metrics=["data_drift", "data_summary"]
    )
    by_frame = exporter.evaluate(frame(1), frame(0), metrics=["data_drift", "data_summary"])
    assert by_path.metrics == again.metrics == by_frame.metrics
    assert by_path.drift == by_frame.drift


def test_a_profiled_reference_can_be_used_again_and_again() -> None:
    reference = exporter.profile_reference(frame(0))
    first = exporter.evaluate(frame(1), reference, metrics=["data_drift"])
    second = exporter.evaluate(frame(1), frame(0), metrics=["data_drift"])
    assert first.drift == second.drift


def test_a_snapshot_says_of_itself_in_one_line_what_came_of_it() -> None:
    found = exporter.evaluate(frame(1), frame(0), metrics=["data_drift"], tests=["data_drift"])
    said = "success, 500 rows, 3 figures, 0 of 2 columns drifted; tests: 3 success"
    assert repr(found) == f"<Snapshot {said}>"
    named = replace(found, project="shop", model="returns", evaluation="inputs")
    assert repr(named) == f"<Snapshot shop/returns/inputs: {said}>"


def test_tags_and_window_are_kept() -> None:
    found = exporter.evaluate(frame(), metrics=["row_count"], tags={"run": "7"}, window=WINDOW)
    assert found.tags == {"run": "7"}
    assert (found.window_start, found.window_end) == WINDOW


def test_a_window_without_a_timezone_is_refused() -> None:
    naive = tuple(moment.replace(tzinfo=None) for moment in WINDOW)
    with pytest.raises(PlanError, match="timezone"):
        exporter.evaluate(frame(), metrics=["row_count"], window=naive)


def test_a_misspelt_metric_suggests_the_nearest() -> None:
    with pytest.raises(PlanError, match="did you mean 'row_count'"):
        exporter.evaluate(frame(), metrics=["row_cuont"])


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BatchError) as caught:
        exporter.evaluate(tmp_path / "none.parquet", metrics=["row_count"])
    assert "none.parquet" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_frame_of_the_snapshot_has_a_row_a_figure() -> None:
    found = exporter.evaluate(frame(1), frame(0), metrics=["data_drift"], tests=["data_drift"])
    table = found.to_frame()
    assert set(table["kind"]) == {"metric", "drift", "test"}
    assert len(table) == len(found.metrics) + len(found.drift) + len(found.tests)


def test_a_config_runs_given_rows_as_a_batch(tmp_path: Path, database: str) -> None:
    data = frame(0).assign(at=pd.date_range(WINDOW[0], periods=500, freq="2min"))
    data.to_parquet(tmp_path / "data.parquet")
    (tmp_path / "c.yaml").write_text(
        f"project: p\nstore: {database}\nmodels:\n  m:\n    source: {{path: data.parquet}}\n"
        "    columns: {time: at, numerical: [age], categorical: [plan]}\n"
        "    evaluations: {e: {metrics: [data_summary], tests: [{row_count: {gt: 100}}]}}\n"
    )
    config = exporter.load(tmp_path / "c.yaml")
    named = config.run(data=frame(3).head(50), batch="pull-request-7")
    assert [s.status for s in named] == ["fail"]
    assert named[0].batch == "pull-request-7"
    assert named[0].window_start is None
    assert named[0].id is not None
    due = config.run(now=datetime(2026, 3, 5, tzinfo=UTC))
    assert [s.rows for s in due] == [500]


@pytest.mark.parametrize("lacking", ["current", "reference"])
def test_a_declared_column_may_be_gone_from_one_of_the_two(lacking: str) -> None:
    data = {"current": frame(1), "reference": frame(0)}
    data[lacking] = data[lacking].drop(columns="age")
    found = exporter.evaluate(
        data["current"],
        data["reference"],
        metrics=["data_drift"],
        columns={"numerical": ["age"], "categorical": ["plan"]},
    )
    reasons = {d.column: d.error or "" for d in found.drift}
    assert "no such column" in reasons["age"]
    assert reasons["plan"] == ""


def test_a_declared_column_that_is_gone_from_both_is_a_mistake() -> None:
    with pytest.raises(PlanError, match="did you mean 'age'"):
        exporter.evaluate(frame(), frame(1), metrics=["row_count"], columns={"numerical": ["agee"]})


def test_what_counts_as_missing_is_null_in_given_rows_and_stored_ones(
    tmp_path: Path, database: str
) -> None:
    data = frame(0).assign(at=pd.date_range(WINDOW[0], periods=500, freq="2min"))
    data.loc[:9, "age"], data.loc[10:12, "plan"] = -999, "n/a"
    data.to_parquet(tmp_path / "data.parquet")
    (tmp_path / "c.yaml").write_text(
        f"project: p\nstore: {database}\nmodels:\n  m:\n    source: {{path: data.parquet}}\n"
        "    columns: {time: at, numerical: [age], categorical: [plan]}\n"
        '    missing_values: ["n/a", -999]\n'
        "    evaluations: {e: {metrics: [missing_count, missing_count_by_kind, min]}}\n"
    )
    config = exporter.load(tmp_path / "c.yaml")
    found = config.run(data=data, batch="given") + config.run(now=datetime(2026, 3, 5, tzinfo=UTC))
    for snapshot in found:
        ours = {(r.metric, r.column, r.label): r.value for r in snapshot.metrics}
        assert (
            ours["missing_count_by_kind", "age", "-999"] == ours["missing_count", "age", ""] == 10
        )
        assert ours["missing_count_by_kind", "plan", "n/a"] == 3
        assert ours["min", "age", ""] > 0
    assert len(found) == 2


def test_what_counts_as_missing_is_given_for_batch_and_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    gaps = frame(0)
    gaps.loc[:99, "age"], gaps.loc[:49, "plan"] = -999, "n/a"
    gaps.to_parquet(tmp_path / "a.parquet")
    gaps.to_csv(tmp_path / "a.csv", index=False)
    missing = [None, -999, "n/a"]
    profiled = exporter.profile_reference(gaps, missing_values=missing)
    wanted = ["missing_count", {"min": {"columns": ["age"]}}, "missing_cell_kinds"]
    pairs = [(gaps, gaps), (tmp_path / "a.csv", tmp_path / "a.parquet"), (gaps, None)]
    for batch, reference in pairs:
        found = exporter.evaluate(batch, reference, metrics=wanted, missing_values=missing)
        told = {(row.metric, row.column): (row.value, row.reference) for row in found.metrics}
        there = None if reference is None else 1
        assert told["missing_count", "age"] == (100, there and 100)
        assert told["missing_count", "plan"] == (50, there and 50)
        assert told["min", "age"][0] > -999
        assert told["missing_cell_kinds", ""] == (2, there and 2)
    beside = exporter.evaluate(gaps, profiled, metrics=wanted)
    assert {row.value for row in beside.metrics if row.metric == "missing_count"} == {100, 50}


@pytest.mark.parametrize("given", ["n/a", [True], [["x"]], {"": 1}])
def test_what_cannot_count_as_missing_is_refused(given: Any) -> None:
    with pytest.raises(PlanError, match="missing_values: "):
        exporter.evaluate(frame(), metrics=["row_count"], missing_values=given)


def test_columns_that_only_the_batch_has_are_told_of_where_kinds_are_inferred() -> None:
    new = frame(1).assign(**{f"n{i}": 1.5 for i in range(6)}, skip=1, made=2)
    where = {"ignore": ["skip"], "id": "made"}
    with pytest.warns(UserWarning, match=r"no values of 'n0', 'n1', 'n2', 'n3', 'n4', …: not eval"):
        exporter.evaluate(new, frame(0).assign(made=3), metrics=["row_count"], columns=where)
    declared = {"numerical": ["age"], "categorical": ["plan"]}
    exporter.evaluate(new, frame(0), metrics=["row_count"], columns=declared)
    profiled = exporter.profile_reference(frame(0), columns=declared)
    assert exporter.evaluate(new, profiled, metrics=["row_count"]).rows == 500


def test_a_frame_may_hold_numbers_and_texts_that_arrow_does_not() -> None:
    hostile = pd.DataFrame(
        {
            "large": [2**70, None, 2**80] * 20,
            "larger": [10**400, None, 1] * 20,
            "text": ["\ud800", "a", None] * 20,
            "mixed": [True, 2.0, "a"] * 20,
        },
        dtype=object,
    )
    found = exporter.evaluate(hostile, metrics=["missing_ratio", "max", "category_count"])
    told = {(row.metric, row.column, row.label): row.value for row in found.metrics}
    assert told["max", "large", ""] == 2.0**80
    assert told["missing_ratio", "larger", ""] == pytest.approx(1 / 3)
    assert told["category_count", "text", "\ufffd"] == 20
    assert told["category_count", "mixed", "true"] == told["category_count", "mixed", "2"] == 20
    assert "\ufffd" in found.to_json()


@pytest.mark.parametrize(("one", "other"), [("csv", "parquet"), ("parquet", "csv"), ("csv", "csv")])
def test_categories_of_a_csv_are_of_no_other_type_than_those_of_a_parquet_file(
    one: str, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    codes = frame(0).assign(code=[1, 2, 3, 4, 5] * 100, open=[True, False] * 250)
    codes.to_parquet(tmp_path / "a.parquet")
    codes.assign(code=codes["code"].replace(5, -1)).to_csv(tmp_path / "a.csv", index=False)
    found = exporter.evaluate(
        tmp_path / f"a.{one}",
        tmp_path / f"a.{other}",
        metrics=["type_mismatches", "missing_count", "category_count"],
    )
    told = {(row.metric, row.column, row.label): row.value for row in found.metrics}
    assert told["type_mismatches", "", ""] == 0
    assert told["category_count", "code", "4"] == 100
    text = codes.assign(age="old")
    mistaken = exporter.evaluate(text, tmp_path / f"a.{other}", metrics=["type_mismatches"])
    assert mistaken.metrics[0].value == 1


TIMES = "window: expected two times"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"columns": ["age"]}, "columns: expected a mapping"),
        ({"columns": {"numerical": "age"}}, "'numerical' should be a list of column names"),
        ({"columns": {"numerical": ["age"], "categorical": ["age"]}}, "'age' is listed under num"),
        ({"columns": {"target": "age", "prediction": "age"}}, "both target and prediction"),
        ({"columns": {"threshold": "high"}}, "'threshold' should be a number from 0 to 1"),
        ({"columns": {"threshold": 7}}, "'threshold' should be a number from 0 to 1, not 7"),
        ({"columns": {"time": ["age"]}}, "'time' should be the name of one column"),
        ({"task": "regresion"}, "no task 'regresion'; did you mean 'regression'"),
        ({"task": "classification"}, "no task 'classification'; say binary or multiclass"),
        ({"min_rows": -1}, "min_rows: expected a whole number, at least 0, not -1"),
        ({"min_rows": "30"}, "min_rows: expected a whole number"),
        ({"tags": ["a"]}, "tags: expected a mapping"),
        ({"descriptors": ["text_length"]}, "descriptors: expected a mapping"),
        ({"ranking": ["a"]}, "ranking: expected a mapping"),
        ({"window": "2026-03-01"}, TIMES),
        ({"window": ("2026-03-01", "2026-03-02")}, TIMES),
        ({"window": 5}, TIMES),
    ],
)
def test_what_has_another_form_than_in_a_config_is_refused(given: Any, text: str) -> None:
    with pytest.raises(PlanError, match=text):
        exporter.evaluate(frame(), metrics=["row_count"], **given)


@pytest.mark.parametrize("data", [frame()["age"], {"a": [1.0], "b": [1.0, 2.0]}, [{"a": 1}], b"a"])
def test_what_holds_no_columns_is_no_data(data: Any) -> None:
    with pytest.raises(
        BatchError, match="is no data: give a pandas frame, an Arrow table or a path"
    ):
        exporter.evaluate(data, metrics=["row_count"])


def test_names_and_numbers_may_be_those_of_pandas_and_numpy() -> None:
    data = frame()
    numbers = data.select_dtypes("number").columns
    found = exporter.evaluate(
        data,
        columns={"numerical": numbers, "categorical": np.array(["plan"])},
        metrics=[{"mean": {"columns": numbers}}],
        tests=[{"row_count": {"gte": np.int64(500), "lte": np.float32(500)}}],
        tags={"version": 3, "final": True},
    )
    assert found.status == "success"
    assert found.tags == {"version": "3", "final": "true"}


def test_an_evaluation_of_nothing_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="nothing is asked for: give metrics"):
        exporter.evaluate(frame())
