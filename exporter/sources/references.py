"""Reference profiles, and the files in which they are kept: profiled once, then memory-mapped.

A file is arrays, one after the other at multiples of 64 bytes, then a JSON footer that says
where they lie, the footer's length, and a mark. It is written beside its name and renamed.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from exporter.batch import Batch, Schema, Task
from exporter.errors import BatchError
from exporter.evaluation import Outcome, ReferenceProfile, outcome_of
from exporter.plan import make_plan
from exporter.presets import METRICS as PRESETS
from exporter.profile.build import profile_table
from exporter.profile.column import (
    CategoryProfile,
    ColumnProfile,
    Moments,
    NumericProfile,
    OpaqueProfile,
)
from exporter.profile.outcome import ErrorProfile, ScoreProfile
from exporter.profile.points import Points, Slabs
from exporter.profile.table import TableProfile
from exporter.sources.frames import open_batch, resolve_schema

FORMAT = 2
MARK = b"EVALREF1"
ALIGN = 64
LARGE = 500_000  # rows from which a column's pages are given back once it is compared


def reference_profile(
    data: Any, columns: Mapping[str, Any] | None, task: Task | None
) -> ReferenceProfile:
    """The profile of a reference; a path's is kept on disk until the file or the declaration changes."""
    if not isinstance(data, str | Path):
        batch = open_batch(data)
        schema = resolve_schema(batch, columns, task)
        found: dict[str, ColumnProfile] = {}
        _, table = profile_table(
            batch, _kinds(schema), lambda c: found.update({c.name: c}), _refuse, gridded=True
        )
        return ReferenceProfile(schema, found, table, _outcome(batch, schema))
    path = Path(data)
    state = path.stat()
    key = [FORMAT, str(path.resolve()), state.st_size, state.st_mtime_ns, columns, task]
    kept = cache_folder() / (
        sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:32] + ".profile"
    )
    if not kept.exists():
        batch = open_batch(path)
        _write(kept, batch, resolve_schema(batch, columns, task))
    return _load(kept)


def profile_of(
    batch: Batch, schema: Schema, names: list[str], windows: int | None = None
) -> ReferenceProfile:
    """The profile of some columns of a batch, kept nowhere."""
    found: dict[str, ColumnProfile] = {}
    kinds = {n: schema.kinds[n] for n in names}
    _, table = profile_table(
        batch, kinds, lambda c: found.update({c.name: c}), lambda n, e: None, gridded=True
    )
    return ReferenceProfile(schema, found, table, _outcome(batch, schema))


def _refuse(name: str, error: Exception) -> Any:
    raise BatchError(f"reference column {name!r}: {error}") from error


def cache_folder() -> Path:
    """Where profiles are kept."""
    folder = (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "evaluation-exporter"
        / "references"
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kinds(schema: Schema) -> dict[str, Any]:
    return {name: schema.kinds[name] for name in schema.columns()}


def _outcome(batch: Batch, schema: Schema) -> Outcome | None:
    entries = {"regression": PRESETS["regression"], "binary": PRESETS["classification"]}.get(
        schema.task, ()
    )
    return outcome_of(batch, make_plan(entries, schema))


class _Writer:
    """Appends arrays to a file from several threads and remembers where they lie."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = Lock()

    def array(self, values: npt.NDArray[Any] | None) -> list[Any] | None:
        if values is None:
            return None
        with self._lock:
            at = self._file.tell()
            self._file.write(b"\0" * (-at % ALIGN))
            at += -at % ALIGN
            self._file.write(np.ascontiguousarray(values).view(np.uint8).data)
        return [at, len(values), values.dtype.str]

    def column(self, column: ColumnProfile) -> dict[str, Any]:
        if isinstance(column, OpaqueProfile):
            return {"kind": "opaque", **asdict(column)}
        if isinstance(column, CategoryProfile):
            return {
                "kind": "category",
                "name": column.name,
                "rows": column.rows,
                "missing": column.missing,
                "labels": column.labels,
                "counts": self.array(column.counts),
            }
        head = {
            name: getattr(column, name)
            for name in ("name", "rows", "missing", "infinite", "distinct")
        }
        g = column.grid
        grid = None if g is None else [self.array(x) for x in (g.edges, g.index, g.rank, g.sums)]
        points = [self.array(column.points.values), self.array(column.points.counts)]
        return {
            "kind": "numeric",
            **head,
            "top": column.top,
            "moments": asdict(column.moments),
            "points": points,
            "grid": grid,
        }

    def outcome(self, outcome: Outcome | None) -> dict[str, Any] | None:
        if isinstance(outcome, ErrorProfile):
            parts = {n: asdict(getattr(outcome, n)) for n in ("absolute", "percent")}
            both = {n: self.column(getattr(outcome, n)) for n in ("errors", "target")}
            return {"type": "errors", "parts": parts | both}
        if isinstance(outcome, ScoreProfile):
            plain = {n: getattr(outcome, n) for n in ("labels", "matrix", "log_loss", "brier")}
            both = {"negatives": outcome.negatives, "positives": outcome.positives}
            return {
                "type": "scores",
                "plain": plain,
                "parts": {n: self.column(x) for n, x in both.items() if x is not None},
            }
        return None


def _write(kept: Path, batch: Batch, schema: Schema) -> None:
    part = kept.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        writer = _Writer(file)
        heads, table = profile_table(batch, _kinds(schema), writer.column, _refuse, gridded=True)
        footer = json.dumps(
            {
                "schema": asdict(schema),
                "columns": heads,
                "table": asdict(table),
                "outcome": writer.outcome(_outcome(batch, schema)),
            }
        ).encode()
        file.write(footer + len(footer).to_bytes(8, "little") + MARK)
    part.replace(kept)


@lru_cache(maxsize=8)
def _load(kept: Path) -> ReferenceProfile:
    with kept.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    end = len(data) - 16
    size = int.from_bytes(data[end : end + 8], "little")
    footer = json.loads(data[end - size : end])
    schema = footer["schema"] | {
        "features": tuple(footer["schema"]["features"]),
        "missing_values": tuple(footer["schema"]["missing_values"]),
    }
    table: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in footer["table"].items()
    }
    columns = {head["name"]: _column(dict(head), data) for head in footer["columns"]}
    large = {
        head["name"]: head["points"][0]
        for head in footer["columns"]
        if head["kind"] == "numeric" and head["rows"] >= LARGE
    }

    def release(name: str) -> None:
        if name in large:
            at, count, _ = large[name]
            first = -(-at // mmap.PAGESIZE) * mmap.PAGESIZE
            data.madvise(mmap.MADV_DONTNEED, first, max(at + 8 * count - first, 1))

    return ReferenceProfile(
        Schema(**schema),
        columns,
        TableProfile(**table),
        _outcome_from(footer["outcome"], data),
        release=release,
    )


def _column(head: dict[str, Any], data: mmap.mmap) -> ColumnProfile:
    def array(place: list[Any] | None) -> Any:
        return None if place is None else np.frombuffer(data, place[2], place[1], place[0])

    kind = head.pop("kind")
    if kind == "opaque":
        return OpaqueProfile(**head)
    if kind == "category":
        return CategoryProfile(
            **head | {"labels": tuple(head["labels"]), "counts": array(head["counts"])}
        )
    points, grid, top = head.pop("points"), head.pop("grid"), head.pop("top")
    head["moments"] = Moments(**head["moments"])
    column = NumericProfile(
        **head,
        points=Points(array(points[0]), array(points[1])),
        grid=None if grid is None else Slabs(*map(array, grid)),
    )
    column.__dict__["top"] = top  # known without touching the values
    if column.points.counts is not None:
        column.points.__dict__["total"] = column.count
    return column


def _outcome_from(kept: dict[str, Any] | None, data: mmap.mmap) -> Outcome | None:
    if kept is None:
        return None
    parts = {
        name: _column(dict(part), data) if "kind" in part else Moments(**part)
        for name, part in kept["parts"].items()
    }
    if kept["type"] == "errors":
        return ErrorProfile(**parts)  # type: ignore[arg-type]
    return ScoreProfile(**{"negatives": None, "positives": None} | kept["plain"] | parts)
