"""The latest window of each stream as gauges, rendered when something changed: a scrape hands out bytes."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from exporter.catalogue import FROM_DATA, Gauge, gauge
from exporter.store.latest import Latest, Stream
from exporter.store.postgres import Key

RESERVED = frozenset(
    {
        "project",
        "model",
        "evaluation",
        "segment",
        "column",
        "label",
        "metric",
        "test",
        "bound",
        "status",
        "method",
        "q",
        "k",
        "job",
        "instance",
        "le",
        "quantile",
    }
)
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

_WINDOW_END = Gauge(
    "evaluation_window_end_timestamp_seconds", "End of the latest evaluated window."
)
_COMPUTED = Gauge("evaluation_computed_timestamp_seconds", "When the latest window was evaluated.")
_INTERVAL = Gauge("evaluation_batch_interval_seconds", "Length of the latest window.")
_INFO = Gauge("evaluation_snapshot_info", "Describing tags of the latest snapshot.")
_TESTS = Gauge("evaluation_tests", "Tests of the latest window by status.")
_ERRORS = Gauge(
    "evaluation_failed_figures", "Figures of the latest window that could not be computed."
)
_FAILED = Gauge("evaluation_test_failed", "1 where the test failed in the latest window.")
_STREAK = Gauge(
    "evaluation_test_consecutive_failures", "Windows in a row that this test has failed."
)
_BOUND = Gauge("evaluation_test_bound", "Bound of a test.")
_SCORE = Gauge("evaluation_column_drift_score", "Drift score of a column.")
_SEVERITY = Gauge(
    "evaluation_column_drift_severity", "Drift score over its threshold: 1 and more is drift."
)
_DETECTED = Gauge("evaluation_column_drift_detected", "1 where the column drifted.")


class Reader(Protocol):
    """What this room needs of a store."""

    series: dict[int, Key]

    def changed(self) -> Sequence[int] | None: ...
    def read(self, streams: Sequence[int] | None) -> Sequence[Latest]: ...


class _Rendered(NamedTuple):
    latest: Latest
    ranks: tuple[
        dict[Gauge, list[str]], ...
    ]  # state, tests, dataset figures, column figures: kept in this order where the budget is short


class Exposition:
    """The body of /metrics. `refresh` looks whether anything changed; `body` only hands out."""

    def __init__(
        self,
        reader: Reader,
        max_series: int = 20_000,
        forget: timedelta = timedelta(days=30),
        segments: str = "tests",
    ) -> None:
        self._reader = reader
        self._max_series = max_series
        self._forget = forget
        self._segments = segments
        self._streams: dict[int, _Rendered] = {}
        self._shown: list[int] = []
        self._prefixes: dict[int, tuple[Gauge, str] | None] = {}
        self._plain = self._packed = b""
        self._series = self._dropped = 0
        self._up = False
        self._seconds = 0.0

    def refresh(self, now: datetime) -> bool:
        """Read and render what changed since the last call; whether there was anything."""
        begun = time.perf_counter()
        try:
            changed = self._reader.changed()
            if changed is None or changed:
                for stream_id in changed if changed is not None else list(self._streams):
                    self._streams.pop(stream_id, None)
                for latest in self._reader.read(changed):
                    self._streams[latest.stream.stream_id] = _Rendered(latest, self._render(latest))
            self._up = True
        except Exception:  # the store is away: the last state stands, store_up tells
            self._up = False
            return False
        shown = [s for s in sorted(self._streams) if not self._silent(self._streams[s].latest, now)]
        if not changed and shown == self._shown and self._plain:
            return False
        self._shown = shown
        self._assemble()
        self._seconds = time.perf_counter() - begun
        return True

    def body(self, *, packed: bool = False) -> bytes:
        """The text for Prometheus; gzip members may follow each other, so the large part is packed once."""
        tail = self._self_metrics().encode()
        return self._packed + gzip.compress(tail, 1) if packed else self._plain + tail

    def _silent(self, latest: Latest, now: datetime) -> bool:
        heard = max(
            latest.window_end or latest.computed_at, latest.computed_at
        )  # a backfill of old windows is news, too
        length = (
            latest.window_end - latest.window_start
            if latest.window_end and latest.window_start
            else timedelta()
        )
        return now - heard > max(
            self._forget, 3 * length
        )  # monthly batches outlive a forget of 30 days

    def _render(self, latest: Latest) -> tuple[dict[Gauge, list[str]], ...]:
        labels = _stream_labels(latest.stream)
        ranks: tuple[dict[Gauge, list[str]], ...] = ({}, {}, {}, {})
        state, checks, dataset, columns = ranks
        for family, sample in _state(latest, labels):
            state.setdefault(family, []).append(sample)
        for series_id, status, lower, upper, streak in latest.checks:
            key = self._reader.series[series_id]
            place = labels + _labels(
                {"test": key.name, "column": key.column, "label": key.label, **_scalars(key.params)}
            )
            if status != 4:
                checks.setdefault(_FAILED, []).append(
                    f"{_FAILED.name}{{{place}}} {int(status in (2, 3))}"
                )
                checks.setdefault(_STREAK, []).append(f"{_STREAK.name}{{{place}}} {streak}")
            for bound, value in (("lower", lower), ("upper", upper)):
                if value is not None:
                    checks.setdefault(_BOUND, []).append(
                        f'{_BOUND.name}{{{place},bound="{bound}"}} {value!r}'
                    )
        for series_id, value in latest.metrics:
            if prefix := self._prefix(series_id, labels):
                rank = columns if self._reader.series[series_id].column else dataset
                rank.setdefault(prefix[0], []).append(prefix[1] + repr(value))
        for series_id, score, severity, drifted in latest.drift:
            key = self._reader.series[series_id]
            place = labels + _labels({"column": key.column, "method": key.label})
            for family, number in (
                (_SCORE, score),
                (_SEVERITY, severity),
                (_DETECTED, None if drifted is None else int(drifted)),
            ):
                if number is not None:
                    columns.setdefault(family, []).append(f"{family.name}{{{place}}} {number!r}")
        if latest.stream.segment and self._segments == "tests":
            columns.clear()
        return ranks

    def _prefix(self, series_id: int, labels: str) -> tuple[Gauge, str] | None:
        if series_id not in self._prefixes:
            key = self._reader.series[series_id]
            family = gauge(key.name)
            hidden = key.label and key.name in FROM_DATA
            text = f"{family.name}{{{labels}{_labels({'column': key.column, 'label': key.label, **_scalars(key.params)})}}} "
            self._prefixes[series_id] = None if hidden else (family, text)
        return self._prefixes[series_id]

    def _assemble(self) -> None:
        left = self._max_series
        offered = 0
        families: dict[Gauge, list[str]] = {}
        for rank in range(4):
            for stream_id in self._shown:
                for family, samples in self._streams[stream_id].ranks[rank].items():
                    offered += len(samples)
                    families.setdefault(family, []).extend(samples[:left])
                    left = max(0, left - len(samples))
        text = [
            f"# HELP {family.name} {family.help}\n# TYPE {family.name} gauge\n"
            + "\n".join(samples)
            + "\n"
            for family, samples in sorted(families.items())
            if samples
        ]
        self._plain = "".join(text).encode()
        self._packed = gzip.compress(self._plain, 1, mtime=0)
        self._series, self._dropped = self._max_series - left, offered - (self._max_series - left)

    def _self_metrics(self) -> str:
        values = {
            "evaluation_store_up": ("1 while the store answers.", int(self._up)),
            "evaluation_exporter_series": ("Series shown.", self._series),
            "evaluation_exporter_series_dropped": ("Series left out by max_series.", self._dropped),
            "evaluation_exporter_refresh_duration_seconds": (
                "Duration of the last refresh.",
                self._seconds,
            ),
        }
        return "".join(
            f"# HELP {name} {text}\n# TYPE {name} gauge\n{name} {value}\n"
            for name, (text, value) in values.items()
        )


def _state(latest: Latest, labels: str) -> Iterator[tuple[Gauge, str]]:
    if latest.window_end and latest.window_start:
        yield _WINDOW_END, f"{_WINDOW_END.name}{{{labels}}} {latest.window_end.timestamp()!r}"
        yield (
            _INTERVAL,
            f"{_INTERVAL.name}{{{labels}}} {(latest.window_end - latest.window_start).total_seconds()!r}",
        )
    yield _COMPUTED, f"{_COMPUTED.name}{{{labels}}} {latest.computed_at.timestamp()!r}"
    yield _ERRORS, f"{_ERRORS.name}{{{labels}}} {latest.figures_failed}"
    for status, count in latest.tests.items():
        yield _TESTS, f'{_TESTS.name}{{{labels},status="{status}"}} {count}'
    describing = {
        k: str(v)
        for k, v in latest.tags.items()
        if k not in latest.stream.tags
        and k not in RESERVED
        and k.isidentifier()
        and k.isascii()
        and not k.startswith("__")
    }
    yield _INFO, f"{_INFO.name}{{{labels}{_labels(describing)}}} 1"


def _stream_labels(stream: Stream) -> str:
    return _labels(
        {
            "project": stream.project,
            "model": stream.model,
            "evaluation": stream.evaluation,
            "segment": stream.segment,
            **stream.tags,
        }
    )[1:]


def _labels(labels: Mapping[str, str]) -> str:
    return "".join(
        [f',{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items() if text]
    )


def _scalars(params: str) -> dict[str, str]:
    if params == "{}":
        return {}
    given = json.loads(params).items()
    return {
        name: str(value)
        for name, value in given
        if isinstance(value, int | float) or (isinstance(value, str) and name == "method")
    }
