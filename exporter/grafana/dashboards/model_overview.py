"""Model overview: whether a model is well, and if not: since when, and whether it is the data or the model."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import FAILED_CELL, REPORT_CELL, STATUS_CELL, against, name_cell
from exporter.grafana.charts import bar_gauge, status_history, timeseries
from exporter.grafana.colours import FAIL, GREY, LATE, SUCCESS, Json, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.findings import SINCE_CELL, TO_COLUMN, failing_tests, what_fails
from exporter.grafana.navigation import (
    datasources,
    evaluation,
    events,
    link_to,
    metric,
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
    MAIN,
    OF_EVALUATION,
    OF_FLEET,
    STATE,
    STREAM,
    WHOLE,
    WHOLE_BATCH,
    WORST,
    WORST_FIRST,
    any_of,
    history,
    improvement,
    judges_model,
    listed,
    main_figures,
    metrics,
    never_empty,
    where,
)
from exporter.grafana.trends import BOUND_LINES, bounds, figure_trend

_KEPT = ("project", "model", "evaluation", "segment", "stream")
_TO_TESTS = link_to("tests", "Which tests", keep=_KEPT)
_TO_DRIFT = link_to("data-drift", "Which columns", keep=_KEPT)
_TO_QUALITY = link_to("data-quality", "Which data", keep=_KEPT)
_TO_CLASSIFICATION = link_to("classification", "Its errors, if it classifies", keep=_KEPT)
_TO_REGRESSION = link_to("regression", "Its errors, if it predicts numbers", keep=_KEPT)
_TO_HEALTH = link_to("exporter-health", "Is the exporter well?")
_TO_CHALLENGER = link_to(
    "champion-challenger", "Is a challenger better?", keep=("project", "model")
)
_TO_ERRORS = [_TO_CLASSIFICATION, _TO_REGRESSION, _TO_CHALLENGER]

# All evaluations and segments of the chosen streams; and without the variable of segments.
_OF_STREAMS = where(OF_EVALUATION, any_of(STREAM, "stream"))
_LINE = "concat_ws(' · ', evaluation, nullif(segment, ''), nullif(stream, ''))"
# The main figure of the model, found among its series: no row of figures is read for it.
_MAIN = f"""\
metric = (select name from grafana.series where {OF_FLEET}
            and kind = 'metric' and column_name = '' and label = '' and name in ({listed(MAIN)})
          order by array_position(array[{listed(MAIN)}], name) limit 1)"""
_OF_BATCH = where("column_name = ''", "label = ''")


def _failing(condition: str) -> Json:
    """How many critical tests fail now; nothing where none was done."""
    return sql(
        "select case when count(*) > 0 then count(*) filter (where critical and status_code in (2, 3)) end as failing "
        f"from grafana.latest_tests where {where(OF_FLEET, 'status_code < 4', condition)}"
    )


def _state(column: str, order: str = "1") -> Json:
    return sql(
        f"select {column} from grafana.model_states where {OF_FLEET} order by {order} limit 1"
    )


STATS = (
    stat(
        1,
        "Status",
        "The worst status of the latest batches, of all evaluations and segments; late: no new batch for two intervals. "
        "Source: grafana.model_states.",
        _state(
            f"{STATE} as status",
            WORST_FIRST,
        ),
        scale=steps((None, GREY)),
        colouring="background_solid",
        defaults={"mappings": colours.STATUS},
        links=[_TO_TESTS],
    ),
    stat(
        2,
        "Age",
        "Since the end of the newest batch that was evaluated.",
        _state("age_seconds as age"),
        unit="s",
        decimals=1,
        colouring="none",
        links=[_TO_HEALTH],
    ),
    stat(
        3,
        "Data",
        "Critical tests of the data that fail in the latest batches: quality and drift of columns. 0 is good. "
        "Source: grafana.latest_tests.",
        _failing(f"not ({judges_model()})"),
        scale=colours.NONE_IS_GOOD,
        defaults={"noValue": "not tested"},
        links=[_TO_QUALITY, _TO_DRIFT],
    ),
    stat(
        4,
        "Model",
        "Critical tests of the predictions against the truth that fail in the latest batches. 0 is good. "
        "Source: grafana.latest_tests.",
        _failing(judges_model()),
        scale=colours.NONE_IS_GOOD,
        defaults={"noValue": "not tested"},
        links=_TO_ERRORS,
    ),
    stat(
        5,
        "Drifted",
        "Share of the tested columns that drifted, of whole batches in the range; the number is the newest. Lower is better.",
        sql(
            f"""\
select time, max(drifted_columns_ratio) as drifted
from grafana.snapshots where {IN_RANGE} and {WHOLE_BATCH} and tested_columns > 0
group by 1 order by 1""",
            series=True,
        ),
        unit="percentunit",
        scale=steps((None, GREY), (0, SUCCESS), (0.001, LATE), (0.5, FAIL)),
        graph=True,
        decimals=0,
        defaults={"noValue": "not tested"},
        links=[_TO_DRIFT],
    ),
    stat(
        6,
        "vs ref",
        "The main figure of the newest batch against its reference, the worst of the chosen streams. Negative is worse, "
        "whatever the figure's direction. Source: grafana.latest_metrics.",
        sql(
            f"""\
select min(vs_reference) as vs_reference from (
{main_figures(WHOLE_BATCH)}) m"""
        ),
        unit="percentunit",
        scale=colours.VS_REFERENCE,
        decimals=1,
        defaults={"noValue": "no figure"},
        links=_TO_ERRORS,
    ),
)

EVALUATIONS = table(
    10,
    "Evaluations · latest batch",
    "One row an evaluation with its segments, the worst first; rows and drift are of the whole batch. `What fails` names the failing tests, "
    "`Since` the batch with which the oldest of them began. Click one to see its tests. Sources: grafana.latest_snapshots, grafana.failing_tests.",
    [
        sql(
            f"""\
with failing as (
{what_fails("evaluation, stream", _OF_STREAMS)}),
latest as (
  select project, model, evaluation, stream, {WORST} as status, max(window_end) as until, max(rows) filter (where segment = '') as rows,
    sum(tests_fail + tests_error)::float8 as failed, max(drifted_columns_ratio) filter (where segment = '') as drift,
    count(*) filter (where segment <> '' and status_code in (2, 3)) || ' of ' || nullif(count(*) filter (where segment <> ''), 0) as segments,
    max(tags ->> 'version') as version, (array_agg(report_url order by segment <> ''))[1] as report_url
  from grafana.latest_snapshots where {_OF_STREAMS} group by 1, 2, 3, 4)
select status, concat_ws(' · ', evaluation, nullif(stream, '')) as line, until, rows, failed, failing, segments, since, drift, version, report_url, project, model, evaluation
from latest left join failing using (evaluation, stream)
order by array_position(array[3, 2, 1, 4, 0], status), failed desc, line"""
        )
    ],
    size=(24, 7),
    overrides=[
        override("status", **STATUS_CELL),
        override(
            "line",
            **name_cell("Evaluation", 120),
            links=[link_to("tests", "Its tests", row=("project", "model", "evaluation"))],
        ),
        override("until", displayName="Batch ended", unit="dateTimeFromNow", custom__width=114),
        override("rows", displayName="Rows", unit="short", custom__width=58),
        override("failed", **FAILED_CELL),
        override("failing", **name_cell("What fails", 120)),
        override("segments", displayName="Segments", custom__width=76),
        override("since", **SINCE_CELL),
        override("drift", displayName="Drift", unit="percentunit", decimals=0, custom__width=54),
        override("version", displayName="Version", custom__width=60),
        override("report_url", **REPORT_CELL),
        *hidden("project", "model", "evaluation"),
    ],
)
HISTORY = status_history(
    20,
    "Status of its evaluations and segments",
    "A cell a day, or an hour in ranges under three days; the two dozen lines that failed most. Blank: no batch. "
    "Grey: nothing could be tested. Source: grafana.snapshots.",
    sql(
        never_empty(
            f"""\
with points as (
  select {DAY_OR_HOUR} as time, {_LINE} as line, {WORST} as status
  from grafana.snapshots where {IN_RANGE} and {_OF_STREAMS} group by 1, 2),
worst as (select line from points group by 1 order by count(*) filter (where status in (2, 3)) desc, 1 limit 24)
select time, line, status from points join worst using (line)""",
            {"line": "'no batches'", "status": "null"},
        ),
        series=True,
    ),
    size=(24, 7),
    links=[_TO_TESTS],
)
FIGURE_TREND = figure_trend(
    30,
    "Main figure",
    f"The first of {', '.join(MAIN)} that the model has.",
    where(_OF_BATCH, _MAIN),
    size=(9, 10),
    links=_TO_ERRORS,
    nothing="no figure of quality",
)
DRIFT_TREND = timeseries(
    31,
    "Share of drifted columns",
    "Columns that drifted, of those that could be tested. Lower is better. Dashed red: what a test of it allows. "
    "Sources: grafana.snapshots, grafana.tests.",
    [
        sql(
            history(
                "grafana.snapshots",
                where(CHOSEN, "tested_columns > 0"),
                named="''",
                values={"drifted": "drifted_columns_ratio"},
                first="max(drifted) desc",
            )
        ),
        bounds(where(_OF_BATCH, metrics("drifted_columns_ratio"))),
    ],
    size=(7, 10),
    unit="percentunit",
    fill=10,
    defaults={"min": 0, "noValue": "no drift is tested"},
    overrides=BOUND_LINES,
    links=[_TO_DRIFT],
)
COLUMNS = bar_gauge(
    40,
    "Most drifted columns now",
    "The highest severities in the latest batches. From 1 on a column has drifted, whatever the method. "
    "Source: grafana.latest_drift.",
    sql(
        f"""\
select concat_ws(' · ', column_name, nullif(segment, '')) as name, max(severity) as severity, project, model, column_name as "column"
from grafana.latest_drift where {CHOSEN} and severity is not null
group by project, model, segment, column_name order by severity desc limit 8"""
    ),
    size=(8, 10),
    names="top",
    scale=colours.SEVERITY,
    defaults={"decimals": 2, "noValue": "no column was compared"},
    links=[TO_COLUMN],
)
FAILING = failing_tests(
    41,
    _OF_STREAMS,
    size=(24, 8),
    line=_LINE,
    heading="Evaluation",
    links=[link_to("tests", "Its tests", keep=("project", "model"))],
    message=True,
)
SEGMENTS = table(
    50,
    "Segments · latest batch",
    "One row an evaluation of a segment, the worst first. `vs ref`: its main figure against its reference, `vs whole` against that of "
    "the whole batch; negative is worse, whatever the figure's direction. Sources: grafana.latest_snapshots, grafana.latest_metrics.",
    [
        sql(
            f"""\
with main as (
{main_figures(_OF_STREAMS, by="project, model, evaluation, segment, stream")}),
compared as (
  select m.*, ({improvement("m.value", "w.value", "m.metric")}) / nullif(abs(w.value), 0) as vs_whole
  from main m left join main w
    on w.segment = '' and (w.project, w.model, w.evaluation, w.stream, w.metric) = (m.project, m.model, m.evaluation, m.stream, m.metric))
select status_code as status, segment, concat_ws(' · ', evaluation, nullif(stream, '')) as line, rows, (tests_fail + tests_error)::float8 as failed,
  replace(metric, '_', ' ') || ' ' || round(value::numeric, 3) as figure, vs_reference, vs_whole, drifted_columns_ratio as drift, report_url, project, model, evaluation
from (select * from grafana.latest_snapshots where {_OF_STREAMS} and segment <> '') s
left join compared using (project, model, evaluation, segment, stream)
order by array_position(array[3, 2, 1, 4, 0], status_code), failed desc, vs_reference, segment limit 50"""
        )
    ],
    size=(24, 7),
    nothing="no segments",
    overrides=[
        override("status", **STATUS_CELL),
        override(
            "segment",
            **name_cell("Segment", 110),
            links=[
                link_to("model-overview", "Show this segment", row=("project", "model", "segment"))
            ],
        ),
        override("line", **name_cell("Evaluation", 130)),
        override("rows", displayName="Rows", unit="short", custom__width=64),
        override("failed", **FAILED_CELL),
        override("figure", displayName="Main figure", custom__width=116),
        override("vs_reference", **against("vs ref")),
        override("vs_whole", **against("vs whole")),
        override("drift", displayName="Drift", unit="percentunit", decimals=0, custom__width=56),
        override("report_url", **REPORT_CELL),
        *hidden("project", "model", "evaluation"),
    ],
)
LABELS = timeseries(
    51,
    "Rows with a label",
    "Rows with prediction and truth, of all rows of the batch. Low: labels are still to come, or get lost. Source: grafana.snapshots.",
    [
        sql(
            history(
                "grafana.snapshots",
                where(CHOSEN, "labelled_rows is not null"),
                named="''",
                values={"labelled": "labelled_rows::float8 / nullif(rows, 0)"},
                first="min(labelled)",
            )
        )
    ],
    size=(12, 8),
    unit="percentunit",
    defaults={"min": 0, "max": 1, "noValue": "no labels"},
    links=_TO_ERRORS,
)
BATCHES = table(
    60,
    "Batches · newest first",
    "The hundred newest in the range; a batch's name, where it has one, stands after its evaluation. `Delay`: from the end of the batch to its result; `Revision` above 1: the content changed when it "
    "was evaluated again. Source: grafana.snapshots.",
    [
        sql(
            f"""\
select status_code as status, time, interval_seconds as length, concat_ws(' · ', evaluation, nullif(segment, ''), nullif(stream, ''), nullif(batch, '')) as line, rows,
  (tests_fail + tests_error)::float8 as failed, drifted_columns_ratio as drift, revision, extract(epoch from computed_at - window_end)::float8 as delay,
  tags ->> 'version' as version, report_url, project, model, evaluation
from grafana.snapshots where {IN_RANGE} and {CHOSEN}
order by time desc, evaluation, segment, stream, snapshot_id desc limit 100"""
        )
    ],
    size=(24, 10),
    overrides=[
        override("status", **STATUS_CELL),
        override("time", displayName="From", unit="dateTimeAsIso", custom__width=156),
        override("length", displayName="Length", unit="s", decimals=0, custom__width=60),
        override("line", **name_cell("Evaluation", 120)),
        override("rows", displayName="Rows", unit="short", custom__width=60),
        override("failed", **FAILED_CELL),
        override("drift", displayName="Drift", unit="percentunit", decimals=0, custom__width=52),
        override("revision", displayName="Revision", custom__width=68),
        override("delay", displayName="Delay", unit="s", decimals=1, custom__width=78),
        override("version", **name_cell("Version", width=84)),
        override("report_url", **REPORT_CELL),
        *hidden("project", "model", "evaluation"),
    ],
)
ROWS = timeseries(
    70,
    "Rows",
    "Rows of each batch; a fall or a gap is the data's, not the model's. Source: grafana.snapshots.",
    [
        sql(
            history(
                "grafana.snapshots",
                CHOSEN,
                named="''",
                values={"rows": "rows"},
                first="max(rows) desc",
            )
        )
    ],
    defaults={"min": 0},
    links=[_TO_QUALITY],
)
ANY = figure_trend(
    71,
    "${metric}",
    "The metric that is chosen above, one line a label or set of options.",
    where("column_name = ''", any_of("metric", "metric")),
    size=(24, 9),
    links=_TO_ERRORS,
    nothing="no figure",
)

DASHBOARD = Dashboard(
    name="model-overview",
    title="Model overview",
    question="Is this model well, and if not: since when, is it the data or the model?",
    about="overview",
    variables=[
        project(),
        model(),
        evaluation(),
        segment(many=True, first=WHOLE),
        stream(),
        metric(where(OF_EVALUATION, "column_name = ''"), many=False),
        *datasources(),
    ],
    events=events(OF_FLEET),
    rows=[
        STATS,
        [EVALUATIONS],
        [HISTORY],
        [FAILING],
        [FIGURE_TREND, DRIFT_TREND, COLUMNS],
        [SEGMENTS],
        [BATCHES],
        Section(900, "Rows, and any figure", [[ROWS, LABELS], [ANY]]),
    ],
)
