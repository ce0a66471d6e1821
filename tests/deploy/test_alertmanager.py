"""Alertmanager's routes, what silences what, and what people read: by amtool, and by a server that runs."""

from __future__ import annotations

import email
import email.policy
import itertools
import json
import queue
import re
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from alerts.servers import PATIENCE
from deploy.routing import (
    CONFIG,
    FOLDER,
    RECEIVERS,
    Alertmanager,
    alertmanager,
    with_receivers,
)

from exporter.alerts import RULES
from exporter.alerts.grafana import FOLDER as GRAFANA_FOLDER
from exporter.alerts.inhibitions import INHIBITIONS, SAME, Inhibition

NAMES = ["page", "warning", "info", "platform", "platform-warning"]
MODEL = {"project": "shop", "model": "churn", "evaluation": "inputs", "stream": "region=eu"}
FAILING = {"alertname": "EvaluationTestsFailing", "component": "tests", **MODEL}
REPORT = "https://eval.example/snapshots/latest?project=shop&model=churn"
SAID = {
    "summary": "shop / churn, inputs: 2 tests fail.",
    "description": 'O\'Brien "x" & <y> of age (3 windows in a row); Most drifted: age (3.142)',
    "report_url": REPORT,
    "dashboard_url": "https://grafana.example/d/evaluation-model-overview?var-model=churn",
    "runbook_url": "https://eval.example/runbook#evaluationtestsfailing",
}


def amtool(binary: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What amtool says."""
    return subprocess.run(
        [binary, *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("section", RECEIVERS, ids=lambda path: path.name)
def test_amtool_finds_nothing_wrong_with_any_choice_of_receivers(
    section: Path, program: Callable[[str], str], tmp_path: Path
) -> None:
    path = with_receivers(section.read_text("utf-8"), tmp_path)
    done = amtool(program("amtool"), "check-config", path)
    assert done.returncode == 0, done.stderr
    assert "1 templates" in done.stdout


@pytest.mark.parametrize("section", RECEIVERS, ids=lambda path: path.name)
def test_every_choice_has_the_receivers_that_the_routes_name(section: Path) -> None:
    wanted = {r["name"] for r in yaml.safe_load(CONFIG.read_text("utf-8"))["receivers"]}
    given = yaml.safe_load(section.read_text("utf-8"))
    assert given.keys() == {"receivers"}
    assert [r["name"] for r in given["receivers"]] == NAMES
    assert wanted == {r["name"] for r in given["receivers"]}


def test_only_what_pages_wakes_somebody_through_pagerduty() -> None:
    section = (FOLDER / "receivers" / "pagerduty.yml.example").read_text("utf-8")
    receivers = yaml.safe_load(section)["receivers"]
    assert [r["name"] for r in receivers if "pagerduty_configs" in r] == ["page", "platform"]


def test_the_file_as_it_stands_sends_nothing_and_is_the_choice_none() -> None:
    shipped = yaml.safe_load(CONFIG.read_text("utf-8"))["receivers"]
    none = yaml.safe_load((FOLDER / "receivers" / "none.yml").read_text("utf-8"))["receivers"]
    assert shipped == none
    assert all(receiver.keys() == {"name"} for receiver in shipped)


def test_no_secret_stands_in_a_file() -> None:
    texts = [path.read_text("utf-8") for path in (CONFIG, *RECEIVERS)]
    for word in ("api_url:", "routing_key:", "service_key:", "auth_password:", "credentials:"):
        assert not any(word in text for text in texts), word


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"severity": "page"}, "page"),
        ({"severity": "warning"}, "warning"),
        ({"severity": "info"}, "info"),
        ({"severity": "page", "team": "risk"}, "page"),
        ({"severity": "warning", "team": "risk"}, "warning"),
        ({"severity": "info", "team": "risk"}, "info"),
        ({"severity": "page", "component": "exporter"}, "platform"),
        ({"severity": "warning", "component": "exporter", "team": "risk"}, "platform-warning"),
        ({"severity": "info", "component": "exporter", "alertname": "EvaluationTestAlert"}, "page"),
        ({"severity": "page", "alertname": "DatasourceError", "component": "exporter"}, "platform"),
        ({}, "warning"),
    ],
)
def test_an_alert_goes_where_its_labels_say(
    labels: dict[str, str], receiver: str, program: Callable[[str], str]
) -> None:
    given = [f"{name}={value}" for name, value in (FAILING | labels).items()]
    arguments = ["config", "routes", "test", f"--config.file={CONFIG}"]
    done = amtool(program("amtool"), *arguments, f"--verify.receivers={receiver}", *given)
    assert done.returncode == 0, done.stdout + done.stderr


def of_the_page(key: str) -> dict[str, Any]:
    """The YAML of docs/alerts.md that begins with this key."""
    page = (FOLDER.parents[1] / "docs" / "alerts.md").read_text("utf-8")
    (block,) = re.findall(rf"```yml\n({key}:.*?)```", page, re.DOTALL)
    found: dict[str, Any] = yaml.safe_load(block)
    return found


def routed(amtool_: str, config: Path, labels: dict[str, str]) -> str:
    """Where amtool says that an alert goes."""
    given = [f"{name}={value}" for name, value in labels.items()]
    done = amtool(amtool_, "config", "routes", "test", f"--config.file={config}", *given)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_under_another_tree_alerts_go_where_they_go_alone_and_others_go_on(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    shipped = yaml.safe_load(CONFIG.read_text("utf-8"))
    theirs = of_the_page("route")
    theirs["route"]["routes"][0]["routes"] = shipped["route"]["routes"]
    assert (
        theirs["route"]["routes"][0].items()
        >= {name: value for name, value in shipped["route"].items() if name != "routes"}.items()
    )
    theirs["inhibit_rules"] = shipped["inhibit_rules"]
    theirs["receivers"] = [*shipped["receivers"], {"name": "yours"}]
    path = tmp_path / "alertmanager.yml"
    path.write_text(json.dumps(theirs))
    binary = program("amtool")
    for rule in RULES:
        for severity in ("page", "warning", "info"):
            labels = {"alertname": rule.name, "component": rule.component, "severity": severity}
            assert routed(binary, path, labels) == routed(binary, CONFIG, labels)
    other = {"alertname": "KubePodCrashLooping", "severity": "page", "component": "exporter"}
    assert routed(binary, path, other) == "yours"


def test_a_mute_time_of_the_page_is_one_that_alertmanager_takes(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    given = of_the_page("time_intervals")
    given["receivers"] = yaml.safe_load(CONFIG.read_text("utf-8"))["receivers"]
    path = tmp_path / "alertmanager.yml"
    path.write_text(json.dumps(given))
    done = amtool(program("amtool"), "check-config", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_severity_and_component_of_the_rules_is_one_that_the_routes_know() -> None:
    assert {rule.severity for rule in RULES} == {"page", "warning", "info", ""}
    assert {rule.component for rule in RULES} == {"exporter", "freshness", "tests", "figures"}


@pytest.fixture(scope="module")
def quiet(
    program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alertmanager]:
    """An Alertmanager with the file as it is shipped."""
    folder = tmp_path_factory.mktemp("alertmanager")
    with alertmanager(program("prometheus-alertmanager"), CONFIG, folder) as found:
        yield found


_NUMBERS = itertools.count()


def told(quiet: Alertmanager, **alerts: dict[str, str]) -> dict[str, bool]:
    """Of each alert whether it is silenced by the others; every call is about a model of its own."""
    number = f"{next(_NUMBERS)}"
    of_model = [a | {"model": number} if "model" in a else a for a in alerts.values()]
    quiet.take(*(a | {"id": f"{number}-{i}"} for i, a in zip(alerts, of_model, strict=True)))
    found = _settled(quiet, number)
    return {name: found[f"{number}-{name}"] for name in alerts}


def _settled(quiet: Alertmanager, number: str) -> dict[str, bool]:
    """What is silenced once all that was taken has been looked at: which is done in its order, but later.

    A pair of alerts of yet another model goes last; when the one silences the other, all is done.
    """
    model = {"model": f"after {number}"}
    first, last = f"{number} first", f"{number} last"
    quiet.take(LATE | model | {"id": first}, PAGE | model | {"id": last})
    deadline = time.monotonic() + 10
    while not (found := quiet.silenced()).get(last):
        assert time.monotonic() < deadline, "nothing was silenced within ten seconds"
        time.sleep(0.02)
    return found


PAGE = FAILING | {"severity": "page"}
WARNING = FAILING | {"severity": "warning"}
LATE = MODEL | {
    "alertname": "EvaluationBatchLate",
    "component": "freshness",
    "severity": "warning",
}
DRIFT = MODEL | {"alertname": "EvaluationDriftHigh", "component": "figures", "severity": "info"}
GRAFANA = {"grafana_folder": GRAFANA_FOLDER}


def test_the_command_knows_the_same_inhibitions_of_a_stream() -> None:
    given = yaml.safe_load(CONFIG.read_text("utf-8"))["inhibit_rules"]
    found = [
        Inhibition(*(_matched(rule[f"{side}_matchers"]) for side in ("source", "target")))
        for rule in given
        if rule.get("equal") == list(SAME)
    ]
    assert found == list(INHIBITIONS)


def _matched(matchers: list[str]) -> dict[str, str]:
    """Labels and the expressions that they are to fit; `!=` is none of these."""
    found = [re.fullmatch(r'(\w+)=~?"([^"]*)"', matcher) for matcher in matchers]
    return {hit[1]: hit[2] for hit in found if hit}


@pytest.mark.server
@pytest.mark.parametrize(
    ("alerts", "silenced"),
    [
        ({"late": LATE, "page": PAGE, "warning": WARNING, "drift": DRIFT}, "page warning drift"),
        ({"late": LATE, "segment": PAGE | {"segment": "country=CH"}}, "segment"),
        ({"late": LATE, "other": PAGE | {"evaluation": "quality"}}, ""),
        ({"late": LATE, "sibling": PAGE | {"stream": "region=us"}}, ""),
        ({"page": PAGE, "sibling": WARNING | {"stream": "region=us"}}, ""),
        ({"page": PAGE, "warning": WARNING, "drift": DRIFT}, "warning drift"),
        ({"warning": WARNING, "drift": DRIFT}, ""),
        ({"ours": PAGE, "grafanas": PAGE | GRAFANA}, "grafanas"),
        ({"ours": PAGE, "grafanas": WARNING | GRAFANA | {"stream": "region=us"}}, ""),
        ({"grafanas": PAGE | GRAFANA}, ""),
    ],
)
def test_what_says_the_same_or_less_is_silenced(
    alerts: dict[str, dict[str, str]], silenced: str, quiet: Alertmanager
) -> None:
    found = told(quiet, **alerts)
    assert [name for name, is_silenced in found.items() if is_silenced] == silenced.split()


@pytest.mark.server
@pytest.mark.parametrize(
    ("name", "silenced"),
    [("EvaluationExporterDown", "page late stuck"), ("EvaluationStoreUnreachable", "page late grafanas stuck")],
)  # fmt: skip
def test_without_exporter_or_store_only_that_is_told(
    name: str, silenced: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    down = {"alertname": name, "component": "exporter", "severity": "page"}
    other = {"alertname": "KubePodCrashLooping", "severity": "page"}
    stuck = {"alertname": "EvaluationRefreshStuck", "component": "exporter", "severity": "warning"}
    trial = {"alertname": "EvaluationTestAlert", "component": "exporter", "severity": "info"}
    with alertmanager(program("prometheus-alertmanager"), CONFIG, tmp_path) as found:
        given = {
            "page": PAGE,
            "late": LATE,
            "grafanas": DRIFT | GRAFANA | {"evaluation": "x"},
            "other": other,
        }
        is_silenced = told(found, **given, down=down, stuck=stuck, trial=trial)
    assert {name for name, yes in is_silenced.items() if yes} == set(silenced.split())


@contextmanager
def listening(server: socketserver.TCPServer) -> Iterator[str]:
    """The server's address; it ends with the test."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def posted_to(received: queue.Queue[Any]) -> HTTPServer:
    """A server that takes JSON, as Slack and a webhook do."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Nothing: the test tells."""

    return HTTPServer(("127.0.0.1", 0), Taking)


def mailed_to(received: queue.Queue[Any]) -> socketserver.TCPServer:
    """A server that takes mail."""

    class Taking(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            for line in self.rfile:
                if line.upper().startswith(b"DATA"):
                    self.wfile.write(b"354 go on\r\n")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    received.put(email.message_from_bytes(text, policy=email.policy.default))
                last = line.upper().startswith(b"QUIT")
                self.wfile.write(b"221 bye\r\n" if last else b"250 ok\r\n")
                if last:
                    return

    return socketserver.TCPServer(("127.0.0.1", 0), Taking)


def sent(
    binary: str, folder: Path, section: str, received: queue.Queue[Any], *alerts: dict[str, Any]
) -> Any:
    """The first message that these alerts become; groups wait no time."""
    path = with_receivers(section, folder)
    path.write_text(path.read_text("utf-8").replace("group_wait: 30s", "group_wait: 0s"), "utf-8")
    with alertmanager(binary, path, folder) as found:
        found.take(*alerts)
        return received.get(timeout=PATIENCE)


@pytest.mark.server
def test_slack_is_told_what_fails_and_where_to_look(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    received: queue.Queue[Any] = queue.Queue()
    with listening(posted_to(received)) as place:
        (tmp_path / "url").write_text(f"http://{place}/hook")
        section = (FOLDER / "receivers" / "slack.yml.example").read_text("utf-8")
        section = section.replace("/etc/alertmanager/secrets/slack-url", str(tmp_path / "url"))
        alert = PAGE | {"team": "risk", "annotations": SAID}
        binary = program("prometheus-alertmanager")
        message = sent(binary, tmp_path, section, received, alert)
    (attachment,) = message["attachments"]
    assert message["channel"] == "#risk-alerts"
    assert attachment["title"] == "shop / churn: EvaluationTestsFailing"
    assert attachment["title_link"] == REPORT
    assert attachment["color"] == "danger"
    assert 'O\'Brien "x" &amp; &lt;y&gt; of age (3 windows in a row)' in attachment["text"]
    assert f"<{REPORT}|report>  <{SAID['dashboard_url']}|dashboard>  <{SAID['runbook_url']}|runbook>" in attachment["text"]  # fmt: skip


@pytest.mark.server
def test_a_mail_names_the_worst_columns_and_is_one_for_the_model(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    received: queue.Queue[Any] = queue.Queue()
    with listening(mailed_to(received)) as place:
        section = (FOLDER / "receivers" / "mailpit.yml").read_text("utf-8")
        section = section.replace("mailpit:1025", place)
        quality = PAGE | {
            "evaluation": "quality",
            "annotations": SAID | {"summary": "quality fails"},
        }
        alerts: list[dict[str, Any]] = [PAGE | {"annotations": SAID}, quality]
        message = sent(program("prometheus-alertmanager"), tmp_path, section, received, *alerts)
    plain = message.get_body(("plain",)).get_content()
    page = message.get_body(("html",)).get_content()
    assert message["Subject"] == "[2] shop / churn: EvaluationTestsFailing"
    assert message["To"] == "page@evaluation.test"
    assert 'O\'Brien "x" & <y> of age (3 windows in a row)' in plain
    assert "quality fails" in plain
    assert "&lt;y&gt; of age" in page
    assert f'<a href="{REPORT.replace("&", "&amp;")}">Report</a>' in page
    assert "Runbook</a>" in page


@pytest.mark.server
def test_a_webhook_has_labels_and_links(program: Callable[[str], str], tmp_path: Path) -> None:
    received: queue.Queue[Any] = queue.Queue()
    with listening(posted_to(received)) as place:
        (tmp_path / "token").write_text("secret")
        section = (FOLDER / "receivers" / "webhook.yml.example").read_text("utf-8")
        section = section.replace("alerts.example.com:8080", place)
        section = section.replace(
            "/etc/alertmanager/secrets/webhook-token", str(tmp_path / "token")
        )
        alert = WARNING | {"annotations": SAID}
        message = sent(program("prometheus-alertmanager"), tmp_path, section, received, alert)
    assert message["groupLabels"] == {"project": "shop", "model": "churn"}
    assert message["alerts"][0]["annotations"] == SAID
