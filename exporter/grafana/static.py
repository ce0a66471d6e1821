"""The dashboards of one model, fixed to it: a panel for each column, nothing to choose but the time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote

from exporter.grafana.colours import Json
from exporter.grafana.dashboard import WIDTH, Dashboard, Row, Section, as_json, as_text
from exporter.grafana.dashboards import DASHBOARDS
from exporter.grafana.navigation import uid

_OF_ONE = frozenset({"project", "model"})
_LONGEST = 40  # of a uid


def static_dashboards(project: str, model: str, columns: Sequence[str]) -> dict[str, str]:
    """Files by name: each dashboard that is about one model, with its panels for *columns*, in this order."""
    chosen = [d for d in DASHBOARDS if _is_of_one(d)]
    uids = {uid(d.name): _uid(d.name, project, model) for d in chosen}
    return {f"{d.name}.json": _fixed(d, project, model, columns, uids) for d in chosen}


def _is_of_one(dashboard: Dashboard) -> bool:
    """Whether it is opened for a single model."""
    return any(v["name"] == "model" and not v.get("multi", True) for v in dashboard.variables)


def _fixed(
    dashboard: Dashboard, project: str, model: str, columns: Sequence[str], uids: dict[str, str]
) -> str:
    given = {"project": project, "model": model}
    variables = [_constant(v, given) if v["name"] in _OF_ONE else v for v in dashboard.variables]
    made = as_json(
        replace(dashboard, variables=variables, rows=list(_unfolded(dashboard, columns)))
    )
    made["title"] = f"{made['title']} · {model}"
    made["tags"] = [*made["tags"], model]
    text = as_text(made)
    for known, own in uids.items():
        text = text.replace(f'"{known}"', f'"{own}"').replace(f"/d/{known}?", f"/d/{own}?")
    return text


def _constant(variable: Json, given: dict[str, str]) -> Json:
    value = given[variable["name"]]
    return {
        "type": "constant",
        "name": variable["name"],
        "label": variable["label"],
        "description": variable["description"],
        "query": value,
        "current": {"text": value, "value": value},
        "hide": 2,
        "options": [],
        "skipUrlSync": False,
    }


def _unfolded(dashboard: Dashboard, columns: Sequence[str]) -> Iterator[Row | Section]:
    """The rows, with those that repeat written out."""
    for row in dashboard.rows:
        if isinstance(row, Section):
            rows = [made for inner in row.rows for made in _written_out(inner, columns)]
            yield replace(row, rows=rows)
        else:
            yield from _written_out(row, columns)


def _written_out(row: Row, columns: Sequence[str]) -> Iterator[Row]:
    repeated = [panel for panel in row if "repeat" in panel]
    rest = [panel for panel in row if "repeat" not in panel]
    if rest:
        yield rest
    for panel in repeated:
        copies = [_of_column(panel, column, place) for place, column in enumerate(columns)]
        beside = WIDTH // panel["gridPos"]["w"]
        yield from (copies[at : at + beside] for at in range(0, len(copies), beside))


def _of_column(panel: Json, column: str, place: int) -> Json:
    """A copy of a panel that repeats, for one column; its id follows from the panel's and its place."""
    plain = {k: v for k, v in panel.items() if k not in ("repeat", "repeatDirection", "maxPerRow")}
    text = json.dumps(plain)
    for form, value in (
        ("${column:sqlstring}", "'" + column.replace("'", "''").replace('"', r"\"") + "'"),
        ("${column:queryparam}", f"var-column={quote(column)}"),
        ("$column", column.replace("$", "$$")),
    ):
        text = text.replace(form, json.dumps(value)[1:-1])
    made: Json = json.loads(text)
    return made | {"id": panel["id"] * 1000 + place + 1}


def _uid(name: str, project: str, model: str) -> str:
    """A uid of its own for ever: of the names, or of their hash where they are long."""
    readable = re.sub("[^a-zA-Z0-9_-]+", "-", f"{uid(name)}-{model}")
    digest = sha256(f"{project}\0{model}".encode()).hexdigest()[:6]
    return f"{readable[: _LONGEST - 7]}-{digest}"
