"""The dashboards, each in a module of its own: `DASHBOARD` is what it shows."""

from __future__ import annotations

from exporter.grafana.dashboard import Dashboard
from exporter.grafana.dashboards import (
    champion_challenger,
    classification,
    column,
    data_drift,
    data_quality,
    exporter_health,
    fleet_overview,
    fleet_status_board,
    model_overview,
    regression,
    tests,
    text,
)

DASHBOARDS: tuple[Dashboard, ...] = (
    fleet_overview.DASHBOARD,
    fleet_status_board.DASHBOARD,
    model_overview.DASHBOARD,
    data_drift.DASHBOARD,
    data_quality.DASHBOARD,
    column.DASHBOARD,
    classification.DASHBOARD,
    regression.DASHBOARD,
    tests.DASHBOARD,
    champion_challenger.DASHBOARD,
    text.DASHBOARD,
    exporter_health.DASHBOARD,
)
