"""A small fleet through the real store: every incident is seen, and sound models stay well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from click.testing import CliRunner, Result
from conftest import open_folder

from exporter.cli import main
from exporter.config import load_config
from exporter.demo.fleet import fleet_of, prepare_fleet, write_member
from exporter.demo.fleet_config import config_text
from exporter.demo.fleet_incidents import INCIDENTS
from exporter.demo.fleet_roster import MEMBERS, Member, members, most
from exporter.errors import ExporterError
from exporter.store import open_store

COUNT = 12  # those with an incident
DAYS = 10
UNTIL = date(2026, 3, 14)  # six days after a gap
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """A fleet in a folder, as the command left it, and its store."""

    folder: Path
    result: Result
    store: psycopg.Connection

    def asked(self, query: str) -> set[str]:
        """The first column of what the store answers."""
        return {row[0] for row in self.store.execute(query.encode()).fetchall()}

    def told(self, model: str) -> str:
        """The line of the summary on a model."""
        return next(x for x in self.result.stdout.splitlines() if x.startswith(f"{model} "))


def call(folder: Path, *more: str) -> Result:
    words = ["demo", "--fleet", f"{COUNT}", "--days", f"{DAYS}", "--until", f"{UNTIL}"]
    result = CliRunner().invoke(main, [*words, "--folder", f"{folder}", *more])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    """The fleet, once, with an embedded store that all accounts can reach and nobody keeps."""
    with open_folder() as root, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", f"{root / 'state'}")
        patch.setenv("XDG_CACHE_HOME", f"{root / 'cache'}")
        with open_store("embedded") as store:
            yield Shown(root / "demo", call(root / "demo"), store.connection())


def test_every_model_is_evaluated_without_an_error(shown: Shown) -> None:
    assert shown.result.exit_code == 0
    found = shown.asked("select distinct model from grafana.snapshots")
    assert found == {member.name for member in members(COUNT)}


def test_every_task_and_every_status_occur_in_a_small_fleet(shown: Shown) -> None:
    tasks = {member.task for member in members(6)}
    assert tasks == {"regression", "binary", "multiclass", "ranking", "none"}
    statuses = shown.asked("select distinct status from grafana.snapshots")
    assert statuses == {"success", "warning", "fail", "error", "skipped"}


@pytest.mark.parametrize(
    ("model", "seen"),
    [
        ("demand-forecast", "rmse; rmse_high: since"),
        ("default-risk", "roc_auc 0.9"),
        ("ticket-inbox", "missing_ratio wait_minutes: since 13 Mar"),
        ("O'Brien triage", "missing_ratio previous_tickets: since 14 Mar"),
        ("home-feed", "3 batches failed, the last on 11 Mar"),
        ("partner-applications", "skipped"),
        ("price-elasticity", "column_drift price: since 12 Mar"),
        ("churn", "column_drift watch_minutes: since"),
        ("returns", "the newest batch ended 10 Mar"),
        ("basket-type", "out_of_list_ratio channel: since 11 Mar"),
        ("trailer-clicks", "no batch on 8 Mar"),
        ("answer-quality", "column_drift message"),
    ],
)
def test_the_summary_tells_how_each_incident_shows(shown: Shown, model: str, seen: str) -> None:
    assert seen in shown.told(model)


def test_the_summary_counts_the_models_that_are_well(shown: Shown) -> None:
    assert " snapshots. 4 of 12 models are well.\n" in shown.result.stdout


def test_only_models_with_an_incident_fail_in_their_newest_batch(shown: Shown) -> None:
    hurt = {"decay", "dead", "gone", "jump", "category", "topic"}
    bad = shown.asked("select distinct model from grafana.failing_tests where critical")
    assert bad == {member.name for member in MEMBERS if member.incident in hurt}


def test_a_column_that_is_gone_is_an_error_and_one_that_died_is_missing(shown: Shown) -> None:
    query = """select status from grafana.failing_tests
               where model = '{}' and column_name = '{}' and test = 'missing_ratio'"""
    assert shown.asked(query.format("O''Brien triage", "previous_tickets")) == {"error"}
    assert shown.asked(query.format("ticket-inbox", "wait_minutes")) == {"fail"}


def test_the_challenger_is_better_on_every_day(shown: Shown) -> None:
    query = """
      select distinct better::text from (
        select max(value) filter (where stream_tags ->> 'arm' = 'challenger')
             > max(value) filter (where stream_tags ->> 'arm' = 'champion') as better
        from grafana.metrics where model = 'default-risk' and metric = 'roc_auc' group by time) days"""
    assert shown.asked(query) == {"true"}


def test_a_second_call_makes_nothing_new_and_tells_the_same(shown: Shown) -> None:
    again = call(shown.folder)
    assert again.stdout.startswith("Nothing new is due.")
    assert again.stdout.partition(" due. ")[2] == shown.result.stdout.partition(" snapshots. ")[2]


def test_the_configs_that_are_left_there_have_no_warnings(shown: Shown) -> None:
    configs = sorted((shown.folder / "fleet").glob("*.yaml"))
    assert [c.stem for c in configs] == ["demo-credit", "demo-media", "demo-retail", "demo-support"]
    assert [load_config(config).warnings for config in configs] == [(), (), (), ()]


def test_the_configs_of_the_largest_fleet_are_sound(tmp_path: Path) -> None:
    largest = members(most())
    assert len({member.folder for member in largest}) == len(largest)
    for team in {member.team for member in largest}:
        config = tmp_path / f"{team}.yaml"
        config.write_text(config_text([m for m in largest if m.team == team]))
        assert load_config(config).warnings == ()


def test_the_command_takes_as_many_models_as_there_are(tmp_path: Path) -> None:
    words = ["demo", "--fleet", f"{most() + 1}", "--folder", f"{tmp_path}"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert f"1<=x<={most()}" in result.output


def test_a_day_has_the_same_rows_whatever_the_day_it_is_made_on(tmp_path: Path) -> None:
    member = MEMBERS[0]
    frames = []
    for day in (date(2026, 3, 1), date(2026, 4, 7)):
        fleet = fleet_of(1, NOW, until=day, days=5)
        write_member(tmp_path / f"{day}", member, fleet)
        frames.append(pd.read_parquet(tmp_path / f"{day}" / "rows-all.parquet"))
    later = frames[0].assign(time=frames[0]["time"] + timedelta(days=37))
    pd.testing.assert_frame_equal(later, frames[1])


@pytest.mark.parametrize("member", members(30), ids=lambda member: member.name)
def test_each_member_has_batches_of_the_promised_size(member: Member) -> None:
    assert 6 <= member.numbers + member.choices <= 15
    assert 300 <= member.rows <= 2000
    assert not member.incident or member.incident in INCIDENTS


def test_until_is_of_no_use_without_a_fleet(tmp_path: Path) -> None:
    words = ["demo", "--until", f"{UNTIL}", "--folder", f"{tmp_path}"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2
    assert "--until is for --fleet" in result.output


def test_a_folder_for_a_fleet_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ExporterError, match="name another with --folder"):
        prepare_fleet(tmp_path / "file" / "fleet", fleet_of(1, NOW, days=2))
