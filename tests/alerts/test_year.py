"""The demo's year through the alerts: few days wake somebody, and the right ones do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from alerts.year import (
    HEAD,
    KEPT,
    TABLE,
    ZONE,
    Told,
    by_month,
    evaluated,
    rows_of,
    snapshots,
    table,
    told,
)
from conftest import made_database

from exporter.pipeline import Selection

PAGE = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text("utf-8")
BLIZZARD = (date(2013, 2, 8), date(2013, 2, 9))
DEAD_FEED = date(2013, 12, 31)


@pytest.fixture(scope="module")
def year(server: str) -> Sequence[Told]:
    """All that stood on each of the 365 days."""
    with made_database(server) as url:
        return told(url, snapshots())


def days_of(year: Sequence[Told], severity: str) -> list[date]:
    return sorted({t.day for t in year if t.severity == severity})


def test_the_year_is_told_as_it_was(year: Sequence[Told]) -> None:
    assert HEAD + table(year) == TABLE.read_text("utf-8")


def test_at_most_fifteen_days_wake_somebody_the_worst_among_them(year: Sequence[Told]) -> None:
    pages = days_of(year, "page")
    assert len(pages) <= 15
    assert {*BLIZZARD, DEAD_FEED} <= set(pages)


def test_a_slow_decay_warns_and_does_not_page(year: Sequence[Told]) -> None:
    assert {t.severity for t in year if "quality_weekly" in t.about} == {"warning"}


def test_the_challenger_wakes_nobody(year: Sequence[Told]) -> None:
    assert {t.severity for t in year if "challenger" in t.about} == {"info"}


def test_the_page_tells_the_year_by_month(year: Sequence[Told]) -> None:
    rows = [f"| {' | '.join(map(str, month))} |" for month in by_month(year)]
    assert "\n".join(rows) in PAGE


def test_the_page_has_every_day_that_pages(year: Sequence[Told]) -> None:
    section = PAGE.partition("The days that page")[2]
    named = re.findall(r"^\| (\d+ \w+(?: to \d+ \w+)?) \|", section, re.MULTILINE)
    found = [day for text in named for day in days_named(text)]
    assert found == days_of(year, "page")


def days_named(text: str) -> list[date]:
    """`8 February to 9 February` as days of 2013."""
    first, _, last = text.partition(" to ")
    begin, end = (datetime.strptime(f"{t} 2013", "%d %B %Y").date() for t in (first, last or first))
    return [date.fromordinal(n) for n in range(begin.toordinal(), end.toordinal() + 1)]


@pytest.mark.parametrize("first", ["2013-02-08", "2013-12-30"])
def test_what_is_kept_of_a_day_is_what_its_evaluation_says(
    first: str, database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "flights"
    folder.mkdir(exist_ok=True)
    start = datetime.fromisoformat(first).replace(tzinfo=ZONE)
    end = start + timedelta(days=2)
    which = Selection(models=("arrival-delay-champion",), start=start, end=end)
    made = [row for entry, one in evaluated(folder, database, which) for row in rows_of(entry, one)]
    kept = [
        row
        for row in pq.read_table(KEPT).to_pylist()
        if row["entry"] == "arrival-delay-champion" and start <= row["start"] < end
    ]
    assert sorted(map(essence, made)) == sorted(map(essence, kept))
    assert len(made) > 50


def essence(row: dict[str, object]) -> tuple[str, ...]:
    names = ("evaluation", "name", "column", "label", "status", "value")
    return (*(str(row[name]) for name in names), f"{row['start']:%Y-%m-%d}")
