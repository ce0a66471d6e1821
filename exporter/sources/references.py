"""What batches are compared with: fixed data or earlier windows, profiled once and kept."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa

from exporter import __version__
from exporter.batch import Batch, Kind, RankedBy, Schema, Task
from exporter.errors import refuse
from exporter.evaluation import Outcome, ReferenceProfile, merge_references, outcome_of
from exporter.plan import make_plan
from exporter.plan.describing import Describing
from exporter.profile.build import profile_table
from exporter.profile.column import (
    CategoryProfile,
    ColumnProfile,
    NumericProfile,
    OpaqueProfile,
    TimeProfile,
)
from exporter.profile.outcome import ErrorProfile, ScoreProfile, Side
from exporter.profile.points import Points, Slabs
from exporter.profile.ranking import RankingProfile
from exporter.profile.read import outcome_columns
from exporter.profile.rows import Rows, rows_of
from exporter.profile.table import TableProfile
from exporter.snapshot import canonical
from exporter.sources.cache import Cache, open_cache
from exporter.sources.cut import cut
from exporter.sources.files import FileSource, batch_of
from exporter.sources.frames import open_with_schema
from exporter.sources.listing import found
from exporter.sources.parts import Layout
from exporter.sources.profile_files import ProfileWriter, bytes_of, open_profile
from exporter.sources.segments import rows_where
from exporter.sources.windows import back, starts

if TYPE_CHECKING:  # descriptors cost 30 ms, and few models have texts
    from exporter.descriptors import DescriptorColumn

FORMAT = 3
MEMORY = 256 << 20  # bytes of window profiles held by a process
NOT_DESCRIBED = Describing()
MERGED = 8  # rolling references held by a process: evaluations of one window share them
Where = tuple[tuple[str, str], ...]  # columns and the values that rows must have in them


def reference_profile(
    data: Any,
    columns: Mapping[str, Any] | None,
    task: Task | None,
    elsewhere: Collection[str] = (),
    describing: Describing = NOT_DESCRIBED,
    *,
    ranked_by: RankedBy = "score",
) -> ReferenceProfile:
    """The profile of a path, pandas frame or Arrow table; declared columns may be *elsewhere*.

    A path's is kept on disk until one of its files, the declaration or the format changes. Raises
    BatchError for data that cannot be read, PlanError for a declaration that does not fit it.
    """

    def opened() -> tuple[Batch, Schema]:
        batch, schema = open_with_schema(data, columns, task, elsewhere)
        return with_texts(batch, replace(schema, ranked_by=ranked_by), describing)

    if not isinstance(data, str | Path):
        batch, schema = opened()
        return _with(profile_of(batch, schema, schema.columns()), describing)
    prints = [(str(f.path.resolve()), *f.print) for f in found(str(data), Path())]
    name = _name(prints, columns, task, describing.key() if describing else None, ranked_by)
    kept = _PATHS.get(name)
    if kept is None:
        kept = _kept(open_cache("references"), name, opened)
        _PATHS.keep(name, kept)
    return _with(kept, describing)


def with_texts(batch: Batch, schema: Schema, describing: Describing) -> tuple[Batch, Schema]:
    """Batch and schema with the columns that descriptors add; a PlanError that lists what is wrong with these."""
    if not describing:
        return batch, schema
    from exporter.descriptors import described, with_descriptors

    known: dict[str, Kind | None] = {**dict.fromkeys(batch.types), **schema.kinds}
    columns, problems = describing.columns(schema.kinds, known, ("descriptors",))
    refuse(problems)
    return with_descriptors(batch, columns), described(schema, columns)


def _with(profile: ReferenceProfile, describing: Describing) -> ReferenceProfile:
    """The profile with what a batch needs to be described likewise."""
    if not describing:
        return profile
    return replace(profile, descriptors=describing.columns(profile.schema.kinds, None)[0])


def profile_of(
    batch: Batch,
    schema: Schema,
    names: Sequence[str],
    *,
    mergeable: bool = False,
    layout: Layout | None = None,
) -> ReferenceProfile:
    """The profile of some columns of a batch, kept nowhere; a column that cannot be read has none.

    With a *layout* also those of the batch's windows, where its times span enough of them.
    """
    found_columns: dict[str, ColumnProfile] = {}
    kinds = _kinds(schema, names)
    parts = cut(batch, kinds, layout)

    def visit(column: ColumnProfile) -> None:
        found_columns[column.name] = column
        parts.enter(column.name)

    _, table = profile_table(
        parts.whole(), kinds, visit, _no_profile, gridded=not mergeable, mergeable=mergeable
    )
    windows = parts.finish(schema, _outcome)
    return ReferenceProfile(
        schema, found_columns, table, _outcome(batch, schema), windows,
        rows=lambda: rows_of(batch, schema),
    )  # fmt: skip


def chosen(
    windows: Sequence[int],
    start: int,
    *,
    batch: str,
    zone: str,
    rolling: float = 0,
    lag: float = 0,
    previous: int = 0,
) -> list[int]:
    """The windows that make up the reference of the one at *start*, out of *windows* in order.

    `rolling` and `lag` are seconds: the windows that end at least `lag` before *start*, as far back
    as `rolling` reaches on the calendar. `previous` is the so many-th window before *start* that
    has rows.
    """
    here = bisect_left(windows, start)
    if previous:
        return [windows[here - previous]] if here >= previous else []
    end = start
    if lag > 0:
        latest = back(start, lag, "1d" if batch == "1mo" else batch, zone)
        end = int(starts(np.array([latest]), batch, zone)[0])
    first = bisect_left(windows, back(end, rolling, batch, zone))
    return list(windows[first : bisect_left(windows, end)])


@dataclass(slots=True)
class Profiles:
    """Profiles by name in memory, as many as fit into *limit* bytes."""

    limit: int = MEMORY
    _kept: OrderedDict[str, tuple[ReferenceProfile, int]] = field(default_factory=OrderedDict)
    held: int = 0  # bytes

    def get(self, name: str) -> ReferenceProfile | None:
        """The profile of that name, if it is still there."""
        if name not in self._kept:
            return None
        self._kept.move_to_end(name)
        return self._kept[name][0]

    def keep(self, name: str, profile: ReferenceProfile) -> None:
        """Keep a profile, and let go of the longest unused until there is room."""
        size = bytes_of(profile)
        while self._kept and self.held + size > self.limit:
            self.held -= self._kept.popitem(last=False)[1][1]
        self._kept[name] = profile, size
        self.held += size


@dataclass
class WindowProfiles:
    """The profiles of a source's windows, made once, and the references that they add up to.

    They are kept on disk, so that tomorrow's rolling reference opens one file and not four weeks'.
    """

    source: FileSource
    cache: Cache = field(default_factory=partial(open_cache, "windows"))
    memory: Profiles = field(default_factory=Profiles)
    descriptors: Sequence[DescriptorColumn] = ()  # columns that are computed from texts
    _merged: OrderedDict[tuple[str, ...], ReferenceProfile | None] = field(
        default_factory=OrderedDict
    )
    _asked: dict[tuple[int, tuple[str, ...]], tuple[Schema, str]] = field(default_factory=dict)

    def merged(
        self,
        windows: Sequence[int],
        schema: Schema,
        columns: Sequence[str],
        where: Where = (),
        *,
        labels: bool,
    ) -> ReferenceProfile | None:
        """The profile of these windows' rows that have the values of *where*; None where there are none.

        `labels`: whether the target is read, so that a profile made before its labels came is not used.
        """
        names = tuple(self._name(w, schema, columns, where, labels=labels) for w in windows)
        if names not in self._merged:
            parts = [
                self._window(name, w, schema, columns, where)
                for name, w in zip(names, windows, strict=True)
            ]
            filled = [part for part in parts if part.table.rows]
            self._merged[names] = (
                replace(merge_references(filled), rows=self._reader(windows, schema, where))
                if filled
                else None
            )
            while len(self._merged) > MERGED:
                self._merged.popitem(last=False)
        return self._merged[names]

    def _reader(self, windows: Sequence[int], schema: Schema, where: Where) -> Callable[[], Rows]:
        return lambda: rows_of(self._batch(self.source.read(*windows), where), schema)

    def whole(
        self,
        source: FileSource,
        schema: Schema,
        columns: Sequence[str],
        where: Where = (),
        *,
        windows: bool = False,
    ) -> ReferenceProfile | None:
        """The profile of all rows of another source, a fixed reference; None where it has none.

        `windows`: with those of its own windows, where its times span enough of them.
        """
        layout = source.layout if windows else None
        digest = self._digest(schema, columns)
        name = _name(source.identity, source.print, digest, where, *(["windows"] * windows))
        profile = self.memory.get(name)
        if profile is None:

            def opened() -> tuple[Batch, Schema]:
                return self._batch(source.whole() if where else source.batch(), where), schema

            profile = _kept(self.cache, name, opened, columns, layout=layout)
            self.memory.keep(name, profile)
        return profile if profile.table.rows else None

    def _window(
        self, name: str, start: int, schema: Schema, columns: Sequence[str], where: Where
    ) -> ReferenceProfile:
        profile = self.memory.get(name)
        if profile is None:

            def opened() -> tuple[Batch, Schema]:
                return self._batch(self.source.read(start), where), schema

            profile = _kept(self.cache, name, opened, columns, mergeable=True)
            self.memory.keep(name, profile)
        return profile

    def _name(
        self, start: int, schema: Schema, columns: Sequence[str], where: Where, *, labels: bool
    ) -> str:
        prints = (start, self.source.fingerprint(start, labels=labels))
        return _name(self.source.identity, prints, self._digest(schema, columns), where)

    def _batch(self, rows: pa.Table | Batch, where: Where) -> Batch:
        """The rows that have the values of *where*, with the columns that descriptors add."""
        for column, value in where:
            if isinstance(rows, Batch) or not len(rows):
                break
            rows = rows_where(rows, column, value)
        batch = rows if isinstance(rows, Batch) else batch_of(rows)
        if not self.descriptors:
            return batch
        from exporter.descriptors import with_descriptors

        return with_descriptors(batch, self.descriptors)

    def _digest(self, schema: Schema, columns: Sequence[str]) -> str:
        """What a profile depends on beside its rows."""
        at = (id(schema), tuple(columns))
        if at not in self._asked:
            texts = descriptors_text(self.descriptors)
            self._asked[at] = schema, _name(asdict(schema), list(columns), texts)
        return self._asked[at][1]


_PATHS = Profiles()


def _kept(
    place: Cache,
    name: str,
    opened: Any,
    columns: Sequence[str] | None = None,
    *,
    mergeable: bool = False,
    layout: Layout | None = None,
) -> ReferenceProfile:
    """The profile of that name; made, and kept, where it is not there or cannot be read."""

    def rows() -> Rows:
        return rows_of(*opened())

    path = place.find(name)
    if path is not None:
        try:
            return replace(_load(path), rows=rows)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError):
            place.drop(name)
    batch, schema = opened()
    names = schema.columns() if columns is None else list(columns)

    def write(file: BinaryIO) -> None:
        _write(file, batch, schema, names, mergeable=mergeable, layout=layout)

    path = place.keep(name, write) if batch.rows else None
    if path is not None:
        try:
            return replace(_load(path), rows=rows)
        except OSError:  # another process needed the room
            path = None
    return profile_of(batch, schema, names, mergeable=mergeable, layout=layout)


def _write(
    file: BinaryIO,
    batch: Batch,
    schema: Schema,
    names: Sequence[str],
    *,
    mergeable: bool,
    layout: Layout | None,
) -> None:
    """Profile the columns one by one: no more of them is held than is being worked on."""
    writer = ProfileWriter(file)
    packed: dict[str, Any] = {}
    kinds = _kinds(schema, names)
    parts = cut(batch, kinds, layout)

    def visit(column: ColumnProfile) -> None:
        packed[column.name] = writer.pack(column)
        parts.enter(column.name)

    _, table = profile_table(
        parts.whole(), kinds, visit, _no_profile, gridded=not mergeable, mergeable=mergeable
    )
    rest = {
        "schema": schema, "table": table, "outcome": _outcome(batch, schema),
        "windows": parts.finish(schema, _outcome),
    }  # fmt: skip
    writer.finish({"columns": packed} | {key: writer.pack(value) for key, value in rest.items()})


def _load(path: Path) -> ReferenceProfile:
    file = open_profile(path)
    columns, packed = file.footer["columns"], file.footer
    return ReferenceProfile(
        file.unpack(packed["schema"]),
        {name: file.unpack(column) for name, column in columns.items()},
        file.unpack(packed["table"]),
        file.unpack(packed["outcome"]),
        file.unpack(packed["windows"]),
        release=file.releases(columns),
    )


def descriptors_text(columns: Sequence[DescriptorColumn]) -> list[str]:
    """What tells the descriptors of two declarations apart."""
    return [
        f"{c.name} {c.column} {c.spec.id} {canonical(c.params)} {canonical(c.reads)}"
        for c in columns
    ]


def _kinds(schema: Schema, names: Sequence[str]) -> dict[str, Any]:
    return {name: schema.kinds[name] for name in names}


def _no_profile(name: str, error: Exception) -> None:
    """The table profile says which columns could not be read, and why."""


def _outcome(batch: Batch, schema: Schema) -> Outcome | None:
    """The error, score or ranking profile, where the model has what it is read from."""
    if not outcome_columns(schema):
        return None
    preset = schema.task if schema.task in ("regression", "ranking") else "classification"
    return outcome_of(batch, make_plan([preset], schema))


def _name(*content: Any) -> str:
    text = json.dumps([_structure(), *content], sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:32] + ".profile"


@cache
def _structure() -> str:
    """What a kept profile is made of: one of another make is made anew."""
    records = (
        ReferenceProfile, TableProfile, NumericProfile, CategoryProfile, OpaqueProfile,
        TimeProfile, Points, Slabs, ErrorProfile, ScoreProfile,
        RankingProfile, Side, Schema,
    )  # fmt: skip
    made = [(record.__name__, [f.name for f in fields(record)]) for record in records]
    return f"{FORMAT} {__version__} {made}"
