"""Column: everything that is known of one column, now and over time."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import (
    MISSING_TEXT,
    REPORT_CELL,
    SEVERITY_CELL,
    STATUS_CELL,
    name_cell,
    text_cell,
)
from exporter.grafana.charts import bar_chart, dashed, heatmap, status_history, timeseries
from exporter.grafana.colours import FAIL, GREY, LATE, SUCCESS, Json, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.distributions import (
    BATCH_AND_REFERENCE,
    beside_reference,
    categories_over_time,
    over_time,
)
from exporter.grafana.drifts import severity_lines
from exporter.grafana.findings import failing_tests
from exporter.grafana.navigation import (
    KEPT,
    column,
    datasources,
    evaluation,
    events,
    link_to,
    model,
    project,
    segment,
    stream,
)
from exporter.grafana.panels import override, sql, stat, table
from exporter.grafana.queries import (
    CHOSEN,
    DAY_OR_HOUR,
    FIGURE,
    IN_RANGE,
    OF_COLUMN,
    OF_MODEL,
    WORST,
    history,
    metrics,
    never_empty,
    of_a_day,
    varying,
    where,
)
from exporter.grafana.trends import BOUND_LINES, HOW_TO_READ, REFERENCE_LINE, bounds, figure_trend

NOTHING = "not measured"
_TO_TESTS = link_to("tests", "Its tests among the others", keep=KEPT)
_TO_DRIFT = link_to("data-drift", "Beside the other columns", keep=KEPT)
_TO_QUALITY = link_to("data-quality", "Beside the other columns", keep=KEPT)
_OF = "concat_ws(' · ', evaluation, nullif(segment, ''), nullif(stream, ''))"
_TOTAL = "label = ''"
_TEST = "concat_ws(' · ', test, nullif(label, ''))"
_OUTSIDE = ("out_of_range_ratio", "out_of_list_ratio", "regexp_mismatch_ratio")


def _now(id_: int, title: str, description: str, figure: str, *ids: str, **look: object) -> Json:
    conditions = where(OF_COLUMN, metrics(*ids), _TOTAL) if ids else OF_COLUMN
    return stat(
        *(id_, title, f"{description} Source: grafana.latest_metrics."),
        sql(f"select {figure} from grafana.latest_metrics where {conditions}"),
        defaults={"noValue": NOTHING},
        links=[_TO_QUALITY],
        **look,  # type: ignore[arg-type]
    )


STATS = (
    stat(
        *(1, "Drift"),
        "Severity of the column's drift in the latest batch, the highest where it is compared more than once: "
        "from 1 on it has drifted, whatever the method. Source: grafana.latest_drift.",
        sql(f"select max(severity) as severity from grafana.latest_drift where {OF_COLUMN}"),
        decimals=2,
        scale=steps((None, GREY), (0, SUCCESS), (1, LATE), (2, FAIL)),
        defaults={"noValue": "not compared"},
        links=[_TO_DRIFT],
    ),
    _now(
        *(2, "Absent", "Share of values that are missing in the latest batch. Less is better."),
        *("max(value) as share", "missing_ratio"),
        unit="percentunit",
        decimals=2,
        scale=steps((None, GREY), (0, SUCCESS), (1e-9, "yellow"), (0.05, LATE), (0.5, FAIL)),
    ),
    _now(
        *(3, "Values", "Values of the latest batch that the figures were computed from."),
        "max(n) as n",
        colouring="none",
    ),
    _now(
        *(4, "Differ", "Distinct values in the latest batch."),
        *('max(value) as "values"', "unique_count"),
        colouring="none",
    ),
    _now(
        5,
        "Outside",
        "Share of values of the latest batch outside the range, list or pattern of the reference, or of what a test names. Less is better.",
        *("max(value) as share", *_OUTSIDE),
        unit="percentunit",
        decimals=2,
        scale=steps((None, GREY), (0, SUCCESS), (1e-9, LATE)),
    ),
    stat(
        *(6, "Failing"),
        "Critical tests of this column that fail in the latest batch. None is best. Source: grafana.latest_tests.",
        sql(
            f"""\
select count(*) filter (where critical and status_code in (2, 3)) as failing
from grafana.latest_tests where {OF_COLUMN} having count(*) > 0"""
        ),
        scale=colours.NONE_IS_GOOD,
        colouring="background_solid",
        defaults={"noValue": "no tests"},
        links=[_TO_TESTS],
    ),
)

_ORDER = (
    *("mean", "std", "min", "quantile", "median", "max", "missing_ratio", "missing_count"),
    *("unique_count", "most_common_ratio", "category_ratio", "new_categories", "gone_categories"),
)
_PLACES = ", ".join(f"'{name}'" for name in _ORDER)
FIGURES = table(
    *(10, "Figures · latest batch"),
    "Every figure of the column: in the latest batch, in the reference, and how far apart they are. "
    "Where there is no value, the reason. Source: grafana.latest_metrics.",
    [
        sql(
            f"""\
select concat_ws(' · ', {FIGURE}, {varying("evaluation")}, {varying("segment")}, {varying("stream")}) as figure,
  value, reference, value - reference as change, error
from grafana.latest_metrics where {OF_COLUMN}
order by array_position(array[{_PLACES}], metric), 1 limit 200"""
        )
    ],
    size=(12, 11),
    nothing=NOTHING,
    overrides=[
        override("figure", **name_cell("Figure", 104), links=[_TO_QUALITY]),
        override("value", displayName="Batch", unit="short", custom__width=76),
        override("reference", displayName="Reference", unit="short", custom__width=84),
        override("change", displayName="Change", unit="short", custom__width=76),
        override("error", **name_cell("Why not", 80)),
    ],
)
SHAPE = bar_chart(
    *(11, "Latest batch and reference"),
    "How the values lie: the share of each bin, or category, in the latest batch (blue) and in the reference (grey). The outermost bins hold "
    "what lies beyond the reference's middle 98 %. Source: grafana.distributions.",
    sql(beside_reference()),
    size=(12, 11),
    by="bin_name",
    overrides=BATCH_AND_REFERENCE,
    defaults={"min": 0, "noValue": "no histogram of this column"},
    links=[_TO_DRIFT],
)
OVER_TIME = heatmap(
    *(20, "Distribution over time"),
    "The more a cell stands out, the larger the share of a batch's values in a bin, or category; bins stay the same from batch to batch. A cell a day, or an hour "
    "in ranges under three days. A band that moves or splits is drift. Source: grafana.distributions.",
    sql(over_time(otherwise="no histogram")),
    size=(15, 12),
    links=[_TO_DRIFT],
)
CATEGORIES = timeseries(
    *(21, "Shares of categories"),
    "The dozen most frequent categories of the range, and the rest as `other`; each batch adds up to all its values. Source: grafana.distributions.",
    [sql(categories_over_time())],
    size=(9, 12),
    unit="percentunit",
    bars=True,
    stacked=True,
    defaults={
        "min": 0,
        "max": 1,
        "noValue": "no categories: this column's values are told by bins, if at all",
    },
    links=[_TO_DRIFT],
)
SEVERITY = severity_lines(
    *(30, "Severity of drift"),
    "How far the column is from the reference.",
    OF_COLUMN,
    size=(8, 8),
    named="method",
    nothing="not compared",
)
SCORE = timeseries(
    *(31, "Score and threshold"),
    "The drift score in the method's own terms; orange dashed: where drift begins. A distance drifts above it, a p-value below. Source: grafana.drift.",
    [
        sql(
            history(
                "grafana.drift",
                OF_COLUMN,
                named="method",
                values={"score": "score", "threshold": "threshold"},
                first="count(score) desc",
            )
        )
    ],
    size=(8, 8),
    overrides=[dashed("threshold", "threshold", LATE)],
    defaults={"min": 0, "noValue": "not compared"},
    links=[_TO_DRIFT],
)


def _trend(id_: int, title: str, description: str, *ids: str, width: int = 8, **more: str) -> Json:
    return figure_trend(
        *(id_, title, description, where(metrics(*ids), _TOTAL)),
        of=OF_COLUMN,
        size=(width, 8),
        links=[_TO_QUALITY, _TO_TESTS],
        **more,  # type: ignore[arg-type]
    )


MISSING = _trend(
    *(32, "Missing values", "Share of values that are missing. Less is better."),
    "missing_ratio",
    unit="percentunit",
    nothing=NOTHING,
)
_MIDDLE = metrics("mean", "median", "quantile")
_NO_NUMBERS = "no numbers in this column"
MIDDLE = timeseries(
    *(40, "Mean and quantiles"),
    f"Where the values lie, batch by batch; the grey line is the reference's mean. {of_a_day('mean')} {HOW_TO_READ}",
    [
        sql(
            history(
                "grafana.metrics",
                where(OF_COLUMN, _MIDDLE),
                by=["metric", "name", "label", "params"],
                of_day={"value": "avg", "reference": "avg"},
                named=FIGURE,
                values={
                    "value": "value",
                    "reference": f"case when {metrics('mean')} then reference end",
                },
                first="count(reference) desc, count(value) desc",
            )
        ),
        bounds(_MIDDLE, of=OF_COLUMN),
    ],
    size=(12, 8),
    defaults={"noValue": _NO_NUMBERS},
    overrides=[REFERENCE_LINE, *BOUND_LINES],
    links=[_TO_DRIFT],
)
SPREAD = _trend(
    *(41, "Standard deviation", "How far the values spread."),
    "std",
    width=6,
    nothing=_NO_NUMBERS,
)
EXTREMES = _trend(
    *(
        42,
        "Extremes",
        "The smallest and the largest value; a lone jump is often a wrong unit or a filler such as -999.",
    ),
    *("min", "max"),
    width=6,
    nothing=_NO_NUMBERS,
)
NEW = _trend(
    *(
        50,
        "New and gone categories",
        "Categories that the reference does not have, and those that only it has. Fewer is better.",
    ),
    *("new_categories", "gone_categories"),
    nothing="new categories were not counted",
)
OUTSIDE = _trend(
    *(
        51,
        "Values out of range or list",
        "Share of values outside the range, list or pattern of the reference, or of what a test names. Less is better.",
    ),
    *_OUTSIDE,
    unit="percentunit",
    nothing="values out of range were not counted",
)
DISTINCT = timeseries(
    *(52, "Distinct values"),
    "How many different values a batch holds; one is a column that says nothing, as many as rows an identifier. The reference is larger, and not drawn. Source: grafana.metrics.",
    [
        sql(
            history(
                "grafana.metrics",
                where(OF_COLUMN, metrics("unique_count"), _TOTAL),
                named="''",
                values={"value": "value"},
                first="count(value) desc",
            )
        ),
        bounds(metrics("unique_count"), of=OF_COLUMN),
    ],
    size=(8, 8),
    defaults={"min": 0, "noValue": NOTHING},
    overrides=BOUND_LINES,
    links=[_TO_QUALITY, _TO_TESTS],
)

TESTS = status_history(
    *(60, "Tests of this column"),
    "A row a test, a cell a day, or an hour in ranges under three days: the worst status. Blank: no batch. Grey: it had no reason to be done. Source: grafana.tests.",
    sql(
        never_empty(
            f"""\
select {DAY_OR_HOUR} as time, {_TEST} as line, {WORST} as status
from grafana.tests where {where(IN_RANGE, OF_COLUMN)}
group by 1, 2""",
            {"line": "'no tests'", "status": "null"},
        ),
        series=True,
    ),
    size=(8, 9),
    links=[_TO_TESTS],
)
FAILING = failing_tests(
    61,
    OF_COLUMN,
    size=(16, 9),
    line=_OF,
    heading="Evaluation",
    links=[_TO_TESTS],
)

_MOST_BATCHES = 200  # of the newest thousand: an evaluation need not read this column
_BATCHES = f"""\
with newest as (
  select snapshot_id, time, {_OF} as of, status_code as status, rows, tests_fail + tests_error as failed, report_url
  from grafana.snapshots where {where(IN_RANGE, CHOSEN)} order by time desc limit {_MOST_BATCHES * 5}),
since as materialized (select min(time) as since from newest),
figures as (
  select snapshot_id, max(value) filter (where {metrics("missing_ratio")}) as missing,
    max(value) filter (where {metrics("mean")}) as mean, max(value) filter (where {metrics("unique_count")}) as differ
  from grafana.metrics where {where(IN_RANGE, OF_COLUMN, metrics("missing_ratio", "mean", "unique_count"))}
  and time >= (select since from since) group by 1),
drifts as (
  select snapshot_id, max(severity) as severity from grafana.drift where {where(IN_RANGE, OF_COLUMN)}
  and time >= (select since from since) group by 1)
select time, of, status, severity, missing, mean, differ, rows, failed, report_url
from newest left join figures using (snapshot_id) left join drifts using (snapshot_id)
where coalesce(severity, missing, mean, differ) is not null
order by time desc, 2 limit {_MOST_BATCHES}"""
BATCHES = table(
    *(70, "Batches of this column"),
    "The batches of the range, the newest first, with the column's figures; status and failed tests are of the whole batch. "
    "`open` leads to the report of that batch. Source: grafana.snapshots, grafana.metrics, grafana.drift.",
    [sql(_BATCHES)],
    size=(24, 10),
    overrides=[
        override("time", displayName="Batch", custom__width=160),
        override("of", **name_cell("Evaluation", 130)),
        override("status", **STATUS_CELL),
        override("severity", **SEVERITY_CELL),
        override(
            "missing",
            **text_cell("Missing", 78, MISSING_TEXT, unit="percentunit", decimals=1),
        ),
        override("mean", displayName="Mean", unit="short", custom__width=84),
        override("differ", displayName="Distinct", unit="short", custom__width=76),
        override("rows", displayName="Rows", unit="short", custom__width=70),
        override("failed", **text_cell("Failed", 66, steps((None, "text"), (1, FAIL)), decimals=0)),
        override("report_url", **REPORT_CELL),
    ],
)

DASHBOARD = Dashboard(
    name="column",
    title="Column",
    question="What is in this column, how does it differ from the reference, and since when?",
    about="column",
    variables=[
        project(),
        model(),
        column(OF_MODEL, many=False),
        evaluation(),
        segment(),
        stream(),
        *datasources(),
    ],
    events=events(OF_MODEL),
    rows=[
        STATS,
        [FIGURES, SHAPE],
        [OVER_TIME, CATEGORIES],
        [SEVERITY, SCORE, MISSING],
        [MIDDLE, SPREAD, EXTREMES],
        [NEW, OUTSIDE, DISTINCT],
        Section(900, "Its tests", [[TESTS, FAILING]]),
        Section(901, "Its batches", [[BATCHES]]),
    ],
)
