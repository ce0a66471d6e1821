"""Ids of projects, streams, series, grids and months: looked up once, made where they are missing."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from exporter.errors import SnapshotError, StoreError
from exporter.snapshot import Snapshot, canonical
from exporter.store.records import Key

_CACHED_STREAMS = 256
_FIND_SERIES = (
    "select kind, name, column_name, label, params, metric, given_name, series_id"
    " from evaluation.series where stream_id = %s"
)
_ADD_SERIES = (
    "insert into evaluation.series"
    "(stream_id, kind, name, column_name, label, params, metric, given_name, key)"
    " select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[],"
    " %s::text[], %s::text[], %s::uuid[]) on conflict do nothing"
)
_SERIES_BY_KEY = (
    "select key, series_id from evaluation.series where stream_id = %s and key = any(%s)"
)
_FEW = (
    "select evaluation.analyze_dimensions() where"
    " (select reltuples from pg_class where oid = 'evaluation.series'::regclass) < %s"
)


class Dimensions:
    """Ids by name, remembered by a process; `forget` when the database says that one is gone."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, UUID], int] = {}
        self._series: OrderedDict[int, dict[Key, int]] = OrderedDict()
        self._months: set[str] = set()

    def forget(self) -> None:
        """Look everything up again: retention took away what this process remembered."""
        self._streams.clear()
        self._series.clear()
        self._months.clear()

    def stream(self, connection: psycopg.Connection, snapshot: Snapshot) -> int:
        """The id of a snapshot's stream, made in a short transaction of its own."""
        names = (snapshot.model, snapshot.evaluation, snapshot.segment)
        key = (snapshot.project, _uuid(*names, canonical(snapshot.stream)))
        if key not in self._streams:
            with connection.transaction():
                found = _stream(connection, snapshot, key[1])
            self._streams[key] = found
        return self._streams[key]

    def series(
        self, connection: psycopg.Connection, stream_id: int, keys: Sequence[Key]
    ) -> Mapping[Key, int]:
        """The ids of a stream's series, missing ones made."""
        known = self._series.get(stream_id)
        if known is None:
            known = _known_series(connection, stream_id)
        missing = sorted(set(keys) - known.keys())
        if missing:
            known.update(_add_series(connection, stream_id, missing))
        self._series[stream_id] = known
        self._series.move_to_end(stream_id)
        if len(self._series) > _CACHED_STREAMS:
            self._series.popitem(last=False)
        return known

    def ensure_month(self, connection: psycopg.Connection, at: datetime) -> None:
        """Make the partitions that hold this moment."""
        month = at.astimezone(UTC).strftime("%Y%m")
        if month not in self._months:
            connection.execute("select evaluation.ensure_partitions(%s)", (at,))
            self._months.add(month)


def project_id(connection: psycopg.Connection, name: str) -> int:
    """The id of a project, made where it is missing."""
    find = "select project_id from evaluation.project where name = %s"
    row = connection.execute(find, (name,)).fetchone()
    if row is None:
        connection.execute(
            "insert into evaluation.project(name) values (%s) on conflict do nothing", (name,)
        )
        row = one(connection.execute(find, (name,)))
    return int(row[0])


def grid_id(
    connection: psycopg.Connection, edges: Sequence[float] | None, categories: Sequence[str] | None
) -> int:
    """The id of edges or categories, which snapshots share."""
    if (edges is None) == (categories is None):
        raise SnapshotError("a distribution needs either edges or categories")
    lists = [None if part is None else list(part) for part in (edges, categories)]
    digest = sha256(json.dumps(lists).encode()).digest()
    find = "select grid_id from evaluation.grid where hash = %s"
    row = connection.execute(find, (digest,)).fetchone()
    if row is None:
        connection.execute(
            "insert into evaluation.grid(hash, edges, categories) values (%s, %s, %s)"
            " on conflict do nothing",
            (digest, *lists),
        )
        row = one(connection.execute(find, (digest,)))
    return int(row[0])


def one(cursor: psycopg.Cursor) -> tuple[Any, ...]:
    """The row that must be there."""
    row = cursor.fetchone()
    if row is None:
        raise StoreError("the store lost a row that was just written: try again")
    return row


def _stream(connection: psycopg.Connection, snapshot: Snapshot, key: UUID) -> int:
    project = project_id(connection, snapshot.project)
    find = "select stream_id from evaluation.stream where project_id = %s and key = %s"
    row = connection.execute(find, (project, key)).fetchone()
    if row is None:
        label = ", ".join(f"{name}={value}" for name, value in snapshot.stream.items())
        connection.execute(
            "insert into evaluation.stream"
            "(project_id, model, evaluation, segment, tags, label, key)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            (
                project,
                snapshot.model,
                snapshot.evaluation,
                snapshot.segment,
                Jsonb(snapshot.stream),
                label,
                key,
            ),
        )
        row = one(connection.execute(find, (project, key)))
    return int(row[0])


def _known_series(connection: psycopg.Connection, stream_id: int) -> dict[Key, int]:
    return {
        Key(kind, name, column, label, canonical(params), metric, given): series_id
        for kind, name, column, label, params, metric, given, series_id in connection.execute(
            _FIND_SERIES, (stream_id,)
        )
    }


def _add_series(
    connection: psycopg.Connection, stream_id: int, missing: Sequence[Key]
) -> dict[Key, int]:
    """A short transaction of its own, in sorted order: no deadlocks, no long locks."""
    keys = [_uuid(*key) for key in missing]
    columns = [list(column) for column in zip(*missing, strict=True)]
    with connection.transaction():
        connection.execute(_ADD_SERIES, (stream_id, *columns, keys))
        found: dict[UUID, int] = dict(
            connection.execute(_SERIES_BY_KEY, (stream_id, keys)).fetchall()
        )
    connection.execute(_FEW, (10 * len(missing),))
    return {key: found[uuid] for key, uuid in zip(missing, keys, strict=True)}


def _uuid(*parts: str) -> UUID:
    return UUID(bytes=sha256(json.dumps(parts).encode()).digest()[:16])
