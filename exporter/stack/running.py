"""A stack at work: its parts are started, waited for, watched, and stopped with all that they started."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import requests

from exporter.config import Loaded
from exporter.errors import ExporterError, StoreError
from exporter.stack import parts
from exporter.stack.database import PASSWORD, READER, Database, open_database
from exporter.stack.grafana import Sources
from exporter.stack.parts import Part
from exporter.stack.settings import (
    GET_ALERTMANAGER,
    GET_GRAFANA,
    GET_PROMETHEUS,
    Settings,
    find_alertmanager,
    find_grafana,
    find_prometheus,
    state_of_stack,
)
from exporter.store import Store
from exporter.store.links import Links

PATIENCE = 90.0  # seconds until a part must be ready
GRACE = 10.0  # seconds that a part has to end by itself
_NAP = 0.2
_END_OF_LOG = 4000  # bytes in which the reason of an end is looked for
Tell = Callable[[str], None]


@dataclass
class Running:
    """A part that was started."""

    part: Part
    process: subprocess.Popen[bytes]
    log: Path
    told: bool = False  # that it ended

    def is_ready(self) -> bool:
        """Whether it answers that it is."""
        with suppress(requests.RequestException):
            return requests.get(self.part.ready, timeout=2).ok
        return False

    def reason(self) -> str:
        """How it ended, and what it said last."""
        lines = self.log.read_bytes()[-_END_OF_LOG:].decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"exit code {self.process.returncode} ({said[:300]}); its log is {self.log}"


@dataclass
class Stack:
    """What `exporter stack` starts for a config; use `opened`, then `watch`."""

    loaded: Loaded
    settings: Settings
    tell: Tell  # what goes wrong, and what is not there
    rows: list[tuple[str, str, str]] = field(
        default_factory=list
    )  # what is ready: name, address, what
    running: list[Running] = field(default_factory=list)

    @contextmanager
    def opened(self) -> Iterator[Stack]:
        """Everything that is found, started and ready, the store first; all of it is stopped at the end.

        Raises ExporterError where a port or program that was chosen cannot be had, where another
        stack of this user runs, or where the exporter does not start; StoreError of the store.
        """
        folder = state_of_stack()
        with ExitStack() as inside:
            inside.enter_context(_alone(folder))
            database = inside.enter_context(open_database(self.loaded))
            self.rows.append(("store", database.shown, f"the views, for the role {READER}"))
            inside.callback(self._stop)
            for part in self._parts(folder, database):
                self.running.append(_started(part, folder))
            self._wait()
            inside.enter_context(self._linked(database))
            yield self

    def watch(self) -> bool:
        """Look whether all parts still work, tell once of each that does not; whether any is left."""
        for running in self.running:
            if not running.told and running.process.poll() is not None:
                running.told = True
                _signal(running.process, signal.SIGKILL)  # its children do not stay behind
                self.tell(f"{running.part.name} ended: {running.reason()}")
        return any(running.process.poll() is None for running in self.running)

    @property
    def sound(self) -> bool:
        """Whether nothing ended that should not have."""
        return not any(running.told for running in self.running)

    def _parts(self, folder: Path, database: Database) -> Iterator[Part]:
        """In the order in which they need each other."""
        settings, ports = self.settings, self.settings.ports()
        manager = find_alertmanager(settings.alertmanager, os.environ)
        program = find_prometheus(settings.prometheus, os.environ)
        home = find_grafana(settings.grafana_home, os.environ)
        yield parts.exporter(settings.config, ports.exporter)
        asked = Sources(database)
        if manager is None:
            self.tell(f"Alertmanager was not found: {GET_ALERTMANAGER}")
        else:
            yield parts.alertmanager(manager, _within(folder, "alertmanager"), ports.alertmanager)
            asked = replace(asked, alertmanager=f"http://127.0.0.1:{ports.alertmanager}")
        if program is None:
            self.tell(f"Prometheus was not found: {GET_PROMETHEUS}")
        else:
            within = _within(folder, "prometheus")
            yield parts.prometheus(program, within, ports, alerting=manager is not None)
            asked = replace(asked, prometheus=f"http://127.0.0.1:{ports.prometheus}")
        if home is None:
            self.tell(f"Grafana was not found: {GET_GRAFANA}")
        elif not database.password:
            self.tell(
                f"Grafana is not started: set {PASSWORD} to the password of the role {READER}"
            )
        else:
            yield parts.grafana(home, _within(folder, "grafana"), ports.grafana, asked)

    def _wait(self) -> None:
        """Until every part is ready, has ended or was waited for long enough."""
        waiting, deadline = list(self.running), time.monotonic() + PATIENCE
        ready: list[Running] = []
        while waiting and time.monotonic() < deadline:
            self.watch()
            for running in [r for r in waiting if r.told or r.is_ready()]:
                waiting.remove(running)
                if running.told and running.part.name == "exporter":
                    raise ExporterError("nothing else makes sense without the exporter: stopped")
                if not running.told:
                    ready.append(running)
            time.sleep(_NAP)
        for part in [running.part for running in self.running if running in ready]:
            self.rows.append((part.name, part.address, part.what))
        for running in waiting:
            self.tell(
                f"{running.part.name} is not ready after {PATIENCE:.0f} s: its log is {running.log}"
            )

    @contextmanager
    def _linked(self, database: Database) -> Iterator[None]:
        """While it runs dashboards lead to its reports, and those to its dashboards, if no config says where.

        So it is with every project of the store: all of them are shown.
        """
        if self.loaded.config.links is not None:
            yield
            return
        found = {name: address.rstrip("/") for name, address, _ in self.rows}
        here = Links(found.get("exporter", ""), found.get("grafana", ""))
        with Store(database.url) as store:
            before = {p: links for p, links in store.all_links().items() if links.of_this_machine}
            before[self.loaded.config.project] = store.links(self.loaded.config.project)
            for project in before:
                store.tell_links(project, here)
            store.close()
            try:
                yield
            finally:
                with suppress(StoreError):
                    for project, links in before.items():
                        store.tell_links(project, links)

    def _stop(self) -> None:
        """End whatever was started, with its children, and give it time; asked again, none."""
        try:
            self._end(GRACE)
        except KeyboardInterrupt:
            self._end(0.0)

    def _end(self, grace: float) -> None:
        """The last that was started first: Grafana reads what the others have."""
        left = [running.process for running in reversed(self.running) if not running.told]
        for process in left:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + grace
        for process in left:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            _signal(process, signal.SIGKILL)  # children that did not listen, too
            process.wait()


def _started(part: Part, folder: Path) -> Running:
    """A process with a group of its own: Ctrl-C on a terminal reaches us alone, and we stop it."""
    log = folder / f"{part.name}.log"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GF_")}
    with log.open("wb") as file:
        try:
            process = subprocess.Popen(  # noqa: S603  programs that were found or named, no shell
                list(part.command),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**kept, **part.environment},
                start_new_session=True,
            )
        except OSError as error:
            raise ExporterError(f"{part.command[0]} cannot be started: {error.strerror}") from error
    return Running(part, process, log)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the whole group, which we made and which has the number of its first process."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _within(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir(mode=0o700, exist_ok=True)
    return made


@contextmanager
def _alone(folder: Path) -> Iterator[IO[str]]:
    """One stack a user: its parts keep their data in one place. The kernel frees the lock on SIGKILL."""
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExporterError(
                f"another `exporter stack` of yours runs on {folder}: stop it first, or set"
                " XDG_STATE_HOME"
            ) from None
        yield lock
