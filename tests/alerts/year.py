"""The demo's year, told again day by day: what was known each night, and which alerts stood then.

What the tests of each batch said is kept in year.parquet; whom they tell is read from the config as
it is now. `PYTHONPATH=tests python -m alerts.year` writes year.md anew, with `evaluate` behind it
year.parquet as well (four minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from exporter.alerts.rules import FRESHNESS, TESTS
from exporter.alerts.standing import Standing, state_of
from exporter.checks import Check
from exporter.config import Loaded, load_config, schema_of
from exporter.demo.flights import write_files
from exporter.pipeline import Failed, Selection, open_project
from exporter.plan import make_plan
from exporter.snapshot import WAIT, CheckResult, MetricRow, Snapshot
from exporter.store import Store, migrate
from exporter.store.embedded import EmbeddedPostgres

HEAD = """\
# The demo's year, and what stood at the end of each day

Made by `python -m alerts.year`, compared by test_year.py; docs/alerts.md tells it in short. A day's rows are in two hours
after its end; its labels a week later, so that the errors of a day are told of a week after it.

"""
KEPT = Path(__file__).with_name("year.parquet")
TABLE = Path(__file__).with_name("year.md")
EXAMPLE = Path(__file__).parents[2] / "examples" / "late-flights.yaml"
ZONE = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
WAITED = timedelta(hours=2)  # as the config says
FIRST, LAST = date(2013, 1, 1), date(2013, 12, 31)
AFTER = date(2014, 1, 7)  # when all of the year's labels but the last week's are known


class Told(NamedTuple):
    """An alert that stood at the end of a day, when that day's rows were in."""

    day: date
    severity: str
    alert: str
    about: str  # evaluation, segment and arm
    batch: str  # the day, or the week's first, that it speaks of
    tests: str
    silenced: bool


def told(url: str, snapshots: Sequence[Snapshot]) -> list[Told]:
    """What stood on each day of the year, asked after what was due by then has been stored."""
    found = []
    waiting = list(snapshots)
    with Store(url) as store:
        for number in range((LAST - FIRST).days + 1):
            day = FIRST + number * DAY
            now = datetime.combine(day + DAY, time(), ZONE) + WAITED
            while waiting and due(waiting[0]) <= now:
                store.write(waiting.pop(0))
            state = state_of(store.connection(), now=now, rules=(*FRESHNESS, *TESTS))
            found += [_told(day, alert) for alert in state.alerts]
    return found


def _told(day: date, alert: Standing) -> Told:
    labels = alert.labels
    names = (labels["model"], labels["evaluation"], labels.get("segment"), labels["stream"])
    start = alert.window_start.astimezone(ZONE) if alert.window_start else None
    return Told(
        day,
        alert.severity,
        alert.rule.name,
        " / ".join(name.removeprefix("arm=") for name in names if name),
        f"{start:%Y-%m-%d}" if start else "",
        "; ".join(_tests(alert)),
        bool(alert.silenced_by),
    )


def _tests(alert: Standing) -> Iterator[str]:
    """The tests with their columns, and how many figures failed."""
    for test, same in groupby(sorted(alert.tests), key=lambda t: t.test):
        columns = [t.column for t in same if t.column]
        yield f"{test} of {', '.join(columns)}" if columns else test
    if alert.figures:
        yield f"{len(alert.figures)} figures"


def due(snapshot: Snapshot) -> datetime:
    """When it was there to be seen."""
    assert snapshot.window_end is not None
    return snapshot.window_end + timedelta(seconds=snapshot.metadata[WAIT])


def snapshots(path: Path = KEPT, config: Path = EXAMPLE) -> list[Snapshot]:
    """The year's snapshots with their tests, in the order in which they were due."""
    loaded = load_config(config)
    rows = pq.read_table(path).to_pylist()
    checks = {key: _checks(loaded, *key) for key in {(r["entry"], r["evaluation"]) for r in rows}}
    made = [
        _snapshot(loaded, checks, list(same))
        for _, same in groupby(rows, key=lambda r: (r["entry"], r["evaluation"], r["segment"], r["start"]))
    ]  # fmt: skip
    return sorted(made, key=due)


_Checks = Mapping[tuple[str, str], Sequence[Check]]


def _checks(loaded: Loaded, entry: str, evaluation: str) -> Sequence[Check]:
    model = loaded.models[entry]
    given = (model.evaluations or {})[evaluation]
    assert given is not None
    return make_plan(given.metrics, schema_of(model), tests=given.tests).checks


def _snapshot(loaded: Loaded, checks: _Checks, rows: Sequence[Mapping[str, Any]]) -> Snapshot:
    head = rows[0]
    of_head = checks[head["entry"], head["evaluation"]]
    model = loaded.models[head["entry"]]
    made = Snapshot(
        rows=head["rows"],
        project=loaded.config.project,
        model=model.model or head["entry"],
        evaluation=head["evaluation"],
        segment=head["segment"],
        tags={name: str(value) for name, value in (model.tags or {}).items()},
        stream_tags=tuple(loaded.config.stream_tags),
        window_start=head["start"],
        window_end=head["end"],
        metadata={WAIT: head["wait"]},
        metrics=tuple(
            _figure(row, number) for number, row in enumerate(rows) if row["status"] == "figure"
        ),
        tests=tuple(_test(of_head, row) for row in rows if row["status"] != "figure"),
    )
    return replace(made, computed_at=due(made))


def _figure(row: Mapping[str, Any], number: int) -> MetricRow:
    """What could not be computed; numbered, for its options were not kept."""
    return MetricRow(
        row["name"], row["column"], row["label"], error="no value", name=f"figure {number}"
    )


def _test(checks: Sequence[Check], row: Mapping[str, Any]) -> CheckResult:
    """The result, with the alert that the config asks for now."""
    check = next(c for c in checks if c.name == row["name"] and c.reads(row["column"]))
    result = check.result(row["status"], "", row["column"], row["label"])
    return replace(result, value=row["value"])


def rows_of(entry: str, snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """A snapshot's tests, and what could not be computed, as they are kept."""
    assert snapshot.window_start is not None
    head = {
        "entry": entry,
        "evaluation": snapshot.evaluation,
        "segment": snapshot.segment,
        "start": snapshot.window_start,
        "end": snapshot.window_end,
        "wait": snapshot.metadata[WAIT],
        "rows": snapshot.rows,
    }
    for test in snapshot.tests:
        value = None if test.value is None else float(f"{test.value:.6g}")
        own = {"name": test.test, "column": test.column, "label": test.label}
        yield {**head, **own, "status": test.status, "value": value}
    for row in (*snapshot.metrics, *snapshot.drift):
        if row.error:
            name = row.metric if isinstance(row, MetricRow) else "drift"
            label = row.label if isinstance(row, MetricRow) else row.method
            own = {"name": name, "column": row.column, "label": label}
            yield {**head, **own, "status": "figure", "value": None}


def evaluated(folder: Path, store: str, selection: Selection) -> Iterator[tuple[str, Snapshot]]:
    """The entry and snapshot of all that is due at the year's end; the data are made when missing."""
    if not (folder / "data").exists():
        write_files(folder / "data", AFTER)
    config = folder / "late-flights.yaml"
    config.write_text(EXAMPLE.read_text().replace("store: embedded", f"store: {store}"))
    now = datetime.combine(LAST + DAY, time(3), ZONE)
    with open_project(load_config(config)) as project:
        for result in project.run(project.plan_work(selection, now), now):
            assert not isinstance(result, Failed), result
            yield result.job.model, result.snapshot


def write(found: Iterable[tuple[str, Snapshot]], path: Path = KEPT) -> None:
    """Keep what was evaluated, in one order whatever the order in which it was made."""
    rows = [row for entry, snapshot in found for row in rows_of(entry, snapshot)]
    rows.sort(key=lambda r: (r["entry"], r["evaluation"], r["segment"], r["start"]))
    pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd")


def table(found: Iterable[Told]) -> str:
    """The year as Markdown, a line an alert and day."""
    rows = [
        (f"{t.day:%Y-%m-%d}", t.severity, t.alert, t.about, t.batch, t.tests, "yes" if t.silenced else "")
        for t in found
    ]  # fmt: skip
    head = ("day", "severity", "alert", "of", "batch", "tests", "silenced")
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def by_month(found: Sequence[Told]) -> Iterator[tuple[str, int, int, int]]:
    """Each month's days that page, that warn and do not page, and that are silent."""
    for month in range(1, 13):
        days = [FIRST + n * DAY for n in range(365) if (FIRST + n * DAY).month == month]
        told_of = {day: {t.severity for t in found if t.day == day} for day in days}
        pages = sum("page" in kinds for kinds in told_of.values())
        warns = sum("warning" in kinds and "page" not in kinds for kinds in told_of.values())
        yield f"{days[0]:%B}", pages, warns, len(days) - pages - warns


def _main(*words: str) -> None:
    with TemporaryDirectory() as place:
        if "evaluate" in words:
            write(evaluated(Path(place), "embedded", Selection()))
        with EmbeddedPostgres(Path(place) / "store", {"fsync": "off"}) as server:
            migrate(server.url)
            TABLE.write_text(HEAD + table(told(server.url, snapshots())), "utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
