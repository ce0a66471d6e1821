"""The views are an interface: their columns are those of docs/store.md, and its questions are answered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import as_role, made_database
from store.samples import DAY, rows, snapshot

from exporter.snapshot import Snapshot
from exporter.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text("utf-8")
QUESTIONS = [
    question.strip()
    for block in re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for question in block.split(";")
    if question.strip()
]
VIEWS = "select viewname from pg_views where schemaname = 'grafana'"
COLUMNS = (
    "select attname, format_type(atttypid, null) from pg_attribute"
    " where attrelid = ('grafana.' || %s)::regclass and attnum > 0 order by attnum"
)
TYPES = {
    "timestamp with time zone": "time",
    "double precision": "number",
    "smallint": "whole number",
    "integer": "whole number",
    "bigint": "whole number",
    "boolean": "yes or no",
    "jsonb": "JSON",
    "text": "text",
}


def documented() -> dict[str, list[tuple[str, str]]]:
    """The columns of each view as the page lists them, with their types."""
    found: dict[str, list[tuple[str, str]]] = {}
    heads: list[tuple[str, str]] = []
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        body = re.split(r"^#", body, flags=re.MULTILINE)[0]
        columns = re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", body, re.MULTILINE)
        if title.startswith("Columns that most views begin with"):
            heads = columns
        if spread := re.search(r"^\| `(\w+)` to `stream_tags` \|", body, re.MULTILINE):
            names = [name for name, _ in heads]
            columns = [*heads[names.index(spread[1]) :], *columns]
        found |= dict.fromkeys(re.findall(r"`grafana\.(\w+)`", title), columns)
    return found


def of_late(number: int, arm: str) -> Snapshot:
    """A snapshot of some days ago, as the questions ask for."""
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - number * DAY
    return snapshot(
        "arrival-delay",
        project="late-flights",
        tags={"arm": arm},
        value=float(number),
        window_start=start,
        window_end=start + DAY,
        computed_at=start + DAY + timedelta(hours=2),
    )


@pytest.fixture(scope="module")
def reader(server: str) -> Iterator[str]:
    """The role of dashboards, in a database that the writer has filled."""
    with made_database(server) as url:
        with Store(as_role(url, "evaluation_writer")) as store:
            for number in range(4, 10):
                store.write(of_late(number, "champion"))
                store.write(of_late(number, "challenger"))
            store.write(of_late(1, "champion"))
            store.write(replace(of_late(1, "champion"), evaluation="quality", tests=()))
        yield as_role(url, "grafana")


def test_every_view_is_documented(reader: str) -> None:
    assert {name for (name,) in rows(reader, VIEWS)} == set(documented())


@pytest.mark.parametrize("view", documented())
def test_the_columns_of_a_view_are_as_documented(reader: str, view: str) -> None:
    found = [(name, TYPES[kind]) for name, kind in rows(reader, COLUMNS, view)]
    assert found == documented()[view]


def test_the_page_has_questions() -> None:
    assert len(QUESTIONS) >= 10


@pytest.mark.parametrize("number", range(len(QUESTIONS)))
def test_a_question_of_the_page_is_answered_to_the_reader(reader: str, number: int) -> None:
    assert rows(reader, QUESTIONS[number]), QUESTIONS[number]


def test_the_newest_window_of_each_stream_is_the_latest(reader: str) -> None:
    query = "select stream, evaluation, revision from grafana.latest_snapshots order by 1, 2"
    assert rows(reader, query) == [
        ("arm=challenger", "inputs", 1),
        ("arm=champion", "inputs", 1),
        ("arm=champion", "quality", 1),
    ]
    newest = (
        "select count(*) from grafana.latest_snapshots l where exists (select from"
        " grafana.snapshots s where s.stream = l.stream and s.evaluation = l.evaluation"
        " and s.time > l.time)"
    )
    assert rows(reader, newest) == [(0,)]


@pytest.mark.parametrize("kind", ["metrics", "drift", "tests"])
def test_the_latest_rows_are_those_of_the_latest_snapshots(reader: str, kind: str) -> None:
    columns = "time, project, model, evaluation, stream, tags, window_end, batch, snapshot_id"
    given = rows(reader, f"select {columns}, r::text from grafana.latest_{kind} r order by r::text")
    same = rows(
        reader,
        f"select {columns}, r::text from grafana.{kind} r where snapshot_id in"
        " (select snapshot_id from grafana.latest_snapshots) order by r::text",
    )
    assert given == same
    assert given


def test_bins_lie_between_their_edges(reader: str) -> None:
    query = (
        "select bin, bin_from, bin_to, category, current, reference from grafana.distributions"
        " where column_name = %s order by time, stream, bin limit %s"
    )
    assert rows(reader, query, "temp", 3) == [
        (1, None, 0.0, None, 1, 3),
        (2, 0.0, 1.0, None, 2, 2),
        (3, 1.0, None, None, 3, 1),
    ]
    assert rows(reader, query, "city", 2) == [
        (1, None, None, "a", 5, None),
        (2, None, None, "other", 6, None),
    ]
