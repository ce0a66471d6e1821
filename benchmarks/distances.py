"""Drift methods beside scipy's own: from arrays to the score, sorting included, in one process by turns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.measure import Result, ratio
from exporter.distances import Verdict, method_named
from exporter.distances.shares import shares
from exporter.profile.column import NumericProfile, category_profile, moments_of, numeric_profile
from exporter.profile.points import Estimate, Points

TURNS = 3
MANY_TURNS = 15  # of what takes so little that a neighbour's work shows in it
LONG = 0.1  # seconds
SIZES = {"1M + 1M": (1_000_000, 1_000_000), "5k + 100k": (5_000, 100_000)}
CATEGORIES = 20
DEALS = 999

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]


def main() -> None:
    """Print a line for each method and size."""
    warnings.simplefilter("ignore")
    for name, (n, m) in SIZES.items():
        rng = np.random.default_rng(1)
        current, reference = rng.normal(0.002, 1, n), rng.normal(0, 1, m)
        for method, peer in NUMERICAL.items():
            _numbers(method, name, current, reference, peer)
        _student(name, np.sort(current), np.sort(reference))
        for method, categories, counted in CATEGORICAL:
            pair = [rng.integers(0, categories, k).astype(np.int32) for k in (n, m)]
            _labels(f"drift by {method}, {name}", method, categories, pair, counted)
    rng = np.random.default_rng(2)
    pair = [rng.integers(0, CATEGORIES, 20_000).astype(np.int32) for _ in range(2)]
    note = "the peer is scipy.stats.permutation_test with 999 deals; p differs by the draws"
    _labels("drift by TVD, 20k + 20k", "TVD", CATEGORIES, pair, _permuted, exact=False, note=note)
    samples = rng.normal(0.02, 1, 1000), rng.normal(0, 1, 1000)
    _numbers(
        "empirical_mmd",
        "1k + 1k",
        *samples,
        _discrepancy,
        exact=False,
        note="scipy has none: the peer compares all pairs and shuffles them 100 times, ours 999",
    )


def _anderson(current: Array, reference: Array) -> float:
    return float(stats.anderson_ksamp([reference, current]).pvalue)


def _cramer_von_mises(current: Array, reference: Array) -> float:
    return float(stats.cramervonmises_2samp(reference, current).pvalue)


def _energy(current: Array, reference: Array) -> float:
    return float(stats.energy_distance(reference, current))


def _epps_singleton(current: Array, reference: Array) -> float:
    return float(stats.epps_singleton_2samp(reference, current).pvalue)


def _mann_whitney(current: Array, reference: Array) -> float:
    return float(stats.mannwhitneyu(reference, current).pvalue)


def _g_test(counts: list[npt.NDArray[np.int64]]) -> float:
    current, reference = counts
    expected = reference * (current.sum() / reference.sum())
    return float(stats.power_divergence(current, expected, lambda_="log-likelihood").pvalue)


def _fisher(counts: list[npt.NDArray[np.int64]]) -> float:
    return float(stats.fisher_exact(np.array(counts)).pvalue)


def _permuted(counts: list[npt.NDArray[np.int64]]) -> float:
    samples = [np.repeat(np.arange(len(side)), side) for side in counts]

    def distance(a: Codes, b: Codes) -> float:
        shares_of = [np.bincount(x, minlength=CATEGORIES) / len(x) for x in (a, b)]
        return float(np.abs(shares_of[0] - shares_of[1]).sum() / 2)

    told = stats.permutation_test(samples, distance, n_resamples=DEALS, alternative="greater")
    return float(told.pvalue)


def _discrepancy(current: Array, reference: Array) -> float:
    """The maximum mean discrepancy by its formula, every pair of rows."""
    rows, m = np.concatenate((reference, current)), len(reference)
    width = np.median((reference[:, None] - reference) ** 2)
    kernel = np.exp(-((rows[:, None] - rows) ** 2) / width)
    np.fill_diagonal(kernel, 0)
    rng = np.random.default_rng(0)

    def apart(order: npt.NDArray[np.int64]) -> float:
        k, n = kernel[order][:, order], len(rows) - m
        own, others = k[:m, :m].sum() / m / (m - 1), k[m:, m:].sum() / n / (n - 1)
        return float(own + others - 2 * k[m:, :m].mean())

    seen = apart(np.arange(len(rows)))
    return float(np.mean([apart(rng.permutation(len(rows))) >= seen for _ in range(100)]))


NUMERICAL = {
    "anderson": _anderson,
    "cramer_von_mises": _cramer_von_mises,
    "ed": _energy,
    "es": _epps_singleton,
    "mannw": _mann_whitney,
}
CATEGORICAL = (("g_test", CATEGORIES, _g_test), ("fisher_exact", 2, _fisher))


def _numbers(
    method: str,
    size: str,
    current: Array,
    reference: Array,
    peer: Callable[..., float],
    *,
    exact: bool = True,
    note: str = "",
) -> None:
    def ours() -> float:
        here, there = (numeric_profile("x", len(x), x.copy()) for x in (current, reference))
        return value(method_named(method).compute(here, there))

    name = f"drift by {method}, {size}"
    measure(name, ours, lambda: peer(current, reference), exact=exact, note=note)


def _student(size: str, current: Array, reference: Array) -> None:
    """Student's test reads a profile's moments; other methods need its order, which is given here."""

    def ours() -> float:
        pair = [
            NumericProfile("x", len(x), 0, 0, len(x), moments_of(x), Points(x))
            for x in (current, reference)
        ]
        return value(method_named("t_test").compute(*pair))

    measure(
        f"drift by t_test, {size}",
        ours,
        lambda: float(stats.ttest_ind(reference, current).pvalue),
        note="of sorted arrays, with the moments; scipy's needs no order, and a profile has one anyway",
    )


def _labels(
    name: str,
    method: str,
    categories: int,
    pair: list[Codes],
    peer: Callable[..., float],
    *,
    exact: bool = True,
    note: str = "",
) -> None:
    labels = [f"{i:03d}" for i in range(categories)]

    def ours() -> float:
        here, there = (category_profile("c", labels, codes) for codes in pair)
        return value(method_named(method).compute(*shares(here, there)))

    def theirs() -> float:
        return peer([np.bincount(codes, minlength=categories) for codes in pair])

    measure(name, ours, theirs, exact=exact, note=note)


def value(score: float | Estimate | Verdict) -> float:
    """The score alone."""
    told = score.score if isinstance(score, Verdict) else score
    return told.value if isinstance(told, Estimate) else told


def measure(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    exact: bool = True,
    note: str = "",
) -> None:
    """Say how long both took, by turns; SystemExit where the figures differ."""
    mine, peer = ours(), theirs()
    if exact and not math.isclose(mine, peer, rel_tol=1e-6, abs_tol=1e-6):
        raise SystemExit(f"{name}: {mine} instead of {peer}")
    turns = TURNS if _seconds(ours) > LONG else MANY_TURNS
    pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(turns)]
    own, other = ([1e3 * seconds for seconds in side] for side in zip(*pairs, strict=True))
    note = note or "from arrays, sorted or counted once; the figure is scipy's to 1e-6"
    Result(name, median(own), median(other), ratio(own, other), "ms", note).say()


def _seconds(call: Callable[[], float]) -> float:
    start = perf_counter()
    call()
    return perf_counter() - start


if __name__ == "__main__":
    main()
