"""Label texts: names that Prometheus allows, values escaped, and nothing that comes from the data."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from exporter.config.fields import RESERVED_TAGS, text_of
from exporter.metrics import CATALOGUE
from exporter.store.latest import Stream
from exporter.store.records import Key

CLASSES = 20  # more are a matter of the data, and stay in the store
_CELLS = CLASSES * CLASSES
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_]*")


def label_text(labels: Mapping[str, str]) -> str:
    """The labels as they stand between the braces; an empty value is an absent label."""
    return ",".join(
        [f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items() if value]
    )


def stream_labels(stream: Stream) -> dict[str, str]:
    """What every sample of a stream carries."""
    named = {
        "project": stream.project,
        "model": stream.model,
        "evaluation": stream.evaluation,
        "segment": stream.segment,
    }
    return named | tag_labels(stream.tags)


def tag_labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags as labels.

    A config refuses names that are none of Prometheus' or are ours; a snapshot that was imported
    may have them: they get a prefix, `tag_`, and an underscore for what a name may not hold.
    """
    labels: dict[str, str] = {}
    for tag, value in sorted(tags.items()):
        fine = _NAME.fullmatch(tag) and not tag.startswith("__") and tag not in RESERVED_TAGS
        name = tag if fine else "tag_" + re.sub("[^a-zA-Z0-9_]", "_", tag)
        labels.setdefault(name, str(value))
    return labels


def figure_labels(key: Key, taken: Collection[str], *, labelled: bool) -> dict[str, str]:
    """What tells a stream's figures apart; without its label where that is not to be shown."""
    named = {"test": key.name, "metric": key.metric} if key.kind == "test" else {}
    labels = named | {"column": key.column, "label": key.label if labelled else ""}
    if key.given_name:
        labels["name"] = key.given_name
    for option, value in _options(key.params).items():
        clash = option in labels or option in taken
        labels.setdefault(f"option_{option}" if clash else option, value)
    return labels


def shown_labels(keys: Iterable[tuple[int, Key]]) -> set[int]:
    """Of labelled series those whose label may be shown, by id.

    Types, columns, groups of errors and kinds of missing values may; of classes the first twenty, their confusion only where there are no
    more; categories never, nor labels of a metric that this process does not know.
    """
    by_metric: dict[tuple[str, str], list[int]] = {}
    for series_id, key in keys:
        if key.label:
            by_metric.setdefault((key.metric or key.name, key.params), []).append(series_id)
    shown: set[int] = set()
    for (metric, _), ids in by_metric.items():
        spec = CATALOGUE.get(metric)
        kind = spec.labels if spec else ""
        if kind in ("type", "column", "group", "kind") or (kind == "cell" and len(ids) <= _CELLS):
            shown.update(ids)
        elif kind == "class":
            shown.update(sorted(ids)[:CLASSES])
    return shown


def _options(params: str) -> dict[str, str]:
    """Numbers, true and false, and the drift method; other texts and lists may hold anything."""
    given: dict[str, Any] = {} if params == "{}" else json.loads(params)
    return {
        name: text_of(value)
        for name, value in given.items()
        if _NAME.fullmatch(name)
        and not name.startswith("__")
        and (isinstance(value, int | float) or (name == "method" and isinstance(value, str)))
    }
