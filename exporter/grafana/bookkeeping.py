"""What the store says of its own work: when batches were evaluated, written and replaced, and how large it is."""

from __future__ import annotations

from exporter.grafana.cells import name_cell
from exporter.grafana.charts import timeseries
from exporter.grafana.colours import Json
from exporter.grafana.navigation import link_to
from exporter.grafana.panels import override, sql, table
from exporter.grafana.queries import DAY_OR_HOUR, DAY_OR_HOUR_OF, IN_RANGE, OF_MODEL, OF_PROJECT

_TO_FLEET = link_to("fleet-overview", "Open the fleet", keep=("project",))


def _stored(
    id_: int, title: str, description: str, column: str, *, also: str = "", nothing: str
) -> Json:
    """Snapshots by the day, or hour, in one of their columns of times, a bar a project."""
    return timeseries(
        id_,
        title,
        description,
        [
            sql(
                f"""\
select greatest({DAY_OR_HOUR_OF.format(column, column)}, $__timeFrom()::timestamptz) as time, project as line, count(*)::float8 as value
from grafana.snapshots where $__timeFilter({column}) and {OF_MODEL}{also}
group by 1, 2 order by 1, 2"""
            )
        ],
        size=(8, 8),
        bars=True,
        stacked=True,
        defaults={"min": 0, "noValue": nothing},
        links=[_TO_FLEET],
    )


STORE = [
    [
        timeseries(
            40,
            "Delay of the results",
            "Median delay by project, of the quickest evaluation of each batch; those that wait for labels do not count. "
            "What is evaluated long after the fact stands out. The less the better. Source: grafana.snapshots.",
            [
                sql(
                    f"""\
select time, project as line, percentile_cont(0.5) within group (order by delay) as value
from (select {DAY_OR_HOUR} as time, project, model, stream, min(extract(epoch from computed_at - window_end))::float8 as delay
      from grafana.snapshots where {IN_RANGE} and {OF_MODEL} and segment = '' and window_end is not null
      group by 1, 2, 3, 4, window_end) d
group by 1, 2 order by 1, 2"""
                )
            ],
            size=(8, 8),
            unit="s",
            defaults={"min": 0},
            links=[_TO_FLEET],
        ),
        _stored(
            *(
                41,
                "Batches stored",
                "Snapshots that were written, by the day on which they were, or the hour in ranges under three days: a catch-up is a tall bar. Source: grafana.snapshots.",
            ),
            "stored_at",
            nothing="nothing was written",
        ),
        _stored(
            *(
                42,
                "Batches that were replaced",
                "Snapshots whose content was computed anew and came out otherwise: late rows, late labels, or a changed config. Source: grafana.snapshots, revision.",
            ),
            "computed_at",
            also=" and revision > 1",
            nothing="nothing was replaced",
        ),
    ],
    [
        table(
            43,
            "Newest batch of each project",
            "When the newest batch of each project ended, and when its result was last written. Source: grafana.latest_snapshots.",
            [
                sql(
                    f"""\
select project, count(distinct model)::float8 as models, count(*)::float8 as streams, max(window_end) as window_end,
  max(stored_at) as stored_at
from grafana.latest_snapshots where {OF_PROJECT}
group by 1 order by stored_at"""
                )
            ],
            size=(16, 8),
            overrides=[
                override(
                    "project",
                    **name_cell("Project", 110),
                    links=[link_to("fleet-overview", "Open its models", row=("project",))],
                ),
                override("models", displayName="Models", custom__width=66, decimals=0),
                override("streams", displayName="Streams", custom__width=70, decimals=0),
                override(
                    "window_end", displayName="Ended", unit="dateTimeFromNow", custom__width=114
                ),
                override(
                    "stored_at", displayName="Written", unit="dateTimeFromNow", custom__width=114
                ),
            ],
        ),
        table(
            44,
            "Size of the store",
            "Rows, as PostgreSQL estimates them, and bytes on disk with indexes; what grows is kept in months, and goes by retention. "
            "Source: PostgreSQL's catalogue, which costs nothing to read.",
            [
                sql(
                    """\
select parent.relname as name, sum(greatest(part.reltuples, 0))::float8 as rows,
  sum(pg_total_relation_size(part.oid))::float8 as bytes, count(*)::float8 as parts
from pg_catalog.pg_class parent
join pg_catalog.pg_namespace n on n.oid = parent.relnamespace and n.nspname = 'evaluation'
left join lateral pg_catalog.pg_partition_tree(parent.oid) t on t.isleaf
join pg_catalog.pg_class part on part.oid = coalesce(t.relid, parent.oid)
where parent.relkind in ('r', 'p') and not parent.relispartition
group by 1 order by bytes desc"""
                )
            ],
            size=(8, 8),
            overrides=[
                override("name", **name_cell("Table", 90), links=[_TO_FLEET]),
                override("rows", displayName="Rows", unit="short", custom__width=64),
                override("bytes", displayName="Size", unit="bytes", custom__width=76),
                override("parts", displayName="Parts", custom__width=54, decimals=0),
            ],
        ),
    ],
]
