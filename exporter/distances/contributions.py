"""Which bins or categories a score comes from, so that the culprits can be named."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from exporter.distances.shares import Shares

MOST = 10
DIGITS = 6


def contributions(
    current: Shares, reference: Shares, parts: Sequence[float]
) -> list[dict[str, Any]]:
    """The bins or categories that add most to the score, at most ten, the largest first.

    Each has `category`, `value` or `bin` (its ends, null where it is open; as a whole null for
    what is missing), the share in the batch and in the reference, and its part. Figures have six
    digits.
    """
    told = np.asarray(parts, np.float64)
    order = np.argsort(-told, kind="stable")[:MOST]
    here, there = current.share, reference.share
    kind, names = _names(current)
    return [
        {
            kind: names[i] if i < len(names) else None,
            "current": _short(here[i]),
            "reference": _short(there[i]),
            "part": _short(told[i]),
        }
        for i in order.tolist()
        if told[i] > 0
    ]


def _names(told: Shares) -> tuple[str, Sequence[Any]]:
    if not isinstance(told.names, np.ndarray):
        return "category", tuple(told.names)
    names = [_short(x) if np.isfinite(x) else None for x in told.names]
    if len(names) == len(told.counts) - told.missing:
        return "value", names
    return "bin", [list(pair) for pair in pairwise(names)]


def _short(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")
