"""Charts: panels of lines, cells and bars, each kind with the look that it has on every dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from exporter.grafana.colours import LINES, STATUS, Json
from exporter.grafana.panels import (
    NAMED_BY_ROW,
    PROMETHEUS,
    override,
    override_like,
    panel,
)

_SPLIT = {
    "id": "prepareTimeSeries",
    "options": {"format": "multi"},
}  # one frame a line: gaps are its own
NAMED_BY_LINE = "${__field.labels.line}"
# A line's colour is that of its place, none of those that mean a status: the first is the batch's blue.
LINE_LOOKS = (
    *(
        override_like(f'.*place="{at}".*', color={"mode": "fixed", "fixedColor": colour})
        for at, colour in enumerate(LINES, 1)
    ),
    override_like(".*", displayName=NAMED_BY_LINE),
)
WIDE = 16  # of 24 columns: from here on there is room for long names beside a chart


def timeseries(
    id_: int,
    title: str,
    description: str,
    targets: Sequence[Json],
    *,
    size: tuple[int, int] = (12, 8),
    unit: str = "short",
    legend: Literal["list", "table", "none"] = "list",
    bars: bool = False,
    stacked: bool = False,
    fill: int = 0,
    points: bool = True,
    scale: Json | None = None,
    show_scale: bool = False,
    defaults: Mapping[str, Any] | None = None,
    custom: Mapping[str, Any] | None = None,
    overrides: Sequence[Json] = (),
    links: Sequence[Json] = (),
    named: str = NAMED_BY_LINE,
    repeat: str = "",
) -> Json:
    """Lines over time: rows of `queries.history`, one line for each `line`; a missing batch is a gap."""
    look: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineWidth": 0 if bars else 1,
        "fillOpacity": 80 if bars else fill,
        # A lone batch is a point in any case; a year of them would hide the line.
        "showPoints": "auto" if points and not bars else "never",
        "pointSize": 4,
        "spanNulls": False,
        "axisBorderShow": False,
        "barWidthFactor": 0.7,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if show_scale else "off"},
        # An axis of nothing but zeros would end at 10,000 %.
        **({"axisSoftMax": 0.01} if unit == "percentunit" else {}),
        **(custom or {}),
    }
    by_place = named == NAMED_BY_LINE and " as place" in targets[0].get("rawSql", "")
    made = panel(
        *("timeseries", id_, title, description, targets),
        size=size,
        unit=unit,
        scale=scale,
        custom=look,
        defaults={
            "color": {"mode": "palette-classic"},
            **({} if by_place else {"displayName": named}),
            **(defaults or {}),
        },
        overrides=[*LINE_LOOKS, *overrides] if by_place else overrides,
        links=links,
        transformations=[] if targets[0]["datasource"] is PROMETHEUS else [_SPLIT],
        options={
            "legend": _legend(legend, wide=size[0] > WIDE),
            "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": False},
        },
        repeat=repeat,
    )
    if targets[0]["datasource"] is PROMETHEUS:
        # By default a month has a point every two hours: what was started since would not be seen.
        made["maxDataPoints"] = 3000
    return made


def dashed(field: str, name: str, colour: str) -> Json:
    """A thin dashed line for a field of a time series that is not the figure itself: a bound, a reference."""
    return override(
        field,
        displayName=name,
        color={"mode": "fixed", "fixedColor": colour},
        custom__lineStyle={"fill": "dash", "dash": [6, 4]},
        custom__lineWidth=1,
        custom__fillOpacity=0,
        custom__showPoints="never",
        custom__hideFrom={"legend": True, "tooltip": False, "viz": False},
    )


def status_history(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int],
    unit: str = "",
    scale: Json | None = None,
    statuses: bool = True,
    named: str = NAMED_BY_LINE,
    defaults: Mapping[str, Any] | None = None,
    links: Sequence[Json] = (),
) -> Json:
    """A row a line, a cell a batch; eighteen pixels a row are the least that can be read."""
    return panel(
        *("status-history", id_, title, description, [target]),
        size=size,
        unit=unit,
        scale=scale,
        links=links,
        custom={"fillOpacity": 85, "lineWidth": 0},
        defaults={
            "displayName": named,
            **({"mappings": STATUS} if statuses else {}),
            **(defaults or {}),
        },
        options={
            "showValue": "never",
            "rowHeight": 0.85,
            "colWidth": 0.9,
            "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "single", "sort": "none"},
        },
    )


def bar_gauge(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int],
    names: Literal["left", "top"] = "left",
    unit: str = "short",
    scale: Json | None = None,
    defaults: Mapping[str, Any] | None = None,
    links: Sequence[Json] = (),
) -> Json:
    """A bar a row, named by the column `name`; its only number is drawn. Of Prometheus, a bar a series.

    Long *names* are cut on the left of a bar, and whole on top of it.
    """
    rows = target["datasource"] is not PROMETHEUS
    return panel(
        *("bargauge", id_, title, description, [target]),
        size=size,
        unit=unit,
        scale=scale,
        links=links,
        defaults={"min": 0, **({"displayName": NAMED_BY_ROW} if rows else {}), **(defaults or {})},
        options={
            "displayMode": "basic",
            "orientation": "horizontal",
            "reduceOptions": {"values": rows, "calcs": ["lastNotNull"], "fields": ""},
            "valueMode": "text",
            "namePlacement": names,
            "showUnfilled": False,
            "sizing": "manual",
            "minVizHeight": 12,
            "maxVizHeight": 30,
            "minVizWidth": 8,
            "text": {"titleSize": 12, "valueSize": 13},
        },
    )


def bar_chart(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int],
    by: str,
    unit: str = "percentunit",
    overrides: Sequence[Json] = (),
    horizontal: bool = False,
    stacked: bool = False,
    defaults: Mapping[str, Any] | None = None,
    links: Sequence[Json] = (),
    repeat: str = "",
) -> Json:
    """Bars side by side over the column *by*: reference beside current, class beside class."""
    return panel(
        *("barchart", id_, title, description, [target]),
        size=size,
        unit=unit,
        # Names are no shares; those left out for want of space are nothing.
        overrides=[override(by, unit="string", noValue=" "), *overrides],
        links=links,
        custom={
            "fillOpacity": 80,
            "lineWidth": 0,
            "axisBorderShow": False,
            "axisPlacement": "auto",
        },
        defaults={"color": {"mode": "palette-classic"}, **(defaults or {})},
        options={
            "xField": by,
            "orientation": "horizontal" if horizontal else "vertical",
            "barWidth": 0.9,
            "groupWidth": 0.8,
            "stacking": "normal" if stacked else "none",
            "showValue": "never",
            "xTickLabelRotation": 0,
            "xTickLabelSpacing": 100,
            "legend": _legend("list"),
            "tooltip": {"mode": "multi", "sort": "none"},
        },
        repeat=repeat,
    )


def heatmap(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int],
    unit: str = "percentunit",
    links: Sequence[Json] = (),
    repeat: str = "",
) -> Json:
    """Bins over time: rows of `time`, `metric` (the bin's name, which begins with its number) and `Value`."""
    return panel(
        *("heatmap", id_, title, description, [target]),
        size=size,
        unit=unit,
        links=links,
        transformations=[_SPLIT],
        custom={
            "scaleDistribution": {"type": "linear"},
            "hideFrom": {"legend": False, "tooltip": False, "viz": False},
        },
        options={
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": unit},
            "color": {
                "mode": "scheme",
                "scheme": "Blues",
                "steps": 64,
                "exponent": 0.5,
                "reverse": False,
                "fill": "dark-blue",
            },
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
            "yAxis": {"axisPlacement": "left", "reverse": False},
        },
        repeat=repeat,
    )


def _legend(kind: str, *, wide: bool = False) -> Json:
    if kind == "none":
        return {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []}
    if kind == "list":
        return {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
    return {
        "showLegend": True,
        "displayMode": "table",
        "placement": "right",
        "calcs": ["lastNotNull"],
        "sortBy": "Last *",
        "sortDesc": True,
        "width": 340 if wide else 262,
    }
