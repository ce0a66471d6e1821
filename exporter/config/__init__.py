"""The YAML format, and every mistake of a file with its line and column.

`loading` reads a file: its form is checked by `forms`, what has to fit together by `rules`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from exporter.config.forms import (
    Columns,
    Config,
    Entry,
    Evaluation,
    Files,
    FromColumn,
    Items,
    Labels,
    Model,
    Previous,
    Query,
    Ranking,
    Rolling,
    Segment,
    Shared,
    Time,
)
from exporter.config.loading import Loaded, import_plugin, load_config
from exporter.config.merging import descriptors_of, merged, schema_of
from exporter.config.results import Folder, Gauges, Links, Retention

if TYPE_CHECKING:
    from exporter.config.editor import config_schema
    from exporter.config.reference import config_reference

__all__ = [
    "Columns",
    "Config",
    "Entry",
    "Evaluation",
    "Files",
    "Folder",
    "FromColumn",
    "Gauges",
    "Items",
    "Labels",
    "Links",
    "Loaded",
    "Model",
    "Previous",
    "Query",
    "Ranking",
    "Retention",
    "Rolling",
    "Segment",
    "Shared",
    "Time",
    "config_reference",
    "config_schema",
    "descriptors_of",
    "import_plugin",
    "load_config",
    "merged",
    "schema_of",
]
_HOMES = {"config_schema": "editor", "config_reference": "reference"}


def __getattr__(name: str) -> Any:
    """What only the generator needs, when it asks for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
