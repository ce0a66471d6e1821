"""Two columns on the distinct values of both: what rank tests, energy distance and kernels read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exporter.profile.arrays import Floats, Ints
from exporter.profile.column import NumericProfile


@dataclass(frozen=True, slots=True)
class Pooled:
    """The distinct values of two columns in ascending order, and how many values lie at or below each."""

    values: Floats
    current: Ints
    reference: Ints

    @property
    def n(self) -> int:
        """Values in the batch."""
        return int(self.current[-1])

    @property
    def m(self) -> int:
        """Values in the reference."""
        return int(self.reference[-1])

    @property
    def gap(self) -> Floats:
        """The batch's distribution function less the reference's, at each value."""
        return self.current / self.n - self.reference / self.m


def pool(method: str, current: NumericProfile, reference: NumericProfile) -> Pooled:
    """Both columns pooled; a ValueError where one of them is in bins, for *method* needs the values."""
    if current.points.bounds is not None or reference.points.bounds is not None:
        raise ValueError(f"{method} reads the values themselves, and here there are only bins")
    values = np.concatenate((current.points.values, reference.points.values))
    order = np.argsort(values, kind="stable")  # two ascending runs: they are merged
    values = values[order]
    from_batch = np.cumsum(order < len(current.points.values), dtype=np.int64)
    points = np.arange(1, len(values) + 1)
    is_last = np.append(values[1:] != values[:-1], True)
    if not is_last.all():
        values, from_batch, points = values[is_last], from_batch[is_last], points[is_last]
    return Pooled(
        values, current.points.rank(from_batch), reference.points.rank(points - from_batch)
    )


def each(at_or_below: Ints) -> Ints:
    """How often each value occurs, from how many lie at or below it."""
    return np.diff(at_or_below, prepend=0)
