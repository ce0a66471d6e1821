"""Every PromQL of the dashboards: parsed, and asked of a real Prometheus that scrapes two exporters."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser
import pytest
import uvicorn
from alerts import servers
from grafana.expansion import with_patterns
from grafana.shown import panels_of
from prometheus_client.parser import text_string_to_metric_families
from store.samples import NOW, snapshot

from exporter.grafana import DASHBOARDS, as_json
from exporter.metrics import CATALOGUE
from exporter.prometheus import FAMILIES, Exposition
from exporter.prometheus.families import family_of
from exporter.server import app
from exporter.server.snapshots import Pages
from exporter.snapshot import Alert, CheckResult
from exporter.store import Store
from exporter.store.latest import LatestReader
from exporter.store.reader import Reader

# What may stand on a dashboard's variables: everything that a pattern or a quoted text would take amiss.
PROJECT = r"""O'Brien "x" \ (a.b|c) $x [1]*+?^{2}"""
NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens: no page is asked for
# Gauges of ours that no panel reads, each with its reason.
DELIBERATELY_UNUSED = {
    "evaluation_first_batch_due_timestamp_seconds": "the alert EvaluationNeverRan asks; panels would ask grafana.never_evaluated",
    "evaluation_window_start_timestamp_seconds": "age and lateness are counted from the end",
    "evaluation_reference_rows": "the store's dashboards show it batch by batch",
    "evaluation_labelled_rows": "the store's dashboards show it batch by batch",
    "evaluation_stream_links": "addresses for the texts of alerts",
    "evaluation_exporter_test_alert": "for the alert that tries whether alerts arrive",
    "evaluation_test_alert": "for alert rules; panels show evaluation_alerting_tests, its sum",
    "evaluation_test_failed": "panels show the streak, which is 0 where the test has not failed",
    "evaluation_test_bound": "the store's dashboards draw bounds beside values",
    "evaluation_column_drift_detected": "panels show the severity, which is 1 and more then",
    "evaluation_column_drift_score": "panels show the severity, which is the same for all methods",
}


class Asked(NamedTuple):
    """A query of Prometheus, and the panel that asks it."""

    dashboard: str
    panel: Mapping[str, Any]
    target: Mapping[str, Any]

    @property
    def expression(self) -> str:
        """The query as it is asked, with the variables that Grafana puts in."""
        return self._with(PROJECT)

    @property
    def readable(self) -> str:
        """The same of a plain name: the parser, unlike Prometheus, unescapes what stands in backticks."""
        return self._with("p")

    def _with(self, project: str) -> str:
        query: str = self.target["expr"].replace("$__rate_interval", "1m")
        return with_patterns(query, {"project": project, "model": "m"})

    @property
    def labels(self) -> set[str]:
        """The labels that the panel names: in its legend, or as columns of its table."""
        legend = set(re.findall(r"\{\{(\w+)\}\}", self.target["legendFormat"]))
        fields = {o["matcher"]["options"] for o in self.panel["fieldConfig"]["overrides"]}
        columns = {f for f in fields if re.fullmatch("[a-z]+", f)}
        return legend | (columns if self.panel["type"] == "table" else set())


QUERIES = [
    Asked(dashboard.name, panel, target)
    for dashboard in DASHBOARDS
    for panel in panels_of(as_json(dashboard))
    for target in panel["targets"]
    if "expr" in target
]
every = pytest.mark.parametrize(
    "asked", QUERIES, ids=[f"{q.dashboard}-{q.panel['id']}{q.target['refId']}" for q in QUERIES]
)


def names_of(expression: str) -> set[str]:
    """The names of the series that a query reads."""
    found: set[str] = set()

    def look(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name or "")

    promql_parser.walk(promql_parser.parse(expression), look)
    return found


@pytest.fixture(scope="module")
def exposition(shared_database: str) -> Iterator[Exposition]:
    """What is shown of a store with a failing test, drift, a segment, and a figure that is missing."""
    alert = Alert("page", 1, 1)
    checks = (
        CheckResult("few gaps", "missing_ratio", "temp", status="fail", upper=0.05, alert=alert),
        CheckResult("row_count", "row_count", value=900.0, lower=1.0),
    )
    whole = replace(snapshot(tests=checks), project=PROJECT, metadata={"wait_seconds": 60.0})
    part = replace(snapshot(segment="origin=EWR", tests=checks), project=PROJECT)
    with closing(Store(shared_database)) as store:
        for one in (whole, part):
            store.write(one)
    with closing(LatestReader(lambda: shared_database)) as reader:
        shown = Exposition(reader)
        shown.refresh(NOW)
        yield shown


@pytest.fixture(scope="module")
def prometheus(
    exposition: Exposition,
    program: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A Prometheus that has scraped two exporters on one store, twice each."""
    folder = tmp_path_factory.mktemp("prometheus")
    with (
        serving(exposition) as one,
        serving(exposition) as other,
        scraping(program("prometheus"), folder, [one, other]) as url,
    ):
        servers.until(lambda: _scraped_twice(url))
        yield url


def _scraped_twice(prometheus: str) -> bool:
    counts = servers.asked(prometheus, "count_over_time(evaluation_store_up[1m])")
    return [float(count["value"][1]) >= 2 for count in counts] == [True, True]


@contextmanager
def serving(exposition: Exposition) -> Iterator[str]:
    """The address of an exporter that serves in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = app(exposition, Pages(Reader(NOWHERE)))
    settings = uvicorn.Config(served, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def scraping(binary: str, folder: Path, targets: list[str]) -> Iterator[str]:
    """The address of a Prometheus that scrapes these every second."""
    jobs = [{"job_name": "any name", "static_configs": [{"targets": targets}]}]
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    with servers.prometheus(binary, config) as url:
        yield url


@every
def test_a_query_can_be_parsed_without_a_server(asked: Asked) -> None:
    assert names_of(asked.readable)


@every
def test_a_query_names_no_job_or_instance(asked: Asked) -> None:
    assert not re.search(r"\b(job|instance)\s*=", asked.expression)


@every
def test_a_query_takes_variables_as_patterns_between_backticks(asked: Asked) -> None:
    expression = asked.target["expr"].replace("$__rate_interval", "")
    assert set(re.findall(r".{3}\$.\w+.*?\W", expression)) <= {"=~`${project:", "=~`${model:"}


@pytest.mark.server
@every
def test_a_query_is_answered_with_the_labels_that_the_panel_names(
    asked: Asked, prometheus: str
) -> None:
    found = servers.asked(prometheus, asked.expression)
    assert found
    assert all(series["value"][1] != "NaN" for series in found)
    labels = {label for series in found for label in series["metric"]}
    assert asked.labels <= labels
    assert not labels & {"instance", "job"}


@pytest.mark.server
@every
def test_a_query_counts_nothing_twice_where_two_exporters_show_one_store(
    asked: Asked, prometheus: str
) -> None:
    found = [
        tuple(sorted(series["metric"].items()))
        for series in servers.asked(prometheus, asked.expression)
    ]
    assert len(set(found)) == len(found)


@pytest.mark.server
def test_the_tests_of_two_exporters_on_one_store_are_counted_once(prometheus: str) -> None:
    panel = next(q for q in QUERIES if "evaluation_tests{" in q.expression)
    counted = {
        s["metric"]["status"]: s["value"][1] for s in servers.asked(prometheus, panel.expression)
    }
    assert counted == {"success": "2", "fail": "2", "warning": "0", "error": "0", "skipped": "0"}


def test_every_series_of_a_panel_is_one_that_there_is(exposition: Exposition) -> None:
    own = {family.name for family in FAMILIES} | {family_of(metric).name for metric in CATALOGUE}
    body = exposition.body().decode()
    shown = {s.name for f in text_string_to_metric_families(body) for s in f.samples}
    asked = {name for query in QUERIES for name in names_of(query.readable)}
    assert asked <= own | shown | {"up"}


def test_every_gauge_of_ours_is_on_a_panel_or_left_out_for_a_reason() -> None:
    asked = {name for query in QUERIES for name in names_of(query.readable)}
    ours = {family.name for family in FAMILIES}
    assert ours - asked == set(DELIBERATELY_UNUSED)
