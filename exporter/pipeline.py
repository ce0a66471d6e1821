"""From a config to snapshots in the store: every window that is due, of every model and evaluation.

Read `run` first: it is the flow. `plan_work` says what is due and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol, TypeVar

import pyarrow as pa

from exporter.batch import Window
from exporter.config import Loaded
from exporter.config.rules import LENGTHS
from exporter.errors import BatchError, ExporterError, PlanError, StoreError, nearest
from exporter.evaluation import Grid
from exporter.snapshot import Snapshot
from exporter.sources.tables import marked
from exporter.store import open_store
from exporter.store.expected import Expected
from exporter.store.files import SnapshotFolder
from exporter.store.links import Links
from exporter.store.postgres import Input, Written
from exporter.store.spool import Spool, spool_folder
from exporter.watch import Job, Watched
from exporter.workers import evaluated

Outcome = Literal["new", "replaced", "same", "older", "deleted", "spooled"]
_Said = TypeVar("_Said", str, BatchError)


class Sink(Protocol):
    """Where snapshots go: a store with a spool before it."""

    def write(
        self, snapshot: Snapshot, *, force: bool = False, source: Input | None = None
    ) -> Written | None:
        """Keep the snapshot; None where it waits for the store to come back."""

    def inputs(
        self, project: str, entry: str, evaluation: str
    ) -> Mapping[tuple[datetime, datetime], str]:
        """The fingerprints of the windows looked at so far."""

    def keep_input(
        self, project: str, evaluation: str, start: datetime, end: datetime, source: Input
    ) -> None:
        """Remember what a window's input looked like, where nothing was made of it."""

    def deliver(self) -> int:
        """Hand over what waits, as far as the store takes it; how many snapshots arrived."""

    def find(
        self, *, project: str, batch: str, start: datetime | None, end: datetime | None
    ) -> list[Snapshot]:
        """The heads of the snapshots of windows that begin between *start* and *end*."""

    def retain(
        self,
        now: datetime,
        project: str,
        metrics: timedelta | None,
        distributions: timedelta | None,
    ) -> object:
        """Delete what is older than that; None = nothing ever is."""

    def tell_links(self, project: str, links: Links) -> None:
        """Keep where the project's reports and dashboards are found."""

    def tell_expected(self, project: str, expected: Sequence[Expected]) -> None:
        """Keep what the project's config evaluates."""

    def keep_grids(self, project: str, model: str, grids: Mapping[str, Grid]) -> Mapping[str, Grid]:
        """Fix the distributions' edges of a model: the first ones stand and are given back."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is limited to; empty = everything that is due."""

    models: tuple[str, ...] = ()
    evaluations: tuple[str, ...] = ()
    start: datetime | None = None  # windows that begin at or after
    end: datetime | None = None  # windows that begin before
    batch: str = ""  # a name: further snapshots of the same windows
    force: bool = False  # also what was evaluated before

    @property
    def says_which(self) -> bool:
        """Whether the windows are named, so that nothing has to be known of the past."""
        return self.start is not None or self.end is not None


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, and what the user should be told of the data."""

    jobs: Sequence[Job] = ()
    told: Sequence[str] = ()
    errors: Sequence[BatchError] = ()  # files, or whole models, whose data cannot be read
    next_due: datetime | None = None  # when the next window that has rows will be due


@dataclass(frozen=True, slots=True)
class Done:
    """A snapshot that was made, and whether it was news."""

    snapshot: Snapshot
    outcome: Outcome
    job: Job
    jobs_done: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that could not be evaluated: its window stays due."""

    job: Job
    error: ExporterError
    jobs_done: int


@dataclass
class Project:
    """A config at work, with the place where its snapshots go."""

    loaded: Loaded
    sink: Sink
    files: SnapshotFolder | None = None
    processes: int | None = None  # None = one a core
    _watched: dict[str, Watched] = field(default_factory=dict)

    def watched(self, key: str) -> Watched:
        """The model with this key, opened when first asked for."""
        if key not in self._watched:
            if key not in self.loaded.models:
                known = self.loaded.models
                raise PlanError(f"there is no model {key!r}" + nearest(key, known))
            self._watched[key] = Watched(self.loaded, key)
        return self._watched[key]

    def plan_work(self, selection: Selection, now: datetime) -> Work:
        """The windows whose time has come and whose input is not what was seen last.

        Data that cannot be read costs its own file, or its own model, and is told in `errors`.
        """
        _refuse_unknown(selection.evaluations, self.loaded)
        jobs: list[Job] = []
        told: list[str] = []
        errors: list[BatchError] = []
        coming: list[datetime] = []
        for key in dict.fromkeys(selection.models or self.loaded.models):
            try:
                watched = self.watched(key)
                errors += watched.source.unreadable
                jobs += _due(watched, self._seen(watched, selection), selection, now, coming)
                told += watched.source.told(now)
            except BatchError as error:
                errors.append(error)
        jobs.sort(key=lambda job: (list(self.loaded.models).index(job.model), job.start))
        return Work(jobs, _once(told), _once(errors), min(coming, default=None))

    def run(self, work: Work, now: datetime, *, force: bool = False) -> Iterator[Done | Failed]:
        """Evaluate the jobs and keep every snapshot as soon as it is made.

        A window's fingerprint is written with its last snapshot: what is cut off is due again.
        """
        task = (self.loaded, self._grids(work.jobs), now)
        results = evaluated(task, self._watched, work.jobs, self.processes)
        for count, (job, made) in enumerate(results, 1):
            if isinstance(made, ExporterError):
                yield Failed(job, made, count)
                continue
            for name in job.evaluations:
                snapshots = [snapshot for of, snapshot in made if of == name]
                for snapshot, outcome in self._keep(job, name, snapshots, force=force):
                    yield Done(snapshot, outcome, job, count)

    def run_rows(self, rows: pa.Table, selection: Selection, now: datetime) -> Iterator[Done]:
        """Evaluate rows that are given as one batch of one model: a test inside a pipeline."""
        key = self._only_model(selection)
        watched = self.watched(key)
        names = selection.evaluations or tuple(watched.evaluations)
        window = None
        if selection.start and selection.end:
            window = Window(selection.start, selection.end)
        elif not selection.batch:
            raise PlanError("rows that are given need a window (start and end) or a batch name")
        start = round((window.start if window else now).timestamp() * 1e6)
        job = Job(key, start, window, names, {}, selection.batch)
        watched.grids = self._grids([job])[key]
        rows = marked(rows, watched.source.schema.missing_values)
        for _, snapshot in watched.evaluate_rows(rows, job, now):
            kept, outcome = self._write(snapshot, None, force=selection.force)
            yield Done(kept, outcome, job, 1)

    def refresh(self) -> None:
        """Look at all data anew when next asked, and hand over what waits for the store."""
        self._watched.clear()
        self.sink.deliver()

    def stored(self, selection: Selection) -> list[Snapshot]:
        """The heads of what the store has of the selected windows, of any model and evaluation."""
        return self.sink.find(
            project=self.loaded.config.project, batch=selection.batch,
            start=selection.start, end=selection.end,
        )  # fmt: skip

    def retain(self, now: datetime) -> None:
        """Delete what is older than the config keeps it.

        A config that keeps all for ever says so as well: months are shared with other projects,
        and go when nobody wants them.
        """
        kept = self.loaded.config.retention
        spans = (kept.metrics, kept.distributions) if kept else (None, None)
        longest = [timedelta(seconds=span) if span else None for span in spans]
        self.sink.retain(now, self.loaded.config.project, *longest)

    def introduce(self) -> None:
        """Tell the store what the config has: its evaluations, and, if it says, where pages are found."""
        name = self.loaded.config.project
        if (links := links_of(self.loaded)) is not None:
            self.sink.tell_links(name, links)
        self.sink.tell_expected(name, list(_expected(self.loaded)))

    def _only_model(self, selection: Selection) -> str:
        keys = selection.models or tuple(self.loaded.models)
        if len(keys) != 1:
            raise PlanError(f"say which model the rows are of: {', '.join(self.loaded.models)}")
        return keys[0]

    def _keep(
        self, job: Job, name: str, snapshots: Sequence[Snapshot], *, force: bool
    ) -> Iterator[tuple[Snapshot, Outcome]]:
        source = None if job.batch else Input(job.model, job.fingerprints[name])
        for i, snapshot in enumerate(snapshots, 1):
            last = source if i == len(snapshots) else None
            yield self._write(snapshot, last, force=force)
        if not snapshots and source is not None and job.window is not None:
            project, window = self.loaded.config.project, job.window
            self.sink.keep_input(project, name, window.start, window.end, source)

    def _write(
        self, snapshot: Snapshot, source: Input | None, *, force: bool
    ) -> tuple[Snapshot, Outcome]:
        written = self.sink.write(snapshot, force=force, source=source)
        if written is not None:
            snapshot = replace(snapshot, id=written.snapshot_id, revision=written.revision)
        outcome: Outcome = written.result if written else "spooled"
        if self.files and (
            outcome in ("new", "replaced", "spooled") or not self.files.holds(snapshot)
        ):
            self.files.save(snapshot)
        return snapshot, outcome

    def _seen(self, watched: Watched, selection: Selection) -> Mapping[str, _Prints]:
        if selection.force or selection.batch:
            return {}
        try:
            return {
                name: self.sink.inputs(self.loaded.config.project, watched.key, name)
                for name in watched.evaluations
            }
        except StoreError as error:
            if selection.says_which:
                return {}
            raise StoreError(
                f"{error}; without it nobody knows what is due, but windows named with --from and"
                " --to are evaluated, and their snapshots wait on disk"
            ) from error

    def _grids(self, jobs: Sequence[Job]) -> dict[str, Mapping[str, Grid]]:
        """The edges of each model's distributions, the same for ever: dashboards compare them."""
        out: dict[str, Mapping[str, Grid]] = {}
        for key in dict.fromkeys(job.model for job in jobs):
            watched = self.watched(key)
            own = watched.first_grids([job.start for job in jobs if job.model == key])
            try:
                out[key] = self.sink.keep_grids(self.loaded.config.project, watched.name, own)
            except StoreError:
                out[key] = own
        return out


_Prints = Mapping[tuple[datetime, datetime], str]


@contextmanager
def open_project(loaded: Loaded, *, processes: int | None = None) -> Iterator[Project]:
    """The config at work: its store opened with a spool before it, closed at the end."""
    location = store_location(loaded)
    with open_store(location) as store:
        spool = Spool(store, spool_folder(location))
        spool.deliver()
        folder = loaded.config.snapshots
        files = SnapshotFolder(loaded.folder / folder.path) if folder else None
        yield Project(loaded, spool, files, processes)


def store_location(loaded: Loaded) -> str:
    """Where the config says that snapshots are kept: `embedded` or a URL."""
    store = loaded.config.store
    return store if isinstance(store, str) else store.reveal()


def links_of(loaded: Loaded) -> Links | None:
    """Where the config says that reports and dashboards are found; None where it does not say."""
    links = loaded.config.links
    return None if links is None else Links(links.exporter or "", links.grafana or "")


def _expected(loaded: Loaded) -> Iterator[Expected]:
    """Every evaluation of the config; where labels come late it may be one that waits for them."""
    for key, model in loaded.models.items():
        wait = (model.wait or 0) + (model.labels.delay if model.labels else 0)
        for name, evaluation in (model.evaluations or {}).items():
            if evaluation is not None:
                yield Expected(model.model or key, name, LENGTHS[model.batch or "1d"], wait)


def _due(
    watched: Watched,
    seen: Mapping[str, _Prints],
    selection: Selection,
    now: datetime,
    coming: list[datetime],
) -> Iterator[Job]:
    """The jobs of one model; when the next ones are due is entered into *coming*."""
    names = [
        n for n in watched.evaluations if n in selection.evaluations or not selection.evaluations
    ]
    oldest = _oldest_kept(watched, now)
    for start in watched.source.windows():
        window = watched.window(start)
        if not _selected(window.start, selection) or (oldest and window.end <= oldest):
            continue
        if window.start > now + (window.end - window.start):
            continue  # rows in the future make no window; the source tells how many there are
        prints: dict[str, str] = {}
        for name in names:
            ready = window.end + watched.patience(name)
            if now < ready:
                coming.append(ready)
                continue
            fingerprint = watched.source.fingerprint(start, labels=watched.late(name))
            if seen.get(name, {}).get((window.start, window.end)) != fingerprint:
                prints[name] = fingerprint
        if prints:
            yield Job(watched.key, start, window, tuple(prints), prints, selection.batch)


def _once(said: Sequence[_Said]) -> list[_Said]:
    """What several models say of the files that they share, once."""
    return list({str(one): one for one in said}.values())


def _selected(start: datetime, selection: Selection) -> bool:
    after = selection.start is None or start >= selection.start
    return after and (selection.end is None or start < selection.end)


def _oldest_kept(watched: Watched, now: datetime) -> datetime | None:
    retention = watched.config.retention
    return now - timedelta(seconds=retention.metrics) if retention and retention.metrics else None


def _refuse_unknown(evaluations: Sequence[str], loaded: Loaded) -> None:
    known = {name for model in loaded.models.values() for name in model.evaluations or {}}
    for name in evaluations:
        if name not in known:
            raise PlanError(f"there is no evaluation {name!r}" + nearest(name, known))
