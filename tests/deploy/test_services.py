"""Every service's command with the files that are mounted for it, outside Docker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from alerts.servers import PATIENCE, answers, free_port, until
from conftest import open_folder
from deploy.composed import ROOT, SERVICES, defaults, environment, mounts, put_in

from exporter.store.binaries import find_binaries
from exporter.store.embedded import EmbeddedPostgres

SECRETS = {name: value or f"the-{name.lower()}" for name, value in defaults().items()}
SECRETS |= {"EVALUATION_OWNER_PASSWORD": "o'1 $HOME @:/", "EXPORTER_TOKEN": 'a $TOKEN `x` "y"'}
SECRETS |= {"EVALUATION_WRITER_PASSWORD": "of-the-tests", "EVALUATION_READER_PASSWORD": "of-the-tests"}  # fmt: skip


def here(text: str, name: str, folder: Path) -> str:
    """The text with the container's paths as they are here: mounts of the checkout, the rest in *folder*."""
    for source, target, _ in sorted(mounts(SERVICES[name]), key=lambda mount: -len(mount[1])):
        place = ROOT / source if source.startswith(".") else folder / source
        if not source.startswith("."):
            place.mkdir(exist_ok=True)
        text = re.sub(rf"(?<![\w.]){re.escape(target)}(?![\w-])", str(place), text)
    return text


def ran(name: str, script: str, folder: Path) -> list[str]:
    """A service's shell command as it is run here."""
    assert SERVICES[name]["entrypoint"] == ["/bin/sh", "-ec"]
    return ["/bin/sh", "-ec", here(script, name, folder)]


@contextmanager
def started(
    command: list[str], variables: dict[str, str], folder: Path
) -> Iterator[subprocess.Popen[Any]]:
    """A process; ended with the test."""
    plain = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, env=plain | variables, stdout=log, stderr=log, cwd=folder
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.mark.server
@pytest.mark.parametrize("receivers", ["none", "mailpit"])
def test_alertmanager_starts_with_the_receivers_that_are_chosen(
    receivers: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    run, port = tmp_path / "run", free_port()
    run.mkdir()
    (script,) = SERVICES["alertmanager"]["command"]
    script = put_in(script, SECRETS).replace("/run/alertmanager/", f"{run}/")
    script = script.replace("exec alertmanager", f"exec {program('prometheus-alertmanager')}")
    script = f"{script.rstrip()} --web.listen-address=127.0.0.1:{port}\n"
    (run / "templates").symlink_to(ROOT / "deploy" / "alertmanager" / "templates")
    command = ran("alertmanager", script, tmp_path)
    with started(command, {"RECEIVERS": receivers}, tmp_path) as process:
        until(lambda: answers(process, f"http://127.0.0.1:{port}/-/ready", tmp_path / "log"))
        status = requests.get(f"http://127.0.0.1:{port}/api/v2/status", timeout=PATIENCE).json()
    assert "level=warn" not in (tmp_path / "log").read_text()
    assert ("smarthost: mailpit:1025" in status["config"]["original"]) == (receivers == "mailpit")


@pytest.mark.server
def test_prometheus_starts_and_has_the_token_in_a_file_that_only_it_can_read(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "secrets").mkdir()
    (script,) = SERVICES["prometheus"]["command"]
    script = put_in(script, SECRETS).replace("/run/secrets", str(tmp_path / "secrets"))
    script = script.replace("exec prometheus", f"exec {program('prometheus')}")
    script = f"{script.rstrip()} --web.listen-address=127.0.0.1:{port}\n"
    variables = environment("prometheus", SECRETS)
    with started(ran("prometheus", script, tmp_path), variables, tmp_path) as process:
        until(lambda: answers(process, f"http://127.0.0.1:{port}/-/ready", tmp_path / "log"))
        groups = requests.get(f"http://127.0.0.1:{port}/api/v1/rules", timeout=PATIENCE).json()
        known = requests.get(f"http://127.0.0.1:{port}/api/v1/status/config", timeout=PATIENCE)
    token = tmp_path / "secrets" / "exporter-token"
    assert token.read_text() == SECRETS["EXPORTER_TOKEN"]
    assert token.stat().st_mode & 0o077 == 0
    assert len(groups["data"]["groups"]) == 7
    assert "alertmanager:9093" in known.json()["data"]["yaml"]
    assert "/run/secrets/exporter-token" in known.json()["data"]["yaml"]


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    """Where a server listens that the container's script has prepared, with the roles' passwords."""
    with open_folder() as folder, EmbeddedPostgres(folder, {"fsync": "off"}) as postgres:
        script = ROOT / "deploy" / "postgres" / "roles.sql"
        psql, url = str(find_binaries({}) / "psql"), postgres.url_of("postgres")
        command = [psql, "-X", "-q", "-f", str(script), url]
        variables = dict(os.environ) | environment("postgres", SECRETS)
        subprocess.run(command, check=True, capture_output=True, env=variables)
        yield postgres.url.rpartition("@")[2].partition("/")[0]


def exporter(name: str, place: str, folder: Path, *more: str) -> tuple[list[str], dict[str, str]]:
    """A service's command and environment, with the database that stands in for the container's."""
    words = [put_in(word, SECRETS) for word in SERVICES[name]["command"]]
    words = [here(word, name, folder).replace("postgres:5432", place) for word in words]
    variables = {
        key: here(value, name, folder).replace("postgres:5432", place)
        for key, value in environment(name, SECRETS).items()
    }
    return [sys.executable, "-m", "exporter", *words, *more], variables


@pytest.mark.server
def test_the_exporter_migrates_runs_and_serves_as_its_roles(place: str, tmp_path: Path) -> None:
    command, variables = exporter("migrate", place, tmp_path)
    done = subprocess.run(
        command, env=dict(os.environ) | variables, capture_output=True, text=True, check=False
    )
    assert "applied 0001_tables.sql" in done.stdout, done.stderr

    port = free_port()
    command, variables = exporter("exporter", place, tmp_path, "--port", f"{port}")
    command[command.index("0.0.0.0")] = "127.0.0.1"
    bearer = {"Authorization": f"Bearer {SECRETS['EXPORTER_TOKEN']}"}
    with started(command, variables, tmp_path) as process:
        until(lambda: answers(process, f"http://127.0.0.1:{port}/-/ready", tmp_path / "log"))
        shown = requests.get(f"http://127.0.0.1:{port}/metrics", headers=bearer, timeout=PATIENCE)
        refused = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE)
    assert "evaluation_store_up 1" in shown.text
    assert refused.status_code == 401


@pytest.mark.server
def test_the_runner_looks_for_data_and_says_that_it_is_well(place: str, tmp_path: Path) -> None:
    command, variables = exporter("migrate", place, tmp_path)
    subprocess.run(command, env=dict(os.environ) | variables, check=True, capture_output=True)
    command, variables = exporter("runner", place, tmp_path)
    with started(command, variables, tmp_path) as process:
        while "no file matches" not in (tmp_path / "log").read_text():
            assert process.poll() is None, (tmp_path / "log").read_text()
    _, _, *words = SERVICES["runner"]["healthcheck"]["test"]
    check = [sys.executable, "-m", "exporter", *(here(word, "runner", tmp_path) for word in words)]
    well = subprocess.run(check, env=dict(os.environ) | variables, check=False, capture_output=True)
    assert well.returncode == 0, well.stderr


@pytest.mark.server
def test_the_demo_fills_the_same_store(place: str, tmp_path: Path) -> None:
    command, variables = exporter("migrate", place, tmp_path)
    subprocess.run(command, env=dict(os.environ) | variables, check=True, capture_output=True)
    (script,) = SERVICES["demo"]["command"]
    script = put_in(script, SECRETS).replace("exec exporter", f"exec {sys.executable} -m exporter")
    _, variables = exporter("demo", place, tmp_path)
    done = subprocess.run(
        ran("demo", script, tmp_path),
        env=dict(os.environ) | variables | {"DEMO_DAYS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with psycopg.connect(f"postgresql://grafana:of-the-tests@{place}/evaluation") as connection:
        found = connection.execute("select distinct project from grafana.snapshots").fetchall()
    assert found == [("late-flights",)]


def test_a_healthcheck_asks_what_the_service_answers() -> None:
    asked = {
        name: re.findall(r"127\.0\.0\.1:(\d+)(/[\w/-]+)", json.dumps(service["healthcheck"]))
        for name, service in SERVICES.items()
        if "healthcheck" in service
    }
    assert asked["exporter"] == [("9877", "/-/ready")]
    assert asked["prometheus"] == [("9090", "/-/ready")]
    assert asked["alertmanager"] == [("9093", "/-/ready")]
    assert asked["grafana"] == [("3000", "/api/health")]
