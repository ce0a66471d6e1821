"""First of all, while Grafana has just started: what fails in the store fires and reaches Alertmanager."""

from __future__ import annotations

import time

import psycopg
from alerts.servers import until

from tests_grafana.asking import RULES
from tests_grafana.chain import Chain
from tests_grafana.hostile import MODEL, PROJECT
from tests_grafana.outcome import Outcome

FAILING = "EvaluationTestsFailing"
FIRES = 4 * 60  # a minute until it is evaluated, one that it must hold, and the machine is busy
TOLD = 2 * 60


def fires(chain: Chain) -> bool:
    """Whether Grafana fires an alert of failing tests."""
    return bool(chain.rules()[FAILING]["state"] == "firing")


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
