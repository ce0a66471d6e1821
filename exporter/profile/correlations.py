"""How far two columns go together, over the rows in which both have a finite value; NaN where nobody can tell.

Nobody can tell where one of the two has fewer than two different values there. A `Pair` names two
columns. Pearson's coefficients of all pairs are matrix products, a block of rows at a time;
Spearman's are those of the ranks, which pairs whose columns miss different rows have of their own;
Kendall's take a sort a pair; Cramér's V counts the pairs of categories that occur.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import frexp, nan, sqrt

import numpy as np

from exporter.profile.arrays import BLOCK, Bools, Codes, Floats, Ints

Pair = tuple[str, str]
Labelled = tuple[
    list[str], Codes
]  # as `codes` gives them: the code after the last label is missing
CANCELLED = 1e-6  # of the squares: where less is left of them, a pair is looked at on its own
LARGEST_SCALE = 1000  # powers of two; those beyond have no inverse that is a float
DENSE = 1 << 22  # cells up to which categories are counted in a full table


def pearson(columns: Mapping[str, Floats], pairs: Sequence[Pair]) -> dict[Pair, float]:
    """Pearson's coefficient of each pair."""
    names = list(columns)
    place = {name: i for i, name in enumerate(names)}
    products = _products([_scaled(columns[name]) for name in names])
    out: dict[Pair, float] = {}
    for a, b in pairs:
        r = products.coefficient(place[a], place[b])
        out[a, b] = of_two(columns[a], columns[b]) if r is None else r
    return out


def spearman(columns: Mapping[str, Floats], pairs: Sequence[Pair]) -> dict[Pair, float]:
    """Pearson's coefficient of the ranks, equal values sharing theirs."""
    ranking = {name: _ranking(values) for name, values in columns.items()}
    gaps = {name: np.packbits(ranked.present).tobytes() for name, ranked in ranking.items()}
    own = {name: ranked.ranks() for name, ranked in ranking.items()}
    out: dict[Pair, float] = {}
    for a, b in pairs:
        x, y = own[a], own[b]
        if gaps[a] != gaps[b]:
            both = ranking[a].present & ranking[b].present
            x, y = ranking[a].ranks(both), ranking[b].ranks(both)
        out[a, b] = _cosine(x, y)
    return out


def kendall(columns: Mapping[str, Floats], pairs: Sequence[Pair]) -> dict[Pair, float]:
    """Kendall's tau-b of each pair: a sort, a second or so for a million rows."""
    from scipy.stats import kendalltau

    out: dict[Pair, float] = {}
    for a, b in pairs:
        x, y = _complete(columns[a], columns[b])
        varied = len(x) > 1 and x.min() < x.max() and y.min() < y.max()
        out[a, b] = _bounded(float(kendalltau(x, y).statistic)) if varied else nan
    return out


def cramer_v(columns: Mapping[str, Labelled], pairs: Sequence[Pair]) -> dict[Pair, float]:
    """Cramér's V of each pair, without correction for bias."""
    return {(a, b): association(columns[a], columns[b]) for a, b in pairs}


def of_two(x: Floats, y: Floats) -> float:
    """Pearson's coefficient of two columns, each centred on the rows that have both."""
    x, y = (_centred(there) for there in _complete(x, y))
    return _cosine(x, y)


def association(one: Labelled, other: Labelled) -> float:
    """Cramér's V of two columns of categories."""
    (rows, a), (columns, b) = one, other
    both = (a < len(rows)) & (b < len(columns))
    keys, counts = _counted(
        a[both].astype(np.int64) * len(columns) + b[both], len(rows) * len(columns)
    )
    if not len(keys):
        return nan
    i, j = np.divmod(keys, len(columns))
    by_row, by_column = np.bincount(i, counts), np.bincount(j, counts)
    height, width = np.count_nonzero(by_row), np.count_nonzero(by_column)
    if min(height, width) < 2:
        return nan
    total = float(counts.sum())
    expected = by_row[i] * by_column[j] / total
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    if len(keys) < height * width:  # cells that are empty miss all that is expected of them
        chi2 += max(total - float(expected.sum()), 0.0)
    return min(sqrt(chi2 / total / (min(height, width) - 1)), 1.0)


@dataclass(frozen=True, slots=True)
class _Scaled:
    """A column whose finite values are brought near zero, block by block."""

    values: Floats
    factor: float  # a power of two: nothing is rounded
    least: float  # after scaling: differences from it are exact where values are close
    mean: float  # of these differences

    def block(self, start: int, out: Floats, there: Bools) -> None:
        """Centred values of a block, 0 where there are none; and where there are any."""
        part = self.values[start : start + out.shape[0]]
        np.isfinite(part, out=there)
        np.multiply(part, self.factor, out=out)
        out -= self.least
        out -= self.mean
        np.putmask(out, ~there, 0.0)


@dataclass(frozen=True, slots=True)
class _Products:
    """Sums over the rows that two columns share: their number, of the one's values and squares, of products."""

    rows: Floats
    sums: Floats  # [i, j]: of column i, where j has a value as well
    squares: Floats
    products: Floats

    def coefficient(self, i: int, j: int) -> float | None:
        """Pearson's coefficient; None where rounding has eaten it, or there is none."""
        n = self.rows[i, j]
        if n < 2:
            return None
        spread = [
            self.squares[a, b] - self.sums[a, b] ** 2 / n for a, b in ((i, j), (j, i))
        ]  # fmt: skip
        if not (
            spread[0] > CANCELLED * self.squares[i, j]
            and spread[1] > CANCELLED * self.squares[j, i]
        ):
            return None
        shared = self.products[i, j] - self.sums[i, j] * self.sums[j, i] / n
        return _bounded(float(shared) / (sqrt(spread[0]) * sqrt(spread[1])))


@dataclass(frozen=True, slots=True)
class _Ranking:
    """The finite values of a column in ascending order."""

    order: Codes  # their rows
    group: Codes  # ascending, one number for equal values
    present: Bools

    def ranks(self, among: Bools | None = None) -> Floats:
        """Ranks among some of the rows (None = all that have a value) less their mean, row by row; 0 for the others."""
        order, group = self.order, self.group
        if among is not None:
            keep = among[order]
            order, group = order[keep], group[keep]
        starts = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
        out = np.zeros(len(self.present))
        if len(starts) == len(group):
            out[order] = starts - (len(group) - 1) / 2
        else:
            counts = np.diff(starts, append=len(group))
            out[order] = np.repeat(starts + (counts - len(group)) / 2, counts)
        return out


def _scaled(values: Floats) -> _Scaled:
    there = values[np.isfinite(values)]
    if not len(there):
        return _Scaled(values, 1.0, 0.0, 0.0)
    factor = _factor(there)
    there *= factor
    least = float(there.min())
    there -= least
    return _Scaled(values, factor, least, float(there.mean()))


def _products(columns: Sequence[_Scaled]) -> _Products:
    size, rows = len(columns), len(columns[0].values) if columns else 0
    out = _Products(*(np.zeros((size, size)) for _ in range(4)))
    values = np.empty((size, BLOCK))
    there = np.empty((size, BLOCK), bool)
    for start in range(0, rows, BLOCK):
        length = min(BLOCK, rows - start)
        x, has = values[:, :length], there[:, :length]
        for i, column in enumerate(columns):
            column.block(start, x[i], has[i])
        _add_block(out, x, has)
    return out


def _add_block(out: _Products, x: Floats, has: Bools) -> None:
    """Add a block's sums; beside every column that misses no value they are the same."""
    out.products[...] += x @ x.T
    whole = has.all(axis=1)
    out.rows[:, whole] += np.count_nonzero(has, axis=1)[:, None]
    out.sums[:, whole] += x.sum(axis=1)[:, None]
    out.squares[:, whole] += np.einsum("ij,ij->i", x, x)[:, None]
    if not whole.all():
        gaps = ~whole
        mask = has[gaps].astype(np.float64).T
        out.rows[:, gaps] += has.astype(np.float64) @ mask
        out.sums[:, gaps] += x @ mask
        out.squares[:, gaps] += (x * x) @ mask


def _ranking(values: Floats) -> _Ranking:
    present = np.isfinite(values)
    at = np.flatnonzero(present)
    order = at[np.argsort(values[at], kind="stable")]
    ascending = values[order]
    group = np.zeros(len(order), np.int32)
    np.cumsum(ascending[1:] != ascending[:-1], out=group[1:])
    return _Ranking(order.astype(np.int32), group, present)


def _complete(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]


def _centred(there: Floats) -> Floats:
    """The values less their mean, scaled so that squares neither overflow nor vanish; all 0 where they are one."""
    if not len(there):
        return there
    gaps = there * _factor(there)
    gaps -= gaps.min()
    if gaps.any():
        gaps *= _factor(gaps)
        gaps -= gaps.mean()
    return gaps


def _factor(values: Floats) -> float:
    """A power of two that brings the largest of them near 1."""
    exponent = frexp(float(np.abs(values).max()))[1]
    return float(2.0 ** min(max(-exponent, -LARGEST_SCALE), LARGEST_SCALE))


def _counted(keys: Ints, cells: int) -> tuple[Ints, Ints]:
    """The keys that occur, and how often."""
    if cells > DENSE:
        found: tuple[Ints, Ints] = np.unique(keys, return_counts=True)
        return found
    counts = np.bincount(keys, minlength=1)
    there = np.flatnonzero(counts)
    return there, counts[there]


def _cosine(x: Floats, y: Floats) -> float:
    xx, xy, yy = (float(np.einsum("i,i", *pair)) for pair in ((x, x), (x, y), (y, y)))  # no threads
    spread = sqrt(xx) * sqrt(yy)
    return _bounded(xy / spread) if spread else nan


def _bounded(r: float) -> float:
    return min(max(r, -1.0), 1.0)
