"""For every alert what is scraped while it is silent, while it fires, and after it has recovered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.alerts import RULES, Rule

TAGS = {"team": "risk", "arm": "champion"}  # stream tags are labels everywhere
STREAM = {"project": "shop", "model": "churn", "evaluation": "inputs", **TAGS}
DASHBOARD, REPORT = "https://grafana.example/d/m?var-model=churn", "https://eval.example/latest?x=1"
RUNBOOK = "https://eval.example/runbook"
BY_NAME = {rule.name: rule for rule in RULES}
Given = tuple[str, Mapping[str, str], str]  # a gauge, its labels, its value minute by minute


def of_stream(gauge: str, values: str, **labels: str) -> Given:
    """A series of the stream."""
    return gauge, STREAM | labels, values


def series(given: Given, replica: int) -> dict[str, str]:
    """The series as promtool reads it, shown by one of several exporters."""
    gauge, labels, values = given
    target = {"job": "evaluation-exporter", "instance": f"exporter-{replica}:9877"}
    shown = {**labels, **{name: value for name, value in target.items() if name not in labels}}
    inside = ",".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in shown.items() if value
    )
    return {"series": f"{gauge}{{{inside}}}", "values": values}


def distinct(given: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Each series once: some say themselves which exporter shows them."""
    return list({one["series"]: one for one in given}.values())


def stream_of(labels: Mapping[str, str]) -> str:
    """The stream tags among the labels, as one text."""
    return ", ".join(f"{name}={labels[name]}" for name in sorted(TAGS) if name in labels)


@dataclass(frozen=True)
class Case:
    """What is scraped, and the minutes at which the alert is silent, fires, and is silent again."""

    given: Sequence[Given]
    silent: int
    fires: int
    recovered: int
    labels: Mapping[str, str]
    summary: str
    description: str = ""

    def tests(self, rule: Rule, replicas: int) -> dict[str, Any]:
        """The case as promtool's test of it."""
        links = {"dashboard": DASHBOARD, "report": REPORT, "runbook": RUNBOOK}
        segment = {"segment": self.labels.get("segment", "")}
        given = [*self.given, of_stream("evaluation_stream_links", "1x300", **segment, **links)]
        return {
            "name": f"{rule.name}, {replicas} exporters",
            "interval": "1m",
            "input_series": distinct(series(one, n) for one in given for n in range(replicas)),
            "alert_rule_test": [
                expected(self.silent, rule),
                expected(self.fires, rule, self.alert(rule)),
                expected(self.recovered + (10 if rule.linger else 0), rule),
            ],
        }

    def alert(self, rule: Rule) -> dict[str, Any]:
        """The alert as it goes to Alertmanager, without its name."""
        severity = {"severity": rule.severity} if rule.severity else {}
        said = {"summary": self.summary, "description": self.description or rule.description}
        said["runbook_url"] = f"{RUNBOOK}#{rule.name.lower()}"
        if "$labels.project" in rule.summary:
            said |= {"dashboard_url": DASHBOARD, "report_url": REPORT}
        stream = {"stream": text} if (text := stream_of(self.labels)) else {}
        labels = {**self.labels, **severity, **stream, "component": rule.component, **rule.labels}
        return {"exp_labels": labels, "exp_annotations": said}


def expected(minute: int, rule: Rule, *alerts: dict[str, Any]) -> dict[str, Any]:
    """What promtool is to find at a minute."""
    return {"eval_time": f"{minute}m", "alertname": rule.name, "exp_alerts": list(alerts)}


NEVER = {"project": "shop", "model": "churn", "evaluation": "inputs"}
PROD = {"env": "prod"}  # a label of some targets, as a configuration of Prometheus gives them
ANSWERS: Given = ("evaluation_store_up", {}, "1x300")
AGE = of_stream("evaluation_missing_ratio", "0.1x5 0.8x5 0.1x5", column="age")
TEST = {"test": "few gaps", "metric": "missing_ratio", "column": "age"}
HERE = "shop / churn, inputs"

CASES = {
    "EvaluationExporterDown": Case(
        [("evaluation_store_up", {}, "1x5 stale _x20 1x10")], 10, 12, 30, {},
        "No evaluation exporter answers.",
    ),
    "EvaluationStoreUnreachable": Case(
        [("evaluation_store_up", {}, "1x5 0x20 1x10")], 10, 12, 30, {},
        "No exporter reaches the store.",
    ),
    "EvaluationOneExporterDown": Case(
        [ANSWERS, ("up", {}, "1x300"),
         ("up", {**PROD, "instance": "prod:9877"}, "1x5 0x20 1x10"),
         ("evaluation_store_up", {**PROD, "instance": "prod:9877"}, "1x5 stale _x20 1x10")],
        9, 12, 30, {**PROD, "job": "evaluation-exporter", "instance": "prod:9877", "severity": "page"},
        "The exporter prod:9877 is down, or does not reach its store; others do.",
        "No other one has its target's labels: of its models nothing is told.",
    ),
    "EvaluationRefreshStuck": Case(
        [ANSWERS, ("evaluation_exporter_last_refresh_timestamp_seconds", {}, "0+60x10 600x20 1920+60x10")],
        24, 26, 33, {},
        "An exporter shows an old state.",
        "Its last look at the store was 16m 0s ago, although the store answers.",
    ),
    "EvaluationSeriesDropped": Case(
        [("evaluation_exporter_series_dropped", {"reason": "max_series"}, "0x5 7x20 0x5")], 20, 22, 28,
        {"reason": "max_series"},
        "The exporter leaves out series.", "7 series are not shown (reason: max_series).",
    ),
    "EvaluationTestAlert": Case(
        [("evaluation_exporter_test_alert", {}, "0x2 1x10 0x5")], 2, 3, 14, {},
        "A test of the way that alerts take.",
    ),
    "EvaluationBatchLate": Case(
        [of_stream("evaluation_window_end_timestamp_seconds", "0x30 1860x20"),
         of_stream("evaluation_batch_interval_seconds", "600x50"),
         of_stream("evaluation_batch_wait_seconds", "60x50"),
         of_stream("evaluation_window_end_timestamp_seconds", "-999999x50", segment="country=CH"),
         of_stream("evaluation_batch_interval_seconds", "600x50", segment="country=CH")],
        21, 28, 33, STREAM,
        f"No new batch of {HERE}.",
        "Its last window ended 28m 0s ago: more than two of its intervals, beside the time that it waits for rows and labels.",
    ),
    "EvaluationNeverRan": Case(
        [("evaluation_first_batch_due_timestamp_seconds", NEVER, "1200x40 stale")],
        20, 27, 52, NEVER,
        f"{HERE}: nothing was ever evaluated.",
        "The config has it, and its first batch should have been there 7m 0s ago.",
    ),
    "EvaluationModelMissing": Case(
        [ANSWERS, of_stream("evaluation_window_end_timestamp_seconds", "0x10 stale _x20 0x5")], 10, 27, 33,
        {name: value for name, value in STREAM.items() if name != "evaluation"},
        "shop / churn is no longer shown.",
    ),
    "EvaluationNoModels": Case(
        [ANSWERS, of_stream("evaluation_window_end_timestamp_seconds", "_x20 100x10")], 14, 16, 22, {},
        "The exporter shows no model at all.",
    ),
    "EvaluationTestsFailing": Case(
        [ANSWERS,
         of_stream("evaluation_alerting_tests", "0x5 2x5 0x10", severity="page"),
         of_stream("evaluation_alerting_tests", "0x20", severity="warning"),
         of_stream("evaluation_test_alert", "_x6 1x5 stale", **TEST, severity="page"),
         of_stream("evaluation_test_consecutive_failures", "0x5 4x5 0x10", **TEST, critical="true"),
         of_stream("evaluation_test_alert", "_x6 1x5 stale", test="row_count", metric="row_count", severity="page"),
         of_stream("evaluation_test_consecutive_failures", "0x5 1x5 0x10", test="row_count", metric="row_count", critical="true"),
         of_stream("evaluation_test_alert", "_x6 1x5 stale", test="only a warning", metric="mean", severity="warning"),
         of_stream("evaluation_column_drift_severity", "3.14159x20", column="age", method="ks"),
         of_stream("evaluation_column_drift_severity", "0.9x20", column="income", method="ks")],
        5, 8, 14, {**STREAM, "severity": "page"},
        f"{HERE}: 2 tests fail.",
        "few gaps of age (4 windows in a row); row_count; Most drifted: age (3.142) ",
    ),
    "EvaluationTestFailingRepeatedly": Case(
        [of_stream("evaluation_test_consecutive_failures", "2x5 3x5 0x10", **TEST, critical="true"),
         of_stream("evaluation_test_alert", "1x10 stale", **TEST, severity="page"),
         of_stream("evaluation_test_consecutive_failures", "9x20", test="silenced", metric="mean", critical="true"),
         of_stream("evaluation_test_consecutive_failures", "9x20", test="warns", metric="mean", critical="false"),
         of_stream("evaluation_test_alert", "1x20", test="warns", metric="mean", severity="warning")],
        5, 8, 14, {**STREAM, **TEST},
        f"{HERE}: few gaps of age has failed 3 windows in a row.",
    ),
    "EvaluationFiguresFailed": Case(
        [of_stream("evaluation_failed_figures", "0x5 3x5 0x10", segment="country=CH")], 5, 8, 14,
        {**STREAM, "segment": "country=CH"},
        f"{HERE} of country=CH: 3 figures could not be computed.",
    ),
    "EvaluationBatchSmall": Case(
        [of_stream("evaluation_batch_rows", "1000x10 300x5 1000x5")], 10, 13, 19, STREAM,
        f"{HERE}: 300 rows, less than half of what is usual.",
    ),
    "EvaluationDriftHigh": Case(
        [of_stream("evaluation_drifted_columns_ratio", "0.1x5 0.6x5 0.2x5")], 5, 8, 14, STREAM,
        f"{HERE}: 60% of the columns have drifted.",
    ),
    "EvaluationMissingHigh": Case(
        [AGE], 5, 8, 14, {**STREAM, "column": "age"}, f"{HERE}: 80% of age is missing.",
    ),
    "EvaluationQualityDropped": Case(
        [of_stream("evaluation_roc_auc", "0.9x10 0.5x5 0.9x5"), of_stream("evaluation_f1", "0.9x10 0.4x5 0.9x5")],
        10, 13, 19, STREAM, f"{HERE}: quality is a tenth below its month.",
    ),
    "EvaluationErrorsGrown": Case(
        [of_stream("evaluation_mae", "10x10 20x5 10x5")], 10, 13, 19, STREAM,
        f"{HERE}: errors are a quarter above their month.",
    ),
    "EvaluationChallengerBetter": Case(
        [of_stream("evaluation_mae", "10x200"), of_stream("evaluation_mae", "10x10 5x10 20x20", arm="challenger")],
        10, 14, 30, {name: value for name, value in STREAM.items() if name != "arm"},
        "shop / churn, inputs: the challenger errs less.",
    ),
}  # fmt: skip
