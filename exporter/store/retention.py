"""What is older than a project keeps it: whole months by dropping partitions, the rest in batches."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg

from exporter.store.dimensions import project_id
from exporter.store.rows import delete_rows

FOR_EVER = timedelta(days=365 * 1000)  # as the column's default
PATIENCE = "2s"  # how long readers and writers are kept waiting for a month to be dropped
BATCH = 200  # snapshots deleted in one transaction
_KEEP = "update evaluation.project set keep_metrics = %s, keep_distributions = %s where name = %s"
_OLD = (
    "select s.time, s.snapshot_id from evaluation.snapshot s"
    " join evaluation.stream using (stream_id) join evaluation.project p using (project_id)"
    " where p.name = %s and s.time < %s order by s.time, s.snapshot_id limit %s for update of s"
)
_OLD_DISTRIBUTIONS = (
    "delete from evaluation.distribution d using ("
    " select distinct d.time, d.snapshot_id from evaluation.distribution d"
    " join evaluation.snapshot s on s.snapshot_id = d.snapshot_id"
    " join evaluation.stream using (stream_id) join evaluation.project p using (project_id)"
    " where p.name = %s and d.time < %s limit %s) o"
    " where d.snapshot_id = o.snapshot_id and d.time = o.time and d.time < %s"
)
_OLD_INPUTS = (
    "delete from evaluation.input i using evaluation.project p"
    " where i.project_id = p.project_id and p.name = %s and i.window_end < %s"
)
_EMPTY_STREAMS = (
    "select st.stream_id from evaluation.stream st join evaluation.project p using (project_id)"
    " where p.name = %s"
    " and not exists (select from evaluation.snapshot s where s.stream_id = st.stream_id)"
    " order by st.stream_id for update of st"
)
_FORGET_STREAMS = (
    "delete from evaluation.stream st where st.stream_id = any(%s)"
    " and not exists (select from evaluation.snapshot s where s.stream_id = st.stream_id)"
)


def retain(
    connection: psycopg.Connection,
    now: datetime,
    project: str,
    metrics: timedelta | None,
    distributions: timedelta | None,
) -> list[str]:
    """Apply a project's retention, None = for ever; the partitions dropped.

    Partitions are shared by all projects: one is dropped when no project wants it any longer;
    what a project with a shorter retention has in the others is deleted row by row. Months are
    kept whole, so that a day's run deletes nothing on most days.
    """
    metrics = metrics or FOR_EVER
    distributions = min(distributions or FOR_EVER, metrics)
    with connection.transaction():
        project_id(connection, project)
        connection.execute(_KEEP, (metrics, distributions, project))
    dropped = _drop_months(connection, now)
    _delete_snapshots(connection, project, _before(now, metrics))
    _delete_distributions(connection, project, _before(now, distributions))
    connection.execute(_OLD_INPUTS, (project, _before(now, metrics)))
    _forget_streams(connection, project)
    return dropped


def _drop_months(connection: psycopg.Connection, now: datetime) -> list[str]:
    """None where somebody reads them for long: everybody else would queue behind us. The next run does it."""
    with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
        connection.execute(f"set local lock_timeout = '{PATIENCE}'")
        rows = connection.execute("select evaluation.drop_partitions(%s)", (now,)).fetchall()
        return [str(name) for (name,) in rows]
    return []


def _delete_snapshots(connection: psycopg.Connection, project: str, before: datetime) -> None:
    """Tombstones as well: a window beyond retention is never due."""
    while True:
        with connection.transaction():
            old = connection.execute(_OLD, (project, before, BATCH)).fetchall()
            if not old:
                return
            delete_rows(connection, old)
            connection.execute(
                "delete from evaluation.snapshot where snapshot_id = any(%s)",
                ([snapshot_id for _, snapshot_id in old],),
            )


def _delete_distributions(connection: psycopg.Connection, project: str, before: datetime) -> None:
    while connection.execute(_OLD_DISTRIBUTIONS, (project, before, BATCH, before)).rowcount:
        pass


def _forget_streams(connection: psycopg.Connection, project: str) -> None:
    """Locked, then asked again: a writer may have put its first snapshot there while we waited."""
    with connection.transaction():
        empty = [number for (number,) in connection.execute(_EMPTY_STREAMS, (project,))]
        if empty:
            connection.execute(_FORGET_STREAMS, (empty,))


def _before(now: datetime, kept: timedelta) -> datetime:
    """The first instant (UTC) of the month that holds the oldest moment that is kept."""
    oldest = now.astimezone(UTC) - min(kept, now.astimezone(UTC) - datetime(1, 2, 1, tzinfo=UTC))
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
