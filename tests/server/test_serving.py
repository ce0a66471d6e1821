"""What `exporter serve` answers, to whom, how it starts and how it ends."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from conftest import open_folder
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from store.samples import DAY, NOW, snapshot

from exporter.config import load_config
from exporter.errors import ConfigError, ExporterError
from exporter.prometheus import Exposition
from exporter.server import app
from exporter.server.answers import takes_gzip
from exporter.server.serving import _listener, _tell_links
from exporter.server.snapshots import Pages
from exporter.store import Store, migrate, open_store
from exporter.store.embedded import EmbeddedPostgres
from exporter.store.latest import LatestReader
from exporter.store.reader import Reader

PROJECT = Path(__file__).parents[2]
NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens
PATIENCE = 60  # seconds that a busy machine may take
CONFIG = """
project: p
store: {store}
models:
  m:
    source: {{path: nothing.parquet}}
    columns: {{time: at, numerical: [temp]}}
    evaluations: {{inputs: {{metrics: [data_summary]}}}}
"""
PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from exporter.server import serving
from exporter.config import load_config
from exporter.errors import ExporterError
from exporter.logs import configure

configure("json", verbose=True)
serving.PERIOD = 0.1
try:
    serving.serve(load_config(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]))
except ExporterError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


class Running(NamedTuple):
    """A process that serves."""

    process: subprocess.Popen[str]
    url: str

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=PATIENCE)

    def value(self, name: str) -> float | None:
        families = text_string_to_metric_families(self.get("/metrics").text)
        return next((s.value for f in families for s in f.samples if s.name == name), None)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """How the process ends, and what it says."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, said


def started(
    folder: Path, store: str, host: str = "127.0.0.1", port: int = 0, **environment: str
) -> subprocess.Popen[str]:
    config = folder / "exporter.yaml"
    config.write_text(CONFIG.format(store=store))
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(config), host, str(port)],
        cwd=PROJECT,
        env={**os.environ, "HOME": str(folder), "XDG_STATE_HOME": str(folder), **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(folder: Path, store: str, **environment: str) -> Iterator[Running]:
    """A process that serves on a port of its choice, ended with the block."""
    process = started(folder, store, **environment)
    try:
        assert process.stderr is not None
        events = (json.loads(line).get("event", "") for line in process.stderr)
        event = next(event for event in events if event.startswith("serving "))
        yield Running(process, event.split()[1].removesuffix("/,"))
    finally:
        process.kill()
        process.communicate()


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def basic(user: str, password: str) -> str:
    """What a browser sends when its user has typed that."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the account of an embedded server can reach, too."""
    with open_folder() as made:
        yield made


@pytest.fixture
def exposition(database: str) -> Iterator[Exposition]:
    """What is shown of a store with one snapshot, before the first look."""
    with Store(database) as store:
        store.write(snapshot())
    reader = LatestReader(database)
    yield Exposition(reader)
    reader.close()


def client_of(exposition: Exposition, token: str = "") -> TestClient:
    """Whoever asks a server whose pages have no store."""
    return TestClient(app(exposition, Pages(Reader(NOWHERE)), token=token))


@pytest.fixture
def away() -> Exposition:
    return Exposition(LatestReader(NOWHERE))


def test_metrics_are_plain_text_for_prometheus(exposition: Exposition) -> None:
    exposition.refresh(NOW)
    answer = client_of(exposition).get("/metrics", headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "content-encoding" not in answer.headers
    assert answer.content == exposition.body()
    assert b"evaluation_missing_ratio{" in answer.content


def test_metrics_are_packed_for_who_asks(exposition: Exposition) -> None:
    exposition.refresh(NOW)
    client = client_of(exposition)
    with client.stream("GET", "/metrics", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == (
        "gzip",
        "Accept-Encoding",
    )
    assert gzip.decompress(raw) == exposition.body()


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [("gzip", True), ("deflate, GZIP;q=0.5", True), ("gzip;q=1.0, *;q=0", True), ("gzip;q=0", False),
     ("gzip; q=0.000", False), ("", False), ("identity", False), ("xgzip", False)],
)  # fmt: skip
def test_gzip_is_used_only_where_it_is_accepted(accepted: str, expected: bool) -> None:
    assert takes_gzip(accepted) is expected


def test_a_scrape_looks_at_no_store(exposition: Exposition, database: str) -> None:
    exposition.refresh(NOW)
    client = client_of(exposition)
    first = client.get("/metrics").content
    with Store(database) as store:
        store.write(snapshot(day=1))
    assert client.get("/metrics").content == first


def test_who_is_ready_has_an_answer_of_the_store(exposition: Exposition) -> None:
    client = client_of(exposition)
    assert client.get("/-/ready").status_code == 503
    exposition.refresh(NOW)
    assert client.get("/-/ready").status_code == 200


def test_without_a_store_it_is_healthy_and_not_ready(away: Exposition) -> None:
    away.refresh(NOW)
    client = client_of(away)
    answers = [client.get(path).status_code for path in ("/-/healthy", "/-/ready", "/metrics")]
    assert answers == [200, 503, 200]


def test_other_paths_and_methods_are_refused(away: Exposition) -> None:
    client = client_of(away)
    assert client.get("/nothing").status_code == 404
    assert client.post("/metrics").status_code == 405


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer wrong", "Basic s3cret", "s3cret", "Bearer s3crét", "Digest s3cret",
     basic("", ""), basic("s3cret", ""), basic("ann", "wrong"), "Basic !", "Basic " + "A" * 101],
)  # fmt: skip
def test_with_a_token_nobody_passes_without_it(away: Exposition, given: str | None) -> None:
    client = client_of(away, "s3cret")
    headers = {} if given is None else {"Authorization": given.encode()}
    for path in ("/", "/metrics", "/nothing"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        ways = answer.headers.get_list("www-authenticate")
        assert [way.split()[0] for way in ways] == ["Bearer", "Basic"]
        assert "s3cret" not in answer.text


def test_with_the_token_all_is_open_and_the_probes_need_none(away: Exposition) -> None:
    client = client_of(away, "s3crét")
    browser = (basic("", "s3crét"), basic("ann", "s3crét").replace("Basic", "basic"))
    for given in ("Bearer s3crét", "bearer s3crét", *browser):
        headers = {"Authorization": given.encode()}
        assert client.get("/metrics", headers=headers).status_code == 200
    assert client.get("/-/healthy").status_code == 200
    assert client.get("/-/ready").status_code == 503


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_an_address_that_others_reach_wants_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match=r"set EXPORTER_TOKEN, or serve on 127\.0\.0\.1"):
        _listener(host, 0, "")


@pytest.mark.parametrize(
    ("host", "token"), [("127.0.0.1", ""), ("localhost", ""), ("0.0.0.0", "s3cret")]
)
def test_the_loopback_needs_no_token_and_other_addresses_have_one(host: str, token: str) -> None:
    with _listener(host, 0, token) as listener:
        assert listener.getsockname()[1] > 0


def test_a_host_that_does_not_exist_is_told() -> None:
    with pytest.raises(ExporterError, match=r"there is no address 'no\.such\.invalid'"):
        _listener("no.such.invalid", 0, "")


def test_an_address_of_another_machine_is_told() -> None:
    with pytest.raises(
        ExporterError, match=r"cannot listen on 192\.0\.2\.1, port 0 .*: choose another"
    ):
        _listener("192.0.2.1", 0, "s3cret")


def test_a_port_in_use_is_one_line_and_no_traceback(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = started(folder, NOWHERE, port=port)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert said == (
        f"port {port} of 127.0.0.1 is in use: stop what listens there, or choose another with --port\n"
    )


def test_a_store_that_refuses_is_told_at_the_start(folder: Path, empty_database: str) -> None:
    process = started(folder, empty_database)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 4
    assert "exporter db migrate" in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(folder: Path, database: str, number: signal.Signals) -> None:
    with serving(folder, database) as running:
        wait_for(lambda: running.get("/-/ready").ok)
        code, said = running.end(number)
    assert (code, said) == (0, "")


def test_the_token_comes_from_the_environment(folder: Path) -> None:
    with serving(folder, NOWHERE, EXPORTER_TOKEN="s3cret\n") as running:
        assert running.get("/metrics").status_code == 401
        assert running.get("/metrics", Authorization="Bearer s3cret").status_code == 200
        index = requests.head(running.url, auth=("any", "s3cret"), timeout=PATIENCE)
        assert (index.status_code, index.content) == (503, b"")  # let in, and the store is away
        assert running.get("/-/healthy").status_code == 200


def test_what_is_written_while_it_serves_is_shown(folder: Path, database: str) -> None:
    with serving(folder, database) as running, Store(database) as store:
        wait_for(lambda: running.get("/-/ready").ok)
        assert running.value("evaluation_missing_ratio") is None
        now = datetime.now(UTC)
        window = {"window_start": now - DAY, "window_end": now}
        store.write(snapshot(value=0.75, computed_at=now, **window))
        wait_for(lambda: running.value("evaluation_missing_ratio") == 0.75)


def test_prometheus_scrapes_what_is_there(
    folder: Path, database: str, program: Callable[[str], str]
) -> None:
    with Store(database) as store:
        now = datetime.now(UTC)
        hostile = 'O\'Brien "q" \\ back\nline 🌡️'
        window = {"window_start": now - DAY, "window_end": now}
        store.write(snapshot(hostile, value=0.75, computed_at=now, **window))
    with (
        serving(folder, database, EXPORTER_TOKEN="s3cret") as running,
        scraping(folder, running.url, program("prometheus")) as prometheus,
    ):
        wait_for(lambda: query(prometheus, "up == 1") != [])
        assert query(prometheus, "evaluation_store_up")[0]["value"][1] == "1"
        [found] = query(prometheus, "evaluation_missing_ratio")
        assert (found["metric"]["model"], found["value"][1]) == (hostile, "0.75")


@contextmanager
def scraping(folder: Path, url: str, program: str) -> Iterator[str]:
    """The URL of a Prometheus that scrapes another URL, ended with the block."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        place = f"127.0.0.1:{probe.getsockname()[1]}"
    job = {
        "job_name": "exporter",
        "scrape_interval": "1s",
        "scrape_timeout": "1s",
        "authorization": {"credentials": "s3cret"},
        "static_configs": [{"targets": [url.removeprefix("http://")]}],
    }
    config = folder / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [job]}))
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    process = subprocess.Popen(
        [*command, f"--web.listen-address={place}"], stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://{place}"
    finally:
        process.terminate()
        process.wait()


def query(prometheus: str, expression: str) -> list[dict[str, Any]]:
    """What Prometheus answers; nothing while it starts."""
    try:
        answer = requests.get(
            f"{prometheus}/api/v1/query", params={"query": expression}, timeout=PATIENCE
        )
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
    except (OSError, ValueError):
        return []
    return found


def test_a_database_that_is_killed_and_comes_back(folder: Path) -> None:
    with EmbeddedPostgres(folder / "own", {"fsync": "off"}) as server:
        migrate(server.url)
        with serving(folder, server.url) as running:
            wait_for(lambda: running.get("/-/ready").ok)
            kill(server)
            wait_for(lambda: running.get("/-/ready").status_code == 503)
            assert running.get("/metrics").status_code == 200
            assert running.value("evaluation_store_up") == 0
            assert running.get("/-/healthy").ok
            server.ensured_url()  # as an administrator would start it again
            wait_for(lambda: running.value("evaluation_store_up") == 1)
            assert running.get("/-/ready").ok


def test_the_embedded_store_is_started_restarted_and_stopped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    server = EmbeddedPostgres()
    with serving(folder, "embedded") as running:
        wait_for(lambda: running.get("/-/ready").ok)
        kill(server)
        wait_for(lambda: (running.value("evaluation_exporter_refresh_failures_total") or 0) > 0)
        wait_for(lambda: running.value("evaluation_store_up") == 1)
        code, _ = running.end(signal.SIGTERM)
    assert code == 0
    assert not (server.data / "postmaster.pid").exists()
    with open_store("embedded") as store:
        assert store.find() == []


def kill(server: EmbeddedPostgres) -> None:
    """SIGKILL to the postmaster: no chance to write anything back."""
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("options", "told"),
    [("", "https://ml.example.com"), ("?options=-c%20default_transaction_read_only%3Don", "")],
)
def test_the_store_is_told_of_links_by_who_may_write_and_nobody_else_fails(
    tmp_path: Path, database: str, options: str, told: str
) -> None:
    config = tmp_path / "exporter.yaml"
    links = "links: {exporter: 'https://ml.example.com'}"
    config.write_text(f"{links}\n{CONFIG.format(store='embedded')}")
    with Store(database + options) as store:
        _tell_links(store, load_config(config))
    with Store(database) as store:
        assert store.links("p").exporter == told


def test_a_store_that_is_away_is_told_of_links_by_the_next_run(tmp_path: Path) -> None:
    config = tmp_path / "exporter.yaml"
    config.write_text(f"links: {{}}\n{CONFIG.format(store='embedded')}")
    with Store(NOWHERE) as store:
        _tell_links(store, load_config(config))
        assert store._connection is None
