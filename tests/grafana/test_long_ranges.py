"""What a panel shows of many batches: a day's worst of a long range, and how long tests took to recover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from grafana.expansion import asked, expanded, with_variables
from grafana.shown import choices, panels_of
from store.samples import FIRST, snapshot

from exporter.grafana import DASHBOARDS, as_json
from exporter.grafana.queries import history, thinned
from exporter.snapshot import CheckResult, MetricRow, Snapshot
from exporter.store import Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RANGE = (FIRST, FIRST + 60 * DAY)
TESTS = next(as_json(d) for d in DASHBOARDS if d.name == "tests")


def hourly(hour: int, value: float, status: str = "success", **other: Any) -> Snapshot:
    """A batch of an hour whose one figure is *value*, and whose one test has this status."""
    start = FIRST + hour * HOUR
    given: dict[str, Any] = {
        "window_start": start,
        "window_end": start + HOUR,
        "computed_at": start + HOUR,
        "metrics": (MetricRow("missing_ratio", "age", value=value, n=100),),
        "tests": (CheckResult("t", "missing_ratio", "age", status=status, value=value),),
        "drift": (),
        "distributions": (),
    }
    return replace(snapshot("m"), **(given | other))


def written(url: str, snapshots: Sequence[Snapshot]) -> None:
    with Store(url) as store:
        for one in snapshots:
            store.write(one)


def line(url: str, span: tuple[datetime, datetime], *, above: int) -> list[tuple[datetime, Any]]:
    """The points of the one line that a chart of the figure has, with gaps as None."""
    view = thinned(
        "grafana.metrics", "true", by=["column_name"], values={"value": "max"}, above=above
    )
    query = history(view, "true", named="column_name", values={"value": "value"})
    chosen = {"project": ["p"], "model": ["m"]}
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        frame = asked(connection, expanded(with_variables(query, chosen), *span), "table")
    assert {row[1] for row in frame.rows} <= {"age"}
    return [(row[0], row[2]) for row in frame.rows]


def test_many_batches_are_shown_as_the_largest_figure_of_each_day(writer: str, reader: str) -> None:
    written(writer, [hourly(h, h / 100) for h in range(0, 48, 2)])

    assert line(reader, RANGE, above=23) == [(FIRST, 0.22), (FIRST + DAY, 0.46)]


def test_few_batches_are_shown_each(writer: str, reader: str) -> None:
    written(writer, [hourly(h, h / 100) for h in range(24)])

    found = line(reader, RANGE, above=24)

    assert found == [(FIRST + h * HOUR, h / 100) for h in range(24)]


def test_in_a_short_range_many_batches_are_shown_hour_by_hour(writer: str, reader: str) -> None:
    parts = [
        hourly(0, h / 10, window_start=FIRST + h * HOUR / 2, window_end=FIRST + (h + 1) * HOUR / 2)
        for h in range(4)
    ]
    written(writer, parts)

    found = line(reader, (FIRST, FIRST + DAY), above=3)

    assert found == [(FIRST, 0.1), (FIRST + HOUR, 0.3)]


def test_a_day_without_batches_is_a_gap_among_days(writer: str, reader: str) -> None:
    written(writer, [hourly(24 * day + h, day) for day in (0, 1, 3) for h in range(6)])

    found = line(reader, RANGE, above=10)

    assert found == [(FIRST, 0), (FIRST + DAY, 1), (FIRST + 2 * DAY, None), (FIRST + 3 * DAY, 3)]


def test_a_range_that_begins_within_a_day_shows_what_is_left_of_it(
    writer: str, reader: str
) -> None:
    written(writer, [hourly(h, 1 - h / 100) for h in range(24)])
    begin = FIRST + 12 * HOUR

    assert line(reader, (begin, RANGE[1]), above=10) == [(begin, 0.88)]


def panel(url: str, id_: int) -> list[dict[str, Any]]:
    """The rows of a panel of the dashboard of tests."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=UTC") as connection:
        values = choices(connection, TESTS, RANGE, {})
        (query,) = [p["targets"][0]["rawSql"] for p in panels_of(TESTS) if p["id"] == id_]
        frame = asked(connection, expanded(with_variables(query, values), *RANGE), "table")
    return [dict(zip(frame.names, row, strict=True)) for row in frame.rows]


@pytest.fixture
def failing(writer: str) -> None:
    """A test that fails for three hours with a skip between, recovers, and fails again; another is always well."""
    told = ("success", "fail", "skipped", "error", "fail", "success", "success", "fail")
    well = CheckResult("well", "missing_ratio", "age", status="success")
    batches = [hourly(h, 0.5, status) for h, status in enumerate(told)]
    written(writer, [replace(b, tests=(*b.tests, well)) for b in batches])


@pytest.mark.usefixtures("failing")
def test_an_episode_lasts_from_the_first_failure_to_the_next_success(reader: str) -> None:
    (row,) = panel(reader, 41)

    assert (row["episodes"], row["batches"]) == (2, 4)
    assert row["mean"] == row["longest"] == 4 * 3600
    assert row["since"].astimezone(UTC) == FIRST + 7 * HOUR


@pytest.mark.usefixtures("failing")
def test_a_flip_is_a_change_between_passing_and_failing(reader: str) -> None:
    (row,) = panel(reader, 40)

    assert (row["test"], row["flips"]) == ("t · age", 3)


def test_a_test_that_always_fails_is_one_open_episode(writer: str, reader: str) -> None:
    written(writer, [hourly(h, 0.5, "fail") for h in range(5)])

    (row,) = panel(reader, 41)

    assert (row["episodes"], row["batches"], row["longest"]) == (1, 5, None)
    assert row["since"].astimezone(UTC) == FIRST
    assert panel(reader, 40) == []


@pytest.mark.usefixtures("failing")
def test_a_test_whose_options_changed_is_one_line_still(writer: str, reader: str) -> None:
    other = CheckResult("t", "missing_ratio", "age", params={"kinds": ["null"]}, status="success")
    written(writer, [hourly(8, 0.1, tests=(other,))])

    (row,) = panel(reader, 41)

    assert (row["episodes"], row["since"]) == (2, None)
