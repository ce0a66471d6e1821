"""A dashboard opened: its variables chosen as Grafana chooses them, every query of it asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from grafana.expansion import (
    Frame,
    PanelError,
    Values,
    asked,
    expanded,
    split_by_texts,
    with_variables,
)

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """One query's answer, and where it stands."""

    panel: Json
    target: Json
    frame: Frame


def panels_of(dashboard: Json) -> Iterator[Json]:
    """Every panel, those of folded rows among them, without the rows' headings."""
    for panel in dashboard["panels"]:
        yield from panels_of(panel) if panel["type"] == "row" else ()
        if panel["type"] != "row":
            yield panel


def choices(
    connection: psycopg.Connection,
    dashboard: Json,
    span: tuple[datetime, datetime],
    given: Values,
    *,
    forced: bool = False,
) -> dict[str, str | list[str]]:
    """The value of each variable: what is given, all of those that take many, else the first.

    What is given counts where it is offered; *forced*: also where it is not, as from an address.
    """
    values: dict[str, str | list[str]] = {}
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        if variable["type"] != "query":
            continue
        query = expanded(with_variables(variable["query"], values), *span)
        found = [row[0] for row in asked(connection, query, "table").rows]
        if not found:
            raise PanelError(f"variable {name} has nothing to choose")
        if forced and name in given:
            values[name] = given[name]
            continue
        wanted = given.get(name) or variable["current"].get("value")
        values[name] = found if variable["multi"] else (wanted if wanted in found else found[0])
    return values


def shown(
    connection: psycopg.Connection,
    dashboard: Json,
    span: tuple[datetime, datetime],
    given: Values | None = None,
    *,
    forced: bool = False,
) -> Iterator[Shown]:
    """Every SQL query of the panels, asked; a panel that repeats is asked for each value."""
    values = choices(connection, dashboard, span, given or {}, forced=forced)
    for panel in panels_of(dashboard):
        repeated = values[panel["repeat"]] if panel.get("repeat") else None
        for one in repeated[:3] if isinstance(repeated, list) else [None]:
            chosen = values if one is None else {**values, panel["repeat"]: one}
            for target in panel["targets"]:
                if "rawSql" in target:
                    yield Shown(panel, target, _asked(connection, panel, target, chosen, span))


def events(
    connection: psycopg.Connection,
    dashboard: Json,
    span: tuple[datetime, datetime],
    given: Values | None = None,
) -> Iterator[tuple[str, Frame]]:
    """Every annotation, asked."""
    values = choices(connection, dashboard, span, given or {})
    for annotation in dashboard["annotations"]["list"]:
        if "target" in annotation:
            query = expanded(with_variables(annotation["target"]["rawSql"], values), *span)
            yield annotation["name"], asked(connection, query, "table")


def _asked(
    connection: psycopg.Connection,
    panel: Json,
    target: Json,
    values: Values,
    span: tuple[datetime, datetime],
) -> Frame:
    try:
        frame = asked(
            connection, expanded(with_variables(target["rawSql"], values), *span), target["format"]
        )
        if any(t["id"] == "prepareTimeSeries" for t in panel["transformations"]):
            split_by_texts(frame)
    except PanelError as error:
        raise PanelError(f"{panel['id']} {panel['title']!r}: {error}") from error
    return frame
