"""Profiles of parts become the profile of the whole: a commutative monoid, so that order and grouping do not matter.

Counts, points, categories and row hashes add up exactly; means and variances up to rounding. Two
figures of a table are as exact as the sieve that finds them: see `TableProfile`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TypeVar

import numpy as np

from exporter.errors import BatchError
from exporter.profile.arrays import Floats, Hashes, Ints
from exporter.profile.column import (
    CategoryProfile,
    ColumnProfile,
    Moments,
    NumericProfile,
    OpaqueProfile,
    TimeProfile,
    frequency_order,
    time_profile,
)
from exporter.profile.outcome import (
    MOST_CLASSES,
    ErrorProfile,
    Outcome,
    ScoreProfile,
    Side,
    negative_label,
)
from exporter.profile.points import grid_of, merged_points, slabs_of
from exporter.profile.ranking import RankingProfile, merge_rankings
from exporter.profile.table import merged_table

Part = TypeVar("Part")

__all__ = ["merge_columns", "merge_outcomes", "merge_tables"]

merge_tables = merged_table


def merge_columns(parts: Sequence[ColumnProfile], *, gridded: bool = False) -> ColumnProfile:
    """The profile of a column from those of its parts, of which there is at least one.

    `gridded`: also the grid, for a reference. Raises BatchError where parts are of different kinds.
    """
    if numeric := _all(parts, NumericProfile):
        return _numeric(numeric, gridded=gridded)
    if categories := _all(parts, CategoryProfile):
        return _category(categories)
    if times := _all(parts, TimeProfile):
        ends = np.array([(part.first, part.last) for part in times])
        first, last = np.fmin.reduce(ends[:, 0]), np.fmax.reduce(ends[:, 1])
        return time_profile(_opaque(times), float(first), float(last))
    if opaque := _all(parts, OpaqueProfile):
        return _opaque(opaque)
    raise BatchError(f"column {parts[0].name!r} is of another kind in some of the parts")


def merge_outcomes(parts: Sequence[Outcome | None]) -> Outcome | None:
    """The error, score or ranking profile of the whole; parts that have none add nothing."""
    there = [part for part in parts if part is not None]
    if errors := _all(there, ErrorProfile):
        return ErrorProfile(
            _numeric([part.errors for part in errors]),
            _moments([part.absolute for part in errors]),
            _moments([part.percent for part in errors]),
            _numeric([part.target for part in errors]),
        )
    if scores := _all(there, ScoreProfile):
        return _scores(scores)
    if rankings := _all(there, RankingProfile):
        return merge_rankings(rankings)
    if there:
        raise BatchError("some parts are of one task and others of another")
    return None


def _all(parts: Sequence[object], kind: type[Part]) -> list[Part]:
    """The parts, if all are of that kind."""
    found = [part for part in parts if isinstance(part, kind)]
    return found if len(found) == len(parts) else []


def _numeric(parts: Sequence[NumericProfile], *, gridded: bool = False) -> NumericProfile:
    points, distinct = merged_points([part.points for part in parts])
    return NumericProfile(
        parts[0].name,
        sum(part.rows for part in parts),
        sum(part.missing for part in parts),
        sum(part.infinite for part in parts),
        distinct,
        _moments([part.moments for part in parts]),
        points,
        slabs_of(points, grid_of(points)) if gridded else None,
        sum(part.negative_infinite for part in parts),
        _replaced(parts),
    )


def _replaced(parts: Sequence[ColumnProfile]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.replaced)
    return dict(total)


def _moments(parts: Sequence[Moments]) -> Moments:
    return reduce(add, parts, Moments())


def _category(parts: Sequence[CategoryProfile]) -> CategoryProfile:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part.count_of)
    labels = list(total)
    counts = np.fromiter(total.values(), np.int64, len(total))
    order = frequency_order(labels, counts)
    return CategoryProfile(
        parts[0].name,
        sum(part.rows for part in parts),
        sum(part.missing for part in parts),
        tuple([labels[i] for i in order]),
        counts[order],
        _replaced(parts),
    )


def _opaque(parts: Sequence[OpaqueProfile]) -> OpaqueProfile:
    name, rows, missing = parts[0].name, sum(p.rows for p in parts), sum(p.missing for p in parts)
    empty, replaced = sum(p.empty for p in parts), _replaced(parts)
    kept = [(p.values, p.counts) for p in parts if p.values is not None and p.counts is not None]
    if len(kept) < len(parts):  # not made for merging: what is known without the values
        distinct, top = max(p.distinct for p in parts), max(p.top for p in parts)
        return OpaqueProfile(name, rows, missing, distinct, top, empty=empty, replaced=replaced)
    values, counts = _counted(kept)
    top = int(counts.max(initial=0))
    return OpaqueProfile(name, rows, missing, len(values), top, values, counts, empty, replaced)


def _counted(parts: Sequence[tuple[Hashes, Ints]]) -> tuple[Hashes, Ints]:
    values, place = np.unique(np.concatenate([v for v, _ in parts]), return_inverse=True)
    counts = np.zeros(len(values), np.int64)
    np.add.at(counts, place, np.concatenate([c for _, c in parts]))
    return values, counts


def _scores(parts: Sequence[ScoreProfile]) -> ScoreProfile | None:
    if len({part.binary for part in parts}) > 1:
        raise BatchError("some parts are of a binary classifier and others of one of more classes")
    labels = _labels(parts)
    if len(labels) > MOST_CLASSES:  # each part had fewer: together they are no classes
        return None
    weights = np.array([part.scored for part in parts], np.float64)
    return ScoreProfile(
        labels,
        _matrix(parts, labels),
        _sides(parts),
        _mean([part.log_loss for part in parts], weights),
        _mean([part.brier for part in parts], weights),
        parts[0].binary,
    )


def _labels(parts: Sequence[ScoreProfile]) -> tuple[str, ...]:
    if not parts[0].binary:
        return tuple(sorted({label for part in parts for label in part.labels}))
    positive = parts[0].labels[1]
    return negative_label(_negatives(parts), positive), positive


def _matrix(parts: Sequence[ScoreProfile], labels: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    cells = np.zeros((len(labels), len(labels)), np.int64)
    place = {label: i for i, label in enumerate(labels)}
    for part in parts:
        at = [0, 1] if part.binary else [place[label] for label in part.labels]
        if at:
            cells[np.ix_(at, at)] += np.array(part.matrix)
    return tuple([tuple(row) for row in cells.tolist()])


def _sides(parts: Sequence[ScoreProfile]) -> dict[str, Side]:
    """By class; a part without one has no row with all probabilities."""
    found: dict[str, list[Side]] = {}
    for part in parts:
        for label, side in part.sides.items():
            found.setdefault(label, []).append(side)
    return {
        label: Side(_numeric([x.own for x in sides]), _numeric([x.others for x in sides]))
        for label, sides in found.items()
    }


def _negatives(parts: Sequence[ScoreProfile]) -> set[str]:
    """The names that the parts have for the other class; one that was made up gives way to a real one."""
    found = {part.labels[0] for part in parts}
    return found - {negative_label(set(), parts[0].labels[1])} or found


def _mean(values: Sequence[float], weights: Floats) -> float:
    there = weights > 0
    if not there.any():
        return float("nan")
    return float(np.average(np.array(values)[there], weights=weights[there]))
