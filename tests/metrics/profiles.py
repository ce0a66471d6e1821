"""Profiles of plain lists, and a metric's figure of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from typing import Any

import numpy as np
from hypothesis import strategies as st

from exporter.metrics import CATALOGUE
from exporter.profile.column import (
    CategoryProfile,
    NumericProfile,
    category_profile,
    numeric_profile,
)
from exporter.profile.points import Estimate

HOSTILE = [0.0, -0.0, 1.0, -1.0, 1e-300, 1e15, 2.5, inf, -inf, nan]
values = st.one_of(st.sampled_from(HOSTILE), st.floats(-1e6, 1e6), st.integers(-5, 5).map(float))
samples = st.lists(values, max_size=60)
labels = st.lists(st.sampled_from(["a", "b", "ab", "", "ü", "0", "A\nb", None]), max_size=60)


def numbers(told: Sequence[float]) -> NumericProfile:
    """A numerical column; NaN is missing."""
    return numeric_profile("x", len(told), np.array(told, dtype=float))


def categories(told: Sequence[str | None]) -> CategoryProfile:
    """A categorical column; None is missing."""
    names = [name for name in dict.fromkeys(told) if name is not None]
    codes = [len(names) if name is None else names.index(name) for name in told]
    return category_profile("c", names, np.array(codes, np.int32))


def figure(metric: str, *profiles: Any, **options: Any) -> Any:
    """What the metric says of the profiles."""
    spec = CATALOGUE[metric]
    result = spec.compute(*profiles, **spec.params(options))
    return result.value if isinstance(result, Estimate) else result


def finite(told: Sequence[float]) -> np.ndarray:
    """The values that figures look at."""
    array = np.array(told, dtype=float)
    return array[np.isfinite(array)]
