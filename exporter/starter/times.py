"""Which column is the time, in which zone it is read, and how long a window should be."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.errors import BatchError
from exporter.profile.arrays import Ints
from exporter.sources.clock import DAY, SECOND, moment
from exporter.sources.tables import as_text, is_text
from exporter.sources.windows import NO_TIME, instants, starts
from exporter.starter.facts import Facts
from exporter.starter.sampling import Sample, Span

LOOKED_AT = 1000  # texts of a column
ENOUGH_ROWS = 300  # of a window
ENOUGH_WINDOWS = 5
SECONDS = {"1h": 3600, "1d": 86400, "1w": 604800, "1mo": 2629800}
REACH = {"1h": "7d", "1d": "28d", "1w": "12w", "1mo": "6mo"}
_BEST = (
    "event_time", "event_timestamp", "eventtime", "timestamp", "ts", "time", "datetime",
    "prediction_time", "scored_at", "created_at", "date", "day", "ds", "dt",
)  # fmt: skip
_GOOD = frozenset((
    "timestamp", "ts", "time", "datetime", "date", "day", "event", "scored", "predicted",
    "prediction", "created", "logged", "observed", "occurred", "ordered", "requested",
))  # fmt: skip
_BAD = frozenset((
    "birth", "birthday", "dob", "updated", "modified", "changed", "deleted", "expires", "expiry",
    "expiration", "end", "until", "due", "closed", "resolved", "label", "labelled", "target",
    "last", "previous", "next", "valid", "hired", "joined", "loaded", "ingested",
))  # fmt: skip
_LIKE_DATE = r"^\s*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b"
_ZONED = r"\d[T ].*(Z|z|[+-]\d\d(:?\d\d)?)\s*$"


class Clock(NamedTuple):
    """The time column, and what is known of its times."""

    name: str
    others: Sequence[str]  # columns of times that were not taken
    times: Ints  # of the sample
    span: Span  # of all data, as far as is known
    zone: str  # the config's
    why: str  # that zone
    missing: int  # rows of the sample without a time


@dataclass(frozen=True, slots=True)
class Windows:
    """How the data are cut."""

    batch: str
    count: int
    rows: int  # of one
    known: bool  # counted, not estimated

    @property
    def said(self) -> str:
        """How many rows a window has."""
        about = "" if self.known else "about "
        size = f"{self.rows:,} row{'s' * (self.rows != 1)}"
        unit = {"1h": "hours", "1d": "days", "1w": "weeks", "1mo": "months"}[self.batch]
        unit = unit[:-1] if self.count == 1 else unit
        return f"{about}{self.count:,} {unit} of {size}"


def clock_of(sample: Sample, facts: Mapping[str, Facts], data: str) -> Clock:
    """The column that windows are cut by; a BatchError that names the nearest where there is none."""
    found = [
        name for name, column in facts.items() if name.strip() and "\0" not in name
        and (_is_time(column) or _reads_as_time(column))
    ]  # fmt: skip
    if not found:
        raise BatchError(_none(facts, data))
    places = list(facts)
    name, *others = sorted(found, key=lambda n: (*_rank(facts[n]), places.index(n)))
    column = facts[name].values
    if piece := next((p for p in sample.pieces if name not in p.table.column_names), None):
        raise BatchError(
            f"{piece.file.path}: has no column {name!r}, the time of the other files: "
            f"name the files that belong together, e.g. '{_pattern(sample, name)}'"
        )
    if sample.is_text:
        column = sample.as_text(name)[name]
    zone, why = _zone(column)
    times = instants(column, zone, name)
    there = times[times != NO_TIME]
    span = sample.span(name) or (int(there.min()), int(there.max()))
    if sample.is_beginning:
        span = span[0], span[0] + round((span[1] - span[0]) / sample.pieces[0].share)
    return Clock(name, others, there, span, zone, why, len(times) - len(there))


def windows_of(clock: Clock, rows: int, *, is_whole: bool) -> Windows:
    """Windows of some hundred rows, and several of them; days, where nothing speaks against them."""
    options = {batch: _cut(clock, batch, rows, is_whole=is_whole) for batch in SECONDS}
    by_hours = options["1h"]
    if options["1d"].count < ENOUGH_WINDOWS:
        fine = by_hours.count >= ENOUGH_WINDOWS and by_hours.rows >= ENOUGH_ROWS / 3
        return by_hours if fine and _has_hours(clock) else options["1d"]
    several = [options[b] for b in ("1d", "1w", "1mo") if options[b].count >= ENOUGH_WINDOWS]
    rhythm = _rhythm(clock)
    for choice in several:
        if choice.rows >= ENOUGH_ROWS and SECONDS[choice.batch] >= rhythm:
            return choice
    return max(several, key=lambda w: (SECONDS[w.batch] >= rhythm, SECONDS[w.batch]))


def system_zone() -> str | None:
    """The zone of this machine's clock, unless that is UTC or cannot be told."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        try:
            place = Path("/etc/localtime").resolve()
        except OSError:
            return None
        name = str(place).rpartition("zoneinfo/")[2]
    return name if "/" in name and not name.startswith(("Etc/", "/")) and is_zone(name) else None


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def day_of(instant: int) -> str:
    """The day of a time, for reading."""
    return f"{moment(instant):%Y-%m-%d}"


def _is_time(column: Facts) -> bool:
    kind = column.values.type
    return column.present > 0 and bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _reads_as_time(column: Facts) -> bool:
    if column.family != "text":
        return False
    texts = as_text(column.values.drop_null().slice(0, LOOKED_AT))
    try:
        times = instants(texts, "UTC", column.name)
    except BatchError:
        return False
    return bool((times != NO_TIME).mean() >= 0.9)


def _rank(column: Facts) -> tuple[int, ...]:
    """The smaller the likelier: many values, a name that says so, more than the day."""
    coverage = column.present / len(column.values)
    name = "_".join(column.words)
    hint = _BEST.index(name) if name in _BEST else 20
    words = set(column.words)
    is_bad = bool(words & _BAD) or (column.distinct == 1 and len(column.values) > 1)
    return (
        0 if coverage >= 0.95 else 1 if coverage >= 0.5 else 2,
        int(is_bad),
        hint,
        int(not words & _GOOD),
        int(pa.types.is_date(column.values.type)),
    )


def _pattern(sample: Sample, name: str) -> str:
    from exporter.starter.naming import family_of

    fitting = next(p.file.path for p in sample.pieces if name in p.table.column_names)
    return str(fitting.with_name(family_of(fitting.name)))


def _zone(column: pa.ChunkedArray) -> tuple[str, str]:
    """The zone to read and cut in, and why."""
    if is_text(column.type):
        texts = as_text(column.drop_null())
        zoned = int(pc.sum(pc.match_substring_regex(texts, _ZONED)).as_py() or 0)
        if zoned == len(texts):
            return "UTC", "the times carry an offset; windows are cut by this clock"
        if zoned:
            return "UTC", "some times carry an offset; the others are read in this zone"
        return "UTC", _naive()
    zone = getattr(column.type, "tz", None)
    if zone is None:
        return "UTC", _naive()
    if zone in ("UTC", "Etc/UTC", "Z", "+00:00") or not is_zone(zone):
        return "UTC", "the times carry a zone; windows are cut by this clock"
    return zone, "the zone that the times carry"


def _naive() -> str:
    mine = system_zone()
    hint = f"this machine's is {mine}" if mine else "or e.g. Europe/Berlin"
    return f"a guess: the times carry no zone; {hint}"


def _cut(clock: Clock, batch: str, rows: int, *, is_whole: bool) -> Windows:
    if is_whole:
        count = len(np.unique(starts(clock.times, batch, clock.zone)))
    else:
        first, last = clock.span
        count = max(round((last - first) / SECOND / SECONDS[batch]), 1)
    return Windows(batch, count, round(rows / count), is_whole)


def _has_hours(clock: Clock) -> bool:
    return bool((clock.times % DAY != clock.times[0] % DAY).any())


def _rhythm(clock: Clock) -> float:
    """How long a window must be, at least, to hold data that come once a week or once a month."""
    gaps = np.diff(np.unique(clock.times // DAY))
    gap = float(np.median(gaps)) if len(gaps) >= 3 else 1.0  # a beginning and an end have one
    return SECONDS["1mo"] if gap >= 25 else SECONDS["1w"] if gap >= 6 else SECONDS["1d"]


def _none(facts: Mapping[str, Facts], data: str) -> str:
    near = [
        f"{name!r} holds {_held(column)}"
        for name, column in facts.items()
        if column.present and (_is_called_time(column) or _looks_like_dates(column))
    ]
    seen = " and ".join(near[:3]) if near else f"it has {', '.join(map(repr, list(facts)[:8]))}"
    return (
        f"{data}: no column holds times, and windows are cut by one: {seen}; write timestamps or "
        "ISO 8601 text (2024-01-31T08:00:00+01:00), or compare two files as they are: "
        "exporter evaluate CURRENT --reference REFERENCE"
    )


def _is_called_time(column: Facts) -> bool:
    return bool(set(column.words) & (_GOOD | {"at", "when", "epoch", "hour", "month", "year"}))


def _looks_like_dates(column: Facts) -> bool:
    if column.family != "text":
        return False
    texts = as_text(column.values.drop_null().slice(0, LOOKED_AT))
    return int(pc.sum(pc.match_substring_regex(texts, _LIKE_DATE)).as_py() or 0) > len(texts) / 2


def _held(column: Facts) -> str:
    kind = {"number": "numbers", "text": "text"}.get(column.family, str(column.values.type))
    return f"{kind} such as {column.example}"
