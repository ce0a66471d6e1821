"""A stack at work: a real exporter, Prometheus and Alertmanager, and a Grafana that stands in."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from cli.shop import STORE, Command, Shop
from stack.stand_in import grafana_in
from store.samples import snapshot

from exporter.store import Store
from exporter.store.links import Links

PATIENCE = 90
ELSEWHERE = Links("https://exporter.example.com", "https://grafana.example.com")


@pytest.fixture
def shop(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A project with one snapshot, and folders of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(STORE, "")
    monkeypatch.setenv("GRAFANA_DB_PASSWORD", "of-the-tests")
    monkeypatch.setenv("GF_DATABASE_URL", "mysql://of-somebody-else")
    monkeypatch.chdir(tmp_path)
    with Store(database) as store:
        store.write(snapshot(project="shop"))
        store.write(snapshot(project="another"))
        store.write(snapshot(project="of others"))
        store.tell_links("of others", ELSEWHERE)
    return Shop(tmp_path, database)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Stack:
    """`exporter stack` as a process, and what it said."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        # ports of its own: those that it prefers may be taken by another test's in the same moment
        kinds = ("--exporter-port", "--prometheus-port", "--alertmanager-port", "--grafana-port")
        ports = [word for kind in kinds for word in (kind, free_port())]
        self.command = Command("stack", *arguments, *ports, **environment)
        self.addresses: dict[str, str] = {}
        assert self.command.process.stdout is not None
        for line in self.command.process.stdout:
            if line.startswith("Ctrl-C"):
                break
            name, _, address = line.partition(" ")
            self.addresses[name] = address.split()[0]

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str]:
        """Its exit code, and what it said on stderr."""
        self.command.signal(number, group=True)
        code, _, said = self.command.end()
        return code, said


@contextmanager
def started(*arguments: object, **environment: str) -> Iterator[Stack]:
    """A stack that is ready, ended with the block."""
    stack = Stack(*arguments, **environment)
    try:
        yield stack
    finally:
        if stack.command.process.poll() is None:
            stack.end()


def alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_for(what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def given_to(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "given.json").read_text())
    return found


def report_url(database: str, project: str = "shop") -> str:
    asked = "select report_url from grafana.snapshots where project = %s"
    with psycopg.connect(database) as connection:
        ((url,),) = connection.execute(asked, (project,)).fetchall()
        return str(url)


def without_programs(folder: Path) -> str:
    """A PATH on which nothing is found."""
    (folder / "empty").mkdir(exist_ok=True)
    return str(folder / "empty")


def test_all_of_it_starts_answers_and_ends(
    shop: Shop, tmp_path: Path, program: Callable[[str], str]
) -> None:
    home = grafana_in(tmp_path)
    arguments = (
        *("--prometheus", program("prometheus"), "--grafana-home", home),
        *("--alertmanager", program("prometheus-alertmanager")),
    )
    before = report_url(shop.store), report_url(shop.store, "another")
    with started(shop.config, *arguments) as stack:
        at = stack.addresses
        assert list(at) == ["part", "store", "exporter", "alertmanager", "prometheus", "grafana"]
        assert requests.get(at["exporter"] + "-/ready", timeout=PATIENCE).ok
        assert report_url(shop.store).startswith(at["exporter"] + "snapshots/")
        page = requests.get(report_url(shop.store), timeout=PATIENCE).text
        assert f'href="{at["grafana"]}d/evaluation-model-overview?' in page
        assert report_url(shop.store, "another").startswith(at["exporter"])
        assert report_url(shop.store, "of others").startswith(ELSEWHERE.exporter)
        wait_for(lambda: up(at["prometheus"]))
        given = given_to(home)
        assert given["arguments"] == ["server", "--homepath", str(home)]
        assert given["environment"]["PROMETHEUS_URL"] + "/" == at["prometheus"]
        assert given["environment"]["ALERTMANAGER_URL"] + "/" == at["alertmanager"]
        rules = Path(given["environment"]["GF_PATHS_PROVISIONING"], "alerting", "rules.yaml")
        assert rules.is_file()
        assert given["environment"]["GRAFANA_DB_USER"] == "grafana"
        assert "GF_DATABASE_URL" not in given["environment"]
        reader = given["environment"]
        url = "postgresql://{GRAFANA_DB_USER}:{GRAFANA_DB_PASSWORD}@{POSTGRES_HOST}:{POSTGRES_PORT}/{POSTGRES_DB}"
        with psycopg.connect(url.format(**reader)) as connection:
            assert connection.execute("select count(*) from grafana.snapshots").fetchone() == (3,)
        code, said = stack.end()
    assert (code, said.splitlines()[-1]) == (0, "stopping")
    assert not alive(given["child"])
    for name in ("exporter", "alertmanager", "prometheus", "grafana"):
        with pytest.raises(requests.ConnectionError):
            requests.get(at[name], timeout=5)
    assert (report_url(shop.store), report_url(shop.store, "another")) == before


def test_a_test_alert_arrives_and_all_of_it_ends_when_told_to(
    shop: Shop, tmp_path: Path, program: Callable[[str], str]
) -> None:
    arguments = (
        *("--prometheus", program("prometheus")),
        *("--alertmanager", program("prometheus-alertmanager")),
    )
    with started(shop.config, *arguments, PATH="") as stack:
        at = stack.addresses
        assert list(at) == ["part", "store", "exporter", "alertmanager", "prometheus"]
        way = ("--prometheus", at["prometheus"], "--alertmanager", at["alertmanager"])
        tried = shop.call("alerts", shop.config, "--test", *way)
        assert tried.stdout.splitlines()[-1] == "Alertmanager has it: for page"
        found = requests.get(f"{at['alertmanager']}api/v2/alerts", timeout=PATIENCE).json()
        told = [a for a in found if a["labels"]["alertname"] == "EvaluationTestAlert"]
        assert [a["status"]["state"] for a in told] == ["active"]
        assert told[0]["generatorURL"].startswith(at["prometheus"])
        code, _ = stack.end(signal.SIGTERM)
    assert code == 0
    log = tmp_path / "state" / "evaluation-exporter" / "stack" / "alertmanager.log"
    assert "level=warn" not in log.read_text()
    for name in ("exporter", "alertmanager", "prometheus"):
        with pytest.raises(requests.ConnectionError):
            requests.get(at[name], timeout=5)


def up(prometheus: str) -> bool:
    """Whether Prometheus has scraped the exporter."""
    question = {"query": 'up{job="evaluation-exporter"} == 1 and on() evaluation_store_up == 1'}
    answer = requests.get(f"{prometheus}api/v1/query", params=question, timeout=PATIENCE)
    return bool(answer.json()["data"]["result"])


def test_what_is_not_there_is_told_with_the_way_to_it_and_a_second_stack_is_refused(
    shop: Shop, tmp_path: Path
) -> None:
    with started(shop.config, PATH=without_programs(tmp_path)) as stack:
        assert set(stack.addresses) == {"part", "store", "exporter"}
        second = shop.call("stack", shop.config)
        code, said = stack.end(signal.SIGTERM)
    assert code == 0
    assert "Prometheus was not found: apt-get install prometheus" in said
    assert "Alertmanager was not found: apt-get install prometheus-alertmanager" in said
    assert "Grafana was not found: unpack an archive of https://grafana.com" in said
    assert second.exit_code == 2
    assert "another `exporter stack` of yours runs" in second.stderr


def test_without_the_readers_password_grafana_is_not_started_and_all_else_is(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAFANA_DB_PASSWORD")
    home = grafana_in(tmp_path)
    with started(shop.config, "--grafana-home", home, PATH=without_programs(tmp_path)) as stack:
        assert set(stack.addresses) == {"part", "store", "exporter"}
        _, said = stack.end()
    assert "Grafana is not started: set GRAFANA_DB_PASSWORD" in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--prometheus", "nothing"), "--prometheus: nothing is no program that can be run"),
        (("--alertmanager", "."), "--alertmanager: . is no program that can be run"),
        (("--grafana-home", "."), "no conf/defaults.ini, so this is no Grafana"),
    ],
)
def test_what_was_named_and_is_not_there_ends_it(
    shop: Shop, arguments: tuple[str, ...], told: str
) -> None:
    result = shop.call("stack", shop.config, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
