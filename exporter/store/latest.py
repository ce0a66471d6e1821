"""The latest window of each stream; the second time only of those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from exporter.errors import ExporterError
from exporter.snapshot import STATUSES, Status
from exporter.store.connection import connect, store_error
from exporter.store.records import Key


class DriftFigure(NamedTuple):
    """One column's drift; what could not be computed is None."""

    series_id: int
    score: float | None
    severity: float | None
    drifted: bool | None


class CheckFigure(NamedTuple):
    """One test; `streak` is for how many windows in a row it has failed, with this one.

    `alert` is the severity of what it tells somebody now; "" where it tells nobody.
    """

    series_id: int
    status: Status
    critical: bool
    lower: float | None
    upper: float | None
    streak: int
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """What stays the same from window to window; `tags` are those that tell streams apart.

    The addresses are those of report pages and of Grafana; empty where nobody said.
    """

    stream_id: int
    project: str
    model: str
    evaluation: str
    segment: str
    tags: Mapping[str, str]
    exporter_url: str = ""
    grafana_url: str = ""


@dataclass(frozen=True, slots=True)
class Latest:
    """A stream's latest snapshot, its figures by series id; those without a value are left out."""

    stream: Stream
    window_start: datetime | None
    window_end: datetime | None
    computed_at: datetime
    tags: Mapping[str, str]
    rows: int
    reference_rows: int | None
    labelled_rows: int | None
    figures_failed: int
    wait: float | None  # seconds after its end that a window is due
    counts: Mapping[Status, int]  # of tests
    metrics: Sequence[tuple[int, float]]
    drift: Sequence[DriftFigure]
    tests: Sequence[CheckFigure]


class Never(NamedTuple):
    """An evaluation of a config that never had a batch."""

    project: str
    model: str
    evaluation: str
    due: datetime  # by when it should have had one


class News(NamedTuple):
    """What is not as it was at the last look."""

    everything: bool  # nothing that was known before counts any longer
    changed: Sequence[int]  # streams; one that is not among `latest` has no snapshot left
    latest: Sequence[Latest]
    test_alert: bool = False  # somebody asked for one, to see whether it arrives
    never: Sequence[Never] = ()  # all that there are, whatever changed


_KNOWN = (
    "window_start", "window_end", "computed_at", "tags",
    "rows", "reference_rows", "labelled_rows", "figures_failed",
)  # fmt: skip
_CHUNK = 100  # streams read by one statement: a fleet's first look stays below the timeout
_TEST_ALERT = "select exists (select from evaluation.test_alert where until > now())"
_NEVER = "select project, model, evaluation, due from grafana.never_evaluated order by 1, 2, 3"
_HORIZON = "select pg_snapshot_xmin(pg_current_snapshot())::text"
# A transaction that was open at the last look has an id below others that were seen: all from the
# oldest open one on are looked at again, and those that were seen as they are now are passed over.
_CHANGED = (
    "select stream_id, snapshot_id, changed::text"
    " from evaluation.snapshot where changed >= %s::text::xid8"
)
_MISSING = (
    "select k.id from unnest(%s::int[]) k(id)"
    " where not exists (select from evaluation.snapshot s where s.snapshot_id = k.id)"
)
_HEADS = (
    "select st.stream_id, p.name, st.model, st.evaluation, st.segment, st.tags,"
    " l.snapshot_id, l.time, l.window_start, l.window_end, l.computed_at, l.tags, l.rows,"
    " l.reference_rows, l.labelled_rows, l.figures_failed,"
    " l.tests_success, l.tests_warning, l.tests_fail, l.tests_error, l.tests_skipped,"
    " case jsonb_typeof(l.metadata -> 'wait_seconds') when 'number'"
    "  then least((l.metadata ->> 'wait_seconds')::numeric, 1e9)::float8 end, p.exporter_url, p.grafana_url"
    " from evaluation.stream st join evaluation.project p using (project_id) cross join lateral ("
    "  select * from evaluation.snapshot s where s.stream_id = st.stream_id"
    "  and s.deleted_at is null order by s.time desc, s.computed_at desc limit 1) l"
    " where %(ids)s::int[] is null or st.stream_id = any(%(ids)s::int[]) order by st.stream_id"
)
_WANTED = "with u as materialized (select * from unnest(%s::int[], %s::timestamptz[]) w(id, time)) "
_METRICS = (
    "select u.id, array_agg(r.series_id order by r.series_id),"
    " array_agg(r.value order by r.series_id) from u cross join lateral"
    " (select series_id, value from evaluation.metric m"
    " where m.snapshot_id = u.id and m.time = u.time and m.value is not null offset 0) r"
    " group by u.id"
)
_DRIFT = (
    "select u.id, r.series_id, r.score, r.severity, r.drifted from u cross join lateral"
    " (select series_id, score, severity, drifted from evaluation.drift d"
    " where d.snapshot_id = u.id and d.time = u.time offset 0) r order by r.series_id"
)
# A success ends a streak; what was skipped neither ends it nor counts.
_TESTS = (
    "select u.id, r.series_id, r.status, r.critical, r.lower, r.upper,"
    " case when r.status in (1, 2, 3) then (select count(distinct o.time) from evaluation.test o"
    "  where o.series_id = r.series_id and o.status in (1, 2, 3) and o.time <= r.time"
    "  and o.time > coalesce((select max(b.time) from evaluation.test b"
    "   where b.series_id = r.series_id and b.status = 0 and b.time < r.time), '-infinity'))"
    " else 0 end,"
    " case when r.status = 4 or (r.status = 0 and r.alert is null)"
    "  or coalesce(r.alert ->> 'severity', '') = 'none' then ''"
    " when (select count(*) filter (where w.failed) from (select bool_or(o.status in (1, 2, 3)) as failed"
    "  from evaluation.test o where o.series_id = r.series_id and o.status <> 4 and o.time <= r.time"
    "  group by o.time order by o.time desc limit coalesce((r.alert ->> 'windows')::int, 1)) w)"
    "  >= coalesce((r.alert ->> 'failures')::int, 1)"
    " then coalesce(r.alert ->> 'severity', case when r.critical then 'page' else 'warning' end)"
    " else '' end from u cross join lateral (select * from evaluation.test t"
    " where t.snapshot_id = u.id and t.time = u.time offset 0) r order by r.series_id"
)
_SERIES = (
    "select series_id, kind, name, column_name, label, params::text, metric, given_name"
    " from evaluation.series where series_id = any(%s)"
)


class LatestReader:
    """Reads the latest snapshots over a connection of its own; for one thread.

    `series` holds the names of every series that was given. A new connection may lead to another
    database, or to one that was restored: then everything is read anew.
    """

    def __init__(self, url: str | Callable[[], str]) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._place = ""  # of the open connection, for messages
        self._seen: str | None = None
        self._rows: set[tuple[int, int, str]] = set()  # seen: stream, snapshot, transaction
        self._heads: dict[int, int] = {}  # the snapshot that was given of each stream
        self.series: dict[int, Key] = {}

    def close(self) -> None:
        """Close the connection; the next look opens another, and reads everything."""
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None

    def look(self) -> News:
        """What changed since the last look, everything at the first.

        Raises StoreAway where the database does not answer, StoreError where it refuses us.
        """
        try:
            connection = self._open()
            with connection.transaction():
                return self._look(connection)
        except psycopg.Error as error:
            self.close()
            raise store_error(error, self._place) from error
        except ExporterError:
            self.close()
            raise

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._place = self._url if isinstance(self._url, str) else self._url()
            self._connection = connect(self._place, statement_timeout="30s")
            self._connection.execute("set jit = off")
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
            self._seen = None
            for known in (self._rows, self._heads, self.series):
                known.clear()
        return self._connection

    def _look(self, connection: psycopg.Connection) -> News:
        horizon = _first(connection.execute(_HORIZON))
        everything = self._seen is None
        since = horizon if everything else self._seen
        rows: set[tuple[int, int, str]] = set(connection.execute(_CHANGED, (since,)).fetchall())
        changed = [] if everything else self._changed(connection, rows)
        latest: list[Latest] = []
        if everything or changed:
            heads = connection.execute(_HEADS, {"ids": None if everything else changed}).fetchall()
            latest = list(self._read(connection, heads))
            for stream_id in changed:
                self._heads.pop(stream_id, None)
            self._heads.update({head[0]: head[6] for head in heads})
        self._seen, self._rows = horizon, rows
        test_alert = _first(connection.execute(_TEST_ALERT)) == "True"
        never = tuple(Never(*row) for row in connection.execute(_NEVER))
        return News(everything, changed, latest, test_alert, never)

    def _changed(
        self, connection: psycopg.Connection, rows: set[tuple[int, int, str]]
    ) -> list[int]:
        """Streams that were written to or deleted from, and those whose snapshot retention took."""
        changed = {stream for stream, _, _ in rows - self._rows}
        known = {snapshot_id: stream_id for stream_id, snapshot_id in self._heads.items()}
        for (snapshot_id,) in connection.execute(_MISSING, (list(known),)):
            changed.add(known[snapshot_id])
        return sorted(changed)

    def _read(
        self, connection: psycopg.Connection, heads: Sequence[Sequence[Any]]
    ) -> Iterable[Latest]:
        for chunk in _chunks(heads):
            where = ([head[6] for head in chunk], [head[7] for head in chunk])
            metrics = {
                snapshot_id: list(zip(ids, values, strict=True))
                for snapshot_id, ids, values in connection.execute(
                    _WANTED + _METRICS, where, binary=True
                )
            }
            drift: dict[int, list[DriftFigure]] = {}
            for snapshot_id, *row in connection.execute(_WANTED + _DRIFT, where, binary=True):
                drift.setdefault(snapshot_id, []).append(DriftFigure(*row))
            tests: dict[int, list[CheckFigure]] = {}
            for snapshot_id, series_id, status, *row in connection.execute(
                _WANTED + _TESTS, where, binary=True
            ):
                critical, lower, upper, streak, alert = row
                tests.setdefault(snapshot_id, []).append(
                    CheckFigure(series_id, STATUSES[status], critical, lower, upper, streak, alert)
                )
            self._learn(connection, (*metrics.values(), *drift.values(), *tests.values()))
            for head in chunk:
                parts = (part.get(head[6], ()) for part in (metrics, drift, tests))
                yield _latest(head, *parts)

    def _learn(
        self, connection: psycopg.Connection, parts: Iterable[Sequence[tuple[Any, ...]]]
    ) -> None:
        """Look up the names of series that were not met before."""
        unknown = {row[0] for part in parts for row in part} - self.series.keys()
        if unknown:
            for series_id, *key in connection.execute(_SERIES, (sorted(unknown),), binary=True):
                self.series[series_id] = Key(*key)


def _chunks(heads: Sequence[Sequence[Any]]) -> Iterable[Sequence[Sequence[Any]]]:
    return (heads[start : start + _CHUNK] for start in range(0, len(heads), _CHUNK))


def _first(cursor: psycopg.Cursor) -> str:
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _latest(head: Sequence[Any], metrics: Any, drift: Any, tests: Any) -> Latest:
    counts = dict(zip(STATUSES, head[16:21], strict=True))
    known = dict(zip(_KNOWN, head[8:16], strict=True))
    stream = Stream(*head[:6], *head[22:24])
    return Latest(
        stream, **known, wait=head[21], counts=counts, metrics=metrics, drift=drift, tests=tests
    )
