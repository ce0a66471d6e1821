"""One entry under `models:` at work: its source opened, its plans made, one window evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc

from exporter import __version__, evaluation
from exporter.batch import Batch, Schema, Window
from exporter.config import (
    Config,
    Evaluation,
    Files,
    FromColumn,
    Loaded,
    Model,
    Previous,
    Rolling,
    descriptors_of,
    schema_of,
)
from exporter.descriptors import computed, described, with_descriptors
from exporter.evaluation import Grid, ReferenceProfile, grids_of
from exporter.plan import Plan, make_plan
from exporter.profile.ranking import ItemFeatures, TrainProfile
from exporter.snapshot import WAIT, ReferenceInfo, Snapshot
from exporter.sources.files import FileSource, batch_of
from exporter.sources.known import configured
from exporter.sources.references import WindowProfiles, chosen
from exporter.sources.segments import describing_tag, rows_where, segment_values, values_of
from exporter.sources.windows import window_from


@dataclass(frozen=True, slots=True)
class Job:
    """One window of one model, and the evaluations that are to be made of it."""

    model: str  # the key under `models:`
    start: int  # the window's start in UTC microseconds: the source's name for it
    window: Window | None  # None: a named batch that has none
    evaluations: tuple[str, ...]
    fingerprints: Mapping[str, str] = field(default_factory=dict)  # by evaluation
    batch: str = ""  # a name: a further snapshot of the same window


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a window: those of one stream, or of one segment of it."""

    rows: pa.Table
    tags: Mapping[str, str]
    segment: str = ""
    where: tuple[tuple[str, str], ...] = ()  # how a rolling reference finds the rows like these


class Watched:
    """A model with its source, plans and references; opened once, asked for window after window."""

    def __init__(self, loaded: Loaded, key: str, grids: Mapping[str, Grid] | None = None) -> None:
        self.key = key
        self.config: Config = loaded.config
        self.model: Model = loaded.models[key]
        self.name = self.model.model or key
        self._folder = loaded.folder
        self.source = FileSource.open(
            self.model, loaded.folder, schema_of(self.model), loaded.config.timezone
        )
        self._fixed_sources: dict[str, FileSource] = {}
        self._beside = configured(self.model.ranking, loaded.folder)
        self._bare = self._complete_schema()
        self.descriptors, _ = descriptors_of(self.model, kinds=self._bare.kinds)
        self._profiles = WindowProfiles(self.source, descriptors=self.descriptors)
        self.schema = described(self._bare, self.descriptors)
        self.grids: Mapping[str, Grid] = grids or {}

    @property
    def delay(self) -> timedelta:
        """How long labels take."""
        return timedelta(seconds=self.model.labels.delay if self.model.labels else 0)

    @cached_property
    def evaluations(self) -> Mapping[str, Evaluation]:
        """The model's evaluations by name."""
        return {name: e for name, e in (self.model.evaluations or {}).items() if e is not None}

    @cached_property
    def plans(self) -> Mapping[str, Plan]:
        """What each evaluation computes and tests."""
        return {name: self._plan(name) for name in self.evaluations}

    def late(self, name: str) -> bool:
        """Whether an evaluation waits for labels."""
        return self.plans[name].needs_target or self.evaluations[name].requires == "target"

    def patience(self, name: str) -> timedelta:
        """How long after its end a window is due: rows arrive late, labels later."""
        wait = timedelta(seconds=self.model.wait or 0)
        return wait + self.delay if self.late(name) else wait

    def window(self, start: int) -> Window:
        """The window that begins there."""
        return window_from(start, self.model.batch or "1d", self.config.timezone)

    def evaluate(self, job: Job, now: datetime) -> Iterator[tuple[str, Snapshot]]:
        """The snapshots of one window: of each stream, evaluation and segment, in that order."""
        table = self.source.read(job.start)
        yield from self.evaluate_rows(table, job, now)

    def evaluate_rows(
        self, table: pa.Table, job: Job, now: datetime
    ) -> Iterator[tuple[str, Snapshot]]:
        """The same for rows that are given."""
        table = computed(table, self.descriptors)
        for stream in self._streams(table):
            for name in job.evaluations:
                if not self._has_what_it_requires(name, stream.rows):
                    continue
                for part in (stream, *self._segments(stream, name)):
                    yield name, self._snapshot(name, part, job, now)

    def first_grids(self, starts: Sequence[int]) -> dict[str, Grid]:
        """The distributions' edges of every column, from the first reference that has rows."""
        found: dict[str, Grid] = {}
        for name in self.evaluations:
            for start in starts[:400]:
                reference, _ = self._reference(name, start, ())
                if reference is not None:
                    found = {**grids_of(reference), **found}
                    break
        return found

    def _plan(self, name: str) -> Plan:
        given = self.evaluations[name]
        schema = self._seen_by(name)
        plan = make_plan(
            given.metrics,
            schema,
            tests=given.tests,
            automatic_tests=self.model.automatic_tests or "directional",
            min_rows=self.model.min_rows,
        )
        expected = (given.reference or self.model.reference) is not None
        return replace(plan, reference_expected=expected)

    def _seen_by(self, name: str) -> Schema:
        """Labels come later: an evaluation that does not read the target does not see its column.

        Nor does it see what the preset `text` of another has texts described by.
        """
        given = self.evaluations[name]
        columns, _ = descriptors_of(self.model, evaluations=[name], kinds=self._bare.kinds)
        schema = described(self._bare, columns)
        probe = make_plan(given.metrics, schema, tests=given.tests, problems=[])
        if not self.model.labels or probe.needs_target or given.requires == "target":
            return schema
        kinds = {n: k for n, k in schema.kinds.items() if n != schema.target}
        return replace(schema, kinds=kinds)

    def _complete_schema(self) -> Schema:
        """The declared columns, or those of the reference, or of the first window where it rolls."""
        schema = self.source.schema
        if schema.kinds:
            return schema
        fixed = next((n for n in self.evaluations if self._fixed_source(n)), None)
        source = self._fixed_source(fixed) if fixed else None
        schema = self.source.infer_schema(source.whole() if source else None)
        self.source.schema = schema
        for other in self._fixed_sources.values():
            other.schema = schema
        return schema

    def _fixed_source(self, name: str) -> FileSource | None:
        given = self.evaluations[name].reference or self.model.reference
        if not isinstance(given, Files):
            return None
        if given.path not in self._fixed_sources:
            self._fixed_sources[given.path] = self.source.like(given, self._folder)
        return self._fixed_sources[given.path]

    def _streams(self, table: pa.Table) -> list[Part]:
        """The rows of every stream: a stream tag read from a column splits the batch."""
        parts = [Part(table, {})]
        for tag, given in (self.model.tags or {}).items():
            if not isinstance(given, FromColumn):
                parts = [replace(p, tags={**p.tags, tag: _text(given)}) for p in parts]
            elif tag in self.config.stream_tags:
                parts = [
                    Part(
                        rows_where(p.rows, given.column, value),
                        {**p.tags, tag: value},
                        "",
                        (*p.where, (given.column, value)),
                    )
                    for p in parts
                    for value in values_of(p.rows, given.column)
                ]
            else:
                parts = [
                    replace(p, tags={**p.tags, tag: describing_tag(p.rows, given.column)})
                    for p in parts
                ]
        return parts

    def _segments(self, stream: Part, name: str) -> Iterator[Part]:
        for column, values in self.segments.items():
            if name not in self._segmented(column):
                continue
            for value in values:
                rows = rows_where(stream.rows, column, value)
                if len(rows):
                    yield Part(
                        rows, stream.tags, f"{column}={value}", (*stream.where, (column, value))
                    )

    def _segmented(self, column: str) -> Sequence[str]:
        options = (self.model.segments or {}).get(column)
        wanted = options.evaluations if options else None
        return list(self.evaluations) if wanted is None else wanted

    @cached_property
    def segments(self) -> dict[str, list[str]]:
        """The values of each segment column: the reference's most frequent, or the data's."""
        out = {}
        for column, options in (self.model.segments or {}).items():
            fixed = next((s for n in self.evaluations if (s := self._fixed_source(n))), None)
            base = fixed.whole() if fixed else self.source.read(*list(self.source.windows())[-28:])
            out[column] = segment_values(base, column, options.max if options else 20)
        return out

    def _has_what_it_requires(self, name: str, rows: pa.Table) -> bool:
        """An evaluation that requires the target or prediction is not made of rows without any."""
        wanted = self.evaluations[name].requires
        column = {"target": self.schema.target, "prediction": self.schema.score}.get(wanted or "")
        if not column:
            return True
        return column in rows.column_names and rows[column].null_count < len(rows)

    def _snapshot(self, name: str, part: Part, job: Job, now: datetime) -> Snapshot:
        plan = self._plan_for(name, part.segment)
        reference, info = self._reference(name, job.start, part.where)
        snapshot = evaluation.evaluate(self._batch(part.rows), reference, plan)
        snapshot = self._matured(snapshot, plan, part.rows)
        return replace(
            snapshot,
            project=self.config.project,
            model=self.name,
            evaluation=name,
            segment=part.segment,
            tags=dict(part.tags),
            stream_tags=tuple(self.config.stream_tags),
            batch=job.batch,
            window_start=job.window.start if job.window else None,
            window_end=job.window.end if job.window else None,
            computed_at=now,
            reference=info,
            exporter_version=__version__,
            metadata={
                **snapshot.metadata,
                **self._metadata(part),
                WAIT: int(self.patience(name).total_seconds()),
            },
        )

    def _batch(self, rows: pa.Table) -> Batch:
        """The rows as a batch, in which a descriptor that could not be computed says why."""
        failed = [c for c in self.descriptors if c.name not in rows.column_names]
        return with_descriptors(batch_of(rows), failed) if failed else batch_of(rows)

    def _plan_for(self, name: str, segment: str) -> Plan:
        plan = self.plans[name]
        if segment:
            options = (self.model.segments or {}).get(segment.split("=", 1)[0])
            if options and options.min_rows is not None:
                plan = replace(plan, min_rows=options.min_rows)
        return replace(
            plan,
            grids=self.grids or plan.grids,
            train=self._train if plan.needs("train") else None,
            items=self._items if plan.needs("items") else None,
        )

    @cached_property
    def _train(self) -> TrainProfile | None:
        return self._beside.train_profile(self.schema)

    @cached_property
    def _items(self) -> ItemFeatures | None:
        return self._beside.item_features(self.schema)

    def _metadata(self, part: Part) -> dict[str, object]:
        """How many rows of the batch are in no segment of their own."""
        if part.segment or not self.segments:
            return {}
        others = {}
        for column, values in self.segments.items():
            known = pc.is_in(part.rows[column].cast(pa.string()), value_set=pa.array(values))
            others[column] = len(part.rows) - (pc.sum(known).as_py() or 0)
        return {"rows_in_other_segments": others}

    def _matured(self, snapshot: Snapshot, plan: Plan, rows: pa.Table) -> Snapshot:
        """Tests of quality wait until enough of the predicted rows have their label; figures do not."""
        labels, target, score = self.model.labels, self.schema.target, self.schema.score
        if not plan.needs_target or not target or not score:
            return snapshot
        if target not in rows.column_names or score not in rows.column_names:
            return snapshot
        predicted = len(rows) - rows[score].null_count
        both = pc.sum(pc.and_(rows[score].is_valid(), rows[target].is_valid())).as_py() or 0
        snapshot = replace(snapshot, labelled_rows=both)
        wanted = labels.mature_at if labels else 0.0
        if not predicted or both >= wanted * predicted:
            return snapshot
        reason = f"{both} of {predicted} predicted rows have labels, {wanted:.0%} are wanted"
        skipped = tuple(replace(t, status="skipped", message=reason) for t in snapshot.tests)
        return replace(snapshot, tests=skipped)

    def _reference(
        self, name: str, start: int, where: tuple[tuple[str, str], ...]
    ) -> tuple[ReferenceProfile | None, ReferenceInfo]:
        """What a window is compared with, and how to name it."""
        given = self.evaluations[name].reference or self.model.reference
        if given is None:
            return None, ReferenceInfo()
        if isinstance(given, Files):
            return self._fixed_reference(name, where)
        windows = list(self.source.windows())
        batch, zone = self.model.batch or "1d", self.config.timezone
        if isinstance(given, Rolling):
            # labels of younger windows were not known then
            lag = max(given.lag, self.delay.total_seconds() if self.late(name) else 0.0)
            names = chosen(windows, start, batch=batch, zone=zone, rolling=given.rolling, lag=lag)
            kind = "rolling"
        else:
            assert isinstance(given, Previous)  # noqa: S101  the config refuses a query
            names = chosen(windows, start, batch=batch, zone=zone, previous=given.previous)
            kind = "previous"
        if not names:
            return None, ReferenceInfo(kind)
        reference = self._profiles.merged(
            names, self._schema_of(name), self.plans[name].columns(), where, labels=self.late(name)
        )
        prints = [self.source.fingerprint(w, labels=self.late(name)) for w in names]
        first, last = self.window(names[0]).start, self.window(names[-1]).end
        return reference, ReferenceInfo(kind, first, last, _digest(prints))

    def _schema_of(self, name: str) -> Schema:
        return self.plans[name].schema

    def _fixed_reference(
        self, name: str, where: tuple[tuple[str, str], ...]
    ) -> tuple[ReferenceProfile | None, ReferenceInfo]:
        source = self._fixed_source(name)
        assert source is not None  # noqa: S101  the caller has seen that it is a file
        windows = list(source.windows())
        info = ReferenceInfo(
            "fixed",
            self.window(windows[0]).start if windows else None,
            self.window(windows[-1]).end if windows else None,
            _digest([source.content]),
        )
        segment = tuple(w for w in where if w[0] in self.segments)  # streams share what is fixed
        plan = self.plans[name]
        widened = plan.mode == "directional" and bool(plan.checks)  # by what the windows tell
        found = self._profiles.whole(source, plan.schema, plan.columns(), segment, windows=widened)
        return found, info


def _text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _digest(prints: Sequence[str]) -> str:
    return sha256("\n".join(prints).encode()).hexdigest()[:16]
