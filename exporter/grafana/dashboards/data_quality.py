"""Data quality: whether the data is whole, and which columns are not."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import GAUGE_CELL, name_cell, text_cell
from exporter.grafana.charts import status_history, timeseries
from exporter.grafana.colours import FAIL, GREY, LATE, SUCCESS, Json, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.drifts import TO_COLUMN, TO_COLUMN_OF_LINE
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
    history,
    metrics,
    never_empty,
    of_a_day,
    shortest,
    where,
)
from exporter.grafana.trends import BOUND_LINES, HOW_TO_READ, REFERENCE_LINE, bounds

NOTHING = "not measured"
_TO_TESTS = link_to("tests", "Which tests", keep=KEPT)
_TO_DRIFT = link_to("data-drift", "Has the data moved?", keep=KEPT)
_TO_MODEL = link_to("model-overview", "Open the model", keep=KEPT)
_OF_BATCH = where("column_name = ''", "label = ''")
_SOME = steps((None, GREY), (0, SUCCESS), (1, LATE))
_SOME_SHARE = steps((None, GREY), (0, SUCCESS), (1e-9, "yellow"), (0.05, LATE), (0.5, FAIL))


def _now(figure: str, *ids: str) -> Json:
    """A query of one figure of the latest batch, over the rows of these metrics."""
    return sql(f"select {figure} from grafana.latest_metrics where {where(CHOSEN, metrics(*ids))}")


STATS = (
    stat(
        *(1, "Rows"),
        "Rows of the batches in the range, of the shortest where days and weeks are evaluated; the number is the newest's. Source: grafana.snapshots.",
        sql(
            f"""\
select time, sum(rows)::float8 as rows
from (select time, segment, stream, max(rows) as rows
      from {shortest("project, model, segment, stream", where(IN_RANGE, CHOSEN))} group by 1, 2, 3) b
group by 1 order by 1""",
            series=True,
        ),
        size=(6, 3),
        scale=steps((None, "blue")),
        graph=True,
        links=[_TO_MODEL],
    ),
    stat(
        *(2, "Missing cells"),
        "Share of all values of the latest batch that are missing; where only single columns were measured, their mean. "
        "Less is better. Source: grafana.latest_metrics.",
        _now(
            f"coalesce(max(value) filter (where {metrics('missing_cells_ratio')}), avg(value) filter (where {metrics('missing_ratio')})) as share",
            *("missing_cells_ratio", "missing_ratio"),
        ),
        size=(6, 3),
        unit="percentunit",
        decimals=2,
        scale=_SOME_SHARE,
        defaults={"noValue": NOTHING},
        links=[_TO_TESTS],
    ),
    stat(
        *(3, "Repeated rows"),
        "Rows of the latest batch that repeat an earlier row. None is best, unless the data is such. Source: grafana.latest_metrics.",
        _now("max(value) as rows", "duplicated_rows"),
        size=(6, 3),
        scale=_SOME,
        defaults={"noValue": NOTHING},
        links=[_TO_TESTS],
    ),
    stat(
        *(4, "Dead columns"),
        "Columns of the latest batch that are empty or hold one value only. None is best. Source: grafana.latest_metrics.",
        _now(
            f"coalesce(max(value) filter (where {metrics('constant_columns')}), max(value)) as dead",
            *("constant_columns", "empty_columns"),
        ),
        size=(6, 3),
        scale=_SOME,
        defaults={"noValue": NOTHING},
        links=[_TO_TESTS],
    ),
    stat(
        *(5, "Other types"),
        "Columns of the latest batch whose type is of another family than in the reference; gone columns count. None is best. "
        "Source: grafana.latest_metrics.",
        _now("max(value) as columns", "type_mismatches"),
        size=(6, 3),
        scale=colours.NONE_IS_GOOD,
        defaults={"noValue": NOTHING},
        links=[_TO_TESTS],
    ),
    stat(
        *(6, "New categories"),
        "Columns of the latest batch with categories that the reference does not have. None is best. Source: grafana.latest_metrics.",
        _now(
            'count(distinct column_name) filter (where value > 0) + case when count(*) = 0 then null else 0 end as "columns"',
            *("new_categories", "out_of_list_ratio", "out_of_list_count"),
        ),
        size=(6, 3),
        scale=_SOME,
        defaults={"noValue": NOTHING},
        links=[_TO_DRIFT],
    ),
    stat(
        *(7, "Out of range"),
        "Columns of the latest batch with values outside the reference's range, or the range that a test names. None is best; "
        "a value or two beyond a sample's extremes is chance. Source: grafana.latest_metrics.",
        _now(
            'count(distinct column_name) filter (where value > 0) + case when count(*) = 0 then null else 0 end as "columns"',
            *("out_of_range_ratio", "out_of_range_count"),
        ),
        size=(6, 3),
        scale=_SOME,
        defaults={"noValue": NOTHING},
        links=[_TO_DRIFT],
    ),
    stat(
        *(8, "No figure"),
        "Figures of the latest batch that could not be computed, drift scores among them; a table below says why. None is best. "
        "Source: grafana.latest_snapshots.",
        sql(f"select sum(figures_failed) as figures from grafana.latest_snapshots where {CHOSEN}"),
        size=(6, 3),
        scale=colours.NONE_IS_GOOD_WARNING,
        links=[_TO_TESTS],
    ),
)

_MISSING = f"""\
with found as (
  select {DAY_OR_HOUR} as time, column_name, max(value) as share
  from grafana.metrics where {where(IN_RANGE, CHOSEN, metrics("missing_ratio"))} and label = ''
  group by 1, 2),
worst as (
  select column_name from found group by 1 order by max(share) desc nulls last, 1 limit 30)
select time, column_name as line, column_name as "column", share
from found join worst using (column_name)"""
HISTORY = status_history(
    10,
    "Missing values by column and batch",
    "A row a column, a cell a day, or an hour in ranges under three days; the 30 columns that missed most in the range. Grey: nothing missing, "
    "pale: some, orange: a twentieth, red: half. Blank: no batch. Click a cell to open the column. Source: grafana.metrics, missing_ratio.",
    sql(
        never_empty(_MISSING, {"line": "'not measured'", '"column"': "''", "share": "null"}),
        series=True,
    ),
    size=(24, 15),
    unit="percentunit",
    statuses=False,
    scale=colours.MISSING_SHARE,
    links=[TO_COLUMN_OF_LINE],
)
MISSING = timeseries(
    *(11, "Share of missing values"),
    "The dozen columns that missed most in the range. Less is better; what tests allow is drawn for each column on its own page. "
    f"{of_a_day('largest')} Source: grafana.metrics, missing_ratio.",
    [
        sql(
            history(
                "grafana.metrics",
                where(CHOSEN, metrics("missing_ratio"), "label = ''"),
                by=["column_name"],
                of_day={"value": "max"},
                named="column_name",
                labels={'"column"': "column_name"},
                values={"share": "value"},
                first="max(share) desc",
            )
        )
    ],
    size=(14, 10),
    unit="percentunit",
    legend="table",
    defaults={"min": 0, "noValue": NOTHING},
    links=[TO_COLUMN_OF_LINE],
)
ROWS = timeseries(
    *(12, "Rows"),
    f"Rows of each batch. A sudden drop is a source that broke, a jump often a batch that came twice. {HOW_TO_READ}",
    [
        sql(
            history(
                "grafana.snapshots",
                CHOSEN,
                named="''",
                values={"rows": "rows::float8"},
                first="max(rows) desc",
            )
        ),
        bounds(metrics("row_count")),
    ],
    size=(10, 10),
    defaults={"min": 0},
    overrides=BOUND_LINES,
    links=[_TO_TESTS],
)

_OF_COLUMNS = {
    "missing": "missing_ratio",
    "was_missing": "missing_ratio",
    "new": "new_categories",
    "gone": "gone_categories",
    "out_of_list": "out_of_list_ratio",
    "out_of_range": "out_of_range_ratio",
    "infinite": "infinite_count",
    "empty": "empty_text_count",
    "distinct_values": "unique_count",
    "most_common": "most_common_ratio",
}


def _column(name: str, metric: str) -> str:
    figure = "reference" if name.startswith("was_") else "value"
    return f"max({figure}) filter (where {metrics(metric)}) as {name}"


_FIGURES = ",\n  ".join(_column(*pair) for pair in _OF_COLUMNS.items())
COLUMNS = table(
    *(20, "Columns · latest batch"),
    "One row a column, those that miss most first; on top those without a figure, such as a column that is gone. `Ref.` is the share that is missing in the reference; `New` and `Gone` count categories; "
    "out of list and out of range are shares of the values, by the reference's or by what a test names; `Top share` is that of the most common value. A dash: not measured. "
    "Click a column to see it. Source: grafana.latest_metrics.",
    [
        sql(
            f"""\
select column_name as "column",
  {_FIGURES},
  count(*) filter (where error is not null)::float8 as errors
from grafana.latest_metrics
where {CHOSEN} and column_name <> '' and label = ''
group by 1
order by (max(value) filter (where {metrics("missing_ratio")}) is null and count(*) filter (where error is not null) > 0) desc,
  greatest(max(value) filter (where {metrics("missing_ratio")}), 0) desc nulls last,
  greatest(max(value) filter (where {metrics("out_of_range_ratio", "out_of_list_ratio")}), 0) desc nulls last, 1 limit 300"""
        )
    ],
    size=(24, 12),
    nothing=NOTHING,
    overrides=[
        override("column", **name_cell("Column", 136), links=[TO_COLUMN]),
        override(
            "missing",
            displayName="Missing",
            unit="percentunit",
            min=0,
            max=1,
            decimals=1,
            thresholds=colours.MISSING_SHARE,
            custom__width=104,
            custom__cellOptions=GAUGE_CELL,
        ),
        override(
            "was_missing", displayName="Ref.", unit="percentunit", decimals=1, custom__width=60
        ),
        override("new", **text_cell("New", 50, steps((None, "text"), (1, LATE)), decimals=0)),
        override("gone", **text_cell("Gone", 54, steps((None, "text"), (1, "yellow")), decimals=0)),
        override(
            "out_of_list",
            **text_cell(
                "Out of list",
                80,
                steps((None, "text"), (1e-9, LATE)),
                unit="percentunit",
                decimals=1,
            ),
        ),
        override(
            "out_of_range",
            **text_cell(
                "Out of range",
                96,
                steps((None, "text"), (1e-9, LATE)),
                unit="percentunit",
                decimals=1,
            ),
        ),
        override(
            "infinite", **text_cell("Infinite", 66, steps((None, "text"), (1, FAIL)), decimals=0)
        ),
        override("empty", **text_cell("Empty", 60, steps((None, "text"), (1, LATE)), decimals=0)),
        override("distinct_values", displayName="Distinct", unit="short", custom__width=70),
        override(
            "most_common",
            displayName="Top share",
            unit="percentunit",
            decimals=0,
            custom__width=78,
        ),
        override(
            "errors",
            **text_cell("No figure", 76, steps((None, "text"), (1, "yellow")), decimals=0),
        ),
    ],
)


def _over_time(
    id_: int,
    title: str,
    description: str,
    *ids: str,
) -> Json:
    """Counts of the batch over time, beside the reference's and within what tests allow."""
    figure = where(metrics(*ids), _OF_BATCH)
    query = history(
        "grafana.metrics",
        where(CHOSEN, figure),
        by=["metric", "name", "label", "params"],
        of_day={"value": "max", "reference": "max"},
        named=FIGURE,
        values={"value": "value", "reference": "reference"},
        first="max(value) desc",
    )
    return timeseries(
        *(id_, title, f"{description} {of_a_day('largest')} {HOW_TO_READ}"),
        [sql(query), bounds(figure)],
        size=(8, 8),
        custom={"axisSoftMax": 4},
        defaults={"min": 0, "noValue": NOTHING},
        overrides=[REFERENCE_LINE, *BOUND_LINES],
        links=[_TO_TESTS],
    )


REPEATED = _over_time(
    *(30, "Repeated rows"),
    "Rows that repeat an earlier one, and rows with nothing in them. Less is better.",
    *("duplicated_rows", "empty_rows"),
)
DEAD = _over_time(
    *(31, "Columns that say nothing"),
    "Columns that are empty, hold one value (almost), or equal another column. Fewer is better.",
    *("empty_columns", "constant_columns", "almost_constant_columns"),
    *("duplicated_columns", "almost_duplicated_columns"),
)
SCHEMA = _over_time(
    *(32, "Changes of the schema"),
    "Declared columns in all, and those whose type is not that of the reference or that are gone. A step is a change of the schema; mismatches: none is best.",
    *("column_count", "type_mismatches"),
)


def _columns_over_time(
    id_: int, title: str, description: str, *ids: str, unit: str = "short"
) -> Json:
    """Figures of columns over time, the dozen that are highest in the range."""
    named = (
        "column_name" if len(ids) == 1 else "concat_ws(' ', column_name, replace(metric, '_', ' '))"
    )
    query = history(
        "grafana.metrics",
        where(CHOSEN, metrics(*ids), "label = ''"),
        by=["column_name", "metric"],
        of_day={"value": "max"},
        named=named,
        labels={'"column"': "column_name"},
        values={"value": "value"},
        first="max(value) desc",
    )
    return timeseries(
        *(id_, title, f"{description} {of_a_day('largest')} Source: grafana.metrics."),
        [sql(query)],
        size=(7, 9),
        unit=unit,
        defaults={"min": 0, "noValue": NOTHING},
        links=[TO_COLUMN_OF_LINE],
    )


UNKNOWN = _columns_over_time(
    *(40, "New, gone categories"),
    "How many categories the reference does not have, and how many only it has; the dozen highest. Fewer is better.",
    *("new_categories", "gone_categories"),
)
OUTSIDE = _columns_over_time(
    *(41, "Out of range or list"),
    "Share of values outside the range or list of the reference, or of what a test names; the dozen highest. Less is better.",
    *("out_of_range_ratio", "out_of_list_ratio"),
    unit="percentunit",
)
ERRORS = table(
    *(42, "Figures that could not be computed"),
    "Figures of the latest batch without a value, and why: not a fault where a column has no values. Source: grafana.latest_metrics, grafana.latest_drift.",
    [
        sql(
            f"""\
select coalesce(nullif("column", ''), '(the batch)') as "column", string_agg(distinct figure, ', ') as figures, error from (
  select column_name as "column", replace(metric, '_', ' ') as figure, error
  from grafana.latest_metrics where {CHOSEN} and error is not null
  union all
  select column_name, 'drift ' || method, error from grafana.latest_drift where {CHOSEN} and error is not null) e
group by "column", error order by count(*) desc, "column", error limit 100"""
        )
    ],
    size=(10, 9),
    nothing="all figures could be computed",
    overrides=[
        override("column", displayName="Column", custom__width=120, links=[TO_COLUMN]),
        override("figures", **name_cell("Figures", 110)),
        override("error", **name_cell("Why not", 110)),
    ],
)

EACH = timeseries(
    *(50, "$column"),
    "Share of missing values; where they were measured the shares of infinite values, and of those out of the range or list. "
    f"Dashed grey: missing in the reference; dashed red: what tests of these figures allow. Less is better. {of_a_day('largest')} "
    "Sources: grafana.metrics, grafana.tests.",
    [
        sql(
            history(
                "grafana.metrics",
                where(
                    OF_COLUMN,
                    metrics(
                        "missing_ratio",
                        "infinite_ratio",
                        "out_of_range_ratio",
                        "out_of_list_ratio",
                    ),
                    "label = ''",
                ),
                by=["metric"],
                of_day={"value": "max", "reference": "max"},
                named="replace(metric, '_', ' ')",
                values={
                    "value": "value",
                    "reference": f"case when {metrics('missing_ratio')} then reference end",
                },
            )
        ),
        bounds(
            metrics("missing_ratio", "infinite_ratio", "out_of_range_ratio", "out_of_list_ratio"),
            of=OF_COLUMN,
        ),
    ],
    size=(6, 6),
    unit="percentunit",
    defaults={"min": 0, "noValue": NOTHING},
    overrides=[REFERENCE_LINE, *BOUND_LINES],
    links=[link_to("column", "Open the column", keep=(*KEPT, "column"))],
    repeat="column",
)

DASHBOARD = Dashboard(
    name="data-quality",
    title="Data quality",
    question="Is the data whole: nothing missing, repeated, unknown, or out of its range?",
    about="quality",
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
        STATS[:4],
        STATS[4:],
        [HISTORY],
        [MISSING, ROWS],
        [COLUMNS],
        [REPEATED, DEAD, SCHEMA],
        [UNKNOWN, OUTSIDE, ERRORS],
        Section(900, "Column by column", [[EACH]], collapsed=True),
    ],
)
