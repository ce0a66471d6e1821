"""Windows: hours, days, weeks and months of a time zone, cut so that every instant lies in exactly one.

A window begins at the first instant at which the wall clock shows its beginning (after the gap, where
the clock skips it) and ends where the next one begins. Hours are cut on instants, so the hour that
comes twice in autumn is two windows.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.batch import Window
from exporter.errors import BatchError
from exporter.profile.arrays import Bools, Ints
from exporter.sources.buffers import absent, booleans, mask, microseconds, null_where
from exporter.sources.clock import (
    DAY,
    EARLIEST,
    LATEST,
    SECOND,
    changes,
    moment,
    to_instants,
    to_local,
)

HOUR = 3600 * SECOND
MONTH = 2_629_800  # seconds: what a configured `1mo` is
NO_TIME = int(np.iinfo(np.int64).min)
_MONDAY = 3  # days from the Monday before 1970 to 1970-01-01, a Thursday
_ISO = (
    r"^\s*\d{4}-\d\d?-\d\d?([T ]\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?)?\s*(Z|z|[+-]\d\d(:?\d\d)?)?\s*$"
)
_ZONED = r"\d[T ].*(Z|z|[+-]\d\d(:?\d\d)?)\s*$"


def instants(column: pa.ChunkedArray, zone: str, name: str) -> Ints:
    """The column as UTC microseconds, NO_TIME where there is none; naive times are read in *zone*.

    An hour that comes twice is the first; a time that the clock skips is the first instant after
    the gap. Raises BatchError for numbers, and for text of which nothing is a time.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    if pa.types.is_null(kind):
        return np.full(len(column), NO_TIME)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return _read(column.cast(pa.string()), zone, name)
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise BatchError(_no_times(name, kind))
    naive = getattr(kind, "tz", None) is None
    return _instants(microseconds(column), absent(column), zone if naive else None)


def starts(times: Ints, batch: str, zone: str) -> Ints:
    """For every instant the start of its window, in UTC microseconds; NO_TIME stays."""
    known = times != NO_TIME
    there = times[known]
    out = np.full(len(times), NO_TIME)
    if len(there):
        out[known] = _hours(there, zone) if batch == "1h" else _calendar(there, batch, zone)
    return out


def window_from(start: int, batch: str, zone: str) -> Window:
    """The window that begins at *start* (UTC microseconds)."""
    return Window(moment(start), moment(end_of(int(start), batch, zone)))


@lru_cache(maxsize=100_000)
def end_of(start: int, batch: str, zone: str) -> int:
    """Where the window that begins at *start* ends, both in UTC microseconds."""
    if batch == "1h":
        offset = int(to_local(np.array([start]), zone)[0]) - start
        end = (start + offset) // HOUR * HOUR + HOUR - offset
        at, moved = changes(np.array([start]), zone)
        cuts = at[(moved % HOUR != 0) & (at > start)]
        return int(min([end, *cuts.tolist()]))
    local = int(to_local(np.array([start]), zone)[0])
    return int(to_instants(np.array([_next_floor(_floor(local, batch), batch)]), zone)[0])


def back(end: int, seconds: float, batch: str, zone: str) -> int:
    """The instant so long before a window's boundary, counted on the calendar: days are days of any length.

    Of monthly windows whole months are counted, whatever their days.
    """
    local = int(to_local(np.array([end]), zone)[0])
    if batch == "1h":
        return end - round(seconds * SECOND)
    if batch == "1mo":
        months = np.array([local], "M8[us]").astype("M8[M]") - max(round(seconds / MONTH), 1)
        earlier = int(months.astype("M8[us]").astype(np.int64)[0])
    else:
        earlier = local - round(seconds * SECOND)
    return int(to_instants(np.array([earlier]), zone)[0])


def _hours(times: Ints, zone: str) -> Ints:
    """Hours of the wall clock; where the clock moves by less than an hour, one is cut short."""
    offset = to_local(times, zone) - times
    floors: Ints = (times + offset) // HOUR * HOUR - offset
    at, moved = changes(times, zone)
    cuts = at[moved % HOUR != 0]
    if len(cuts):
        edges = np.concatenate(([NO_TIME], cuts))
        floors = np.maximum(floors, edges[np.searchsorted(edges, times, "right") - 1])
    return floors


def _calendar(times: Ints, batch: str, zone: str) -> Ints:
    """Days, weeks or months; found among the boundaries around, as a clock may go back over midnight."""
    floors = np.unique(_floors(to_local(times, zone), batch))
    around = np.unique(
        np.concatenate((floors, _floors(floors - DAY, batch), _next_floors(floors, batch)))
    )
    boundaries = np.unique(to_instants(around, zone))
    found: Ints = boundaries[np.searchsorted(boundaries, times, "right") - 1]
    return found


def _floors(local: Ints, batch: str) -> Ints:
    if batch == "1mo":
        return local.astype("M8[us]").astype("M8[M]").astype("M8[us]").astype(np.int64)
    days = local // DAY
    return (days if batch == "1d" else (days + _MONDAY) // 7 * 7 - _MONDAY) * DAY


def _next_floors(floors: Ints, batch: str) -> Ints:
    if batch == "1mo":
        return _floors(floors + 32 * DAY, batch)
    return floors + (DAY if batch == "1d" else 7 * DAY)


def _floor(local: int, batch: str) -> int:
    return int(_floors(np.array([local]), batch)[0])


def _next_floor(floor: int, batch: str) -> int:
    return int(_next_floors(np.array([floor]), batch)[0])


def _instants(times: Ints, unknown: Bools, zone: str | None) -> Ints:
    """Microseconds, wall clock or UTC, as instants; years that no calendar reaches are no times."""
    out = np.where((times < EARLIEST) | (times > LATEST) | unknown, NO_TIME, times)
    there = out != NO_TIME
    if zone is not None and there.any():
        out[there] = to_instants(out[there], zone)
    return out


def _read(texts: pa.ChunkedArray, zone: str, name: str) -> Ints:
    """ISO 8601 with and without a zone, also mixed; a text that is no time is none, unless all are so."""
    readable = pc.match_substring_regex(texts, _ISO)
    some = pc.any(readable).as_py()
    if not some and texts.null_count < len(texts):
        example = texts.drop_null()[0].as_py()
        raise BatchError(
            f"time column {name!r} holds text such as {example[:40]!r}, which is no time: "
            "write ISO 8601, e.g. 2024-01-31T08:00:00+01:00"
        )
    texts = pc.utf8_trim_whitespace(null_where(pc.invert(readable), texts))
    zoned = booleans(pc.match_substring_regex(texts, _ZONED))
    out = np.full(len(texts), NO_TIME)
    for has_zone in (True, False):
        chosen = null_where(mask(zoned != has_zone), texts)
        if chosen.null_count == len(chosen):
            continue
        times = _parsed(chosen, zoned=has_zone)
        found = _instants(microseconds(times), absent(times), None if has_zone else zone)
        out = np.where(found == NO_TIME, out, found)
    return out


def _parsed(texts: pa.ChunkedArray, *, zoned: bool) -> pa.ChunkedArray:
    kind = pa.timestamp("us", "UTC") if zoned else pa.timestamp("us")
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:  # an odd spelling among many: one by one, with what Python reads
        from datetime import datetime

        def one(text: str | None) -> datetime | None:
            try:
                return None if text is None else datetime.fromisoformat(text.replace("z", "Z"))
            except ValueError:
                return None

        return pa.chunked_array([pa.array([one(x) for x in texts.to_pylist()], kind)])


def _no_times(name: str, kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return (
            f"time column {name!r} holds numbers ({kind}), and nobody can tell their unit or zone: "
            "write timestamps or ISO 8601 text"
        )
    return f"time column {name!r} holds {kind}, not times: write timestamps or ISO 8601 text"
