"""The wall clock of a time zone, for whole arrays of instants.

Arrow reads the system's time zones and Python those of `tzdata` where the system has none: windows
that are cut with one and named with the other would not tile time. Everything here asks Python's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from exporter.profile.arrays import Ints

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = round((datetime(2, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND
LATEST = round((datetime(9998, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND
_Changes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def micros(moment: datetime) -> int:
    """An aware moment as microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(instant: int) -> datetime:
    """Microseconds since 1970 as an aware moment in UTC."""
    return EPOCH + timedelta(microseconds=int(instant))


def to_local(instants: Ints, zone: str) -> Ints:
    """What the wall clock shows at these instants, as microseconds since its own 1970."""
    at, before, after = _changes_around(instants, zone)
    offsets = np.concatenate((before[:1], after))
    return instants + offsets[np.searchsorted(at, instants, "right")]


def to_instants(local: Ints, zone: str) -> Ints:
    """The first instant at which the wall clock shows these times, or the end of the gap they lie in."""
    at, before, after = _changes_around(local, zone)
    offsets = np.concatenate((before[:1], after))
    passed = np.searchsorted(at + before, local, "right")
    floor = np.concatenate(([np.iinfo(np.int64).min], at))
    found: Ints = np.maximum(local - offsets[passed], floor[passed])
    return found


def changes(times: Ints, zone: str) -> tuple[Ints, Ints]:
    """The instants around these times at which the zone's offset changes, and by how much."""
    at, before, after = _changes_around(times, zone)
    moved = before != after
    return at[moved], (after - before)[moved]


def _changes_around(times: Ints, zone: str) -> tuple[Ints, Ints, Ints]:
    """Every change of the offset in the years of these times and one day around them.

    The first entry is no change: it carries the offset before all others.
    """
    if not len(times):
        return np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    around = np.concatenate((times - DAY, times + DAY))
    years = np.unique(around.astype("M8[us]").astype("M8[Y]").astype(np.int64)) + 1970
    found = [_changes_of(int(year), zone) for year in years]
    at, before, after = (
        np.array([x for year in found for x in year[i]], np.int64) for i in range(3)
    )
    return at, before, after


@lru_cache(maxsize=1024)
def _changes_of(year: int, zone: str) -> _Changes:
    """The offset at the year's start (as a change from itself), then the year's changes."""
    clock = ZoneInfo(zone)
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    first = _offset(start, clock)
    at, before, after = [micros(start)], [first], [first]
    day, known = start, first
    while day < end:
        following = min(day + timedelta(days=1), end)
        offset = _offset(following, clock)
        if offset != known:
            at.append(micros(_moment_of_change(day, following, clock)))
            before.append(known)
            after.append(offset)
            known = offset
        day = following
    return tuple(at), tuple(before), tuple(after)


def _moment_of_change(low: datetime, high: datetime, clock: ZoneInfo) -> datetime:
    """The first second of the new offset; it lies in (low, high]."""
    old = _offset(low, clock)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if _offset(middle, clock) == old else (low, middle)
    return high


def _offset(at: datetime, clock: ZoneInfo) -> int:
    offset = at.astimezone(clock).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
