"""`exporter alerts`: what fires and why, what fails in silence, and the way of a test alert."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cli.shop import Shop
from cli.test_first import command, loaded_by
from conftest import as_role
from store.samples import rows, snapshot

from exporter.alerts.trial import stations
from exporter.errors import ExporterError
from exporter.snapshot import Alert, CheckResult, DriftRow, Snapshot
from exporter.store import Store
from exporter.store.expected import Expected
from exporter.store.links import Links

HOUR = timedelta(hours=1)
FAILED = CheckResult(
    "few gaps", "missing_ratio", "temp", status="fail", value=1.0, upper=0.5, message="1, at most 0.5"
)  # fmt: skip
RARE = replace(FAILED, test="rare", alert=Alert("page", 2, 3))
MUTE = replace(FAILED, test="mute", alert=Alert("none"))
MILD = replace(FAILED, test="mild", critical=False)


def hourly(hours: int, *tests: CheckResult, **other: Any) -> Snapshot:
    """The window that ended so many hours ago, evaluated at its end."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    end = now - hours * HOUR
    made = snapshot(tests=tests, window_start=end - HOUR, window_end=end, computed_at=end)
    return replace(made, project="shop", **{"metrics": (), "drift": (), **other})


def fill(shop: Shop, *snapshots: Snapshot) -> None:
    with Store(shop.store) as store:
        for one in snapshots:
            store.write(one)


def said(shop: Shop, *arguments: object) -> str:
    result = shop.call("alerts", shop.config, *arguments)
    assert result.stderr == ""
    return result.stdout


def test_an_empty_store_says_what_fills_it(shop: Shop) -> None:
    assert said(shop) == "nothing is watched yet: `exporter run` fills the store\n"
    found = shop.json("alerts", shop.config)
    assert [alert["alert"] for alert in found["alerts"]] == ["EvaluationNoModels"]


def test_where_nothing_fails_there_are_no_alerts(shop: Shop) -> None:
    fill(shop, hourly(0, replace(FAILED, status="success")))
    assert said(shop) == "no alerts: 1 stream watched\n"
    assert shop.json("alerts", shop.config) == {"alerts": [], "quiet": [], "streams": 1}


def test_failing_tests_are_one_alert_for_each_evaluation_and_severity(shop: Shop) -> None:
    fill(shop, hourly(1, FAILED, MILD), hourly(0, FAILED, MILD, replace(FAILED, test="other")))
    lines = said(shop).splitlines()
    assert lines[0] == "2 alerts: 1 page, 1 warn"
    window = f"{hourly(0).window_start:%Y-%m-%d %H:%M} – "
    head = "EvaluationTestsFailing  shop / m / inputs / arm=champion, " + window
    assert lines[2].startswith(f"page  {head}")
    assert lines[2].endswith(": 2 tests fail")
    words = ["few", "gaps", "temp", "1,", "at", "most", "0.5", "2", "in", "a", "row", *since(1)]
    assert lines[4].split() == words
    assert lines[-6].startswith(f"warning  {head}")
    assert lines[-5] == "  is not sent while EvaluationTestsFailing fires"


def since(hours: int) -> list[str]:
    return f"{hourly(hours).window_start:%Y-%m-%d %H:%M}".split()


def test_tests_that_fail_again_and_again_are_told_together(shop: Shop) -> None:
    tests = (FAILED, replace(FAILED, test="other"))
    fill(shop, *(hourly(hours, *tests) for hours in (2, 1, 0)))
    lines = said(shop).splitlines()
    assert lines[0] == "3 alerts: 3 page"
    heads = [line for line in lines if line.startswith("page  ")]
    assert [head.rpartition(": ")[2] for head in heads] == [
        "2 tests fail",
        "2 tests failed up to 3 windows in a row",
    ]


def test_an_alert_leads_to_its_report_and_to_the_runbook(shop: Shop) -> None:
    fill(shop, hourly(0, FAILED))
    with Store(shop.store) as store:
        store.tell_links("shop", Links("https://e.example", ""))
    lines = said(shop).splitlines()
    assert "  report   https://e.example/snapshots/1" in lines
    assert "  runbook  https://e.example/runbook#evaluationtestsfailing" in lines


def test_what_the_config_has_and_never_was_is_told(shop: Shop) -> None:
    fill(shop, hourly(0, replace(FAILED, status="success")))
    with Store(shop.store) as store:
        store.tell_expected("shop", [Expected("m", "quality", 0, 0)])
    lines = said(shop).splitlines()
    assert lines[0] == "1 alert: 1 warn"
    assert lines[2].startswith("warning  EvaluationNeverRan  shop / m / quality: nothing was ever")
    assert lines[2].endswith("its first batch should have been there 1 minute ago")


def test_a_test_that_waits_for_more_failures_says_how_many_there_are(shop: Shop) -> None:
    fill(shop, hourly(1, FAILED), hourly(0, RARE, MUTE))
    text = said(shop)
    assert text.startswith("no alerts: 1 stream watched\n\n2 tests fail and tell nobody:\n")
    assert "1 failure so far, told after 2 of 3" in text
    assert "alert: false" in text


def test_of_several_windows_it_is_told_how_many_failed(shop: Shop) -> None:
    fill(
        shop, *(hourly(hours, RARE) for hours in (2, 1)), hourly(0, replace(RARE, status="success"))
    )
    assert "  rare  temp    1, at most 0.5  2 of the last 3" in said(shop)


def test_a_batch_that_is_late_silences_its_tests(shop: Shop) -> None:
    fill(shop, hourly(5, FAILED, metadata={"wait_seconds": 3600}))
    text = said(shop)
    assert "page  EvaluationTestsFailing" in text
    assert "is not sent while EvaluationBatchLate fires" in text
    assert "ago, 3 hours would be fine" in text
    assert shop.call("alerts", shop.config, "--gate").exit_code == 0


def test_figures_that_failed_are_named(shop: Shop) -> None:
    wrong = snapshot(drift=(DriftRow("gone", "numerical", "ks", error="column is gone"),))
    fill(shop, hourly(0, metrics=wrong.metrics, drift=wrong.drift))
    text = said(shop)
    assert "warning  EvaluationFiguresFailed" in text
    assert "2 figures could not be computed" in text
    assert "  mean of gone: column is gone" in text
    assert "  drift by ks of gone: column is gone" in text


def test_what_pages_comes_first_and_again_after_three_windows(shop: Shop) -> None:
    wrong = snapshot().metrics[2:]
    fill(shop, *(hourly(hours, FAILED, MILD, metrics=wrong) for hours in (2, 1, 0)))
    found = shop.json("alerts", shop.config)["alerts"]
    assert [(a["severity"], a["alert"], a["value"]) for a in found] == [
        ("page", "EvaluationTestsFailing", 1.0),
        ("page", "EvaluationTestFailingRepeatedly", 3.0),
        ("warning", "EvaluationTestsFailing", 1.0),
        ("warning", "EvaluationFiguresFailed", 1.0),
    ]
    assert [t["test"] for t in found[1]["tests"]] == ["few gaps"]
    assert found[0]["tests"][0]["since"] == hourly(2).window_start.isoformat()  # type: ignore[union-attr]


@pytest.mark.parametrize(("tests", "code"), [((FAILED,), 1), ((MILD,), 0), ((RARE,), 0), ((), 0)])
def test_the_gate_closes_where_anything_pages(
    shop: Shop, tests: tuple[CheckResult, ...], code: int
) -> None:
    fill(shop, hourly(0, *tests))
    assert shop.call("alerts", shop.config, "--gate").exit_code == code
    assert shop.call("alerts", shop.config).exit_code == 0


def test_a_model_or_a_project_is_chosen(shop: Shop) -> None:
    fill(shop, hourly(0, FAILED), replace(hourly(0, FAILED), model="n"))
    fill(shop, replace(hourly(0, FAILED), project="other"))
    assert len(shop.json("alerts", shop.config)["alerts"]) == 2
    assert len(shop.json("alerts", shop.config, "--model", "n")["alerts"]) == 1
    store = ("alerts", "--store", shop.store)
    assert len(shop.json(*store)["alerts"]) == 3
    assert len(shop.json(*store, "--project", "other")["alerts"]) == 1


def test_a_misspelt_model_suggests_the_nearest(shop: Shop) -> None:
    assert said(shop, "--model", "slaes") == (
        "nothing is watched that fits: there is no model 'slaes'; did you mean 'sales'?\n"
    )


def test_neither_pandas_nor_scipy_is_imported(shop: Shop) -> None:
    fill(shop, hourly(0, FAILED))
    assert not loaded_by(command("alerts", "--store", shop.store)) & {"pandas", "scipy"}


def test_a_test_alert_fires_for_ten_minutes_and_is_ended(shop: Shop) -> None:
    as_writer = ("alerts", "--store", as_role(shop.store, "evaluation_writer"), "--test")
    text = shop.call(*as_writer).stdout
    assert text.startswith("EvaluationTestAlert fires until ")
    assert "Expect it within two minutes" in text
    left = "select until - now() between '9 min' and '10 min' from grafana.test_alert"
    assert rows(shop.store, left) == [(True,)]
    assert "EvaluationTestAlert" in said(shop)
    assert shop.call(*as_writer, "--off").stdout == "the test alert has ended\n"
    assert shop.call(*as_writer, "--off").stdout == "there was no test alert\n"
    assert rows(shop.store, left) == []


@pytest.mark.parametrize("option", [(), ("--test",)])
def test_the_role_of_dashboards_is_told_who_may_ask(option: tuple[str, ...], shop: Shop) -> None:
    result = shop.call("alerts", "--store", as_role(shop.store, "grafana"), *option)
    assert result.exit_code == 4
    assert "(user grafana): permission denied" in result.stderr
    assert "commands are for the role evaluation_writer or the owner" in result.stderr
    assert "the role grafana only reads the views" in result.stderr


def test_what_belongs_to_a_test_alert_wants_it(shop: Shop) -> None:
    result = shop.call("alerts", shop.config, "--prometheus", "http://127.0.0.1:9090")
    assert result.exit_code == 2
    assert "--prometheus goes with --test" in result.stderr


@contextmanager
def answering(answers: dict[str, Any]) -> Iterator[str]:
    """The address of a server that gives these answers, by the path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.partition("?")[0])
            self.send_response(404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name there
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


QUERY, ALERTS, MANAGED = "/api/v1/query", "/api/v1/alerts", "/api/v2/alerts"
FIRES = {"labels": {"alertname": "EvaluationTestAlert"}, "state": "firing"}
HAS = {"receivers": [{"name": "pager"}], "status": {"state": "active"}}
ALL = {
    QUERY: {"data": {"result": [{"metric": {"instance": "127.0.0.1:9877"}}]}},
    ALERTS: {"data": {"alerts": [FIRES]}},
    MANAGED: [HAS],
}


def test_each_station_of_the_way_says_what_is_seen_there(shop: Shop) -> None:
    with answering(ALL) as place:
        result = shop.call(
            *("alerts", shop.config, "--test", "--prometheus", place, "--alertmanager", f"{place}/")
        )
    assert result.stdout.splitlines()[1:] == [
        "Prometheus sees it on /metrics: from 127.0.0.1:9877",
        "Prometheus fires it: firing",
        "Alertmanager has it: for pager",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({QUERY: {"data": {"result": []}}}, "sees it on /metrics. Does `exporter serve` run"),
        ({QUERY: None}, "(HTTP 404)"),
        ({QUERY: {}}, "(not its answer)"),
        ({ALERTS: {"data": {"alerts": []}}}, "Is EvaluationTestAlert on http"),
        ({ALERTS: {"data": {"alerts": [FIRES | {"state": "pending"}]}}}, "Prometheus fires it."),
        ({MANAGED: []}, "under `alerting:` of Prometheus"),
    ],
)
def test_a_station_that_it_does_not_reach_says_where_to_look(
    change: dict[str, Any], says: str
) -> None:
    with answering(ALL | change) as place:
        way = stations(place, place)
        with pytest.raises(ExporterError, match="not within 0 s") as caught:
            all(station.reached(0) for station in way)
    assert says in str(caught.value)


def test_a_server_that_is_not_there_is_told() -> None:
    (station,) = stations(None, "http://127.0.0.1:1")
    with pytest.raises(ExporterError, match="nobody listens there"):
        station.reached(0)


def test_an_alert_that_is_silenced_there_is_told() -> None:
    with answering({MANAGED: [HAS | {"status": {"state": "suppressed"}}]}) as place:
        (station,) = stations(None, place)
        assert station.reached(0) == "for pager, but silenced or inhibited there"
