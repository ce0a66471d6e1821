"""Exporter health: whether the exporter, its store and the evaluations are well, as Prometheus sees them."""

from __future__ import annotations

from typing import Any

from exporter.grafana import colours
from exporter.grafana.bookkeeping import STORE
from exporter.grafana.cells import GAUGE_CELL, name_cell, text_cell
from exporter.grafana.charts import timeseries
from exporter.grafana.colours import (
    CURRENT,
    ERROR,
    FAIL,
    GREY,
    LATE,
    SUCCESS,
    WARNING,
    Json,
    steps,
)
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.findings import STREAK_CELL, TO_COLUMN
from exporter.grafana.gauges import (
    AGE,
    CHOSEN,
    CRITICAL,
    INTERVAL,
    IS_LATE,
    OVERDUE,
    WHOLE,
    own,
    process,
    state,
)
from exporter.grafana.navigation import datasources, events, link_to, model, project
from exporter.grafana.panels import hidden, override, override_like, promql, stat, table
from exporter.grafana.queries import OF_MODEL

NOTHING = "nothing was scraped"
TO_FLEET = link_to("fleet-overview", "Open the fleet", keep=("project",))
TO_TESTS = link_to("tests", "Which tests", keep=("project", "model"))
OF_ROW = link_to("tests", "The model's tests", row=("project", "model"))
TO_MODEL = link_to("model-overview", "Open the model", row=("project", "model"))
HERE = link_to("exporter-health", "Only this model", row=("project", "model"))


def _columns(*names: str) -> list[Json]:
    """The columns of a table in this order, without the time of the query."""
    places = {name: at for at, name in enumerate(names)}
    return [
        {
            "id": "organize",
            "options": {"excludeByName": {"Time": True}, "renameByName": {}, "indexByName": places},
        }
    ]


def _sorted(field: str) -> Json:
    return {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": field, "desc": True}]}}


def _answers(yes: str, no: str) -> list[Json]:
    said = {
        "0": {"text": no, "color": FAIL, "index": 0},
        "1": {"text": yes, "color": SUCCESS, "index": 1},
    }
    return [{"type": "value", "options": said}]


def _now(expression: str) -> Json:
    return promql(expression, instant=True)


NOW = [
    stat(
        *(
            1,
            "Up",
            "Whether Prometheus reaches every exporter that it reached in the last day. 0: it does not. Source: up.",
        ),
        _now("min(up and on (instance, job) last_over_time(evaluation_exporter_build_info[1d]))"),
        unit="none",
        scale=steps((None, GREY)),
        colouring="background_solid",
        defaults={"mappings": _answers("up", "down"), "noValue": "unseen"},
        links=[TO_FLEET],
    ),
    stat(
        *(
            2,
            "Store",
            "Whether the exporter reaches its database. While it does not, the last state is shown. Source: evaluation_store_up.",
        ),
        _now("min(evaluation_store_up)"),
        unit="none",
        scale=steps((None, GREY)),
        colouring="background_solid",
        defaults={"mappings": _answers("up", "away"), "noValue": "unseen"},
        links=[TO_FLEET],
    ),
    stat(
        *(
            3,
            "Looked",
            "How long ago the store last answered the exporter; it asks every few seconds. The less the better.",
        ),
        _now(f"time() - {own('evaluation_exporter_last_refresh_timestamp_seconds')}"),
        unit="s",
        decimals=0,
        scale=steps((None, GREY), (0, SUCCESS), (60, LATE), (300, FAIL)),
        defaults={"noValue": "unseen"},
        links=[TO_FLEET],
    ),
    stat(
        *(
            4,
            "Late",
            "Streams of whole batches without a new window for two intervals and the time that they wait. None is good.",
        ),
        _now(f"sum{IS_LATE}"),
        scale=colours.NONE_IS_GOOD_LATE,
        colouring="background_solid",
        decimals=0,
        defaults={"noValue": "unseen"},
        links=[TO_FLEET],
    ),
    stat(
        *(
            5,
            "Shown",
            "Streams that /metrics shows: a project, model, evaluation, segment and set of stream tags each.",
        ),
        _now(own("evaluation_exporter_streams")),
        scale=steps((None, CURRENT)),
        decimals=0,
        defaults={"noValue": "unseen"},
        links=[TO_FLEET],
    ),
    stat(
        *(
            6,
            "Hidden",
            "Series that /metrics leaves out, for max_series or because another one has the same labels. None is good.",
        ),
        _now("max(sum without (reason) (evaluation_exporter_series_dropped))"),
        scale=colours.NONE_IS_GOOD_WARNING,
        decimals=0,
        defaults={"noValue": "unseen"},
        links=[TO_FLEET],
    ),
]

FRESHNESS = table(
    10,
    "Age of each stream's newest batch",
    "Streams of whole batches, the longest overdue first. `Overdue` counts intervals since the newest batch's end, less the time "
    "that the evaluation waits: from 2 on it is late. Source: evaluation_window_end_timestamp_seconds and its like.",
    [
        promql(OVERDUE, ref="A", instant=True),
        promql(AGE, ref="B", instant=True),
        promql(INTERVAL, ref="C", instant=True),
        promql(
            f"time() - {state('evaluation_computed_timestamp_seconds', WHOLE)}",
            ref="D",
            instant=True,
        ),
        promql(state("evaluation_batch_rows", WHOLE), ref="E", instant=True),
        promql(state("evaluation_failed_figures", WHOLE), ref="F", instant=True),
    ],
    size=(24, 11),
    overrides=[
        override_like(".*", custom__minWidth=80),
        override("project", displayName="Project"),
        override("model", **name_cell("Model", 100), links=[TO_MODEL, HERE]),
        override("evaluation", **name_cell("Evaluation", 96)),
        override(
            "Value #A",
            **text_cell("Overdue", 78, steps((None, GREY), (-1e9, SUCCESS), (2, LATE)), decimals=1),
        ),
        override("Value #B", displayName="Age", unit="s", decimals=0, custom__width=80),
        override("Value #C", displayName="Interval", unit="s", decimals=0, custom__width=74),
        override("Value #D", displayName="Evaluated", unit="s", decimals=0, custom__width=86),
        override("Value #E", displayName="Rows", unit="locale", custom__width=68),
        override(
            "Value #F",
            **text_cell("No figure", 80, steps((None, "text"), (1, WARNING)), decimals=0),
        ),
    ],
    transformations=[
        {"id": "merge", "options": {}},
        *_columns("project", "model", "evaluation"),
        _sorted("Value #A"),
        {"id": "limit", "options": {"limitField": 100}},
    ],
)


def _over_time(
    id_: int,
    title: str,
    description: str,
    expression: str,
    *,
    legend: str,
    size: tuple[int, int] = (8, 7),
    unit: str = "short",
    bars: bool = False,
    stacked: bool = False,
    overrides: list[Json] | None = None,
    links: list[Json] | None = None,
) -> Json:
    return timeseries(
        id_,
        title,
        description,
        [promql(expression, legend)],
        size=size,
        unit=unit,
        bars=bars,
        stacked=stacked,
        points=False,
        named="",
        fill=0 if bars else 10,
        custom={"axisSoftMax": 1} if unit == "short" else {},  # nothing but zeros lie at the bottom
        defaults={"min": 0, "noValue": NOTHING},
        overrides=overrides or [],
        links=links or [TO_FLEET],
    )


EXPORTER = [
    [
        _over_time(
            *(
                20,
                "Time since the store answered",
                "The exporter asks every few seconds: a saw near zero is well, a slope is a store that is away. Source: evaluation_exporter_last_refresh_timestamp_seconds.",
            ),
            f"time() - {own('evaluation_exporter_last_refresh_timestamp_seconds')}",
            legend="since the last answer",
            unit="s",
        ),
        _over_time(
            *(
                21,
                "Duration of a look at the store",
                "How long the last look took that found a change. The less the better. Source: evaluation_exporter_refresh_duration_seconds.",
            ),
            own("evaluation_exporter_refresh_duration_seconds"),
            legend="duration",
            unit="s",
        ),
        _over_time(
            *(
                22,
                "Looks that failed",
                "Looks at the store that failed. None is good. Source: evaluation_exporter_refresh_failures_total.",
            ),
            "max(increase(evaluation_exporter_refresh_failures_total[$__rate_interval]))",
            legend="failed",
            bars=True,
        ),
    ],
    [
        _over_time(
            *(
                23,
                "Series shown",
                "Series of the streams on /metrics, without the exporter's own: below max_series of the config. Source: evaluation_exporter_series.",
            ),
            own("evaluation_exporter_series"),
            legend="series",
        ),
        _over_time(
            *(
                24,
                "Series left out",
                "By reason: beyond max_series, or with the labels of another one. None is good. Source: evaluation_exporter_series_dropped.",
            ),
            "max by (reason) (evaluation_exporter_series_dropped)",
            legend="{{reason}}",
        ),
        _over_time(
            *(
                25,
                "Late streams",
                "Streams of whole batches without a new window for two intervals and the time that they wait, by project. None is good.",
            ),
            f"sum by (project) {IS_LATE}",
            legend="{{project}}",
        ),
    ],
    [
        _over_time(
            *(
                26,
                "Memory",
                "Resident memory of the exporter that has most. Source: process_resident_memory_bytes.",
            ),
            process("process_resident_memory_bytes"),
            legend="resident",
            unit="bytes",
        ),
        _over_time(
            *(
                27,
                "Processor",
                "Share of one core that the exporter uses; a scrape computes nothing. Source: process_cpu_seconds_total.",
            ),
            process("rate(process_cpu_seconds_total[$__rate_interval])"),
            legend="of one core",
            unit="percentunit",
        ),
        table(
            28,
            "Versions",
            "Exporters by version; two versions are fine while an update is rolled out. Source: evaluation_exporter_build_info.",
            [_now("count by (version) (evaluation_exporter_build_info)")],
            size=(8, 7),
            overrides=[
                override("version", **name_cell("Version", 100), links=[TO_FLEET]),
                override("Value", displayName="Exporters", custom__width=100, decimals=0),
            ],
            transformations=_columns("version"),
        ),
    ],
]

_STATUS_COLOURS = {
    "success": SUCCESS,
    "warning": WARNING,
    "fail": FAIL,
    "error": ERROR,
    "skipped": GREY,
}


def _ranked(
    id_: int,
    title: str,
    description: str,
    expression: str,
    overrides: list[Json],
    **more: Any,
) -> Json:
    """A row each for the largest dozen; the columns are the labels, in the order of their *overrides*."""
    names = [o["matcher"]["options"] for o in overrides]
    return table(
        *(id_, title, description, [_now(f"topk(12, {expression})")]),
        size=(12, 10),
        overrides=[*overrides, *hidden("project")],
        transformations=[*_columns(*names), _sorted("Value")],
        **more,
    )


ALERTS = [
    [
        _over_time(
            *(
                30,
                "Tests by status",
                "The tests of the newest batches of the chosen models. Red and purple wake somebody. Source: evaluation_tests.",
            ),
            f"sum by (status) ({state('evaluation_tests')})",
            legend="{{status}}",
            size=(12, 8),
            stacked=True,
            overrides=[
                override(status, color={"mode": "fixed", "fixedColor": colour})
                for status, colour in _STATUS_COLOURS.items()
            ],
            links=[TO_TESTS],
        ),
        _over_time(
            *(
                31,
                "Tests that somebody is told of",
                "Failing tests by the severity of their alerts: a page wakes somebody, a warning waits for the morning. None is good. Source: evaluation_alerting_tests.",
            ),
            f"sum by (severity) ({state('evaluation_alerting_tests')})",
            legend="{{severity}}",
            size=(12, 8),
            overrides=[
                override(severity, color={"mode": "fixed", "fixedColor": colour})
                for severity, colour in (("page", FAIL), ("warning", WARNING), ("info", GREY))
            ],
            links=[TO_TESTS],
        ),
    ],
    [
        _ranked(
            *(
                32,
                "Longest failing tests",
                "For how many windows in a row a critical test has failed; the twelve longest. Source: evaluation_test_consecutive_failures.",
            ),
            f"max by (project, model, test, column) ({state('evaluation_test_consecutive_failures', CRITICAL)} > 0)",
            [
                override("model", **name_cell("Model", 110), links=[TO_MODEL]),
                override("test", **name_cell("Test", 110), links=[OF_ROW]),
                override("column", **name_cell("Column", 90), links=[TO_COLUMN]),
                override("Value", **STREAK_CELL),
            ],
            nothing="no test fails",
        ),
        _ranked(
            *(
                33,
                "Most drifted columns",
                "From 1 on a column has drifted, whatever the method; the twelve highest. Source: evaluation_column_drift_severity.",
            ),
            f"max by (project, model, column) ({state('evaluation_column_drift_severity', WHOLE)})",
            [
                override("model", **name_cell("Model", 110), links=[TO_MODEL]),
                override("column", **name_cell("Column", 110), links=[TO_COLUMN]),
                override(
                    "Value",
                    displayName="Severity",
                    custom__width=150,
                    decimals=2,
                    min=0,
                    max=4,
                    thresholds=colours.SEVERITY,
                    custom__cellOptions=GAUGE_CELL,
                ),
            ],
        ),
    ],
    [
        _ranked(
            *(
                34,
                "Figures that could not be computed",
                "Metrics and drift scores without a figure in the newest batch; the twelve streams with the most. None is good. Source: evaluation_failed_figures.",
            ),
            f"max by (project, model, evaluation, segment) ({state('evaluation_failed_figures')} > 0)",
            [
                override("model", **name_cell("Model", 110), links=[TO_MODEL]),
                override("evaluation", **name_cell("Evaluation", 90)),
                override("segment", **name_cell("Segment", 90)),
                override("Value", displayName="Figures", custom__width=90, decimals=0),
            ],
            nothing="every figure could be computed",
        ),
        table(
            35,
            "Versions of the models",
            "The version that made the predictions of each model's newest batch, where it has that tag. Source: evaluation_snapshot_info.",
            [
                _now(
                    f'count by (project, model, version) (evaluation_snapshot_info{{{CHOSEN}, version!=""}})'
                )
            ],
            size=(12, 10),
            overrides=[
                override("project", **name_cell("Project", 100)),
                override("model", **name_cell("Model", 120), links=[TO_MODEL]),
                override("version", **name_cell("Version", 100)),
                *hidden("Value"),
            ],
            transformations=_columns("project", "model", "version"),
            nothing="no model tells its version",
        ),
    ],
]

DASHBOARD = Dashboard(
    name="exporter-health",
    title="Exporter health",
    question="Is the exporter well, does it reach its store, and do batches arrive in time?",
    about="exporter",
    variables=[project(many=True), model(many=True), *datasources(prometheus=True)],
    events=events(OF_MODEL),
    time=("now-7d", "now"),
    rows=[
        NOW,
        [FRESHNESS],
        Section(900, "The exporter", EXPORTER),
        Section(901, "What the alerts see", ALERTS),
        Section(902, "The store", STORE),
    ],
)
