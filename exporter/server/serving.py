"""How serving begins and ends: the address, the look at the store again and again, the signals."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Self
from zoneinfo import ZoneInfo

import uvicorn
from starlette.applications import Starlette

from exporter.config import Loaded
from exporter.errors import ConfigError, ExporterError, StoreError
from exporter.logs import logger
from exporter.pipeline import links_of, store_location
from exporter.prometheus import Exposition
from exporter.server.application import app
from exporter.server.guard import TOKEN
from exporter.server.snapshots import Pages
from exporter.store import Store, open_store
from exporter.store.latest import LatestReader
from exporter.store.links import Links
from exporter.store.reader import Reader

PERIOD = 5.0  # seconds between two looks at the store
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
        closing(LatestReader(lambda: store.url)) as latest,
        closing(Reader(lambda: store.url)) as reader,
    ):
        _tell_links(store, loaded)
        store.close()  # it has been looked at; the readers have connections of their own
        exposition = Exposition(
            latest,
            max_series=settings.max_series,
            forget=timedelta(seconds=settings.forget),
            segments=settings.segments,
        )
        pages = _pages(loaded, reader)
        with Refresher(exposition, PERIOD):
            _run(app(exposition, pages, token=token), listener)


def _pages(loaded: Loaded, reader: Reader) -> Pages:
    config = loaded.config
    return Pages(reader, ZoneInfo(config.timezone), config.project, links_of(loaded) or Links())


def _tell_links(store: Store, loaded: Loaded) -> None:
    """As every run does; who serves may be one who only reads, or be there before the store is."""
    if (links := links_of(loaded)) is not None:
        try:
            store.tell_links(loaded.config.project, links)
        except StoreError as error:
            _log.info(f"the store was not told of `links:` ({error}); the next run will")


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
    _log.info(f"serving http://{place}/, gauges on /metrics, until Ctrl-C")
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
