"""Outcomes of plain lists, as evaluation reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from exporter.profile.outcome import ErrorProfile, ScoreProfile, error_profile, score_profile

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


def regression(told: Sequence[tuple[float, float]]) -> ErrorProfile:
    """Pairs of target and prediction."""
    target, prediction = np.array(told, dtype=float).reshape(-1, 2).T
    return error_profile(target.copy(), prediction.copy())


def binary(told: Sequence[tuple[float, float, float]]) -> ScoreProfile:
    """Triples of what was, what was said, and its probability; the classes are `no` and `yes`."""
    actual, said, chance = np.array(told, dtype=float).reshape(-1, 3).T
    return score_profile(actual.copy(), said.copy(), chance.copy(), ("no", "yes"))
