"""Which bins or categories a score comes from, so that the culprits can be named."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, nextafter
from typing import Any

import numpy as np

from exporter.distances.shares import Shares
from exporter.profile.arrays import Floats

MOST = 10
LEAST = 0.01  # of the score: what adds less is no culprit, and rows are kept for years
DIGITS = 6


def contributions(
    current: Shares, reference: Shares, parts: Sequence[float]
) -> list[dict[str, Any]]:
    """The bins or categories that add a hundredth of the score or more, at most ten, the largest first.

    Each has `category`, `value` or `bin` (its ends, null where it is open; as a whole null for
    what is missing), the share in the batch and in the reference, and its part. Figures have six
    digits.
    """
    told = np.asarray(parts, np.float64)
    order = np.argsort(-told, kind="stable")[:MOST]
    here, there = current.share, reference.share
    names = current.names if isinstance(current.names, np.ndarray) else list(current.names)
    return [
        {
            **_name(current, names, i),
            "current": short(here[i]),
            "reference": short(there[i]),
            "part": short(told[i]),
        }
        for i in order.tolist()
        if told[i] > LEAST * told.sum()
    ]


def _name(told: Shares, names: Floats | list[str], i: int) -> dict[str, Any]:
    """What the bin or category is called, of which the last stands for what is missing, if it is told."""
    last = len(told.counts) - 1
    if not isinstance(names, np.ndarray):
        return {"category": None if told.missing and i == last else names[i]}
    if told.missing and i == last:
        return {"bin": None}
    if len(names) == len(told.counts) - told.missing:
        return {"value": short(names[i])}
    return _bin(*names[i : i + 2].tolist())


def _bin(low: float, high: float) -> dict[str, Any]:
    if nextafter(low, inf) >= high:  # it holds one number
        return {"value": short(low)}
    return {"bin": [short(x) if isfinite(x) else None for x in (low, high)]}


def short(x: float) -> float:
    """The number at six digits."""
    return float(f"{x:.{DIGITS}g}")
