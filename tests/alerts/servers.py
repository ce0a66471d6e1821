"""Real servers for tests: each is a process of its own that ends with the test."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import requests

PATIENCE = 60.0  # seconds that a busy machine may take
_T = TypeVar("_T")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[object], ready: str, folder: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The process, from when it answers at *ready*; its output stands in a file of the folder."""
    log = folder / f"{Path(str(command[0])).name}.log"
    with log.open("ab") as file:
        words = [str(word) for word in command]
        process = subprocess.Popen(
            words, stdout=file, stderr=file, env={**os.environ, **environment}
        )
    try:
        until(lambda: answers(process, ready, log))
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answers(process: subprocess.Popen[bytes], address: str, log: Path) -> bool:
    """Whether it answers 200 there; fails with its log where it has ended."""
    assert process.poll() is None, log.read_text()
    with suppress(requests.ConnectionError, requests.Timeout):
        return requests.get(address, timeout=5).ok
    return False


def until(what: Callable[[], _T], patience: float = PATIENCE) -> _T:
    """What it gives once that is something; it is asked ten times a second."""
    end = time.monotonic() + patience
    while not (given := what()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return given


@contextmanager
def prometheus(binary: str, config: Path) -> Iterator[str]:
    """The address of a Prometheus with this configuration."""
    place = f"127.0.0.1:{free_port()}"
    folder = config.parent
    command = [
        binary, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={place}", "--log.level=warn",
    ]  # fmt: skip
    with running(command, f"http://{place}/-/ready", folder):
        yield f"http://{place}"


def asked(address: str, query: str) -> list[dict[str, Any]]:
    """Prometheus' answer to an instant query."""
    answer = requests.post(f"{address}/api/v1/query", {"query": query}, timeout=PATIENCE).json()
    assert answer["status"] == "success", f"{query}: {answer.get('error')}"
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


class Webhook:
    """Whoever is told: the messages that arrived, oldest first."""

    def __init__(self, address: str, messages: list[dict[str, Any]]) -> None:
        self.address = address
        self.messages = messages


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A receiver of Alertmanager's messages on the loopback."""
    messages: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            messages.append({"path": self.path, **json.loads(body)})
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name there
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Webhook(f"http://127.0.0.1:{server.server_port}", messages)
        finally:
            server.shutdown()
            thread.join()
