"""What every panel waits for: a year of hourly batches of one model, among months of nineteen others."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

import exporter
from benchmarks.measure import ROOT, Result
from exporter.grafana import DASHBOARDS, as_json
from exporter.snapshot import Snapshot
from exporter.store import Store, migrate
from exporter.store.embedded import EmbeddedPostgres

sys.path.insert(0, str(ROOT / "tests"))
from grafana.expansion import asked, expanded, with_variables
from grafana.shown import choices, panels_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
END = datetime(2026, 11, 1, tzinfo=UTC)
HOURS, DAYS, OTHERS = 365 * 24, 30, 19
RANGES = {"a month": timedelta(days=30), "a year": timedelta(days=365)}
REPEATS = 3


# Copies of each model's first snapshot, shifted in time, their figures a little different.
_COPIES = """
select evaluation.ensure_partitions(%(end)s::timestamptz - i * interval '28 days') from generate_series(0, 14) i;
insert into evaluation.snapshot(stream_id, time, window_start, window_end, computed_at, confirmed_at, content_hash, rows,
  reference_rows, reference_kind, reference_hash, tags, stream_tags, status, tests_success, tests_warning, tests_fail,
  tests_error, tests_skipped, figures_failed, drifted_columns, tested_columns, metadata)
select s.stream_id, s.time - b, s.window_start - b, s.window_end - b, s.computed_at - b, s.confirmed_at - b, s.content_hash, s.rows,
  s.reference_rows, s.reference_kind, s.reference_hash, s.tags, s.stream_tags, s.status, s.tests_success, s.tests_warning, s.tests_fail,
  s.tests_error, s.tests_skipped, s.figures_failed, s.drifted_columns, s.tested_columns, s.metadata
from evaluation.snapshot s join evaluation.stream st using (stream_id),
  lateral (select i * %(length)s::interval as b from generate_series(1, %(count)s) i) x
where st.model = %(model)s;
insert into evaluation.metric(time, value, reference, n, snapshot_id, series_id, error)
select c.time, r.value * (0.9 + 0.2 * random()), r.reference, r.n, c.snapshot_id, r.series_id, r.error
from evaluation.stream st join evaluation.snapshot o on o.stream_id = st.stream_id
join evaluation.metric r on r.snapshot_id = o.snapshot_id
join evaluation.snapshot c on c.stream_id = st.stream_id and c.snapshot_id <> o.snapshot_id
where st.model = %(model)s order by c.time;
insert into evaluation.drift(time, score, threshold, severity, n, reference_n, snapshot_id, series_id, drifted, type, contributions, error)
select c.time, r.score, r.threshold, r.severity * (0.5 + random()), r.n, r.reference_n, c.snapshot_id, r.series_id, r.drifted, r.type, r.contributions, r.error
from evaluation.stream st join evaluation.snapshot o on o.stream_id = st.stream_id
join evaluation.drift r on r.snapshot_id = o.snapshot_id
join evaluation.snapshot c on c.stream_id = st.stream_id and c.snapshot_id <> o.snapshot_id
where st.model = %(model)s order by c.time;
insert into evaluation.test(time, value, lower, upper, snapshot_id, series_id, status, critical, message)
select c.time, r.value, r.lower, r.upper, c.snapshot_id, r.series_id, case when random() < 0.02 then 2 else r.status end, r.critical, r.message
from evaluation.stream st join evaluation.snapshot o on o.stream_id = st.stream_id
join evaluation.test r on r.snapshot_id = o.snapshot_id
join evaluation.snapshot c on c.stream_id = st.stream_id and c.snapshot_id <> o.snapshot_id
where st.model = %(model)s order by c.time;
insert into evaluation.distribution(time, snapshot_id, series_id, grid_id, current, reference)
select c.time, c.snapshot_id, r.series_id, r.grid_id, r.current, r.reference
from evaluation.stream st join evaluation.snapshot o on o.stream_id = st.stream_id
join evaluation.distribution r on r.snapshot_id = o.snapshot_id
join evaluation.snapshot c on c.stream_id = st.stream_id and c.snapshot_id <> o.snapshot_id
where st.model = %(model)s order by c.time;
"""


def main() -> None:
    """Print a line for each range; the database is made for it, and deleted in the end."""
    with TemporaryDirectory(prefix="exporter-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # the server of root runs as somebody else
        with EmbeddedPostgres(place / "postgres", {"shared_buffers": "1GB"}) as server:
            migrate(server.url)
            _fill(server.url)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("vacuum (analyze)")
                for name, span in RANGES.items():
                    _say(name, dict(_answered(connection, (END - span, END))))


def _say(name: str, took: Mapping[str, float]) -> None:
    slowest = sorted(took, key=lambda panel: -took[panel])[:3]
    note = ", ".join(f"{panel} {took[panel]:.0f} ms" for panel in slowest)
    for what, figure, said in (
        ("median", median(took.values()), f"{len(took)} queries, each the median of {REPEATS}"),
        ("slowest", took[slowest[0]], note),
    ):
        Result(f"dashboards: a panel's query, {name}, {what}", figure, None, None, "ms", said).say()


def _answered(
    connection: psycopg.Connection, span: tuple[datetime, datetime]
) -> Iterator[tuple[str, float]]:
    """Milliseconds of each query of each panel, for the model with the hourly year."""
    for dashboard in DASHBOARDS:
        shown = as_json(dashboard)
        values: dict[str, Any] = choices(
            connection, shown, span, {"project": "bench", "model": "hourly"}
        )
        for panel in panels_of(shown):
            chosen = {**values, **{v: values[v][0] for v in [panel.get("repeat")] if v}}
            for target in panel["targets"]:
                if "rawSql" in target:
                    query = expanded(with_variables(target["rawSql"], chosen), *span)
                    yield (
                        f"{dashboard.name} {panel['id']}{target['refId']}",
                        _milliseconds(connection, query),
                    )


def _milliseconds(connection: psycopg.Connection, query: str) -> float:
    took: list[float] = []
    connection.execute("set statement_timeout = '60s'")
    for _ in range(REPEATS):
        start = perf_counter()
        asked(connection, query, "table")
        took.append(1e3 * (perf_counter() - start))
    return median(took)


def _fill(url: str) -> None:
    """One snapshot of each model by the writer; the others are copies of its rows, made in the database."""
    made = _evaluated()
    models = {"hourly": (HOUR, HOURS), **{f"model {i}": (DAY, DAYS) for i in range(OTHERS)}}
    with Store(url) as store:
        for model, (length, _) in models.items():
            store.write(_of(made, model, END - length, length))
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        for model, (length, count) in models.items():
            print(f"  {model}: {count:,} snapshots", file=sys.stderr, flush=True)
            given = {"model": model, "length": length, "count": count - 1, "end": END}
            for statement in _COPIES.split(";")[:-1]:
                connection.execute(statement.encode(), given)


def _of(made: Snapshot, model: str, start: datetime, length: timedelta) -> Snapshot:
    """The snapshot as that of another window; the figures are the same, which costs reading nothing."""
    return replace(
        made,
        project="bench",
        model=model,
        evaluation="all",
        window_start=start,
        window_end=start + length,
        computed_at=start + length,
        tags={"arm": "champion", "version": f"{start:%m}"},
        stream_tags=("arm",),
    )


def _evaluated() -> Snapshot:
    """A binary classifier's batch with twelve columns: some 700 rows of every kind."""
    random = np.random.default_rng(0)
    current, reference = _rows(random, 1000, 0.3), _rows(random, 5000, 0.0)
    columns = {"target": "left", "probability": "p", "positive": "1"}
    return exporter.evaluate(
        current,
        reference,
        metrics=["data_quality", "data_drift", "classification"],
        tests=["data_stability", "data_drift", "binary_classification"],
        columns=columns,
        task="binary",
    )


def _rows(random: np.random.Generator, size: int, shift: float) -> pa.Table:
    numbers = {f"number_{i}": random.normal(shift * i / 8, 1, size) for i in range(8)}
    texts = {f"category_{i}": random.choice(list("abcdef"), size) for i in range(4)}
    p = 1 / (1 + np.exp(-numbers["number_0"]))
    left = (random.random(size) < p).astype(int).astype(str)
    return pa.table({**numbers, **texts, "p": p, "left": left})


if __name__ == "__main__":
    main()
