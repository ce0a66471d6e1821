"""`exporter evaluate`: files without config or store."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli.shop import Shop

from exporter.snapshot import from_dict

CURRENT, OTHER = "data/03.parquet", "data/00.parquet"


def test_a_summary_is_shown_where_nothing_is_asked_for(files: Shop) -> None:
    result = files.call("evaluate", CURRENT)
    assert result.exit_code == 0
    assert result.stdout.startswith("60 rows; no tests\n")
    assert "missing_ratio" in result.stdout
    assert "drift" not in result.stdout


def test_what_counts_as_missing_is_a_list(files: Shop) -> None:
    pq.write_table(pa.table({"x": [-999.0, 1.5, 2.5]}), files.folder / "gaps.parquet")
    asked = ("evaluate", "gaps.parquet", "--metrics", "missing_count", "--missing-values")
    made = files.json(*asked, '["", -999]')
    assert [row["value"] for row in made["metrics"]] == [1]
    refused = files.call(*asked, "-999")
    assert (refused.exit_code, "expected a YAML list" in refused.stderr) == (2, True)


def test_ends_of_times_are_shown_as_times(files: Shop) -> None:
    ends = [datetime(2026, 3, 5, 7, 30, tzinfo=UTC), datetime(2026, 3, 5, 8, 0, 5, tzinfo=UTC)]
    pq.write_table(pa.table({"sent": ends}), files.folder / "times.parquet")
    result = files.call("evaluate", "times.parquet", "--metrics", "first,last")
    told = {line.split()[0]: line.split(maxsplit=2)[2] for line in result.stdout.splitlines()[3:]}
    assert told == {"first": "2026-03-05 07:30", "last": "2026-03-05 08:00:05"}


def test_drift_is_shown_beside_a_reference(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--reference", OTHER)
    assert "60 rows beside 60 of the reference" in result.stdout
    assert "drift of" in result.stdout


def test_quality_is_shown_of_a_model(files: Shop) -> None:
    model = ("--task", "regression", "--target", "y", "--prediction", "p")
    made = files.json("evaluate", CURRENT, *model)
    assert "rmse" in {row["metric"] for row in made["metrics"]}


def test_a_model_that_cannot_be_judged_is_warned_of(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--task", "regression", "--target", "y")
    assert result.exit_code == 0
    assert "no quality is shown without --target, and --prediction or" in result.stderr


def test_classes_and_their_probabilities_are_given_as_a_mapping(files: Shop) -> None:
    pets = pa.table({"pet": ["ape", "bat"] * 20, "pa": [0.7, 0.4] * 20, "pb": [0.3, 0.6] * 20})
    pq.write_table(pets, files.folder / "pets.parquet")
    model = ("--task", "multiclass", "--target", "pet", "--probability", "{ape: pa, bat: pb}")
    made = files.json("evaluate", "pets.parquet", *model)
    told = {(row["metric"], row["label"]): row["value"] for row in made["metrics"]}
    assert told["accuracy", ""] == told["recall_by_label", "bat"] == 1


def test_texts_are_described_where_their_preset_is_asked_for(files: Shop) -> None:
    texts = pa.table({"comment": [f"{'very ' * (i % 7)}good order {i}" for i in range(120)]})
    pq.write_table(texts, files.folder / "comments.parquet")
    made = files.json("evaluate", "comments.parquet", "--metrics", "text")
    told = {(row["metric"], row["column"]): row["value"] for row in made["metrics"]}
    assert told["max", "comment.word_count"] == 9
    (files.folder / "columns.yaml").write_text("{categorical: [comment]}")
    columns = ("--columns", "columns.yaml")
    refused = files.call("evaluate", "comments.parquet", "--metrics", "text", *columns)
    assert "the model has no text columns: list them under columns.text" in refused.stderr
    assert refused.exit_code == 2


def test_a_ranking_names_users_and_items_and_what_is_known_of_them(files: Shop) -> None:
    shown = pa.table({"who": ["a", "a", "b", "b"], "what": [1, 2, 1, 3], "score": [2, 1, 2, 1],
                      "clicked": [1, 0, 0, 1]})  # fmt: skip
    pq.write_table(shown, files.folder / "shown.parquet")
    model = ("--task", "ranking", "--user", "who", "--item", "what", "--target", "clicked")
    known = ("--ranking", "{train: {path: shown.parquet}}")
    made = files.json("evaluate", "shown.parquet", *model, "--prediction", "score", *known)
    told = {(row["metric"], row["column"]): row["value"] for row in made["metrics"]}
    assert told["mrr_at_k", ""] == 0.75
    assert told["average_popularity", ""] == 1.5
    refused = files.call("evaluate", "shown.parquet", *model, "--ranking", "rank")
    assert "expected {by: rank, train: {path: …}}" in refused.stderr


def test_probabilities_that_are_no_mapping_are_refused(files: Shop) -> None:
    model = ("--task", "multiclass", "--target", "pet", "--probability", "{ape: pa")
    result = files.call("evaluate", CURRENT, *model)
    assert result.exit_code == 2
    assert "expected {class: column, …}" in result.stderr


def test_a_failed_critical_test_exits_with_1(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--tests", "[{missing_ratio: {columns: [x], gt: 0}}]")
    assert result.exit_code == 1
    assert result.stdout.startswith("fail: 60 rows; tests: 1 fail\n")


def test_passed_tests_exit_with_0(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--tests", "row_count, column_count")
    assert result.exit_code == 0
    assert result.stdout.startswith("success: 60 rows; tests: 2 success\n")


def test_entries_may_be_a_yaml_list_with_options(files: Shop) -> None:
    made = files.json("evaluate", CURRENT, "--metrics", "[{quantile: {columns: [x], q: 0.9}}]")
    assert [(m["metric"], m["params"]) for m in made["metrics"]] == [("quantile", {"q": 0.9})]


def test_columns_may_come_from_a_file(files: Shop) -> None:
    (files.folder / "columns.yaml").write_text("numerical: [x]\ncategorical: [city]\n")
    made = files.json(
        "evaluate", CURRENT, "--columns", "columns.yaml", "--metrics", "missing_ratio"
    )
    assert [m["column"] for m in made["metrics"]] == ["x", "city"]


def test_json_is_pure_and_comes_back_as_the_snapshot(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--reference", OTHER, "--format", "json")
    assert result.stderr == ""
    made = json.loads(result.stdout)
    assert from_dict(made).as_dict() == made


def test_html_is_a_page(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--format", "html")
    assert result.stdout.lower().startswith("<!doctype html>")
    assert result.stdout.rstrip().endswith("</html>")


@pytest.mark.parametrize(
    ("name", "more", "begin"),
    [
        ("r.json", (), "{"),
        ("r.html", (), "<!"),
        ("r.html", ("--format", "json"), "{"),
        ("r", ("--format", "html"), "<!"),
    ],
)
def test_a_file_is_what_format_says_or_else_its_name(
    files: Shop, name: str, more: tuple[str, ...], begin: str
) -> None:
    result = files.call("evaluate", CURRENT, "-o", name, *more)
    assert result.stdout == ""
    assert result.stderr == f"done: wrote {name}\n"
    assert (files.folder / name).read_text().startswith(begin)


def test_a_table_is_not_written_to_a_file(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "-o", "r.txt", "--format", "table")
    assert result.exit_code == 2
    assert "--format json or html" in result.stderr


def test_figures_are_not_cut_off_where_nobody_looks(files: Shop) -> None:
    asked = ("--metrics", "data_summary", "--tests", "row_count")
    made = files.json("evaluate", CURRENT, *asked)
    table = files.call("evaluate", CURRENT, *asked).stdout.partition("metric ")[2]
    assert len(made["metrics"]) > 60
    assert len(table.splitlines()) == len(made["metrics"]) + 1


def test_a_time_column_that_is_not_there_is_told(files: Shop) -> None:
    result = files.call("evaluate", CURRENT, "--time", "att")
    assert result.exit_code == 0
    assert result.stderr == "warning: there is no column 'att'; did you mean 'at'?\n"
