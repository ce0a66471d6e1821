"""`/metrics` of 100,000 series: rendered beside prometheus_client's gauges, and scraped from the real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from benchmarks.measure import ROOT, Result, ratio
from exporter.prometheus import Exposition
from exporter.prometheus.families import family_of
from exporter.prometheus.labels import figure_labels, stream_labels
from exporter.snapshot import MetricRow, Snapshot
from exporter.store import Store, migrate
from exporter.store.embedded import EmbeddedPostgres
from exporter.store.latest import Latest, LatestReader, News
from exporter.store.records import Key

STREAMS, COLUMNS = 50, 100
METRICS = [
    "missing_ratio", "missing_count", "infinite_count", "unique_count", "unique_ratio", "min",
    "max", "mean", "std", "median", "sum", "most_common_ratio", "mean_shift_sigmas",
    "in_range_count", "out_of_range_count", "out_of_range_ratio", "in_list_count",
    "out_of_list_count", "out_of_list_ratio", "new_categories",
]  # fmt: skip
SERIES = STREAMS * COLUMNS * len(METRICS)
TURNS = 5
SCRAPES = 50
_Row = tuple[str, str, dict[str, str], float]  # name, help, labels and value
NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
CONFIG = """
project: fleet
store: {store}
models:
  m:
    source: {{path: nothing.parquet}}
    columns: {{time: at, numerical: [x]}}
    evaluations: {{inputs: {{metrics: [data_summary]}}}}
prometheus: {{max_series: 200000, forget: 1000y}}
"""
SERVE = """
import sys
from pathlib import Path
from exporter.config import load_config
from exporter.server import serve

serve(load_config(Path(sys.argv[1])), "127.0.0.1", int(sys.argv[2]))
"""


def main() -> None:
    """Print a line for each measurement."""
    folder = Path(tempfile.mkdtemp(prefix="exporter-bench-"))
    folder.chmod(0o755)  # the embedded server of root runs as somebody else
    try:
        with EmbeddedPostgres(folder / "postgres") as server:
            migrate(server.url)
            with Store(server.url) as store:
                for number in range(STREAMS):
                    store.write(_snapshot(number, 0.0))
                _rendered(server.url)
                _refreshed(server.url, store)
            _scraped(server.url, folder)
    finally:
        shutil.rmtree(folder)


def _snapshot(number: int, shift: float) -> Snapshot:
    rows = [
        MetricRow(metric, f"column_{i:03d}", value=number + i / 7 + shift, reference=0.5, n=1000)
        for i in range(COLUMNS)
        for metric in METRICS
    ]
    return Snapshot(
        1000, "fleet", f"model_{number:02d}", "inputs", tags={"arm": "champion"},
        stream_tags=("arm",), window_start=NOW - DAY, window_end=NOW, computed_at=NOW, metrics=rows,
    )  # fmt: skip


class _Twice:
    """A reader that gives what it was given, as often as it is asked: nothing but rendering is measured."""

    def __init__(self, series: dict[int, Key], latest: Sequence[Latest]) -> None:
        self.series = series
        self.latest = latest

    def look(self) -> News:
        return News(False, [one.stream.stream_id for one in self.latest], self.latest)

    def close(self) -> None:
        """Nothing is open."""


def _rendered(url: str) -> None:
    """All 100,000 figures are new: text made and packed, beside gauges set and written out."""
    reader = LatestReader(url)
    latest = reader.look().latest
    exposition = Exposition(_Twice(reader.series, latest), max_series=2 * SERIES)
    rows = list(_rows(reader.series, latest))
    registry, gauges = CollectorRegistry(), dict[str, Gauge]()
    _set(rows, gauges, registry)
    ours, theirs = [], []
    for _ in range(TURNS):
        ours.append(_seconds(lambda: exposition.refresh(NOW)))
        theirs.append(_seconds(lambda: _exposed(rows, gauges, registry)))
    _compare(exposition.body(), generate_latest(registry))
    reader.close()
    name = f"/metrics: {SERIES:,} series rendered"
    note = "all figures new, gzip included; beside prometheus_client: labels().set(), generate_latest()"
    Result(name, 1e3 * median(ours), 1e3 * median(theirs), ratio(ours, theirs), "ms", note).say()


def _rows(series: dict[int, Key], latest: Sequence[Latest]) -> Iterator[_Row]:
    for one in latest:
        labels = stream_labels(one.stream)
        for series_id, value in one.metrics:
            family = family_of(series[series_id].name)
            own = {**labels, **figure_labels(series[series_id], labels, labelled=True)}
            yield family.name, family.help, {k: v for k, v in own.items() if v}, value


def _set(
    rows: Sequence[_Row],
    gauges: dict[str, Gauge],
    registry: CollectorRegistry,
) -> None:
    for name, text, labels, value in rows:
        gauge = gauges.get(name)
        if gauge is None:
            gauge = gauges[name] = Gauge(name, text, list(labels), registry=registry)
        gauge.labels(**labels).set(value)


def _exposed(rows: Sequence[_Row], gauges: dict[str, Gauge], registry: CollectorRegistry) -> bytes:
    _set(rows, gauges, registry)
    return generate_latest(registry)


def _compare(ours: bytes, theirs: bytes) -> None:
    """Equal work: every line of theirs is one of ours."""
    missing = set(map(_canonical, theirs.splitlines())) - set(map(_canonical, ours.splitlines()))
    if missing:
        raise AssertionError(f"{len(missing)} lines differ, such as {min(missing)!r}")


def _canonical(line: bytes) -> bytes:
    """A line with its labels in order."""
    head, brace, rest = line.partition(b"{")
    labels, _, value = rest.rpartition(b"} ")
    return head + brace + b",".join(sorted(labels.split(b","))) + value


def _refreshed(url: str, store: Store) -> None:
    """What the refresher's thread does: read all at the start, look when nothing changed, one stream."""
    reader = LatestReader(url)
    exposition = Exposition(reader, max_series=2 * SERIES)
    first = _seconds(lambda: exposition.refresh(NOW))
    Result("/metrics: all read and rendered at the start", 1e3 * first, None, None, "ms").say()
    quiet = median(_seconds(lambda: exposition.refresh(NOW)) for _ in range(20))
    Result("/metrics: a look when nothing changed", 1e3 * quiet, None, None, "ms").say()
    changes = []
    for turn in range(TURNS):
        store.write(_snapshot(turn, 1.0))
        changes.append(_seconds(lambda: exposition.refresh(NOW)))
    Result(
        "/metrics: a look when one stream of 50 changed", 1e3 * median(changes), None, None, "ms"
    ).say()
    reader.close()


def _scraped(url: str, folder: Path) -> None:
    config = folder / "exporter.yaml"
    config.write_text(CONFIG.format(store=url))
    with _serving(config) as port:
        _scrape(port, "identity")
        for name, encoding in (("plain", "identity"), ("gzip", "gzip")):
            times = [_scrape(port, encoding) for _ in range(SCRAPES)]
            size = times[-1][1] / 1e6
            wall = 1e3 * median(seconds for seconds, _ in times)
            slow = 1e3 * sorted(seconds for seconds, _ in times)[int(0.95 * SCRAPES)]
            note = f"through the server, {size:.1f} MB, connection included; p95 {slow:.1f} ms"
            Result(
                f"/metrics: a scrape of {SERIES:,} series, {name}", wall, None, None, "ms", note
            ).say()


@contextmanager
def _serving(config: Path) -> Iterator[int]:
    from exporter.store.ports import free_port

    port = free_port(0)
    command = [sys.executable, "-c", SERVE, str(config), str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=sys.stderr) as process:
        while _status(port) != 200:
            if process.poll() is not None:
                raise subprocess.CalledProcessError(process.returncode, command)
        yield port
        process.terminate()


def _status(port: int) -> int:
    try:
        return _get(port, "/-/ready", "identity")[0]
    except OSError:
        return 0


def _scrape(port: int, encoding: str) -> tuple[float, int]:
    begun = perf_counter()
    status, body = _get(port, "/metrics", encoding)
    seconds = perf_counter() - begun
    assert status == 200
    return seconds, len(body)


def _get(port: int, path: str, encoding: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": encoding})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _seconds(work: Callable[[], Any]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


if __name__ == "__main__":
    main()
