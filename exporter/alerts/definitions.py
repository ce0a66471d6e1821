"""The alerts: what each means, when it fires, and what is to be done about it, said once.

Prometheus' rules, Grafana's rules and the runbook are made of these. Values stand still between
batches, so nothing here waits for minutes to be sure of a batch: persistence is counted in windows,
by the store. `hold` only rides over a restart of the exporter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from exporter.config.fields import REPLICA_LABELS

Component = Literal["exporter", "freshness", "tests", "figures"]
OF_REPLICAS = ", ".join(REPLICA_LABELS)  # several exporters on one store show the same


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert; `promql` and `sql` give a row for each thing that it is about.

    Every row is an alert, whatever its number. The severity stands in the rows where it is "". What
    the runbook says comes in four parts.
    """

    name: str
    component: Component
    severity: Literal["page", "warning", "info", ""]
    summary: str
    description: str
    promql: str
    meaning: str
    look: str
    act: str
    silence: str
    sql: str = ""  # no Grafana rule where only Prometheus can know
    hold: str = "1m"
    linger: str = ""  # for how long it goes on when its rows are gone
    labels: Mapping[str, str] = field(default_factory=dict)
    panel: tuple[str, int] = ("fleet-overview", 10)  # where it is seen


def of_replicas(expression: str) -> str:
    """The figure, whichever exporter shows it."""
    return f"max without ({OF_REPLICAS}) ({expression})"


def shown(gauge: str) -> str:
    """The figure as it is shown, or was until ten minutes ago: an exporter that is started anew changes nothing."""
    return of_replicas(f"last_over_time({gauge}[10m])")
