"""Grafana's alert files: it ignores keys that it does not know, and dies of some mistakes; and what the rules find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from conftest import as_role
from grafana.expansion import Frame, asked
from grafana.shown import panels_of
from prometheus_client.parser import text_string_to_metric_families
from store.samples import DAY, snapshot

from exporter.alerts import RULES
from exporter.alerts.grafana import uid_of
from exporter.grafana import DASHBOARDS, as_json
from exporter.prometheus import Exposition
from exporter.snapshot import Alert, CheckResult, MetricRow, Snapshot, Status
from exporter.stack.grafana import VARIABLES
from exporter.store import Store
from exporter.store.expected import Expected
from exporter.store.latest import LatestReader

FOLDER = Path(__file__).parents[2] / "grafana_dashboards" / "provisioning" / "alerting"
EXAMPLES = FOLDER.parent / "examples"
FILES = sorted((*FOLDER.iterdir(), *EXAMPLES.iterdir()))
GROUPS = yaml.safe_load((FOLDER / "rules.yaml").read_text("utf-8"))["groups"]
GIVEN = [rule for group in GROUPS for rule in group["rules"]]
BY_NAME = {rule["title"]: rule for rule in GIVEN}
CANARY = "EvaluationStoreUnreachable"
every = pytest.mark.parametrize("rule", GIVEN, ids=lambda rule: rule["title"])

# What Grafana 11 to 13 read; they ignore all else, and say nothing. Written from their documentation.
KEYS: Mapping[str, frozenset[str]] = {
    "": frozenset(("apiVersion", "groups", "contactPoints", "policies", "muteTimes", "templates")),
    "groups": frozenset(("orgId", "name", "folder", "interval", "rules")),
    "groups.rules": frozenset((
        "uid", "title", "condition", "for", "noDataState", "execErrState", "labels",
        "notification_settings", "annotations", "data",
    )),
    "groups.rules.labels": frozenset(("severity", "component", "project", "model")),
    "groups.rules.annotations": frozenset((
        "summary", "description", "runbook_url", "report_url", "__dashboardUid__", "__panelId__",
    )),
    "groups.rules.notification_settings": frozenset((
        "receiver", "group_by", "group_interval", "repeat_interval",
    )),
    "groups.rules.data": frozenset(("refId", "datasourceUid", "relativeTimeRange", "model")),
    "groups.rules.data.relativeTimeRange": frozenset(("from", "to")),
    "groups.rules.data.model": frozenset((
        "refId", "datasource", "editorMode", "rawQuery", "format", "rawSql", "type", "expression",
        "conditions",
    )),
    "groups.rules.data.model.datasource": frozenset(("type", "uid")),
    "groups.rules.data.model.conditions": frozenset(("evaluator",)),
    "groups.rules.data.model.conditions.evaluator": frozenset(("type", "params")),
    "contactPoints": frozenset(("orgId", "name", "receivers")),
    "contactPoints.receivers": frozenset((
        "uid", "type", "disableResolveMessage", "settings",
    )),
    "contactPoints.receivers.settings": frozenset((
        "url", "addresses", "singleEmail", "subject", "message", "title", "text",
    )),
    "policies": frozenset((
        "orgId", "receiver", "group_by", "group_wait", "group_interval", "repeat_interval", "routes",
    )),
    "policies.routes": frozenset((
        "receiver", "object_matchers", "group_by", "mute_time_intervals",
    )),
    "muteTimes": frozenset(("orgId", "name", "time_intervals")),
    "muteTimes.time_intervals": frozenset(("weekdays", "location")),
    "templates": frozenset(("orgId", "name", "template")),
}  # fmt: skip


def unknown(given: Any, place: str = "") -> list[str]:
    """The keys that Grafana would ignore, with their places."""
    if isinstance(given, list):
        return [key for item in given for key in unknown(item, place)]
    if not isinstance(given, dict):
        return []
    here = [f"{place}: {key}" for key in given if key not in KEYS[place]]
    inner = (unknown(value, f"{place}.{key}".lstrip(".")) for key, value in given.items())
    return here or [key for found in inner for key in found]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_key_is_one_that_grafana_ignores(file: Path) -> None:
    given = yaml.safe_load(file.read_text("utf-8"))
    assert given["apiVersion"] == 1
    assert unknown(given) == []


def test_a_key_that_grafana_ignores_would_be_seen() -> None:
    rule = {**GIVEN[0], "executionErrorState": "Error"}
    assert unknown({"groups": [{"rules": [rule]}]}) == ["groups.rules: executionErrorState"]


def test_only_rules_and_their_contact_point_are_loaded() -> None:
    loaded = {file.name for file in FOLDER.iterdir()}
    assert loaded == {"contact-points.yaml", "rules.yaml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_variable_is_a_plain_name(file: Path) -> None:
    """What stands in annotations, queries and templates is not expanded; labels are, so theirs is `$$`."""
    given = yaml.safe_load(file.read_text("utf-8"))
    for text in expanded_texts(given):
        names = re.findall(r"(?<!\$)\$([A-Z_]+)", text)
        assert text.replace("$$labels", "").count("$") == len(names), text
        assert file.parent == EXAMPLES or set(names) <= VARIABLES


def expanded_texts(given: Any) -> Iterator[str]:
    """The texts in which Grafana puts variables."""
    if isinstance(given, dict):
        for key, value in given.items():
            if key not in ("annotations", "model", "template"):
                yield from expanded_texts(value)
    elif isinstance(given, list):
        for item in given:
            yield from expanded_texts(item)
    elif isinstance(given, str):
        yield given


def test_uids_and_titles_are_of_one_rule_each_and_short_enough() -> None:
    uids = [rule["uid"] for rule in GIVEN]
    assert len(set(uids)) == len({rule["title"] for rule in GIVEN}) == len(GIVEN)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid) for uid in uids)
    assert all(uid_of(rule["title"]) == rule["uid"] for rule in GIVEN)
    receivers = [
        receiver["uid"]
        for file in FILES
        for point in yaml.safe_load(file.read_text("utf-8")).get("contactPoints", ())
        for receiver in point["receivers"]
    ]
    assert len(set(receivers)) == len(receivers)


def test_groups_are_evaluated_in_steps_of_ten_seconds_in_a_folder_of_their_own() -> None:
    titles = {
        provider.get("folder", "")
        for provider in yaml.safe_load(
            (FOLDER.parent / "dashboards" / "evaluation.yaml").read_text("utf-8")
        )["providers"]
    }
    for group in GROUPS:
        amount, unit = int(group["interval"][:-1]), group["interval"][-1]
        assert amount * {"s": 1, "m": 60}[unit] % 10 == 0
        assert group["folder"] not in titles
        assert "/" not in group["folder"]


@every
def test_no_data_and_errors_mean_what_was_decided(rule: dict[str, Any]) -> None:
    """A database that is away neither fires nor mends; one rule says that it is."""
    meant = ("Alerting", "Error") if rule["title"] == CANARY else ("OK", "KeepLast")
    assert (rule["noDataState"], rule["execErrState"]) == meant


@every
def test_labels_are_what_alertmanager_takes_and_severity_comes_from_the_row(
    rule: dict[str, Any],
) -> None:
    by_row = rule["title"] == "EvaluationTestsFailing"
    assert (rule["labels"]["severity"] == "{{ $$labels.severity }}") == by_row
    assert by_row or rule["labels"]["severity"] in {"page", "warning", "info"}
    assert rule["labels"]["component"] in {"exporter", "freshness", "tests", "figures"}
    assert "$$" not in "".join(rule["annotations"].values())


@every
def test_a_rule_asks_the_store_and_takes_every_row(rule: dict[str, Any]) -> None:
    question, threshold = rule["data"]
    assert rule["condition"] == threshold["refId"] == threshold["model"]["refId"]
    assert threshold["model"]["expression"] == question["refId"]
    times = question["relativeTimeRange"]
    assert isinstance(times["from"], int)
    assert times["from"] > times["to"] >= 0
    assert question["datasourceUid"] == question["model"]["datasource"]["uid"] == "evaluation-postgres"  # fmt: skip
    assert question["model"]["format"] == "table"
    (condition,) = threshold["model"]["conditions"]
    assert condition["evaluator"]["type"] == "gt"
    assert condition["evaluator"]["params"] == [0 if rule["title"] == CANARY else -1]


@every
def test_alertmanager_hears_of_it_before_it_takes_it_as_resolved(rule: dict[str, Any]) -> None:
    settings = rule["notification_settings"]
    points = yaml.safe_load((FOLDER / "contact-points.yaml").read_text("utf-8"))["contactPoints"]
    assert settings["receiver"] in {point["name"] for point in points}
    assert {"grafana_folder", "alertname"} <= set(settings["group_by"])  # Grafana wants both
    assert (settings["group_interval"], settings["repeat_interval"]) == ("30s", "2m")


@every
def test_a_rule_is_tied_to_a_panel_and_a_heading_of_the_runbook(rule: dict[str, Any]) -> None:
    said = rule["annotations"]
    dashboards = {d["uid"]: d for d in map(as_json, DASHBOARDS)}
    panels = {str(p["id"]) for p in panels_of(dashboards[said["__dashboardUid__"]])}
    assert said["__panelId__"] in panels
    anchor = said["runbook_url"].partition("#")[2]
    page = (FOLDER.parents[2] / "docs" / "runbook.md").read_text("utf-8")
    assert f"\n## {rule['title']}\n" in page
    assert anchor == rule["title"].lower()


@pytest.mark.parametrize(
    "file",
    [FOLDER / "contact-points.yaml", EXAMPLES / "contact-points-direct.yaml", EXAMPLES / "policies.yaml"],
    ids=lambda file: file.name,
)  # fmt: skip
def test_every_receiver_that_is_named_is_there(file: Path) -> None:
    given = yaml.safe_load(file.read_text("utf-8"))
    named = {p["name"] for p in given.get("contactPoints", ())}
    for policy in given.get("policies", ()):
        named |= {policy["receiver"], *(route["receiver"] for route in policy["routes"])}
    assert named == {"evaluation-alertmanager"}


def test_people_are_told_again_after_hours_and_an_alertmanager_before_it_forgets() -> None:
    """Of the same rules: what an Alertmanager hears every two minutes would be a message each to people."""
    direct = yaml.safe_load((EXAMPLES / "rules-direct.yaml").read_text("utf-8"))["groups"]
    again = {"page": "4h", "warning": "1d", "info": "7d"}
    for ours, theirs in zip(GROUPS, direct, strict=True):
        for rule, other in zip(ours["rules"], theirs["rules"], strict=True):
            told = other.pop("notification_settings")
            assert rule["notification_settings"]["repeat_interval"] == "2m"
            assert told["repeat_interval"] == again.get(rule["labels"]["severity"], "12h")
            assert told["group_interval"] == "5m"
            assert other == {k: v for k, v in rule.items() if k != "notification_settings"}


def test_policies_name_only_mute_times_that_are_there() -> None:
    policies = yaml.safe_load((EXAMPLES / "policies.yaml").read_text("utf-8"))["policies"]
    times = yaml.safe_load((EXAMPLES / "mute-timings.yaml").read_text("utf-8"))["muteTimes"]
    named = {t for p in policies for r in p["routes"] for t in r.get("mute_time_intervals", ())}
    assert named == {time["name"] for time in times}


def test_every_alert_that_the_store_can_know_has_a_rule() -> None:
    only_prometheus = {
        "EvaluationExporterDown", "EvaluationOneExporterDown", "EvaluationRefreshStuck", "EvaluationSeriesDropped", "EvaluationModelMissing",
    }  # fmt: skip
    assert {rule.name for rule in RULES} - only_prometheus == set(BY_NAME)


# A store in which every rule finds something, and much that it should not find.

SOON = [Expected("soon", "inputs", 60, 0)]
HOSTILE = """O'Brien "x" & y"""


def day_of(model: str, ago: float, *statuses: Status, **other: Any) -> Snapshot:
    """A day's snapshot that ended *ago* days before now, with a test of each status."""
    end = datetime.now(UTC) - timedelta(days=ago)
    tests = tuple(
        CheckResult(f"t{i}", "missing_ratio", "age", status=status, value=1.0, upper=0.5)
        for i, status in enumerate(statuses)
    )
    plain: dict[str, Any] = {
        "window_start": end - DAY, "window_end": end, "computed_at": end + timedelta(minutes=1),
        "tests": tests, "metrics": (), "drift": (), "distributions": (), "rows": 900,
    }  # fmt: skip
    return replace(snapshot(model, **(plain | other)))


def figures(**values: float) -> tuple[MetricRow, ...]:
    return tuple(MetricRow(name, value=value) for name, value in values.items())


def missing(value: float) -> tuple[MetricRow, ...]:
    return (MetricRow("missing_ratio", "age", value=value),)


def alerting(snapshot_: Snapshot, alert: Alert) -> Snapshot:
    return replace(snapshot_, tests=tuple(replace(t, alert=alert) for t in snapshot_.tests))


def filled() -> Iterator[Snapshot]:
    """The batches of a month."""
    yield day_of("sound", 0.5, "success", "skipped")
    for ago in (2.5, 1.5, 0.5):
        yield day_of("failing", ago, "fail", "error", "success")
    yield day_of("once", 0.5, "fail")
    yield replace(day_of("hostile", 0.5, "fail"), project=HOSTILE, segment=HOSTILE)
    uncritical = day_of("warns", 0.5, "warning")
    yield replace(uncritical, tests=tuple(replace(t, critical=False) for t in uncritical.tests))
    for ago in (2.5, 1.5, 0.5):
        yield alerting(day_of("silenced", ago, "fail"), Alert("none"))
        yield alerting(day_of("informs", ago, "fail"), Alert("info", 2, 3))
    yield day_of("late", 5, "fail")
    yield day_of("late, and waits", 5, "success", metadata={"wait_seconds": 864_000.0})
    yield replace(day_of("late segment", 5, "success"), segment="country=CH")
    yield day_of("late segment", 0.5, "success")
    yield day_of("retired", 60, "fail")
    yield day_of("unread", 0.5, metrics=(MetricRow("mean", "gone", error="column is gone"),))
    for ago in range(20, 0, -1):
        last = ago == 1
        yield day_of("shrunk", ago - 0.5, rows=300 if last else 1000)
        quality = figures(roc_auc=0.5 if last else 0.9, mae=20.0 if last else 10.0, f1=0.9)
        yield day_of("worse", ago - 0.5, metrics=quality)
        yield day_of("emptied", ago - 0.5, metrics=missing(0.8 if last else 0.1))
        yield day_of("always empty", ago - 0.5, metrics=missing(0.9))
        gains = {"champion": 10.0, "challenger": 8.0}
        for arm, mae in gains.items():
            yield day_of("arms", ago - 0.5, metrics=figures(mae=mae), tags={"arm": arm})
    yield day_of("drifts", 0.5, metrics=figures(drifted_columns_ratio=0.6))
    yield day_of("drifts a bit", 0.5, metrics=figures(drifted_columns_ratio=0.2))


@pytest.fixture(scope="module")
def store(shared_database: str) -> str:
    """The URL of a store with all of these."""
    with Store(shared_database) as written:
        for one in filled():
            written.write(one)
        written.tell_expected(
            "p", [Expected(name, "inputs", 0, 0) for name in ("never", "sound")] + SOON
        )
    return shared_database


@pytest.fixture(scope="module")
def frames(store: str) -> dict[str, Frame]:
    """What each rule's query gives the role that Grafana has."""
    with psycopg.connect(as_role(store, "grafana")) as connection:
        return {
            name: asked(connection, rule["data"][0]["model"]["rawSql"], "table")
            for name, rule in BY_NAME.items()
        }


def instances(frame: Frame) -> list[dict[str, str]]:
    """The instances that Grafana makes of the rows of a table: texts are labels, the one number the value."""
    assert list(frame.kinds).count("number") == 1, frame.names
    assert set(frame.kinds) <= {"number", "text"}, frame.names
    at = list(frame.kinds).index("number")
    found = [
        {name: row[i] or "" for i, name in enumerate(frame.names) if i != at} for row in frame.rows
    ]
    assert len({tuple(sorted(labels.items())) for labels in found}) == len(found)
    assert all(row[at] is not None for row in frame.rows)
    return found


@pytest.mark.server
@every
def test_a_query_gives_what_grafana_makes_instances_of(
    rule: dict[str, Any], frames: dict[str, Frame]
) -> None:
    found = instances(frames[rule["title"]])
    labels = {name for one in found for name in one}
    assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in labels)
    named = set(re.findall(r"\$labels\.(\w+)", "".join(rule["annotations"].values())))
    assert not found or named <= labels


@pytest.mark.server
@pytest.mark.parametrize(
    ("name", "models"),
    [
        ("EvaluationBatchLate", ["late"]),
        ("EvaluationNeverRan", ["never"]),
        ("EvaluationNoModels", []),
        ("EvaluationTestAlert", []),
        ("EvaluationTestsFailing", ["failing", "hostile", "informs", "late", "once", "warns"]),
        ("EvaluationTestFailingRepeatedly", ["failing", "failing"]),
        ("EvaluationFiguresFailed", ["unread"]),
        ("EvaluationBatchSmall", ["shrunk"]),
        ("EvaluationDriftHigh", ["drifts"]),
        ("EvaluationMissingHigh", ["emptied"]),
        ("EvaluationQualityDropped", ["worse"]),
        ("EvaluationErrorsGrown", ["worse"]),
        ("EvaluationChallengerBetter", ["arms"]),
    ],
)
def test_a_rule_finds_what_is_wrong_and_nothing_else(
    name: str, models: list[str], frames: dict[str, Frame]
) -> None:
    assert sorted(one.get("model", "") for one in instances(frames[name])) == models


@pytest.mark.server
def test_severity_and_hostile_names_come_with_the_rows(frames: dict[str, Frame]) -> None:
    found = {one["model"]: one for one in instances(frames["EvaluationTestsFailing"])}
    assert {model: one["severity"] for model, one in found.items()} == {
        "failing": "page", "once": "page", "hostile": "page", "late": "page", "informs": "info", "warns": "warning",
    }  # fmt: skip
    assert (found["hostile"]["project"], found["hostile"]["segment"]) == (HOSTILE, HOSTILE)
    assert found["once"]["exporter"] == "http://127.0.0.1:9877"


@pytest.mark.server
def test_a_query_finds_nothing_in_an_empty_store_but_that_it_is_empty(reader: str) -> None:
    with psycopg.connect(reader) as connection:
        found = {
            name: len(asked(connection, rule["data"][0]["model"]["rawSql"], "table").rows)
            for name, rule in BY_NAME.items()
        }
    assert {name for name, rows in found.items() if rows} == {"EvaluationNoModels", CANARY}


Stream = tuple[str, ...]
IDENTITY = ("project", "model", "evaluation", "segment", "arm")


@pytest.fixture(scope="module")
def gauges(store: str) -> Mapping[str, list[tuple[dict[str, str], float]]]:
    """The samples of every gauge of the same store, by name."""
    reader = LatestReader(store)
    exposition = Exposition(reader)
    exposition.refresh(datetime.now(UTC))
    reader.close()
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(exposition.body().decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def streams(found: list[tuple[dict[str, str], float]], *more: str) -> dict[Stream, float]:
    """Samples by their stream, and by further labels."""
    return {tuple(labels.get(n, "") for n in (*IDENTITY, *more)): value for labels, value in found}


def of_rows(frame: Frame, *more: str) -> set[Stream]:
    """The same of a rule's instances, where `stream` holds the tags."""
    return {
        tuple(
            (one | {"arm": one["stream"].removeprefix("arm=")}).get(name, "")
            for name in (*IDENTITY, *more)
        )
        for one in instances(frame)
    }


@pytest.mark.server
def test_grafana_tells_of_the_tests_that_prometheus_tells_of(
    frames: dict[str, Frame], gauges: Mapping[str, list[tuple[dict[str, str], float]]]
) -> None:
    ours = {s for s, n in streams(gauges["evaluation_alerting_tests"], "severity").items() if n > 0}
    assert of_rows(frames["EvaluationTestsFailing"], "severity") == ours
    streaks = streams(gauges["evaluation_test_consecutive_failures"], "test", "column")
    pages = [g for g in gauges["evaluation_test_alert"] if g[0]["severity"] == "page"]
    repeated = {s for s in streams(pages, "test", "column") if streaks[s] >= 3}
    assert of_rows(frames["EvaluationTestFailingRepeatedly"], "test", "column") == repeated
    failed = {s for s, n in streams(gauges["evaluation_failed_figures"]).items() if n > 0}
    assert of_rows(frames["EvaluationFiguresFailed"]) == failed


@pytest.mark.server
def test_grafana_finds_late_what_prometheus_finds_late(
    frames: dict[str, Frame], gauges: Mapping[str, list[tuple[dict[str, str], float]]]
) -> None:
    now = datetime.now(UTC).timestamp()
    ends = streams(gauges["evaluation_window_end_timestamp_seconds"])
    intervals = streams(gauges["evaluation_batch_interval_seconds"])
    waits = streams(gauges["evaluation_batch_wait_seconds"])
    late = {
        stream
        for stream, end in ends.items()
        if not stream[3] and now - end > 2 * intervals[stream] + waits.get(stream, 0)
    }
    assert of_rows(frames["EvaluationBatchLate"]) == late
