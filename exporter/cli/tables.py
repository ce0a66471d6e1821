"""Tables on a terminal, plain lines for everybody else; and figures as people read them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite
from unicodedata import category
from zoneinfo import ZoneInfo

STYLES = {
    "success": "green",
    "warning": "yellow",
    "fail": "bold red",
    "error": "bold magenta",
    "skipped": "dim",
}


def print_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """The rows as a table; columns named in *right* are numbers.

    Where stdout is no terminal: aligned lines, nothing cut off, nothing coloured.
    """
    if sys.stdout.isatty():
        _rich_table(headers, rows, right)
        return
    lines = [headers, *([one_line(text) for text in row] for row in rows)]
    widths = [max(len(row[i]) for row in lines) for i in range(len(headers))]
    for row in lines:
        cells = [
            text.rjust(width) if name in right else text.ljust(width)
            for name, text, width in zip(headers, row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())  # noqa: T201  results go to stdout


def figure(value: float | None) -> str:
    """A number to five digits."""
    if value is None or not isfinite(value):
        return ""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.5g}"


def many(count: int, what: str) -> str:
    """`1 snapshot`, `2,564 snapshots`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def lasting(seconds: float) -> str:
    """`2 days 3 hours`, `50 minutes`: a length in its two largest units."""
    minutes = max(round(seconds / 60), 1)
    days, hours = divmod(minutes // 60, 24)
    parts = [(days, "day"), (hours, "hour"), (minutes % 60, "minute")]
    first = next(i for i, (count, _) in enumerate(parts) if count)
    return " ".join(many(count, unit) for count, unit in parts[first : first + 2] if count)


def window_of(start: datetime | None, end: datetime | None, zone: str) -> str:
    """A window as short as it can be told: a day, an hour, a month, or its two ends."""
    if start is None or end is None:
        return ""
    begin, until = (moment.astimezone(ZoneInfo(zone)) for moment in (start, end))
    if begin.hour == begin.minute == 0 and until.date() == begin.date() + timedelta(days=1):
        return f"{begin:%Y-%m-%d}"
    if begin.day == until.day == 1 and until.date() - begin.date() <= timedelta(days=31):
        return f"{begin:%Y-%m}"
    if begin.hour == until.hour == begin.minute == until.minute == 0:
        return f"{begin:%Y-%m-%d} – {until - timedelta(days=1):%Y-%m-%d}"
    ending = f"{until:%H:%M}" if begin.date() == until.date() else f"{until:%Y-%m-%d %H:%M}"
    return f"{begin:%Y-%m-%d %H:%M} – {ending}"


def tags_text(tags: dict[str, str]) -> str:
    """Tags as `arm=champion, version=3`."""
    return ", ".join(f"{name}={value}" for name, value in tags.items())


def _rich_table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    used = [i for i in range(len(headers)) if any(row[i] for row in rows)]  # empty ones cost width
    for name in (headers[i] for i in used):
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(row[i]), STYLES.get(row[i], "")) for i in used))
    Console().print(table)


def one_line(text: str) -> str:
    """The text on one line, without what would move the cursor or change a terminal's colours."""
    if text.isprintable():
        return text
    flat = " ".join(text.split())
    return "".join("\N{REPLACEMENT CHARACTER}" if category(c) == "Cc" else c for c in flat)
