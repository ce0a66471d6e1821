"""Dashboards from the catalogue and the store's views: each is a list of panels, each panel a function's call."""

from exporter.grafana.dashboard import Dashboard, as_json, as_text
from exporter.grafana.dashboards import DASHBOARDS

__all__ = ["DASHBOARDS", "Dashboard", "as_json", "as_text"]
