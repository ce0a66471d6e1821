"""Curves: one figure over another, both of one batch, and the matrix of actual and predicted classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.grafana.cells import name_cell
from exporter.grafana.colours import BASELINE, CURRENT, REFERENCE, Json
from exporter.grafana.panels import override, panel

_ROOM = 1.05  # at 1 the axis would end in half a word
_DASHED = {"fill": "dash", "dash": [6, 4]}
# What a curve may stand for, in the order in which they are drawn.
_LOOKS: Mapping[str, Json] = {
    "current": {"color": {"mode": "fixed", "fixedColor": CURRENT}, "custom.lineWidth": 2},
    "reference": {
        "color": {"mode": "fixed", "fixedColor": REFERENCE},
        "custom.lineStyle": _DASHED,
        "custom.show": "lines",
    },
    "dummy": {
        "color": {"mode": "fixed", "fixedColor": BASELINE},
        "custom.lineStyle": {"fill": "dot", "dash": [2, 5]},
        "custom.show": "lines",
    },
}


def curve(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    names: Mapping[str, str],
    axes: tuple[str, str],
    size: tuple[int, int] = (8, 9),
    links: Sequence[Json] = (),
) -> Json:
    """Shares over shares, from 0 to 1: rows of `x`, and of `current`, `reference`, `dummy` those in *names*."""
    looks = [
        {
            "matcher": {"id": "byName", "options": field},
            "properties": [
                {"id": "displayName", "value": name},
                *[{"id": key, "value": value} for key, value in _LOOKS[field].items()],
            ],
        }
        for field, name in names.items()
    ]
    made = panel(
        *("xychart", id_, title, description, [target]),
        size=size,
        unit="percentunit",
        links=links,
        custom={
            "show": "points+lines",
            "pointSize": {"fixed": 4},
            "pointShape": "circle",
            "pointStrokeWidth": 1,
            "lineWidth": 1,
            "fillOpacity": 50,
            "axisPlacement": "auto",
            "axisLabel": axes[1],
            "scaleDistribution": {"type": "linear"},
        },
        defaults={"min": 0, "max": 1, "color": {"mode": "palette-classic"}},
        overrides=[
            override("x", displayName=axes[0], custom__axisLabel=axes[0], max=_ROOM),
            *looks,
        ],
        options={
            "mapping": "manual",
            "series": [_series(field, name) for field, name in names.items()],
            "legend": {
                "showLegend": True,
                "displayMode": "list",
                "placement": "bottom",
                "calcs": [],
            },
            "tooltip": {"mode": "single", "sort": "none"},
        },
    )
    made["pluginVersion"] = (
        "12.4.0"  # without it the options would be taken for those of Grafana 10
    )
    return made


def _series(field: str, name: str) -> Json:
    return {
        "name": {"fixed": name},
        "frame": {"matcher": {"id": "byIndex", "options": 0}},
        "x": {"matcher": {"id": "byName", "options": "x"}},
        "y": {"matcher": {"id": "byName", "options": field}},
    }


def matrix(
    id_: int,
    title: str,
    description: str,
    target: Json,
    *,
    size: tuple[int, int],
    rows: str,
    columns: str,
    value: str,
    heading: str,
    links: Sequence[Json] = (),
) -> Json:
    """Shares as a table: a row and a column a class; the more a cell stands out, the larger."""
    cell = {"type": "color-background", "mode": "basic"}
    return panel(
        *("table", id_, title, description, [target]),
        size=size,
        unit="percentunit",
        custom={"align": "center", "cellOptions": cell, "minWidth": 64, "inspect": False},
        defaults={
            "min": 0,
            "max": 1,
            "decimals": 1,
            "color": {"mode": "continuous-blues"},
            "noValue": "not measured",
        },
        overrides=[
            override(
                f"{rows}\\{columns}",
                **name_cell(heading, 110),
                unit="string",
                color={"mode": "thresholds"},
                links=list(links),
                custom__align="left",
            )
        ],
        transformations=[
            {
                "id": "groupingToMatrix",
                "options": {
                    "rowField": rows,
                    "columnField": columns,
                    "valueField": value,
                    "emptyValue": "null",
                },
            }
        ],
        options={"showHeader": True, "cellHeight": "md", "footer": {"show": False}, "sortBy": []},
    )
