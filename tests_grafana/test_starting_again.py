"""Grafana as it starts: again on its own data, and with the files that are there to choose from."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import requests
import yaml
from alerts.servers import free_port, until

from exporter.stack import parts
from exporter.stack.database import Database
from exporter.stack.grafana import Sources
from exporter.stack.settings import Grafana, shipped
from tests_grafana.chain import started

PROVISIONING = shipped("grafana_dashboards", "provisioning")
VALUES = {
    "EVALUATION_ALERT_MAIL": "ann@example.com",
    "EVALUATION_SLACK_URL": "http://127.0.0.1:1/x",
}
NOBODY = Database("", "127.0.0.1", "1", "evaluation", "disable", "none")
SILENT = "http://127.0.0.1:1"
MADE = '"finished to provision dashboards"'  # once a start


def ids_of_dashboards(address: str) -> dict[str, int]:
    """What Grafana calls its dashboards, by their uid: another id is another dashboard, which nobody has starred."""
    found = requests.get(f"{address}/api/search", {"type": "dash-db"}, timeout=30).json()
    return {one["uid"]: one["id"] for one in found}


def test_dashboards_outlive_a_restart(found: Grafana, tmp_path: Path) -> None:
    part = parts.grafana(found, tmp_path, free_port(), Sources(NOBODY, SILENT, SILENT))
    part = replace(part, environment={**part.environment, "GF_LOG_LEVEL": "info"})
    log = tmp_path / "grafana.log"
    seen = []
    for start in (1, 2):
        with started(part, tmp_path):
            until(lambda start=start: log.read_text("utf-8").count(MADE) == start)
            seen.append(ids_of_dashboards(part.address.rstrip("/")))
    assert seen[0] == seen[1]
    assert len(seen[0]) == 12
    said = log.read_text("utf-8")
    assert "duplicated provisioned resource" not in said
    assert "invalid suffix" not in said


@pytest.mark.parametrize(
    "files",
    [
        ["examples/contact-points-direct.yaml", "examples/rules-direct.yaml", "examples/templates.yaml"],
        ["alerting/contact-points.yaml", "alerting/rules.yaml", "examples/policies.yaml", "examples/mute-timings.yaml"],
    ],
    ids=["without an Alertmanager", "with policies"],
)  # fmt: skip
def test_it_starts_with_each_choice_of_alerting_files(
    found: Grafana, files: list[str], tmp_path: Path
) -> None:
    part = parts.grafana(found, tmp_path, free_port(), Sources(NOBODY, SILENT, SILENT))
    place = tmp_path / "chosen"
    (place / "alerting").mkdir(parents=True)
    for file in files:
        shutil.copy(PROVISIONING / file, place / "alerting")
    environment = {**part.environment, **VALUES, "GF_PATHS_PROVISIONING": str(place)}
    with started(replace(part, environment=environment), tmp_path):
        address = f"{part.address}api/v1/provisioning/contact-points"
        admin = ("admin", environment["GF_SECURITY_ADMIN_PASSWORD"])
        points = requests.get(address, auth=admin, timeout=30).json()
    assert {point["name"] for point in points} == {"evaluation-alertmanager"}


def test_names_that_are_orders_in_slack_arrive_as_names(found: Grafana, tmp_path: Path) -> None:
    part = parts.grafana(found, tmp_path, free_port(), Sources(NOBODY, SILENT, SILENT))
    given = yaml.safe_load((PROVISIONING / "examples" / "templates.yaml").read_text("utf-8"))
    said = {"summary": "shop / churn of <!channel> & x: 1 test fails.", "description": "<@U1>"}
    alert = {"labels": {"alertname": "A"}, "annotations": said, "status": "firing"}
    asked = {"name": "evaluation", "template": given["templates"][0]["template"], "alerts": [alert]}
    with started(part, tmp_path):
        address = f"{part.address}api/alertmanager/grafana/config/api/v1/templates/test"
        admin = ("admin", part.environment["GF_SECURITY_ADMIN_PASSWORD"])
        results = requests.post(address, json=asked, auth=admin, timeout=30).json()["results"]
    texts = {result["name"]: result["text"] for result in results}
    assert "*shop / churn of &lt;!channel&gt; &amp; x: 1 test fails.*" in texts["evaluation.slack"]
    assert "&lt;@U1&gt;" in texts["evaluation.slack"]
    assert said["summary"] in texts["evaluation.text"]
