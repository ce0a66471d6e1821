"""deploy/prometheus/rules/: the alerts as Prometheus evaluates them, and what they say when they fire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from exporter.alerts.definitions import OF_REPLICAS, Rule, of_replicas
from exporter.alerts.rules import (
    EXPORTER,
    FIGURES,
    FRESHNESS,
    STREAMS_KEPT,
    TESTS,
    TESTS_KEPT,
    USUAL,
)
from exporter.config.fields import RESERVED_TAGS
from exporter.metrics import CATALOGUE

_HEAD = """\
# Made by `exporter generate` from exporter/alerts/: change it there, or add rules of your own in another file.
"""
# A selector of the alert's stream. The stream tags are among its labels, and its figure's options may be: an address is
# taken from the first stream that no label of the alert contradicts.
_STREAM = (
    '{{ $of := printf "project=%q,model=%q,segment=%q" $labels.project $labels.model $labels.segment }}'
    '{{ with $labels.evaluation }}{{ $of = printf "%s,evaluation=%q" $of . }}{{ end }}'
)
_LINKS = (
    f'{{{{ $links := query (printf "max without ({OF_REPLICAS}) (evaluation_stream_links{{%s}})" $of) }}}}'
    f'{{{{ if not $links }}}}{{{{ $links = query (printf "max without ({OF_REPLICAS}) (last_over_time(evaluation_stream_links{{%s}}[6h]))" $of) }}}}{{{{ end }}}}'
)
_ADDRESS = (
    _STREAM + _LINKS + '{{ $found := "" }}{{ range $links }}'
    "{{ $fits := true }}{{ range $name, $value := .Labels }}{{ with index $labels $name }}{{ if ne . $value }}{{ $fits = false }}{{ end }}{{ end }}{{ end }}"
    "{{ if and $fits (not $found) }}{{ $found = .Labels.LABEL }}{{ end }}{{ end }}{{ $found }}"
)
# Those that fail longest first; their streaks are not known while no exporter answers.
_NAMES = (
    '{{ $of := "" }}{{ range $name, $value := $labels }}{{ if not (eq $name "__name__" "severity") }}{{ $of = printf "%s%s=%q," $of $name $value }}{{ end }}{{ end }}'
    '{{ $of = printf "%ssegment=%q" $of $labels.segment }}'
    '{{ $told := printf "max by (test, column, label) (test:evaluation_test_alert:kept{%s,severity=%q})" $of $labels.severity }}'
    '{{ $streak := printf "max by (test, column, label) (evaluation_test_consecutive_failures{%s} > 0)" $of }}'
    '{{ range query (printf "sort_desc(topk(5, %s and %s or %s))" $streak $told $told) }}'
    "{{ .Labels.test }}{{ with .Labels.column }} of {{ . }}{{ end }}{{ with .Labels.label }} [{{ . }}]{{ end }}"
    "{{ if gt .Value 1.0 }} ({{ .Value }} windows in a row){{ end }}; {{ end }}"
    "{{ if gt $value 5.0 }}five of {{ $value }}. {{ end }}"
    '{{ with query (printf "sort_desc(topk(3, max by (column) (evaluation_column_drift_severity{%s} >= 1)))" $of) }}'
    "Most drifted: {{ range . }}{{ .Labels.column }} ({{ .Value | humanize }}) {{ end }}{{ end }}"
)
_ANY_RUNBOOK = (
    '{{ $of := "" }}'
    + _LINKS
    + '{{ with $links }}{{ . | first | label "runbook" }}{{ else }}docs/runbook.md{{ end }}#NAME'
)
_RUNBOOK = (
    _ADDRESS.replace("LABEL", "runbook").removesuffix("{{ $found }}")
    + "{{ with $found }}{{ . }}{{ else }}"
    '{{ with query "topk(1, evaluation_stream_links)" }}{{ . | first | label "runbook" }}{{ else }}docs/runbook.md{{ end }}'
    "{{ end }}#NAME"
)
# All stream tags as one text, as the views and Grafana's alerts have it: Alertmanager cannot compare labels that it does not
# know the names of. Whatever is not a name of ours is a tag, or a label of the scrape that tells two deployments apart.
_OPTIONS = {option for metric in CATALOGUE.values() for option in metric.options}
_NO_TAG = " ".join(f'"{name}"' for name in sorted({"__name__", *RESERVED_TAGS, *_OPTIONS}))
_TAGS = (  # eq, since match compiles its expression for each label of thousands of alerts
    f'{{{{ $tags := "" }}}}{{{{ range $name, $value := $labels }}}}{{{{ if not (eq $name {_NO_TAG}) }}}}'
    '{{ if not (match "^option_" $name) }}{{ if $tags }}{{ $tags = printf "%s, " $tags }}{{ end }}'
    '{{ $tags = printf "%s%s=%s" $tags $name $value }}{{ end }}{{ end }}{{ end }}{{ $tags }}'
)
_FAILED = 'evaluation_tests{status=~"fail|error"}'
_JUDGED = 'evaluation_tests{status!="skipped"}'
_RECORDED = (
    {
        "record": "project_model:evaluation_tests_failed:ratio",
        "expr": f"sum by (project, model) ({of_replicas(_FAILED)}) / clamp_min(sum by (project, model) ({of_replicas(_JUDGED)}), 1)",
    },
    {
        "record": "project_model:evaluation_alerting_tests:sum",
        "expr": f"sum by (project, model, severity) ({of_replicas('evaluation_alerting_tests')})",
    },
    {
        "record": "project_model:evaluation_window_age:seconds",
        "expr": "time() - max by (project, model) (evaluation_window_end_timestamp_seconds)",
    },
)


def rule_files() -> dict[str, str]:
    """The files by their path in the project: what wakes somebody, and what is only worth knowing."""
    soon = [rule for rule in TESTS if not rule.linger]
    slow = [rule for rule in TESTS if rule.linger]  # about every test: thousands, in a bad case
    return {
        "deploy/prometheus/rules/evaluation.yml": _text(
            _group("recorded", _RECORDED),
            _group("exporter", map(_rule, EXPORTER)),
            _group("freshness", map(_rule, FRESHNESS)),
            _group("tests", (STREAMS_KEPT, TESTS_KEPT, *map(_rule, soon))),
            _group("repeated", map(_rule, slow), interval="1m"),
        ),
        "deploy/prometheus/rules/evaluation-figures.yml": _text(
            _group("usual", USUAL, interval="1h"),
            _group("figures", map(_rule, FIGURES)),
        ),
    }


def _group(name: str, rules: Iterable[Mapping[str, Any]], **often: str) -> dict[str, Any]:
    return {"name": f"evaluation-{name}", **often, "rules": list(rules)}


def _rule(rule: Rule) -> dict[str, Any]:
    severity = {"severity": rule.severity} if rule.severity else {}
    return {
        "alert": rule.name,
        "expr": rule.promql,
        "for": rule.hold,
        **({"keep_firing_for": rule.linger} if rule.linger else {}),
        "labels": {**severity, "component": rule.component, **_stream(rule), **rule.labels},
        "annotations": words(rule),
    }


def _stream(rule: Rule) -> Mapping[str, str]:
    """The label that tells the alerts of two streams apart, where a rule is about streams."""
    return {"stream": _TAGS} if _is_of_streams(rule) else {}


def _is_of_streams(rule: Rule) -> bool:
    return "$labels.project" in rule.summary


def words(rule: Rule) -> Mapping[str, str]:
    """What the alert says: in words, and where to look."""
    said = {"summary": rule.summary, "description": rule.description or _NAMES}
    if not _is_of_streams(rule):
        return {**said, "runbook_url": _ANY_RUNBOOK.replace("NAME", rule.name.lower())}
    places = {f"{page}_url": _ADDRESS.replace("LABEL", page) for page in ("dashboard", "report")}
    return {**said, **places, "runbook_url": _RUNBOOK.replace("NAME", rule.name.lower())}


def _text(*groups: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(
        {"groups": list(groups)}, sort_keys=False, allow_unicode=True, width=10_000
    )
