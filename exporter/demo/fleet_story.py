"""What the fleet's incidents look like in the store: a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from exporter.demo.fleet import Fleet
from exporter.demo.fleet_incidents import INCIDENTS
from exporter.demo.fleet_roster import Member
from exporter.store.postgres import Store

_STATES = """
select count(*), count(*) filter (where sound) from (
  select bool_and(status = 'success') as sound from grafana.latest_snapshots
  where project = any (%s) and model = any (%s) group by project, model) models"""
_FAILING = """
select test, array_agg(distinct column_name) filter (where column_name <> ''), min(since)
from grafana.failing_tests
where project = %s and model = %s and segment = ''
group by test order by test"""
_PAST = """
select count(distinct time), max(time) from grafana.snapshots
where project = %s and model = %s and status in ('fail', 'error') and evaluation = 'quality' and time >= %s"""
_ARMS = """
select stream_tags ->> 'arm', avg(value) from grafana.metrics
where project = %s and model = %s and metric = 'roc_auc' and time >= %s
group by 1"""
_NEWEST = """
select window_end, status from grafana.latest_snapshots
where project = %s and model = %s and evaluation = 'inputs'"""
_WINDOWS = """
select distinct time from grafana.snapshots
where project = %s and model = %s and evaluation = 'inputs' and time >= %s"""


@dataclass(frozen=True, slots=True)
class FleetStory:
    """How the fleet is, and how each incident shows: model, what was done to it, what is seen."""

    models: int
    well: int  # without a test that warns, fails or was skipped
    incidents: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class _Asked:
    connection: psycopg.Connection
    fleet: Fleet
    member: Member

    def rows(self, query: str, *, past: bool = False) -> list[tuple[Any, ...]]:
        """What the store says of the model; with *past* in the fleet's span only."""
        times = self.fleet.times(self.member)
        since = (times.end - times.batches * times.length,) if past else ()
        parameters = (self.member.team, self.member.name, *since)
        return self.connection.execute(query.encode(), parameters).fetchall()


def fleet_story(store: Store, fleet: Fleet) -> FleetStory:
    """How the fleet is, as the store has it."""
    connection = store.connection()
    teams = sorted({m.team for m in fleet.members})
    names = [m.name for m in fleet.members]
    models, well = connection.execute(_STATES, (teams, names)).fetchone() or (0, 0)
    return FleetStory(models, well, list(_told(connection, fleet)))


def _told(connection: psycopg.Connection, fleet: Fleet) -> Iterator[tuple[str, str, str]]:
    for member in fleet.members:
        if member.incident:
            shown = _SHOWN.get(member.incident, _failing)(_Asked(connection, fleet, member))
            yield member.name, INCIDENTS[member.incident].what, shown or "not seen"


def _failing(asked: _Asked) -> str:
    """The tests that fail now, their columns, and since when."""
    phrases = []
    for test, columns, since in asked.rows(_FAILING):
        phrases.append(" ".join((test, *(columns or ()))))
        day = f"{since:%-d %b}"
    return f"{'; '.join(phrases)}: since {day}" if phrases else ""


def _recovered(asked: _Asked) -> str:
    [(count, last)] = asked.rows(_PAST, past=True)
    return f"{count} batches failed, the last on {last:%-d %b}" if count else ""


def _better(asked: _Asked) -> str:
    score: dict[str, float] = dict(asked.rows(_ARMS, past=True))
    if score.keys() != {"champion", "challenger"}:
        return ""
    return f"roc_auc {score['challenger']:.2f}, the champion's {score['champion']:.2f}"


def _silent(asked: _Asked) -> str:
    return "; ".join(f"the newest batch ended {end:%-d %b}" for end, _ in asked.rows(_NEWEST))


def _skipped(asked: _Asked) -> str:
    return "; ".join(status for _, status in asked.rows(_NEWEST))


def _gaps(asked: _Asked) -> str:
    """The days between the first and the last that have no snapshot."""
    there = {time for (time,) in asked.rows(_WINDOWS, past=True)}
    if not there:
        return ""
    days = (max(there) - min(there)).days
    missing = [day for i in range(days) if (day := min(there) + timedelta(days=i)) not in there]
    return f"no batch on {', '.join(f'{day:%-d %b}' for day in missing)}" if missing else ""


_SHOWN: Mapping[str, Callable[[_Asked], str]] = {
    "recovered": _recovered,
    "challenger": _better,
    "late": _silent,
    "few": _skipped,
    "gap": _gaps,
}
