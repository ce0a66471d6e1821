"""Drift of embeddings: what is read of their columns, and each method beside its formula."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from distances.samples import few
from distances.test_texts import rows
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance as theirs

from exporter.distances import method_named
from exporter.distances.vectors import MOST_ROWS, Vectors, vectors_of
from exporter.errors import BatchError
from exporter.metrics.embeddings import compare_vectors

METHODS = ("embedding_model", "embedding_ratio", "embedding_distance", "embedding_mmd")
seeds = st.integers(0, 2**16)


def normal(rows: int, width: int = 4, moved: float = 0.0, seed: int = 0) -> Vectors:
    return Vectors(np.random.default_rng(seed).normal(moved, 1, (rows, width)))


def score(method: str, current: Vectors, reference: Vectors, **options) -> float:
    told = method_named(method).compute(current, reference, **options)
    return getattr(told, "score", told)


def discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased estimate by its definition, pair by pair."""
    width = np.median(theirs.cdist(x, y)) ** 2

    def near(a, b):
        return np.exp(-theirs.cdist(a, b, "sqeuclidean") / width)

    own = [(near(a, a).sum() - len(a)) / (len(a) * (len(a) - 1)) for a in (x, y)]
    return sum(own) - 2 * near(x, y).mean()


@few
@given(seeds, st.integers(2, 700), st.integers(2, 300), st.floats(-2, 2))
def test_the_discrepancy_is_that_of_all_pairs(seed, n, m, moved):
    current, reference = normal(n, 3, moved, seed), normal(m, 3, 0, seed + 1)
    wanted = discrepancy(reference.values, current.values)
    assert score("embedding_mmd", current, reference) == pytest.approx(max(wanted, 0), abs=1e-9)


@pytest.mark.parametrize("name", ["euclidean", "cosine", "cityblock", "chebyshev"])
@few
@given(seed=seeds, moved=st.floats(-5, 5))
def test_distances_of_means_are_scipy_s(name, seed, moved):
    current, reference = normal(20, 5, moved, seed), normal(30, 5, 1, seed + 1)
    wanted = getattr(theirs, name)(reference.values.mean(axis=0), current.values.mean(axis=0))
    assert score("embedding_distance", current, reference, distance=name) == pytest.approx(wanted)


def test_a_mean_without_direction_has_no_cosine():
    with pytest.raises(ValueError, match="take another distance than cosine"):
        score("embedding_distance", Vectors(np.zeros((9, 2))), normal(9, 2), distance="cosine")


def test_the_ratio_is_that_of_components_that_have_moved():
    reference, current = normal(3000, 4, seed=1), normal(3000, 4, seed=2)
    current.values[:, 1] += 1
    assert score("embedding_ratio", current, reference) == 0.25
    assert score("embedding_ratio", current, reference, component_method="ks") == 0.25
    options = {"component_method": "psi", "component_threshold": 100.0}
    assert score("embedding_ratio", current, reference, **options) == 0


@pytest.mark.parametrize("method", METHODS)
def test_far_vectors_have_drifted_and_those_of_one_source_have_not_by_chance(method):
    reference = normal(400, 6, seed=1)
    options = {} if method == "embedding_ratio" else {"bootstrap": True}
    far = compare_vectors("v", normal(300, 6, 3, seed=2), reference, method, None, **options)
    assert far.drifted
    assert far.severity > 1
    same = compare_vectors("v", reference, reference, method, None, **options)
    assert same.error is None
    assert not same.drifted


@pytest.mark.parametrize("method", METHODS)
def test_principal_components_are_compared_instead(method):
    reference, current = normal(400, 6, seed=1), normal(300, 6, 0.5, seed=2)
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]
    told = score(method, current, reference, pca_components=6)
    again = [Vectors(side.values @ turned) for side in (current, reference)]
    assert told == pytest.approx(score(method, *again, pca_components=6), abs=0.1)
    with pytest.raises(ValueError, match="the reference has 6 components at most"):
        score(method, current, reference, pca_components=7)


@pytest.mark.parametrize("method", METHODS)
def test_vectors_of_other_lengths_are_not_compared(method):
    with pytest.raises(ValueError, match="vectors of 3 components cannot be compared with"):
        score(method, normal(9, 3), normal(9, 4))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "m", "side"), [(0, 9, "batch"), (9, 0, "reference")])
def test_where_there_are_no_vectors_that_is_the_reason(method, n, m, side):
    row = compare_vectors("v", normal(n), normal(m), method, None)
    assert row.error == f"no values in the {side}"
    assert (row.n, row.reference_n) == (n, m)


def test_single_vectors_have_no_discrepancy():
    with pytest.raises(ValueError, match="needs two vectors"):
        score("embedding_mmd", normal(1), normal(9))
    with pytest.raises(ValueError, match="too few vectors to draw"):
        method_named("embedding_mmd").compute(normal(2), normal(2), bootstrap=True)


def test_vectors_all_alike_do_not_differ():
    alike = Vectors(np.ones((50, 3)))
    for method in ("embedding_ratio", "embedding_distance", "embedding_mmd"):
        assert score(method, alike, alike) == 0


@pytest.mark.parametrize(("m", "threshold", "drawn"), [(999, None, True), (1000, None, False), (999, 0.6, False)])  # fmt: skip
def test_a_small_reference_s_limit_is_that_of_chance_unless_a_threshold_is_given(
    m, threshold, drawn
):
    row = compare_vectors("v", normal(200), normal(m, seed=1), "embedding_model", threshold)
    assert (row.threshold not in (0.55, 0.6)) == drawn


def test_rows_that_lack_a_number_are_left_out():
    table = rows(a=pa.array([1.0, None, 3, 4]), b=pa.array([1, 2, 3, 4]), c=pa.array([1, 1, float("nan"), 1]))  # fmt: skip
    assert vectors_of(table, ["a", "b"]).values.tolist() == [[1, 1], [3, 3], [4, 4]]
    assert vectors_of(table, ["a", "b", "c"]).values.tolist() == [[1, 1, 1], [4, 4, 1]]


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.int64(), 2)]
)
def test_lists_are_vectors(kind):
    column = pa.array([[1, 2], None, [3, 4]], kind)
    assert vectors_of(rows(v=column), ["v"]).values.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array([[1.0], [1.0, 2.0]]), "column 'v': its lists are of 2 lengths"),
        (pa.array([["a"]]), "column 'v': its lists hold no numbers"),
        (pa.array(["a"]), "column 'v': holds text"),
    ],
)
def test_what_are_no_vectors_is_told_by_the_column_s_name(column, reason):
    with pytest.raises(BatchError, match=reason):
        vectors_of(rows(v=column), ["v"])


def test_lists_that_are_all_missing_are_no_vectors():
    assert vectors_of(rows(v=pa.nulls(3, pa.list_(pa.float64()))), ["v"]).count == 0


@pytest.mark.parametrize("listed", [True, False])
def test_of_very_many_vectors_the_same_ones_are_chosen_each_time(listed):
    numbers = np.arange(MOST_ROWS + 100.0)
    column = pa.array(list(numbers[:, None])) if listed else pa.array(numbers)
    first, again = (vectors_of(rows(v=column), ["v"]).values[:, 0] for _ in range(2))
    assert len(first) == MOST_ROWS
    assert (np.diff(first) > 0).all()
    assert (first == again).all()
