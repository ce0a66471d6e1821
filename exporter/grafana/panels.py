"""Panels: one function a kind, with the look that this kind has on every dashboard.

A panel's id stands in the code, since links and alerts name it; its place follows from its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from exporter.grafana.colours import NEUTRAL, Json

POSTGRES = {"type": "grafana-postgresql-datasource", "uid": "${postgres_datasource}"}
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus_datasource}"}
NOTHING = "no batches"
Colouring = Literal["none", "value", "background_solid"]
_UNITS = {"ratio": "percentunit", "percent": "percent"}
NAMED_BY_ROW = "${__data.fields.name}"


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
        defaults={"displayName": NAMED_BY_ROW, **defaults},
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
