"""Profiles of samples, and scores of drift methods on them."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from exporter.metrics.drift import compare
from exporter.profile.column import (
    CategoryProfile,
    NumericProfile,
    category_profile,
    numeric_profile,
)
from exporter.profile.points import grid_of
from exporter.snapshot import DriftRow

few = settings(max_examples=40, deadline=None)
tied = st.lists(st.integers(-6, 6).map(float), min_size=5, max_size=60)
untied = st.lists(st.floats(-1e3, 1e3, allow_nan=False), min_size=5, max_size=60, unique=True)
words = st.lists(st.sampled_from("abcd"), min_size=1, max_size=60)


def numbers(told, *, gridded: bool = False) -> NumericProfile:
    array = np.array(told, dtype=float)
    return numeric_profile("x", len(array), array, gridded=gridded)


def categories(told) -> CategoryProfile:
    names = sorted({x for x in told if x is not None})
    place = {name: i for i, name in enumerate(names)}
    codes = [place.get(x, len(names)) for x in told]
    return category_profile("c", names, np.array(codes, np.int32))


def counted(**counts: int) -> CategoryProfile:
    """A column of so many of each label."""
    return categories([label for label, count in counts.items() for _ in range(count)])


def row(method: str, current, reference, **options) -> DriftRow:
    """The drift row of two samples, of numbers or of labels."""
    make = categories if isinstance(current[0], str) or current[0] is None else numbers
    return compare(make(current), make(reference), method, None, **options)


def score(method: str, current, reference, **options) -> float:
    told = row(method, current, reference, **options)
    assert told.error is None
    return told.score


def edges_of(profile: NumericProfile) -> np.ndarray:
    return grid_of(profile.points)
