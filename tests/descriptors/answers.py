"""What a descriptor says of a few texts, as Python values."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from exporter.descriptors import compute, descriptor_named


def texts_column(*texts: str | None) -> pa.ChunkedArray:
    """A text column in two chunks."""
    half = len(texts) // 2
    parts = [pa.array(list(part), pa.string()) for part in (texts[:half], texts[half:])]
    return pa.chunked_array(parts, pa.string())


def said(name: str, *texts: str | None, **options: Any) -> list[Any]:
    """The descriptor's answers, in the order of the texts."""
    spec = descriptor_named(name)
    return compute(spec, spec.params(options), texts_column(*texts)).to_pylist()


def said_beside(name: str, texts: list[Any], other: pa.ChunkedArray, **options: Any) -> list[Any]:
    """The answers of a descriptor that reads another column as well."""
    spec = descriptor_named(name)
    params = spec.params({"other": "other", **options})
    return compute(spec, params, texts_column(*texts), {"other": other}).to_pylist()
