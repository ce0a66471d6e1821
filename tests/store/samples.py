"""A snapshot with rows of every kind, as the tests of the store write it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from exporter.snapshot import (
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    ReferenceInfo,
    Snapshot,
)

NOW = datetime(2026, 11, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = datetime(2026, 10, 1, tzinfo=UTC)


def snapshot(model: str = "m", *, value: float = 1.0, day: int = 0, **other: Any) -> Snapshot:
    """A day's snapshot of *model*, *day* days after the first of October 2026."""
    start = FIRST + day * DAY
    base = Snapshot(
        project="p",
        model=model,
        evaluation="inputs",
        computed_at=NOW,
        rows=900,
        reference_rows=100,
        window_start=start,
        window_end=start + DAY,
        tags={"arm": "champion", "version": "3"},
        stream_tags=("arm",),
        reference=ReferenceInfo("rolling", FIRST - 28 * DAY, FIRST, "abc"),
        metrics=(
            MetricRow("missing_ratio", "temp", value=value, reference=0.5, n=900),
            MetricRow("quantile", "temp", params={"q": 0.99}, value=2.0, n=900, name="p99"),
            MetricRow("mean", "gone", error="column is gone"),
        ),
        drift=(
            DriftRow("temp", "numerical", "ks", 0.3, 0.05, True, 3.0, n=900, reference_n=100),
            DriftRow("city", "categorical", "psi", 0.1, 0.2, False, 0.5, contributions={"a": 1}),
            DriftRow("gone", "numerical", "ks", error="column is gone"),
        ),
        tests=(
            CheckResult(
                "few gaps", "missing_ratio", "temp", status="fail", value=value, upper=0.05
            ),
            CheckResult("row_count", "row_count", value=900.0, lower=1.0, message="enough"),
        ),
        distributions=(
            Distribution("temp", (0.0, 1.0), None, (1, 2, 3), (3, 2, 1)),
            Distribution("city", None, ("a", "other"), (5, 6)),
        ),
    )
    return replace(base, **other)


def rows(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What a query gives."""
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        return connection.execute(query, values or None).fetchall()


def metric_values(url: str, model: str = "m") -> list[tuple[str, float | None]]:
    """Names and values of a model's metrics, as dashboards see them."""
    query = "select metric, value from grafana.metrics where model = %s order by time, metric"
    return [(name, value) for name, value in rows(url, query, model)]
