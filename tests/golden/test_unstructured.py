"""Evidently 0.7 on texts and vectors: drift of text content, and all four methods of embeddings.

tests/golden/unstructured.py draws the texts and vectors, `benchmarks/peers/unstructured_with_evidently.py`
made the figures of them. They hang on scikit-learn's classifiers; the version that made them is told in the
file, and is that of this project's lock. Another may visit the rows in another order.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sklearn
from golden.evaluations import golden, near
from golden.unstructured import TEXTS, VECTORS, texts, vectors

import exporter
from exporter.snapshot import DriftRow

FIGURES = golden("unstructured.json")
CONTENT = ("abs_text_content_drift", "perc_text_content_drift")
VECTOR_CASES = [(name, place) for name in VECTORS for place in range(len(FIGURES["vectors"][name]))]
SAME_VERSION = FIGURES["versions"]["scikit-learn"] == sklearn.__version__
TOLERANCE = 1e-6 if SAME_VERSION else 0.02  # of a score that a classifier's order of rows decides


@cache
def text_tables(case: str) -> tuple[pa.Table, pa.Table]:
    m, n, shift = TEXTS[case]
    return pa.table({"said": texts(n, shift, 2)}), pa.table({"said": texts(m, 0, 1)})


@cache
def vector_tables(case: str) -> tuple[pa.Table, pa.Table]:
    m, n, shift = VECTORS[case]
    drawn = vectors(n, shift, 4), vectors(m, 0, 3)
    return tuple(pa.table({f"e{i}": x for i, x in enumerate(told.T)}) for told in drawn)


def text_drift(case: str, **options: Any) -> DriftRow:
    asked = [{"column_drift": {"columns": ["said"], **options}}]
    (row,) = exporter.evaluate(*text_tables(case), columns={"text": ["said"]}, metrics=asked).drift
    return row


def vector_drift(case: str, method: str, **options: Any) -> DriftRow:
    current, reference = vector_tables(case)
    snapshot = exporter.evaluate(
        current,
        reference,
        columns={"embeddings": {"picture": current.column_names}},
        metrics=[{"embeddings_drift": {"method": method, **options}}],
    )
    (row,) = snapshot.drift
    return row


@pytest.mark.parametrize("case", TEXTS)
@pytest.mark.parametrize("method", CONTENT)
def test_the_drift_of_texts_is_evidently_s(case, method):
    row, wanted = text_drift(case, method=method), FIGURES["texts"][case][method]
    assert row.error is None
    assert row.type == "text"
    assert row.score == pytest.approx(wanted["score"], abs=TOLERANCE)
    assert row.drifted is wanted["drifted"]
    assert (row.severity > 1) is row.drifted


@pytest.mark.parametrize("case", TEXTS)
def test_the_method_for_texts_is_chosen_as_evidently_chooses(case):
    wanted = FIGURES["texts"][case]
    row = text_drift(case)
    assert row.method == wanted["default"]
    assert row.score == pytest.approx(wanted[row.method]["score"], abs=TOLERANCE)
    if row.method == "abs_text_content_drift":
        assert row.threshold == wanted[row.method]["threshold"]


@pytest.mark.parametrize("case", [case for case in TEXTS if not case.endswith("alike")])
def test_the_words_that_tell_are_evidently_s(case):
    row = text_drift(case, method="abs_text_content_drift", words=True)
    for side in ("batch", "reference"):
        mine = [told["word"] for told in row.contributions if told["of"] == side]
        wanted = FIGURES["texts"][case][f"words of the {side}"]
        assert len(mine) == len(wanted)
        alike = len(wanted) - 1 if SAME_VERSION else 0.8 * len(wanted)  # of equals one is the last
        assert len({*mine} & {*wanted}) >= alike


@pytest.mark.parametrize(("case", "place"), VECTOR_CASES)
def test_the_drift_of_embeddings_is_evidently_s(case, place):
    wanted = FIGURES["vectors"][case][place]
    options = {"bootstrap": False, **wanted["options"]}
    if wanted["method"] == "embedding_ratio":
        options.pop("bootstrap")
    row = vector_drift(case, wanted["method"], **options)
    assert row.error is None
    assert (row.column, row.type) == ("picture", "embedding")
    if wanted["method"] == "embedding_model":
        assert row.score == pytest.approx(wanted["score"], abs=_tolerance(options))
    else:
        assert near(row.score, wanted["score"]) or abs(row.score - wanted["score"]) < 1e-12
    if "pca_components" not in options or wanted["method"] != "embedding_model":
        assert row.drifted is wanted["drifted"]
    if not options.get("bootstrap"):
        assert row.threshold == wanted["threshold"]


def _tolerance(options: dict[str, Any]) -> float:
    """Of components the last digits are those of the machine's BLAS, and decide when learning ends."""
    return 0.1 if "pca_components" in options else TOLERANCE


@pytest.mark.parametrize("case", VECTORS)
def test_few_vectors_of_a_reference_are_compared_with_chance(case):
    chosen = vector_drift(case, "embedding_model")
    by_chance = vector_drift(case, "embedding_model", bootstrap=VECTORS[case][0] < 1000)
    assert chosen == by_chance


def test_vectors_in_a_column_of_lists_are_those_in_several_columns():
    several, lists = vector_tables("small, moved"), []
    for told in several:
        rows = np.column_stack([told[name].to_numpy() for name in told.column_names])
        lists.append(pa.table({"v": pa.array(list(rows))}))
    (row,) = exporter.evaluate(
        *lists, columns={"embeddings": {"picture": ["v"]}}, metrics=["embeddings_drift"]
    ).drift
    assert row == vector_drift("small, moved", "embedding_model")
