"""Where a snapshot is found in Grafana: dashboards with its variables chosen and time around its window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from exporter.grafana.navigation import uid
from exporter.grafana.queries import UNTAGGED, WHOLE
from exporter.snapshot import Snapshot

BEFORE, AFTER = 30, 10  # windows that are shown around a snapshot's
_DAY = timedelta(days=1)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def fleet_address(grafana: str) -> str:
    """The dashboard of all models."""
    return f"{grafana}/d/{uid('fleet-overview')}"


def addresses_of(snapshot: Snapshot, grafana: str) -> Iterator[tuple[str, str]]:
    """What the dashboards that show a snapshot are called, and their addresses.

    *grafana* is Grafana's own address. The dashboard of a column shows the one that drifted
    farthest, or whose test failed.
    """
    chosen = {
        "project": snapshot.project,
        "model": snapshot.model,
        "evaluation": snapshot.evaluation,
        "segment": snapshot.segment or WHOLE,
        "stream": ", ".join(f"{name}={value}" for name, value in snapshot.stream.items())
        or UNTAGGED,
    }
    time = dict(zip(("from", "to"), _around(snapshot), strict=True))
    yield "Model in Grafana", _address(grafana, "model-overview", chosen, time)
    if column := _worst_column(snapshot):
        yield (
            f"Column {column} in Grafana",
            _address(grafana, "column", {**chosen, "column": column}, time),
        )


def _address(grafana: str, name: str, chosen: dict[str, str], time: dict[str, int]) -> str:
    variables = {f"var-{variable}": value for variable, value in chosen.items()}
    return f"{grafana}/d/{uid(name)}?{urlencode({**time, **variables})}"


def _around(snapshot: Snapshot) -> tuple[int, int]:
    """Milliseconds since 1970; a snapshot without a window is shown among the days around it."""
    start = snapshot.window_start or snapshot.computed_at or datetime.now(UTC)
    end = snapshot.window_end or start + _DAY
    length = max(end - start, timedelta(seconds=1))
    first = start - min(BEFORE * length, start - _FIRST) if start > _FIRST else start
    last = end + min(AFTER * length, _LAST - end) if end < _LAST else end
    return round(first.timestamp() * 1000), round(last.timestamp() * 1000)


def _worst_column(snapshot: Snapshot) -> str:
    """The column that drifted farthest, else one whose test failed, else any that was compared."""
    drifted = sorted(snapshot.drift, key=lambda d: -(d.severity or 0))
    failed = [
        t.column for t in snapshot.tests if t.column and t.status in ("fail", "error", "warning")
    ]
    first = [d.column for d in drifted if d.drifted] + failed + [d.column for d in drifted]
    return next(iter(first), "")
