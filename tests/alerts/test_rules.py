"""The rules for Prometheus, by promtool: every alert silent, firing and recovered, alone and with two exporters."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from alerts.cases import (
    ANSWERS,
    BY_NAME,
    CASES,
    PROD,
    REPORT,
    STREAM,
    TEST,
    expected,
    of_stream,
    series,
    stream_of,
)
from grafana.shown import panels_of

from exporter.alerts import RULES, Rule
from exporter.alerts.grafana import uid_of
from exporter.grafana import DASHBOARDS, as_json
from exporter.metrics import CATALOGUE
from exporter.prometheus import FAMILIES
from exporter.prometheus.families import family_of

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
EVERY = [rule for path in FILES for g in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in g["rules"]]  # fmt: skip
ALERTS = {rule["alert"]: rule for rule in EVERY if "alert" in rule}
OF_STREAM = stream_of(STREAM)
UNLINKED = {"dashboard_url": "", "report_url": "", "runbook_url": "docs/runbook.md#"}
every = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def judged(promtool: str, folder: Path, *tests: dict[str, Any], every: str = "1m") -> str:
    """What promtool says of the tests; "" where they pass."""
    path = folder / "test.yml"
    given = {"rule_files": [str(f) for f in FILES], "evaluation_interval": every, "tests": tests}
    path.write_text(json.dumps(given), "utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", path], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_promtool_finds_nothing_to_blame(program: Callable[[str], str]) -> None:
    lint = ["--lint=all", "--lint-fatal"]
    command = [program("promtool"), "check", "rules", *lint, *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_alert_lacks_a_case() -> None:
    assert set(CASES) == set(BY_NAME) == set(ALERTS)


@every
def test_an_alert_is_silent_fires_and_recovers_also_with_two_exporters(
    rule: Rule, program: Callable[[str], str], tmp_path: Path
) -> None:
    case = CASES[rule.name]
    tests = [case.tests(rule, replicas) for replicas in (1, 2)]
    assert judged(program("promtool"), tmp_path, *tests) == ""


def checked(
    program: Callable[[str], str], folder: Path, given: list[Any], *expectations: dict[str, Any]
) -> str:
    """What promtool says of these series and what is expected of them."""
    test = {
        "interval": "1m",
        "input_series": [series(one, 1) for one in given],
        "alert_rule_test": expectations,
    }
    return judged(program("promtool"), folder, test)


def test_failing_tests_stay_as_they_were_for_six_hours_while_no_exporter_answers(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = BY_NAME["EvaluationTestsFailing"]
    gone = [
        ("evaluation_store_up", {}, "1x10 stale"),
        of_stream("evaluation_alerting_tests", "2x10 stale", severity="page"),
        of_stream("evaluation_test_alert", "1x10 stale", **TEST, severity="page"),
        of_stream("evaluation_test_consecutive_failures", "4x10 stale", **TEST, critical="true"),
    ]
    said = {
        "summary": "shop / churn, inputs: 2 tests fail.",
        "description": "few gaps of age (4 windows in a row); ",
        "runbook_url": "docs/runbook.md#evaluationtestsfailing",
        "dashboard_url": "",
        "report_url": "",
    }
    labels = {**STREAM, "stream": OF_STREAM, "severity": "page", "component": "tests"}
    fires = {"exp_labels": labels, "exp_annotations": said}
    found = checked(
        program,
        tmp_path,
        gone,
        expected(10, rule, fires),
        expected(
            350, rule, fires | {"exp_annotations": said | {"description": "few gaps of age; "}}
        ),
        expected(380, rule),
    )
    assert found == ""


@pytest.mark.parametrize("up", ["1", "0"], ids=["with its store", "without its store"])
def test_a_recovered_test_is_not_kept_by_an_exporter_that_is_there(
    up: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    given = [
        ("evaluation_store_up", {}, f"1x4 {up}x40"),
        of_stream("evaluation_alerting_tests", "1x5 0x20", severity="page"),
    ]
    silent = expected(7, BY_NAME["EvaluationTestsFailing"])
    assert checked(program, tmp_path, given, silent) == ""


def test_an_exporter_that_comes_back_without_its_store_mends_nothing(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    given = [
        ("evaluation_store_up", {}, "1x5 stale _x10 0x20"),
        of_stream("evaluation_alerting_tests", "1x5 stale", severity="warning"),
    ]
    kept = {
        "expr": "stream:evaluation_alerting_tests:kept",
        "eval_time": "30m",
        "exp_samples": [
            {
                "labels": series(
                    of_stream("stream:evaluation_alerting_tests:kept", "", severity="warning"),
                    1,
                )["series"].replace(',job="evaluation-exporter",instance="exporter-1:9877"', ""),
                "value": 1,
            }
        ],
    }
    test = {
        "interval": "1m",
        "input_series": [series(one, 1) for one in given],
        "promql_expr_test": [kept],
    }
    assert judged(program("promtool"), tmp_path, test) == ""


MINE = {**PROD, "instance": "prod:9877"}  # of the only exporter of that environment
PROD_DOWN = [
    ("evaluation_store_up", {}, "1x400"),  # of another environment's
    ("up", {}, "1x400"),
    ("up", MINE, "1x10 0x390"),
    ("evaluation_store_up", MINE, "1x10 stale"),
]


def test_an_exporter_that_is_down_while_another_shows_the_same_only_warns(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = BY_NAME["EvaluationOneExporterDown"]
    second = {"instance": "exporter-2:9877"}
    given = [
        ("up", second, "1x5 0x40"),
        ("evaluation_store_up", second, "1x5 stale"),
        ("up", {}, "1x45"),
        ANSWERS,
    ]
    alert = CASES[rule.name].alert(rule)
    alert["exp_labels"] = {
        "job": "evaluation-exporter",
        "severity": "warning",
        "component": "exporter",
        **second,
    }
    alert["exp_annotations"] |= {
        "summary": "The exporter exporter-2:9877 is down, or does not reach its store; others do.",
        "description": "Another one shows the same; nobody is left if that one ends.",
        "runbook_url": "docs/runbook.md#evaluationoneexporterdown",
    }
    gone = ("up", second, "1x5 0x10 stale")  # its target was taken out
    assert checked(program, tmp_path, given, expected(30, rule, alert)) == ""
    assert checked(program, tmp_path, [gone, *given[1:]], expected(30, rule)) == ""


def test_one_exporter_without_its_store_is_told_although_another_has_one(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = BY_NAME["EvaluationOneExporterDown"]
    given = [
        ("up", MINE, "1x40"),
        ("evaluation_store_up", MINE, "1x5 0x40"),
        ("up", {}, "1x40"),
        ANSWERS,
    ]
    alert = CASES[rule.name].alert(rule)
    alert["exp_annotations"]["runbook_url"] = "docs/runbook.md#evaluationoneexporterdown"
    assert checked(program, tmp_path, given, expected(30, rule, alert)) == ""


def test_nobody_is_told_of_one_exporter_where_all_are_down(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = BY_NAME["EvaluationOneExporterDown"]
    given = [("up", MINE, "1x5 0x40"), ("evaluation_store_up", MINE, "1x5 stale")]
    assert checked(program, tmp_path, given, expected(30, rule)) == ""


def test_what_fails_stays_although_only_its_own_exporter_is_down(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = BY_NAME["EvaluationTestsFailing"]
    given = [
        *PROD_DOWN,
        of_stream("evaluation_alerting_tests", "2x10 stale", severity="page", **MINE),
    ]
    labels = {**STREAM, **PROD, "severity": "page", "component": "tests"}
    fires = {
        "exp_labels": labels | {"stream": "arm=champion, env=prod, team=risk"},
        "exp_annotations": {
            **UNLINKED,
            "summary": "shop / churn, inputs: 2 tests fail.",
            "description": "",
            "runbook_url": "docs/runbook.md#evaluationtestsfailing",
        },
    }
    found = checked(program, tmp_path, given, expected(200, rule, fires), expected(380, rule))
    assert found == ""


def test_models_of_an_exporter_that_is_down_are_not_missing(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    end = of_stream("evaluation_window_end_timestamp_seconds", "0x10 stale", **MINE)
    silent = expected(200, BY_NAME["EvaluationModelMissing"])
    assert checked(program, tmp_path, [*PROD_DOWN, end], silent) == ""


def test_another_pod_in_the_place_of_the_last_one_changes_nothing(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    first = {"pod": "exporter-a", "instance": "10.0.0.1:9877", "node": "n1"}
    second = {"pod": "exporter-b", "instance": "10.0.0.2:9877", "node": "n2"}
    given = [
        given
        for pod, there in ((first, "1x20 stale"), (second, "_x19 1x60"))
        for given in (
            ("up", pod, there),
            ("evaluation_store_up", pod, there),
            of_stream("evaluation_window_end_timestamp_seconds", there, **pod),
            of_stream("evaluation_alerting_tests", there, severity="page", **pod),
        )
    ]
    alert = CASES["EvaluationTestsFailing"].alert(BY_NAME["EvaluationTestsFailing"])
    alert["exp_annotations"] |= {
        **UNLINKED,
        "summary": "shop / churn, inputs: 1 test fails.",
        "description": "",
        "runbook_url": "docs/runbook.md#evaluationtestsfailing",
    }
    silent = ("EvaluationModelMissing", "EvaluationOneExporterDown", "EvaluationExporterDown")
    found = checked(
        program,
        tmp_path,
        given,
        expected(60, BY_NAME["EvaluationTestsFailing"], alert),
        *(expected(60, BY_NAME[name]) for name in silent),
    )
    assert found == ""


def test_a_restart_of_the_exporter_changes_nothing_about_a_late_batch(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    late = BY_NAME["EvaluationBatchLate"]
    given = [
        of_stream("evaluation_window_end_timestamp_seconds", "0x30 stale _x5 0x20"),
        of_stream("evaluation_batch_interval_seconds", "600x30 stale _x5 600x20"),
    ]
    fires = {
        "exp_labels": {
            **STREAM,
            "stream": OF_STREAM,
            "severity": "warning",
            "component": "freshness",
        },
        "exp_annotations": {
            "summary": "No new batch of shop / churn, inputs.",
            "description": "Its last window ended 34m 0s ago: more than two of its intervals, beside the time that it waits for rows and labels.",
            "runbook_url": "docs/runbook.md#evaluationbatchlate",
            "dashboard_url": "",
            "report_url": "",
        },
    }
    assert checked(program, tmp_path, given, expected(34, late, fires)) == ""


def test_a_column_that_was_empty_a_week_ago_is_not_told_of(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = BY_NAME["EvaluationMissingHigh"]
    alert = CASES[rule.name].alert(rule)
    summary = "shop / churn, inputs: 90% of age is missing."
    alert["exp_annotations"] |= {**UNLINKED, "summary": summary}
    alert["exp_annotations"]["runbook_url"] += rule.name.lower()
    given = [of_stream("evaluation_missing_ratio", "0.9x200", column="age")]
    test = {
        "interval": "1h",
        "input_series": [series(one, 1) for one in given],
        "alert_rule_test": [expected(6 * 24 * 60, rule, alert), expected(8 * 24 * 60, rule)],
    }
    assert judged(program("promtool"), tmp_path, test, every="1h") == ""


def test_texts_take_every_name_and_links_are_those_of_the_stream(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    hostile = """O'Brien "x" & y \\ {a=~".*"}\u00fc"""
    named = {"project": hostile, "model": hostile, "evaluation": hostile, "segment": hostile}
    tests = {"test": hostile, "metric": "mean", "column": hostile, "q": "0.5"}
    other = {**named, "team": "others"}
    mine = {**named, "team": hostile}
    stream = {"stream": f"team={hostile}"}
    given = [
        ("evaluation_alerting_tests", {**mine, "severity": "page"}, "1x10"),
        ("evaluation_test_alert", {**mine, **tests, "severity": "page"}, "1x10"),
        ("evaluation_test_consecutive_failures", {**mine, **tests, "critical": "true"}, "3x10"),
        ("evaluation_stream_links", {**other, "report": "wrong", "runbook": "r"}, "1x10"),
        ("evaluation_stream_links", {**mine, "report": REPORT, "runbook": "r"}, "1x10"),
    ]
    where = f"{hostile} / {hostile}, {hostile} of {hostile}"
    links = {"dashboard_url": "", "report_url": REPORT}
    failing = {
        "exp_labels": {**mine, **stream, "severity": "page", "component": "tests"},
        "exp_annotations": {
            "summary": f"{where}: 1 test fails.",
            "description": f"{hostile} of {hostile} (3 windows in a row); ",
            "runbook_url": "r#evaluationtestsfailing",
            **links,
        },
    }
    repeated = {
        "exp_labels": {**mine, **stream, **tests, "severity": "page", "component": "tests"},
        "exp_annotations": {
            "summary": f"{where}: {hostile} of {hostile} has failed 3 windows in a row.",
            "description": BY_NAME["EvaluationTestFailingRepeatedly"].description,
            "runbook_url": "r#evaluationtestfailingrepeatedly",
            **links,
        },
    }
    found = checked(
        program,
        tmp_path,
        given,
        expected(5, BY_NAME["EvaluationTestsFailing"], failing),
        expected(5, BY_NAME["EvaluationTestFailingRepeatedly"], repeated),
    )
    assert found == ""


def test_many_failing_tests_are_named_five_at_most_worst_first(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    given = [of_stream("evaluation_alerting_tests", "7x10", severity="page")]
    for number in range(1, 8):
        test = {"test": f"t{number}", "metric": "mean"}
        given.append(of_stream("evaluation_test_alert", "1x10", **test, severity="page"))
        given.append(
            of_stream(
                "evaluation_test_consecutive_failures", f"{number}x10", **test, critical="true"
            )
        )
    names = "".join(f"t{n} ({n} windows in a row); " for n in (7, 6, 5, 4, 3))
    alert = CASES["EvaluationTestsFailing"].alert(BY_NAME["EvaluationTestsFailing"])
    alert["exp_annotations"] |= {
        "summary": "shop / churn, inputs: 7 tests fail.",
        "description": f"{names}five of 7. ",
        "dashboard_url": "",
        "report_url": "",
        "runbook_url": "docs/runbook.md#evaluationtestsfailing",
    }
    fires = expected(5, BY_NAME["EvaluationTestsFailing"], alert)
    assert checked(program, tmp_path, [ANSWERS, *given], fires) == ""


def test_no_rule_is_there_twice() -> None:
    expressions = [rule["expr"] for rule in EVERY]
    names = [rule.get("alert") or rule["record"] for rule in EVERY]
    assert len(set(expressions)) == len(expressions)
    assert len(set(names)) == len(names)
    assert len({uid_of(rule.name) for rule in RULES}) == len(RULES)


@every
def test_labels_in_texts_are_labels_of_the_alert(rule: Rule) -> None:
    texts = " ".join(ALERTS[rule.name]["annotations"].values())
    named = set(re.findall(r"\$labels\.(\w+)", texts))
    optional = {"segment", "evaluation", "column"}  # those that may be absent stand in a `with`
    if "$labels.project" not in rule.summary:
        named -= {"project", "model"}
    assert named - optional - {"severity"} <= set(CASES[rule.name].labels)


def read_by(expression: str) -> set[str]:
    """The series that an expression reads."""
    found: set[str] = set()

    def look(node: Any) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name or "")

    promql_parser.walk(promql_parser.parse(expression), look)
    return found


def test_every_series_that_a_rule_reads_is_shown_or_recorded() -> None:
    shown = {f.name for f in FAMILIES} | {family_of(metric).name for metric in CATALOGUE}
    drift = {"evaluation_column_drift_severity"}
    recorded = {rule["record"] for rule in EVERY if "record" in rule}
    read = set().union(*(read_by(rule["expr"]) for rule in EVERY))
    assert read <= shown | drift | recorded | {"up"}


@every
def test_a_rule_names_a_panel_that_there_is(rule: Rule) -> None:
    name, panel = rule.panel
    dashboards = {d.name: as_json(d) for d in DASHBOARDS}
    assert panel in {p["id"] for p in panels_of(dashboards[name])}


@every
def test_the_runbook_has_a_heading_for_every_alert(rule: Rule) -> None:
    page = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    assert page.count(f"\n## {rule.name}\n") == 1
    assert f"#{rule.name.lower()}" in ALERTS[rule.name]["annotations"]["runbook_url"]


@every
def test_no_rule_waits_longer_than_a_restart_takes(rule: Rule) -> None:
    assert rule.hold in {"0s", "1m", "5m", "15m"}
    assert rule.component in {"exporter", "freshness"} or rule.hold == "1m"
