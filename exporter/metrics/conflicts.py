"""Rows that contradict each other: equal features, but another target or prediction."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np

from exporter.metrics._registry import Automatic, Bound, metric
from exporter.profile.arrays import Hashes, Ints
from exporter.profile.rows import Rows

NARROW_AFTER = (2, 6, 14, 30)  # columns: rows that have no double so far are out
_NONE = Automatic(Bound("eq", 0.0), Bound("eq", 0.0))


@metric(per="dataset", unit="rows", better="lower", automatic=_NONE, needs={"target"})
def conflicting_targets(rows: Rows, *, compat: bool = False) -> float:
    """Rows that have the same features as a row with another target; rows without target are left out.

    `compat` counts as Evidently does: rows whose features occur again, but not with their target.
    """
    if rows.schema.target is None:
        raise ValueError("the model has no target")
    return _conflicts(rows, [rows.schema.target], compat=compat)


@metric(per="dataset", unit="rows", better="lower", automatic=_NONE, needs={"prediction"})
def conflicting_predictions(rows: Rows, *, compat: bool = False) -> float:
    """Rows that have the same features as a row with another prediction; `compat` as above."""
    schema = rows.schema
    said = [schema.prediction] if schema.prediction else schema.scores
    if not said:
        raise ValueError("the model has no prediction")
    return _conflicts(rows, said, compat=compat)


def _conflicts(rows: Rows, outcome: Sequence[str], *, compat: bool) -> int:
    features = [name for name in rows.schema.columns() if name in rows.schema.features]
    if not features:
        raise ValueError("the model has no features")
    for name in features:
        if name not in rows.types:
            rows.arrow(name)  # raises: all are looked at, also where a few tell all rows apart
    inside = None
    if not compat:
        inside = np.flatnonzero(~np.any([rows.absent(name) for name in outcome], axis=0))
    inside, alike = _repeated(rows, features, inside)
    if not len(inside):
        return 0
    said = np.zeros(len(inside), np.uint64)
    for name in outcome:
        said += _hashes(rows, name, inside)
    order = np.lexsort((said, alike))
    alike, said = alike[order], said[order]
    starts = np.flatnonzero(np.append(True, alike[1:] != alike[:-1]))
    sizes = np.diff(starts, append=len(alike))
    if not compat:
        return int(sizes[said[starts] != said[starts + sizes - 1]].sum())
    again = (alike[1:] == alike[:-1]) & (said[1:] == said[:-1])
    return int((~(np.append(again, False) | np.append(False, again))).sum())


def _repeated(rows: Rows, features: Sequence[str], inside: Ints | None) -> tuple[Ints, Hashes]:
    """The rows, of those inside, whose features occur again, and a hash of their features."""
    hashes = np.zeros(rows.count if inside is None else len(inside), np.uint64)
    for done, name in enumerate(features, 1):
        hashes += _hashes(rows, name, inside)
        if done in NARROW_AFTER or done == len(features):
            keep = _with_doubles(hashes)
            inside = keep if inside is None else inside[keep]
            hashes = hashes[keep]
        if inside is not None and not len(inside):
            break
    return (np.arange(rows.count) if inside is None else inside), hashes


def _hashes(rows: Rows, name: str, inside: Ints | None) -> Hashes:
    """Different for every column: they must not be exchangeable."""
    return rows.hashes(name)(inside, crc32(name.encode("utf-8", "surrogatepass")))


def _with_doubles(hashes: Hashes) -> Ints:
    """The places of hashes that occur more than once."""
    ordered = np.sort(hashes)
    again = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(again):
        return np.empty(0, np.int64)
    place = np.minimum(np.searchsorted(again, hashes), len(again) - 1)
    return np.flatnonzero(again[place] == hashes)
