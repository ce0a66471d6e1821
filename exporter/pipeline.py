"""From a config to snapshots: every window that is due, of every model, evaluation, segment and stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporter import evaluation
from exporter.batch import Schema, Window
from exporter.config import Files, FromColumn, Loaded, Model, Previous, Rolling, schema_of
from exporter.errors import BatchError
from exporter.evaluation import ReferenceProfile
from exporter.folder import Folder
from exporter.plan import Plan, make_plan
from exporter.snapshot import Snapshot
from exporter.sources.files import FileSource, batch_of, chosen, found
from exporter.sources.frames import resolve_schema
from exporter.sources.references import profile_of
from exporter.sources.windows import window_from

SHOWN = 3  # values of a describing tag that are written out


@dataclass(frozen=True, slots=True)
class Job:
    """One window of one model, and the evaluations that are due."""

    model: str
    start: int
    window: Window
    evaluations: tuple[str, ...]


@dataclass
class Watched:
    """A model at work: its source, plans and reference."""

    key: str
    config: Model
    source: FileSource
    schema: Schema
    plans: Mapping[str, Plan]
    fixed: Mapping[str, pa.Table]  # by evaluation
    zone: str
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def delay(self) -> float:
        """How long labels take."""
        return self.config.labels.delay if self.config.labels else 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """A snapshot that was made, and whether it was news."""

    snapshot: Snapshot
    outcome: str


def run(
    loaded: Loaded,
    folder: Folder,
    now: datetime,
    *,
    choose: Callable[[Job], bool] = lambda job: True,
    force: bool = False,
) -> Iterator[Done | tuple[int, list[str]]]:
    """Evaluate what is due: first how many jobs there are and what to tell of the data, then every snapshot."""
    watched = {key: watch(loaded, key) for key in loaded.models}
    jobs: list[Job] = []
    told: list[str] = []
    for one in watched.values():
        jobs += [j for j in due(one, folder, now, told, force=force) if choose(j)]
    yield len(jobs), told
    for job in jobs:
        one = watched[job.model]
        for snapshot, name, key, prints in evaluate_job(loaded, one, job, now):
            yield Done(snapshot, folder.save(key, prints, snapshot))
        for name in job.evaluations:
            labels = one.plans[name].needs_target
            folder.note(
                f"{job.model}/{name}/{job.start}",
                one.source.fingerprint(job.start, labels=labels),
                "",
            )
    folder.close()


def watch(loaded: Loaded, key: str) -> Watched:
    """The model with its source opened and its plans made."""
    model, zone = loaded.models[key], loaded.config.timezone
    columns, schema = model.columns, schema_of(model)
    assert columns is not None and columns.time is not None and isinstance(model.source, Files)
    paths = found(model.source.path, loaded.folder)
    labels = found(model.labels.path, loaded.folder) if model.labels else []

    def open_files(paths: Any) -> FileSource:
        return FileSource(
            paths,
            schema,
            columns.time.column,
            columns.time.timezone or zone,
            zone,
            model.batch or "1d",
            labels,
            columns.id,
        )

    source = open_files(paths)
    fixed = {}
    for name, e in (model.evaluations or {}).items():
        given = e.reference or model.reference
        if isinstance(given, Files):
            fixed[name] = open_files(found(given.path, loaded.folder)).whole()
    if not schema.kinds:
        sample = next(iter(fixed.values())) if fixed else source.read(next(iter(source.windows())))
        schema = _inferred(sample, schema, model)
        source.schema = schema
    plans = {
        name: make_plan(
            e.metrics,
            _without_target(schema, model, e),
            tests=e.tests,
            automatic_tests=model.automatic_tests or "directional",
            min_rows=model.min_rows,
        )
        for name, e in (model.evaluations or {}).items()
    }
    out = Watched(key, model, source, schema, plans, fixed, zone)
    for column, options in (model.segments or {}).items():
        base = next(iter(fixed.values())) if fixed else source.read(*source.windows())
        counts = sorted(
            pc.value_counts(base[column].cast(pa.string())).to_pylist(),
            key=lambda x: (-x["counts"], str(x["values"])),
        )
        values = [x["values"] for x in counts if x["values"] is not None][
            : options.max if options else 20
        ]
        out.segments = {**out.segments, column: values}
    return out


def _without_target(schema: Schema, model: Model, evaluation: Any) -> Schema:
    """Labels come later: an evaluation that does not read the target does not see its column."""
    probe = make_plan(evaluation.metrics, schema, tests=evaluation.tests, problems=[])
    if not model.labels or probe.needs_target or evaluation.requires == "target":
        return schema
    return replace(schema, kinds={n: k for n, k in schema.kinds.items() if n != schema.target})


def _inferred(table: pa.Table, schema: Schema, model: Model) -> Schema:
    columns = model.columns
    assert columns is not None
    left_out = {*(columns.ignore or ()), columns.id, columns.time.column if columns.time else None}
    found = resolve_schema(
        batch_of(table.drop_columns([c for c in table.column_names if c in left_out])), None, None
    )
    outcome = "numerical" if model.task == "regression" else "categorical"
    kinds = (
        dict(found.kinds)
        | {n: outcome for n in (schema.target, schema.prediction) if n}
        | ({schema.probability: "numerical"} if schema.probability else {})
    )
    roles = {schema.target, schema.prediction, schema.probability}
    return replace(schema, kinds=kinds, features=tuple(f for f in found.features if f not in roles))


def due(one: Watched, folder: Folder, now: datetime, told: list[str], *, force: bool) -> list[Job]:
    """The windows with rows whose time has come and whose input is not what was seen last."""
    jobs, future = [], 0
    batch = one.config.batch or "1d"
    for start, rows in one.source.windows().items():
        window = window_from(start, batch, one.zone)
        if window.start > now + (window.end - window.start):
            future += rows
            continue
        names = []
        for name, plan in one.plans.items():
            late = plan.needs_target or (one.config.evaluations or {})[name].requires == "target"
            ready = window.end + timedelta(
                seconds=(one.config.wait or 0) + (one.delay if late else 0)
            )
            if now >= ready and (
                force
                or folder.due(
                    f"{one.key}/{name}/{start}", one.source.fingerprint(start, labels=late)
                )
            ):
                names.append(name)
        if names:
            jobs.append(Job(one.key, start, window, tuple(names)))
    if one.source.without_time:
        told.append(f"{one.key}: {one.source.without_time} rows without a time are in no window")
    if future:
        told.append(f"{one.key}: {future} rows lie in the future and were left out")
    return jobs


def evaluate_job(
    loaded: Loaded, one: Watched, job: Job, now: datetime
) -> Iterator[tuple[Snapshot, str, str, Any]]:
    """The snapshots of one window: of each evaluation, stream and segment."""
    table = one.source.read(job.start)
    for tags, rows in streams(table, one, loaded.config.stream_tags):
        for name in job.evaluations:
            plan = one.plans[name]
            reference = _reference(one, name, job.start, None)
            yield _one(loaded, one, job, now, name, plan, rows, tags, "", reference)
            for column, values in one.segments.items():
                options = (one.config.segments or {})[column]
                for value in values:
                    part = _segment(rows, column, value)
                    if not len(part):
                        continue
                    own = (
                        replace(plan, min_rows=options.min_rows)
                        if options and options.min_rows is not None
                        else plan
                    )
                    yield _one(
                        loaded,
                        one,
                        job,
                        now,
                        name,
                        own,
                        part,
                        tags,
                        f"{column}={value}",
                        _reference(one, name, job.start, (column, value)),
                    )


def streams(
    table: pa.Table, one: Watched, stream_tags: Sequence[str]
) -> list[tuple[dict[str, str], pa.Table]]:
    """The rows of every stream: a stream tag read from a column parts them, a describing one is joined."""
    parts: list[tuple[dict[str, str], pa.Table]] = [({}, table)]
    for tag, given in (one.config.tags or {}).items():
        if not isinstance(given, FromColumn):
            parts = [({**tags, tag: str(given)}, rows) for tags, rows in parts]
        elif tag in stream_tags:
            parts = [
                ({**tags, tag: value}, _segment(rows, given.column, value))
                for tags, rows in parts
                for value in _values(rows, given.column)
            ]
        else:
            parts = [
                ({**tags, tag: _joined(_values(rows, given.column))}, rows) for tags, rows in parts
            ]
    return parts


def _joined(values: list[str]) -> str:
    return (
        ",".join(values)
        if len(values) <= SHOWN
        else f"{','.join(values[:SHOWN])},+{len(values) - SHOWN}"
    )


def _values(table: pa.Table, column: str) -> list[str]:
    if column not in table.column_names:
        raise BatchError(f"there is no tag column {column!r}")
    return sorted(
        str(v) for v in pc.unique(table[column].cast(pa.string())).to_pylist() if v is not None
    )


def _segment(table: pa.Table, column: str, value: str) -> pa.Table:
    return table.filter(pc.equal(table[column].cast(pa.string()), value))


def _one(
    loaded: Loaded,
    one: Watched,
    job: Job,
    now: datetime,
    name: str,
    plan: Plan,
    rows: pa.Table,
    tags: dict[str, str],
    segment: str,
    reference: ReferenceProfile | None,
) -> tuple[Snapshot, str, str, Any]:
    snapshot = evaluation.evaluate(batch_of(rows), reference, plan)
    snapshot = _matured(snapshot, one, plan, rows)
    model = one.config.model or one.key
    head = {
        "project": loaded.config.project, "model": model, "evaluation": name, "segment": segment, "tags": tags, "batch": "",
        "window_start": job.window.start.isoformat(), "window_end": job.window.end.isoformat(), "computed_at": now.isoformat(timespec="seconds"),
    }  # fmt: skip
    identity = "/".join(
        [
            loaded.config.project,
            model,
            name,
            segment,
            *(f"{t}={tags[t]}" for t in loaded.config.stream_tags),
            head["window_start"],
        ]
    )
    return replace(snapshot, head=head), name, identity, None


def _matured(snapshot: Snapshot, one: Watched, plan: Plan, rows: pa.Table) -> Snapshot:
    """Tests of quality wait until enough of the predicted rows have their label; figures do not."""
    labels, schema = one.config.labels, one.schema
    if (
        not labels
        or not labels.mature_at
        or not plan.needs_target
        or schema.score is None
        or schema.target is None
    ):
        return snapshot
    predicted = len(rows) - rows[schema.score].null_count
    both = (
        pc.sum(pc.and_(rows[schema.score].is_valid(), rows[schema.target].is_valid())).as_py() or 0
    )
    if predicted and both / predicted >= labels.mature_at:
        return snapshot
    reason = f"{both} of {predicted} predicted rows have labels, {labels.mature_at:.0%} are wanted"
    return replace(
        snapshot, tests=tuple(replace(t, status="skipped", message=reason) for t in snapshot.tests)
    )


def _reference(
    one: Watched, name: str, start: int, segment: tuple[str, str] | None
) -> ReferenceProfile | None:
    plan = one.plans[name]
    given = (one.config.evaluations or {})[name].reference or one.config.reference
    batch = one.config.batch or "1d"
    if name in one.fixed:
        return _fixed(id(one), name, segment, _Ref(one, plan))
    if given is None:
        return None
    wait = one.delay if plan.needs_target else 0.0  # labels of younger windows were not known then
    if isinstance(given, Rolling):
        names = chosen(
            _windows(one),
            start,
            batch=batch,
            zone=one.zone,
            rolling=given.rolling,
            lag=max(given.lag, wait),
        )
    else:
        assert isinstance(given, Previous)
        names = chosen(_windows(one), start, batch=batch, zone=one.zone, previous=given.previous)
    if not names:
        return None
    table = one.source.read(*names)
    table = _segment(table, *segment) if segment else table
    return (
        profile_of(batch_of(table), one.schema, plan.columns(), len(names)) if len(table) else None
    )


class _Ref:
    """Carries what cannot be hashed into the cache below."""

    def __init__(self, one: Watched, plan: Plan) -> None:
        self.one, self.plan = one, plan

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return True


@lru_cache(maxsize=64)
def _fixed(key: int, name: str, segment: tuple[str, str] | None, carried: _Ref) -> ReferenceProfile:
    table = carried.one.fixed[name]
    table = _segment(table, *segment) if segment else table
    return profile_of(batch_of(table), carried.one.schema, carried.plan.columns())


def _windows(one: Watched) -> list[int]:
    return list(one.source.windows())


def now_utc() -> datetime:
    """The clock: asked at the edge only."""
    return datetime.now(UTC)
