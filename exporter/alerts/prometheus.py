"""deploy/prometheus/rules/: the alerts as Prometheus evaluates them, and what they say when they fire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from exporter.alerts.definitions import Rule
from exporter.alerts.rules import EXPORTER, FIGURES, FRESHNESS, TESTS

_HEAD = """\
# Made by `exporter generate` from exporter/alerts/: change it there, or add rules of your own in another file.
"""
# The labels of the alert as a selector; those that Prometheus would add are not among the stream's.
_OF = (
    '{{ $of := "" }}{{ range $name, $value := $labels }}'
    '{{ if not (match "^(severity|segment|test|metric|column|label|critical|reason)$" $name) }}'
    '{{ $of = printf "%s%s=%q," $of $name $value }}{{ end }}{{ end }}'
    '{{ $of = printf "%ssegment=%q" $of $labels.segment }}'
)
_NAMES = (
    _OF
    + '{{ range query (printf "topk(5, max by (test, column, label) (evaluation_test_alert{%s,severity=%q}))" $of $labels.severity) }}'
    "{{ .Labels.test }}{{ with .Labels.column }} of {{ . }}{{ end }}{{ with .Labels.label }} [{{ . }}]{{ end }}; {{ end }}"
    "{{ if gt $value 5.0 }}five of {{ $value }}. {{ end }}"
    '{{ with query (printf "sort_desc(topk(3, max by (column) (evaluation_column_drift_severity{%s} >= 1)))" $of) }}'
    "Most drifted: {{ range . }}{{ .Labels.column }} ({{ .Value | humanize }}) {{ end }}{{ end }}"
)
_ADDRESS = (
    _OF
    + '{{ with query (printf "last_over_time(evaluation_stream_links{%s}[6h])" $of) }}{{ . | first | label "LABEL" }}{{ end }}'
)
_ANY_RUNBOOK = '{{ with query "last_over_time(evaluation_stream_links[1d])" }}{{ . | first | label "runbook" }}#NAME{{ end }}'
_RECORDED = (
    {
        "record": "project_model:evaluation_tests_failed:ratio",
        "expr": 'sum by (project, model) (max without (instance, job) (evaluation_tests{status=~"fail|error"}))'
        ' / clamp_min(sum by (project, model) (max without (instance, job) (evaluation_tests{status!="skipped"})), 1)',
    },
    {
        "record": "project_model:evaluation_alerting_tests:sum",
        "expr": "sum by (project, model, severity) (max without (instance, job) (evaluation_alerting_tests))",
    },
    {
        "record": "project_model:evaluation_window_age:seconds",
        "expr": "time() - max by (project, model) (evaluation_window_end_timestamp_seconds)",
    },
)


def rule_files() -> dict[str, str]:
    """The files by their path in the project: what wakes somebody, and what is only worth knowing."""
    groups = {"exporter": EXPORTER, "freshness": FRESHNESS, "tests": TESTS}
    state = [{"name": "evaluation-recorded", "rules": list(_RECORDED)}]
    state += [_group(name, rules) for name, rules in groups.items()]
    return {
        "deploy/prometheus/rules/evaluation.yml": _text(state),
        "deploy/prometheus/rules/evaluation-figures.yml": _text([_group("figures", FIGURES)]),
    }


def _group(name: str, rules: tuple[Rule, ...]) -> dict[str, Any]:
    return {"name": f"evaluation-{name}", "rules": [_rule(rule) for rule in rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    severity = {"severity": rule.severity} if rule.severity else {}
    return {
        "alert": rule.name,
        "expr": rule.promql,
        "for": rule.hold,
        "labels": {**severity, "component": rule.component, **rule.labels},
        "annotations": words(rule),
    }


def words(rule: Rule) -> Mapping[str, str]:
    """What the alert says: in words, and where to look."""
    said = {"summary": rule.summary, "description": rule.description or _NAMES}
    if rule.component == "exporter":
        return {**said, "runbook_url": _ANY_RUNBOOK.replace("NAME", rule.name.lower())}
    return {
        **said,
        "dashboard_url": _ADDRESS.replace("LABEL", "dashboard"),
        "report_url": _ADDRESS.replace("LABEL", "report"),
        "runbook_url": _ANY_RUNBOOK.replace("NAME", rule.name.lower()),
    }


def _text(groups: list[dict[str, Any]]) -> str:
    return _HEAD + yaml.safe_dump(
        {"groups": groups}, sort_keys=False, allow_unicode=True, width=10_000
    )
