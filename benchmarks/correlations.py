"""Correlations beside scipy's of the same arrays, in one process by turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.distances import measure
from exporter.profile.correlations import Pair, cramer_v, kendall, pearson, spearman

NOTE = "of arrays; the figure is scipy's to 1e-6"
TABLE_NOTE = "of codes; the peer is scipy's crosstab and association, equal to 1e-6"
CATEGORIES = 20
SIZES = {"5k": 5_000, "1M": 1_000_000}

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]


def main() -> None:
    """Print a line for each method and size."""
    rng = np.random.default_rng(1)
    for size, n in SIZES.items():
        x = rng.normal(0, 1, n)
        y = 0.3 * x + rng.normal(0, 1, n)
        for name, ours, peer in NUMERICAL:
            _numbers(f"correlation, {name}, {size} rows", ours, peer, x, y)
        codes = rng.integers(0, CATEGORIES, (2, n)).astype(np.int32)
        _labels(f"correlation, cramer_v, {size} rows", codes[0], codes[1])


NUMERICAL: tuple[tuple[str, Callable[..., dict[Pair, float]], Callable[..., Any]], ...] = (
    ("pearson", pearson, stats.pearsonr),
    ("spearman", spearman, stats.spearmanr),
    ("kendall", kendall, stats.kendalltau),
)


def _numbers(
    name: str,
    ours: Callable[..., dict[Pair, float]],
    peer: Callable[..., Any],
    x: Numbers,
    y: Numbers,
) -> None:
    def theirs() -> float:
        return float(peer(x, y).statistic)

    measure(name, lambda: ours({"x": x, "y": y}, [("x", "y")])["x", "y"], theirs, note=NOTE)


def _labels(name: str, a: Codes, b: Codes) -> None:
    names = [f"{i:02d}" for i in range(CATEGORIES)]
    labelled = {"a": (names, a), "b": (names, b)}

    def theirs() -> float:
        table = stats.contingency.crosstab(a, b).count
        return float(stats.contingency.association(table, method="cramer"))

    measure(name, lambda: cramer_v(labelled, [("a", "b")])["a", "b"], theirs, note=TABLE_NOTE)


if __name__ == "__main__":
    main()
