"""`exporter serve`: gauges, the pages of snapshots and their index, and the beginning of an API."""

from exporter.server.application import app
from exporter.server.guard import TOKEN
from exporter.server.serving import serve

__all__ = ["TOKEN", "app", "serve"]
