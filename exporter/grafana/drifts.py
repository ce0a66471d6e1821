"""Drift over time, as several dashboards show it: cells by column and batch, and lines."""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.charts import status_history, timeseries
from exporter.grafana.colours import LATE, Json, steps
from exporter.grafana.navigation import KEPT, link_to
from exporter.grafana.panels import sql
from exporter.grafana.queries import (
    DAY_OR_HOUR,
    IN_RANGE,
    history,
    never_empty,
    of_a_day,
    where,
)

NOT_COMPARED = "nothing compared"
MOST_CELLS = 30  # rows of cells: more are too low to read
TO_COLUMN = link_to("column", "Open the column", row=("column",), keep=KEPT)
TO_COLUMN_OF_LINE = link_to(
    "column", "Open the column", keep=KEPT, column="${__field.labels.column:percentencode}"
)
# Where drift begins is a line; up to there the axis is linear, beyond it a power of ten each.
_FROM_ONE = steps((None, "transparent"), (1, LATE))
_LOGARITHMIC = {"scaleDistribution": {"type": "symlog", "log": 10, "linearThreshold": 1}}


def severity_cells(
    id_: int, title: str, description: str, conditions: str, *, size: tuple[int, int]
) -> Json:
    """A row a column, a cell a day or hour; those with the highest severity in the range."""
    found = f"""\
with found as (
  select {DAY_OR_HOUR} as time, column_name, max(severity) as severity
  from grafana.drift where {where(IN_RANGE, conditions)}
  group by 1, 2),
worst as (
  select column_name from found group by 1 order by max(severity) desc nulls last, 1 limit {MOST_CELLS})
select time, column_name as line, column_name as "column", severity
from found join worst using (column_name)"""
    nothing = {"line": f"'{NOT_COMPARED}'", '"column"': "''", "severity": "null"}
    return status_history(
        *(id_, title),
        f"{description} A row a column, a cell a day, or an hour in ranges under three days. "
        "Grey: as in the reference, pale: half-way to drift, orange: drifted, red: twice as far. Blank: no batch, or it could not be compared. "
        "Click a cell to open the column. Source: grafana.drift.",
        sql(never_empty(found, nothing), series=True),
        size=size,
        statuses=False,
        scale=colours.SEVERITY,
        defaults={"decimals": 2},
        links=[TO_COLUMN_OF_LINE],
    )


def severity_lines(
    id_: int,
    title: str,
    description: str,
    conditions: str,
    *,
    size: tuple[int, int],
    named: str = "column_name",
    table: bool = False,
    nothing: str = NOT_COMPARED,
) -> Json:
    """A line a column, or whatever *named* tells apart; the dozen with the highest severity in the range."""
    return timeseries(
        *(id_, title),
        f"{description} Severity is the score against its threshold, on one scale for all methods: above the dashed line, at 1, "
        f"a column has drifted. Logarithmic above 1. {of_a_day('largest')} Source: grafana.drift.",
        [
            sql(
                history(
                    "grafana.drift",
                    where(conditions, "severity is not null"),
                    by=("column_name", "method"),
                    of_day={"severity": "max"},
                    named=named,
                    labels={'"column"': "column_name"},
                    values={"severity": "severity"},
                    first="max(severity) desc",
                )
            )
        ],
        size=size,
        legend="table" if table else "list",
        scale=_FROM_ONE,
        show_scale=True,
        custom=_LOGARITHMIC,
        defaults={"min": 0, "decimals": 2, "noValue": nothing},
        links=[TO_COLUMN_OF_LINE],
    )
