"""`exporter serve`: what this process answers to HTTP; each page is a function and a line in `_ROUTES`."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from ipaddress import ip_address
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from exporter import __version__
from exporter.config import Loaded
from exporter.errors import ConfigError, ExporterError
from exporter.logs import logger
from exporter.pipeline import store_location
from exporter.prometheus import Exposition
from exporter.store import open_store
from exporter.store.latest import LatestReader

TOKEN = "EXPORTER_TOKEN"  # noqa: S105  the variable's name
PERIOD = 5.0  # seconds between two looks at the store
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_OPEN = ("/-/healthy", "/-/ready")  # probes have no token
_PIECE = 1 << 18  # bytes handed to a connection at once: it is read while the rest is written
_CONNECTIONS = 100
_PATIENCE = 5  # seconds that requests under way are given at the end
_log = logger(__name__)


def serve(loaded: Loaded, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises ConfigError where an address that others can reach is asked for without a token,
    ExporterError where it cannot be listened on, StoreError where the store refuses us; one that
    only is away is waited for.
    """
    token = os.environ.get(TOKEN, "").strip()
    settings = loaded.config.prometheus
    with (
        suppress(KeyboardInterrupt),
        _interrupted_by_sigterm(),
        closing(_listener(host, port, token)) as listener,
        open_store(store_location(loaded)) as store,
        closing(LatestReader(lambda: store.url)) as reader,
    ):
        store.close()  # it has been looked at; the reader has a connection of its own
        exposition = Exposition(
            reader,
            max_series=settings.max_series,
            forget=timedelta(seconds=settings.forget),
            segments=settings.segments,
        )
        with Refresher(exposition, PERIOD):
            _run(app(exposition, token=token), listener)


def app(exposition: Exposition, *, token: str = "") -> Starlette:
    """The routes; with a *token* all but the probes want it as `Authorization: Bearer …`."""
    made = Starlette(routes=_ROUTES, middleware=[Middleware(_Guard, token=token)])
    made.state.exposition = exposition
    return made


class Refresher:
    """Refreshes an exposition every *period* seconds, in a thread of its own while it is entered."""

    def __init__(self, exposition: Exposition, period: float) -> None:
        self._exposition = exposition
        self._period = period
        self._end = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._work, name="refresher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(timeout=2 * _PATIENCE)

    def _work(self) -> None:
        while not self._end.is_set():
            try:
                self._exposition.refresh(datetime.now(UTC))
                self._tell(str(self._exposition.problem or ""))
            except Exception:  # noqa: BLE001  the thread goes on: a scrape tells when it last worked
                _log.exception("the gauges could not be refreshed")
            self._end.wait(self._period)

    def _tell(self, problem: str) -> None:
        """Each problem once, and its end."""
        if problem != self._told:
            if problem:
                _log.warning(problem)
            else:
                _log.info("the store answers again")
            self._told = problem


class _Guard:
    """Lets pass who knows the token, and everybody where there is none."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN or self._knows(scope):
            await self._app(scope, receive, send)
            return
        text = f"a token is needed: Authorization: Bearer, with what {TOKEN} holds\n"
        refusal = PlainTextResponse(text, 401, {"WWW-Authenticate": "Bearer"})
        await refusal(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        if not self._token:
            return True
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, secret = given.partition(b" ")
        return kind.lower() == b"bearer" and compare_digest(secret.strip(), self._token)


class _Pieces(Response):
    """A large body that waits for its reader, and is in memory once however many read it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        for at in range(0, len(self.body), _PIECE):
            piece = self.body[at : at + _PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})


async def _index(_: Request) -> Response:
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in ("/metrics", *_OPEN))
    text = f"<!doctype html><title>Evaluation Exporter</title><h1>Evaluation Exporter {__version__}</h1><ul>{links}</ul>"
    return HTMLResponse(text, headers={"Content-Security-Policy": "default-src 'none'"})


async def _metrics(request: Request) -> Response:
    exposition: Exposition = request.app.state.exposition
    packed = _takes_gzip(request.headers.get("accept-encoding", ""))
    headers = {"Vary": "Accept-Encoding"} | ({"Content-Encoding": "gzip"} if packed else {})
    return _Pieces(exposition.body(packed=packed), headers=headers, media_type=_TEXT)


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("healthy\n")


async def _ready(request: Request) -> Response:
    if request.app.state.exposition.answered:
        return PlainTextResponse("ready\n")
    return PlainTextResponse("the store does not answer\n", 503)


_ROUTES = [
    Route("/", _index),
    Route("/metrics", _metrics),
    Route("/-/healthy", _healthy),
    Route("/-/ready", _ready),
]


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip, and not only to refuse it."""
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "").rstrip("0.") != "q="
    return False


def _listener(host: str, port: int, token: str) -> socket.socket:
    """A socket that listens, so that what is wrong with the address is told before anything starts."""
    family, address = _resolved(host, port)
    if not token and not ip_address(address[0]).is_loopback:
        raise ConfigError(
            f"whoever reaches {host} could read everything: set {TOKEN}, or serve on 127.0.0.1"
        )
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise ExporterError(_refused(host, port, error)) from error
    return listener


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or "0.0.0.0",  # noqa: S104  asked for, and refused without a token
            port,
            type=socket.SOCK_STREAM,
        )
    except (OSError, UnicodeError) as error:
        raise ExporterError(
            f"there is no address {host!r}: choose another with --host, such as 127.0.0.1"
        ) from error
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what listens there, or choose another with --port"
    if error.errno == errno.EACCES:
        return f"port {port} is for the administrator only: choose one above 1023 with --port"
    return f"cannot listen on {host}, port {port} ({error.strerror}): choose another with --host"


def _run(application: Starlette, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    _log.info(f"serving http://{place}/metrics, until Ctrl-C")
    settings = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_PATIENCE,
    )
    uvicorn.Server(settings).run(sockets=[listener])


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """SIGTERM ends as Ctrl-C does: what was opened is closed, the embedded database stopped.

    uvicorn handles the signal while it runs, and raises it again afterwards.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
