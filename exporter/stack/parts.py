"""The programs of a stack: what each is called with, where it answers, and when it is ready.

A further one is a function here and a line in `Stack`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from exporter.stack.grafana import Sources, environment_of
from exporter.stack.settings import Grafana, Ports, shipped

EXPORTER_TOKEN = "EXPORTER_TOKEN"  # noqa: S105  the variable's name


@dataclass(frozen=True, slots=True)
class Part:
    """A program, and how to see that it works."""

    name: str
    command: Sequence[str]
    address: str  # for people
    ready: str  # answers 200 when it is
    what: str  # is found there
    environment: Mapping[str, str] = field(default_factory=dict)


def exporter(config: Path, port: int) -> Part:
    """`exporter serve` as a user would start it."""
    address = f"http://127.0.0.1:{port}/"
    return Part(
        "exporter",
        [sys.executable, "-P", "-m", "exporter", "serve", str(config), "--port", str(port)],
        address,
        f"{address}-/ready",
        "reports, and gauges on /metrics",
    )


def alertmanager(program: Path, folder: Path, port: int) -> Part:
    """Alertmanager with the very file of the deployment, whose receivers send nobody anything."""
    address = f"http://127.0.0.1:{port}/"
    return Part(
        "alertmanager",
        [
            str(program),
            f"--config.file={shipped('deploy', 'alertmanager', 'alertmanager.yml')}",
            f"--storage.path={folder / 'data'}",
            "--data.retention=192h",  # as in a deployment: longer than the longest repeat_interval
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.external-url={address}",
            "--cluster.listen-address=",  # there is one: no port for others of its kind
            "--log.level=warn",
        ],
        address,
        f"{address}-/ready",
        "alerts by route, and silences; nobody is sent anything",
    )


def prometheus(program: Path, folder: Path, ports: Ports, *, alerting: bool) -> Part:
    """Prometheus with a copy of the deployment's file that has the addresses of this stack."""
    address = f"http://127.0.0.1:{ports.prometheus}/"
    config = folder / "prometheus.yml"
    config.write_text(prometheus_config(ports, folder, alerting=alerting), "utf-8")
    return Part(
        "prometheus",
        [
            str(program),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{ports.prometheus}",
            f"--web.external-url={address}",  # alerts lead to where they come from
            "--log.level=warn",
        ],
        address,
        f"{address}-/ready",
        "gauges over time, and alerts",
    )


def grafana(found: Grafana, folder: Path, port: int, sources: Sources) -> Part:
    """Grafana with the deployment's data sources and dashboards, and its rules where an Alertmanager is."""
    address = f"http://127.0.0.1:{port}/"
    return Part(
        "grafana",
        [str(found.program), "server", "--homepath", str(found.home)],
        address,
        f"{address}api/health",
        "dashboards; nobody needs to log in to look",
        environment_of(folder, port, sources),
    )


def prometheus_config(ports: Ports, folder: Path, *, alerting: bool) -> str:
    """The deployment's file with the addresses of this machine; a token of the exporter's is put in *folder*."""
    source = shipped("deploy", "prometheus", "prometheus.yml")
    given: dict[str, Any] = yaml.safe_load(source.read_text("utf-8"))
    given["rule_files"] = [str(source.parent / pattern) for pattern in given.get("rule_files", ())]
    if alerting:
        (manager,) = given["alerting"]["alertmanagers"]
        manager["static_configs"] = [{"targets": [f"127.0.0.1:{ports.alertmanager}"]}]
    else:
        del given["alerting"]
    targets = {"evaluation-exporter": ports.exporter, "prometheus": ports.prometheus}
    for job in given["scrape_configs"]:
        job["static_configs"] = [{"targets": [f"127.0.0.1:{targets[job['job_name']]}"]}]
        if "authorization" in job:
            job.pop("authorization")
            if token := os.environ.get(EXPORTER_TOKEN, "").strip():
                job["authorization"] = {"credentials_file": str(_kept(folder / "token", token))}
    return yaml.safe_dump(given, sort_keys=False)


def _kept(file: Path, secret: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(secret)
    return file
