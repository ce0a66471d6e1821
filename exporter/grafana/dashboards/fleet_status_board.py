"""Fleet status board: all models at a glance, for a screen on the wall or a public link.

It has no variables, since a dashboard with variables cannot be shared in public, and therefore
names its data source itself.
"""

from __future__ import annotations

from exporter.grafana import colours
from exporter.grafana.cells import STATUS_CELL, name_cell
from exporter.grafana.colours import STATUS, Json
from exporter.grafana.dashboard import Dashboard
from exporter.grafana.findings import SHOWN, SINCE_CELL, TO_COLUMN, TO_TEST, what_fails
from exporter.grafana.navigation import link_to
from exporter.grafana.panels import hidden, override, sql, stat, table, tiles
from exporter.grafana.queries import STATE, TEST, WORST_FIRST

_KEY = "concat_ws(' · ', project || ' / ' || model, nullif(stream, ''))"
_TO_FLEET = link_to("fleet-overview", "Open the fleet")
_TO_MODEL = link_to("model-overview", "Open the model", row=("project", "model"))


def _counted(id_: int, title: str, said: str, condition: str, scale: Json) -> Json:
    return stat(
        id_,
        title,
        f"Models, one for each set of stream tags, {said} Source: grafana.model_states.",
        sql(
            f"select case when count(*) > 0 then count(*) filter (where {condition}) end as models from grafana.model_states"
        ),
        size=(6, 6),
        scale=scale,
        colouring="none" if scale is colours.NEUTRAL else "background_solid",
        links=[_TO_FLEET],
    )


COUNTS = (
    _counted(1, "Models", "with a batch in the last month.", "true", colours.NEUTRAL),
    _counted(
        2,
        "Failing",
        "whose latest batches have a critical test that failed or could not be done. 0 is good.",
        "status_code in (2, 3)",
        colours.NONE_IS_GOOD,
    ),
    _counted(
        3,
        "Late",
        "without a new batch for two of their intervals. 0 is good.",
        "late",
        colours.NONE_IS_GOOD_LATE,
    ),
    _counted(
        4,
        "Warnings",
        "whose latest batches have a test that warns, and none that failed. 0 is good.",
        "status_code = 1",
        colours.NONE_IS_GOOD_WARNING,
    ),
)
MODELS = tiles(
    10,
    "All models",
    "A cell a model and set of stream tags, the worst first: green passed, yellow warns, red failed, purple could not be done, "
    "orange late, grey not tested. Click one to see why. Source: grafana.model_states.",
    sql(
        rf"""
select concat_ws(' · ', model, nullif(regexp_replace(stream, '(^|, )[^=,]*=', '\1', 'g'), '')) as name, {STATE} as status, project, model from grafana.model_states
order by {WORST_FIRST}, name limit 100"""
    ),
    size=(24, 9),
    defaults={"mappings": STATUS},
    links=[_TO_MODEL],
)
WORST = table(
    20,
    "Worst models",
    "Models whose latest batches fail, warn or are late, the worst first, and since which batch. "
    "Sources: grafana.model_states, grafana.failing_tests.",
    [
        sql(
            f"""\
with failing as (
{what_fails("project, model, stream", "true")})
select {STATE} as status, {_KEY} as line, coalesce(failing, 'no new batch') as failing, since, project, model
from grafana.model_states left join failing using (project, model, stream)
where status_code in (1, 2, 3) or late
order by {WORST_FIRST}, streak desc nulls last, line limit 20"""
        )
    ],
    size=(12, 12),
    nothing="every model is well",
    overrides=[
        override("status", **STATUS_CELL),
        override("line", **name_cell("Model", 120), links=[_TO_MODEL]),
        override("failing", **name_cell("Why", 130)),
        override("since", **SINCE_CELL),
        *hidden("project", "model"),
    ],
)
NEWEST = table(
    21,
    "Newest failures",
    "Tests that fail in the newest batch of their stream, those first that began last. Source: grafana.failing_tests.",
    [
        sql(
            f"""\
select status_code as status, concat_ws(' · ', model, nullif(stream, '')) as line, {SHOWN} as shown,
  since, project, model, column_name as "column", {TEST} as test
from grafana.failing_tests
order by since desc, critical desc, line, shown limit 20"""
        )
    ],
    size=(12, 12),
    nothing="no test fails",
    overrides=[
        override("status", **STATUS_CELL),
        override("line", **name_cell("Model", 100), links=[_TO_MODEL]),
        override("shown", **name_cell("Test", 130), links=[TO_TEST, TO_COLUMN]),
        override("since", **SINCE_CELL),
        *hidden("project", "model", "column", "test"),
    ],
)

DASHBOARD = Dashboard(
    name="fleet-status-board",
    title="Fleet status board",
    question="Which models are well, right now?",
    about="overview",
    variables=[],
    rows=[COUNTS, [MODELS], [WORST, NEWEST]],
)
