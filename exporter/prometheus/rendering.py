"""A stream's latest snapshot as lines of text, in the order in which a short budget is spent on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from exporter.prometheus import families as f
from exporter.prometheus.families import Family, family_of, order_of
from exporter.prometheus.labels import (
    figure_labels,
    label_text,
    shown_labels,
    stream_labels,
    tag_labels,
)
from exporter.store.latest import CheckFigure, Latest, Stream
from exporter.store.records import Key

RANKS = 4  # state, tests, figures of the whole batch, figures of columns
_STATE, _TESTS, _DATASET, _COLUMNS = range(RANKS)
_SEVERITIES = ("page", "warning", "info")
LOCAL = "http://127.0.0.1:9877"  # of `exporter serve` on its own machine
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


class _Slot(NamedTuple):
    """Where lines of a kind go."""

    rank: int
    family: Family


class _Known(NamedTuple):
    """What stands before a series' value; `alone`: nothing has to be asked before it is written."""

    slot: _Slot
    head: str
    alone: bool


class Renderer:
    """Renders streams, and remembers the text before each figure's value."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._owners: dict[str, int] = {}  # of each text the first series that has it
        self._slots: dict[_Slot, _Slot] = {}

    def forget(self) -> None:
        """Forget every series: their ids may mean others now."""
        self._known.clear()
        self._owners.clear()

    def render(self, latest: Latest, series: Mapping[int, Key], *, columns: bool) -> Rendered:
        """The stream's samples; with *columns* also the figures of single columns."""
        labels = stream_labels(latest.stream)
        text = label_text(labels)
        lines = _Lines()
        lines.add(_STATE, _state(latest, text, labels))
        lines.add(_TESTS, _tests(latest, text, labels, series))
        self._add_metrics(lines, latest, labels, series)
        lines.add(_COLUMNS, _drift(latest, text, series))
        start, end = latest.window_start, latest.window_end
        interval = end - start if start and end else timedelta()
        heard = max(end or latest.computed_at, latest.computed_at)
        ranks = lines.ranks() if columns else (*lines.ranks()[:_COLUMNS], ())
        return Rendered(text, latest.stream.segment, heard, interval, ranks, lines.repeated)

    def _add_metrics(
        self,
        lines: _Lines,
        latest: Latest,
        labels: Mapping[str, str],
        series: Mapping[int, Key],
    ) -> None:
        """The part that has thousands of lines; of most a look into the memory is all that is asked."""
        known, last = self._known, None
        for series_id, _ in latest.metrics:
            if series_id not in known:
                self._learn(series_id, series[series_id], labels)
        into: list[str] = []
        others: list[tuple[int, float]] = []
        for series_id, value in latest.metrics:
            slot, head, alone = known[series_id]
            if not alone:
                others.append((series_id, value))
                continue
            if slot is not last:
                into, last = lines.of(slot), slot
            into.append(f"{head}{value!r}\n")
        shown = shown_labels((i, series[i]) for i, _ in others)
        for series_id, value in others:
            if series_id in shown or not series[series_id].label:
                lines.put(known[series_id].slot, known[series_id].head, repr(value))

    def _learn(self, series_id: int, key: Key, labels: Mapping[str, str]) -> None:
        slot = _Slot(_COLUMNS if key.column else _DATASET, family_of(key.name))
        slot = self._slots.setdefault(slot, slot)
        own = label_text({**labels, **figure_labels(key, labels, labelled=True)})
        head = f"{slot.family.name}{{{own}}} "
        owner = self._owners.setdefault(head, series_id)
        alone = owner == series_id and not key.label
        if owner != series_id:
            self._known[owner] = self._known[owner]._replace(alone=False)
        self._known[series_id] = _Known(slot, head, alone)


class _Lines:
    """Lines by rank and family; the second of two with equal labels is counted instead."""

    def __init__(self) -> None:
        self.repeated = 0
        self._heads: set[str] = set()
        self._lines: dict[_Slot, list[str]] = {}

    def add(self, rank: int, samples: _Samples) -> None:
        for family, labels, value in samples:
            self.put(_Slot(rank, family), f"{family.name}{{{labels}}} ", value)

    def put(self, slot: _Slot, head: str, value: str) -> None:
        if head in self._heads:
            self.repeated += 1
            return
        self._heads.add(head)
        self.of(slot).append(f"{head}{value}\n")

    def of(self, slot: _Slot) -> list[str]:
        return self._lines.setdefault(slot, [])

    def ranks(self) -> tuple[tuple[Chunk, ...], ...]:
        ranks: list[list[Chunk]] = [[] for _ in range(RANKS)]
        for (rank, family), lines in self._lines.items():
            ranks[rank].append(Chunk(family, "".join(lines), len(lines)))
        for rank in (_DATASET, _COLUMNS):
            ranks[rank].sort(key=lambda chunk: order_of(chunk.family))
        return tuple(map(tuple, ranks))


def _state(latest: Latest, text: str, labels: Mapping[str, str]) -> _Samples:
    start, end = latest.window_start, latest.window_end
    if start and end:
        yield f.WINDOW_END, text, repr(end.timestamp())
        yield f.INTERVAL, text, repr((end - start).total_seconds())
    if latest.wait is not None:
        yield f.WAIT, text, repr(latest.wait)
    yield f.COMPUTED, text, repr(latest.computed_at.timestamp())
    for status, count in latest.counts.items():
        yield f.TESTS, f'{text},status="{status}"', str(count)
    for severity in _SEVERITIES:
        count = sum(test.alert == severity for test in latest.tests)
        yield f.ALERTING, f'{text},severity="{severity}"', str(count)
    yield f.FAILED_FIGURES, text, str(latest.figures_failed)
    yield f.LINKS, label_text({**labels, **_addresses(latest.stream)}), "1"
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


def _addresses(stream: Stream) -> dict[str, str]:
    """Where the stream is looked at, for the text of an alert; no dashboard where nobody said."""
    of_model = {"project": stream.project, "model": stream.model}
    of_stream = {**of_model, "evaluation": stream.evaluation, "segment": stream.segment}
    chosen = urlencode([*of_stream.items(), *(("tag", f"{k}={v}") for k, v in stream.tags.items())])
    exporter = stream.exporter_url or LOCAL
    found = {
        "report": f"{exporter}/snapshots/latest?{chosen}",
        "runbook": f"{exporter}/runbook",
    }
    if stream.grafana_url:
        variables = urlencode({f"var-{name}": value for name, value in of_model.items()})
        found["dashboard"] = f"{stream.grafana_url}/d/evaluation-model-overview?{variables}"
    return found


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
        if test.alert:
            yield f.ALERT, f'{place},severity="{test.alert}"', "1"
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
