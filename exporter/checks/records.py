"""What comes new in the windows of a reference: values beyond the range so far, categories not seen so far.

A value beyond four weeks' range is rare, but where the values of a window go together, as those of
one day's weather do, it brings others with it. How many is learnt by judging the reference's
windows one after the other, each by those before it; and the other way round, for any order is as
good. The first seventh only begins: a window is judged by enough others to be a record, not a start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from math import inf

import numpy as np

from exporter.profile.column import CategoryProfile, ColumnProfile, Moments, NumericProfile

START = 7  # the part of the windows that only begins
Pair = tuple[ColumnProfile, ColumnProfile]  # of a window, and of what it is judged by


class Records:
    """A column's windows, in the order of time; None where a window has no such column.

    The references made here are of the range, or of those of a window's categories that are known:
    of the rest nobody asks who counts what is new.
    """

    def __init__(self, whole: ColumnProfile, windows: Sequence[ColumnProfile | None]) -> None:
        self._whole = whole
        self._windows = windows
        self._rarely: dict[int, ColumnProfile] | None = None

    def others(self, place: int) -> ColumnProfile:
        """The reference without one window, as far as range and categories go."""
        if self._rarely is None:
            self._rarely = self._without_each()
        return self._rarely.get(place, self._whole)

    def broken(self) -> Iterator[Pair]:
        """Windows that have what those before them had not, beside these.

        Not of categories that come new in most windows: what they bring is told well enough by each
        window beside all others, and an early one has more of it than a late one.
        """
        for order in (self._windows, self._windows[::-1]):
            there = [column for column in order if column is not None and column.count]
            if isinstance(self._whole, CategoryProfile):
                yield from _new_labels(self._whole, there)
            elif isinstance(self._whole, NumericProfile):
                yield from _new_extremes(self._whole, there)

    def _without_each(self) -> dict[int, ColumnProfile]:
        if isinstance(self._whole, CategoryProfile):
            return _without_rare_labels(self._whole, self._windows)
        if isinstance(self._whole, NumericProfile):
            return _without_extremes(self._whole, self._windows)
        return {}


def _start(windows: Sequence[ColumnProfile]) -> int:
    return -(-len(windows) // START)


def _new_labels(whole: CategoryProfile, windows: Sequence[ColumnProfile]) -> list[Pair]:
    found: list[Pair] = []
    known: set[str] = set()
    for place, window in enumerate(windows):
        if not isinstance(window, CategoryProfile):
            continue
        if place >= _start(windows) and not known.issuperset(window.labels):
            mine = tuple([label for label in window.labels if label in known])
            found.append((window, _of_labels(whole, mine)))
        if 2 * len(found) > len(windows):
            return []
        known.update(window.labels)
    return found


def _new_extremes(whole: NumericProfile, windows: Sequence[ColumnProfile]) -> list[Pair]:
    found: list[Pair] = []
    least, most = inf, -inf
    for place, window in enumerate(windows):
        if not isinstance(window, NumericProfile):
            continue
        low, high = window.moments.least, window.moments.most
        if place >= _start(windows) and (low < least or high > most):
            found.append((window, _of_range(whole, least, most)))
        least, most = min(least, low), max(most, high)
    return found


def _without_rare_labels(
    whole: CategoryProfile, windows: Sequence[ColumnProfile | None]
) -> dict[int, ColumnProfile]:
    """What the others have of a window's own categories; of the rest nobody asks."""
    found = [column if isinstance(column, CategoryProfile) else None for column in windows]
    spread = Counter(chain.from_iterable(column.labels for column in found if column))
    return {
        place: _of_labels(whole, tuple([label for label in column.labels if spread[label] > 1]))
        for place, column in enumerate(found)
        if column
    }


def _without_extremes(
    whole: NumericProfile, windows: Sequence[ColumnProfile | None]
) -> dict[int, ColumnProfile]:
    moments = {
        place: column.moments
        for place, column in enumerate(windows)
        if isinstance(column, NumericProfile) and column.count
    }
    lows = [*sorted([m.least for m in moments.values()]), inf, inf]
    highs = [*sorted([m.most for m in moments.values()], reverse=True), -inf, -inf]
    found: dict[int, ColumnProfile] = {}
    for place, m in moments.items():
        least, most = lows[m.least == lows[0]], highs[m.most == highs[0]]
        if least <= most:  # else no other window has values
            found[place] = _of_range(whole, least, most)
    return found


def _of_labels(whole: CategoryProfile, labels: tuple[str, ...]) -> CategoryProfile:
    counts = np.ones(len(labels), np.int64)  # which there are is asked, not how often
    return CategoryProfile(whole.name, whole.rows, whole.missing, labels, counts)


def _of_range(whole: NumericProfile, least: float, most: float) -> NumericProfile:
    m = whole.moments
    return NumericProfile(
        whole.name, whole.rows, whole.missing, whole.infinite, whole.distinct,
        Moments(m.count, m.mean, m.squares, least, most), whole.points,
    )  # fmt: skip
