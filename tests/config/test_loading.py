"""What a config file may hold, and what is told of one that is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from config.samples import (
    COLUMNS,
    INPUTS,
    MODEL,
    SOUND,
    changed,
    load,
    mistakes,
    place_of,
    warnings,
    without,
    written,
)

from exporter.config import (
    Columns,
    Config,
    Evaluation,
    Files,
    Folder,
    FromColumn,
    Gauges,
    Items,
    Labels,
    Links,
    Model,
    Previous,
    Ranking,
    Retention,
    Rolling,
    Segment,
    Shared,
    Time,
    load_config,
)  # fmt: skip
from exporter.errors import ConfigError

DEFAULTS = ("defaults",)
ACCEPTED: list[tuple[tuple[str, ...], Any]] = [
    (("timezone",), "America/New_York"),
    (("store",), "embedded"),
    (("store",), "postgresql://reader@db.example.com:5432/evaluations?sslmode=require"),
    (("store",), "postgres:///evaluations"),
    (("snapshots",), {"path": "snapshots/"}),
    (("retention",), {"metrics": "2y", "distributions": "90d"}),
    (("retention",), {"distributions": "1.5mo"}),
    (("links",), {"exporter": "https://ml.example.com/exporter", "grafana": "http://localhost:3000"}),
    (("links",), {}),
    (("automatic_tests",), "evidently"),
    (("plugins",), ["my_company.checks"]),
    (("prometheus",), {"max_series": 20000, "forget": "30d", "segments": "all"}),
    (("defaults", "batch"), "1h"),
    (("defaults", "wait"), "2h"),
    (("defaults", "wait"), 0),
    (("defaults", "reference"), {"rolling": "28d", "lag": "7d"}),
    (("defaults", "min_rows"), 0),
    (("defaults", "evaluations"), {"more": {"metrics": ["row_count"]}}),
    ((*MODEL, "model"), "shared name"),
    ((*MODEL, "task"), "none"),
    ((*MODEL, "tags"), {"arm": "champion", "version": {"column": "model_version"}, "n1": 3}),
    ((*MODEL, "source"), {"path": "orders/", "format": "csv"}),
    ((*MODEL, "missing_values"), [None, "", "n/a", -999, 1.5]),
    ((*MODEL, "labels"), {"path": "labels-*.csv.gz", "delay": "7d", "mature_at": 0.9}),
    ((*MODEL, "segments"), {"country": {"min_rows": 200, "max": 20, "evaluations": ["inputs"]}}),
    ((*MODEL, "segments"), {"country": {}}),
    ((*MODEL, "batch"), "1mo"),
    ((*MODEL, "reference"), {"path": "january.parquet", "format": "parquet"}),
    ((*MODEL, "reference"), {"previous": 1}),
    ((*MODEL, "automatic_tests"), "directional"),
    ((*COLUMNS, "text"), ["comment"]),
    ((*COLUMNS, "embeddings"), {"image": ["e1", "e2"]}),
    ((*COLUMNS, "time"), {"column": "ordered_at", "timezone": "UTC"}),
    ((*COLUMNS, "threshold"), 0.3),
    ((*COLUMNS, "datetime"), ["signed_up"]),
    ((*COLUMNS, "ignore"), ["row_number"]),
    ((*INPUTS, "requires"), "target"),
    ((*INPUTS, "requires"), "prediction"),
    ((*INPUTS, "reference"), {"path": "training.parquet"}),
    ((*INPUTS, "tests"), ["data_stability", {"missing_ratio": {"columns": ["age"], "lte": 0.05}}]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), ACCEPTED, ids=lambda x: str(x)[:40])
def test_a_key_of_the_format_is_accepted(path: tuple[str, ...], value: Any, tmp_path: Path) -> None:
    assert mistakes(tmp_path, changed(path, value)) == []


def test_a_classification_names_probability_and_positive_class(tmp_path: Path) -> None:
    given = {
        "time": "t",
        "target": "y",
        "probability": {"no": "p0", "yes": "p1"},
        "positive": "yes",
    }
    data = changed(COLUMNS, given, changed((*MODEL, "task"), "binary"))
    assert mistakes(tmp_path, data) == []


REFUSED: list[tuple[tuple[str, ...], Any, str]] = [
    ((*MODEL, "source"), {"sql": "select 1", "url": "postgresql://h/d"}, "'sql' is not built yet: read files, with `path`"),
    ((*MODEL, "reference"), {"sql": "select 1", "url": "postgresql://h/d"}, "'sql' is not built yet: read files, with `path`"),
    ((*INPUTS, "reference"), {"sql": "select 1", "url": "postgresql://h/d"}, "'sql' is not built yet: read files, with `path`"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "text"), REFUSED, ids=lambda x: str(x)[:40])
def test_a_key_whose_feature_is_to_come_is_refused_with_the_reason(
    path: tuple[str, ...], value: Any, text: str, tmp_path: Path
) -> None:
    data = changed(path, value)
    key = "sql" if "sql" in value else path[-1]
    assert mistakes(tmp_path, data) == [f"{place_of(written(data), key)}: {text}"]


def test_the_preset_of_texts_is_refused_where_there_are_none(tmp_path: Path) -> None:
    config = changed((*INPUTS, "metrics"), ["text"])
    assert mistakes(tmp_path, config) == [
        "19:11: the model has no text columns: list them under columns.text"
    ]


FORMS: list[tuple[tuple[str, ...], type, dict[str, Any]]] = [
    ((), Config, SOUND),
    (DEFAULTS, Shared, {"batch": "1d"}),
    (MODEL, Model, SOUND["models"]["returns"]),
    ((*MODEL, "source"), Files, {"path": "a.parquet"}),
    ((*MODEL, "reference"), Rolling, {"rolling": "28d"}),
    ((*DEFAULTS, "reference"), Previous, {"previous": 1}),
    ((*INPUTS, "reference"), Files, {"path": "a.parquet"}),
    (COLUMNS, Columns, SOUND["models"]["returns"]["columns"]),
    ((*COLUMNS, "time"), Time, {"column": "ordered_at"}),
    ((*MODEL, "labels"), Labels, {"path": "labels.parquet"}),
    ((*MODEL, "ranking"), Ranking, {"by": "score"}),
    ((*MODEL, "ranking", "train"), Files, {"path": "train.parquet"}),
    ((*MODEL, "ranking", "items"), Items, {"path": "items.parquet"}),
    ((*MODEL, "tags", "arm"), FromColumn, {"column": "arm"}),
    ((*MODEL, "segments", "country"), Segment, {"max": 5}),
    (INPUTS, Evaluation, {"metrics": ["data_summary"]}),
    ((*DEFAULTS, "evaluations", "more"), Evaluation, {"metrics": ["data_summary"]}),
    (("snapshots",), Folder, {"path": "snapshots"}),
    (("retention",), Retention, {"metrics": "2y"}),
    (("links",), Links, {"grafana": "https://grafana.example.com"}),
    (("prometheus",), Gauges, {"forget": "30d"}),
]


@pytest.mark.parametrize(("path", "form", "given"), FORMS, ids=lambda x: str(x)[:50])
def test_a_misspelt_key_is_told_with_its_place_and_the_nearest_name(
    path: tuple[str, ...], form: Any, given: dict[str, Any], tmp_path: Path
) -> None:
    for name in form.model_fields:
        data = changed(path, {**given, f"{name}ss": 1})
        place = place_of(written(data), f"{name}ss")
        (told,) = mistakes(tmp_path, data)
        assert told == f"{place}: there is no key {name + 'ss'!r} here; did you mean {name!r}?"


@pytest.mark.parametrize(("path", "form", "given"), FORMS, ids=lambda x: str(x)[:50])
def test_a_value_of_a_wrong_type_is_told_with_its_place(
    path: tuple[str, ...], form: Any, given: dict[str, Any], tmp_path: Path
) -> None:
    for name in form.model_fields:
        data = changed(path, {**given, name: {"what": {"is": ["this"]}}})
        text = written(data)
        lines = [int(told.split(":")[0]) for told in mistakes(tmp_path, text)]
        around = text[: text.index("what:")].count("\n") + 1
        assert set(lines) & {around - 1, around, around + 1}, (name, lines, text)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("project",), None, "expected text, found nothing"),
        (("project",), "", "expected text, found nothing"),
        (("project",), 7, "expected text: put it in quotes"),
        (("timezone",), "Europe/Berln", "there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
        (("timezone",), "../etc/passwd", "there is no time zone '../etc/passwd'"),
        (("store",), "embeded", "expected embedded, postgresql://…, !env NAME or !file PATH; did you mean 'embedded'?"),
        (("store",), "mysql://user:hunter2@h/d", "expected embedded, postgresql://…, !env NAME or !file PATH"),
        (("stream_tags",), ["le"], "tag 'le' is a label of its own in Prometheus: choose another name"),
        (("automatic_tests",), "evidenly", "expected 'directional' or 'evidently'; did you mean 'evidently'?"),
        (("prometheus",), {"max_series": 99}, "expected at least 100"),
        (("prometheus",), {"max_series": 100.5}, "expected a whole number"),
        (("prometheus",), {"segments": "test"}, "expected 'tests', 'all' or 'none'; did you mean 'tests'?"),
        (("retention",), {"metrics": "2 years"}, "expected a duration such as 30m, 2h, 7d, 4w, 1mo or 2y"),
        (("retention",), {"metrics": "0d"}, "expected a duration above zero"),
        (("retention",), {"metrics": "1001y"}, "expected a duration of at most 1000y"),
        (("retention",), {"metrics": "30d", "distributions": "60d"}, "distributions go with their snapshot: keep them no longer than `metrics`"),
        (("links",), {"exporter": "ml.example.com"}, "expected an address such as https://host.example, http or https only"),
        (("links",), {"exporter": "javascript:alert(1)"}, "expected an address such as https://host.example, http or https only"),
        (("links",), {"grafana": "https://grafana.example.com/?orgId=1"}, "expected an address such as https://host.example, http or https only"),
        (("links",), {"grafana": "https://grafana.example.com\n"}, "expected an address such as https://host.example, http or https only"),
        (("links",), {"grafana": "https://example:hunter2@grafana.example.com"}, "an address that everybody is shown holds no user and no password"),
        (("links",), {"grafana": "http://127.0.0.1:99999"}, "expected a port below 65536, as in http://127.0.0.1:9877"),
        (("models",), {}, "expected at least one entry"),
        (("models",), ["returns"], "expected a mapping"),
        ((*MODEL, "task"), "regresion", "expected 'regression', 'binary', 'multiclass', 'ranking' or 'none'; did you mean 'regression'?"),
        ((*MODEL, "batch"), "2d", "expected '1h', '1d', '1w' or '1mo'"),
        ((*MODEL, "min_rows"), -1, "expected at least 0"),
        ((*MODEL, "wait"), True, "expected a duration such as 30m, 2h, 7d, 4w, 1mo or 2y"),
        ((*MODEL, "source"), {"pth": "a"}, "expected one of {path: …}, {sql: …}; did you mean 'path'?"),
        ((*MODEL, "source"), {"path": "a", "sql": "b"}, "'path' and 'sql' exclude each other"),
        ((*MODEL, "source"), "orders.parquet", "expected one of {path: …}, {sql: …}"),
        ((*MODEL, "reference"), {"rolling": "28d", "previous": 1}, "'rolling' and 'previous' exclude each other"),
        ((*MODEL, "tags"), {"9a": 1}, "a tag is a label in Prometheus: letters, digits and '_' only, no digit first"),
        ((*MODEL, "tags"), {"__a": 1}, "labels that begin with '__' are Prometheus' own: choose another name"),
        ((*MODEL, "tags"), {"a": ["b"]}, "expected text, a number, true or false, found a list"),
        ((*MODEL, "labels"), {"path": "l.csv", "mature_at": 1.5}, "expected at most 1"),
        ((*MODEL, "missing_values"), [True], "expected text, a number or null"),
        ((*COLUMNS, "numerical"), "age", "expected a list"),
        ((*COLUMNS, "numerical"), [1], "expected text: put it in quotes"),
        ((*COLUMNS, "threshold"), float("nan"), "expected at most 1"),
        ((*COLUMNS, "probability"), 5, "expected a column's name, or {class: column}"),
        ((*INPUTS, "requires"), "targt", "expected 'target' or 'prediction'; did you mean 'target'?"),
        ((*INPUTS, "metrics"), "data_summary", "expected a list"),
    ],
    ids=lambda x: str(x)[:40],
)  # fmt: skip
def test_a_wrong_value_is_told_in_plain_words(
    path: tuple[str, ...], value: Any, text: str, tmp_path: Path
) -> None:
    (told,) = mistakes(tmp_path, changed(path, value))
    assert told.split(": ", 1)[1] == text
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("project",), "1:1: 'project' is missing"),
        (("models",), "1:1: 'models' is missing"),
        ((*MODEL, "source"), "3:3: model 'returns' has no source, and neither have the defaults"),
        ((*MODEL, "evaluations"), "3:3: model 'returns' has no evaluations"),
        ((*COLUMNS, "time"), "3:3: model 'returns' needs columns.time: windows are cut by it"),
        ((*COLUMNS, "prediction"), "4:5: a regression model needs columns.prediction"),
        ((*INPUTS, "metrics"), "17:7: evaluation 'inputs' has neither metrics nor tests"),
    ],
    ids=str,
)
def test_what_is_missing_is_told_where_it_belongs(
    path: tuple[str, ...], text: str, tmp_path: Path
) -> None:
    assert mistakes(tmp_path, without(path)) == [text]


def test_all_mistakes_of_a_file_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = """\
projekt: shop
timezone: Mars/Olympus
models:
  returns:
    task: regression
    source: {path: 5}
    batch: 3d
    columns: {time: t, numerical: [age], colour: red}
    colums: {}
    evaluations:
      inputs:
        metrics: [data_sumary, {quantile: {q: high}}]
        tests: [{missing_ratio: {columns: [agee], lte: much}}]
  other: 5
"""
    told = mistakes(tmp_path, text)
    places = [tuple(map(int, line.split(":")[:2])) for line in told]
    assert places == sorted(places)
    lines = {line for line, _ in places}
    assert {1, 2, 6, 7, 8, 9, 12, 14} <= lines, told
    assert len(told) == len(set(told))


def test_a_mistake_of_form_does_not_hide_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    data = changed((*MODEL, "batch"), "3d", changed((*INPUTS, "tests"), ["nonsense"]))
    told = mistakes(tmp_path, data)
    assert [line.split(": ", 1)[1].split(" 'n")[0] for line in told] == [
        "there is no metric or preset",
        "expected '1h', '1d', '1w' or '1mo'",
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*MODEL, "reference"), {"rolling": 28}),
        ((*MODEL, "source"), {"path": 5}),
        ((*INPUTS, "reference"), {"previous": 0}),
        ((*COLUMNS, "time"), {"column": 5}),
        ((*MODEL, "labels"), {"path": 5}),
        ((*MODEL, "tags"), {"version": {"column": 5}}),
    ],
    ids=str,
)
def test_a_wrong_value_does_not_make_what_holds_it_wrong_as_well(
    path: tuple[str, ...], value: Any, tmp_path: Path
) -> None:
    assert len(mistakes(tmp_path, changed(path, value))) == 1


def test_a_mistake_in_the_defaults_is_told_once_there(tmp_path: Path) -> None:
    data = changed(("defaults", "evaluations"), {"more": {"metrics": ["nonsense"]}})
    data = changed(("models", "second"), {**SOUND["models"]["returns"], "model": "second"}, data)
    assert len(mistakes(tmp_path, data)) == 1


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "\ufeff"])
def test_an_empty_file_says_how_to_begin(text: str, tmp_path: Path) -> None:
    assert mistakes(tmp_path, text) == ["1:1: the file is empty: `exporter init` writes one"]


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "5\n", "---"])
def test_a_file_that_is_no_mapping_says_what_is_expected(text: str, tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, text)
    assert told.split(": ", 1)[1] == "expected a mapping with `project:` and `models:`"


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, b"\xef\xbb\xbf" + written(SOUND).encode()) == []


def test_windows_line_ends_are_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, written(SOUND).replace("\n", "\r\n").encode()) == []


def test_a_file_that_is_not_utf8_is_told_with_the_place(tmp_path: Path) -> None:
    data = b"project: shop\nmodels: {caf\xe9: {}}\n"
    assert mistakes(tmp_path, data) == ["2:13: this is not UTF-8: save the file as UTF-8"]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, b"# " + b"x" * 4_000_000)
    assert told == "1:1: more than 4,000,000 bytes: this is no config"


@pytest.mark.parametrize("make", ["missing", "folder"])
def test_a_file_that_cannot_be_read_is_told_in_one_line(make: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    if make == "folder":
        path.mkdir()
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_names_of_any_text_are_kept_as_they_are(tmp_path: Path) -> None:
    name = "a \"b\" 'c'; drop table — é 🐘 \\ {x}"
    data = changed(("models", name), {**SOUND["models"]["returns"], "columns": {
        "time": name, "numerical": [name + "1"], "target": "amount", "prediction": "said"}})  # fmt: skip
    columns = load(tmp_path, data).models[name].columns
    assert columns is not None
    assert columns.numerical == [name + "1"]


def test_a_nul_character_is_refused(tmp_path: Path) -> None:
    (told,) = mistakes(tmp_path, 'project: "a\\0b"\n' + written(without(("project",))))
    assert told == "1:1: a NUL character cannot be stored: take it out"


def test_plugins_are_imported_only_when_asked_for(tmp_path: Path) -> None:
    data = changed(("plugins",), ["a_module_that_is_not_there"])
    assert mistakes(tmp_path, data) == []
    (told,) = mistakes(tmp_path, data, plugins=True)
    assert "cannot be imported: ModuleNotFoundError" in told
    assert "PYTHONPATH" in told


def test_a_metric_that_a_plugin_may_bring_is_only_warned_of(tmp_path: Path) -> None:
    data = changed((*INPUTS, "metrics"), ["of_a_plugin"], changed(("plugins",), ["somewhere"]))
    assert "unless a plugin brings it: --plugins" in warnings(tmp_path, data)[0]
    assert "somewhere" not in sys.modules


def test_reading_a_config_imports_none_of_the_heavy_packages(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(written(SOUND), "utf-8")
    script = (
        "import sys; from pathlib import Path; from exporter.config import load_config; "
        "load_config(Path('shop.yaml')); "
        "print([m for m in ('pandas', 'scipy', 'pyarrow', 'psycopg', 'starlette', 'rich') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_addresses_of_links_have_no_slash_at_their_end(tmp_path: Path) -> None:
    links = load(
        tmp_path, changed(("links",), {"grafana": "https://example.com/grafana/"})
    ).config.links
    assert links == Links(exporter=None, grafana="https://example.com/grafana")
