"""How far a figure may go by chance: every limit here is passed by one sound batch in 740, the rate of three sigmas."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, erfc, exp, log, sqrt

SIGMAS = 3.0
RARE = erfc(SIGMAS / sqrt(2)) / 2  # the chance to lie three sigmas off on one side: 0.00135
MANY = 50.0  # of more, a normal distribution says the same to a count
TAIL = 4  # a quarter of the figures is the tail that the rest of it is told from


def tail(figures: Sequence[float]) -> float:
    """How high the next of these figures may be: seldom higher, if the tail falls off as an exponential does.

    What the highest quarter is above its own beginning, in the mean, is the scale of the tail. A
    normal or uniform tail falls off faster, so for them the limit is cautious.
    """
    m = len(figures)
    k = max(1, m // TAIL)
    return reach(sorted(figures, reverse=True)[: k + 1], k / ((m + 1) * RARE))


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


def seldom_more(expected: float) -> int:
    """The count that is seldom passed where so many are expected (Poisson)."""
    if expected > MANY:
        return ceil(expected + SIGMAS * sqrt(expected))
    k, term = 0, exp(-expected)
    beyond = 1 - term
    while beyond > RARE:
        k += 1
        term *= expected / k
        beyond -= term
    return k
