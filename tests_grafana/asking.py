"""What Grafana's pages send to its server: each query with the variables put in, macros left to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import yaml
from grafana.expansion import Values, with_patterns, with_variables

from exporter.stack.settings import shipped

Json = Mapping[str, Any]
SOURCES = {
    "${postgres_datasource}": "evaluation-postgres",
    "${prometheus_datasource}": "evaluation-prometheus",
}
FILES = {
    file.stem: json.loads(file.read_text("utf-8"))
    for file in shipped("grafana_dashboards").glob("*.json")
}
_RULES = shipped("grafana_dashboards", "provisioning", "alerting", "rules.yaml")
RULES = {
    rule["title"]: rule
    for group in yaml.safe_load(_RULES.read_text("utf-8"))["groups"]
    for rule in group["rules"]
}
_POINTS = {"intervalMs": 3_600_000, "maxDataPoints": 1000}


def milliseconds(span: tuple[datetime, datetime]) -> tuple[int, int]:
    """A range as it stands in a request."""
    start, end = (int(moment.timestamp()) * 1000 for moment in span)
    return start, end


def query_of(target: Json, values: Values) -> dict[str, Any]:
    """A panel's, or an annotation's, query as it is sent."""
    source = {**target["datasource"], "uid": _uid(target["datasource"]["uid"])}
    if "rawSql" in target:
        asked = {"rawSql": with_variables(target["rawSql"], values)}
    else:
        asked = {"expr": with_patterns(target["expr"], values)}
    return {**target, **asked, "datasource": source, **_POINTS}


def variable_target(variable: Json) -> dict[str, Any]:
    """A variable's query, as if it were a panel's."""
    return {
        "refId": f"Variable-{variable['name']}",
        "datasource": variable["datasource"],
        "rawSql": variable["query"],
        "rawQuery": True,
        "format": "table",
    }


def chosen(panel: Json, values: Mapping[str, str | list[str]]) -> Iterator[Values]:
    """The values of the panel, and of each of the first three that it is repeated for."""
    name = panel.get("repeat")
    repeated = values[name] if name else None
    for one in repeated[:3] if isinstance(repeated, list) else [None]:
        yield values if one is None else {**values, str(name): one}


def columns_of(result: Json) -> dict[str, list[Any]]:
    """The columns of a result that is one table, by their names."""
    (frame,) = result["frames"]
    names = [field["name"] for field in frame["schema"]["fields"]]
    given = frame["data"]["values"] or [[] for _ in names]
    return dict(zip(names, given, strict=True))


def notices(frame: Json) -> list[Any]:
    """What Grafana would show in a panel's corner beside its data."""
    return frame["schema"].get("meta", {}).get("notices") or []


def _uid(uid: str) -> str:
    return SOURCES.get(uid, uid)
