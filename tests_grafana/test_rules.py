"""Every alert rule is loaded, and well."""

from __future__ import annotations

from alerts.servers import until

from tests_grafana.asking import RULES
from tests_grafana.chain import Chain
from tests_grafana.outcome import Outcome

EVALUATED = 6 * 60  # the slow group is evaluated every five minutes


def test_every_rule_is_loaded_and_none_beside(chain: Chain, outcome: Outcome) -> None:
    assert chain.rules().keys() == RULES.keys()
    found = chain.get("/api/v1/provisioning/alert-rules", admin=True)
    assert {r["uid"]: r["title"] for r in found} == {r["uid"]: t for t, r in RULES.items()}
    assert {r["notification_settings"]["receiver"] for r in found} == {"evaluation-alertmanager"}
    outcome.rules = len(found)


def test_every_rule_is_evaluated_in_good_health(chain: Chain) -> None:
    def all_evaluated() -> bool:
        return all(rule["evaluationTime"] > 0 for rule in chain.rules().values())

    until(all_evaluated, EVALUATED)
    for name, rule in chain.rules().items():
        assert rule["health"] == "ok", f"{name}: {rule.get('lastError')}"
        # what keeps its state on an error is healthy for Grafana, and says so here only
        states = [(alert["state"], alert["annotations"]) for alert in rule.get("alerts") or ()]
        assert not [s for s in states if "Error" in s[0] or "Error" in s[1]], name
