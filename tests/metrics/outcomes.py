"""Outcomes of plain lists, as evaluation reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from exporter.profile.outcome import (
    ErrorProfile,
    ScoreProfile,
    class_profile,
    error_profile,
    score_profile,
)

CLASSES = ("a", "b", "c")

guesses = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([0.0, 1.0, np.nan, np.inf]), st.floats(-1e3, 1e3)),
        st.one_of(st.sampled_from([0.0, -0.0, np.nan, -np.inf]), st.floats(-1e3, 1e3)),
    ),
    max_size=50,
)
chances = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 1e-20, np.nan]), st.floats(0, 1))
decisions = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, np.nan]), st.sampled_from([0.0, 1.0, np.nan]), chances),
    max_size=50,
)

_class = st.sampled_from([*CLASSES, None])
verdicts = st.lists(st.tuples(_class, _class, chances, chances, chances), max_size=50)


def regression(told: Sequence[tuple[float, float]]) -> ErrorProfile:
    """Pairs of target and prediction."""
    target, prediction = np.array(told, dtype=float).reshape(-1, 2).T
    return error_profile(target.copy(), prediction.copy())


def binary(told: Sequence[tuple[float, float, float]]) -> ScoreProfile:
    """Triples of what was, what was said, and its probability; the classes are `no` and `yes`."""
    actual, said, chance = np.array(told, dtype=float).reshape(-1, 3).T
    return score_profile(actual.copy(), said.copy(), chance.copy(), ("no", "yes"))


def many(told: Sequence[tuple[str | None, str | None, float, float, float]]) -> ScoreProfile:
    """What was, what was said, and the probabilities of `a`, `b` and `c`."""
    seen = {label for row in told for label in row[:2] if label is not None}
    labels = tuple(sorted({*CLASSES, *seen}))
    place = {label: i for i, label in enumerate(labels)} | {None: len(labels)}
    actual, said = (np.array([place[row[at]] for row in told], np.int32) for at in (0, 1))
    columns = np.array([row[2:] for row in told], dtype=float).reshape(-1, 3).T
    chances = {label: column.copy() for label, column in zip(CLASSES, columns, strict=True)}
    return class_profile(labels, actual, said, chances)
