"""SQL of panels: what the variables choose, and the shapes that panels read.

Every condition is written with `array[${variable:sqlstring}]::text[]`: quoted by Grafana, whole with one
value, many or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.config.editor import is_ours
from exporter.metrics import CATALOGUE
from exporter.metrics._registry import Better
from exporter.profile.outcome import ErrorProfile, ScoreProfile
from exporter.profile.ranking import RankingProfile

# A plugin that is loaded here is not of every store.
OURS = tuple(filter(is_ours, CATALOGUE.values()))
WHOLE = "whole batch"  # how the segment of all rows is shown
UNTAGGED = "no tags"  # how a stream without stream tags is shown
SEGMENT = f"coalesce(nullif(segment, ''), '{WHOLE}')"
STREAM = f"coalesce(nullif(stream, ''), '{UNTAGGED}')"
# The options of a metric, in a name: {"q": 0.25} is `q: 0.25`.
OPTIONS = """nullif(translate(jsonb_strip_nulls(params)::text, '{}"', ''), '')"""
FIGURE = f"concat_ws(' ', coalesce(name, replace(metric, '_', ' ')), nullif(label, ''), {OPTIONS})"
# A test's figure: what is tested of which column and label.
TEST = "concat_ws(' · ', test, nullif(column_name, ''), nullif(label, ''))"
# The worst of several statuses: what was skipped tells nothing where something else does.
WORST = "coalesce(max(status_code) filter (where status_code < 4), 4)"
# Of a row of grafana.model_states: a model that passes or warns, and is late, is late; and its place.
STATE = "case when late and status_code < 2 then 5 else status_code end"
WORST_FIRST = f"array_position(array[3, 2, 5, 1, 4, 0], {STATE})"
IN_RANGE = "$__timeFilter(time)"
# The state now ends a line that reaches to now: the newest day has not got all of its batches yet.
NOW_IN_RANGE = "now() <= $__timeTo()::timestamptz + interval '10 minutes'"
# A cell a day, or an hour where the range is short: batches of different time zones share a column.
DAY_OR_HOUR_OF = """case when $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '3 days'
    then date_trunc('day', {}, 'UTC') else date_trunc('hour', {}, 'UTC') end"""
DAY_OR_HOUR = DAY_OR_HOUR_OF.format("time", "time")
_LONGER_THAN = """case when $__timeTo()::timestamptz - $__timeFrom()::timestamptz > interval '{} days'
    then interval '1 day' else interval '1 hour' end"""
_DAY_OR_HOUR_LONG = _LONGER_THAN.format(3)
MOST_LINES = 12  # in a chart: more cannot be told apart
MOST_POINTS = 1000  # of a line: a chart has no room for more, and a browser no patience
_STEP = _LONGER_THAN.format(41)
_STEP_OF = f"date_bin({_STEP}, time, timestamptz 'epoch')"
# The figure that stands for a model's quality: the first of these that it has.
MAIN = ("roc_auc", "f1", "accuracy", "mae", "rmse", "ndcg_at_k")


def any_of(column: str, variable: str) -> str:
    """The condition that a variable chooses by the values of a column, or of an expression."""
    # Grafana puts a backslash before each ", as MySQL wants it: here it would be part of the name
    return f"""replace({column}, '"', '\\"') = any (array[${{{variable}:sqlstring}}]::text[])"""


def where(*conditions: str) -> str:
    """Conditions, all of which hold."""
    return "\n  and ".join(conditions)


OF_PROJECT = any_of("project", "project")
OF_MODEL = where(OF_PROJECT, any_of("model", "model"))
OF_FLEET = where(OF_MODEL, any_of(STREAM, "stream"))
OF_EVALUATION = where(OF_MODEL, any_of("evaluation", "evaluation"))
CHOSEN = where(OF_EVALUATION, any_of(SEGMENT, "segment"), any_of(STREAM, "stream"))
OF_COLUMN = where(CHOSEN, any_of("column_name", "column"))
WHOLE_BATCH = where(OF_EVALUATION, "segment = ''", any_of(STREAM, "stream"))


def listed(values: object) -> str:
    """Texts as a list for `in (…)`."""
    return ", ".join("'" + str(v).replace("'", "''") + "'" for v in values)  # type: ignore[attr-defined]


def metrics(*ids: str) -> str:
    """The condition that chooses metrics of the catalogue; a KeyError where one is not in it."""
    return f"metric in ({listed(CATALOGUE[i].id for i in ids)})"


# A line's number in its chart: a text, for Grafana takes it for a label then.
_PLACE = """(row_number() over (order by min(evaluation), bool_and(position('champion' in stream) = 0), min(stream), min(segment), line))::text"""


def history(
    view: str,
    conditions: str,
    *,
    named: str,
    values: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    first: str = "",
    of_day: Mapping[str, str] | None = None,
    by: Sequence[str] = (),
) -> str:
    """Points over time, a row each: `time`, `line`, its `place` for the colour, the labels, the values.

    A line is told apart by *named* and by evaluation, segment and stream; of these its name has
    what is not the same for all lines. Of several snapshots of one window the newest is shown. Where
    a batch is missing a row without values interrupts the line, whatever the batches' length.
    A champion's line comes before a challenger's. *first* orders the lines, by an aggregate of the
    values, and leaves the first dozen. *of_day*
    and *by* are those of `thinned`, for charts of many lines.
    """
    if of_day:
        view, conditions = thinned(view, conditions, by=by, values=of_day), "true"
    labels = labels or {}
    labelled = "".join(f", {expression} as {name}" for name, expression in labels.items())
    also = "".join(f", {name}" for name in labels)
    given = "".join(f", {expression} as {name}" for name, expression in values.items())
    shown = ", ".join(values)
    nothing = ", ".join("null" for _ in values)
    chosen = f"\n  where line in (select line from named group by 1 order by {first}, 1 limit {MOST_LINES})"
    return f"""\
with points as (
  select distinct on (time, evaluation, segment, stream, base{also})
    time, window_end, evaluation, segment, stream, {named} as base{labelled}{given}
  from {view}
  where {IN_RANGE}
  and {conditions}
  order by time, evaluation, segment, stream, base{also}, snapshot_id desc),
named as (
  select *, coalesce(nullif(concat_ws(' · ', nullif(base, ''), {varying("evaluation")}, {varying("segment")}, {varying("stream")}), ''), evaluation) as line
  from points),
places as (
  select line as of, {_PLACE} as place from named{chosen if first else ""} group by 1),
gaps as (
  select named.*, place, lead(time) over (partition by evaluation, segment, stream, base{also} order by time) as next
  from named join places on of = line)
select time, line{also}, {shown}, place from gaps
union all
select window_end, line{also}, {nothing}, place from gaps where next > window_end + (window_end - time) / 2
order by 1, 2"""


def shortest(by: str, conditions: str) -> str:
    """Snapshots of the shortest windows of each *by*, as a view: a week's rows are those of its days again."""
    return f"""\
(select * from (select *, min(interval_seconds) over (partition by {by}) as least
        from grafana.snapshots where {conditions}) s
       where interval_seconds is null or interval_seconds < 1.5 * least) w"""


def spread(points: str) -> str:
    """Points `time`, `line`, `value`, each for as long as its batch: a week is a line of days, not a dot.

    *points* has the same and `seconds`, the batch's length; of several the shortest is shown.
    """
    return f"""\
with batches as (
{points})
select time + k * {_DAY_OR_HOUR_LONG} as time, line, (array_agg(value order by seconds))[1] as value
from batches, generate_series(0, greatest(round(seconds / extract(epoch from {_DAY_OR_HOUR_LONG}))::int - 1, 0)) k
group by 1, 2 order by 1"""


def of_a_day(which: str) -> str:
    """What a panel says of the rows of `thinned`."""
    return (
        f"In a range of over {MOST_POINTS:,} batches a point is the {which} of a day, or an hour."
    )


def thinned(
    view: str,
    conditions: str,
    *,
    by: Sequence[str],
    values: Mapping[str, str],
    above: int = MOST_POINTS,
) -> str:
    """A view for `history` in which streams of more than a thousand batches in the range have a row a day.

    Or an hour, in ranges under six weeks. *by* names the columns that tell rows apart, beside
    evaluation, segment and stream; *values* gives for each column what is kept of a day: `max`,
    `avg`, `sum`. Other streams have their own rows.
    """
    keys = ", ".join(("evaluation", "segment", "stream", *by))
    kept = ", ".join(f"{aggregate}({column})" for column, aggregate in values.items())
    of = f"from {view}\nwhere {IN_RANGE} and {conditions} and (evaluation, segment, stream)"
    return f"""\
(with dense as (
  select evaluation, segment, stream from grafana.snapshots
  where {IN_RANGE} and {OF_MODEL} group by 1, 2, 3 having count(*) > {above})
select time, window_end, snapshot_id, {keys}, {", ".join(values)}
{of} not in (select * from dense)
union all
select greatest({_STEP_OF}, $__timeFrom()::timestamptz), {_STEP_OF} + {_STEP}, 0, {keys}, {kept}
{of} in (select * from dense) group by {_STEP_OF}, {keys}) thin"""


def varying(column: str) -> str:
    """A column's text where it is not the same in all rows."""
    return f"case when min({column}) over () <> max({column}) over () then nullif({column}, '') end"


def never_empty(query: str, columns: Mapping[str, str]) -> str:
    """The query's rows, or one of nothing at the range's end: some panels show no rows as an error.

    *columns* are those beside `time`, with what stands in them.
    """
    nothing = ", ".join(columns.values())
    shown = ", ".join(columns)
    return f"""\
with found as (
{query})
select time, {shown} from found
union all
select $__timeTo()::timestamptz, {nothing} where not exists (select from found)
order by 1"""


def judges_model() -> str:
    """The condition that a metric judges the model's predictions, not the data."""
    judged = {ErrorProfile, ScoreProfile, RankingProfile}
    return f"metric in ({listed(sorted(s.id for s in OURS if judged & set(s.reads)))})"


def better(direction: Better, of: str = "metric") -> str:
    """The condition that a metric is the better the `lower` or the `higher` it is; or `neutral`."""
    ids = sorted(spec.id for spec in OURS if spec.better == direction)
    return f"{of} in ({listed(ids)})"


def improvement(of: str, over: str, metric: str = "metric") -> str:
    """By how much one figure is better than another: negative is worse, whatever its direction."""
    return f"case when {better('lower', metric)} then {over} - {of} else {of} - {over} end"


def main_figures(conditions: str, *, by: str = "project, model, stream") -> str:
    """The main figure of each *by* in its newest window: `metric`, `value`, `reference`, `vs_reference`."""
    return f"""\
select distinct on ({by}) {by}, metric, value, reference,
  ({improvement("value", "reference")}) / nullif(abs(reference), 0) as vs_reference
from grafana.latest_metrics
where {where(conditions, "column_name = ''", "label = ''", "value is not null", metrics(*MAIN))}
order by {by}, array_position(array[{listed(MAIN)}], metric), time desc, params::text"""


# Of the tests that were done: what was skipped has not passed, and has not failed.
_PASSED = (
    "sum(tests_success)::float8"
    " / nullif(sum(tests_success + tests_warning + tests_fail + tests_error), 0)"
)


def passed_over_time(conditions: str, now: str) -> str:
    """The share of tests that passed, a point a day or an hour, and at the end that of the view *now*."""
    return f"""\
select {DAY_OR_HOUR} as time, {_PASSED} as passed
from grafana.snapshots where {IN_RANGE} and {conditions}
group by 1
union all
select now(), {_PASSED}
from {now} where {conditions} and {NOW_IN_RANGE}
order by 1"""
