"""Checks of a shop's own: a metric, a metric of whole batches, a drift method and a descriptor.

The config beside this file names the module under `plugins:`; nothing else has to be installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter import descriptor, drift_method, metric
from exporter.metrics import Automatic, Bound
from exporter.profile.column import NumericProfile
from exporter.profile.table import TableProfile

NO_MORE_THAN_BEFORE = Automatic(beside=Bound("lte", relative=0.5))  # of the reference's figure


@metric(per="column", unit="ratio", better="lower", automatic=NO_MORE_THAN_BEFORE)
def round_ratio(column: NumericProfile, *, to: float = 10.0) -> float:
    """Share of the values that are multiples of a round number: typed in, not measured."""
    points = column.points
    counts = np.ones(len(points.values)) if points.counts is None else points.counts
    is_round = np.isclose(points.values % to, 0)
    return float(counts[is_round].sum() / counts.sum())


@metric(per="dataset", unit="ratio", better="higher")
def complete_ratio(table: TableProfile) -> float:
    """Share of the rows that miss nothing."""
    return 1 - table.rows_with_missing / table.rows


@drift_method(kinds=("numerical",), threshold=0.25)
def median_shift(current: NumericProfile, reference: NumericProfile) -> float:
    """How far the median has moved, in interquartile ranges of the reference."""
    low, high = (reference.points.quantile(q).value for q in (0.25, 0.75))
    moved = current.points.quantile(0.5).value - reference.points.quantile(0.5).value
    return float(abs(moved) / max(high - low, 1e-12))


@descriptor(kind="numerical", distinct=True)
def shouting(texts: Any, *, least: int = 3) -> list[float | None]:
    """Share of the letters that are capitals; none where there are fewer letters than `least`."""
    return [_shouting(text, least) for text in texts.to_pylist()]


def _shouting(text: str, least: int) -> float | None:
    letters = [c for c in text if c.isalpha()]
    return sum(c.isupper() for c in letters) / len(letters) if len(letters) >= least else None
