"""The table of failing tests, as several dashboards show it."""

from __future__ import annotations

from exporter.grafana.cells import GAUGE_CELL, REPORT_CELL, STATUS_CELL, Properties, name_cell
from exporter.grafana.colours import FAIL, LATE, WARNING, Json, steps
from exporter.grafana.navigation import link_to
from exporter.grafana.panels import hidden, override, sql, table
from exporter.grafana.queries import TEST, judges_model

# Whether it is the data or the model: what the failing test's metric judges.
ABOUT = f"case when {judges_model()} then 'model' else 'data' end"
# The test with what it is of, to be read.
SHOWN = "replace(test, '_', ' ') || coalesce(' · ' || nullif(concat_ws(' ', nullif(column_name, ''), nullif(label, '')), ''), '')"
BOUND = "case when value < lower then lower else coalesce(upper, lower) end"
STREAK_CELL: Properties = {
    "displayName": "In a row",
    "custom__width": 78,
    "min": 0,
    "max": 14,
    "thresholds": steps((None, WARNING), (3, LATE), (7, FAIL)),
    "custom__cellOptions": GAUGE_CELL,
}
SINCE_CELL: Properties = {"displayName": "Since", "unit": "dateTimeFromNow", "custom__width": 114}
TO_COLUMN = link_to("column", "Open the column", row=("project", "model", "column"))
TO_TEST = link_to("tests", "Open this test", row=("project", "model", "test"))


def what_fails(by: str, conditions: str) -> str:
    """The failing tests of each *by* in words: `failing`, with `streak` and `since` of the longest."""
    return f"""\
select {by}, min(since) as since, max(streak) as streak, string_agg(shown, ', ' order by times desc, shown) as failing
from (select {by}, replace(test, '_', ' ') || case when count(*) > 1 then ' × ' || count(*) else '' end as shown,
        count(*) as times, min(since) as since, max(streak) as streak
      from grafana.failing_tests where {conditions} group by {by}, test) t
group by {by}"""


_IN_NUMBERS = (
    override("value", displayName="Value", custom__width=58, unit="short"),
    override("bound", displayName="Bound", custom__width=58, unit="short"),
)
_IN_WORDS = (
    override("about", displayName="About", custom__width=62),
    override("message", **name_cell("What happened", 150)),
)


def failing_tests(
    id_: int,
    conditions: str,
    *,
    size: tuple[int, int],
    line: str,
    heading: str,
    links: list[Json],
    message: bool = False,
) -> Json:
    """The tests that fail in the newest window of their stream, the critical and longest first.

    *line*: what tells the streams apart, under its *heading* and with its *links*; *message*: what
    happened is told in words, and what the test is about, where there is room for it.
    """
    found = f"{ABOUT} as about, message" if message else f"value, {BOUND} as bound"
    query = f"""\
select status_code as status, {line} as line, {SHOWN} as shown,
  {found}, streak, since, report_url,
  project, model, column_name as "column", {TEST} as test
from grafana.failing_tests where {conditions}
order by critical desc, streak desc, line, shown limit 50"""
    return table(
        *(id_, "Failing tests now"),
        "Tests that fail in the newest batch of their stream: critical ones first, then the longest; `In a row` counts batches. "
        "`About`, where shown: whether a test judges the data or the model's predictions. Source: grafana.failing_tests.",
        [sql(query)],
        size=size,
        nothing="no test fails",
        overrides=[
            override("status", **STATUS_CELL),
            override("line", **name_cell(heading, 86), links=links),
            override("shown", **name_cell("Test", 86), links=[TO_TEST, TO_COLUMN]),
            *(_IN_WORDS if message else _IN_NUMBERS),
            override("streak", **STREAK_CELL),
            override("since", **SINCE_CELL),
            override("report_url", **REPORT_CELL),
            *hidden("project", "model", "column", "test"),
        ],
    )
