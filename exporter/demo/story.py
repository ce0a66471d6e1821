"""What the demo found, read back from the store: critical days with their reasons, and the slow decay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from exporter.demo.flights import DemoData
from exporter.store.postgres import Store

PROJECT = "late-flights"
ZONE = ZoneInfo("America/New_York")
# What is known of 2013 from the newspapers; the evaluation knows nothing of it.
KNOWN: Mapping[str, str] = {
    "2013-02-08": 'the blizzard "Nemo" (8 February 2013)',
    "2013-02-09": 'the blizzard "Nemo" (8 February 2013)',
    "2013-12-31": "the weather feed is dead (31 December 2013)",
    "2013-12-30": "the weather feed begins to fail (30 December 2013)",
    "2013-08-22": "the weather feed has gaps (22 August 2013)",
    "2013-11-28": "Thanksgiving: a quiet, early schedule (28 November 2013)",
    "2013-03-08": "a late snowstorm: everything leaves late (8 March 2013)",
    "2013-12-05": "fog: everything leaves late (5 December 2013)",
}
_FAILED = """
select time, test, column_name, value, upper, lower, message from grafana.tests
where project = %s and model = 'arrival-delay' and evaluation = 'inputs' and segment = ''
  and critical and status in ('fail', 'error') and time >= %s
order by time, test, column_name"""
_DAYS = """
select count(*), count(*) filter (where tests_fail + tests_error = 0) from grafana.snapshots
where project = %s and model = 'arrival-delay' and evaluation = 'inputs' and segment = ''
  and time >= %s"""
_WEEKS = """
select time, value, upper, status from grafana.tests
where project = %s and evaluation = 'quality_weekly' and test = 'rmse' and status <> 'skipped'
  and time >= %s
order by time"""
SUMMER = (6, 7, 8)


@dataclass(frozen=True, slots=True)
class Failure:
    """A critical test that failed on one day."""

    day: date
    test: str
    column: str
    value: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Neighbouring days with critical failures of one known cause, or of none."""

    days: Sequence[date]
    failures: Sequence[Failure]
    known: str = ""


@dataclass(frozen=True, slots=True)
class Week:
    """The champion's error in one week beside its bound, both in minutes."""

    start: date
    true_start: date  # in 2013
    rmse: float
    bound: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Story:
    """All that the demo tells at its end."""

    days: int
    sound_days: int
    incidents: Sequence[Incident]
    weeks: Sequence[Week]


def story(store: Store, data: DemoData, *, since: date) -> Story:
    """What went wrong from *since* on, as the store has it."""
    begin = datetime.combine(since, datetime.min.time(), ZONE)
    connection = store.connection()
    rows = connection.execute(_FAILED, (PROJECT, begin)).fetchall()
    failures = [Failure(_day(r[0]), r[1], r[2], r[3], r[6]) for r in rows]
    counted = connection.execute(_DAYS, (PROJECT, begin)).fetchone() or (0, 0)
    weeks = [
        Week(
            _day(time), _day(time) - timedelta(weeks=data.weeks), value, upper, status != "success"
        )
        for time, value, upper, status in connection.execute(_WEEKS, (PROJECT, begin)).fetchall()
        if value is not None
    ]
    known = {data.day(day): text for day, text in KNOWN.items()}
    return Story(counted[0], counted[1], list(_incidents(failures, known)), weeks)


def told(found: Story) -> Iterator[tuple[str, str, str]]:
    """Lines of the story in the order of the days: when, what, and how it showed."""
    for incident in found.incidents:
        what = incident.known or "unexplained: have a look"
        yield _span(incident.days), what, "; ".join(_reasons(incident.failures))
    bad = [week for week in found.weeks if week.failed]
    if bad:
        worst = max(bad, key=lambda week: week.rmse)
        summer = sum(week.true_start.month in SUMMER for week in bad)
        yield (
            f"week of {worst.start:%-d %b %Y}",
            "the champion errs most in the summer (June to August 2013)"
            if worst.true_start.month in SUMMER
            else "the champion errs more than it should",
            (
                f"rmse {worst.rmse:.1f} min, {worst.bound:.1f} allowed; {len(bad)} of"
                f" {len(found.weeks)} weeks fail, {summer} in the summer"
            ),
        )


def _incidents(failures: Sequence[Failure], known: Mapping[date, str]) -> Iterator[Incident]:
    days = sorted({f.day for f in failures})
    while days:
        run = [days.pop(0)]
        text = known.get(run[0], "")
        while days and days[0] - run[-1] == timedelta(days=1) and known.get(days[0], "") == text:
            run.append(days.pop(0))
        yield Incident(run, [f for f in failures if f.day in run], text)


def _reasons(failures: Sequence[Failure]) -> Iterator[str]:
    """One phrase a test: its columns, and the worst value."""
    by_test: dict[str, list[Failure]] = {}
    for failure in failures:
        by_test.setdefault(failure.test, []).append(failure)
    for test, some in by_test.items():
        columns = list(dict.fromkeys(f.column for f in some if f.column))
        shown = f"of {len(columns)} columns" if columns[2:] else ", ".join(columns)
        values = [f.value for f in some if f.value is not None]
        worst = max(values, key=abs) if values else None
        yield " ".join(x for x in (test, shown, _figure(test, worst)) if x)


def _figure(test: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0%}" if test.endswith("_ratio") else f"{value:.3g}"


def _span(days: Sequence[date]) -> str:
    first, last = days[0], days[-1]
    if first == last:
        return f"{first:%a %-d %b %Y}"
    return f"{first:%a %-d %b} – {last:%a %-d %b %Y}"


def _day(time: datetime) -> date:
    return time.astimezone(ZONE).date()
