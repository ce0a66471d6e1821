"""How far a figure may go by chance: every limit here is passed by one sound batch in 740, the rate of three sigmas."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, erfc, fsum, inf, log, sqrt
from statistics import fmean

SIGMAS = 3.0
RARE = erfc(SIGMAS / sqrt(2)) / 2  # the chance to lie three sigmas off on one side: 0.00135
MANY = 50
TAIL = 4  # a quarter of the figures is the tail that the rest of it is told from


def tail(figures: Sequence[float]) -> float:
    """How high the next of these figures may be, of which there are at least two.

    As far as three sigmas are of figures that are normal, known from so few; or, if that is more,
    as an exponential tail would seldom pass: its scale is what the highest quarter is above its own
    beginning, in the mean.
    """
    m = len(figures)
    k = max(1, m // TAIL)
    exponential = reach(sorted(figures, reverse=True)[: k + 1], k / ((m + 1) * RARE))
    try:
        mean = fmean(figures)
        spread = sqrt(fsum((x - mean) ** 2 for x in figures) / (m - 1))
    except OverflowError:  # of figures whose squares no float holds nothing is known
        return inf
    return max(exponential, mean + _sigmas(m) * spread)


def _sigmas(m: int) -> float:
    """How many standard deviations of m figures the next may be off: Student's t, by its first terms."""
    z, free = SIGMAS, m - 1
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return t * sqrt(1 + 1 / m)


def reach(highest: Sequence[float], odds: float) -> float:
    """Where an exponential tail has the chance 1 / *odds*, from its highest figures, the highest first.

    The last of them is where the tail begins.
    """
    start = highest[-1]
    scale = sum(highest[:-1]) / (len(highest) - 1) - start if len(highest) > 1 else 0.0
    return start + scale * max(log(odds), 0.0)


def beyond_extremes(n: int, reference: int) -> int:
    """How many of n values may lie beyond all of a reference's, though both are drawn from one source.

    The largest of all n + m values is the batch's with probability q = n / (n + m), the k largest
    are with about q^k: k is where that is as rare as three sigmas.
    """
    return ceil(log(RARE) / log(n / (n + reference)))


def seldom_more(known: int, n: int, reference: int) -> int:
    """The count that n rows seldom pass of what so many of the reference's rows are.

    How often it is in truth is not known either: the sum over all that it may be is the negative
    binomial distribution.
    """
    if not n:
        return 0
    q, size = n / (n + reference), known + 1
    if known > MANY:  # where a normal distribution says the same to a count
        return ceil(size * n / reference + SIGMAS * sqrt(size * n / reference / (1 - q)))
    k, term = 0, (1 - q) ** size
    beyond = 1 - term
    while beyond > RARE and k < n:
        k += 1
        term *= q * (size + k - 1) / k
        beyond -= term
    return k
