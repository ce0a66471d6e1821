"""PromQL of panels: gauges of the chosen models and of the exporter itself.

Two exporters on one store show the same: what tells them apart is aggregated away everywhere.
"""

from __future__ import annotations

from exporter.config.fields import REPLICA_LABELS

CHOSEN = (
    "project=~`${project:regex}`, model=~`${model:regex}`"  # a quote in a name ends no text then
)
WHOLE = 'segment=""'
CRITICAL = 'critical="true"'
_REPLICAS = ", ".join(REPLICA_LABELS)


def own(gauge: str) -> str:
    """A gauge of the exporter itself; of several exporters on one store the highest."""
    return f"max({gauge})"


def state(gauge: str, *conditions: str) -> str:
    """A gauge of the chosen models' streams, once each, however many exporters show it."""
    return f"max without ({_REPLICAS}) ({gauge}{{{', '.join((CHOSEN, *conditions))}}})"


def process(expression: str) -> str:
    """A figure of the exporters' processes, which are known by what they show: jobs have any name."""
    return f"max({expression} and on (instance, job) evaluation_exporter_build_info)"


INTERVAL = state("evaluation_batch_interval_seconds", WHOLE)
AGE = f"(time() - {state('evaluation_window_end_timestamp_seconds', WHOLE)})"
_WAIT = f"({state('evaluation_batch_wait_seconds', WHOLE)} or 0 * {INTERVAL})"
# How many intervals ago the newest window ended, without the time that it waits: beyond 2 it is late.
OVERDUE = f"({AGE} - {_WAIT}) / {INTERVAL}"
IS_LATE = f"({OVERDUE} > bool 2)"
