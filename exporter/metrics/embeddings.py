"""How far vectors have moved away from those of the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from annotated_types import Ge, Interval

from exporter.distances import method_named
from exporter.distances.embeddings import Distance
from exporter.distances.vectors import Vectors, vectors_of
from exporter.errors import BatchError
from exporter.metrics._registry import Automatic, Bound, metric
from exporter.metrics.drift import EMBEDDING, NO_ROWS, scored
from exporter.profile.rows import Rows
from exporter.snapshot import DriftRow

SMALL_REFERENCE = 1000  # vectors below which chance alone may lift a classifier above its threshold


@metric(
    per="column",
    unit="score",
    better="lower",
    automatic=Automatic(Bound("method")),
)
def embeddings_drift(
    current: Vectors,
    reference: Vectors,
    *,
    method: str = "embedding_model",
    threshold: float | None = None,
    distance: Distance = "euclidean",
    component_method: str = "wasserstein",
    component_threshold: Annotated[float, Interval(gt=0)] = 0.1,
    bootstrap: bool | None = None,
    quantile: Annotated[float, Interval(gt=0, lt=1)] = 0.95,
    pca_components: Annotated[int, Ge(1)] | None = None,
) -> DriftRow:
    """How far the vectors of a set of embeddings have moved away from the reference's.

    `columns` are names of sets. `distance` is that of `embedding_distance`, `component_method` and
    `component_threshold` are those of each number for `embedding_ratio`. `bootstrap`: the threshold
    is a `quantile` of what chance gives; by default for `embedding_model` beside fewer than 1,000
    vectors, unless a `threshold` is given. `pca_components`: so many principal components of the
    reference are compared instead of the vectors.
    """
    options = {
        "distance": distance, "component_method": component_method,
        "component_threshold": component_threshold, "bootstrap": bootstrap,
        "quantile": quantile, "pca_components": pca_components,
    }  # fmt: skip
    return compare_vectors("", current, reference, method, threshold, **options)


def compare_sets(
    name: str,
    current: Rows,
    opened: Callable[[], Rows] | None,
    method: str,
    threshold: float | None,
    **options: Any,
) -> DriftRow:
    """The drift result of a set of embeddings; *opened* gives the reference's rows.

    Raises BatchError where its columns cannot be read.
    """
    if opened is None:
        raise BatchError(f"{method} {NO_ROWS}")
    columns, rows = current.schema.embeddings[name], opened()
    here = vectors_of(current, columns)
    for column in columns:
        if column not in rows.types:
            raise BatchError(f"column {column!r}: the reference has no such column")
    there = vectors_of(rows, columns)
    return compare_vectors(name, here, there, method, threshold, **options)


def compare_vectors(
    name: str,
    current: Vectors,
    reference: Vectors,
    method: str,
    threshold: float | None,
    **options: Any,
) -> DriftRow:
    """The drift result of vectors; those that cannot be compared say why."""
    chosen = method_named(method)
    limit = chosen.threshold if threshold is None else threshold
    n, m = current.count, reference.count
    row = DriftRow(name, EMBEDDING, chosen.id, threshold=limit, n=n, reference_n=m)
    if not n or not m:
        return replace(row, error=f"no values in the {'batch' if not n else 'reference'}")
    if options.get("bootstrap") is None:
        is_unsure = m < SMALL_REFERENCE and threshold is None and chosen.id == "embedding_model"
        options = {**options, "bootstrap": is_unsure}
    return scored(row, chosen, lambda: (current, reference), options)
