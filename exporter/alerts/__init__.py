"""Who is told what: alerts for Prometheus and Grafana, and the runbook that they lead to."""

from exporter.alerts.definitions import Rule
from exporter.alerts.rules import RULES

__all__ = ["RULES", "Rule"]
