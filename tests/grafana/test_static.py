"""Dashboards of one model: fixed to it, a panel for each column, every query answered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg
import pytest
from conftest import as_role
from grafana.expansion import asked, expanded
from grafana.shown import panels_of
from grafana.test_lint import JSON
from store.samples import DAY, FIRST, snapshot

from exporter.cli import main
from exporter.grafana.static import static_dashboards
from exporter.store import Store

NAME = "O'Brien & co"


@pytest.fixture
def files() -> dict[str, str]:
    return static_dashboards("p", NAME, ["temp", "it's $odd"])


def test_there_are_those_that_are_about_one_model(files: dict[str, str]) -> None:
    assert {"model-overview.json", "data-drift.json", "column.json"} <= set(files)
    assert not {"fleet-overview.json", "exporter-health.json"} & set(files)


def test_uids_are_their_own_short_and_the_same_each_time(files: dict[str, str]) -> None:
    uids = [json.loads(text)["uid"] for text in files.values()]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid) for uid in uids)
    assert not set(uids) & {d["uid"] for d in JSON.values()}
    assert files == static_dashboards("p", NAME, ["temp", "it's $odd"])
    assert files != static_dashboards("q", NAME, ["temp", "it's $odd"])


def test_links_stay_among_the_model_s_dashboards(files: dict[str, str]) -> None:
    uids = {json.loads(text)["uid"] for text in files.values()}
    shared = {d["uid"] for d in JSON.values()}
    for text in files.values():
        for uid in re.findall(r'"url": "/d/([^?"]+)', text):
            assert uid in uids or (
                uid in shared and f"{uid.removeprefix('evaluation-')}.json" not in files
            )


def test_each_column_has_a_panel_of_its_own(files: dict[str, str]) -> None:
    drift = json.loads(files["data-drift.json"])
    assert not any("repeat" in p for p in panels_of(drift))
    titles = [p["title"] for p in panels_of(drift)]
    assert titles.count("temp") == titles.count("it's $$odd") >= 1
    ids = [p["id"] for p in panels_of(drift)]
    assert len(set(ids)) == len(ids)


def test_every_query_is_answered_with_nothing_left_to_choose_but_the_rest(
    database: str, tmp_path: Path
) -> None:
    with Store(database) as store:
        store.write(snapshot(NAME))
    with pytest.raises(SystemExit) as ended:
        main(["generate", "--store", database, "--model", NAME, "--out", str(tmp_path)])
    assert ended.value.code == 0
    values = {
        "evaluation": "inputs",
        "segment": "whole batch",
        "stream": "arm=champion",
        "column": "temp",
        "metric": "missing_ratio",
        "test": "few gaps",
    }
    with psycopg.connect(as_role(database, "grafana"), autocommit=True) as connection:
        shown = 0
        for path in tmp_path.glob("*.json"):
            dashboard = json.loads(path.read_text("utf-8"))
            constants = {
                v["name"]: v["query"]
                for v in dashboard["templating"]["list"]
                if v["type"] == "constant"
            }
            assert constants == {"project": "p", "model": NAME}
            for panel in panels_of(dashboard):
                for target in panel["targets"]:
                    query = _chosen(target["rawSql"], {**values, **constants})
                    shown += bool(
                        asked(connection, expanded(query, FIRST, FIRST + 2 * DAY), "table").rows
                    )
    assert shown > 30


def _chosen(query: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+):sqlstring\}", lambda m: _quoted(values.get(m[1], "x")), query)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nobody"], "no figures of a model 'nobody'"),
        (["--project", "p"], "go with --model"),
        (["--model", "m", "--check"], "--check is for"),
    ],
)
def test_what_cannot_be_made_is_told(
    database: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["generate", "--store", database, "--out", str(tmp_path), *arguments])
    assert ended.value.code
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
