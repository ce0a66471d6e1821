"""A model's figures beside their reference, what their tests allow, and what a dummy would reach.

Classification, regression and ranking are shown alike: as they are now, over time, by segment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.grafana.cells import REPORT_CELL, STATUS_CELL, against, name_cell
from exporter.grafana.charts import dashed, timeseries
from exporter.grafana.colours import (
    BASELINE,
    FAIL,
    LATE,
    NEUTRAL,
    SUCCESS,
    Json,
)
from exporter.grafana.navigation import choice, evaluation, link_to, segment, stream
from exporter.grafana.panels import override, sql, stat, table, unit_of
from exporter.grafana.queries import (
    CHOSEN,
    IN_RANGE,
    OF_EVALUATION,
    OF_PROJECT,
    OPTIONS,
    SEGMENT,
    STREAM,
    any_of,
    history,
    improvement,
    listed,
    metrics,
    where,
)
from exporter.grafana.trends import BOUND_LINES, REFERENCE_LINE, bounds
from exporter.metrics import CATALOGUE

# What is said where a model has no such figure: it may well have batches.
NOT_MEASURED = "not measured"
# How far below its reference a figure is noteworthy, and bad, as a share of the reference.
NEAR, FAR = 0.03, 0.1
_DECIMALS = {"ratio": 1, "percent": 1, "score": 3}  # by unit; of values as many as they need
KEPT = ("project", "model", "evaluation", "segment", "stream")
TO_MODEL = link_to("model-overview", "Open the model", keep=("project", "model", "stream"))
TO_TESTS = link_to("tests", "Its tests", keep=KEPT)
TO_DRIFT = link_to("data-drift", "Is it the data?", keep=("project", "model", "stream"))
WHOLE_FIGURE = where("column_name = ''", "label = ''")
PLAIN = "params <> '{}', params::text"  # what has no options comes first
# Where several streams are chosen, what has one batch only is of the newest, and the first of these.
FIRST = "evaluation, position('champion' in stream) = 0, stream"
FIRST_OF_NEWEST = f"rank() over (order by time desc, {FIRST})"
_OF = "concat_ws(' · ', nullif(regexp_replace(stream, '[^=, ]+=', '', 'g'), ''), evaluation)"
# What tells several figures of one metric apart: the name that was given, or options that differ.
_APART = f"coalesce(name, case when min(params::text) over () <> max(params::text) over () then {OPTIONS} end, '')"


def chosen(*ids: str, whole: bool = True) -> str:
    """The condition of metrics in what the variables choose; *whole*: neither of a column nor labelled."""
    return where(CHOSEN, metrics(*ids), *([WHOLE_FIGURE] if whole else []))


def newest(conditions: str) -> str:
    """The figures of one newest batch, as a view to select from."""
    return f"""\
(select * from (select *, {FIRST_OF_NEWEST} as place from grafana.latest_metrics
  where {conditions}) l where place = 1) n"""


def first_stream(conditions: str) -> str:
    """The figures of the first stream in the range, as a view to select from."""
    return f"""\
(select * from (select *, dense_rank() over (order by {FIRST}) as place from grafana.metrics
  where {IN_RANGE} and {conditions}) r where place = 1) f"""


def variables(*ids: str) -> list[Json]:
    """The variables of a dashboard of models that have one of these metrics."""
    found = f"kind = 'metric' and name in ({listed(CATALOGUE[i].id for i in ids)})"
    return [
        choice("project", "Project", _having("project", found), otherwise="no projects yet"),
        choice("model", "Model", _having("model", found, OF_PROJECT), otherwise="no models yet"),
        evaluation(),
        segment(),
        stream(of=OF_EVALUATION),
    ]


def _having(column: str, *conditions: str) -> str:
    return f"select {column} from grafana.series where {' and '.join(conditions)} group by 1 order by 1"


def now(id_: int, title: str, metric: str, *, nothing: str = NOT_MEASURED) -> Json:
    """A figure of the newest batch, coloured by its distance to the reference only, and its past."""
    spec = CATALOGUE[metric]
    decided = spec.better != "neutral"
    distance = f"({improvement('value', 'reference')}) / nullif(abs(reference), 0)"
    order = f"time, {PLAIN}, {distance if decided else '-abs(value)'}"
    figure = where(chosen(metric), "value is not null")
    panel = stat(
        id_,
        title,
        f"{spec.help} {_reading(metric)} Of several streams the worst. Source: grafana.metrics.",
        sql(
            f"""\
with found as (
  select distinct on (time) time, value from (
    select time, value, reference, metric, params from grafana.metrics where {IN_RANGE} and {figure}
    union all
    select time, value, reference, metric, params from grafana.latest_metrics where {figure}) f
  order by {order})
select time, value from found order by 1""",
            series=True,
        ),
        unit=unit_of(spec.unit),
        graph=spec.unit != "percent",  # it would be drawn within 0 and 100, whatever the figure
        decimals=_DECIMALS.get(spec.unit),
        scale=NEUTRAL,
        defaults={"noValue": nothing},
        links=[TO_MODEL],
    )
    colour = f"""\
select case when distance < -{FAR} then '{FAIL}' when distance < -{NEAR} then '{LATE}' when distance is not null then '{SUCCESS}' end as color
from (select {distance if decided else "null::float8"} as distance, time, params from grafana.latest_metrics where {figure}) d
order by time desc, {PLAIN}, distance limit 1"""
    panel["targets"].append(sql(colour, "colour"))
    panel["transformations"] = [
        {
            "id": "configFromData",
            "options": {
                "configRefId": "colour",
                "mappings": [{"fieldName": "color", "handlerKey": "color"}],
            },
        }
    ]
    return panel


def _reading(metric: str) -> str:
    direction = CATALOGUE[metric].better
    if direction == "neutral":
        return "Neither high nor low is good in itself."
    return (
        f"The {direction} the better. Green: as good as the reference, or better; "
        f"orange: more than {NEAR:.0%} worse, red: more than {FAR:.0%}; no colour: no reference."
    )


def over_time(
    id_: int,
    title: str,
    metric: str,
    *,
    baseline: str = "",
    size: tuple[int, int] = (8, 8),
    named: str = _APART,
    nothing: str = NOT_MEASURED,
) -> Json:
    """A figure over time with its reference, the bounds of its tests, and a baseline: a metric, or a number."""
    spec = CATALOGUE[metric]
    constant = {"dummy": baseline} if baseline and baseline not in CATALOGUE else {}
    figure = {"current": "value", "reference": "reference", **constant}
    targets = [
        sql(
            history(
                "grafana.metrics",
                chosen(metric),
                named=named,
                values=figure,
            )
        ),
        bounds(where(metrics(metric), WHOLE_FIGURE)),
    ]
    if baseline in CATALOGUE:
        dummy = history(
            "grafana.metrics", chosen(baseline), named=_APART, values={"dummy": "value"}
        )
        targets.append(sql(dummy, "C"))
    return timeseries(
        id_,
        title,
        f"{spec.help} {_direction(metric)} Dashed grey: the reference; dashed red: what a test allows"
        f"{'; dotted: what a dummy reaches' if baseline else ''}. Source: grafana.metrics, grafana.tests.",
        targets,
        size=size,
        unit=unit_of(spec.unit),
        defaults={"noValue": nothing},
        overrides=[*LINES, _DUMMY] if baseline else LINES,
        links=[TO_TESTS, TO_MODEL],
    )


def _direction(metric: str) -> str:
    direction = CATALOGUE[metric].better
    return "" if direction == "neutral" else f"The {direction} the better."


_DUMMY = dashed("dummy", "dummy", BASELINE)
_DUMMY["properties"].append(
    {"id": "custom.lineStyle", "value": {"fill": "dot", "dash": [2, 5]}},
)
LINES = [REFERENCE_LINE, *BOUND_LINES]


def by_label(
    id_: int,
    title: str,
    description: str,
    metric: str,
    *,
    which: str = "true",
    size: tuple[int, int] = (8, 8),
    links: Sequence[Json] = (TO_TESTS, TO_MODEL),
) -> Json:
    """A labelled figure of the first stream over time, a line a label; *which* chooses among the labels."""
    values = {"current": "value", "reference": "reference"}
    conditions = where(chosen(metric, whole=False), "column_name = ''", "label <> ''", which)
    return timeseries(
        id_,
        title,
        f"{description} {_direction(metric)} Of several streams the first. Dashed grey: the reference. Source: grafana.metrics.",
        [sql(history(first_stream(conditions), "true", named="label", values=values))],
        size=size,
        unit=unit_of(CATALOGUE[metric].unit),
        defaults={"noValue": NOT_MEASURED},
        overrides=[REFERENCE_LINE],
        links=links,
    )


def coverage(id_: int, *, size: tuple[int, int] = (8, 8)) -> Json:
    """The share of rows whose label is known."""
    share = {"current": "labelled_rows::float8 / nullif(rows, 0)"}
    return timeseries(
        id_,
        "Rows with a label",
        "Share of the batch's rows of which the truth is known: the figures of quality rest on these. "
        "A fall at the right end means that labels are still to come. Source: grafana.snapshots.",
        [
            sql(
                history(
                    "grafana.snapshots",
                    where(CHOSEN, "labelled_rows is not null"),
                    named="''",
                    values=share,
                )
            )
        ],
        size=size,
        unit="percentunit",
        defaults={"min": 0, "max": 1, "noValue": "no labels"},
        links=[link_to("data-quality", "The rows themselves", keep=("project", "model", "stream"))],
    )


def segments(
    id_: int,
    dashboard: str,
    ids: Mapping[str, str],
    main: str,
    *,
    size: tuple[int, int] = (24, 9),
    nothing: str = NOT_MEASURED,
) -> Json:
    """A row a segment, the worst first: by *main*, one of the metrics *ids*, against its own reference."""
    columns = ", ".join(_of_metric(i) for i in ids)
    distance = f"({improvement('value', 'reference')}) / nullif(abs(reference), 0)"
    versus = _of_metric(main, distance, "vs_reference")
    conditions = where(OF_EVALUATION, any_of(STREAM, "stream"), metrics(*ids), WHOLE_FIGURE)
    cells: list[Json] = [
        override("status", **STATUS_CELL),
        override(
            "segment",
            **name_cell("Segment", 90),
            links=[
                link_to(
                    dashboard,
                    "Show this segment",
                    row=("segment",),
                    keep=("project", "model", "evaluation", "stream"),
                ),
            ],
        ),
        override("line", **name_cell("Of", 130)),
        override("rows", displayName="Rows", custom__width=60, unit="locale"),
        override("vs_reference", **against("vs ref")),
        override("report_url", **REPORT_CELL),
        *[
            override(
                i,
                displayName=title,
                custom__width=65,
                unit=unit_of(CATALOGUE[i].unit),
                decimals=_DECIMALS.get(CATALOGUE[i].unit),
            )
            for i, title in ids.items()
        ],
    ]
    return table(
        id_,
        "Segments · latest batch",
        f"The whole batch and its segments, the worst first: `vs ref` is {ids[main]} against the same segment's reference, negative is worse. "
        "Click one to see it on this dashboard. Source: grafana.latest_metrics.",
        [
            sql(
                f"""\
with figures as (
  select snapshot_id, {columns}, {versus} from grafana.latest_metrics
  where {conditions}
  group by snapshot_id)
select status_code as status, {SEGMENT} as segment, {_OF} as line, rows, {", ".join(ids)}, vs_reference, report_url
from grafana.latest_snapshots join figures using (snapshot_id)
where {OF_EVALUATION}
order by vs_reference nulls last, rows desc limit 100"""
            )
        ],
        size=size,
        overrides=cells,
        nothing=nothing,
    )


def _of_metric(metric: str, figure: str = "value", called: str = "") -> str:
    """A metric's figure among those of a snapshot: of several the one without options, if there is one."""
    return (
        f"(array_agg({figure} order by {PLAIN}) filter (where metric = '{CATALOGUE[metric].id}'))[1]"
        f" as {called or metric}"
    )


def batches(
    id_: int,
    ids: Mapping[str, str],
    *,
    size: tuple[int, int] = (24, 9),
    nothing: str = NOT_MEASURED,
) -> Json:
    """The batches of the range, the newest first, each with its figures and its report."""
    columns = ", ".join(_of_metric(i) for i in ids)
    return table(
        id_,
        "Batches",
        "The newest batches of the range with their figures; each leads to its report. Source: grafana.snapshots.",
        [
            sql(
                f"""\
with figures as (
  select snapshot_id, {columns} from grafana.metrics
  where {IN_RANGE} and {chosen(*ids)}
  group by snapshot_id)
select time, status_code as status, {_OF} as line, rows, {", ".join(ids)}, tags ->> 'version' as version, report_url
from grafana.snapshots join figures using (snapshot_id)
where {IN_RANGE} and {CHOSEN}
order by time desc, line limit 100"""
            )
        ],
        size=size,
        nothing=nothing,
        overrides=[
            override("time", displayName="Batch", unit="dateTimeAsIso", custom__width=164),
            override("status", **STATUS_CELL),
            override("line", **name_cell("Of", 90)),
            override("rows", displayName="Rows", custom__width=60, unit="locale"),
            *[
                override(i, displayName=t, custom__width=65, unit=unit_of(CATALOGUE[i].unit))
                for i, t in ids.items()
            ],
            override("version", **name_cell("Version", 60)),
            override("report_url", **REPORT_CELL),
        ],
    )
