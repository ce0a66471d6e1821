"""Alertmanager's file with one of the `receivers:` sections in the place of its own, and a server that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import requests
from alerts.servers import free_port, running

FOLDER = Path(__file__).parents[2] / "deploy" / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"
RECEIVERS = sorted((FOLDER / "receivers").glob("*.yml*"))


def with_receivers(section: str, folder: Path) -> Path:
    """The file that the container makes of the two, with the templates beside it."""
    head, _, _ = CONFIG.read_text("utf-8").partition("\nreceivers:\n")
    path = folder / "alertmanager.yml"
    path.write_text(f"{head}\n{section}", "utf-8")
    if not (folder / "templates").exists():
        (folder / "templates").symlink_to(FOLDER / "templates")
    return path


class Alertmanager(NamedTuple):
    """One that runs."""

    url: str

    def take(self, *alerts: Mapping[str, Any]) -> None:
        """Give it alerts as Prometheus does: labels, and annotations under `annotations`."""
        now = datetime.now(UTC).isoformat()
        body = [
            {
                "labels": {k: v for k, v in alert.items() if k != "annotations"},
                "annotations": alert.get("annotations", {}),
                "startsAt": now,
            }
            for alert in alerts
        ]
        requests.post(f"{self.url}/api/v2/alerts", json=body, timeout=10).raise_for_status()

    def silenced(self) -> dict[str, bool]:
        """Of each alert, by its label `id`, whether others keep it from being told."""
        found = requests.get(f"{self.url}/api/v2/alerts", timeout=10).json()
        return {alert["labels"]["id"]: bool(alert["status"]["inhibitedBy"]) for alert in found}


@contextmanager
def alertmanager(binary: str, config: Path, folder: Path) -> Iterator[Alertmanager]:
    """An Alertmanager on the loopback; ends with the test."""
    place = f"127.0.0.1:{free_port()}"
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={place}",
        "--cluster.listen-address=",
    ]
    with running(command, f"http://{place}/-/ready", folder):
        yield Alertmanager(f"http://{place}")
