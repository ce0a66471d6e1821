"""grafana_dashboards/provisioning/alerting/: the same alerts as SQL on the views, for those without Prometheus.

Each row of a query is an instance: its texts are labels, its one number the value. Texts that change
from batch to batch would make a new instance each time, so there are none.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from exporter.alerts.definitions import Rule
from exporter.alerts.rules import RULES

FOLDER = "Evaluation alerts"  # not that of the dashboards: two folders of one name would be made
STORE = "evaluation-postgres"
RECEIVER = "evaluation-alertmanager"
_HEAD = """\
# Made by `exporter generate` from exporter/alerts/. Rules that are taken out here stay in Grafana: name them under deleteRules.
"""
_DIRECT = """\
# For those who have no Alertmanager, in the place of rules.yaml: what stands is said again after hours, not minutes.
"""
_AGAIN = {"page": "4h", "warning": "1d", "info": "7d"}  # people are told; by tests in between
_REPORT = "{{ $labels.exporter }}/snapshots/latest?" + "&".join(
    f"{name}={{{{ urlquery $labels.{name} }}}}"
    for name in ("project", "model", "evaluation", "segment")
)
_ANY = -1  # every row is an instance, of whatever number
_CANARY = Rule(
    name="EvaluationStoreUnreachable",
    component="exporter",
    severity="page",
    summary="Grafana does not reach the store.",
    description="Its other rules keep the state they had, so that an outage of the database neither fires nor resolves them.",
    promql="",
    sql="select 'store' as store, 0::float8 as value from grafana.version",
    hold="5m",
    panel=("exporter-health", 2),
    meaning="",
    look="",
    act="",
    silence="",
)


class _Readable(yaml.SafeDumper):
    """Writes SQL line by line, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Readable.add_representer(str, _text_node)


def rule_files() -> dict[str, str]:
    """The provisioning files by their path in the project: for an Alertmanager, and for those without one."""
    folder = "grafana_dashboards/provisioning"
    return {
        f"{folder}/alerting/rules.yaml": _HEAD + _file(direct=False),
        f"{folder}/examples/rules-direct.yaml": _HEAD + _DIRECT + _file(direct=True),
    }


def _file(*, direct: bool) -> str:
    canary = _rule(_CANARY, on_error="Error", on_nothing="Alerting", above=0)
    soon = [_rule(rule) for rule in RULES if rule.sql and rule.component != "figures"]
    slow = [_rule(rule) for rule in RULES if rule.sql and rule.component == "figures"]
    for rule in (canary, *soon, *slow) if direct else ():
        severity = rule["labels"]["severity"]
        rule["notification_settings"] |= {
            "group_interval": "5m",
            "repeat_interval": _AGAIN.get(severity, "12h"),
        }
    groups = [_group("evaluation", "1m", [*soon, canary]), _group("evaluation-figures", "5m", slow)]
    file = {"apiVersion": 1, "groups": groups}
    return yaml.dump(file, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=10_000)


def _group(name: str, interval: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"orgId": 1, "name": name, "folder": FOLDER, "interval": interval, "rules": rules}


def uid_of(name: str) -> str:
    """A rule's uid, the same for ever: EvaluationBatchLate is `evaluation-batch-late`."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _rule(
    rule: Rule, *, on_error: str = "KeepLast", on_nothing: str = "OK", above: float = _ANY
) -> dict[str, Any]:
    # $$: provisioning expands labels, not annotations
    severity = rule.severity or "{{ $$labels.severity }}"
    return {
        "uid": uid_of(rule.name),
        "title": rule.name,
        "condition": "C",
        "for": rule.hold,
        "noDataState": on_nothing,
        "execErrState": on_error,
        "labels": {"severity": severity, "component": rule.component, **rule.labels},
        "notification_settings": {
            "receiver": RECEIVER,
            "group_by": ["grafana_folder", "alertname", "project", "model"],
            "group_interval": "30s",
            "repeat_interval": "2m",  # Alertmanager takes what is not repeated in five minutes as resolved
        },
        "annotations": _words(rule),
        "data": [_question(rule.sql), _threshold(above)],
    }


def _words(rule: Rule) -> dict[str, str]:
    """What the alert says; Grafana makes the link to the panel itself."""
    dashboard, panel = rule.panel
    said = {
        "summary": _of_instance(rule.summary),
        "description": _of_instance(rule.description or "The dashboard names them."),
        "runbook_url": f"docs/runbook.md#{rule.name.lower()}",
        "__dashboardUid__": f"evaluation-{dashboard}",
        "__panelId__": str(panel),
    }
    if " as exporter" not in rule.sql:  # rows of no stream
        return said
    runbook = f"{{{{ $labels.exporter }}}}/runbook#{rule.name.lower()}"
    return said | {"report_url": _REPORT, "runbook_url": runbook}


def _of_instance(template: str) -> str:
    """A text of Prometheus in Grafana's words, where `$value` is no number, and is absent without rows."""
    made = re.sub(
        r"\{\{ \$value \| (\w+) \}\}",
        r"{{ with $values.A }}{{ .Value | \1 }}{{ end }}",
        template,
    )
    return re.sub(r"\$value\b", "$values.A.Value", made)


def _question(sql: str) -> dict[str, Any]:
    source = {"type": "grafana-postgresql-datasource", "uid": STORE}
    return {
        "refId": "A",
        "datasourceUid": STORE,
        "relativeTimeRange": {"from": 600, "to": 0},
        "model": {
            "refId": "A",
            "datasource": source,
            "editorMode": "code",
            "rawQuery": True,
            "format": "table",
            "rawSql": sql,
        },
    }


def _threshold(above: float) -> dict[str, Any]:
    return {
        "refId": "C",
        "datasourceUid": "__expr__",
        "model": {
            "refId": "C",
            "type": "threshold",
            "expression": "A",
            "datasource": {"type": "__expr__", "uid": "__expr__"},
            "conditions": [{"evaluator": {"type": "gt", "params": [above]}}],
        },
    }
