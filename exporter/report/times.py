"""Windows and moments in words, in the timezone they are given in."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

DAY = timedelta(days=1)
_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def window_said(start: datetime | None, end: datetime | None, zone: tzinfo | None = None) -> str:
    """`Friday 8 February 2013, UTC`; hours where there are some, and how long it is."""
    start, end = _in(start, zone), _in(end, zone)
    if start is None or end is None:
        known = start or end
        return "" if known is None else f"{'from' if start else 'until'} {moment_said(known)}"
    if start.time() == end.time() == time():
        return f"{_days(start, end - DAY)}, {zone_said(start)}"
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{_day(end)}, {end:%H:%M}"
    return (
        f"{_weekday(start)}, {start:%H:%M} to {last} {zone_said(end)} ({length_said(end - start)})"
    )


def window_short(start: datetime | None, end: datetime | None, zone: tzinfo | None = None) -> str:
    """`8 Feb 2013`, with its hour where it does not start at midnight; for tables."""
    shown = _in(start or end, zone)
    if shown is None:
        return ""
    day = f"{shown.day} {shown:%b %Y}"
    return day if shown.time() == time() else f"{day} {shown:%H:%M}"


def moment_said(moment: datetime | None, zone: tzinfo | None = None) -> str:
    """`9 February 2013, 02:00 UTC`."""
    shown = _in(moment, zone)
    return "" if shown is None else f"{_day(shown)}, {shown:%H:%M} {zone_said(shown)}"


def zone_said(moment: datetime) -> str:
    """`UTC`, `EST`, `UTC+01:00`."""
    return moment.tzname() or "no timezone"


def length_said(length: timedelta) -> str:
    """`1 day`, `3 hours`, `90 minutes`: the largest unit that divides it."""
    for unit, word in _UNITS:
        if length >= unit and not length % unit:
            count = length // unit
            return f"{count:,} {word}{'s' * (count != 1)}"
    return f"{length.total_seconds():,g} seconds"


def _in(moment: datetime | None, zone: tzinfo | None) -> datetime | None:
    if moment is None or zone is None or moment.tzinfo is None:
        return moment
    return moment.astimezone(zone)


def _days(first: datetime, last: datetime) -> str:
    """From the first day to the last, both included; a whole month or year by its name."""
    if first.date() >= last.date():
        return _weekday(first)
    after = last + DAY
    if first.day == after.day == 1:
        if first.month == after.month == 1 and after.year == first.year + 1:
            return f"the year {first.year}"
        if (after.year - first.year) * 12 + after.month - first.month == 1:
            return f"{first:%B %Y}"
    count = (last.date() - first.date()).days + 1
    same = first.year == last.year
    start = f"{first.day} {first:%B}" if same else _day(first)
    return f"{start} to {_day(last)} ({count:,} days)"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B} {moment.year}"


def _weekday(moment: datetime) -> str:
    return f"{moment:%A} {_day(moment)}"
