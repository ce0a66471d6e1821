"""Row-level descriptors of texts: more columns. The modules that declare them, by an explicit list."""

from exporter.descriptors import characters, formats, pairs, patterns, rows, sentiment, sql, words
from exporter.descriptors._registry import (
    DESCRIPTORS,
    DescriptorKind,
    DescriptorSpec,
    descriptor,
    descriptor_named,
)
from exporter.descriptors.columns import (
    DescriptorColumn,
    Entry,
    computed,
    described,
    descriptor_columns,
    source_columns,
    with_descriptors,
)
from exporter.descriptors.computing import compute
from exporter.descriptors.evidently import EVIDENTLY_NAMES

__all__ = [
    "DESCRIPTORS",
    "EVIDENTLY_NAMES",
    "DescriptorColumn",
    "DescriptorKind",
    "DescriptorSpec",
    "Entry",
    "characters",
    "compute",
    "computed",
    "described",
    "descriptor",
    "descriptor_columns",
    "descriptor_named",
    "formats",
    "pairs",
    "patterns",
    "rows",
    "sentiment",
    "source_columns",
    "sql",
    "with_descriptors",
    "words",
]
