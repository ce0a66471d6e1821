"""Panels: one function a kind, with the look that this kind has on every dashboard.

A panel's id stands in the code, since links and alerts name it; its place follows from its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from exporter.grafana.colours import NEUTRAL, STATUS, Json

POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "${postgres_datasource}"}
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus_datasource}"}
NOTHING = "no batches"
Colouring = Literal["none", "value", "background_solid"]
_UNITS = {"ratio": "percentunit", "percent": "percent"}
_SPLIT = {
    "id": "prepareTimeSeries",
    "options": {"format": "multi"},
}  # one frame a line: gaps are its own
_NAMED_BY_LINE = "${__field.labels.line}"
_NAMED_BY_ROW = "${__data.fields.name}"


def sql(query: str, ref: str = "A", *, series: bool = False) -> Json:
    """A query of the store; its rows as they are, or as series with text columns as labels."""
    return {
        "refId": ref,
        "datasource": POSTGRES,
        "editorMode": "code",
        "format": "time_series" if series else "table",
        "rawQuery": True,
        "rawSql": query.strip(),
    }


def promql(expression: str, legend: str = "", ref: str = "A", *, instant: bool = False) -> Json:
    """A query of Prometheus: a value now, or over the range."""
    return {
        "refId": ref,
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend or "__auto",
        "instant": instant,
        "range": not instant,
        "format": "table" if instant else "time_series",
    }


def unit_of(unit: str) -> str:
    """Grafana's name for a unit of the catalogue."""
    return _UNITS.get(unit, "short")


def override(field: str, **properties: Any) -> Json:
    """What is different for one field; `custom__width=80` is `custom.width`."""
    return _override("byName", field, properties)


def override_like(pattern: str, **properties: Any) -> Json:
    """The same for the fields whose name fits a regular expression."""
    return _override("byRegexp", pattern, properties)


def _override(matcher: str, field: str, properties: Mapping[str, Any]) -> Json:
    listed = [{"id": k.replace("__", "."), "value": v} for k, v in properties.items()]
    return {"matcher": {"id": matcher, "options": field}, "properties": listed}


def hidden(*fields: str) -> list[Json]:
    """Columns of a table that are not shown; links still reach them. `hidden` is how Grafana 11 says it."""
    return [override(f, custom__hideFrom__viz=True, custom__hidden=True) for f in fields]


def panel(
    kind: str,
    id_: int,
    title: str,
    description: str,
    targets: Sequence[Json],
    *,
    size: tuple[int, int],
    unit: str = "",
    scale: Json | None = None,
    defaults: Mapping[str, Any] | None = None,
    custom: Mapping[str, Any] | None = None,
    overrides: Sequence[Json] = (),
    options: Mapping[str, Any] | None = None,
    links: Sequence[Json] = (),
    transformations: Sequence[Json] = (),
    repeat: str = "",
) -> Json:
    """Any panel; `size` is its width, of 24 columns, and its height."""
    field = {
        "color": {"mode": "thresholds"},
        "custom": dict(custom or {}),
        "links": list(links),
        "mappings": [],
        "noValue": NOTHING,
        "thresholds": scale or NEUTRAL,
        **({"unit": unit} if unit else {}),
        **(defaults or {}),
    }
    made = {
        "id": id_,
        "type": kind,
        "title": title,
        "description": description,
        "datasource": targets[0]["datasource"] if targets else POSTGRES,
        "gridPos": {"w": size[0], "h": size[1]},
        "targets": list(targets),
        "fieldConfig": {"defaults": field, "overrides": list(overrides)},
        "options": dict(options or {}),
        "transformations": list(transformations),
    }
    if repeat:
        made |= {"repeat": repeat, "repeatDirection": "h", "maxPerRow": 24 // size[0]}
    return made


def stat(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int] = (4, 4),
    unit: str = "short",
    scale: Json | None = None,
    colouring: Colouring = "value",
    graph: bool = False,
    decimals: int | None = None,
    text: bool = False,
    field: str = "",
    defaults: Mapping[str, Any] | None = None,
    links: Sequence[Json] = (),
    overrides: Sequence[Json] = (),
) -> Json:
    """One figure as it is now, with its past behind it where `graph` is said.

    `text`: the first row's *field* is text. Titles of seven characters fit on a laptop.
    """
    reduce = {
        "calcs": ["lastNotNull"],
        "fields": field or ("/.*/" if text else ""),
        "values": False,
    }
    return panel(
        *("stat", id_, title, description, [target]),
        size=size,
        unit=unit,
        scale=scale,
        links=links,
        overrides=overrides,
        defaults={**({} if decimals is None else {"decimals": decimals}), **(defaults or {})},
        options={
            "reduceOptions": reduce,
            "colorMode": colouring,
            "graphMode": "area" if graph else "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "value",
            "wideLayout": True,
            "showPercentChange": False,
        },
    )


def tiles(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int],
    defaults: Mapping[str, Any],
    links: Sequence[Json] = (),
) -> Json:
    """A coloured cell a row, named by the column `name`; its only number decides the colour."""
    return panel(
        *("stat", id_, title, description, [target]),
        size=size,
        links=links,
        defaults={"displayName": _NAMED_BY_ROW, **defaults},
        options={
            "reduceOptions": {
                "values": True,
                "limit": 100,
                "calcs": ["lastNotNull"],
                "fields": "",
            },
            "colorMode": "background_solid",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "auto",
            "textMode": "name",
            "wideLayout": False,
            "showPercentChange": False,
            "text": {"titleSize": 13, "valueSize": 13},
        },
    )


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
    named: str = _NAMED_BY_LINE,
    repeat: str = "",
) -> Json:
    """Lines over time: rows of `queries.history`, one line for each `line`; a missing batch is a gap."""
    look: Json = {
        "drawStyle": "bars" if bars else "line",
        "lineWidth": 0 if bars else 1,
        "fillOpacity": 80 if bars else fill,
        "showPoints": "always" if points and not bars else "never",
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
    return panel(
        *("timeseries", id_, title, description, targets),
        size=size,
        unit=unit,
        scale=scale,
        custom=look,
        defaults={"color": {"mode": "palette-classic"}, "displayName": named, **(defaults or {})},
        overrides=overrides,
        links=links,
        transformations=[] if targets[0]["datasource"] is PROMETHEUS else [_SPLIT],
        options={
            "legend": _legend(legend),
            "tooltip": {"mode": "multi", "sort": "desc", "hideZeros": False},
        },
        repeat=repeat,
    )


def _legend(kind: str) -> Json:
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
        "width": 262,
    }


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
    named: str = _NAMED_BY_LINE,
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


def table(
    id_: int,
    title: str,
    description: str,
    targets: Sequence[Json],
    *,
    size: tuple[int, int],
    overrides: Sequence[Json],
    transformations: Sequence[Json] = (),
    unit: str = "",
    links: Sequence[Json] = (),
    nothing: str = NOTHING,
) -> Json:
    """Rows, the worst first; each column is told by an override; *nothing* is said where there are none."""
    return panel(
        *("table", id_, title, description, targets),
        size=size,
        unit=unit,
        defaults={"noValue": nothing},
        custom={
            "align": "auto",
            "cellOptions": {"type": "auto"},
            "inspect": False,
            "filterable": False,
        },
        overrides=[override_like(".*", noValue="–"), *overrides],  # a cell without a value
        links=links,
        transformations=transformations,
        options={"showHeader": True, "cellHeight": "sm", "footer": {"show": False}, "sortBy": []},
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
        defaults={"min": 0, **({"displayName": _NAMED_BY_ROW} if rows else {}), **(defaults or {})},
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


def alert_list(
    id_: int, title: str, description: str, *, size: tuple[int, int], labels: str = ""
) -> Json:
    """The alerts that fire now, of Grafana and of Prometheus; *labels* chooses among them."""
    states = {
        "firing": True,
        "pending": True,
        "noData": True,
        "normal": False,
        "error": True,
        "recovering": True,
    }
    return panel(
        *("alertlist", id_, title, description, []),
        size=size,
        options={
            "viewMode": "list",
            "groupMode": "default",
            "groupBy": [],
            "maxItems": 20,
            "sortOrder": 3,
            "dashboardAlerts": False,
            "alertName": "",
            "alertInstanceLabelFilter": labels,
            "datasource": "",
            "showInstances": False,
            "stateFilter": states,
        },
    )


def text(id_: int, title: str, description: str, content: str, *, size: tuple[int, int]) -> Json:
    """Words: how a dashboard is read."""
    return panel(
        *("text", id_, title, description, []),
        size=size,
        options={
            "mode": "markdown",
            "content": content,
            "code": {"language": "plaintext", "showLineNumbers": False, "showMiniMap": False},
        },
    )
