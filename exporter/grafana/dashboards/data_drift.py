"""Data drift: which columns have moved away from the reference, how far, and since when."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import GAUGE_CELL, REPORT_CELL, SEVERITY_CELL, name_cell, text_cell
from exporter.grafana.charts import bar_chart, bar_gauge, dashed, timeseries
from exporter.grafana.colours import CURRENT, FAIL, GREY, LATE, SUCCESS, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.distributions import (
    BATCH_AND_REFERENCE,
    BIN,
    SHARES,
    beside_reference,
    newest_bins,
)
from exporter.grafana.drifts import (
    NOT_COMPARED,
    TO_COLUMN,
    TO_COLUMN_OF_LINE,
    severity_cells,
    severity_lines,
)
from exporter.grafana.findings import SINCE_CELL
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
    IN_RANGE,
    OF_COLUMN,
    OF_MODEL,
    history,
    metrics,
    where,
)
from exporter.grafana.trends import BOUND_LINES, bounds

_TO_TESTS = link_to("tests", "Which tests", keep=KEPT)
_TO_QUALITY = link_to("data-quality", "Is the data whole?", keep=KEPT)
_WORST_NOW = f"""\
select column_name from grafana.latest_drift
where {CHOSEN} and severity is not null
group by 1 order by max(severity) desc, 1 limit 1"""


def _now(id_: int, title: str, description: str, figure: str, **look: object) -> dict[str, object]:
    return stat(
        *(
            id_,
            title,
            description,
            sql(
                f"select {figure} from grafana.latest_snapshots where {CHOSEN} and tested_columns is not null"
            ),
        ),
        defaults={"noValue": NOT_COMPARED},
        **look,  # type: ignore[arg-type]
    )


STATS = (
    _now(
        1,
        "Drifted",
        "Columns that have drifted in the latest batch, added up over evaluations, segments and streams. None is best. Source: grafana.latest_snapshots.",
        "sum(drifted_columns) as drifted",
        scale=steps((None, GREY), (0, SUCCESS), (1, LATE)),
        colouring="background_solid",
        links=[link_to("tests", "Which tests", keep=KEPT)],
    ),
    _now(
        2,
        "Share",
        "Drifted columns as a share of those that could be compared, in the latest batch. Less is better. Source: grafana.latest_snapshots.",
        "sum(drifted_columns)::float8 / nullif(sum(tested_columns), 0) as share",
        unit="percentunit",
        decimals=0,
        scale=steps((None, GREY), (0, SUCCESS), (0.001, "yellow"), (0.1, LATE), (0.5, FAIL)),
        links=[_TO_TESTS],
    ),
    stat(
        3,
        "Errors",
        "Columns of the latest batch that could not be compared; the table says why. None is best. Source: grafana.latest_drift.",
        sql(
            f"select count(*) filter (where error is not null) as errors from grafana.latest_drift where {CHOSEN} having count(*) > 0"
        ),
        scale=colours.NONE_IS_GOOD_WARNING,
        defaults={"noValue": NOT_COMPARED},
        links=[_TO_QUALITY],
    ),
    stat(
        4,
        "Worst",
        "The highest severity in the latest batch. From 1 on a column has drifted, whatever the method; 2 is twice as far. Source: grafana.latest_drift.",
        sql(f"select max(severity) as severity from grafana.latest_drift where {CHOSEN}"),
        decimals=2,
        scale=steps((None, GREY), (0, SUCCESS), (1, LATE), (2, FAIL)),
        defaults={"noValue": NOT_COMPARED},
        links=[_TO_QUALITY],
    ),
    stat(
        5,
        "Column",
        "The column with that severity: the one to look at first. Source: grafana.latest_drift.",
        sql(_WORST_NOW.replace("select column_name", 'select column_name as "column"')),
        size=(8, 4),
        text=True,
        colouring="none",
        defaults={"noValue": NOT_COMPARED},
        links=[TO_COLUMN],
    ),
)

HISTORY = severity_cells(
    *(10, "Severity by column and batch"),
    "When each column moved, and how far: the 30 columns with the highest severity in the range.",
    CHOSEN,
    size=(24, 16),
)
SHARE = timeseries(
    11,
    "Share of drifted columns",
    "Drifted columns as a share of those compared, a line for each evaluation, segment and stream. Less is better. "
    "Red dashed: the most that the tests of drifted_columns_ratio allow. Source: grafana.snapshots, grafana.tests.",
    [
        sql(
            history(
                "grafana.snapshots",
                where(CHOSEN, "tested_columns > 0"),
                named="''",
                values={"share": "drifted_columns_ratio"},
            )
        ),
        bounds(metrics("drifted_columns_ratio")),
    ],
    size=(10, 10),
    unit="percentunit",
    fill=10,
    defaults={"min": 0, "noValue": NOT_COMPARED},
    overrides=BOUND_LINES,
    links=[_TO_TESTS],
)
WORST = severity_lines(
    *(12, "Severity of the worst columns"),
    "The dozen columns with the highest severity in the range.",
    CHOSEN,
    size=(14, 10),
    table=True,
)

_COLUMNS = f"""\
with now as (select * from grafana.latest_drift where {CHOSEN}),
past as (
  select evaluation, segment, stream, column_name, time, drifted,
    max(time) filter (where not drifted) over (partition by evaluation, segment, stream, column_name) as sound
  from grafana.drift where {where(IN_RANGE, CHOSEN)} and drifted is not null),
streaks as (
  select evaluation, segment, stream, column_name, count(distinct time) as streak, min(time) as since
  from past where drifted and time > coalesce(sound, '-infinity') group by 1, 2, 3, 4)
select n.column_name as "column", n.severity, n.score, n.threshold, s.streak, s.since, n.method,
  concat_ws(' · ', n.evaluation, nullif(n.segment, ''), nullif(n.stream, '')) as of, n.error, l.report_url
from now n left join streaks s using (evaluation, segment, stream, column_name)
left join grafana.latest_snapshots l on l.snapshot_id = n.snapshot_id
order by n.severity desc nulls first, 1 limit 300"""
COLUMNS = table(
    20,
    "Columns · latest batch",
    "One row a column, the most drifted first; those that could not be compared stand on top, with the reason at the end. "
    "`In a row`: batches in a row that drifted, within the chosen range. Score and threshold are in the method's own terms: "
    "a distance drifts above its threshold, a p-value below. Click a column to see it. Source: grafana.latest_drift, grafana.drift.",
    [sql(_COLUMNS)],
    size=(24, 12),
    nothing=NOT_COMPARED,
    overrides=[
        override("column", **name_cell("Column", width=180), links=[TO_COLUMN]),
        override("severity", **(SEVERITY_CELL | {"custom__width": 98})),
        override("score", displayName="Score", custom__width=66, decimals=4),
        override("threshold", displayName="Threshold", custom__width=82, decimals=3),
        override(
            "streak",
            **text_cell("In a row", 68, steps((None, "text"), (1, LATE), (7, FAIL)), decimals=0),
        ),
        override("since", **SINCE_CELL),
        override("method", displayName="Method", custom__width=112),
        override("of", **name_cell("Of", 74)),
        override("error", **name_cell("Why not", 74)),
        override("report_url", **REPORT_CELL),
    ],
)

SHAPE = bar_chart(
    30,
    "The worst column: batch and reference",
    "How the values of the column with the highest severity lie in the latest batch, beside the reference: shares of the values in each bin "
    "or category. Where the bars differ the column has moved. Its name stands above, in `Column`. Source: grafana.distributions.",
    sql(beside_reference(f"column_name = (\n{_WORST_NOW})")),
    size=(10, 10),
    by="bin_name",
    overrides=BATCH_AND_REFERENCE,
    defaults={"min": 0, "noValue": "no histogram of this column"},
    links=[_TO_QUALITY],
)
_SHOWN = f"""\
column_name in (
    select column_name from grafana.latest_drift where {CHOSEN} and severity is not null
    group by 1 order by max(severity) desc, 1 limit 8)"""
_MOVED = f"""\
select column_name as "column", bin_name, batch, reference, change from (
  select distinct on (column_name, bin_name) column_name, bin_name, batch, reference, batch - reference as change
  from (select column_name, {BIN} as bin_name, {SHARES}
        from (select b.* from {newest_bins(_SHOWN)}) h) m
  where abs(batch - reference) > 0.001
  order by column_name, bin_name, abs(batch - reference) desc) furthest
order by abs(change) desc limit 60"""
MOVED = table(
    31,
    "Bins and categories that moved most",
    "Of the eight columns with the highest severity: the bins or categories whose share is furthest from the reference's, whatever the "
    "method of the drift. Source: grafana.distributions.",
    [sql(_MOVED)],
    size=(14, 10),
    nothing="no histograms",
    overrides=[
        override("column", **name_cell("Column", width=180), links=[TO_COLUMN]),
        override("bin_name", **name_cell("Bin", 110)),
        override("batch", displayName="Batch", unit="percentunit", decimals=1, custom__width=66),
        override(
            "reference", displayName="Reference", unit="percentunit", decimals=1, custom__width=82
        ),
        override(
            "change",
            displayName="Change",
            unit="percentunit",
            decimals=1,
            custom__width=70,
            custom__cellOptions={"type": "color-text"},
            thresholds=steps((None, CURRENT), (0, LATE)),
        ),
    ],
)

_BIN_OF_PART = """\
coalesce(part ->> 'category', part ->> 'value',
    case when jsonb_typeof(part -> 'bin') = 'array'
      then coalesce(part -> 'bin' ->> 0, '…') || ' to ' || coalesce(part -> 'bin' ->> 1, '…') end, 'missing')"""
_PARTS = f"""\
select column_name as "column", {_BIN_OF_PART} as bin_name, (part ->> 'part')::float8 as part,
  (part ->> 'part')::float8 / nullif(sum((part ->> 'part')::float8) over (partition by snapshot_id, column_name), 0) as of_all
from (select snapshot_id, column_name, severity, jsonb_array_elements(contributions) as part
      from grafana.latest_drift where {CHOSEN} and jsonb_typeof(contributions) = 'array') c
where part ? 'part'
order by severity desc, column_name, 3 desc limit 80"""
PARTS = table(
    40,
    "What the score comes from",
    "The bins or categories that add most to the score of drifted columns, where the method is a sum over bins (psi, jensenshannon and the like). "
    "`Of all` is the share among those told. Source: grafana.latest_drift, contributions.",
    [sql(_PARTS)],
    size=(12, 9),
    nothing="no column drifted by a method that tells",
    overrides=[
        override("column", **name_cell("Column", width=180), links=[TO_COLUMN]),
        override("bin_name", **name_cell("Bin", 90)),
        override("part", displayName="Part", decimals=3, custom__width=64),
        override(
            "of_all",
            displayName="Of all",
            unit="percentunit",
            min=0,
            max=1,
            decimals=0,
            thresholds=steps((None, LATE)),
            custom__width=98,
            custom__cellOptions=GAUGE_CELL,
        ),
    ],
)
METHODS = bar_gauge(
    41,
    "Severity by method",
    "The highest severity in the latest batch by drift method, with the number of columns it compared in brackets. From 1 on a column has drifted. Source: grafana.latest_drift.",
    sql(
        f"""\
select method || ' (' || count(distinct column_name) || ')' as name, max(severity) as severity, min(project) as project, min(model) as model
from grafana.latest_drift where {CHOSEN} and severity is not null
group by method order by 2 desc limit 10"""
    ),
    size=(5, 9),
    names="top",
    scale=colours.SEVERITY,
    defaults={"decimals": 2, "noValue": NOT_COMPARED},
    links=[_TO_TESTS],
)
# What the newest batches were told to be their target, their prediction and its probabilities.
_OUTCOME = f"""\
column_name in (
    select jsonb_path_query(metadata, '$.outcome[*]') #>> '{{}}' from grafana.latest_snapshots where {CHOSEN})"""
OUTCOMES = severity_lines(
    *(42, "Target and prediction"),
    "The columns of target, prediction and probabilities. Drift of the prediction is the first sign of a model in trouble while "
    "labels are awaited.",
    where(CHOSEN, _OUTCOME),
    size=(7, 9),
    nothing="no drift of target or prediction",
)

EACH_SCORE = timeseries(
    50,
    "$column",
    "The column's drift score in the method's own terms; orange dashed: where drift begins. A distance drifts above it, a p-value below. Source: grafana.drift.",
    [
        sql(
            history(
                "grafana.drift",
                OF_COLUMN,
                named="method",
                labels={'"column"': "column_name"},
                values={"score": "score", "threshold": "threshold"},
            )
        )
    ],
    size=(6, 6),
    overrides=[dashed("threshold", "threshold", LATE)],
    defaults={"min": 0, "noValue": NOT_COMPARED},
    links=[TO_COLUMN_OF_LINE],
    repeat="column",
)
EACH_SHAPE = bar_chart(
    51,
    "$column",
    "Shares of the values in bins or categories: the latest batch beside the reference. Source: grafana.distributions.",
    sql(beside_reference()),
    size=(6, 6),
    by="bin_name",
    overrides=BATCH_AND_REFERENCE,
    defaults={"min": 0, "noValue": "no histogram"},
    links=[link_to("column", "Open the column", keep=(*KEPT, "column"))],
    repeat="column",
)

DASHBOARD = Dashboard(
    name="data-drift",
    title="Data drift",
    question="Which columns have moved away from the reference, how far, and since when?",
    about="drift",
    variables=[
        project(),
        model(),
        evaluation(),
        segment(),
        stream(),
        column(CHOSEN, many=True),
        *datasources(),
    ],
    events=events(OF_MODEL),
    rows=[
        STATS,
        [HISTORY],
        [SHARE, WORST],
        [COLUMNS],
        [SHAPE, MOVED],
        [PARTS, METHODS, OUTCOMES],
        Section(900, "Scores, column by column", [[EACH_SCORE]], collapsed=True),
        Section(901, "Shapes, column by column", [[EACH_SHAPE]], collapsed=True),
    ],
)
