"""What `/metrics` says: made when something changed, handed out as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import perf_counter
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest

from exporter import __version__
from exporter.errors import ExporterError
from exporter.prometheus import families as f
from exporter.prometheus.budget import within
from exporter.prometheus.families import Family
from exporter.prometheus.labels import label_text
from exporter.prometheus.rendering import Chunk, Rendered, Renderer
from exporter.store.latest import Never, News
from exporter.store.records import Key

Segments = Literal["tests", "all", "none"]
_GZIP = 16 + zlib.MAX_WBITS
_Part = tuple[Family, str, float]  # a sample of our own: its family, labels and value


class Reader(Protocol):
    """What is needed of a store."""

    @property
    def series(self) -> Mapping[int, Key]:
        """The names of the series that were given, by id."""

    def look(self) -> News:
        """What changed since the last look; an ExporterError where the store does not answer."""

    def close(self) -> None:
        """Forget what was seen: the next look gives everything."""


class Exposition:
    """The latest state of every stream as the body of `/metrics`.

    One thread calls `refresh`; any number may call `body`, which computes nothing.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        max_series: int = 20_000,
        forget: timedelta = timedelta(days=30),
        segments: Segments = "tests",
    ) -> None:
        self._reader = reader
        self._max_series = max_series
        self._forget = forget
        self._segments = segments
        self._renderer = Renderer()
        self._streams: dict[int, Rendered] = {}
        self._shown: list[int] = []
        self._state = b""
        self._packer = _packer()
        self._packed_state = b""
        self._figures = {"series": 0, "max_series": 0, "duplicate": 0}
        self._seconds = 0.0
        self._looked: datetime | None = None
        self._failures = 0
        self._test_alert = False
        self._never: Sequence[Never] = ()
        self._process = _process_collectors()
        self.problem: ExporterError | None = None
        self.answered = False  # whether the last look found the store, and its state is shown
        self._bodies = (b"", b"")
        self._finish()

    def refresh(self, now: datetime) -> bool:
        """Look at the store and render what changed; whether there was anything.

        Where the store is away the last state stands, `problem` says why, and the gauges tell.
        """
        begun = perf_counter()
        try:
            news = self._reader.look()
        except ExporterError as error:
            self.problem, self.answered = error, False
            self._failures += 1
            self._finish()
            return False
        try:
            self._take(news)
        except Exception:
            self._reader.close()  # what was read is lost: it will be read again
            raise
        shown = self._audible(now)
        changed = news.everything or bool(news.changed) or shown != self._shown
        if changed:
            self._shown = shown
            self._assemble()
            self._seconds = perf_counter() - begun
        self._looked = now
        self._test_alert, self._never = news.test_alert, news.never
        self.problem, self.answered = None, True
        self._finish()
        return changed

    def body(self, *, packed: bool = False) -> bytes:
        """The text for Prometheus, format 0.0.4; *packed* with gzip."""
        return self._bodies[packed]

    def _take(self, news: News) -> None:
        if news.everything:
            self._streams.clear()
            self._renderer.forget()
        for stream_id in news.changed:
            self._streams.pop(stream_id, None)
        for latest in news.latest:
            is_segment = bool(latest.stream.segment)
            if is_segment and self._segments == "none":
                continue
            columns = not is_segment or self._segments == "all"
            self._streams[latest.stream.stream_id] = self._renderer.render(
                latest, self._reader.series, columns=columns
            )

    def _audible(self, now: datetime) -> list[int]:
        return [
            stream_id
            for stream_id, stream in sorted(self._streams.items())
            if not stream.is_silent(now, self._forget)
        ]

    def _assemble(self) -> None:
        every = [self._streams[i] for i in self._shown]
        by_labels: dict[str, Rendered] = {}
        for stream in every:
            by_labels.setdefault(stream.labels, stream)
        chosen = list(by_labels.values())
        by_family: dict[Family, list[Chunk]] = {}
        for chunk in within(chosen, self._max_series):
            by_family.setdefault(chunk.family, []).append(chunk)
        self._state = "".join(_texts(by_family)).encode()
        self._packer = _packer()
        self._packed_state = self._packer.compress(self._state) + self._packer.flush(
            zlib.Z_SYNC_FLUSH
        )
        kept = sum(chunk.size for chunks in by_family.values() for chunk in chunks)
        offered = sum(stream.size for stream in chosen)
        repeated = sum(stream.repeated for stream in every)
        repeated += sum(stream.size for stream in every) - offered
        self._figures = {"series": kept, "max_series": offered - kept, "duplicate": repeated}

    def _finish(self) -> None:
        """The bodies: the streams' part as it is, ours made anew behind it, in the same gzip member."""
        own = self._own_text().encode() + generate_latest(self._process)
        packer = self._packer.copy()
        packed = self._packed_state + packer.compress(own) + packer.flush()
        self._bodies = (self._state + own, packed)

    def _own_text(self) -> str:
        families: dict[Family, list[str]] = {}
        for family, labels, value in self._own():
            families.setdefault(family, []).append(f"{family.name}{labels} {value!r}\n")
        return "".join(family.head + "".join(lines) for family, lines in families.items())

    def _own(self) -> Iterable[_Part]:
        yield f.STORE_UP, "", int(self.answered)
        if self._looked:
            yield f.LOOKED, "", self._looked.timestamp()
        yield f.REFRESHED, "", self._seconds
        yield f.FAILURES, "", self._failures
        yield f.STREAMS, "", len(self._shown)
        yield f.SERIES, "", self._figures["series"]
        for reason in ("max_series", "duplicate"):
            yield f.DROPPED, f'{{reason="{reason}"}}', self._figures[reason]
        yield f.TEST_ALERT, "", int(self._test_alert)
        for never in self._never:
            named = {"project": never.project, "model": never.model, "evaluation": never.evaluation}
            yield f.FIRST_DUE, f"{{{label_text(named)}}}", never.due.timestamp()
        yield f.BUILD, f'{{version="{__version__}"}}', 1


def _packer() -> zlib._Compress:
    return zlib.compressobj(1, zlib.DEFLATED, _GZIP)


def _texts(families: Mapping[Family, list[Chunk]]) -> Iterable[str]:
    """Each name once, sorted: a plugin that is not loaded here may lend a name another help."""
    named: dict[str, list[Family]] = {}
    for family in families:
        named.setdefault(family.name, []).append(family)
    for _, same in sorted(named.items()):
        yield same[0].head
        for family in same:
            yield from (chunk.lines for chunk in families[family])


def _process_collectors() -> CollectorRegistry:
    """Memory, files and CPU of this process; what plugins register elsewhere stays there."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
