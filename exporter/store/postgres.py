"""The store: snapshots in PostgreSQL, one transaction each, safe to repeat."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self, TypeVar

import psycopg

from exporter.profile.histogram import Grid
from exporter.snapshot import Snapshot, content_hash
from exporter.store import retention
from exporter.store.around import Beside, beside
from exporter.store.connection import collided, connect, store_error
from exporter.store.dimensions import Dimensions, grid_id, project_id
from exporter.store.door import refusing, storable, storable_text
from exporter.store.expected import Expected, tell_expected
from exporter.store.find import Question, columns_of, find_heads, read_snapshot
from exporter.store.identity import claim
from exporter.store.links import Links, read_all_links, read_links, tell_links
from exporter.store.records import Input, Key, Result, Written
from exporter.store.rows import copy_rows, delete_rows, keys_of
from exporter.store.trial import ask_for_alert, end_alert

__all__ = ["Input", "Key", "Result", "Store", "Written"]

_ATTEMPTS = 5
_T = TypeVar("_T")
_DELETE = (
    "update evaluation.snapshot set deleted_at = now(), changed = pg_current_xact_id()"
    " where snapshot_id = any(%s) and deleted_at is null returning time, snapshot_id"
)
_KEEP_INPUT = (
    "insert into evaluation.input values (%s, %s, %s, %s, %s, %s)"
    " on conflict (project_id, entry, evaluation, window_start, window_end)"
    " do update set fingerprint = excluded.fingerprint, seen_at = now()"
)
_INPUTS = (
    "select window_start, window_end, fingerprint from evaluation.input"
    " join evaluation.project p using (project_id)"
    " where p.name = %s and entry = %s and evaluation = %s"
)
_KEEP_GRID = "insert into evaluation.model_grid values (%s, %s, %s, %s) on conflict do nothing"
_GRIDS = (
    "select column_name, edges, categories from evaluation.model_grid"
    " join evaluation.grid using (grid_id) where project_id = %s and model = %s"
)


class Store:
    """Snapshots in PostgreSQL, over one connection that is opened when needed and again after it broke.

    May be shared by threads, which then wait for each other. Every method raises StoreAway where
    the database does not answer, StoreError where it refuses us.
    """

    def __init__(self, url: str | Callable[[], str]) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._dimensions = Dimensions()
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection:
            self._connection.close()

    @property
    def url(self) -> str:
        """Where the database is; of the embedded one, which is started again where it died."""
        return self._url if isinstance(self._url, str) else self._url()

    def connection(self) -> psycopg.Connection:
        """The open connection; a broken one is replaced."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self.url)
        return self._connection

    def write(
        self, snapshot: Snapshot, *, force: bool = False, source: Input | None = None
    ) -> Written:
        """Store a snapshot once, however often it is handed over.

        Equal content of the same identity changes nothing; other content replaces what is there
        unless it was computed earlier; `force` lifts a deletion. `source` is what the window's
        input looked like, remembered in the same transaction.

        Raises SnapshotError where it cannot be stored as it is.
        """
        snapshot = storable(snapshot)
        with refusing():
            digest = content_hash(snapshot)

        def work(connection: psycopg.Connection) -> Written:
            try:
                return self._write(connection, snapshot, digest, force, source)
            except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation):
                # retention may have taken a stream or a month that this process remembered
                self._dimensions.forget()
                return self._write(connection, snapshot, digest, force, source)

        with refusing():
            return self._do(work)

    def find(
        self,
        *,
        project: str | None = None,
        model: str | None = None,
        evaluation: str | None = None,
        segment: str | None = None,
        tags: Mapping[str, str] | None = None,
        batch: str | None = None,
        status: str | Sequence[str] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> list[Snapshot]:
        """The heads (no rows, status and counts kept) of what fits, newest window last.

        `start` and `end` bound the windows' start; of many the newest `limit` are given.
        """
        question = Question(
            project, model, evaluation, segment, tags, batch, status, start, end, limit
        )
        return self._do(lambda connection: find_heads(connection, question))

    def read(self, snapshot_id: int) -> Snapshot:
        """A snapshot with all its rows, ordered by name; an ExporterError where there is none."""
        return self._do(lambda connection: read_snapshot(connection, snapshot_id))

    def beside(self, snapshot_id: int) -> Beside:
        """The heads of the same stream before and after a snapshot, oldest first."""
        return self._do(lambda connection: beside(connection, snapshot_id))

    def columns(self, model: str, project: str | None = None) -> list[tuple[str, str]]:
        """The projects and columns of which there are figures of a model; the column of whole batches is ""."""
        return self._do(lambda connection: columns_of(connection, model, project))

    def delete(self, ids: Sequence[int]) -> int:
        """Delete snapshots; their identities stay as tombstones. How many there were."""

        def work(connection: psycopg.Connection) -> int:
            with connection.transaction():
                gone = connection.execute(_DELETE, (list(ids),)).fetchall()
                if gone:
                    delete_rows(connection, gone)
            return len(gone)

        return self._do(work)

    def retain(
        self,
        now: datetime,
        project: str,
        metrics: timedelta | None,
        distributions: timedelta | None,
    ) -> list[str]:
        """Apply a project's retention at *now*, None = for ever; the partitions that were dropped."""

        def work(connection: psycopg.Connection) -> list[str]:
            return retention.retain(connection, now, storable_text(project), metrics, distributions)

        try:
            return self._do(work)
        finally:
            self._dimensions.forget()

    def tell_links(self, project: str, links: Links) -> None:
        """Keep where the project's reports and dashboards are found."""
        self._do(lambda connection: tell_links(connection, storable_text(project), links))

    def tell_expected(self, project: str, expected: Sequence[Expected]) -> None:
        """Keep what the project's config evaluates."""
        self._do(lambda connection: tell_expected(connection, storable_text(project), expected))

    def links(self, project: str) -> Links:
        """Where the project's reports and dashboards are found, as it was told last."""
        return self._do(lambda connection: read_links(connection, storable_text(project)))

    def all_links(self) -> dict[str, Links]:
        """The same of every project in the store."""
        return self._do(read_all_links)

    def ask_for_test_alert(self, length: timedelta) -> datetime:
        """Let the test alert fire for so long from now; when it ends."""
        return self._do(lambda connection: ask_for_alert(connection, length))

    def end_test_alert(self) -> bool:
        """End the test alert; whether there was one."""
        return self._do(end_alert)

    def keep_input(
        self, project: str, evaluation: str, start: datetime, end: datetime, source: Input
    ) -> None:
        """Remember what a window's input looked like, where nothing was made of it."""
        self._do(
            lambda connection: _keep_input(connection, project, evaluation, (start, end), source)
        )

    def inputs(
        self, project: str, entry: str, evaluation: str
    ) -> dict[tuple[datetime, datetime], str]:
        """The fingerprints of the windows looked at so far, by start and end."""
        names = tuple(storable_text(name) for name in (project, entry, evaluation))
        rows = self._do(lambda connection: connection.execute(_INPUTS, names).fetchall())
        return {(start, end): fingerprint for start, end, fingerprint in rows}

    def keep_grids(self, project: str, model: str, grids: Mapping[str, Grid]) -> dict[str, Grid]:
        """Fix the distributions' edges and categories of a model's columns.

        The first ones given for a column stand for ever; they, and those of the model's other
        columns, are given back.
        """

        def work(connection: psycopg.Connection) -> dict[str, Grid]:
            with connection.transaction():
                return _keep_grids(connection, storable_text(project), storable_text(model), grids)

        kept = self._do(work)
        asked = {storable_text(column): column for column in grids}
        return {asked.get(column, column): grid for column, grid in kept.items()}

    def _do(self, work: Callable[[psycopg.Connection], _T]) -> _T:
        """The work's result; done again where the connection was stale or another writer in the way."""
        with self._lock:
            for attempt in range(_ATTEMPTS):
                connection = self.connection()
                try:
                    return work(connection)
                except psycopg.Error as error:
                    if attempt == _ATTEMPTS - 1 or not _worth_repeating(connection, error):
                        raise store_error(error, self._shown()) from error
            raise AssertionError  # the last attempt returns or raises

    def _shown(self) -> str:
        """The URL for a message: without starting anything."""
        if isinstance(self._url, str) or self._connection is None:
            return self._url if isinstance(self._url, str) else ""
        info = self._connection.info
        return f"host={info.host} port={info.port} dbname={info.dbname}"

    def _write(
        self,
        connection: psycopg.Connection,
        snapshot: Snapshot,
        digest: bytes,
        force: bool,
        source: Input | None,
    ) -> Written:
        ids, keys = self._dimensions, keys_of(snapshot)
        stream = ids.stream(connection, snapshot)
        series = ids.series(connection, stream, [key for part in keys.values() for key in part])
        grids = [grid_id(connection, d.edges, d.categories) for d in snapshot.distributions]
        expected = snapshot.window_start or snapshot.computed_at
        if expected:
            ids.ensure_month(connection, expected)
        with connection.transaction():
            written, time = claim(connection, stream, snapshot, digest, force=force)
            if written.result == "replaced":
                delete_rows(connection, [(time, written.snapshot_id)])
            if written.result in ("new", "replaced"):
                ids.ensure_month(connection, time)  # of a named batch: when it was first computed
                place = (time, written.snapshot_id)
                ids_of = {table: [series[key] for key in part] for table, part in keys.items()}
                copy_rows(connection, snapshot, place, ids_of, grids)
            window = (snapshot.window_start, snapshot.window_end)
            if source and window[0] and window[1] and written.result != "older":
                _keep_input(connection, snapshot.project, snapshot.evaluation, window, source)
        return written


def _worth_repeating(connection: psycopg.Connection, error: psycopg.Error) -> bool:
    return connection.closed or collided(error)


def _keep_input(
    connection: psycopg.Connection,
    project: str,
    evaluation: str,
    window: tuple[datetime | None, datetime | None],
    source: Input,
) -> None:
    names = (storable_text(source.entry), storable_text(evaluation))
    connection.execute(
        _KEEP_INPUT,
        (project_id(connection, storable_text(project)), *names, *window, source.fingerprint),
    )


def _keep_grids(
    connection: psycopg.Connection, project: str, model: str, grids: Mapping[str, Grid]
) -> dict[str, Grid]:
    project_key = project_id(connection, project)
    for column, grid in sorted(grids.items()):
        categories = grid.categories and tuple(storable_text(c) for c in grid.categories)
        kept = grid_id(connection, grid.edges, categories)
        connection.execute(_KEEP_GRID, (project_key, model, storable_text(column), kept))
    return {
        column: Grid(
            None if edges is None else tuple(edges),
            None if categories is None else tuple(categories),
        )
        for column, edges, categories in connection.execute(_GRIDS, (project_key, model))
    }
