"""The store beside rows by autocommit; and what a dashboard waits for among 24 million rows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import psycopg

from benchmarks.measure import Result
from exporter.snapshot import MetricRow, Snapshot
from exporter.store import Store, migrate
from exporter.store.embedded import EmbeddedPostgres

MODELS, COLUMNS, METRICS, DAYS = 5, 100, 20, 100
POINTS = COLUMNS * METRICS
ROWS = MODELS * POINTS * DAYS * 24
HOUR = timedelta(hours=1)
FIRST = datetime(2026, 7, 1, tzinfo=UTC)
WRITERS = 2  # of the rows among which is read
WRITES, AUTOCOMMITS, READS = 60, 100, 30
# More memory than the embedded server takes: what a server of this size would be given.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}

_DIMENSIONS = """
insert into evaluation.project(name) values ('bench');
insert into evaluation.stream(project_id, model, evaluation, key)
select project_id, 'model ' || m, 'inputs', md5('s' || m)::uuid
from evaluation.project, generate_series(1, {models}) m;
insert into evaluation.series(stream_id, kind, name, column_name, key)
select stream_id, 'metric', 'metric_' || m, 'column_' || c, md5(m || ' ' || c)::uuid
from evaluation.stream, generate_series(1, {columns}) c, generate_series(1, {metrics}) m
order by stream_id, c, m;
select evaluation.ensure_partitions(%(first)s::timestamptz + d * interval '1 day')
from generate_series(0, {days}, 20) d;
insert into evaluation.snapshot(stream_id, time, window_start, window_end, computed_at,
                                confirmed_at, content_hash, rows, status)
select stream_id, t, t, t + interval '1 hour', t + interval '1 hour', t + interval '1 hour',
       '', 1000, 'success'
from generate_series(%(first)s::timestamptz, %(first)s::timestamptz + interval '{days} days'
                     - interval '1 hour', interval '1 hour') t, evaluation.stream
order by t, stream_id;
select evaluation.analyze_dimensions();
"""
_DAY = """
insert into evaluation.metric(time, value, reference, n, snapshot_id, series_id)
select s.time, random(), 0.5, 1000, s.snapshot_id, se.series_id
from evaluation.snapshot s join evaluation.series se using (stream_id)
where s.time >= %(day)s and s.time < %(day)s + interval '1 day'
order by s.snapshot_id, se.series_id
"""
_ROW = (
    "insert into evaluation.metric(time, value, reference, n, snapshot_id, series_id)"
    " values (%s, %s, %s, %s, %s, %s)"
)
_NAMES = "project = 'bench' and model = 'model 3' and evaluation = 'inputs' and segment = ''"
_SERIES = (
    "select time, value from grafana.metrics where time >= %(start)s and time < %(end)s"
    f" and {_NAMES} and metric = 'metric_7' and column_name = 'column_42' order by time"
)
_TOP = (
    "select column_name, avg(value) from grafana.metrics where time >= %(week)s"
    f" and time < %(end)s and {_NAMES} and metric = 'metric_1' group by 1 order by 2 desc limit 20"
)
_LATEST = (
    "select model, metric, column_name, label, value from grafana.latest_metrics"
    " where project = 'bench'"
)


def main() -> None:
    """Print a line for each measurement; the database is made for it, and deleted in the end."""
    with TemporaryDirectory(prefix="exporter-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # the server of root runs as somebody else
        with EmbeddedPostgres(place / "postgres", SETTINGS) as server:
            migrate(server.url)
            _fill(server.url)
            fsync = _fsync(server.root)
            _writing(server.url, f"one fsync takes {fsync:.2f} ms")
            _reading(server.url)


def _fill(url: str) -> None:
    """All rows in the order in which they would arrive, with every index in place."""
    print(f"  writing {ROWS:,} rows", file=sys.stderr, flush=True)
    sizes = {"models": MODELS, "columns": COLUMNS, "metrics": METRICS, "days": DAYS}
    start = perf_counter()
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        for statement in _DIMENSIONS.format(**sizes).split(";")[:-1]:
            connection.execute(statement, {"first": FIRST})
        with ThreadPoolExecutor(WRITERS) as pool:
            share = DAYS // WRITERS
            list(pool.map(lambda first: _fill_days(url, first, share), range(0, DAYS, share)))
        connection.execute("vacuum (analyze) evaluation.metric")
        connection.execute("checkpoint")
    print(f"  written in {perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def _fill_days(url: str, first: int, days: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        for day in range(first, first + days):
            connection.execute(_DAY, {"day": FIRST + day * 24 * HOUR})


def _writing(url: str, note: str) -> None:
    """A stream that is known, one new window after the other; rows by autocommit in between."""
    ours, peers = [], []
    with Store(url) as store, psycopg.connect(url, autocommit=True) as connection:
        for number in range(WRITES + 1):
            one = _snapshot(number)
            start = perf_counter()
            assert store.write(one).result == "new"
            ours.append(1e3 * (perf_counter() - start))
            peers.append(1e3 * _autocommit(connection, number) * POINTS)
        connection.execute("delete from evaluation.metric where snapshot_id < 0")
    mine, theirs = median(ours[1:]), median(peers[1:])
    name = "store a snapshot of 2,000 points"
    Result(name, mine, theirs, None, "ms", f"{note}; the first of a stream {ours[0]:.0f} ms").say()
    Result(f"{name}, over rows by autocommit", mine, theirs, theirs / mine, "ms", note).say()


def _snapshot(number: int) -> Snapshot:
    start = FIRST + (DAYS * 24 + number) * HOUR
    metrics = [
        MetricRow(f"metric_{m}", f"column_{c}", value=number + c / m, reference=0.5, n=1000)
        for c in range(1, COLUMNS + 1)
        for m in range(1, METRICS + 1)
    ]
    return Snapshot(
        rows=1000,
        project="bench",
        model="written",
        evaluation="inputs",
        window_start=start,
        window_end=start + HOUR,
        computed_at=start + HOUR,
        metrics=metrics,
    )


def _autocommit(connection: psycopg.Connection, number: int) -> float:
    """The seconds that one row takes."""
    at = FIRST + (DAYS * 24 + number) * HOUR
    start = perf_counter()
    for row in range(AUTOCOMMITS):
        connection.execute(_ROW, (at, 0.1, 0.5, 1000, -1 - number, row))
    return (perf_counter() - start) / AUTOCOMMITS


def _reading(url: str) -> None:
    end = FIRST + DAYS * 24 * HOUR
    times = {"start": end - 720 * HOUR, "week": end - 168 * HOUR, "end": end}
    with psycopg.connect(url, autocommit=True, options="-c jit=off") as connection:
        connection.execute("delete from evaluation.stream where model = 'written'")

        def asked(query: str) -> Callable[[], int]:
            return lambda: len(connection.execute(query, times).fetchall())

        for name, query, rows in (
            ("read one series of 30 days among 24M rows", _SERIES, 720),
            ("read the top 20 columns of 7 days among 24M rows", _TOP, 20),
            ("read the latest of 10,000 series among 24M rows", _LATEST, MODELS * POINTS),
        ):
            taken = sorted(_timed(asked(query), rows))
            note = f"{rows:,} rows by text names through the view; the slowest of {len(taken)}: {taken[-1]:.1f} ms"
            Result(name, median(taken), None, None, "ms", note).say()


def _timed(work: Callable[[], int], rows: int) -> Iterator[float]:
    """The milliseconds of each turn; the first one warms up."""
    for turn in range(READS + 1):
        start = perf_counter()
        found = work()
        taken = 1e3 * (perf_counter() - start)
        if found != rows:
            raise SystemExit(f"{found} rows were read instead of {rows}")
        if turn:
            yield taken


def _fsync(folder: Path) -> float:
    """The milliseconds that the disk takes to keep a page."""
    taken = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(bytes(8192))
            start = perf_counter()
            os.fsync(file.fileno())
            taken.append(1e3 * (perf_counter() - start))
    (folder / "fsync").unlink()
    return median(taken)


if __name__ == "__main__":
    main()
