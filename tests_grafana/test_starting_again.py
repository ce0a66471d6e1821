"""A Grafana that is started again on its own data: nothing is made anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import requests
from alerts.servers import free_port, until

from exporter.stack import parts
from exporter.stack.database import Database
from exporter.stack.grafana import Sources
from exporter.stack.settings import Grafana
from tests_grafana.chain import started

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
