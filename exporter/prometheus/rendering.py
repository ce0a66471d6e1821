"""A stream's latest snapshot as lines of text, in the order in which a short budget is spent on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from exporter.prometheus import families as f
from exporter.prometheus.families import Family, family_of, order_of
from exporter.prometheus.labels import (
    figure_labels,
    label_text,
    shown_labels,
    stream_labels,
    tag_labels,
)
from exporter.store.latest import CheckFigure, Latest
from exporter.store.records import Key

RANKS = 4  # state, tests, figures of the whole batch, figures of columns
_STATE, _TESTS, _DATASET, _COLUMNS = range(RANKS)
_Samples = Iterator[tuple[Family, str, str]]  # of what family, with which labels, which value


class Chunk(NamedTuple):
    """Samples of one family, a line each."""

    family: Family
    lines: str
    size: int

    def first(self, size: int) -> Chunk:
        """The first *size* samples."""
        if size >= self.size:
            return self
        lines = self.lines.split("\n", size)[:size]  # a line's own breaks are escaped
        return Chunk(self.family, "".join(line + "\n" for line in lines), size)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A stream as it is shown: its lines rank by rank, and when it was last heard of."""

    labels: str
    segment: str
    heard: datetime
    interval: timedelta
    ranks: tuple[tuple[Chunk, ...], ...]
    repeated: int  # samples left out because another one has their labels

    @property
    def size(self) -> int:
        """How many samples there are."""
        return sum(chunk.size for rank in self.ranks for chunk in rank)

    def is_silent(self, now: datetime, forget: timedelta) -> bool:
        """Whether nothing was heard of it for so long, and for three intervals.

        A window of the past that was evaluated today is news; a monthly one outlives 30 days.
        """
        return now - self.heard > max(forget, 3 * self.interval)


class Renderer:
    """Renders streams, and remembers the text before each figure's value."""

    def __init__(self) -> None:
        self._heads: dict[int, tuple[Family, str]] = {}

    def forget(self) -> None:
        """Forget every series: their ids may mean others now."""
        self._heads.clear()

    def render(self, latest: Latest, series: Mapping[int, Key], *, columns: bool) -> Rendered:
        """The stream's samples; with *columns* also the figures of single columns."""
        labels = stream_labels(latest.stream)
        text = label_text(labels)
        lines = _Lines()
        lines.add(_STATE, _state(latest, text, labels))
        lines.add(_TESTS, _tests(latest, text, labels, series))
        self._add_metrics(lines, latest, labels, series, columns=columns)
        if columns:
            lines.add(_COLUMNS, _drift(latest, text, series))
        start, end = latest.window_start, latest.window_end
        interval = end - start if start and end else timedelta()
        heard = max(end or latest.computed_at, latest.computed_at)
        ranks, repeated = lines.ranks(), lines.repeated
        return Rendered(text, latest.stream.segment, heard, interval, ranks, repeated)

    def _add_metrics(
        self,
        lines: _Lines,
        latest: Latest,
        labels: Mapping[str, str],
        series: Mapping[int, Key],
        *,
        columns: bool,
    ) -> None:
        """The part that has thousands of lines: what stands before a value is made only once."""
        labelled = [(i, series[i]) for i, _ in latest.metrics if series[i].label]
        hidden = {i for i, _ in labelled} - shown_labels(labelled)
        for series_id, value in latest.metrics:
            key = series[series_id]
            if series_id in hidden or (key.column and not columns):
                continue
            head = self._heads.get(series_id)
            if head is None:
                family = family_of(key.name)
                own = label_text({**labels, **figure_labels(key, labels, labelled=True)})
                head = self._heads[series_id] = (family, f"{family.name}{{{own}}} ")
            lines.put(_COLUMNS if key.column else _DATASET, head[0], head[1], repr(value))


class _Lines:
    """Lines by rank and family; the second of two with equal labels is counted instead."""

    def __init__(self) -> None:
        self.repeated = 0
        self._heads: set[str] = set()
        self._ranks: list[dict[Family, list[str]]] = [{} for _ in range(RANKS)]

    def add(self, rank: int, samples: _Samples) -> None:
        for family, labels, value in samples:
            self.put(rank, family, f"{family.name}{{{labels}}} ", value)

    def put(self, rank: int, family: Family, head: str, value: str) -> None:
        if head in self._heads:
            self.repeated += 1
            return
        self._heads.add(head)
        lines = self._ranks[rank].get(family)
        if lines is None:
            lines = self._ranks[rank][family] = []
        lines.append(f"{head}{value}\n")

    def ranks(self) -> tuple[tuple[Chunk, ...], ...]:
        ordered: list[Iterable[tuple[Family, list[str]]]] = [r.items() for r in self._ranks]
        for rank in (_DATASET, _COLUMNS):
            ordered[rank] = sorted(ordered[rank], key=lambda item: order_of(item[0]))
        return tuple(
            tuple(Chunk(family, "".join(lines), len(lines)) for family, lines in rank)
            for rank in ordered
        )


def _state(latest: Latest, text: str, labels: Mapping[str, str]) -> _Samples:
    start, end = latest.window_start, latest.window_end
    if start and end:
        yield f.WINDOW_END, text, repr(end.timestamp())
        yield f.INTERVAL, text, repr((end - start).total_seconds())
    yield f.COMPUTED, text, repr(latest.computed_at.timestamp())
    for status, count in latest.counts.items():
        yield f.TESTS, f'{text},status="{status}"', str(count)
    yield f.FAILED_FIGURES, text, str(latest.figures_failed)
    yield f.INFO, label_text({**labels, **_describing(latest, labels)}), "1"
    yield f.BATCH_ROWS, text, str(latest.rows)
    for family, rows in (
        (f.REFERENCE_ROWS, latest.reference_rows),
        (f.LABELLED_ROWS, latest.labelled_rows),
    ):
        if rows is not None:
            yield family, text, str(rows)
    if start:
        yield f.WINDOW_START, text, repr(start.timestamp())


def _describing(latest: Latest, labels: Mapping[str, str]) -> dict[str, str]:
    """The tags that do not tell streams apart, such as the model's version."""
    tags = {name: value for name, value in latest.tags.items() if name not in latest.stream.tags}
    return {name: value for name, value in tag_labels(tags).items() if name not in labels}


def _tests(
    latest: Latest, text: str, labels: Mapping[str, str], series: Mapping[int, Key]
) -> _Samples:
    """What failed goes first: of two tests with equal labels it is the one that stands."""
    tests = sorted(latest.tests, key=lambda test: -_badness(test))
    shown = shown_labels((test.series_id, series[test.series_id]) for test in tests)
    placed = []
    for test in tests:
        own = figure_labels(series[test.series_id], labels, labelled=test.series_id in shown)
        placed.append((test, _joined(text, own)))
    for test, place in placed:
        if test.status != "skipped":
            yield f.TEST_FAILED, _critical(place, test), str(int(test.status != "success"))
    for test, place in placed:
        if test.status != "skipped":
            yield f.STREAK, _critical(place, test), str(test.streak)
    for test, place in placed:
        for bound, value in (("lower", test.lower), ("upper", test.upper)):
            if value is not None:
                yield f.BOUND, f'{place},bound="{bound}"', repr(value)


def _badness(test: CheckFigure) -> int:
    """Critical failures before others, and those that last longest before new ones."""
    if test.status in ("success", "skipped"):
        return 0
    return test.streak + (1 << 32 if test.critical else 0)


def _joined(text: str, labels: Mapping[str, str]) -> str:
    more = label_text(labels)
    return f"{text},{more}" if more else text


def _critical(place: str, test: CheckFigure) -> str:
    return f'{place},critical="{str(test.critical).lower()}"'


def _drift(latest: Latest, text: str, series: Mapping[int, Key]) -> _Samples:
    for figure in latest.drift:
        key = series[figure.series_id]
        place = _joined(text, {"column": key.column, "method": key.label})
        if figure.severity is not None:
            yield f.SEVERITY, place, repr(figure.severity)
        if figure.drifted is not None:
            yield f.DETECTED, place, str(int(figure.drifted))
        if figure.score is not None:
            yield f.SCORE, place, repr(figure.score)
