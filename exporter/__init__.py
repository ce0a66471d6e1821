"""Evaluation Exporter: evaluations of every batch, as rows in Postgres and gauges for Prometheus."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exporter.api import evaluate, load, profile_reference
    from exporter.descriptors import descriptor
    from exporter.distances import drift_method
    from exporter.metrics import metric
    from exporter.snapshot import Snapshot

__all__ = [
    "Snapshot",
    "descriptor",
    "drift_method",
    "evaluate",
    "load",
    "metric",
    "profile_reference",
]
__version__ = "0.1.0"

_HOMES = {
    "evaluate": "exporter.api",
    "load": "exporter.api",
    "profile_reference": "exporter.api",
    "Snapshot": "exporter.snapshot",
    "metric": "exporter.metrics",
    "drift_method": "exporter.distances",
    "descriptor": "exporter.descriptors",
}


def __getattr__(name: str) -> Any:
    """Import the engine on first use: `exporter --help` must not pay for numpy and pyarrow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
