"""The demo's last two weeks through the command, as a user sees them; and what its data promise."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from conftest import open_folder

from exporter.cli import main
from exporter.config import load_config
from exporter.demo.flights import DemoData, weeks_to
from exporter.demo.run import prepare, run_demo, today_of
from exporter.demo.story import ZONE
from exporter.errors import ExporterError
from exporter.store import open_store

DAYS = 14


@dataclass(frozen=True, slots=True)
class Shown:
    """A demo in a folder, as the command left it."""

    folder: Path
    now: datetime
    result: Result

    @property
    def data(self) -> DemoData:
        return DemoData(self.folder / "data", weeks_to(today_of(self.now)))


def call(folder: Path) -> Result:
    result = CliRunner().invoke(main, ["demo", "--days", f"{DAYS}", "--folder", f"{folder}"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    """The demo, once, with an embedded store that all accounts can reach and nobody keeps."""
    with open_folder() as root, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", f"{root / 'state'}")
        patch.setenv("XDG_CACHE_HOME", f"{root / 'cache'}")
        now = datetime.now(UTC)
        yield Shown(root / "demo", now, call(root / "demo"))


def told(text: str, what: str) -> str:
    """The line of the story that says this."""
    return next(line for line in text.splitlines() if what in line)


def test_the_dead_weather_feed_is_named_with_its_day_in_the_demo(shown: Shown) -> None:
    assert shown.result.exit_code == 0
    line = told(shown.result.stdout, "the weather feed is dead")
    assert line.startswith(f"{shown.data.day('2013-12-31'):%a %-d %b %Y} ")
    assert "constant_columns 7" in line


def test_sound_days_stay_silent(shown: Shown) -> None:
    assert "12 of 14 days have no critical failure." in shown.result.stdout


def test_what_to_type_next_is_true(shown: Shown) -> None:
    lines = shown.result.stdout.partition("\nNext:\n")[2].splitlines()
    programs = {line.split()[0] for line in lines}
    assert all(shutil.which(program) for program in programs)  # on the PATH, or a path from here
    following = [line.split()[1:] for line in lines]
    listing = next(words for words in following if words[0] == "list")
    result = CliRunner().invoke(main, listing)
    assert result.exit_code == 0
    assert f"{shown.data.day('2013-12-31')}" in result.stdout
    assert [words[0] for words in following] == ["list", "show", "report", "stack"]


def test_a_second_call_makes_nothing_new_and_tells_the_same_story(shown: Shown) -> None:
    again = call(shown.folder)
    assert again.stdout.startswith("Nothing new is due.")
    story = shown.result.stdout.partition(" snapshots.")[2]
    assert again.stdout == f"Nothing new is due.{story}"


def test_the_config_that_is_left_there_is_the_example(shown: Shown) -> None:
    example = Path(__file__).parents[2] / "examples" / "late-flights.yaml"
    left = shown.folder / "late-flights.yaml"
    assert left.read_text() == example.read_text()
    assert load_config(left).warnings == ()


def test_labels_come_a_week_later_and_are_evaluated_then(shown: Shown) -> None:
    day = today_of(shown.now)
    assert newest_label(shown) == day - timedelta(days=8)
    tomorrow = datetime.combine(day + timedelta(days=1), time(12), ZONE)
    found = run_demo(shown.folder, tomorrow, days=DAYS, processes=1)
    assert found.errors == []
    assert newest_label(shown) == day - timedelta(days=7)
    with open_store("embedded") as store:
        heads = store.find(project="late-flights", evaluation="quality")
    last = max(head.window_start.astimezone(ZONE).date() for head in heads if head.window_start)
    assert last == min(day - timedelta(days=7), found.data.day("2013-12-31"))


def newest_label(shown: Shown) -> date:
    """The last day of which the labels are known."""
    ids = pd.concat(pd.read_parquet(f) for f in shown.folder.glob("data/labels-*"))["flight_id"]
    return datetime.strptime(ids.max()[:8], "%Y%m%d").date()


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 7, 15), date(2030, 2, 28)])
def test_the_year_moves_by_whole_weeks_and_ends_within_the_last_one(today: date) -> None:
    data = DemoData(Path("data"), weeks_to(today))
    last = data.day("2013-12-31")
    assert last.weekday() == date(2013, 12, 31).weekday()
    assert timedelta(days=1) <= today - last <= timedelta(days=7)


def test_a_flight_keeps_its_weekday_its_clock_and_an_id_of_its_day(shown: Shown) -> None:
    last = shown.data.day("2013-12-31")
    frame = pd.read_parquet(shown.folder / "data" / f"flights-{last:%Y-%m}.parquet")
    rows = frame[frame["sched_dep"].dt.date == last]
    assert len(rows) == 776  # of 31 December 2013
    assert last.weekday() == date(2013, 12, 31).weekday()
    assert set(rows["flight_id"].str[:8]) == {f"{last:%Y%m%d}"}
    assert (rows["sched_dep"].dt.hour == rows["sched_hour"].astype(int)).all()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExporterError, match="name another with --folder"):
        prepare(tmp_path / "file" / "demo", datetime(2026, 3, 1, tzinfo=UTC))
