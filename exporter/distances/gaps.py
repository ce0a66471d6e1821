"""The gap between two empirical distribution functions: KS and Wasserstein, exact or with bounds.

Both are bounded from counts and sums on the reference's grid. Inside a slab F - G lies between
its value at the left border minus the reference's mass and plus the current's; only slabs that
may hold the maximum (KS) or a change of sign (Wasserstein) are opened. In binned mode there is
nothing to open, and the bounds are the result.
"""

from __future__ import annotations

import numpy as np

from exporter.profile.arrays import Bools, Floats, Ints
from exporter.profile.column import NumericProfile
from exporter.profile.points import Estimate, Points, Slabs, slabs_of

ALL_AT_ONCE = 4096  # points below which a grid costs more than it saves
_NO_EDGES = np.empty(0)


def ks_distance(current: NumericProfile, reference: NumericProfile) -> Estimate:
    """Largest difference of the two distribution functions."""
    c, r = _on_one_grid(current, reference)
    gap, current_mass, reference_mass = _gaps(c, r)
    value = float(np.abs(gap).max())
    most = np.maximum(np.abs(gap[:-1] + current_mass), np.abs(gap[:-1] - reference_mass))
    if not _exact(
        current, reference
    ):  # at shared borders only: two bins' means differ, and a merge would see a gap there
        most[_atoms(c.edges)] = 0
        return Estimate(value, value, max(float(most.max()), value))
    while (left := most > value).any():
        highest = (
            left & (most >= np.partition(most, -64)[-64]) if np.count_nonzero(left) > 64 else left
        )
        value = max(
            value, float(_open(current.points, reference.points, c, r, highest).ks.max(initial=0.0))
        )
        most[highest] = 0
    return Estimate(value, value, value)


def wasserstein_distance(current: NumericProfile, reference: NumericProfile) -> Estimate:
    """Area between the two distribution functions."""
    points = len(current.points.values) + len(reference.points.values)
    if points <= ALL_AT_ONCE and _exact(current, reference):
        value = _area(current.points, reference.points)
        return Estimate(value, value, value)
    c, r = _on_one_grid(current, reference)
    gap, current_mass, reference_mass = _gaps(c, r)
    start = min(current.moments.least, reference.moments.least)
    end = max(current.moments.most, reference.moments.most)
    borders = np.clip(np.concatenate(([start], c.edges, [end])), start, end)
    area = np.diff(gap * borders) - (c.sums / current.count - r.sums / reference.count)
    unsure = (gap[:-1] - reference_mass < 0) & (gap[:-1] + current_mass > 0)
    sure = float(np.abs(area[~unsure]).sum())
    if not unsure.any():
        return Estimate(sure, sure, sure)
    if _exact(current, reference):
        value = sure + _open(current.points, reference.points, c, r, unsure, borders=borders).area
        return Estimate(value, value, value)
    low = float(np.abs(area).sum())
    sure = low - float(np.abs(area[unsure & ~_atoms(c.edges)]).sum())
    unsure &= ~_atoms(c.edges)
    rise, fall = (
        np.maximum(gap[:-1] + current_mass, 0)[unsure],
        np.maximum(reference_mass - gap[:-1], 0)[unsure],
    )
    width = np.diff(borders)[unsure]
    up = np.clip(
        (area[unsure] + fall * width) / (rise + fall), 0, width
    )  # the widest swing with this area
    high = sure + float(np.maximum(rise * up + fall * (width - up), np.abs(area[unsure])).sum())
    return Estimate(low, low, high)


def _area(current: Points, reference: Points) -> float:
    """The area of few points, which are merged as a whole: a fifth of what a grid of them takes."""
    values = np.concatenate((current.values, reference.values))
    order = np.argsort(values, kind="stable")  # two ascending runs: they are merged
    masses = [
        np.full(len(p.values), 1 / p.total) if p.counts is None else p.counts / p.total
        for p in (current, reference)
    ]
    gap = np.cumsum(np.concatenate((masses[0], -masses[1]))[order])[:-1]
    return float(np.abs(gap) @ np.diff(values[order]))


def _exact(current: NumericProfile, reference: NumericProfile) -> bool:
    return current.points.bounds is None and reference.points.bounds is None


def _atoms(edges: Floats) -> Bools:
    """Slabs that hold one number: nothing can happen inside."""
    return np.concatenate(([False], np.nextafter(edges[:-1], np.inf) >= edges[1:], [False]))


def _on_one_grid(current: NumericProfile, reference: NumericProfile) -> tuple[Slabs, Slabs]:
    if (
        current.points.bounds is not None
        and current.grid is not None
        and reference.grid is not None
    ):
        return current.grid, reference.grid
    few = len(current.points.values) + len(reference.points.values) <= ALL_AT_ONCE
    if few or reference.grid is None:
        return slabs_of(current.points, _NO_EDGES), slabs_of(reference.points, _NO_EDGES)
    return slabs_of(current.points, reference.grid.edges), reference.grid


def _gaps(c: Slabs, r: Slabs) -> tuple[Floats, Floats, Floats]:
    """F - G at each border, and the mass of both in each slab."""
    current, reference = c.rank / c.rank[-1], r.rank / r.rank[-1]
    return current - reference, np.diff(current), np.diff(reference)


class _Opened:
    """The merged points of some slabs: |F - G| after each point, and the area it encloses."""

    def __init__(self, ks: Floats, area: float) -> None:
        self.ks = ks
        self.area = area


def _open(
    current: Points,
    reference: Points,
    c: Slabs,
    r: Slabs,
    which: Bools,
    *,
    borders: Floats | None = None,
) -> _Opened:
    if len(current.values) > len(reference.values):  # search the fewer among the more
        current, reference, c, r = reference, current, r, c
    a, a_sizes = _inside(c.index, which)
    b, b_sizes = _inside(r.index, which)
    a_values, b_values = current.values[a], reference.values[b]
    slots = np.searchsorted(b_values, a_values) + np.arange(len(a))
    from_b = np.ones(len(a) + len(b), bool)
    from_b[slots] = False
    merged = np.empty(len(from_b))
    merged[slots], merged[from_b] = a_values, b_values
    n, m = c.rank[-1], r.rank[-1]
    steps = np.empty(len(from_b))
    steps[slots] = 1 / n if current.counts is None else current.counts[a] / n
    steps[from_b] = -1 / m if reference.counts is None else -reference.counts[b] / m
    sizes = a_sizes + b_sizes
    at_border = (c.rank / n - r.rank / m)[:-1][which]
    steps = np.cumsum(steps)
    ends = np.cumsum(sizes)
    before = np.concatenate(([0.0], steps))[ends - sizes]
    steps += np.repeat(at_border - before, sizes)
    height = np.abs(steps)
    following = np.append(merged[1:], np.inf)
    if borders is None:
        return _Opened(height[following > merged], 0.0)
    filled = sizes > 0
    following[ends[filled] - 1] = borders[1:][which][filled]
    first = merged[(ends - sizes)[filled]] - borders[:-1][which][filled]
    area = float(np.abs(at_border[filled]) @ first) + float((height * (following - merged)).sum())
    return _Opened(height, area)


def _inside(index: Ints, which: Bools) -> tuple[Ints, Ints]:
    """Indices of the points in the slabs, one after the other, and how many each slab has."""
    starts, sizes = index[:-1][which], np.diff(index)[which]
    ends = np.cumsum(sizes)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(
        starts - (ends - sizes), sizes
    ), sizes
