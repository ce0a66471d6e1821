"""What Grafana does with a panel's query before PostgreSQL sees it, and with the rows that come back.

Restated from how Grafana 12 behaves: variables are put in by the browser, then the server replaces
`$__interval`, then macros by a pattern that knows no nested parentheses, comments among them. Rows
of format `time_series` become one series for each set of texts; in a `table` they stay rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import psycopg

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^\)]*)\)")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_PATTERN = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_NUMBERS = frozenset({20, 21, 23, 700, 701, 1700})
_TIMES = frozenset({1082, 1114, 1184})
_BOOLEAN = 16
_JSON = frozenset({114, 3802})
Values = Mapping[str, str | list[str]]


class PanelError(Exception):
    """Grafana would show a red corner."""


def with_variables(query: str, values: Values) -> str:
    """The query with `${name:sqlstring}` quoted; any other form of a known variable is an error."""

    def put(match: re.Match[str]) -> str:
        name, form = match[1] or match[3], match[2]
        if name not in values:
            return match[0]
        if form != "sqlstring":
            raise PanelError(f"{match[0]} is not quoted: write ${{{name}:sqlstring}}")
        found = values[name]
        texts = found if isinstance(found, list) else [found]
        return ",".join("'" + text.replace("'", "''").replace('"', r"\"") + "'" for text in texts)

    return _VARIABLE.sub(put, query)


def with_patterns(query: str, values: Values) -> str:
    """A PromQL query with `${name:regex}` as a pattern; any other form of a known variable is an error.

    Without a form Grafana's Prometheus data source puts a `"` in as it stands.
    """

    def put(match: re.Match[str]) -> str:
        name, form = match[1] or match[3], match[2]
        if name not in values:
            return match[0]
        if form != "regex":
            raise PanelError(
                f"{match[0]} is no pattern: write ${{{name}:regex}}, between backticks"
            )
        found = values[name]
        texts = [
            _PATTERN.sub(r"\\\g<0>", text)
            for text in ([found] if isinstance(found, str) else found)
        ]
        return texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"

    return _VARIABLE.sub(put, query)


def expanded(query: str, start: datetime, end: datetime, interval: int = 3600) -> str:
    """The query as PostgreSQL gets it; a PanelError where a macro is not known."""
    query = query.replace("$__interval_ms", str(interval * 1000)).replace(
        "$__interval", f"{interval}s"
    )
    since, until = _literal(start), _literal(end)

    def macro(match: re.Match[str]) -> str:
        arguments = [argument.strip(" ") for argument in match[2].split(",")]
        match match[1]:
            case "__timeFilter":
                return f"{arguments[0]} BETWEEN '{since}' AND '{until}'"
            case "__timeFrom":
                return f"'{since}'"
            case "__timeTo":
                return f"'{until}'"
            case name:
                raise PanelError(f'unknown macro "{name}"')

    return _MACRO.sub(macro, query)


def _literal(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Frame:
    """What a panel is given: rows under names, or series; `overwritten` points had equal labels and times."""

    names: Sequence[str] = ()
    kinds: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    series: Mapping[tuple[str, tuple[tuple[str, str], ...]], Mapping[datetime, Any]] = field(
        default_factory=dict
    )
    overwritten: int = 0

    @property
    def empty(self) -> bool:
        """There is nothing to show: no row, or rows that are all null beside their time."""
        return not any(
            value is not None
            for row in self.rows
            for value, kind in zip(row, self.kinds, strict=True)
            if kind != "time"
        )


def asked(connection: psycopg.Connection, query: str, form: str) -> Frame:
    """The frame of an expanded query, as `table` or `time_series`; a PanelError where Grafana makes none."""
    try:
        cursor = connection.execute(query.encode())  # as it stands: no placeholders
    except psycopg.Error as error:
        raise PanelError(f"{error}\n{query}") from error
    rows = cursor.fetchall()
    names = [column.name for column in cursor.description or ()]
    kinds = [_kind(column.type_code) for column in cursor.description or ()]
    frame = Frame(names, kinds, rows)
    if form == "time_series":
        _as_series(frame)
    return frame


def split_by_texts(frame: Frame) -> None:
    """What the transformation `prepareTimeSeries` makes of a table: one line for each set of texts."""
    at = _time_of(frame)
    texts = [i for i, kind in enumerate(frame.kinds) if kind == "text"]
    seen: set[tuple[Any, ...]] = set()
    for row in frame.rows:
        point = (row[at], *(row[i] for i in texts))
        frame.overwritten += point in seen
        seen.add(point)


def lines_of(frame: Frame) -> int:
    """How many lines a chart of the rows has: one for each set of texts and number."""
    texts = [i for i, kind in enumerate(frame.kinds) if kind == "text"]
    return len({tuple(row[i] for i in texts) for row in frame.rows})


def _kind(oid: int) -> str:
    if oid in _NUMBERS:
        return "number"
    if oid in _TIMES:
        return "time"
    if oid == _BOOLEAN:
        return "boolean"
    return "json" if oid in _JSON else "text"


def _time_of(frame: Frame) -> int:
    if "time" not in frame.names:
        raise PanelError(f"there is no column `time` among {', '.join(frame.names)}")
    at = frame.names.index("time")
    moments = [row[at] for row in frame.rows]
    if None in moments:
        raise PanelError("a point has no time")
    if any(later < earlier for earlier, later in pairwise(moments)):
        raise PanelError("the rows are not ordered by time")
    return at


def _as_series(frame: Frame) -> None:
    if not frame.rows:
        return
    at = _time_of(frame)
    if frame.kinds.index("time") != at:
        raise PanelError("the first column that is a time must be the one called `time`")
    labels = [i for i, kind in enumerate(frame.kinds) if kind in ("text", "boolean")]
    values = [i for i in range(len(frame.names)) if i != at and i not in labels]
    if not values or any(frame.kinds[i] != "number" for i in values):
        raise PanelError(f"not numbers: {[frame.names[i] for i in values]}")
    found: dict[tuple[str, tuple[tuple[str, str], ...]], dict[datetime, Any]] = {}
    for row in frame.rows:
        told = tuple((frame.names[i], row[i] or "") for i in labels)
        for i in values:
            points = found.setdefault((frame.names[i], told), {})
            frame.overwritten += row[at] in points
            points[row[at]] = row[i]
    frame.series = found
