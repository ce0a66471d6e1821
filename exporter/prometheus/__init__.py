"""The latest snapshots as gauges: text that is rendered when something changed, and handed out as bytes."""

from exporter.prometheus.exposition import Exposition, Reader
from exporter.prometheus.families import FAMILIES, Family

__all__ = ["FAMILIES", "Exposition", "Family", "Reader"]
