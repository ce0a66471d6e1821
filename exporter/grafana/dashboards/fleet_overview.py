"""Fleet overview: whether anything is wrong with any model, and since when."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import (
    DRIFT_CELL,
    FAILED_CELL,
    REPORT_CELL,
    STATUS_CELL,
    against,
    name_cell,
    sparkline_cell,
)
from exporter.grafana.charts import bar_gauge, status_history, timeseries
from exporter.grafana.colours import GREY, LATE, SUCCESS, Json, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.findings import TO_COLUMN, failing_tests
from exporter.grafana.navigation import (
    datasources,
    events,
    link_to,
    model,
    project,
    stream,
)
from exporter.grafana.panels import alert_list, hidden, override, sql, stat, table
from exporter.grafana.queries import (
    DAY_OR_HOUR,
    DAY_OR_HOUR_OF,
    IN_RANGE,
    NOW_IN_RANGE,
    OF_FLEET,
    STATE,
    STREAM,
    WORST,
    WORST_FIRST,
    improvement,
    main_figures,
    never_empty,
    passed_over_time,
    shortest,
    spread,
    where,
)

KEY = "concat_ws(' · ', project || ' / ' || model, nullif(stream, ''))"
_NAME = f"{KEY} as line"
# The project only where models of two projects have the same name.
_SHORT = """concat_ws(' · ', case when model in (
    select model from grafana.streams group by 1 having count(distinct project) > 1) then project || ' / ' || model else model end, nullif(stream, ''))"""
_TO_MODEL = link_to(
    "model-overview", "Open ${__data.fields.line}", row=("project", "model", "stream")
)
_LABELLED = f"{_SHORT} as line, project, model, {STREAM} as tags"
_TO_MODEL_OF_LINE = link_to(
    "model-overview",
    "Open ${__field.labels.line}",
    project="${__field.labels.project:percentencode}",
    model="${__field.labels.model:percentencode}",
    stream="${__field.labels.tags:percentencode}",
)
_NO_LINE = {"line": "'no batches'", "project": "null", "model": "null", "tags": "null"}
_TO_TESTS = link_to("tests", "Which tests", keep=("project", "model"))
_TO_DRIFT = link_to("data-drift", "Which columns", keep=("project", "model"))
_TO_QUALITY = link_to("data-quality", "Which data", keep=("project", "model"))


def _counted(condition: str) -> Json:
    """How many models are so; nothing, and no green, where there are none at all."""
    counted = f"case when count(*) > 0 then count(*) filter (where {condition}) end"
    return sql(f"select {counted} as models from grafana.model_states where {OF_FLEET}")


STATS = (
    stat(
        *(1, "Models", "Models with a batch in the last month, one for each set of stream tags."),
        sql(f"select count(*) as models from grafana.model_states where {OF_FLEET}"),
        colouring="none",
        links=[link_to("fleet-status-board", "Open the status board")],
    ),
    stat(
        *(
            2,
            "Failing",
            "Models whose latest batch has a critical test that failed or could not be done.",
        ),
        _counted("status_code in (2, 3)"),
        scale=colours.NONE_IS_GOOD,
        colouring="background_solid",
        links=[_TO_TESTS],
    ),
    stat(
        *(3, "Late", "Models without a new batch for more than two of their intervals."),
        _counted("late"),
        scale=colours.NONE_IS_GOOD_LATE,
        colouring="background_solid",
        links=[link_to("exporter-health", "Is the exporter well?")],
    ),
    stat(
        *(
            4,
            "Drifted",
            "Drifted columns of all models, by the start of the batch. The number is of the latest batch of each.",
        ),
        sql(
            f"""\
select {DAY_OR_HOUR} as time, sum(drifted_columns)::float8 as drifted
from grafana.snapshots where {IN_RANGE} and {OF_FLEET} and segment = '' and tested_columns is not null
group by 1
union all
select now(), sum(drifted_columns)::float8 from grafana.model_states where {OF_FLEET} and {NOW_IN_RANGE}
order by 1""",
            series=True,
        ),
        scale=steps((None, GREY), (0, SUCCESS), (1, LATE)),
        graph=True,
        decimals=0,
        links=[_TO_DRIFT],
    ),
    stat(
        *(
            5,
            "Passed",
            "Share of the tests that passed, skipped ones left out; a warning has not passed. The number is of the latest batch of each model.",
        ),
        sql(
            passed_over_time(OF_FLEET, "grafana.model_states"),
            series=True,
        ),
        unit="percentunit",
        scale=colours.AGREEMENT,
        graph=True,
        decimals=1,
        links=[_TO_TESTS],
    ),
    stat(
        *(
            6,
            "Rows",
            "Rows that were evaluated, by the start of the batch; each row counts once, in the shortest batches of its model. The number is the last full day, or hour in ranges under three days.",
        ),
        sql(
            f"""\
select {DAY_OR_HOUR} as time, sum(rows)::float8 as rows
from (select time, project, model, stream, max(rows) as rows
      from {shortest("project, model, stream", where(IN_RANGE, OF_FLEET, "segment = ''"))}
      group by 1, 2, 3, 4) b
where {DAY_OR_HOUR} < {DAY_OR_HOUR_OF.format("now()", "now()")}
group by 1 order by 1""",
            series=True,
        ),
        scale=steps((None, "blue")),
        graph=True,
        links=[_TO_QUALITY],
    ),
)

_LATEST_QUALITY = main_figures(where(OF_FLEET, "segment = ''"))
_LENGTH = "coalesce(extract(epoch from window_end - time), 0)::float8"
_QUALITY_TREND = spread(f"""\
select {DAY_OR_HOUR} as time, {_NAME}, max(m.value) as value, {_LENGTH} as seconds
from grafana.metrics m join (
{_LATEST_QUALITY}) main using (project, model, stream, metric)
where {IN_RANGE} and segment = '' and column_name = '' and label = ''
group by 1, 2, 4""")
_DRIFT_TREND = spread(f"""\
select {DAY_OR_HOUR} as time, {_NAME}, max(drifted_columns_ratio) as value, {_LENGTH} as seconds
from grafana.snapshots
where {IN_RANGE} and {OF_FLEET} and segment = '' and tested_columns > 0
group by 1, 2, 4""")


MODELS = table(
    *(10, "Models · latest batch"),
    "One row a model and set of stream tags, the worst first. Click a model to see why. `vs ref` is its main figure "
    "against the reference: negative is worse, whatever the figure's direction. "
    "Source: grafana.model_states, grafana.latest_metrics.",
    [
        sql(
            f"""\
with quality as (
{_LATEST_QUALITY})
select {STATE} as status, {_NAME}, project, model, {STREAM} as stream,
  window_end as until, (tests_fail + tests_error)::float8 as failed, drifted_columns_ratio as drift,
  replace(metric, '_', ' ') || ' ' || round(value::numeric, 3) as quality, vs_reference, report_url
from (select * from grafana.model_states where {OF_FLEET}) s left join quality q using (project, model, stream)
order by {WORST_FIRST}, failed desc, line"""
        ),
        sql(_QUALITY_TREND, "B", series=True),
        sql(_DRIFT_TREND, "C", series=True),
    ],
    size=(24, 13),
    overrides=[
        override("status", **STATUS_CELL),
        override("line", **name_cell("Model", width=228), links=[_TO_MODEL]),
        override("until", displayName="Last batch", unit="dateTimeFromNow", custom__width=114),
        override("failed", **FAILED_CELL),
        override("drift", **(DRIFT_CELL | {"custom__width": 92})),
        override("Trend #C", unit="percentunit", **sparkline_cell("History", LATE)),
        override("quality", displayName="Main figure", custom__width=114),
        override("vs_reference", **against("vs ref")),
        override("Trend #B", **sparkline_cell("Trend", "blue")),
        override("report_url", **REPORT_CELL),
        *hidden("project", "model", "stream"),
    ],
    transformations=[
        {
            "id": "timeSeriesTable",
            "options": {"B": {"timeField": "Time"}, "C": {"timeField": "Time"}},
        },
        {"id": "joinByField", "options": {"byField": "line", "mode": "outer"}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {},
                "renameByName": {},
                "indexByName": {
                    name: at
                    for at, name in enumerate(
                        (
                            "status",
                            "line",
                            "until",
                            "failed",
                            "drift",
                            "Trend #C",
                            "quality",
                            "vs_reference",
                            "Trend #B",
                            "report_url",
                            "project",
                            "model",
                            "stream",
                        )
                    )
                },
            },
        },
    ],
)
HISTORY = status_history(
    *(20, "Worst status"),
    "A cell a day, or an hour in ranges under three days: the worst status of the model's evaluations and segments, of the twenty models that failed most. The newest cells lack what still waits for labels. Blank: no batch. Grey: nothing could be tested.",
    sql(
        never_empty(
            f"""\
with points as (
  select {DAY_OR_HOUR} as time, {_LABELLED}, {WORST} as status
  from grafana.snapshots where {IN_RANGE} and {OF_FLEET} group by 1, 2, 3, 4, 5),
worst as (select line from points group by 1 order by count(*) filter (where status in (2, 3)) desc, 1 limit 20)
select time, line, project, model, tags, status from points join worst using (line)""",
            _NO_LINE | {"status": "null"},
        ),
        series=True,
    ),
    size=(16, 12),
    links=[_TO_MODEL_OF_LINE],
)
ALERTS = alert_list(
    21,
    "Firing alerts",
    "Alerts of Grafana and of Prometheus that fire or are about to, whatever is chosen above.",
    size=(8, 12),
)
DRIFT = status_history(
    *(30, "Share of drifted columns"),
    "The twenty models that drifted most. A cell a day, or an hour in ranges under three days. Pale: some columns, orange: a tenth of them, red: half.",
    sql(
        never_empty(
            f"""\
with points as (
  select {DAY_OR_HOUR} as time, {_LABELLED}, max(drifted_columns_ratio) as drift
  from grafana.snapshots where {IN_RANGE} and {OF_FLEET} and segment = '' and tested_columns > 0 group by 1, 2, 3, 4, 5),
worst as (select line from points group by 1 order by avg(drift) desc, 1 limit 20)
select time, line, project, model, tags, drift from points join worst using (line)""",
            _NO_LINE | {"drift": "null"},
        ),
        series=True,
    ),
    size=(16, 12),
    unit="percentunit",
    statuses=False,
    scale=colours.DRIFTED_SHARE,
    links=[_TO_MODEL_OF_LINE, _TO_DRIFT],
)
QUALITY = timeseries(
    *(31, "Main figure against the reference"),
    "The ten models that are furthest below their reference now: 0 is as good as there, negative is worse, whatever the figure's direction.",
    [
        sql(
            f"""\
with main as (
{_LATEST_QUALITY}),
worst as (select *, (row_number() over (order by vs_reference))::text as place from main where vs_reference is not null order by vs_reference limit 10)
select time, {_LABELLED}, ({improvement("m.value", "m.reference", "m.metric")}) / nullif(abs(m.reference), 0) as vs_reference, place
from grafana.metrics m join worst w using (project, model, stream, metric)
where {IN_RANGE} and segment = '' and column_name = '' and label = ''
order by 1"""
        )
    ],
    size=(24, 9),
    unit="percentunit",
    legend="table",
    links=[_TO_MODEL_OF_LINE],
)
COLUMNS = bar_gauge(
    *(40, "Most drifted columns now"),
    "The highest severities in the latest batches. From 1 on a column has drifted, whatever the method.",
    sql(
        f"""\
select concat_ws(' · ', model, nullif(stream, ''), column_name) as name, max(severity) as severity, project, model, column_name as "column"
from grafana.latest_drift where {OF_FLEET} and segment = '' and severity is not null
group by project, model, stream, column_name order by severity desc limit 10"""
    ),
    size=(8, 12),
    names="top",
    scale=colours.SEVERITY,
    defaults={"decimals": 2},
    links=[TO_COLUMN],
)
FAILING = failing_tests(
    41,
    OF_FLEET,
    size=(24, 10),
    line="concat_ws(' · ', model, nullif(stream, ''), nullif(segment, ''))",
    heading="Model",
    links=[link_to("model-overview", "Open the model", row=("project", "model"))],
    message=True,
)
FAILED = timeseries(
    *(50, "Failed tests"),
    "Critical tests that failed or could not be done, by model; the ten models with the most in the range.",
    [
        sql(
            f"""\
with found as (
  select {DAY_OR_HOUR} as time, {_SHORT} as line, sum(tests_fail + tests_error)::float8 as failed
  from grafana.snapshots where {IN_RANGE} and {OF_FLEET} group by 1, 2),
worst as (select line, (row_number() over (order by sum(failed) desc))::text as place from found group by 1 having sum(failed) > 0 order by sum(failed) desc limit 10)
select time, line, failed, place from found join worst using (line) order by 1"""
        )
    ],
    size=(12, 8),
    bars=True,
    stacked=True,
    defaults={"min": 0, "decimals": 0},
    links=[_TO_TESTS],
)
DELAY = timeseries(
    *(51, "Delay from the batch's end to its result"),
    "How long after the end of a batch its evaluation was known; quality waits for labels, so it counts from the quickest evaluation of a batch.",
    [
        sql(
            f"""\
select time, percentile_cont(0.5) within group (order by delay) as median, max(delay) as slowest
from (select {DAY_OR_HOUR} as time, project, model, stream, min(extract(epoch from computed_at - window_end))::float8 as delay
      from grafana.snapshots where {IN_RANGE} and {OF_FLEET} and segment = '' and window_end is not null group by 1, 2, 3, 4, window_end) d
group by 1 order by 1"""
        )
    ],
    size=(12, 8),
    unit="s",
    named="${__field.name}",
    defaults={"min": 0},
    links=[link_to("exporter-health", "Is the exporter well?")],
)

DASHBOARD = Dashboard(
    name="fleet-overview",
    title="Fleet overview",
    question="Is anything wrong with any model, and since when?",
    about="overview",
    variables=[project(many=True), model(many=True), stream(), *datasources()],
    events=events(OF_FLEET),
    rows=[
        STATS,
        [MODELS],
        [HISTORY, ALERTS],
        [FAILING],
        [DRIFT, COLUMNS],
        [QUALITY],
        Section(900, "Pipeline and history", [[FAILED, DELAY]]),
    ],
)
