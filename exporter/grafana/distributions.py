"""Histograms: names of bins, shares of a batch beside its reference, shares over time."""

from __future__ import annotations

from exporter.grafana.colours import CURRENT, REFERENCE
from exporter.grafana.panels import override
from exporter.grafana.queries import (
    CHOSEN,
    DAY_OR_HOUR,
    IN_RANGE,
    any_of,
    where,
)

# As many decimals as tell a bin from the next.
_DECIMALS = """\
least(greatest(1 - floor(log(coalesce(nullif(min(bin_to - bin_from) over (partition by column_name), 0), nullif(abs(coalesce(bin_from, bin_to)), 0), 1)::numeric)), -12), 12)::integer"""


def _edge(column: str) -> str:
    return f"trim_scale(round({column}::numeric, {_DECIMALS}))"


# The name of a bin begins with a number, so that heatmaps sort bins by it; of a category it is the category.
BIN = f"""\
case when category is not null then category
      when bin_from is null and bin_to is null then 'all values'
      when bin_from is null then {_edge("bin_to")} || ' or less'
      when bin_to is null then {_edge("bin_from")} || ' or more'
      else {_edge("bin_from")} || ' to ' || {_edge("bin_to")} end"""
SHARES = """\
current::float8 / nullif(sum(current) over (partition by snapshot_id, column_name), 0) as batch,
    reference::float8 / nullif(sum(reference) over (partition by snapshot_id, column_name), 0) as reference"""

BATCH_AND_REFERENCE = [
    override("batch", displayName="batch", color={"mode": "fixed", "fixedColor": CURRENT}),
    override(
        "reference", displayName="reference", color={"mode": "fixed", "fixedColor": REFERENCE}
    ),
]

_OF_COLUMN = any_of("column_name", "column")
# The newest batch that has a histogram of the chosen columns: `snapshot_id`, `time`.
_NEWEST = """\
select l.snapshot_id, l.time
from grafana.latest_snapshots l join grafana.series s using (project, model, evaluation, segment, stream)
where {conditions} and s.kind = 'distribution'
order by l.time desc, l.snapshot_id desc limit 1"""


def newest_bins(columns: str, snapshots: str = "") -> str:
    """What stands after `from`: the bins of the newest batches, of the columns that a condition chooses.

    *snapshots* is a query of `snapshot_id` and `time` in place of all newest ones. `offset 0` is a
    fence: without it the planner reads the histograms of all batches.
    """
    chosen = snapshots or f"select snapshot_id, time from grafana.latest_snapshots where {CHOSEN}"
    return f"""\
({chosen}) n
cross join lateral (
  select * from grafana.distributions d
  where d.snapshot_id = n.snapshot_id and d.time = n.time and {columns} offset 0) b"""


def beside_reference(column: str = _OF_COLUMN) -> str:
    """A column's newest histogram, a row a bin: `bin_name`, `batch` and `reference` as shares."""
    newest = _NEWEST.format(conditions=where(CHOSEN, column))
    return f"""\
select {BIN} as bin_name, {SHARES}
from (select b.* from {newest_bins(column, newest)}) h
order by column_name, bin"""


def over_time(column: str = _OF_COLUMN, *, otherwise: str) -> str:
    """A column's bins over time, for a heatmap: `time`, `metric` and `Value`, bins in their order.

    A heatmap of no rows is an error, and shows no text: without any bin *otherwise* is the name of the
    middle one of three that are empty.
    """
    return f"""\
with binned as (
  select {DAY_OR_HOUR} as time, column_name, bin, bin_from, bin_to, category, sum(current)::float8 as current
  from grafana.distributions
  where {where(IN_RANGE, CHOSEN, column)}
  group by 1, 2, 3, 4, 5, 6),
named as (select time, {BIN} as bin_name, bin, current from binned),
found as (
  select time, bin_name as metric, sum(current) / nullif(sum(sum(current)) over (partition by time), 0) as "Value",
    min(min(bin)) over (partition by bin_name) as place
  from named group by 1, 2)
select time, metric, "Value" from (
  select * from found
  union all
  select $__timeTo()::timestamptz, told, 0, 0 from unnest(array[' ', '{otherwise}', '  ']) told where not exists (select from found)) shown
order by time, place"""


def categories_over_time(column: str = _OF_COLUMN, most: int = 12) -> str:
    """Shares of a column's categories over time: `time`, `line`, `share`; all but the *most* frequent are `other`."""
    return f"""\
with found as (
  select time, category, sum(current)::float8 as current
  from grafana.distributions
  where {where(IN_RANGE, CHOSEN, column)} and category is not null
  group by 1, 2),
frequent as (
  select category from found where category <> 'other' group by 1 order by sum(current) desc, 1 limit {most})
select time, line, sum(current) / nullif(sum(sum(current)) over (partition by time), 0) as share
from (select time, current, case when category in (select category from frequent) then category else 'other' end as line from found) f
group by 1, 2 order by 1, line = 'other', 2"""
