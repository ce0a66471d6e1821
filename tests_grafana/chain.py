"""Grafana with everything it stands beside: a filled store, an exporter, Prometheus and Alertmanager.

Each has the files that a deployment mounts and the environment that `exporter stack` gives; only
addresses are this machine's, and Grafana's log is written as JSON so that its levels can be read.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from alerts.servers import free_port, running
from conftest import as_role
from grafana.filled import NOW, filled_store
from psycopg.conninfo import conninfo_to_dict

from exporter.stack import parts
from exporter.stack.database import READER, Database
from exporter.stack.grafana import Sources
from exporter.stack.settings import Grafana, Ports
from exporter.store import Store
from exporter.store.links import Links
from tests_grafana.hostile import PROJECT, write_hostile

PATIENCE = 60


@dataclass(frozen=True)
class Chain:
    """What runs, and where it is reached."""

    grafana: str
    exporter: str
    alertmanager: str
    store: str  # the URL, for the role of dashboards
    log: Path  # Grafana's
    password: str  # of Grafana's user `admin`
    ready: float = field(default_factory=time.monotonic)  # when Grafana answered first

    def get(self, path: str, *, admin: bool = False, **parameters: str) -> Any:
        """Grafana's answer to whoever looks, a Viewer, or to its administrator."""
        answer = requests.get(
            self.grafana + path,
            parameters,
            auth=("admin", self.password) if admin else None,
            timeout=PATIENCE,
        )
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def ask(self, *queries: Mapping[str, Any], span: tuple[int, int]) -> dict[str, Any]:
        """The results of one panel's queries by their refId, asked as a Viewer; milliseconds as *span*."""
        body = {"queries": queries, "from": str(span[0]), "to": str(span[1])}
        answer = requests.post(f"{self.grafana}/api/ds/query", json=body, timeout=PATIENCE)
        results = answer.json().get("results")
        assert results is not None, f"{answer.status_code} {answer.text[:300]}"
        return dict(results)

    def said(self) -> list[dict[str, Any]]:
        """The entries of Grafana's log so far; a line that is no entry is an error."""
        lines = self.log.read_text("utf-8").splitlines()
        return [
            json.loads(line) if line.startswith("{") else {"level": "error", "msg": line}
            for line in lines
            if line
        ]

    def rules(self) -> dict[str, dict[str, Any]]:
        """The alert rules as a Viewer sees them, by their title."""
        groups = self.get("/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """What Alertmanager has from Grafana of this name, silenced or not."""
        matcher = f'alertname="{name}"'
        answer = requests.get(
            f"{self.alertmanager}/api/v2/alerts", {"filter": matcher}, timeout=PATIENCE
        )
        return [alert for alert in answer.json() if "grafana_folder" in alert["labels"]]


@contextmanager
def chained(server: str, found: Grafana, folder: Path) -> Iterator[Chain]:
    """A chain that runs, over the fleet and a model with hostile names; it ends with the tests."""
    store = filled_store(server)
    config = write_hostile(folder / "hostile", store, NOW)
    ports = Ports(*(free_port() for _ in range(4)))
    exporter = parts.exporter(config, ports.exporter)
    _link(store, Links(exporter.address.rstrip("/"), f"http://127.0.0.1:{ports.grafana}"))
    place = {name: folder / name for name in ("exporter", "alertmanager", "prometheus", "grafana")}
    for one in place.values():
        one.mkdir()
    alertmanager = parts.alertmanager(
        _program("prometheus-alertmanager"), place["alertmanager"], ports.alertmanager
    )
    prometheus = parts.prometheus(_program("prometheus"), place["prometheus"], ports, alerting=True)
    reader = as_role(store, READER)
    sources = Sources(
        _database(reader), *(p.address.rstrip("/") for p in (prometheus, alertmanager))
    )
    grafana = parts.grafana(found, place["grafana"], ports.grafana, sources)
    with ExitStack() as stack:
        for part in (exporter, alertmanager, prometheus, grafana):
            stack.enter_context(started(part, place[part.name]))
        yield Chain(
            grafana=grafana.address.rstrip("/"),
            exporter=exporter.address.rstrip("/"),
            alertmanager=alertmanager.address.rstrip("/"),
            store=reader,
            log=place["grafana"] / "grafana.log",
            password=grafana.environment["GF_SECURITY_ADMIN_PASSWORD"],
        )


def _program(name: str) -> Path:
    found = shutil.which(name)
    assert found, f"{name} is not installed: apt-get install {name}"
    return Path(found)


@contextmanager
def started(part: parts.Part, folder: Path) -> Iterator[None]:
    own = {f"XDG_{name}_HOME": str(folder / name) for name in ("CACHE", "STATE")}
    said = {**own, **part.environment, "GF_LOG_CONSOLE_FORMAT": "json"}
    with running(part.command, part.ready, folder, **said):
        yield


def _database(reader: str) -> Database:
    given = {name: str(value) for name, value in conninfo_to_dict(reader).items()}
    return Database(
        reader, given["host"], given["port"], given["dbname"], "disable", given["password"]
    )


def _link(url: str, links: Links) -> None:
    with Store(url) as store:
        projects = {found.project for found in store.find(limit=10_000)}
        assert PROJECT in projects
        for project in projects:
            store.tell_links(project, links)
