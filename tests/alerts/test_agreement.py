"""One store, three who are asked what fires: Prometheus, Grafana's SQL, and `exporter alerts`. They say the same."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alerts.servers import asked, free_port, prometheus, running, until
from conftest import as_role
from psycopg.rows import dict_row
from store.samples import rows

from exporter.alerts import RULES, Rule
from exporter.alerts.standing import state_of
from exporter.snapshot import Alert, CheckResult, MetricRow, Snapshot
from exporter.store import Store
from exporter.store.connection import connect
from exporter.store.expected import Expected

HOUR = timedelta(hours=1)
PROJECT = 'O\'Brien "x"'
FAILED = CheckResult("gaps", "missing_ratio", "temp", status="fail", value=1.0, upper=0.5)
TESTS = (
    FAILED,
    replace(FAILED, column="city"),
    replace(FAILED, test="mild", critical=False),
    replace(FAILED, test="rare", alert=Alert("page", 2, 3)),
    replace(FAILED, test="mute", alert=Alert("none")),
    replace(FAILED, test="told", alert=Alert("info", 3, 3)),
    replace(FAILED, test="fine", status="success"),
)
# What stands beside its own past wants a past: Prometheus has none yet.
BOTH = [rule for rule in RULES if rule.sql and rule.component != "figures"]
RULE_FILE = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules" / "evaluation.yml"
CONFIG = """\
project: any
store: {store}
models:
  m: {{source: {{path: "*.parquet"}}, columns: {{time: at, numerical: [temp]}},
      evaluations: {{inputs: {{metrics: [row_count]}}}}}}
"""


def window(model: str, hours: int, *tests: CheckResult, **other: Any) -> Snapshot:
    """The hour that ended so long ago, evaluated now or then."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - hours * HOUR
    made = Snapshot(
        rows=9,
        project=PROJECT,
        model=model,
        evaluation="inputs",
        tags={"arm": "a"},
        stream_tags=("arm",),
        tests=tests,
        window_start=end - HOUR,
        window_end=end,
        computed_at=end,
        metadata={"wait_seconds": 1800},
    )
    return replace(made, **other)


def fill(url: str) -> None:
    """Streams in every state that a rule knows."""
    with Store(url) as store:
        for hours in (3, 2, 1):
            store.write(window("fresh", hours, *TESTS))
            store.write(window("fresh", hours, *TESTS[:3], segment="city=Rome"))
            store.write(window("fresh", hours, *TESTS[:3], tags={"arm": "b"}))
            store.write(window("well", hours, replace(FAILED, status="success")))
        store.write(window("once", 1, *TESTS))
        store.write(window("late", 30, *TESTS))
        store.write(window("gone", 24 * 40, *TESTS))
        old = window("both", 24 * 40, *TESTS)
        store.write(replace(old, evaluation="gone"))
        store.write(window("both", 1, FAILED))
        store.write(window("named", 1, FAILED, window_start=None, window_end=None, batch="x"))
        figures = tuple(MetricRow("mean", column, error="it is gone") for column in "ab")
        store.write(window("broken", 1, metrics=figures))
        store.ask_for_test_alert(HOUR)
        store.tell_expected(PROJECT, [Expected("never", "inputs", 0.0, 0.0)])
        store.tell_expected("another", [Expected("soon", "inputs", 3600.0, 0.0)])


@pytest.fixture(scope="module")
def place(
    shared_database: str,
    program: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A Prometheus that has scraped an exporter on the store."""
    fill(shared_database)
    folder = tmp_path_factory.mktemp("agreement")
    config = folder / "any.yaml"
    config.write_text(CONFIG.format(store=shared_database))
    port = free_port()
    command = [sys.executable, "-m", "exporter", "serve", config, "--port", port]
    scraper = folder / "prometheus.yml"
    job = {"job_name": "x", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
    often = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    given = {"global": often, "scrape_configs": [job], "rule_files": [str(RULE_FILE)]}
    scraper.write_text(json.dumps(given))
    with (
        running(command, f"http://127.0.0.1:{port}/-/ready", folder),
        prometheus(program("prometheus"), scraper) as found,
    ):
        until(lambda: asked(found, "stream:evaluation_alerting_tests:kept"))
        yield found


def by_prometheus(place: str, rule: Rule) -> list[Instance]:
    return sorted(instance(s["metric"] | rule.labels) for s in asked(place, rule.promql))


def by_grafana(url: str, rule: Rule) -> list[Instance]:
    with psycopg.connect(as_role(url, "grafana"), row_factory=dict_row) as connection:
        return sorted(instance(row) for row in connection.execute(rule.sql.encode()).fetchall())


def by_command(url: str, rule: Rule) -> list[Instance]:
    with connect(url) as connection:
        found = [alert for alert in state_of(connection).alerts if alert.rule == rule]
    own = {} if rule.severity else {"severity": True}
    return sorted(instance({**a.labels, **dict.fromkeys(own, a.severity)}) for a in found)


Instance = tuple[str, ...]
LABELS = ("project", "model", "evaluation", "segment", "severity", "test", "column")


def instance(labels: Mapping[str, Any]) -> Instance:
    """What an alert is about, with stream tags as one text wherever it comes from."""
    stream = labels.get("stream") or (f"arm={labels['arm']}" if "arm" in labels else "")
    return (*(str(labels.get(name, "")) for name in LABELS), str(stream))


@pytest.mark.server
@pytest.mark.parametrize("rule", BOTH, ids=[rule.name for rule in BOTH])
def test_prometheus_grafana_and_the_command_say_the_same(
    place: str, shared_database: str, rule: Rule
) -> None:
    told = by_grafana(shared_database, rule)
    assert by_prometheus(place, rule) == told
    assert by_command(shared_database, rule) == told
    assert bool(told) == (rule.name != "EvaluationNoModels")


@pytest.mark.server
def test_as_many_tests_alert_on_metrics_as_the_view_has(place: str, shared_database: str) -> None:
    """Those of streams that are heard: one that is silent for a month is not on /metrics."""
    (shown,) = asked(place, "sum(evaluation_alerting_tests)")
    query = (
        "select count(*) from grafana.alerting_tests where computed_at > now() - interval '30 days'"
    )
    assert [(int(shown["value"][1]),)] == rows(shared_database, query)
    (each,) = asked(place, "sum(evaluation_test_alert)")
    assert each["value"][1] == shown["value"][1]
