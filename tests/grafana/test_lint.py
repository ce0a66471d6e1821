"""Dashboards keep the house rules: what can be told from their JSON alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana.shown import panels_of

from exporter.grafana import DASHBOARDS, as_json

JSON = {d.name: as_json(d) for d in DASHBOARDS}
FILES = Path(__file__).parents[2] / "grafana_dashboards"
UNITS = {
    "percentunit",
    "percent",
    "none",
    "short",
    "s",
    "bytes",
    "decbytes",
    "dateTimeFromNow",
    "dateTimeAsIso",
    "string",
    "ops",
    "locale",
}
NEEDS_UNIT = {"stat", "timeseries", "gauge", "bargauge", "barchart", "heatmap"}
NO_QUERY = {"text", "alertlist", "dashlist"}
CLASSIC = {
    "uid", "title", "description", "tags", "schemaVersion", "editable", "graphTooltip", "timezone", "refresh", "time",
    "timepicker", "fiscalYearStartMonth", "preload", "links", "templating", "annotations", "panels",
}  # fmt: skip
PANEL = {
    "id", "type", "title", "description", "datasource", "gridPos", "targets", "fieldConfig", "options",
    "transformations", "repeat", "repeatDirection", "maxPerRow", "maxDataPoints", "interval", "collapsed", "panels",
    "pluginVersion",
}  # fmt: skip
every = pytest.mark.parametrize("name", sorted(JSON))


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every SQL text of a dashboard: of panels, variables and annotations."""
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            if "rawSql" in target:
                yield f"panel {panel['id']}", target["rawSql"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", variable["query"]
    for annotation in dashboard["annotations"]["list"]:
        if "target" in annotation:
            yield f"annotation {annotation['name']}", annotation["target"]["rawSql"]


def links(dashboard: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Every data link's address, by panel."""
    for panel in panels_of(dashboard):
        for link in re.finditer(
            r'"url": "((?:[^"\\]|\\.)*)"', json.dumps(panel, ensure_ascii=False)
        ):
            yield panel["id"], json.loads(f'"{link[1]}"')


def test_there_are_twelve_with_a_hundred_panels() -> None:
    assert list(JSON) == [
        "fleet-overview", "fleet-status-board", "model-overview", "data-drift", "data-quality", "column",
        "classification", "regression", "tests", "champion-challenger", "text", "exporter-health",
    ]  # fmt: skip
    assert sum(len(list(panels_of(d))) for d in JSON.values()) >= 100


def test_the_folder_holds_these_files_and_no_others() -> None:
    assert {path.stem for path in FILES.glob("*.json")} == set(JSON)


def test_titles_and_uids_are_of_one_dashboard_each() -> None:
    assert (
        len({d["uid"] for d in JSON.values()})
        == len({d["title"] for d in JSON.values()})
        == len(JSON)
    )


@every
def test_the_frame_is_what_grafana_11_to_13_read(name: str) -> None:
    dashboard = JSON[name]
    assert set(dashboard) == CLASSIC
    assert dashboard["schemaVersion"] == 41
    assert re.fullmatch(r"evaluation-[a-z-]{1,29}", dashboard["uid"])
    assert dashboard["uid"] == f"evaluation-{name}"
    assert dashboard["description"].endswith("?")
    assert "evaluation" in dashboard["tags"]
    assert dashboard["editable"] is False


@every
def test_panels_have_what_a_reader_needs(name: str) -> None:
    for panel in panels_of(JSON[name]):
        told = f"{name}: panel {panel['id']} {panel.get('title')!r}"
        assert set(panel) <= PANEL, told
        assert panel["title"], told
        assert len(panel["description"]) > 20, told
        assert panel["description"].rstrip().endswith((".", "`", ")")), told
        assert not re.search(r"(?<!\$)\{", panel["description"]), f"{told}: a name was not put in"
        defaults = panel["fieldConfig"]["defaults"]
        assert (
            panel["type"] not in NEEDS_UNIT or defaults.get("unit") or defaults.get("mappings")
        ), told
        assert defaults.get("unit", "none") in UNITS, told
        assert panel["type"] in NO_QUERY or panel["targets"], told
        refs = [t["refId"] for t in panel["targets"]]
        assert len(set(refs)) == len(refs), told
        assert defaults["thresholds"]["steps"][0]["value"] is None, told
        assert defaults["thresholds"]["steps"][0]["color"] != "green", told


@every
def test_panels_lie_side_by_side(name: str) -> None:
    ids = [p["id"] for p in JSON[name]["panels"]] + [p["id"] for p in panels_of(JSON[name])]
    assert len(set(ids)) == len({p["id"] for p in panels_of(JSON[name])}) + sum(
        p["type"] == "row" for p in JSON[name]["panels"]
    )
    boxes: list[dict[str, int]] = []
    for panel in panels_of(JSON[name]):
        box = panel["gridPos"]
        assert box["x"] + box["w"] <= 24, f"{name}: {panel['title']} is wider than the page"
        for other in boxes:
            apart = box["x"] >= other["x"] + other["w"] or other["x"] >= box["x"] + box["w"]
            assert (
                apart
                or box["y"] >= other["y"] + other["h"]
                or other["y"] >= box["y"] + box["h"]
                or panel["id"] in _folded(name)
            ), panel["title"]
        boxes.append(box)


def _folded(name: str) -> set[int]:
    """Folded panels lie where those below the row are shown."""
    return {p["id"] for row in JSON[name]["panels"] if row["type"] == "row" for p in row["panels"]}


# How wide a character of a panel's title is, in pixels.
NARROW = (
    dict.fromkeys("ijlI .²", 3.5) | {"f": 5.3, "r": 5.4, "t": 4.8} | dict.fromkeys("sckvxyz", 7.9)
)
BROAD = {"m": 12.4, "w": 11.6, "M": 12.8, "W": 14.0} | dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 9.7)
LAPTOP = 956  # pixels of a dashboard's 24 columns, beside the menu, on a screen of 1280


@every
def test_titles_of_narrow_stats_fit(name: str) -> None:
    for panel in panels_of(JSON[name]):
        if panel["type"] == "stat" and panel["gridPos"]["w"] <= 4:
            wide = sum((NARROW | BROAD).get(c, 8.4) for c in panel["title"])
            assert wide <= 51.7, f"{name}: {panel['title']!r} is cut at 1280 pixels"


@every
def test_tables_are_no_wider_than_a_laptop(name: str) -> None:
    """Columns without a width share what is left, but none falls below its least width."""
    for panel in panels_of(JSON[name]):
        if panel["type"] != "table":
            continue
        inner = panel["gridPos"]["w"] * LAPTOP / 24 - 26
        columns = [
            {p["id"]: p["value"] for p in o["properties"]}
            for o in panel["fieldConfig"]["overrides"]
            if o["matcher"]["id"] == "byName"
        ]
        shown = [c for c in columns if "custom.hideFrom.viz" not in c]
        fixed = sum(c.get("custom.width", 0) for c in shown)
        least = [c.get("custom.minWidth", 150) for c in shown if "custom.width" not in c]
        wide = fixed + sum(max(one, (inner - fixed) / len(least)) for one in least)
        assert wide <= inner + 1, f"{name}: {panel['title']} has {wide:.0f} of {inner:.0f} pixels"


@every
def test_names_in_tables_are_not_cut(name: str) -> None:
    """What has no width of its own is a name, and goes on in a second line, or a small chart."""
    for panel in panels_of(JSON[name]):
        for one in panel["fieldConfig"]["overrides"] if panel["type"] == "table" else ():
            found = {p["id"]: p["value"] for p in one["properties"]}
            if one["matcher"]["id"] == "byName" and "custom.minWidth" in found:
                chart = found.get("custom.cellOptions", {}).get("type") == "sparkline"
                told = f"{name}: {panel['title']}, {one['matcher']['options']}"
                assert chart or found.get("custom.wrapText"), told


@every
def test_sql_takes_variables_quoted_and_names_the_schema(name: str) -> None:
    for place, query in queries(JSON[name]):
        bare = re.search(r"\$(?!__)\w+|\$\{(?!\w+:sqlstring\})[^}]*\}", query.replace("$__", ""))
        assert not bare, f"{name} {place}: {bare and bare[0]} is not quoted"
        assert not re.search(r"\bin \(\s*\$\{", query, re.IGNORECASE), (
            f"{name} {place}: `in ()` where nothing is chosen"
        )
        assert re.search(r"\b(?:from|join) (?:grafana|pg_catalog)\.", query), (
            f"{name} {place}: no view is read"
        )
        assert "evaluation." not in query, f"{name} {place}: a table is read past the views"
        plain = re.sub(r"epoch from|distinct from", "", query)
        tables = set(re.findall(r"\b(?:from|join)\s+(?:lateral\s+)?([a-z_][\w.]*)", plain))
        known = set(re.findall(r"(\w+)\s+as\s+(?:not\s+)?(?:materialized\s+)?\(", query)) | {
            "lateral",
            "unnest",
            "generate_series",
            "jsonb_each",
            "jsonb_each_text",
            "jsonb_array_elements",
        }
        assert not {
            t for t in tables if not t.startswith(("grafana.", "pg_catalog.")) and t not in known
        }, f"{name} {place}: {tables}"


@every
def test_every_variable_is_used_and_every_used_one_is_there(name: str) -> None:
    dashboard = JSON[name]
    defined = {v["name"] for v in dashboard["templating"]["list"]}
    said = json.dumps(
        [
            dashboard["panels"],
            dashboard["annotations"],
            [v.get("query") for v in dashboard["templating"]["list"]],
        ]
    )
    said += json.dumps([v.get("datasource") for v in dashboard["templating"]["list"]])
    used = {u for u in re.findall(r"\$\{(\w+)", said) if not u.startswith("__")}
    assert used == defined


@every
def test_variables_ask_again_and_know_what_nothing_looks_like(name: str) -> None:
    for variable in JSON[name]["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["refresh"] == 2, variable["name"]
            assert variable.get("allValue") in (None, ""), variable["name"]
            assert "where not exists" in variable["query"], variable["name"]
            assert variable["label"], variable["name"]


@every
def test_variables_are_the_same_everywhere(name: str) -> None:
    labels = {v["name"]: v["label"] for d in JSON.values() for v in d["templating"]["list"]}
    for variable in JSON[name]["templating"]["list"]:
        assert variable["label"] == labels[variable["name"]]


@every
def test_links_lead_to_dashboards_and_variables_that_are_there(name: str) -> None:
    found = list(links(JSON[name]))
    variables = {v["name"] for d in JSON.values() for v in d["templating"]["list"]}
    here = {v["name"] for v in JSON[name]["templating"]["list"]}
    for panel, url in found:
        told = f"{name} panel {panel}: {url}"
        if not url.startswith("/d/"):
            assert url == "${__value.raw:raw}", told
            continue
        uid, _, query = url.removeprefix("/d/").partition("?")
        assert uid.removeprefix("evaluation-") in JSON, told
        assert query.startswith("${__url_time_range}") or "from=" in query, told
        assert set(re.findall(r"var-(\w+)=", query)) <= variables, told
        assert set(re.findall(r"\$\{(\w+):queryparam\}", query)) <= here, told
        assert not re.search(r"\$\{__data\.fields\.\w+\}", query), f"{told}: write :percentencode"


@every
def test_what_a_link_takes_from_a_row_is_not_shown_as_something_else(name: str) -> None:
    """Of a row's fields Grafana gives what is shown: with mappings it is not the value."""
    for panel in panels_of(JSON[name]):
        taken = set(re.findall(r"__data\.fields\.(\w+)", json.dumps(panel)))
        for one in panel["fieldConfig"]["overrides"]:
            if one["matcher"]["id"] == "byName" and one["matcher"]["options"] in taken:
                told = f"{name}: {panel['title']}, {one['matcher']['options']}"
                assert "mappings" not in {p["id"] for p in one["properties"]}, told


@every
def test_every_panel_leads_on(name: str) -> None:
    leading = {panel for panel, _ in links(JSON[name])}
    for panel in panels_of(JSON[name]):
        if panel["type"] not in NO_QUERY:
            assert panel["id"] in leading, f"{name}: {panel['title']} leads nowhere"


@every
def test_no_absolute_address_is_written_down(name: str) -> None:
    assert not re.search(r"https?://", json.dumps(JSON[name]))
