"""A column's distribution as a small drawing: the batch as bars, the reference as a line beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exporter.report.numbers import measure, number
from exporter.snapshot import Distribution

WIDTH, HEIGHT = 320, 96  # of the plotting area of numbers
APART = 6  # between the overflow bins and the others
MOST_CATEGORIES = 7  # that have a bar of their own
ROW, BAR_FROM, BAR_TO = 17, 112, 262  # of a category


@dataclass(frozen=True, slots=True)
class Ticked:
    """A label under the bins: where, which way it grows, and what it says."""

    x: int
    anchor: str  # nothing: it grows to the right
    text: str


@dataclass(frozen=True, slots=True)
class Bins:
    """The drawing of a numeric column."""

    bars: str  # a thick stroke each
    thick: int
    line: str
    ticks: Sequence[Ticked]
    said: str
    width: int = WIDTH
    height: int = HEIGHT + 18


@dataclass(frozen=True, slots=True)
class CategoryBar:
    """One category: its name and share, and where they stand."""

    name: str
    y: int
    share: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The drawing of a categorical column."""

    rows: Sequence[CategoryBar]
    bars: str
    marks: str  # the reference
    said: str
    height: int
    thick: int = ROW - 6
    width: int = WIDTH
    start: int = BAR_FROM


Drawing = Bins | Bars


def drawing_of(found: Distribution | None) -> Drawing | None:
    """The drawing of a distribution; None where there is none, or no value on either side."""
    if found is None or not (sum(found.current) or sum(found.reference or ())):
        return None
    current, reference = _shares(found.current), _shares(found.reference)
    if found.categories is not None:
        return _categories(found.categories, current, reference)
    edges = list(found.edges or ())
    if not edges or len(found.current) != len(edges) + 1:
        return None
    return _numbers(edges, current, reference)


def _shares(counts: Sequence[int] | None) -> list[float]:
    """Of all values; empty where there are none."""
    whole = sum(counts or ())
    return [count / whole for count in counts or ()] if whole else []


def _numbers(edges: Sequence[float], current: list[float], reference: list[float]) -> Bins:
    spans = _spans(len(edges) + 1)
    top = max(*current, *reference, 1e-9)
    said = f"Batch: {_peak(edges, current)}."
    if reference:
        said += f" Reference: {_peak(edges, reference)}."
    thick = spans[0][1] - spans[0][0] - 1
    return Bins(
        _bars(spans, current, top), thick, _line(spans, reference, top), _ticks(edges, spans), said
    )


def _ticks(edges: Sequence[float], spans: Sequence[tuple[int, int]]) -> list[Ticked]:
    """The outer edges, and what lies beyond them."""
    first, last = number(edges[0]), number(edges[-1])
    if len(edges) == 1:
        return [Ticked(0, "", f"below {first}"), Ticked(WIDTH, "end", f"{first} and above")]
    below, above = sum(spans[0]) // 2, sum(spans[-1]) // 2
    return [
        Ticked(below, "middle", "<"),
        Ticked(spans[1][0], "", first),
        Ticked(spans[-2][1], "end", last),
        Ticked(above, "middle", "≥"),
    ]


def _spans(bins: int) -> list[tuple[int, int]]:
    """Left and right of each bin; the overflow bins stand a little apart."""
    step = (WIDTH - 2 * APART) / bins
    shift = [0, *[APART] * (bins - 2), 2 * APART] if bins > 1 else [0]
    return [(round(i * step) + by, round((i + 1) * step) + by) for i, by in enumerate(shift)]


def _height(share: float, top: float) -> int:
    """At least one where there is anything at all."""
    return max(round(HEIGHT * share / top), 1 if share else 0)


def _bars(spans: Sequence[tuple[int, int]], shares: Sequence[float], top: float) -> str:
    heights = [_height(share, top) for share in shares]
    return "".join(
        f"M{(left + right) // 2} {HEIGHT}V{HEIGHT - tall}"
        for (left, right), tall in zip(spans, heights, strict=False)
        if tall
    )


def _line(spans: Sequence[tuple[int, int]], shares: Sequence[float], top: float) -> str:
    """Steps along the tops of the bins, broken before the overflow bins."""
    steps: list[tuple[str, int, int]] = []  # how it gets there, at which height, how far it goes
    for i, (left, right) in enumerate(spans[: len(shares)]):
        y = HEIGHT - _height(shares[i], top)
        joined = 1 < i < len(spans) - 1
        if joined and steps[-1][1] == y:
            start, _, length = steps.pop()
            steps.append((start, y, length + right - left))
        else:
            steps.append((f"V{y}" if joined else f"M{left} {y}", y, right - left))
    return "".join(f"{start}h{length}" for start, _, length in steps)


def _peak(edges: Sequence[float], shares: Sequence[float]) -> str:
    """Where most values lie."""
    if not shares:
        return "no values"
    most = max(range(len(shares)), key=shares.__getitem__)
    part = measure(shares[most], "ratio", 3)
    if most == 0:
        return f"{part} below {number(edges[0])}"
    if most == len(edges):
        return f"{part} at or above {number(edges[-1])}"
    return f"{part} from {number(edges[most - 1])} to {number(edges[most])}"


def _categories(names: Sequence[str], current: list[float], reference: list[float]) -> Bars:
    here = current or [0.0] * len(names)
    there = reference or [0.0] * len(names)
    rows = _folded(list(zip(names, here, there, strict=False)))
    top = max((max(a, b) for _, a, b in rows), default=0) or 1.0
    length = BAR_TO - BAR_FROM
    ends = [(i * ROW, a and max(round(length * a / top), 1), round(length * b / top)) for i, (_, a, b) in enumerate(rows)]  # fmt: skip
    told = [f"{name} {_both(share, other, reference)}" for name, share, other in rows[:3]]
    return Bars(
        [
            CategoryBar(name, i * ROW + 12, measure(share, "ratio", 3) if current else "no value")
            for i, (name, share, _) in enumerate(rows)
        ],
        "".join(f"M{BAR_FROM} {y + ROW // 2}h{width}" for y, width, _ in ends if width),
        "".join(f"M{BAR_FROM + mark} {y + 1}v{ROW - 2}" for y, _, mark in ends if reference),
        "; ".join(told),
        len(rows) * ROW,
    )


def _folded(rows: list[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """The largest, and the sum of the others; `other` stays last and takes them in."""
    named, rest = rows[:-1], rows[-1:]
    named.sort(key=lambda row: -max(row[1], row[2]))
    kept, small = named[:MOST_CATEGORIES], named[MOST_CATEGORIES:]
    if len(small) == 1:
        kept, small = named, []
    rest += small
    here, there = sum(row[1] for row in rest), sum(row[2] for row in rest)
    if not (here or there):
        return kept
    name = f"{len(small)} others" if small else "other"
    return [*kept, (name, here, there)]


def _both(share: float, other: float, reference: list[float]) -> str:
    text = measure(share, "ratio", 3)
    return f"{text} (reference {measure(other, 'ratio', 3)})" if reference else text
