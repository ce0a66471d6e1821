"""Snapshots for pages: read by many threads at once, over connections that may not write."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

import psycopg

from exporter.errors import ExporterError
from exporter.snapshot import Snapshot
from exporter.store import around
from exporter.store.around import Beside, Newest
from exporter.store.connection import connect, store_error
from exporter.store.door import storable_text
from exporter.store.find import Question, find_heads, read_snapshot
from exporter.store.links import Links, read_links

LONGEST = "10s"  # a statement, before the reader gives up
LARGEST = (1 << 63) - 1  # of ids
_T = TypeVar("_T")


class Gone(ExporterError):  # noqa: N818  it says what is
    """There was such a snapshot, and somebody deleted it."""


class Shown(NamedTuple):
    """What the page of a snapshot is made of."""

    snapshot: Snapshot
    beside: Beside
    links: Links  # of its project


class Reader:
    """Reads what a store has; every call raises StoreAway or StoreError where it cannot.

    Threads may share it: each call has a connection of its own, which is kept for the next.
    """

    def __init__(self, url: str | Callable[[], str]) -> None:
        self._url = url
        self._idle: deque[psycopg.Connection] = deque()

    def close(self) -> None:
        """Close the connections that nobody uses; the next call opens another."""
        while self._idle:
            with suppress(psycopg.Error, IndexError):
                self._idle.pop().close()

    def read(self, snapshot_id: int) -> Snapshot:
        """A snapshot with all its rows; Gone where it was deleted, an ExporterError where it never was."""
        return self._do(lambda connection: _read(connection, snapshot_id))

    def show(self, snapshot_id: int) -> Shown:
        """A snapshot, those beside it, and where its project's links lead; raises as `read` does."""

        def work(connection: psycopg.Connection) -> Shown:
            snapshot = _read(connection, snapshot_id)
            near = around.beside(connection, snapshot_id)
            return Shown(snapshot, near, read_links(connection, snapshot.project))

        return self._do(work)

    def find(self, question: Question) -> list[Snapshot]:
        """The heads that fit, newest window last."""
        return self._do(lambda connection: find_heads(connection, question))

    def newest(self, project: str | None, model: str | None, most: int) -> Newest:
        """The newest heads of every stream, of a project or model, of *most* streams at most."""
        of_project, of_model = (name and storable_text(name) for name in (project, model))
        return self._do(lambda connection: around.newest(connection, of_project, of_model, most))

    def links(self, project: str) -> Links:
        """Where reports and dashboards of a project are found."""
        return self._do(lambda connection: read_links(connection, storable_text(project)))

    def _do(self, work: Callable[[psycopg.Connection], _T]) -> _T:
        """The work's result; once again over a new connection where an old one had been cut."""
        while (connection := self._kept()) is not None:
            try:
                return self._with(connection, work)
            except psycopg.Error as error:
                if not connection.closed:
                    raise store_error(error, self._place()) from error
        connection = self._opened()
        try:
            return self._with(connection, work)
        except psycopg.Error as error:
            raise store_error(error, self._place()) from error

    def _with(self, connection: psycopg.Connection, work: Callable[[psycopg.Connection], _T]) -> _T:
        try:
            return work(connection)
        finally:
            if not connection.closed:
                self._idle.append(connection)

    def _kept(self) -> psycopg.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _opened(self) -> psycopg.Connection:
        connection = connect(self._place(), statement_timeout=LONGEST)
        connection.execute("set jit = off")
        connection.execute("set default_transaction_read_only = on")
        return connection

    def _place(self) -> str:
        return self._url if isinstance(self._url, str) else self._url()


def _read(connection: psycopg.Connection, snapshot_id: int) -> Snapshot:
    try:
        return read_snapshot(connection, min(snapshot_id, LARGEST))
    except ExporterError as error:
        if around.is_deleted(connection, min(snapshot_id, LARGEST)):
            raise Gone(
                f"snapshot {snapshot_id} was deleted: `exporter run --force` makes it again"
            ) from error
        raise
