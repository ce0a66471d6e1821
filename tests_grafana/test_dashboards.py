"""Grafana has every dashboard as its file, and every query of it answered for somebody who only looks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
import pytest
from grafana.expansion import Values, asked, expanded
from grafana.filled import SPAN
from grafana.shown import choices, panels_of

from exporter.grafana import DASHBOARDS
from tests_grafana.asking import (
    FILES,
    Json,
    chosen,
    columns_of,
    milliseconds,
    notices,
    query_of,
    variable_target,
)
from tests_grafana.chain import Chain
from tests_grafana.hostile import COLUMN, MODEL, PROJECT
from tests_grafana.outcome import Outcome

HOSTILE = {"project": PROJECT, "model": MODEL, "column": COLUMN}
every = pytest.mark.parametrize("name", sorted(FILES))


def test_the_files_are_all_dashboards() -> None:
    assert sorted(FILES) == sorted(dashboard.name for dashboard in DASHBOARDS)


def test_the_folder_holds_the_dashboards_and_nothing_else(chain: Chain, outcome: Outcome) -> None:
    found = chain.get("/api/search", type="dash-db", limit="100")
    assert {d["uid"] for d in found} == {f"evaluation-{name}" for name in FILES}
    assert {(d["folderUid"], d["folderTitle"]) for d in found} == {("evaluation", "Evaluation")}
    outcome.version = chain.get("/api/health")["version"]
    outcome.dashboards = len(found)


@every
def test_a_dashboard_comes_back_as_its_file(chain: Chain, name: str) -> None:
    found = chain.get(f"/api/dashboards/uid/evaluation-{name}")
    given = {k: v for k, v in found["dashboard"].items() if k not in ("id", "version")}
    assert given == FILES[name]
    assert given["schemaVersion"] == 41
    assert found["meta"]["provisioned"]


@dataclass
class Opening:
    """A dashboard whose variables are chosen."""

    chain: Chain
    connection: psycopg.Connection
    name: str
    values: Mapping[str, str | list[str]]
    outcome: Outcome

    def asks(self, kind: str, title: str, *targets: Json, values: Values | None = None) -> None:
        """All queries of one request have answers without an error, with the rows that we would give."""
        queries = [query_of(target, values or self.values) for target in targets]
        begun = time.perf_counter()
        results = self.chain.ask(*queries, span=milliseconds(SPAN))
        self.outcome.timed(time.perf_counter() - begun, f"{self.name}, {title}")
        self.outcome.count(self.name, kind, len(queries))
        assert results.keys() == {query["refId"] for query in queries}
        for query in queries:
            result = results[query["refId"]]
            told = f"{title}, {query['refId']}, {self.values}"
            assert result["status"] == 200, f"{told}: {result}"
            assert "error" not in result, f"{told}: {result['error']}"
            assert not [n for f in result["frames"] for n in notices(f)], told
            if "rawSql" in query and query["format"] == "table":
                self._agrees(query, result, told)

    def _agrees(self, query: Json, result: Json, told: str) -> None:
        """Columns and number of rows are those of the suite's own expansion."""
        ours = asked(self.connection, expanded(query["rawSql"], *SPAN), "table")
        found = columns_of(result)
        # of no rows Grafana makes no columns
        assert list(found) == (list(ours.names) if ours.rows else []), told
        assert {len(column) for column in found.values()} <= {len(ours.rows)}, told


def openings(
    connection: psycopg.Connection, dashboard: Json
) -> Iterator[Mapping[str, str | list[str]]]:
    """The values of variables: as it opens at first, as an address may say, and of each model where one is shown."""
    yield choices(connection, dashboard, SPAN, {})
    many = {v["name"]: bool(v.get("multi")) for v in dashboard["templating"]["list"]}
    said = {n: [v] if many.get(n) else v for n, v in HOSTILE.items()}
    yield choices(connection, dashboard, SPAN, said, forced=True)
    if many.get("model") is False:
        rows = connection.execute("select distinct project, model from grafana.streams order by 1")
        for project, model in rows.fetchall():
            yield choices(connection, dashboard, SPAN, {"project": project, "model": model})


@every
def test_every_query_is_answered_as_the_suite_expands_it(
    chain: Chain, outcome: Outcome, name: str
) -> None:
    dashboard = FILES[name]
    with psycopg.connect(chain.store, autocommit=True) as connection:
        for values in openings(connection, dashboard):
            opening = Opening(chain, connection, name, values, outcome)
            outcome.count(name, "openings", 1)
            for variable in dashboard["templating"]["list"]:
                if variable["type"] == "query":
                    opening.asks("variables", variable["name"], variable_target(variable))
            for annotation in dashboard["annotations"]["list"]:
                if "target" in annotation:
                    opening.asks("events", annotation["name"], annotation["target"])
            for panel in panels_of(dashboard):
                for one in chosen(panel, values):
                    if panel["targets"]:
                        opening.asks("panels", panel["title"], *panel["targets"], values=one)
