"""Drift of embeddings: of vectors as a whole, not of each number in them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from exporter.distances._registry import Verdict, drift_method, method_named
from exporter.distances.separation import SEED, beside, by_chance, halves, learning, roc_auc
from exporter.distances.shares import shares
from exporter.distances.vectors import Vectors, reduced
from exporter.profile.arrays import Floats, Ints
from exporter.profile.column import numeric_profile
from exporter.profile.points import Estimate

Distance = Literal["euclidean", "cosine", "cityblock", "chebyshev"]
DRAWS = 100  # of a bootstrap, as Evidently's
MOST_PAIRED = 5000  # vectors of either side that are compared with each other
MEDIAN_OF = 1000  # vectors of either side that give the kernel's width
ROWS_AT_A_TIME = 256


@drift_method(kinds=("embedding",), threshold=0.55, inclusive=False, module="sklearn")
def embedding_model(
    current: Vectors,
    reference: Vectors,
    *,
    bootstrap: bool = False,
    quantile: float = 0.95,
    pca_components: int | None = None,
) -> Verdict:
    """Vectors: ROC AUC of a linear classifier that learns to tell batch from reference.

    `bootstrap`: drifted where it is above the `quantile` of 100 classifiers that guess.
    """
    from sklearn.linear_model import SGDClassifier

    # Of rows side by side the last digits are others, and a classifier ends elsewhere.
    if pca_components:
        current, reference = current.by_column(), reference.by_column()
    current, reference = _components(current, reference, pca_components)
    labels = beside(reference.count, current.count)
    learnt, held = halves(labels)
    both = np.concatenate((reference.values, current.values))
    classifier = SGDClassifier(loss="log_loss", random_state=SEED)
    with learning():
        classifier.fit(both[learnt], ~labels[learnt])  # the reference is 1, as for Evidently
    score = roc_auc(~labels[held], classifier.predict_proba(both[held])[:, 1])
    limit = by_chance(~labels[held], range(DRAWS), quantile) if bootstrap else None
    return Verdict(score, limit)


@drift_method(kinds=("embedding",), threshold=0.2, inclusive=False)
def embedding_ratio(
    current: Vectors,
    reference: Vectors,
    *,
    component_method: str = "wasserstein",
    component_threshold: float = 0.1,
    pca_components: int | None = None,
) -> float:
    """Vectors: share of the components that have drifted, each by the method for one column."""
    current, reference = _components(current, reference, pca_components)
    drifted = [
        _has_drifted(here, there, component_method, component_threshold)
        for here, there in zip(current.values.T, reference.values.T, strict=True)
    ]
    return sum(drifted) / len(drifted)


@drift_method(kinds=("embedding",), threshold=0.2, inclusive=False)
def embedding_distance(
    current: Vectors,
    reference: Vectors,
    *,
    distance: Distance = "euclidean",
    bootstrap: bool = False,
    quantile: float = 0.95,
    pca_components: int | None = None,
) -> Verdict:
    """Vectors: distance of the means of batch and reference.

    `bootstrap`: drifted where it is above the `quantile` of 100 pairs that are drawn from the
    reference.
    """
    current, reference = _components(current, reference, pca_components)
    score = _distance(distance, current.values.mean(axis=0), reference.values.mean(axis=0))
    if not bootstrap:
        return Verdict(score)
    drawn = [
        _distance(distance, *(reference.values[chosen].mean(axis=0) for chosen in pair))
        for pair in _draws(current.count, reference.count)
    ]
    return Verdict(score, float(np.percentile(drawn, 100 * quantile)))


@drift_method(kinds=("embedding",), threshold=0.015, inclusive=False)
def embedding_mmd(
    current: Vectors,
    reference: Vectors,
    *,
    bootstrap: bool = False,
    quantile: float = 0.95,
    pca_components: int | None = None,
) -> Verdict:
    """Vectors: squared maximum mean discrepancy under a Gaussian kernel, never below 0.

    Of either side at most 5,000 vectors are compared, chosen with a fixed seed. `bootstrap`:
    drifted where it is above the `quantile` of 100 pairs that are drawn from the reference.
    """
    current, reference = _components(current, reference, pca_components)
    if min(current.count, reference.count) < 2:
        raise ValueError("embedding_mmd needs two vectors on either side")
    here, there = (side.some(MOST_PAIRED).values for side in (current, reference))
    here, there = (x - there.mean(axis=0) for x in (here, there))  # small numbers lose no digits
    width = _width(_few(there), _few(here))
    n, m = len(here), len(there)
    own = _nearness(there, there, width) / (m * (m - 1))
    others = _nearness(here, here, width) / (n * (n - 1))
    score = max(own + others - 2 * _nearness(there, here, width) / (n * m), 0.0)
    return Verdict(score, _discrepancy_by_chance(there, n, quantile) if bootstrap else None)


def _components(
    current: Vectors, reference: Vectors, components: int | None
) -> tuple[Vectors, Vectors]:
    """Both as they are, or in so many principal components of the reference."""
    here, there = current.values.shape[1], reference.values.shape[1]
    if here != there:
        raise ValueError(f"vectors of {here} components cannot be compared with those of {there}")
    return reduced(current, reference, components) if components else (current, reference)


def _has_drifted(current: Floats, reference: Floats, name: str, threshold: float) -> bool:
    method = method_named(name)
    pair = [numeric_profile("", len(x), x.copy()) for x in (current, reference)]
    compared = shares(*pair) if method.reads == "shares" else pair
    result = method.compute(*compared)
    score = result.score if isinstance(result, Verdict) else result
    return method.drifted(score.value if isinstance(score, Estimate) else score, threshold)


def _distance(name: Distance, a: Floats, b: Floats) -> float:
    gap = np.abs(a - b)
    if name == "euclidean":
        return float(np.linalg.norm(gap))
    if name == "cityblock":
        return float(gap.sum())
    if name == "chebyshev":
        return float(gap.max())
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if not lengths:
        raise ValueError("a mean of zeros has no direction: take another distance than cosine")
    return 1 - float(np.einsum("i,i", a, b)) / lengths


def _draws(n: int, m: int) -> list[tuple[Ints, Ints]]:
    """Rows of the reference, twice, in the sizes that reference and batch have in it; drawn as Evidently does."""
    sizes = max(m * m // (n + m), 1), max(m * n // (n + m), 1)
    seeded = [np.random.RandomState(seed) for seed in range(DRAWS)]
    return [(rng.choice(m, sizes[0]), rng.choice(m, sizes[1])) for rng in seeded]


def _few(values: Floats) -> Floats:
    """At most a thousand of them, as Evidently chooses."""
    chosen = np.random.RandomState(0).choice(
        len(values), min(len(values), MEDIAN_OF), replace=False
    )
    return values[chosen]


def _squares(a: Floats, b: Floats) -> Floats:
    """The squared distance of each of *a* from each of *b*."""
    lengths: Floats = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)
    lengths -= 2 * (a @ b.T)
    np.maximum(lengths, 0, out=lengths)
    return lengths


def _width(a: Floats, b: Floats) -> float:
    """The squared median distance; 1 where that is nothing."""
    return float(np.median(np.sqrt(_squares(a, b))) ** 2) or 1.0


def _nearness(a: Floats, b: Floats, width: float) -> float:
    """The sum of the kernel over all pairs, with memory for some of them; none of a vector and itself."""
    left = np.column_stack((a * (2 / width), _lengths(a, -width), np.ones(len(a))))
    right = np.column_stack((b, np.ones(len(b)), _lengths(b, -width)))
    total = 0.0
    for at in range(0, len(a), ROWS_AT_A_TIME):
        rows = left[at : at + ROWS_AT_A_TIME]
        near = rows @ (right[at:] if a is b else right).T  # the exponents, by one product
        np.minimum(near, 0, out=near)
        np.exp(near, out=near)
        total += float(near.sum())
        if a is b:  # of a pair and its mirror image one was computed
            total += float(near[:, len(rows) :].sum()) - len(rows)
    return total


def _lengths(a: Floats, width: float) -> Floats:
    lengths: Floats = np.einsum("ij,ij->i", a, a) / width
    return lengths


def _discrepancy_by_chance(reference: Floats, n: int, quantile: float) -> float:
    """A quantile of the discrepancy of two draws from the reference."""
    own = _few(reference)
    gaps = _squares(own, own)
    np.fill_diagonal(gaps, 0.0)
    kernel = np.exp(_squares(reference, reference) / -(float(np.median(np.sqrt(gaps)) ** 2) or 1.0))
    np.fill_diagonal(kernel, 1.0)
    m = len(reference)
    pairs = _draws(n, m)
    a, b = (
        np.array([np.bincount(pair[i], minlength=m) for pair in pairs], np.float64) for i in (0, 1)
    )
    x, y = int(a[0].sum()), int(b[0].sum())
    if min(x, y) < 2:
        raise ValueError("bootstrap: too few vectors to draw two of them for either side")
    near = a @ kernel
    cross = np.einsum("ij,ij->i", near, b)
    theirs = np.einsum("ij,ij->i", near, a) - x
    others = np.einsum("ij,ij->i", b @ kernel, b) - y
    drawn = theirs / (x * (x - 1)) + others / (y * (y - 1)) - 2 * cross / (x * y)
    return max(float(np.percentile(drawn, 100 * quantile)), 0.0)
