"""Every alert rule is loaded and well, and what fails in the store reaches Alertmanager as the store has it."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import yaml
from alerts.servers import until

from exporter.stack.settings import shipped
from tests_grafana.chain import Chain
from tests_grafana.hostile import MODEL, PROJECT
from tests_grafana.outcome import Outcome

FILE = shipped("grafana_dashboards", "provisioning", "alerting", "rules.yaml")
GROUPS = yaml.safe_load(FILE.read_text("utf-8"))["groups"]
RULES = {rule["title"]: rule for group in GROUPS for rule in group["rules"]}
FAILING = "EvaluationTestsFailing"
EVALUATED = 6 * 60  # the slow group is evaluated every five minutes
FIRES = 4 * 60  # a minute until it is evaluated, one that it must hold, and the machine is busy
TOLD = 2 * 60


def rules_of(chain: Chain) -> dict[str, dict[str, Any]]:
    """The rules as a Viewer sees them, by their title."""
    groups = chain.get("/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"]}


def fires(chain: Chain) -> bool:
    """Whether Grafana fires an alert of failing tests."""
    return bool(rules_of(chain)[FAILING]["state"] == "firing")


def failing(chain: Chain) -> list[dict[str, str]]:
    """The labels of the rule's instances, by its own query on the store."""
    query = RULES[FAILING]["data"][0]["model"]["rawSql"]
    with psycopg.connect(chain.store, autocommit=True) as connection:
        cursor = connection.execute(query)
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
    # an empty label is none
    return [{k: v for k, v in row.items() if isinstance(v, str) and v} for row in rows]


def test_what_fails_reaches_alertmanager_with_its_labels(chain: Chain, outcome: Outcome) -> None:
    until(lambda: fires(chain), FIRES)
    fired = time.monotonic()
    wanted = failing(chain)
    assert any((row["project"], row["model"]) == (PROJECT, MODEL) for row in wanted)
    assert len(wanted) > 3

    def all_told() -> bool:
        found = [alert["labels"] for alert in chain.alerts(FAILING)]
        return all(any(row.items() <= labels.items() for labels in found) for row in wanted)

    until(all_told, TOLD)
    outcome.fired_after, outcome.told_after = fired - chain.ready, time.monotonic() - fired
    outcome.told = len(wanted)
    found = chain.alerts(FAILING)
    assert len(found) == len(wanted)
    fixed = {"alertname": FAILING, "component": "tests", "grafana_folder": "Evaluation alerts"}
    assert all(fixed.items() <= alert["labels"].items() for alert in found)
    assert {alert["labels"]["severity"] for alert in found} <= {"page", "warning", "info"}
    assert not [alert for alert in found if "Error" in alert["annotations"]]


def test_every_rule_is_loaded_and_none_beside(chain: Chain, outcome: Outcome) -> None:
    assert rules_of(chain).keys() == RULES.keys()
    found = chain.get("/api/v1/provisioning/alert-rules", admin=True)
    assert {r["uid"]: r["title"] for r in found} == {r["uid"]: t for t, r in RULES.items()}
    assert {r["notification_settings"]["receiver"] for r in found} == {"evaluation-alertmanager"}
    outcome.rules = len(found)


def test_every_rule_is_evaluated_in_good_health(chain: Chain) -> None:
    def all_evaluated() -> bool:
        return all(rule["evaluationTime"] > 0 for rule in rules_of(chain).values())

    until(all_evaluated, EVALUATED)
    for name, rule in rules_of(chain).items():
        assert rule["health"] == "ok", f"{name}: {rule.get('lastError')}"
        # what keeps its state on an error is healthy for Grafana, and says so here only
        states = [(alert["state"], alert["annotations"]) for alert in rule.get("alerts") or ()]
        assert not [s for s in states if "Error" in s[0] or "Error" in s[1]], name
