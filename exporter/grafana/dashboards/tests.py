"""Tests: which fail, since when, by how much, how often, and what was not tested at all."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import STATUS_CELL, name_cell
from exporter.grafana.charts import bar_gauge, status_history, timeseries
from exporter.grafana.colours import ERROR, FAIL, GREY, LATE, SUCCESS, WARNING, Json, steps
from exporter.grafana.dashboard import Dashboard
from exporter.grafana.findings import SINCE_CELL, TO_TEST, failing_tests
from exporter.grafana.navigation import (
    choice,
    datasources,
    evaluation,
    events,
    link_to,
    model,
    project,
    segment,
    stream,
)
from exporter.grafana.panels import hidden, override, sql, stat, table
from exporter.grafana.queries import (
    CHOSEN,
    DAY_OR_HOUR,
    IN_RANGE,
    OF_FLEET,
    TEST,
    WORST,
    any_of,
    history,
    never_empty,
    passed_over_time,
    varying,
    where,
)
from exporter.grafana.trends import BOUND_LINES

_KEPT = ("project", "model", "evaluation", "segment", "stream")
_TO_MODEL = link_to("model-overview", "Open the model", row=("project", "model"))
_TO_MODELS = link_to("model-overview", "Open the model", keep=_KEPT)
_TO_QUALITY = link_to("data-quality", "Which data", keep=_KEPT)
_STREAM = "project, model, evaluation, segment, stream"
_RAW = f"{_STREAM}, test, column_name, label"
# The project only where models of two projects have the same name.
_OF_SEVERAL = f"""\
case when min(project) over (partition by model) <> max(project) over (partition by model) then project end, {varying("model")}"""
# A test's name, with whatever of its stream is not the same for all.
_LINE = f"concat_ws(' · ', {TEST}, {_OF_SEVERAL}, {varying('evaluation')}, {varying('segment')}, {varying('stream')})"
_ONE_TEST = any_of(TEST, "test")
_TOLD = where(IN_RANGE, CHOSEN)
_WORST_STREAMS = f"""\
({_STREAM}) in (
    select {_STREAM} from grafana.tests where {_TOLD} and {_ONE_TEST} group by {_STREAM}
    order by count(*) filter (where status_code in (1, 2, 3)) desc, {_STREAM} limit 4)"""
# The tests, each with a number: rows are compared by it, not by eight names.
_TESTS = f"""\
with tests as materialized (
  select series_id, dense_rank() over (order by {_RAW}) as number, {_RAW}
  from (select series_id, {_STREAM}, name as test, column_name, label from grafana.series where kind = 'test' and {CHOSEN}) s)"""
_NAMES = f"(select distinct number, {_RAW} from tests) names"
# Where a test that failed in the range began or ceased to fail, and the last of its batches; a skipped test says nothing.
_TURNS = f"""\
{_TESTS},
failed as materialized (select distinct series_id from grafana.tests where {_TOLD} and status_code in (1, 2, 3)),
points as (
  select number, time, status_code in (1, 2, 3) as failing
  from grafana.tests join (
    select series_id, number from tests where number in (select number from tests join failed using (series_id))) numbers using (series_id)
  where {_TOLD} and status_code < 4),
ordered as (
  select *, lag(failing) over batches as before, lead(failing) over batches is null as last, row_number() over batches as place
  from points window batches as (partition by number order by time)),
turns as (select *, failing <> coalesce(before, false) as turned from ordered where last or failing <> coalesce(before, false))"""


def _test() -> Json:
    values = f"""\
select t.test
from (select distinct {TEST} as test from (
        select name as test, column_name, label from grafana.series where kind = 'test' and {CHOSEN}) s) t
left join (select {TEST} as test, max(streak) as streak from grafana.failing_tests where {CHOSEN} group by 1) f using (test)
order by f.streak desc nulls last, 1 limit 500"""
    return choice(
        "test",
        "Test",
        values,
        otherwise="no tests yet",
        description="A test with its column and label; those that fail longest come first.",
    )


def _now(id_: int, title: str, status: str, said: str, scale: Json) -> Json:
    """How many tests have a status in the latest batches."""
    return stat(
        id_,
        title,
        f"Tests of the latest batches that {said} Source: grafana.latest_snapshots.",
        sql(
            f"select sum(tests_{status})::float8 as {status} from grafana.latest_snapshots where {CHOSEN}"
        ),
        scale=scale,
        links=[_TO_MODELS],
    )


NOW = (
    _now(1, "Failed", "fail", "failed and are critical. 0 is good.", colours.NONE_IS_GOOD),
    _now(
        2,
        "Errors",
        "error",
        "could not be done: their figure is missing. 0 is good.",
        steps((None, GREY), (0, SUCCESS), (1, ERROR)),
    ),
    _now(
        3,
        "Warns",
        "warning",
        "failed and are not critical. 0 is good.",
        colours.NONE_IS_GOOD_WARNING,
    ),
    _now(
        4,
        "Skips",
        "skipped",
        "had no reason to be done, such as too few rows; neither good nor bad.",
        steps((None, GREY)),
    ),
    _now(5, "Passed", "success", "passed.", colours.NEUTRAL),
    stat(
        6,
        "Share",
        "Share of the tests that passed, skipped ones left out; a warning has not passed. The number is of the latest batches; higher is better. "
        "Source: grafana.snapshots.",
        sql(
            passed_over_time(CHOSEN, "grafana.latest_snapshots"),
            series=True,
        ),
        unit="percentunit",
        scale=colours.AGREEMENT,
        graph=True,
        decimals=1,
        links=[_TO_MODELS],
    ),
)
FAILING = failing_tests(
    10,
    CHOSEN,
    size=(24, 9),
    line="concat_ws(' · ', model, evaluation, nullif(segment, ''), nullif(stream, ''))",
    heading="Model",
    links=[_TO_MODEL],
    message=True,
)
HISTORY = status_history(
    20,
    "Status of the tests",
    "The thirty tests that failed most in the range; a cell a day, or an hour in ranges under three days. Blank: no batch. "
    "Grey: skipped. Source: grafana.tests.",
    sql(
        never_empty(
            f"""\
{_TESTS},
cells as (
  select number, {DAY_OR_HOUR} as time, {WORST} as status, count(*) filter (where status_code in (2, 3)) as failed,
    count(*) filter (where status_code = 1) as warned
  from grafana.tests join (select series_id, number from tests) numbers using (series_id) where {_TOLD} group by 1, 2),
worst as (select number from cells group by 1 order by sum(failed) desc, sum(warned) desc, 1 limit 30),
named as materialized (select number, {_LINE} as line from worst join {_NAMES} using (number))
select time, line, status from cells join named using (number)""",
            {"line": "'no batches'", "status": "null"},
        ),
        series=True,
    ),
    size=(24, 16),
    links=[_TO_MODELS],
)
COUNTS = timeseries(
    30,
    "Tests that did not pass",
    "By status: of the chosen evaluations, a bar a day, or an hour in ranges under three days. Source: grafana.snapshots.",
    [
        sql(
            f"""\
select {DAY_OR_HOUR} as time, sum(tests_error)::float8 as error, sum(tests_fail)::float8 as fail, sum(tests_warning)::float8 as warning,
  sum(tests_skipped)::float8 as skipped
from grafana.snapshots where {IN_RANGE} and {CHOSEN}
group by 1 order by 1"""
        )
    ],
    bars=True,
    stacked=True,
    named="${__field.name}",
    defaults={"min": 0, "decimals": 0},
    overrides=[
        override(status, color={"mode": "fixed", "fixedColor": colour})
        for status, colour in {
            "error": ERROR,
            "fail": FAIL,
            "warning": WARNING,
            "skipped": GREY,
        }.items()
    ],
    links=[_TO_MODELS],
)
VALUE = timeseries(
    31,
    "${test}",
    "What the test that is chosen above found, by batch, in the four streams where it failed most. Dashed red: what it allows. A missing batch, or one without a figure, "
    "is a gap. Source: grafana.tests.",
    [
        sql(
            history(
                "grafana.tests",
                where(CHOSEN, _ONE_TEST, _WORST_STREAMS),
                named=f"concat_ws(' · ', {_OF_SEVERAL})",
                values={"value": "value", "lower": "lower", "upper": "upper"},
                first="count(value) desc",
            )
        )
    ],
    overrides=BOUND_LINES,
    links=[_TO_MODELS],
)
FLAKY = bar_gauge(
    40,
    "Flakiest tests",
    "How often a test changed between passing and failing in the range, warnings among the failures. Many changes: its bound is "
    "too narrow, or its batches too small. Source: grafana.tests.",
    sql(
        f"""\
{_TURNS},
counted as (select number, count(*) filter (where failing <> before)::float8 as flips from turns group by number)
select {_LINE} as name, flips, project, model, {TEST} as test from counted join {_NAMES} using (number) where flips > 0
order by flips desc, name limit 10"""
    ),
    size=(9, 12),
    names="top",
    scale=steps((None, GREY), (3, WARNING), (8, LATE)),
    defaults={"decimals": 0, "noValue": "no test changed"},
    links=[TO_TEST],
)
RECOVERY = table(
    41,
    "Time to recover",
    "Episodes of failure in the range, from the first batch that failed to the next that passed. `Mean` and `longest` are of those "
    "that are over; `open since` is where one still lasts. What began before the range counts from its start. Source: grafana.tests.",
    [
        sql(
            f"""\
{_TURNS},
followed as (
  select *, lead(time) over later as next, lead(place) over later as next_place, lead(failing) over later as still
  from turns window later as (partition by number order by time)),
episodes as (
  select number, time as began, case when not still then next end as ended,
    case when still then next_place - place + 1 else coalesce(next_place - place, 1) end as batches
  from followed where failing and turned),
summed as (
  select number, count(*)::float8 as episodes, sum(batches)::float8 as batches,
    avg(extract(epoch from ended - began))::float8 as mean, max(extract(epoch from ended - began))::float8 as longest,
    min(began) filter (where ended is null) as since
  from episodes group by number)
select {_LINE} as name, episodes, batches, mean, longest, since, project, model, {TEST} as test
from summed join {_NAMES} using (number)
order by since is null, longest desc nulls last, batches desc, name limit 50"""
        )
    ],
    size=(15, 12),
    nothing="nothing failed in the range",
    overrides=[
        override("name", **name_cell("Test", 146), links=[TO_TEST]),
        override("episodes", displayName="Episodes", custom__width=76),
        override("batches", displayName="Batches", custom__width=66),
        override("mean", displayName="Mean", unit="s", decimals=1, custom__width=84),
        override("longest", displayName="Longest", unit="s", decimals=1, custom__width=84),
        override("since", **{**SINCE_CELL, "displayName": "Open since"}),
        *hidden("project", "model", "test"),
    ],
)
NOT_TESTED = table(
    50,
    "Not tested, and why",
    "Tests that were skipped or could not be done in the range, by what they say. Skipped ones had no reason to be done; an error "
    "is a figure that should be there. Source: grafana.tests.",
    [
        sql(
            f"""\
select status_code as status, regexp_replace(message, '^[0-9.]+ ', '… ') as why, count(*)::float8 as times, count(distinct {TEST})::float8 as tests,
  string_agg(distinct evaluation, ', ') as evaluations, max(time) as last, project, model
from grafana.tests where {IN_RANGE} and {CHOSEN} and status_code in (3, 4)
group by project, model, status_code, why
order by status, times desc, why limit 50"""
        )
    ],
    size=(24, 7),
    nothing="nothing was left out",
    overrides=[
        override("status", **STATUS_CELL),
        override("why", **name_cell("Why", 190), links=[_TO_QUALITY]),
        override("times", displayName="Times", custom__width=70),
        override("tests", displayName="Tests", custom__width=70),
        override("evaluations", **name_cell("Evaluations", 120)),
        override("last", displayName="Last", unit="dateTimeFromNow", custom__width=110),
        override("model", **name_cell("Model", 110), links=[_TO_MODEL]),
        *hidden("project"),
    ],
)

DASHBOARD = Dashboard(
    name="tests",
    title="Tests",
    question="Which tests fail, since when, by how much, and which cannot be trusted?",
    about="tests",
    variables=[
        project(many=True),
        model(many=True),
        evaluation(),
        segment(many=True),
        stream(),
        _test(),
        *datasources(),
    ],
    events=events(OF_FLEET),
    rows=[NOW, [FAILING], [COUNTS, VALUE], [HISTORY], [FLAKY, RECOVERY], [NOT_TESTED]],
)
