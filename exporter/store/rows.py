"""The flat rows of a snapshot, into their tables by binary COPY, and out of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from exporter.errors import SnapshotError
from exporter.snapshot import (
    STATUSES,
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    Snapshot,
    canonical,
)
from exporter.store.copy import floats, microseconds, pack
from exporter.store.records import Key

TABLES = ("metric", "drift", "test", "distribution")
Keys = Mapping[str, Sequence[Key]]
_Place = tuple[datetime, int]  # the time and the id of a snapshot: what all its rows carry


def keys_of(snapshot: Snapshot) -> Keys:
    """The series of each row, table by table; a SnapshotError where two rows are one figure."""
    keys = {
        "metric": [
            Key("metric", r.metric, r.column, r.label, canonical(r.params), "", r.name or "")
            for r in snapshot.metrics
        ],
        "drift": [Key("drift", "column_drift", r.column, r.method, "{}") for r in snapshot.drift],
        "test": [
            Key("test", r.test, r.column, r.label, canonical(r.params), r.metric)
            for r in snapshot.tests
        ],
        "distribution": [
            Key("distribution", "", r.column, "", "{}") for r in snapshot.distributions
        ],
    }
    for part in keys.values():
        if len(set(part)) < len(part):
            _refuse_twice(part)
    return keys


def copy_rows(
    connection: psycopg.Connection,
    snapshot: Snapshot,
    place: _Place,
    ids: Mapping[str, Sequence[int]],
    grids: Sequence[int],
) -> None:
    """Write all rows of a snapshot, their series' ids table by table; who calls holds its lock and has deleted what was there."""
    _copy_metrics(connection, snapshot.metrics, place, ids["metric"])
    _copy_drift(connection, snapshot.drift, place, ids["drift"])
    _copy_tests(connection, snapshot.tests, place, ids["test"])
    _copy_distributions(connection, snapshot.distributions, place, ids["distribution"], grids)


def delete_rows(connection: psycopg.Connection, places: Sequence[_Place]) -> None:
    """Delete all rows of snapshots; their time says in which partitions they lie."""
    times, ids = [time for time, _ in places], [snapshot_id for _, snapshot_id in places]
    for table in TABLES:
        connection.execute(
            f"delete from evaluation.{table} r"  # noqa: S608  table names are ours
            " using unnest(%s::timestamptz[], %s::int[]) o(time, snapshot_id)"
            " where r.snapshot_id = o.snapshot_id and r.time = o.time"
            " and r.time >= %s and r.time <= %s",
            (times, ids, min(times), max(times)),
        )


def _refuse_twice(part: Sequence[Key]) -> None:
    seen: set[Key] = set()
    for key in part:
        if key in seen:
            raise SnapshotError(
                f"{key.kind} {key.name!r} of column {key.column!r} is given twice:"
                " give one of them a `name:`"
            )
        seen.add(key)


def _copy_metrics(
    connection: psycopg.Connection, metrics: Sequence[MetricRow], place: _Place, ids: Sequence[int]
) -> None:
    """Numbers packed by numpy; the few rows with a text or without `n` one by one."""
    time, snapshot_id = place
    plain = [r.error is None and r.n is not None for r in metrics]
    rows = [r for r, fine in zip(metrics, plain, strict=True) if fine]
    if rows:
        series = [i for i, fine in zip(ids, plain, strict=True) if fine]
        data = pack(
            [
                np.full(len(rows), microseconds(time)),
                floats([r.value for r in rows]),
                floats([r.reference for r in rows]),
                floats([r.low for r in rows]),
                floats([r.high for r in rows]),
                np.array([r.n for r in rows], dtype=np.int64),
                np.full(len(rows), snapshot_id, dtype=np.int32),
                np.array(series, dtype=np.int32),
            ]
        )
        target = "metric(time, value, reference, low, high, n, snapshot_id, series_id)"
        with connection.cursor().copy(_into(target)) as copy:
            copy.write(data)
    _copy(
        connection,
        "metric(time, value, reference, low, high, n, snapshot_id, series_id, error)",
        "timestamptz float8 float8 float8 float8 int8 int4 int4 text",
        [
            (time, r.value, r.reference, r.low, r.high, r.n, snapshot_id, i, r.error)
            for r, i, fine in zip(metrics, ids, plain, strict=True)
            if not fine
        ],
    )


def _copy_drift(
    connection: psycopg.Connection, drift: Sequence[DriftRow], place: _Place, ids: Sequence[int]
) -> None:
    time, snapshot_id = place
    _copy(
        connection,
        "drift(time, score, threshold, severity, low, high, n, reference_n, snapshot_id, series_id,"
        " drifted, type, contributions, error)",
        "timestamptz float8 float8 float8 float8 float8 int8 int8 int4 int4 bool text jsonb text",
        [
            (
                *(time, r.score, r.threshold, r.severity, r.low, r.high, r.n, r.reference_n),
                *(snapshot_id, i, r.drifted, r.type),
                None if r.contributions is None else Jsonb(r.contributions),
                r.error,
            )
            for r, i in zip(drift, ids, strict=True)
        ],
    )


def _copy_tests(
    connection: psycopg.Connection, tests: Sequence[CheckResult], place: _Place, ids: Sequence[int]
) -> None:
    time, snapshot_id = place
    _copy(
        connection,
        "test(time, value, lower, upper, snapshot_id, series_id, status, critical, message, alert)",
        "timestamptz float8 float8 float8 int4 int4 int2 bool text jsonb",
        [
            (
                *(time, r.value, r.lower, r.upper, snapshot_id, i),
                *(STATUSES.index(r.status), r.critical, r.message),
                None if r.alert is None else Jsonb(asdict(r.alert)),
            )
            for r, i in zip(tests, ids, strict=True)
        ],
    )


def _copy_distributions(
    connection: psycopg.Connection,
    distributions: Sequence[Distribution],
    place: _Place,
    ids: Sequence[int],
    grids: Sequence[int],
) -> None:
    time, snapshot_id = place
    _copy(
        connection,
        "distribution(time, snapshot_id, series_id, grid_id, current, reference)",
        "timestamptz int4 int4 int4 int8[] int8[]",
        [
            (
                *(time, snapshot_id, i, grid, list(r.current)),
                None if r.reference is None else list(r.reference),
            )
            for r, i, grid in zip(distributions, ids, grids, strict=True)
        ],
    )


def _copy(
    connection: psycopg.Connection, target: str, types: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        with connection.cursor().copy(_into(target)) as copy:
            copy.set_types(types.split())
            for row in rows:
                copy.write_row(row)


def _into(target: str) -> str:
    return f"copy evaluation.{target} from stdin (format binary)"
