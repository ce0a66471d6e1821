"""What some panels say of small stores whose figures are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from conftest import as_role, made_database
from grafana.shown import shown
from store.samples import DAY, FIRST, snapshot

from exporter.grafana import DASHBOARDS, as_json
from exporter.snapshot import MetricRow
from exporter.store import Store

JSON = {d.name: as_json(d) for d in DASHBOARDS}
SPAN = (datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC))
Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def days_and_weeks(server: str) -> Iterator[str]:
    """A week of days of 900 rows, their week once more, and a column that is gone."""
    whole = snapshot(rows=6300, evaluation="weekly", window_end=FIRST + 7 * DAY)
    with made_database(server) as url, Store(url) as store:
        for day in range(7):
            base = snapshot(day=day)
            there = MetricRow("missing_ratio", "temp", value=0.25, reference=0.0, n=900)
            gone = MetricRow("missing_ratio", "wind", error="the batch has no such column")
            fine = MetricRow("missing_ratio", "city", value=0.0, reference=0.0, n=900)
            store.write(replace(base, metrics=(there, gone, fine)))
        store.write(replace(whole, metrics=(), drift=(), tests=(), distributions=()))
        yield as_role(url, "grafana")


def answers(url: str, name: str, panel: int, ref: str = "A") -> Rows:
    """The rows of one of a panel's queries, each by its columns."""
    with psycopg.connect(url, autocommit=True) as connection:
        for answer in shown(connection, JSON[name], SPAN):
            if answer.panel["id"] == panel and answer.target["refId"] == ref:
                return [dict(zip(answer.frame.names, r, strict=True)) for r in answer.frame.rows]
    raise AssertionError(f"{name} has no panel {panel}")


@pytest.mark.parametrize(("name", "panel"), [("fleet-overview", 6), ("data-quality", 1)])
def test_rows_of_a_week_are_not_counted_beside_those_of_its_days(
    days_and_weeks: str, name: str, panel: int
) -> None:
    found = answers(days_and_weeks, name, panel)
    assert [row["rows"] for row in found] == [900.0] * 7


def test_the_past_of_a_week_is_a_line_of_days(server: str) -> None:
    weeks = [
        snapshot(day=7 * week, window_end=FIRST + (7 * week + 7) * DAY, evaluation="weekly")
        for week in range(2)
    ]
    with made_database(server) as url, Store(url) as store:
        store.write(snapshot(day=1, drift=snapshot().drift[:1]))
        for one in weeks:
            store.write(one)
        found = answers(as_role(url, "grafana"), "fleet-overview", 10, "C")
    shares = {row["time"]: row["value"] for row in found}
    assert shares == {FIRST + day * DAY: 1.0 if day == 1 else 0.5 for day in range(14)}


def test_a_column_that_is_gone_stands_above_those_that_miss_values(days_and_weeks: str) -> None:
    found = answers(days_and_weeks, "data-quality", 20)
    assert [row["column"] for row in found] == ["wind", "temp", "city"]


def test_the_fleet_leads_to_the_stream_that_was_clicked(days_and_weeks: str) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(days_and_weeks, autocommit=True) as connection:
        streams = {
            answer.panel["id"]: {r[answer.frame.names.index("tags")] for r in answer.frame.rows}
            for answer in shown(connection, JSON["fleet-overview"], (SPAN[0], now + timedelta(1)))
            if "tags" in answer.frame.names
        }
    assert streams[20] == streams[30] == {"arm=champion"}


@pytest.mark.parametrize("name", ["fleet-overview", "fleet-status-board"])
@pytest.mark.parametrize("panel", [2, 3])
def test_a_store_without_models_is_not_green(reader: str, name: str, panel: int) -> None:
    assert answers(reader, name, panel) == [{"models": None}]
