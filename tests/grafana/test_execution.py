"""Every query of every panel, variable and annotation, as Grafana would ask it, as its role, on PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from conftest import as_role, made_database
from grafana.expansion import Frame, PanelError, expanded, lines_of, with_variables
from grafana.filled import SPAN, filled_store
from grafana.shown import Shown, choices, events, panels_of, shown
from store.samples import snapshot

from exporter.grafana import DASHBOARDS, as_json
from exporter.store import Store

JSON = {d.name: as_json(d) for d in DASHBOARDS}
LINES = 12
ROWS = 30  # of a status history: eighteen pixels each
HOSTILE = 'O\'Brien "<script>" \\ ; -- ü'
# What no batch of the fleet has anything to show for, and why that is no fault.
EMPTY_ON_PURPOSE: dict[tuple[str, int], str] = {
    ("text", 62): "sentiment needs a package that a fleet's owner may not have",
}
OF_OTHERS = {
    "classification",
    "champion-challenger",
    "text",
}  # of which the hostile snapshot has nothing
every = pytest.mark.parametrize("name", sorted(JSON))


@pytest.fixture(scope="session")
def fleet(server: str) -> str:
    """The URL, for the role of dashboards, of a store with made-up models of every task."""
    return as_role(filled_store(server), "grafana")


@contextmanager
def opened(url: str) -> Iterator[psycopg.Connection]:
    """A connection as Grafana's: each statement for itself, in a time zone that is not UTC."""
    with psycopg.connect(url, autocommit=True, options="-c timezone=Asia/Kolkata") as connection:
        yield connection


def models(connection: psycopg.Connection) -> list[dict[str, str]]:
    """Every project and model, as one would choose them."""
    rows = connection.execute("select distinct project, model from grafana.streams order by 1, 2")
    return [{"project": p, "model": m} for p, m in rows]


def openings(connection: psycopg.Connection, dashboard: dict[str, Any]) -> list[dict[str, str]]:
    """One opening for each model, or a single one where several are shown at once; of one column: for some."""
    single = {
        v["name"]
        for v in dashboard["templating"]["list"]
        if v["type"] == "query" and not v["multi"]
    }
    if "model" not in single:
        return [{}]
    if "column" not in single:
        return models(connection)
    rows = connection.execute(
        "select distinct on (project, kind, column_name) project, model, column_name from grafana.series"
        " where column_name <> '' and kind in ('distribution', 'drift') order by 1, kind, 3, 2"
    )
    return [{"project": p, "model": m, "column": c} for p, m, c in rows]


@every
def test_every_panel_of_the_fleet_is_filled(fleet: str, name: str) -> None:
    filled: set[int] = set()
    with opened(fleet) as connection:
        for given in openings(connection, JSON[name]):
            for answer in shown(connection, JSON[name], SPAN, given):
                _sound(answer, given)
                if not answer.frame.empty:
                    filled.add(answer.panel["id"])
            for title, frame in events(connection, JSON[name], SPAN, given):
                assert {"time", "text"} <= set(frame.names), title
    asking = {
        p["id"]: p["title"]
        for p in panels_of(JSON[name])
        if any("rawSql" in t for t in p["targets"])
    }
    empty = {i for i in asking if i not in filled and (name, i) not in EMPTY_ON_PURPOSE}
    assert not empty, f"nothing in {[asking[i] for i in empty]}"


def _sound(answer: Shown, given: dict[str, str]) -> None:
    told = f"{answer.panel['id']} {answer.panel['title']!r} of {given}"
    assert not answer.frame.overwritten, f"{told}: {answer.frame.overwritten} points lie on others"
    if answer.panel["type"] == "timeseries" and answer.frame.rows:
        assert lines_of(answer.frame) <= LINES, f"{told}: {lines_of(answer.frame)} lines"
    if (
        answer.panel["type"] in ("table", "bargauge", "barchart")
        and answer.target["format"] == "table"
    ):
        assert len(answer.frame.rows) <= 200, f"{told}: {len(answer.frame.rows)} rows"


@every
def test_fields_of_overrides_and_links_are_columns(fleet: str, name: str) -> None:
    columns: dict[int, set[str]] = {}
    named: dict[int, set[str]] = {}
    with opened(fleet) as connection:
        for given in openings(connection, JSON[name]):
            for answer in shown(connection, JSON[name], SPAN, given):
                columns.setdefault(answer.panel["id"], set()).update(answer.frame.names)
                named.setdefault(answer.panel["id"], set()).update(_names(answer.frame))
    for panel in panels_of(JSON[name]):
        if panel["id"] not in columns:
            continue
        known = columns[panel["id"]] | {"Value", "Time"} | _renamed(panel)
        known |= {f"Trend #{t['refId']}" for t in panel["targets"]}
        for override in panel["fieldConfig"]["overrides"]:
            field = override["matcher"]["options"]
            if override["matcher"]["id"] == "byName":
                assert field in known, f"{panel['title']}: {field!r} is none of {sorted(known)}"
            else:
                # how the third line looks is said also where there are two
                pattern = re.sub(r'place="\d+"', r'place="\\d+"', field)
                found = any(re.search(pattern, one) for one in known | named[panel["id"]])
                silent = (name, panel["id"]) in EMPTY_ON_PURPOSE
                assert found or silent, f"{panel['title']}: {field!r} fits none"
        for field in re.findall(r"\$\{__(?:data\.fields|field\.labels)\.(\w+)", str(panel)):
            assert field in known, f"{panel['title']}: {field!r} is none of {sorted(known)}"


def _names(frame: Frame) -> Iterator[str]:
    """What fields may be called: by a text, or by their own name and all texts as labels."""
    texts = [i for i, kind in enumerate(frame.kinds) if kind == "text"]
    numbers = [
        name for name, kind in zip(frame.names, frame.kinds, strict=True) if kind == "number"
    ]
    for row in frame.rows[:200]:
        yield from (str(row[i]) for i in texts)
        labels = ", ".join(f'{frame.names[i]}="{row[i]}"' for i in texts)
        yield from (f"{name} {{{labels}}}" for name in numbers)


def _renamed(panel: Any) -> set[str]:
    """Columns that a transformation makes."""
    made = set()
    for transformation in panel["transformations"]:
        options = transformation["options"]
        made |= set(options.get("renameByName", {}).values())
        if transformation["id"] == "groupingToMatrix":
            made.add(f"{options['rowField']}\\{options['columnField']}")
    return made


@every
@pytest.mark.parametrize("shift", [timedelta(days=3650), timedelta(days=-36500)])
def test_a_range_without_batches_is_no_error(fleet: str, name: str, shift: timedelta) -> None:
    with opened(fleet) as connection:
        span = (SPAN[0] + shift, SPAN[1] + shift)
        given = openings(connection, JSON[name])[0]
        assert len(list(shown(connection, JSON[name], span, given))) > 3
        assert all(frame.empty for _, frame in events(connection, JSON[name], span, given))


@every
def test_an_empty_store_is_no_error(reader: str, name: str) -> None:
    with opened(reader) as connection:
        for answer in shown(connection, JSON[name], SPAN):
            if answer.panel["type"] in ("status-history", "heatmap"):
                assert answer.frame.rows, f"{answer.panel['title']} shows no rows as an error"
        assert all(not frame.rows for _, frame in events(connection, JSON[name], SPAN))


@pytest.fixture(scope="session")
def crowd(server: str) -> Iterator[str]:
    """Fifty models of two hundred columns, all drifted and failing: more than a chart can hold."""
    columns = [f"column {i:03}" for i in range(200)]
    with made_database(server) as url, Store(url) as store:
        for model in range(50):
            base = snapshot(f"model {model:02}", day=model % 3)
            store.write(
                replace(
                    base,
                    metrics=tuple(replace(base.metrics[0], column=c) for c in columns),
                    drift=tuple(replace(base.drift[0], column=c) for c in columns),
                    tests=tuple(replace(base.tests[0], column=c) for c in columns),
                )
            )
        yield as_role(url, "grafana")


@every
def test_fifty_models_of_two_hundred_columns_do_not_crowd_a_panel(crowd: str, name: str) -> None:
    span = (datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 10, 9, tzinfo=UTC))
    with opened(crowd) as connection:
        given = openings(connection, JSON[name])[0]
        for answer in shown(connection, JSON[name], span, given):
            _sound(answer, given)
            if answer.panel["type"] == "status-history":
                assert lines_of(answer.frame) <= ROWS, answer.panel["title"]
            if answer.panel["type"] == "bargauge":
                assert len(answer.frame.rows) <= 20, answer.panel["title"]


@pytest.fixture(scope="session")
def hostile(server: str) -> Iterator[str]:
    """A store whose every name is one that breaks what is not quoted."""
    with made_database(server) as url, Store(url) as store:
        for day in range(3):
            base = snapshot(
                HOSTILE,
                day=day,
                project=HOSTILE,
                evaluation=HOSTILE,
                segment=f"a={HOSTILE}" if day == 2 else "",
            )
            store.write(
                replace(
                    base,
                    tags={"arm": HOSTILE, "version": f"{HOSTILE}{day}"},
                    metrics=tuple(replace(m, column=HOSTILE, label=HOSTILE) for m in base.metrics),
                    drift=tuple(
                        replace(d, column=f"{HOSTILE}{i}") for i, d in enumerate(base.drift)
                    ),
                    tests=tuple(replace(t, column=HOSTILE, label=HOSTILE) for t in base.tests),
                    distributions=tuple(
                        replace(d, column=f"{HOSTILE}{i}") for i, d in enumerate(base.distributions)
                    ),
                )
            )
        yield as_role(url, "grafana")


@every
def test_hostile_names_are_only_names(hostile: str, name: str) -> None:
    span = (datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 10, 9, tzinfo=UTC))
    named = ("project", "model", "evaluation", "column", "test", "metric", "champion", "challenger")
    many = {v["name"] for v in JSON[name]["templating"]["list"] if v.get("multi")}
    given = {n: [HOSTILE] if n in many else HOSTILE for n in named}
    with opened(hostile) as connection:
        filled = 0
        for answer in shown(connection, JSON[name], span, given, forced=True):
            assert not answer.frame.overwritten, answer.panel["title"]
            filled += not answer.frame.empty
        assert filled or name in OF_OTHERS


@every
def test_a_month_of_a_year_is_read_from_its_own_partitions(fleet: str, name: str) -> None:
    """With a partition for each month only those of the range are in the plan."""
    with opened(fleet) as connection:
        given = openings(connection, JSON[name])[0]
        values = choices(connection, JSON[name], SPAN, given)
        for panel in panels_of(JSON[name]):
            for target in panel["targets"]:
                query = target.get("rawSql", "")
                if "$__timeFilter" in query:
                    plan = _plan(
                        connection,
                        expanded(with_variables(query, {**values, **_first(values, panel)}), *SPAN),
                    )
                    months = set(re.findall(r"_(\d{6})\b", plan))
                    wanted = {f"{moment:%Y%m}" for moment in (SPAN[0], SPAN[1])}
                    assert months <= wanted | {""}, f"{panel['title']}: {sorted(months)}"


def _first(values: dict[str, str | list[str]], panel: Any) -> dict[str, str]:
    name = panel.get("repeat")
    return {name: values[name][0]} if name else {}


def _plan(connection: psycopg.Connection, query: str) -> str:
    rows = connection.execute(f"explain {query}".encode()).fetchall()
    return "\n".join(row[0] for row in rows)


def test_the_expansion_refuses_what_grafana_would_break_on() -> None:
    with pytest.raises(PanelError, match="is not quoted"):
        with_variables("select $project", {"project": "a"})
    with pytest.raises(PanelError, match="unknown macro"):
        expanded("select $__timeFitler(time)", *SPAN)
    assert (
        with_variables("= any (array[${p:sqlstring}])", {"p": ["O'Brien", "b"]})
        == "= any (array['O''Brien','b'])"
    )
    assert with_variables("array[${p:sqlstring}]", {"p": []}) == "array[]"
    assert Frame().empty
