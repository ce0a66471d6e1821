"""A whole chain on the loopback: store, exporter, Prometheus, Alertmanager, and somebody who is told.

Prometheus and Alertmanager have the files that are shipped, with other addresses and shorter waits.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import requests
import yaml
from alerts.servers import Webhook, free_port, prometheus, running, until, webhook
from deploy.routing import Alertmanager, alertmanager

from exporter.store import migrate
from exporter.store.embedded import EmbeddedPostgres

DEPLOY = Path(__file__).parents[2] / "deploy"
HOUR = timedelta(hours=1)
TOKEN = "of-the-chain"
CONFIG = """\
project: shop
store: {store}
stream_tags: [arm]
links: {{exporter: "http://127.0.0.1:{port}", grafana: "https://grafana.example"}}
defaults:
  batch: 1h
  tags: {{arm: champion}}
  reference: {{rolling: 3h}}
  columns: {{time: at, numerical: [age, income]}}
  evaluations:
    inputs:
      metrics: [data_drift]
      tests:
        - missing_ratio: {{columns: [age, income], lte: 0.05}}
        - row_count: {{gt: 1000, critical: false}}
models:
  churn: {{source: {{path: "churn/*.parquet"}}}}
  loans: {{source: {{path: "loans/*.parquet"}}}}
  returns: {{source: {{path: "returns/*.parquet"}}}}
"""


def rows_of(start: datetime, *, bad: bool) -> pd.DataFrame:
    """An hour of rows; of a bad one most ages are missing, and incomes are far off."""
    rng = np.random.default_rng(start.hour)
    age = rng.normal(40, 10, 60)
    income = rng.normal(9 if bad else 0, 1, 60)
    if bad:
        age[:40] = np.nan
    at = [start + timedelta(minutes=minute) for minute in range(60)]
    return pd.DataFrame({"at": at, "age": age, "income": income})


@dataclass
class Chain:
    """What runs, and where it is reached."""

    folder: Path
    port: int  # of the exporter
    database: EmbeddedPostgres
    told: Webhook
    begun: datetime  # the test's own now: an hour may end while it runs
    alertmanager: Alertmanager = field(init=False)
    prometheus: str = field(init=False)
    exporter: subprocess.Popen[bytes] = field(init=False)

    @property
    def config(self) -> Path:
        return self.folder / "shop.yaml"

    @property
    def environment(self) -> dict[str, str]:
        """Of the program's own processes: folders of the user's, and the token."""
        places = {f"XDG_{name}_HOME": str(self.folder / name) for name in ("CACHE", "STATE")}
        return {**places, "EXPORTER_TOKEN": TOKEN}

    def hour(self, number: int) -> datetime:
        """The start of the window that ended so many full hours before the test began."""
        return self.begun.replace(minute=0, second=0, microsecond=0) - (number + 1) * HOUR

    def write(self, model: str, number: int, *, bad: bool = False) -> None:
        """A file of rows of that hour, in the place of the one that is there."""
        start = self.hour(number)
        (self.folder / model).mkdir(exist_ok=True)
        path = self.folder / model / f"{start:%Y%m%d-%H}.parquet"
        rows_of(start, bad=bad).to_parquet(path, index=False)

    def call(self, *arguments: object) -> str:
        """What `exporter …` says, in a process of its own."""
        given = [str(argument) for argument in arguments]
        command = [sys.executable, "-m", "exporter", given[0], str(self.config), *given[1:]]
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, address: str) -> requests.Response:
        """A page of the exporter's, as somebody who knows the token."""
        return requests.get(address, auth=("any", TOKEN), timeout=30)

    def message(self, status: str, **labels: str) -> dict[str, Any]:
        """The first message about an alert with this status and these labels, once it has come."""
        return until(lambda: next(iter(self.messages(status, **labels)), {}))

    def messages(self, status: str, **labels: str) -> list[dict[str, Any]]:
        """All such, oldest first; each with the receiver that it came to."""
        found = [
            {"receiver": message["path"].strip("/"), **alert}
            for message in list(self.told.messages)
            for alert in message["alerts"]
        ]
        return [a for a in found if a["status"] == status and labels.items() <= a["labels"].items()]

    def fires(self, **labels: str) -> bool:
        """Whether Prometheus fires such an alert."""
        found = requests.get(f"{self.prometheus}/api/v1/alerts", timeout=30).json()["data"]
        return any(
            alert["state"] == "firing" and labels.items() <= alert["labels"].items()
            for alert in found["alerts"]
        )

    def states(self, **labels: str) -> set[str]:
        """How Alertmanager has such alerts: `active`, or `suppressed` where another silences them."""
        found = requests.get(f"{self.alertmanager.url}/api/v2/alerts", timeout=30).json()
        return {
            alert["status"]["state"] for alert in found if labels.items() <= alert["labels"].items()
        }

    @contextmanager
    def exporting(self) -> Iterator[None]:
        """The exporter, serving."""
        command = [sys.executable, "-m", "exporter", "serve", self.config, "--port", self.port]
        ready = f"http://127.0.0.1:{self.port}/-/ready"
        with running(command, ready, self.folder, **self.environment) as self.exporter:
            yield

    def kill_exporter(self) -> None:
        """At once, as a machine that falls."""
        self.exporter.kill()
        self.exporter.wait()

    def kill_database(self) -> None:
        """The server and all that it started, at once."""
        number = (self.database.root / "data" / "postmaster.pid").read_text().splitlines()[0]
        os.kill(int(number), signal.SIGQUIT)


@contextmanager
def chained(
    folder: Path, program: Callable[[str], str], *, begin: Callable[[Chain], None]
) -> Iterator[Chain]:
    """A chain that runs; `begin` is called before anybody looks at the store."""
    with ExitStack() as stack:
        database = EmbeddedPostgres(folder / "store", {"fsync": "off"})
        stack.enter_context(database)
        migrate(database.url)
        told = stack.enter_context(webhook())
        chain = Chain(folder, free_port(), database, told, datetime.now(UTC))
        chain.config.write_text(CONFIG.format(store=database.url, port=chain.port))
        begin(chain)
        manager = _alertmanager_files(folder, chain.told.address)
        chain.alertmanager = stack.enter_context(
            alertmanager(program("prometheus-alertmanager"), manager, manager.parent)
        )
        stack.enter_context(chain.exporting())
        place = chain.alertmanager.url.removeprefix("http://")
        scraper = _prometheus_files(folder, f"127.0.0.1:{chain.port}", place)
        chain.prometheus = stack.enter_context(prometheus(program("prometheus"), scraper))
        yield chain


def _alertmanager_files(folder: Path, address: str) -> Path:
    """The shipped routes and inhibitions; every receiver is a path of one webhook."""
    given = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text("utf-8"))
    given["route"] = _hurried(given["route"])
    given["receivers"] = [
        {"name": r["name"], "webhook_configs": [{"url": f"{address}/{r['name']}"}]}
        for r in given["receivers"]
    ]
    place = folder / "alertmanager"
    place.mkdir()
    (place / "templates").symlink_to(DEPLOY / "alertmanager" / "templates")
    path = place / "alertmanager.yml"
    path.write_text(json.dumps(given))
    return path


def _hurried(route: Mapping[str, Any]) -> dict[str, Any]:
    """The same route, that waits a second where it would wait for minutes."""
    shorter = {name: "1s" for name in ("group_wait", "group_interval") if name in route}
    routes = [_hurried(child) for child in route.get("routes", ())]
    return {**route, **shorter, "routes": routes}


def _prometheus_files(folder: Path, exporter: str, alertmanager: str) -> Path:
    """The shipped configuration and rules, asked every second."""
    place = folder / "prometheus"
    (place / "rules").mkdir(parents=True)
    (place / "token").write_text(TOKEN)
    given = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    given["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    given["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    job = given["scrape_configs"][0]
    job["static_configs"][0]["targets"] = [exporter]
    job["authorization"]["credentials_file"] = str(place / "token")
    given["scrape_configs"] = [job]
    for file in (DEPLOY / "prometheus" / "rules").glob("*.yml"):
        rules = yaml.safe_load(file.read_text("utf-8"))
        for group in rules["groups"]:
            group["rules"] = [_at_once(rule) for rule in group["rules"]]
        (place / "rules" / file.name).write_text(json.dumps(rules))
    path = place / "prometheus.yml"
    path.write_text(json.dumps(given))
    return path


def _at_once(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What holds for one or five minutes before it is told holds for a second."""
    return {**rule, "for": "1s"} if rule.get("for") in ("1m", "5m") else dict(rule)
