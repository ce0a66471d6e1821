"""What would be told now, and what fails without being told: asked of the store alone, by the rules' own SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import dict_row

from exporter.alerts.definitions import Rule
from exporter.alerts.inhibitions import inhibited_by, is_source
from exporter.alerts.rules import HEARD, RULES
from exporter.prometheus.rendering import LOCAL

SEVERITIES = ("page", "warning", "info")  # worst first
LATE, FIGURES_FAILED = "EvaluationBatchLate", "EvaluationFiguresFailed"
_Row = dict[str, Any]
_Stream = tuple[str, str, str, str, str]
_STREAM = ("project", "model", "evaluation", "segment", "stream")
_REPORTS = "/snapshots/"
_TESTS = f"select * from grafana.watched_tests l where {HEARD} order by failures desc, test, column_name, label"
_HEADS = (
    f"select {', '.join(_STREAM)}, time, snapshot_id, window_start, window_end, figures_failed, report_url,"
    " 2 * interval_seconds + coalesce(wait_seconds, 0) as allowed"
    f" from grafana.latest_snapshots l where {HEARD}"
)
_FIGURES = " union all ".join(
    f"select snapshot_id, {figure} as figure, column_name, {label} as label, error from grafana.{view}"
    " where snapshot_id = any(%(ids)s) and time = any(%(times)s) and error is not null"
    for figure, view, label in (
        ("coalesce(name, metric)", "metrics", "label"),
        ("'drift by ' || method", "drift", "''"),
    )
)


class WatchedTest(NamedTuple):
    """A test that fails, or of which somebody is to be told: as it stands in its newest window."""

    stream: _Stream
    test: str
    column: str
    label: str
    status: str
    severity: str  # of its alert; `none` where it wakes nobody
    value: float | None
    lower: float | None
    upper: float | None
    message: str
    failures: int  # among its last `windows`
    wanted: int
    windows: int
    alerting: bool
    since: datetime | None
    streak: int  # windows in a row; 0 where it passes now
    report_url: str

    @property
    def why_not(self) -> str:
        """Why nobody is told; empty where somebody is."""
        if self.alerting:
            return ""
        if self.severity == "none":
            return "alert: false"
        times = "failure" if self.failures == 1 else "failures"
        return f"{self.failures} {times} so far, told after {self.wanted} of {self.windows}"


class FailedFigure(NamedTuple):
    """A metric or drift score that has an error in place of a value."""

    figure: str
    column: str
    label: str
    error: str


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that fires: what it is about, and where to look.

    `value` counts tests or figures, or is a time in seconds, of which `allowed` would be fine.
    """

    rule: Rule
    severity: str
    labels: Mapping[str, str]
    value: float
    tests: Sequence[WatchedTest] = ()
    figures: Sequence[FailedFigure] = ()
    allowed: float | None = None
    window_start: datetime | None = None  # of the newest batch
    window_end: datetime | None = None
    report_url: str = ""
    silenced_by: str = ""  # the alert that keeps this one from being sent

    @property
    def pages(self) -> bool:
        """Whether somebody is woken."""
        return self.severity == "page" and not self.silenced_by

    @property
    def runbook(self) -> str:
        """What to do: its heading in the runbook, where the exporter shows it."""
        return f"{self.report_url.partition(_REPORTS)[0] or LOCAL}/runbook#{self.rule.name.lower()}"


class State(NamedTuple):
    """All that stands, worst first, and the failing tests that tell nobody."""

    alerts: Sequence[Standing]
    quiet: Sequence[WatchedTest]
    streams: int  # that are heard of


def state_of(
    connection: psycopg.Connection,
    *,
    project: str | None = None,
    model: str | None = None,
    now: datetime | None = None,
    rules: Sequence[Rule] = RULES,
) -> State:
    """What fires at *now* (this moment, if not given) in all of the store, or of a project or model.

    Read from one state of the store; psycopg's errors where it does not answer.
    """
    asker = _Asker(connection, project, model, now)
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        heads = {_stream(row): row for row in asker.rows(_HEADS)}
        tests = [_test(row) for row in asker.rows(_TESTS)]
        figures = asker.figures(list(heads.values()))
        found = [_standing(rule, row) for rule in rules for row in asker.instances(rule)]
    full = [_filled(standing, heads, tests, figures) for standing in found]
    sources = _sources(full)
    alerts = [_silenced(standing, sources) for standing in full]
    alerts.sort(key=lambda s: (SEVERITIES.index(s.severity), *s.labels.values()))
    return State(alerts, [test for test in tests if not test.alerting], len(heads))


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks for rows of one project and model, as of one moment."""

    connection: psycopg.Connection
    project: str | None
    model: str | None
    now: datetime | None

    def instances(self, rule: Rule) -> list[_Row]:
        """The rows of a rule; what is of no model tells everybody."""
        if not rule.sql:
            return []
        return self.all_rows(rule.sql) if rule.component == "exporter" else self.rows(rule.sql)

    def rows(self, sql: str) -> list[_Row]:
        """The rows of what was asked for; those that name no project are of all."""
        asked = {"project": self.project, "model": self.model}
        wanted = {name: value for name, value in asked.items() if value is not None}
        return [
            row
            for row in self.all_rows(sql)
            if all(row.get(name, value) == value for name, value in wanted.items())
        ]

    def all_rows(self, sql: str) -> list[_Row]:
        text = sql.replace("%", "%%").replace("now()", "coalesce(%(now)s::timestamptz, now())")
        return self._asked(text, {"now": self.now})

    def figures(self, heads: Sequence[_Row]) -> dict[_Stream, list[FailedFigure]]:
        """The figures that failed, by their stream."""
        failed = {head["snapshot_id"]: head for head in heads if head["figures_failed"]}
        values = {"ids": list(failed), "times": [head["time"] for head in failed.values()]}
        found: dict[_Stream, list[FailedFigure]] = {}
        for row in self._asked(_FIGURES, values) if failed else ():
            stream = _stream(failed[row.pop("snapshot_id")])
            found.setdefault(stream, []).append(FailedFigure(*row.values()))
        return found

    def _asked(self, sql: str, values: Mapping[str, Any]) -> list[_Row]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql, values).fetchall()


def _stream(row: Mapping[str, Any]) -> _Stream:
    project, model, evaluation, segment, stream = (str(row.get(name, "")) for name in _STREAM)
    return project, model, evaluation, segment, stream


def _evaluation(labels: Mapping[str, str]) -> _Stream:
    """The stream of whole batches: what is late is late for its segments, too."""
    return _stream({**labels, "segment": ""})


def _test(row: _Row) -> WatchedTest:
    return WatchedTest(
        _stream(row), row["test"], row["column_name"], row["label"], row["status"],
        row["severity"], row["value"], row["lower"], row["upper"], row["message"],
        row["failures"], row["failures_wanted"], row["windows_wanted"], row["alerting"],
        row["since"], row["streak"], row["report_url"],
    )  # fmt: skip


def _standing(rule: Rule, row: _Row) -> Standing:
    """As Grafana reads a row: its texts are labels, its number is the value."""
    labels = {name: text for name, text in row.items() if isinstance(text, str)}
    labels.pop("exporter", None)  # an address, for Grafana's text
    value = next(number for number in row.values() if isinstance(number, float))
    severity = rule.severity or labels.pop("severity")
    return Standing(rule, severity, labels, value)


def _filled(
    standing: Standing,
    heads: Mapping[_Stream, _Row],
    tests: Sequence[WatchedTest],
    figures: Mapping[_Stream, Sequence[FailedFigure]],
) -> Standing:
    """The same with what it is about."""
    stream = _stream(standing.labels)
    head = heads.get(stream, {})
    where = {name: head[name] for name in ("window_start", "window_end", "report_url") if head}
    standing = replace(standing, **where)
    if standing.rule.component == "tests":
        own = standing.labels.get("test")
        told = [
            t for t in tests
            if t.stream == stream and t.alerting and t.severity == standing.severity
            and (own is None or (t.test, t.column) == (own, standing.labels["column"]))
        ]  # fmt: skip
        if standing.rule.name == FIGURES_FAILED:
            return replace(standing, figures=figures.get(stream, ()))
        return replace(standing, tests=told)
    return (
        replace(standing, allowed=head.get("allowed")) if standing.rule.name == LATE else standing
    )


def _sources(standings: Sequence[Standing]) -> Mapping[_Stream, Sequence[Mapping[str, str]]]:
    """The labels of those that may keep others from being sent, by their evaluation; one of each kind."""
    found: dict[_Stream, dict[tuple[str, str], Mapping[str, str]]] = {}
    for standing in standings:
        if is_source(labels := _told(standing)):
            kind = standing.rule.name, standing.severity
            found.setdefault(_evaluation(standing.labels), {}).setdefault(kind, labels)
    return {stream: list(kinds.values()) for stream, kinds in found.items()}


def _told(standing: Standing) -> Mapping[str, str]:
    """Its labels as Alertmanager has them."""
    own = {"alertname": standing.rule.name, "component": standing.rule.component}
    return {**standing.labels, **own, "severity": standing.severity}


def _silenced(
    standing: Standing, sources: Mapping[_Stream, Sequence[Mapping[str, str]]]
) -> Standing:
    """The same with the alert that keeps it from being sent, if there is one."""
    near = sources.get(_evaluation(standing.labels), ())
    source = inhibited_by(_told(standing), near)
    return replace(standing, silenced_by=source["alertname"]) if source else standing
