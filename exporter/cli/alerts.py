"""`exporter alerts`: what would be told now, and why; and a test alert on its way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from exporter.cli.options import Place, format_option, only_place, store_option
from exporter.cli.output import say
from exporter.cli.tables import lasting, many, one_line, print_table, window_of
from exporter.store.connection import translated

if TYPE_CHECKING:
    from exporter.alerts.standing import Standing, State, WatchedTest

STREAM = ("project", "model", "evaluation", "segment", "stream")  # what tells streams apart
_COLOURS = {"page": "red", "warning": "yellow", "info": "cyan"}
_DOES = {"page": "page", "warning": "warn", "info": "inform"}
_EMPTY = "nothing is watched yet: `exporter run` fills the store"
_OF_TEST = ("since", "report_url", "stream")  # told in other words, or by the alert


@click.command()
@click.argument("place", nargs=-1, metavar="[CONFIG]")
@store_option
@click.option("--project", help="Of this project; if not given, of CONFIG's, else of all.")
@click.option("--model", help="Of this model.")
@click.option("--gate", is_flag=True, help="End with 1 where anything pages.")
@format_option("table", "json")
@click.option("--test", is_flag=True, help="Send one test alert through the whole chain.")
@click.option("--off", is_flag=True, help="With --test: end it before its ten minutes are over.")
@click.option("--prometheus", metavar="URL", help="With --test: watch it arrive there.")
@click.option("--alertmanager", metavar="URL", help="With --test: watch it arrive there.")
def alerts(
    place: tuple[str, ...], url: str | None, form: str, test: bool, gate: bool, **given: Any
) -> None:
    """Show what would be told now and why, worst first, and which failing tests tell nobody.

    Asked of the store alone: no server is needed. What only Prometheus can know (the exporter is
    down, a model has vanished) is not among it.
    """
    where = only_place(place, url)
    if test:
        _try_the_way(where, given)
        return
    if lonely := [name for name in ("off", "prometheus", "alertmanager") if given[name]]:
        raise click.UsageError(f"--{lonely[0]} goes with --test")
    from exporter.alerts.standing import state_of

    project, model = given["project"] or where.project, given["model"]
    with where.opened() as store, translated(store.url):
        state = state_of(store.connection(), project=project, model=model)
    if form == "json":
        click.echo(json.dumps(_as_json(state), ensure_ascii=False))
    elif not state.streams and model:
        click.echo(f"nothing is watched that fits{where.unknown(given)}")
    else:
        _print(state, ZoneInfo(where.zone))
    if gate and any(alert.pages for alert in state.alerts):
        click.get_current_context().exit(1)


def _print(state: State, zone: ZoneInfo) -> None:
    click.echo(_summary(state) if state.streams else _EMPTY)
    for _, same in groupby(state.alerts, key=_headline):
        together = list(same)
        if together[0].rule.name != "EvaluationNoModels":  # said in plain words
            click.echo()
            _print_alerts(together, zone)
    if state.quiet:
        one = len(state.quiet) == 1
        says = "test fails and tells" if one else "tests fail and tell"
        click.echo(f"\n{len(state.quiet):,} {says} nobody:\n")
        rows = [
            (
                test.test,
                _column_of(test),
                _place_of(test),
                test.message,
                _since(test, zone),
                test.why_not,
            )
            for test in state.quiet
        ]
        print_table(("test", "column", "of", "what", "since", "why not"), rows)


def _summary(state: State) -> str:
    """`3 alerts: 1 page, 2 warn`."""
    if not state.alerts:
        return f"no alerts: {many(state.streams, 'stream')} watched"
    found = [alert.severity for alert in state.alerts]
    counts = (f"{found.count(s)} {_DOES[s]}" for s in _DOES if s in found)
    return f"{many(len(found), 'alert')}: {', '.join(counts)}"


def _headline(alert: Standing) -> tuple[str, ...]:
    """What alerts share that are told together: tests that fail again and again are one alert each."""
    return alert.rule.name, alert.severity, *(alert.labels.get(name, "") for name in STREAM)


def _print_alerts(alerts: Sequence[Standing], zone: ZoneInfo) -> None:
    alert = alerts[0]
    severity = click.style(alert.severity, fg=_COLOURS[alert.severity], bold=True)
    about = " / ".join(alert.labels[name] for name in STREAM if alert.labels.get(name))
    window = window_of(alert.window_start, alert.window_end, str(zone))
    about = ", ".join(text for text in (about, window) if text)
    click.echo(f"{severity}  {alert.rule.name}  {one_line(about)}: {_said(alerts)}")
    if alert.silenced_by:
        click.echo(f"  is not sent while {alert.silenced_by} fires")
    rows = [
        (f"  {test.test}", _column_of(test), test.message, _times(test), _since(test, zone))
        for one in alerts
        for test in one.tests
    ]
    if rows:
        print_table(("  test", "column", "what", "failed", "since"), rows)
    for figure in alert.figures:
        of = f" of {figure.column}" if figure.column else ""
        click.echo(one_line(f"  {figure.figure}{of}: {figure.error}"))
    if alert.report_url:
        click.echo(f"  report   {alert.report_url}")
    click.echo(f"  runbook  {alert.runbook}")


def _said(alerts: Sequence[Standing]) -> str:
    """What is wrong, in a few words."""
    alert, count = alerts[0], int(max(alert.value for alert in alerts))
    again = f"{many(len(alerts), 'test')} failed up to {many(count, 'window')} in a row"
    words = {
        "EvaluationTestsFailing": f"{many(count, 'test')} {'fails' if count == 1 else 'fail'}",
        "EvaluationTestFailingRepeatedly": again,
        "EvaluationFiguresFailed": f"{many(count, 'figure')} could not be computed",
        "EvaluationBatchLate": f"its last window ended {lasting(alert.value)} ago,"
        f" {lasting(alert.allowed or 0)} would be fine",
        "EvaluationNeverRan": "nothing was ever evaluated, although the config has it; its first batch"
        f" should have been there {lasting(alert.value)} ago",
        "EvaluationTestAlert": "somebody tries whether alerts arrive; nothing is wrong",
    }
    return words.get(alert.rule.name, alert.rule.description)


def _column_of(test: WatchedTest) -> str:
    return f"{test.column} [{test.label}]".strip() if test.label else test.column


def _place_of(test: WatchedTest) -> str:
    return " / ".join(name for name in test.stream if name)


def _times(test: WatchedTest) -> str:
    """`2 of the last 3`, or where one failure is enough how many in a row, from the second on."""
    if test.windows > 1:
        return f"{test.failures} of the last {test.windows}"
    return f"{test.streak} in a row" if test.streak > 1 else ""


def _since(test: WatchedTest, zone: ZoneInfo) -> str:
    """The start of its first failed window; a day without its hour."""
    if test.since is None:
        return ""
    begin = test.since.astimezone(zone)
    return f"{begin:%Y-%m-%d}" if begin.hour == begin.minute == 0 else f"{begin:%Y-%m-%d %H:%M}"


def _as_json(state: State) -> Mapping[str, Any]:
    return {
        "alerts": [dict(_alert_json(alert)) for alert in state.alerts],
        "quiet": [
            {
                **_test_json(test),
                "stream": _labels(test),
                "why_not": test.why_not,
                "report_url": test.report_url,
            }
            for test in state.quiet
        ],
        "streams": state.streams,
    }


def _alert_json(alert: Standing) -> Iterator[tuple[str, Any]]:
    yield "alert", alert.rule.name
    yield "severity", alert.severity
    yield "component", alert.rule.component
    yield "labels", alert.labels
    yield "value", alert.value
    yield "allowed", alert.allowed
    yield "silenced_by", alert.silenced_by
    yield "tests", [_test_json(test) for test in alert.tests]
    yield "figures", [figure._asdict() for figure in alert.figures]
    yield "window_start", _moment(alert.window_start)
    yield "window_end", _moment(alert.window_end)
    yield "report_url", alert.report_url
    yield "runbook_url", alert.runbook


def _labels(test: WatchedTest) -> dict[str, str]:
    return dict(zip(STREAM, test.stream, strict=True))


def _test_json(test: WatchedTest) -> dict[str, Any]:
    told = {name: value for name, value in test._asdict().items() if name not in _OF_TEST}
    return {**told, "since": _moment(test.since)}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _try_the_way(where: Place, given: Mapping[str, Any]) -> None:
    """Ask for the test alert, and watch it where the servers are known."""
    from exporter.alerts.trial import LENGTH, stations

    with where.opened() as store:
        if given["off"]:
            ended = store.end_test_alert()
            click.echo("the test alert has ended" if ended else "there was no test alert")
            return
        until = store.ask_for_test_alert(LENGTH).astimezone(ZoneInfo(where.zone))
    click.echo(f"EvaluationTestAlert fires until {until:%H:%M %Z}; --off ends it before.")
    told = list(stations(given["prometheus"], given["alertmanager"]))
    if not told:
        click.echo(
            "Expect it within two minutes: the exporter looks every 5 s, Prometheus once a minute,\n"
            "and Alertmanager waits for the rest of its group. --prometheus URL --alertmanager URL watch it."
        )
    for station in told:
        say(f"waiting: {station.what}")
        click.echo(f"{station.what}: {station.reached()}")
