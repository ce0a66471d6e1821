"""A dashboard from its rows: places of panels, the frame around them, and its form as a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exporter.grafana.colours import Json
from exporter.grafana.navigation import TAG, uid

WIDTH = 24
Row = Sequence[Json]


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a heading, which may be folded away; its number is the id of the heading's panel."""

    id: int
    title: str
    rows: Sequence[Row]
    collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One question, and the panels that answer it; `name` makes its uid and its file."""

    name: str
    title: str
    question: str
    about: str  # a tag: overview, drift, quality, …
    variables: Sequence[Json]
    rows: Sequence[Row | Section]
    events: Sequence[Json] = ()
    time: tuple[str, str] = ("now-30d", "now")

    @property
    def panels(self) -> Iterator[Json]:
        """Every panel that shows something, folded ones among them."""
        for row in self.rows:
            for panels in row.rows if isinstance(row, Section) else (row,):
                yield from panels


def as_json(dashboard: Dashboard) -> Json:
    """Classic JSON, schemaVersion 41: Grafana 11, 12 and 13 read it."""
    made = _framed(dashboard)
    return made if dashboard.variables else _with_fixed_sources(made)


def _with_fixed_sources(made: Json) -> Json:
    """The same without variables of data sources: it reads those that we provision."""
    text = json.dumps(made)
    for name in ("postgres", "prometheus"):
        text = text.replace(f"${{{name}_datasource}}", f"evaluation-{name}")
    fixed: Json = json.loads(text)
    return fixed


def _framed(dashboard: Dashboard) -> Json:
    return {
        "uid": uid(dashboard.name),
        "title": f"Evaluation / {dashboard.title}",
        "description": dashboard.question,
        "tags": [TAG, dashboard.about],
        "schemaVersion": 41,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "5m",
        "time": {"from": dashboard.time[0], "to": dashboard.time[1]},
        "timepicker": {"refresh_intervals": ["1m", "5m", "15m", "1h"]},
        "fiscalYearStartMonth": 0,
        "preload": False,
        "links": [_others()],
        "templating": {"list": list(dashboard.variables)},
        "annotations": {"list": [_builtin(), *dashboard.events]},
        "panels": list(_placed(dashboard.rows)),
    }


def as_text(dashboard: Json) -> str:
    """The file's text: the same bytes for the same dashboard."""
    return json.dumps(dashboard, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _placed(rows: Sequence[Row | Section]) -> Iterator[Json]:
    y = 0
    for row in rows:
        if not isinstance(row, Section):
            panels, y = _side_by_side(row, y)
            yield from panels
            continue
        heading = {
            "id": row.id,
            "type": "row",
            "title": row.title,
            "collapsed": row.collapsed,
            "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
            "panels": [],
        }
        inner: list[Json] = []
        y += 1
        at = y
        for panels_row in row.rows:
            panels, at = _side_by_side(panels_row, at)
            inner += panels
        if row.collapsed:
            yield heading | {"panels": inner}
        else:
            yield heading
            yield from inner
            y = at


def _side_by_side(row: Row, y: int) -> tuple[list[Json], int]:
    """The panels of a row from left to right, and where the next row begins."""
    x, height, placed = 0, 0, []
    for panel in row:
        size = panel["gridPos"]
        placed.append({**panel, "gridPos": {"x": x, "y": y, **size}})
        x += size["w"]
        height = max(height, size["h"])
    return placed, y + height


def _others() -> Json:
    return {
        "type": "dashboards",
        "title": "Evaluation",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _builtin() -> Json:
    return {
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": True,
        "hide": True,
        "iconColor": "rgba(0, 211, 255, 1)",
        "name": "Annotations & Alerts",
        "type": "dashboard",
    }
