"""Champion and challenger: whether the challenger is better, on the batches that both of them had."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.grafana.cells import GAUGE_CELL, Properties, against, name_cell
from exporter.grafana.charts import status_history, timeseries
from exporter.grafana.colours import (
    CHALLENGER,
    CHAMPION,
    FAIL,
    GREY,
    Json,
    steps,
)
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.navigation import (
    choice,
    datasources,
    evaluation,
    events,
    link_to,
    metric,
    model,
    project,
    segment,
)
from exporter.grafana.panels import hidden, override, override_like, sql, stat, table
from exporter.grafana.queries import (
    FIGURE,
    IN_RANGE,
    MAIN,
    OF_EVALUATION,
    OF_MODEL,
    SEGMENT,
    STREAM,
    any_of,
    better,
    history,
    improvement,
    listed,
    never_empty,
    where,
)

_FEWEST = 5  # common batches for a verdict
_LAST = 30  # common batches that wins are counted in
_KEPT = ("project", "model", "evaluation", "segment")
_ARMS = ("champion", "challenger")
_TO_MODEL = link_to("model-overview", "Open the model", keep=_KEPT)
_TO_TESTS = link_to("tests", "Its tests", keep=_KEPT)
_OF_PAIR = where(OF_EVALUATION, any_of(SEGMENT, "segment"))
_EITHER = f"({any_of(STREAM, 'champion')} or {any_of(STREAM, 'challenger')})"
_DIRECTED = f"not ({better('neutral')})"
_CHOSEN_METRIC = any_of("metric", "metric")


def _arm(stream: str, conditions: str, *, beside: str = "") -> str:
    """Figures of one arm: of each window, or named batch without one, the newest.

    *beside* leaves those of times at which this other arm has a batch too.
    """
    if beside:
        others = where(IN_RANGE, _OF_PAIR, any_of(STREAM, beside))
        conditions = where(
            conditions, f"time in (select time from grafana.snapshots where {others})"
        )
    return f"""\
  select distinct on (batch_key, metric, figure) *
  from (select time, case when window_end is null then batch else concat_ws(' ', extract(epoch from time), extract(epoch from window_end)) end as batch_key,
          metric, {FIGURE} as figure, value, snapshot_id
        from grafana.metrics
        where {where(IN_RANGE, _OF_PAIR, any_of(STREAM, stream), "column_name = ''", "label = ''", "value is not null", conditions)}) x
  order by batch_key, metric, figure, snapshot_id desc"""


def _pairs(conditions: str, *, alone: bool = False) -> str:
    """CTEs: `champions`, `challengers`, and `pairs` of what both have; a positive `gain` is the challenger's.

    *alone*: the first two with figures of times at which the other arm has none.
    """
    champion, challenger = ("", "") if alone else ("champion", "challenger")
    return f"""\
with champions as (
{_arm("champion", conditions, beside=challenger)}),
challengers as (
{_arm("challenger", conditions, beside=champion)}),
pairs as (
  select c.time, metric, figure, c.value as champion, h.value as challenger,
    ({improvement("h.value", "c.value")}) as gain,
    row_number() over (partition by metric, figure order by c.time desc) as age
  from champions c join challengers h using (batch_key, metric, figure))"""


# Where a metric stands there with several options, its first one is judged.
_ONE_FIGURE = "figure = (select min(figure) from pairs)"
_WINS = f"avg(case when gain > 0 then 1.0 when gain < 0 then 0.0 else 0.5 end) filter (where age <= {_LAST})::float8"
# The gain in the mean is told from chance by its standard error; a few batches need a little more.
_VERDICT = f"""\
case when count(*) = 0 then 5
    when count(*) < {_FEWEST} then 4
    when abs(avg(gain)) <= (2 + 4.0 / count(*)) * stddev_samp(gain) / sqrt(count(*)) or avg(gain) = 0 then 0
    when avg(gain) > 0 then 1 else 2 end"""
VERDICTS = [
    {
        "type": "value",
        "options": {
            "0": {"text": "no difference", "color": GREY, "index": 0},
            "1": {"text": "challenger better", "color": CHALLENGER, "index": 1},
            "2": {"text": "champion better", "color": CHAMPION, "index": 2},
            "4": {"text": "not enough batches", "color": GREY, "index": 3},
            "5": {"text": "no common batch", "color": GREY, "index": 4},
        },
    }
]
_HOW = (
    f"The mean of the differences over all common batches of the range, against its standard error: within about twice of it there is "
    f"no difference; below {_FEWEST} common batches there is no verdict. Batches that resemble their neighbours make it look surer than it is."
)


def _judged(column: str, name: str) -> Json:
    return sql(
        f"{_pairs(_CHOSEN_METRIC)}\nselect {column} as {name} from pairs where {_ONE_FIGURE}"
    )


STATS = (
    stat(
        1,
        "Verdict",
        f"Whether the challenger is better by the chosen metric. {_HOW} Source: grafana.metrics.",
        _judged(_VERDICT, "verdict"),
        size=(8, 4),
        scale=steps((None, GREY)),
        colouring="background_solid",
        defaults={"mappings": VERDICTS},
        links=[_TO_MODEL],
    ),
    stat(
        2,
        "Gain",
        "By how much the challenger is better in the mean of the common batches, as a share of the champion's figure. Negative: worse, "
        "whatever the metric's direction. Source: grafana.metrics.",
        _judged("avg(gain) / nullif(abs(avg(champion)), 0)", "gain"),
        unit="percentunit",
        decimals=1,
        scale=steps((None, GREY), (-1e9, CHAMPION), (0, CHALLENGER)),
        defaults={"noValue": "nothing common"},
        links=[_TO_MODEL],
    ),
    stat(
        3,
        "Wins",
        f"Share of the last {_LAST} common batches in which the challenger is better; a tie is half a win. Source: grafana.metrics.",
        _judged(_WINS, "wins"),
        unit="percentunit",
        decimals=0,
        scale=steps((None, GREY), (0, CHAMPION), (0.5, CHALLENGER)),
        defaults={"noValue": "nothing common"},
        links=[_TO_MODEL],
    ),
    stat(
        4,
        "Pairs",
        "Batches of the range in which both have the chosen metric: only these are compared. Source: grafana.metrics.",
        _judged("count(*)", "common"),
        scale=steps((None, GREY), (0, GREY), (_FEWEST, "text")),
        links=[_TO_MODEL],
    ),
    stat(
        5,
        "Alone",
        "Batches of the range in which only one of them has the chosen metric: they are left out of the comparison. "
        "Source: grafana.metrics.",
        sql(
            f"""\
{_pairs(_CHOSEN_METRIC, alone=True)}
select count(*) as alone from champions c full join challengers h using (batch_key, metric, figure)
where (c.time is null or h.time is null) and figure = (select min(figure) from (table champions union all table challengers) x)"""
        ),
        links=[_TO_MODEL],
    ),
)


def _lines(view: str, of: str, named: str, value: str) -> list[Json]:
    """The same of both arms, over time: fields `champion` and `challenger`."""
    return [
        sql(
            history(
                view,
                where(of, any_of(STREAM, arm)),
                named=named,
                values={arm: value},
                first=f"count({arm}) desc",
            ),
            ref,
        )
        for arm, ref in zip(_ARMS, "AB", strict=True)
    ]


def _arms(name: str = "") -> list[Json]:
    """Each arm in its colour."""
    return [
        override(
            arm,
            displayName=f"{arm}{name}",
            color={"mode": "fixed", "fixedColor": colour},
        )
        for arm, colour in zip(_ARMS, (CHAMPION, CHALLENGER), strict=True)
    ]


BOTH = timeseries(
    10,
    "${metric} of both",
    "The chosen metric of champion and challenger by batch, also where only one of them has it. A missing batch is a gap. "
    "Source: grafana.metrics.",
    _lines(
        "grafana.metrics",
        where(_OF_PAIR, "column_name = ''", "label = ''", _CHOSEN_METRIC),
        FIGURE,
        "value",
    ),
    overrides=_arms(" · ${__field.labels.line}"),
    links=[_TO_MODEL],
)
DELTA = timeseries(
    11,
    "${metric}: what the challenger gains",
    "Of each common batch the difference between both, so that positive is better for the challenger, whatever the metric's direction; "
    "the line is the mean of the last seven. Zero: no difference. Source: grafana.metrics.",
    [
        sql(
            f"""\
{_pairs(_CHOSEN_METRIC)}
select time, gain, avg(gain) over (order by time rows 6 preceding) as mean
from pairs where {_ONE_FIGURE} order by 1"""
        )
    ],
    scale=steps((None, CHAMPION), (0, CHALLENGER)),
    show_scale=True,
    custom={"axisSoftMin": 0, "axisSoftMax": 0},
    named="${__field.name}",
    defaults={"noValue": "no common batch"},
    overrides=[
        override(
            "gain",
            displayName="gain of a batch",
            color={"mode": "thresholds"},
            custom__drawStyle="bars",
            custom__lineWidth=0,
            custom__fillOpacity=45,
            custom__gradientMode="scheme",
            custom__showPoints="never",
        ),
        override(
            "mean",
            displayName="mean of seven",
            color={"mode": "fixed", "fixedColor": "text"},
            custom__lineWidth=2,
            custom__showPoints="never",
        ),
    ],
    links=[_TO_MODEL],
)
_WINS_CELL: Properties = {
    "displayName": "Wins",
    "unit": "percentunit",
    "min": 0,
    "max": 1,
    "decimals": 0,
    "thresholds": steps((None, CHAMPION), (0.5, CHALLENGER)),
    "custom__width": 110,
    "custom__cellOptions": GAUGE_CELL,
}
METRICS = table(
    20,
    "All metrics on the common batches",
    "Means over the batches of the range that both have. `Gain`: the challenger's difference as a share of the champion's figure, negative is "
    f"worse, whatever the metric's direction, which `Better` tells. `Wins`: of the last {_LAST}. {_HOW} Source: grafana.metrics.",
    [
        sql(
            f"""\
{_pairs(_DIRECTED)}
select {_VERDICT} as verdict, figure, case when {better("lower")} then 'lower' else 'higher' end as better,
  avg(champion) as champion, avg(challenger) as challenger, avg(gain) / nullif(abs(avg(champion)), 0) as gain, {_WINS} as wins, count(*)::float8 as batches, metric
from pairs group by metric, figure
order by array_position(array[{listed(MAIN)}], metric), figure limit 60"""
        )
    ],
    size=(24, 11),
    nothing="no common batch",
    overrides=[
        override(
            "verdict",
            displayName="Verdict",
            mappings=VERDICTS,
            custom__cellOptions={"type": "color-background", "mode": "basic"},
            custom__width=150,
            custom__align="center",
        ),
        override(
            "figure",
            **name_cell("Metric", 160),
            links=[
                link_to(
                    "champion-challenger",
                    "Show this metric",
                    row=("metric",),
                    keep=(*_KEPT, *_ARMS),
                )
            ],
        ),
        override("better", displayName="Better", custom__width=76),
        override("champion", displayName="Champion", decimals=4, custom__width=100),
        override("challenger", displayName="Challenger", decimals=4, custom__width=100),
        override("gain", **against("Gain")),
        override("wins", **_WINS_CELL),
        override("batches", displayName="Batches", custom__width=76),
        *hidden("metric"),
    ],
)
STATES = status_history(
    30,
    "Status of both",
    "The worst status of the chosen evaluation's tests, by batch. Blank: no batch. Grey: nothing could be tested. Source: grafana.snapshots.",
    sql(
        never_empty(
            f"""\
select time, case when {any_of(STREAM, "champion")} then 'champion' else 'challenger' end as line, coalesce(max(status_code) filter (where status_code < 4), 4) as status
from grafana.snapshots where {where(IN_RANGE, _OF_PAIR, _EITHER)} group by 1, 2""",
            {"line": "'no batches'", "status": "null"},
        ),
        series=True,
    ),
    size=(24, 4),
    links=[_TO_TESTS],
)
ROWS = timeseries(
    40,
    "Rows of both",
    "Rows of each batch. In a shadow both see the same rows; in a split test a share each. Source: grafana.snapshots.",
    _lines("grafana.snapshots", _OF_PAIR, "''", "rows"),
    size=(8, 8),
    defaults={"min": 0},
    overrides=_arms(),
    links=[_TO_MODEL],
)
COVERAGE = timeseries(
    41,
    "Rows with a label",
    "Rows with prediction and truth, of all rows of the batch: where the two differ, so do the rows they are judged by. Source: grafana.snapshots.",
    _lines(
        "grafana.snapshots",
        where(_OF_PAIR, "labelled_rows is not null"),
        "''",
        "labelled_rows::float8 / nullif(rows, 0)",
    ),
    size=(8, 8),
    unit="percentunit",
    defaults={"min": 0, "max": 1, "noValue": "no labels"},
    overrides=_arms(),
    links=[_TO_MODEL],
)
# What is the same column of the same rows drifts alike in both; predictions do not.
DRIFT = timeseries(
    42,
    "Drift that differs",
    "Severity of the columns whose drift differs most between the two, predictions among them, of all evaluations; inputs of the same rows "
    "do not differ. From 1 on a column has drifted. Source: grafana.drift.",
    [
        sql(
            f"""\
with points as (
  select distinct on (time, column_name, arm) time, column_name, arm, severity
  from (select time, column_name, severity, snapshot_id, case when {any_of(STREAM, "champion")} then 'champion' else 'challenger' end as arm
        from grafana.drift where {where(IN_RANGE, OF_MODEL, any_of(SEGMENT, "segment"), _EITHER, "severity is not null")}) x
  order by time, column_name, arm, snapshot_id desc),
apart as (
  select column_name from (
    select column_name, max(severity) filter (where arm = 'champion') as c, max(severity) filter (where arm = 'challenger') as h
    from points group by time, column_name) p
  group by 1 having max(abs(c - h)) > 1e-9 order by avg(abs(c - h)) desc limit 3),
own as (
  select column_name, min(arm) as arm from points group by 1 having count(distinct arm) = 1),
shown as (
  select column_name from apart
  union (select column_name from own where (select count(distinct arm) from own) = 2 order by 1 limit 6))
select time, column_name || ' · ' || arm as line, severity from points join shown using (column_name) order by 1, 2"""
        )
    ],
    size=(8, 8),
    scale=steps((None, GREY), (1, FAIL)),
    show_scale=True,
    defaults={"min": 0, "noValue": "no drift is known of both"},
    overrides=[
        override_like(f"^.*· {arm}$", color={"mode": "shades", "fixedColor": colour})
        for arm, colour in zip(_ARMS, (CHAMPION, CHALLENGER), strict=True)
    ],
    links=[link_to("data-drift", "Which columns", keep=("project", "model", "segment"))],
)


# Words that tell which arm is which, whatever the stream tag is called.
_CHAMPIONS = ("champion", "production", "primary", "main", "live", "control")
_CHALLENGERS = ("challenger", "shadow", "candidate", "canary", "treatment")


def _told_by(words: Sequence[str]) -> str:
    return f"bool_or(exists (select from jsonb_each_text(stream_tags) t where lower(t.value) in ({listed(words)})))"


def _champion() -> Json:
    values = f"""\
select {STREAM} as champion from grafana.streams where {_OF_PAIR} group by 1
order by {_told_by(_CHAMPIONS)} desc, {_told_by(_CHALLENGERS)}, 1"""
    return choice(
        "champion",
        "Champion",
        values,
        otherwise="no streams yet",
        description="The stream tags of what is compared with.",
    )


def _challenger() -> Json:
    values = f"""\
with champions as (select stream_tags as tags from grafana.streams where {where(_OF_PAIR, any_of(STREAM, "champion"))} limit 1)
select {STREAM} as challenger from grafana.streams where {_OF_PAIR} and not {any_of(STREAM, "champion")} group by 1
order by {_told_by(_CHALLENGERS)} desc, {_told_by(_CHAMPIONS)},
  max((select count(*) from jsonb_each_text(stream_tags) t where t.value = (select tags ->> t.key from champions))) desc, 1"""
    return choice(
        "challenger",
        "Challenger",
        values,
        otherwise="no second stream",
        description="The stream tags of what might be better; those most like the champion's come first.",
    )


# Where there is something to compare comes first.
_MODELS = "count(distinct stream) desc, 1"
_EVALUATIONS = f"""\
count(distinct stream) desc, bool_or(exists (
  select from grafana.series f where (f.project, f.model, f.evaluation) = (s.project, s.model, s.evaluation) and f.name in ({listed(MAIN)}))) desc, 1"""

DASHBOARD = Dashboard(
    name="champion-challenger",
    title="Champion and challenger",
    question="Is the challenger better than the champion, on the batches that both had?",
    about="quality",
    variables=[
        project(),
        model(order=_MODELS),
        evaluation(many=False, order=_EVALUATIONS),
        segment(),
        metric(
            where(_OF_PAIR, "column_name = ''", "label = ''", f"not ({better('neutral', 'name')})"),
            many=False,
        ),
        _champion(),
        _challenger(),
        *datasources(),
    ],
    events=events(OF_MODEL),
    time=("now-90d", "now"),
    rows=[
        STATS,
        [BOTH, DELTA],
        [METRICS],
        [STATES],
        Section(900, "Are they judged by the same?", [[ROWS, COVERAGE, DRIFT]]),
    ],
)
