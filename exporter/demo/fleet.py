"""`exporter demo --fleet`: made-up models of four teams, run by their configs, each with its fate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd

from exporter.config import load_config
from exporter.demo.fleet_config import config_text
from exporter.demo.fleet_incidents import GONE, INCIDENTS
from exporter.demo.fleet_roster import Member, members
from exporter.demo.fleet_rows import LENGTHS, Made, Times, made
from exporter.errors import ExporterError
from exporter.pipeline import Done, Failed, Selection, Work, open_project

DAYS = 45
HOURLY_DAYS = 3
WEEKLY_TIMES = 4  # as long as the others
WAIT = timedelta(hours=2)  # what the configs say
Watch = Callable[[Iterable[Done | Failed], Work], Iterator[Done | Failed]]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Which models there are, and until when they have data."""

    members: Sequence[Member]
    moment: datetime  # when it is looked at: what is due by then is evaluated
    days: int = DAYS

    @property
    def until(self) -> date:
        """The last day that is whole."""
        return (self.moment - WAIT).date() - timedelta(days=1)

    def times(self, member: Member) -> Times:
        """When a model's rows come."""
        length = LENGTHS[member.batch]
        end = datetime.combine(self.until + timedelta(days=1), datetime.min.time(), UTC)
        if member.batch == "1h":
            hour = self.moment.replace(minute=0, second=0, microsecond=0)
            return Times(hour, 24 * min(HOURLY_DAYS, self.days), length)
        if member.batch == "1w":
            end -= timedelta(days=end.weekday())
            return Times(end, max(3, WEEKLY_TIMES * self.days // 7), length)
        return Times(end, self.days, length)


def fleet_of(count: int, now: datetime, *, until: date | None = None, days: int = DAYS) -> Fleet:
    """The fleet as it is now, or as it was when *until* had become due."""
    if until is not None:
        due = datetime.combine(until + timedelta(days=1), datetime.min.time(), UTC) + WAIT
        now = min(now, due)
    return Fleet(members(count), now.astimezone(UTC), days)


def prepare_fleet(folder: Path, fleet: Fleet) -> list[Path]:
    """Write data and configs; what was written for the same hour is kept. The configs' paths."""
    note, said = folder / "written_for.json", _note(fleet)
    projects = list(dict.fromkeys(m.team for m in fleet.members))
    try:
        if not note.exists() or note.read_text(encoding="utf-8") != said:
            shutil.rmtree(folder / "data", ignore_errors=True)
            for member in fleet.members:
                write_member(folder / "data" / member.folder, member, fleet)
            for project in projects:
                own = [m for m in fleet.members if m.team == project]
                (folder / f"{project}.yaml").write_text(config_text(own), encoding="utf-8")
            note.write_text(said, encoding="utf-8")
    except OSError as error:
        raise ExporterError(
            f"{folder} cannot be written ({error.strerror}): name another with --folder"
        ) from error
    return [folder / f"{project}.yaml" for project in projects]


def write_member(folder: Path, member: Member, fleet: Fleet) -> None:
    """One model's files."""
    folder.mkdir(parents=True, exist_ok=True)
    own = made(member, fleet.times(member))
    for name, rows in _files(own, member):
        size = max(100, member.rows)
        rows.drop(columns="age").to_parquet(
            folder / f"rows-{name}.parquet", index=False, row_group_size=size
        )
    if member.fixed:
        own.training.to_parquet(folder / "training.parquet", index=False)
    for name, known in own.known.items():
        known.to_parquet(folder / f"{name}.parquet", index=False)
    if own.labels is not None:
        known = own.labels[own.labels["known"] <= fleet.moment]
        known[["id", "target"]].to_parquet(folder / "labels.parquet", index=False)


def _files(own: Made, member: Member) -> Iterator[tuple[str, pd.DataFrame]]:
    gone = INCIDENTS[member.incident].gone if member.incident else ""
    if not gone:
        yield "all", own.rows
        return
    newest = own.rows["age"] < GONE
    yield "before", own.rows[~newest]
    yield "newest", own.rows[newest].drop(columns=gone)


def _note(fleet: Fleet) -> str:
    names = [m.name for m in fleet.members]
    return json.dumps({"hour": f"{fleet.moment:%Y-%m-%dT%H}", "days": fleet.days, "models": names})


def run_fleet(
    configs: Sequence[Path],
    fleet: Fleet,
    *,
    processes: int | None = None,
    watch: Watch = lambda results, _: iter(results),
) -> tuple[int, list[ExporterError]]:
    """Evaluate all that is due; the number of snapshots, and what could not be evaluated."""
    snapshots, errors = 0, list[ExporterError]()
    for config in configs:
        with open_project(load_config(config), processes=processes) as project:
            work = project.plan_work(Selection(), fleet.moment)
            errors += work.errors
            for result in watch(project.run(work, fleet.moment), work):
                if isinstance(result, Failed):
                    errors.append(result.error)
                else:
                    snapshots += 1
    return snapshots, errors
