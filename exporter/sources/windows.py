"""Windows: hours, days, weeks and months of a time zone, cut so that every instant lies in exactly one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.batch import Window
from exporter.errors import BatchError
from exporter.profile.arrays import Ints

HOUR = 3_600_000_000
NO_TIME = np.iinfo(np.int64).min
_UNITS = {"1d": "day", "1w": "week", "1mo": "month"}
_EPOCH = datetime(1970, 1, 1)


def instants(column: pa.ChunkedArray, zone: str, name: str) -> pa.ChunkedArray:
    """The column as UTC microseconds; naive times are read in *zone*.

    The hour that comes twice is the first, a time that the clock skips is the first instant after
    the gap; what cannot be read as a time is missing.
    """
    kind = column.type
    try:
        if pa.types.is_null(kind):
            return pa.chunked_array([pa.nulls(len(column), pa.timestamp("us", "UTC"))])
        if (
            pa.types.is_string(kind)
            or pa.types.is_large_string(kind)
            or pa.types.is_dictionary(kind)
        ):
            column = _read(column.cast(pa.string()))
            kind = column.type
        if pa.types.is_date(kind):
            column, kind = column.cast(pa.timestamp("us")), pa.timestamp("us")
        if not pa.types.is_timestamp(kind):
            raise BatchError(f"time column {name!r} holds {kind}, not times")
        column = column.cast(pa.timestamp("us", kind.tz), safe=False)
        if kind.tz is None:
            column = pc.assume_timezone(column, zone, ambiguous="earliest", nonexistent="latest")
        return column.cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid as error:
        raise BatchError(f"time column {name!r}: {error}") from error


def starts(times: pa.ChunkedArray, batch: str, zone: str) -> Ints:
    """For every instant the start of its window, in UTC microseconds; NO_TIME where it is missing."""
    absent = np.asarray(times.is_null().combine_chunks().to_numpy(zero_copy_only=False))
    utc = pc.fill_null(times, 0).combine_chunks()
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", zone)))
    flat = utc.cast(pa.int64()).to_numpy()
    if batch == "1h":  # the two hours of autumn are two windows: floors are taken on instants
        shift = (local.cast(pa.int64()).to_numpy() - flat) % HOUR
        out = (flat + shift) // HOUR * HOUR - shift
    else:
        floors = pc.floor_temporal(local, unit=_UNITS[batch]).cast(pa.int64()).to_numpy()
        each, place = np.unique(floors, return_inverse=True)
        out = np.array([_micros(_local_start(int(x), zone)) for x in each], np.int64)[place]
    return np.where(absent, NO_TIME, out)


def window_from(start: int, batch: str, zone: str) -> Window:
    """The window that begins at *start* (UTC microseconds)."""
    begin = datetime.fromtimestamp(start // 1_000_000, UTC)
    if batch == "1h":
        return Window(begin, begin + timedelta(hours=1))
    local = begin.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if batch == "1mo":
        end = (local.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        end = local + timedelta(days=7 if batch == "1w" else 1)
    end = end.replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(begin, end.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))


def _read(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    zoned = pc.match_substring_regex(texts, r"(Z|[+-]\d\d:?\d\d)$")
    kind = pa.timestamp("us", "UTC") if pc.any(zoned).as_py() else pa.timestamp("us")
    return texts.cast(kind)


def _local_start(floor: int, zone: str) -> datetime:
    return (_EPOCH + timedelta(microseconds=floor)).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _micros(moment: datetime) -> int:
    return round((moment.replace(tzinfo=None) - _EPOCH).total_seconds() * 1e6)
