"""The latest window of each stream, and whether anything changed since the last look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from exporter.snapshot import STATUSES
from exporter.store.postgres import Key


@dataclass(frozen=True, slots=True)
class Stream:
    """What stays the same from window to window."""

    stream_id: int
    project: str
    model: str
    evaluation: str
    segment: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Latest:
    """A stream's latest snapshot, its figures by series id."""

    stream: Stream
    window_start: datetime | None
    window_end: datetime | None
    computed_at: datetime
    status: str
    tags: Mapping[str, Any]
    reference_rows: int | None
    figures_failed: int
    tests: Mapping[str, int]
    metrics: Sequence[tuple[int, float]]
    drift: Sequence[tuple[int, float | None, float | None, bool | None]]
    checks: Sequence[
        tuple[int, int, float | None, float | None, int]
    ]  # series, status, lower, upper, streak


_SNAPSHOTS = """
select st.stream_id, p.name, st.model, st.evaluation, st.segment, st.tags, l.snapshot_id, l.time, l.window_start, l.window_end, l.computed_at, l.status, l.tags,
       l.reference_rows, l.figures_failed, l.tests_success, l.tests_warning, l.tests_fail, l.tests_error, l.tests_skipped
from evaluation.stream st join evaluation.project p using (project_id)
cross join lateral (select * from evaluation.snapshot s where s.stream_id = st.stream_id and s.deleted_at is null
                    order by s.time desc, s.computed_at desc limit 1) l
where %(ids)s::int[] is null or st.stream_id = any(%(ids)s::int[])"""
_ROWS = """
select u.snapshot_id, array_agg(m.series_id), array_agg(m.value) from unnest(%s::int[], %s::timestamptz[]) u(snapshot_id, time)
cross join lateral (select series_id, value from evaluation.metric m where m.snapshot_id = u.snapshot_id and m.time = u.time and m.value is not null offset 0) m group by 1"""
_DRIFT = """
select d.* from unnest(%s::int[], %s::timestamptz[]) u(snapshot_id, time)
cross join lateral (select snapshot_id, series_id, score, severity, drifted from evaluation.drift d where d.snapshot_id = u.snapshot_id and d.time = u.time offset 0) d"""
_TESTS = """
select t.snapshot_id, t.series_id, t.status, t.lower, t.upper, case when t.status in (2, 3) then
  (select count(*) from evaluation.test o where o.series_id = t.series_id and o.status in (2, 3) and o.time <= t.time
   and o.time > coalesce((select max(b.time) from evaluation.test b where b.series_id = t.series_id and b.status in (0, 1) and b.time < t.time), '-infinity')) else 0 end
from unnest(%s::int[], %s::timestamptz[]) u(snapshot_id, time)
cross join lateral (select * from evaluation.test t where t.snapshot_id = u.snapshot_id and t.time = u.time offset 0) t"""


class LatestReader:
    """Reads the latest snapshots; the second time only those of streams that changed."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None
        self._seen: str | None = None
        self.series: dict[int, Key] = {}

    def changed(self) -> list[int] | None:
        """Streams written or deleted since the last call; None means all. A transaction that was open last time is looked at again."""
        connection = self._open()
        seen = self._seen
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            self._pending = connection.execute(
                "select pg_snapshot_xmin(pg_current_snapshot())::text"
            ).fetchone()[0]  # type: ignore[index]
            if seen is None:
                return None
            rows = connection.execute(
                "select distinct stream_id from evaluation.snapshot where changed >= %s::text::xid8 and changed < pg_snapshot_xmax(pg_current_snapshot())",
                (seen,),
            )
            return [row[0] for row in rows]

    def read(self, streams: Sequence[int] | None) -> list[Latest]:
        """The latest snapshots of these streams; a stream without one is left out."""
        connection = self._open()
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read, read only")
            heads = connection.execute(
                _SNAPSHOTS, {"ids": None if streams is None else list(streams)}
            ).fetchall()
            where = ([h[6] for h in heads], [h[7] for h in heads])
            metrics = {
                s: list(zip(ids, values, strict=True))
                for s, ids, values in connection.execute(_ROWS, where, binary=True)
            }
            drift: dict[int, list[Any]] = {}
            for snapshot_id, *row in connection.execute(_DRIFT, where, binary=True):
                drift.setdefault(snapshot_id, []).append(tuple(row))
            checks: dict[int, list[Any]] = {}
            for snapshot_id, *row in connection.execute(_TESTS, where, binary=True):
                checks.setdefault(snapshot_id, []).append(tuple(row))
            wanted = {
                row[0]
                for rows in (*metrics.values(), *drift.values(), *checks.values())
                for row in rows
            } - self.series.keys()
            if wanted:
                for series_id, *key in connection.execute(
                    "select series_id, kind, name, column_name, label, params::text from evaluation.series where series_id = any(%s)",
                    (sorted(wanted),),
                    binary=True,
                ):
                    self.series[series_id] = Key(*key)
        self._seen = self._pending
        return [_latest(head, metrics, drift, checks) for head in heads]

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=5,
                options="-c timezone=UTC -c statement_timeout=5s -c jit=off",
            )
        return self._connection


def _latest(
    head: Sequence[Any],
    metrics: Mapping[int, Any],
    drift: Mapping[int, Any],
    checks: Mapping[int, Any],
) -> Latest:
    snapshot_id = head[6]
    start, end, computed_at, status, tags, reference_rows, failed = head[8:15]
    tests = dict(zip(STATUSES, head[15:20], strict=True))
    return Latest(
        Stream(*head[:6]),
        start,
        end,
        computed_at,
        status,
        tags,
        reference_rows,
        failed,
        tests,
        metrics.get(snapshot_id, ()),
        drift.get(snapshot_id, ()),
        checks.get(snapshot_id, ()),
    )
