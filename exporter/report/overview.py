"""What the index shows: each stream's latest snapshot, and how the ones before ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from exporter.report.findings import WORST_FIRST
from exporter.report.numbers import plural
from exporter.report.times import moment_said, window_short
from exporter.snapshot import Snapshot, Status

LONGEST_STRIP = 14  # snapshots of a stream that are shown in a row
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """One snapshot as a mark in a row of them."""

    status: Status
    when: str
    address: str | None
    here: bool = False


@dataclass(frozen=True, slots=True)
class StreamLine:
    """A stream's latest snapshot."""

    status: Status
    evaluation: str
    about: str  # segment, stream tags, batch name
    when: str
    tests: str
    rows: str
    computed: str
    address: str | None
    strip: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A model's streams."""

    model: str
    status: Status
    streams: Sequence[StreamLine]


@dataclass(frozen=True, slots=True)
class ProjectPart:
    """A project's models, those that are worst off first."""

    project: str
    models: Sequence[ModelPart]


def projects_of(heads: Sequence[Snapshot], zone: tzinfo | None, folder: str) -> list[ProjectPart]:
    """Projects, models and streams, the worst first; *folder* is where the pages of snapshots lie."""
    projects: dict[str, dict[str, list[list[Snapshot]]]] = {}
    for stream in _streams(heads):
        models = projects.setdefault(stream[-1].project, {})
        models.setdefault(stream[-1].model, []).append(stream)
    parts = [
        ProjectPart(name, sorted((_model(*m, zone, folder) for m in models.items()), key=_worst))
        for name, models in sorted(projects.items())
    ]
    return sorted(parts, key=lambda part: _worst(part.models[0])[0])  # what is wrong stands on top


def marks_of(heads: Sequence[Snapshot], zone: tzinfo | None, folder: str | None = "") -> list[Mark]:
    """A mark a snapshot, in the order given."""
    return [
        Mark(
            s.status,
            s.batch or window_short(s.window_start, s.window_end, zone) or "no window",
            address_of(s, folder),
        )
        for s in heads
    ]


def address_of(snapshot: Snapshot, folder: str | None = "") -> str | None:
    """Where the page of a snapshot lies; None for one that is not stored, or where there are no pages."""
    return None if snapshot.id is None or folder is None else f"{folder}{snapshot.id}"


def _streams(heads: Sequence[Snapshot]) -> list[list[Snapshot]]:
    """The snapshots of each stream, the newest last."""
    found: dict[tuple[object, ...], list[Snapshot]] = {}
    for s in sorted(heads, key=_when):
        key = (s.project, s.model, s.evaluation, s.segment, *s.stream.items())
        found.setdefault(key, []).append(s)
    return [found[key] for key in sorted(found, key=str)]


def _when(s: Snapshot) -> tuple[datetime, datetime]:
    computed = _aware(s.computed_at)
    return (_aware(s.window_start) if s.window_start else computed, computed)


def _aware(moment: datetime | None) -> datetime:
    if moment is None:
        return _EARLIEST
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _worst(part: ModelPart) -> tuple[int, str]:
    return WORST_FIRST.index(part.status), part.model


def _model(
    name: str, streams: Sequence[Sequence[Snapshot]], zone: tzinfo | None, folder: str
) -> ModelPart:
    lines = [_line(stream, zone, folder) for stream in streams]
    worst = min((line.status for line in lines), key=WORST_FIRST.index)
    return ModelPart(name, worst, lines)


def _line(stream: Sequence[Snapshot], zone: tzinfo | None, folder: str) -> StreamLine:
    s = stream[-1]
    tags = [f"{name}={value}" for name, value in s.stream.items()]
    strip = marks_of(stream[-LONGEST_STRIP:], zone, folder) if len(stream) > 1 else []
    (last,) = marks_of([s], zone, folder)
    return StreamLine(
        s.status,
        s.evaluation or "evaluation",
        " · ".join(part for part in (s.segment, *tags) if part),
        last.when,
        _tests(s),
        f"{s.rows:,}",
        moment_said(s.computed_at, zone),
        last.address,
        strip,
    )


def _tests(s: Snapshot) -> str:
    """`3 of 61 failed`, `61 passed`, `none`."""
    counts = s.counts
    total = sum(counts.values())
    if not total:
        return "no tests"
    bad = counts["fail"] + counts["error"] + counts["warning"]
    if not bad and counts["skipped"] == total:
        return f"{plural(total, 'test')} skipped"
    return (
        f"{bad:,} of {plural(total, 'test')} not met"
        if bad
        else f"{plural(counts['success'], 'test')} passed"
    )
