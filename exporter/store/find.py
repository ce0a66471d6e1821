"""Snapshots read back: their heads by what they are about, or one with all its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from exporter.errors import ExporterError
from exporter.snapshot import (
    STATUSES,
    Alert,
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    ReferenceInfo,
    Snapshot,
    Status,
)
from exporter.store.door import storable_json

HEAD_COLUMNS = (
    "s.snapshot_id, s.revision, p.name, st.model, st.evaluation, st.segment, s.tags,"
    " s.stream_tags, s.batch, s.window_start, s.window_end, s.computed_at, s.rows,"
    " s.reference_rows, s.labelled_rows, s.reference_kind, s.reference_start, s.reference_end,"
    " s.reference_hash, s.exporter_version, s.metadata, s.status,"
    " array[s.tests_success, s.tests_warning, s.tests_fail, s.tests_error, s.tests_skipped], s.time"
)
_HEAD = (
    f"select {HEAD_COLUMNS} from evaluation.snapshot s"  # noqa: S608  of constants
    " join evaluation.stream st using (stream_id) join evaluation.project p using (project_id) where s.deleted_at is null"
)
_OF = (
    " join evaluation.series se using (series_id) where r.snapshot_id = %s and r.time = %s"
    " order by se.name, se.column_name, se.label, se.params::text, se.given_name"
)
_METRICS = (
    "se.name, se.column_name, se.label, se.params, r.value, r.reference, r.low, r.high, r.n,"
    " r.error, nullif(se.given_name, '') from evaluation.metric r"
)
_DRIFT = (
    "se.column_name, r.type, se.label, r.score, r.threshold, r.drifted, r.severity, r.low, r.high,"
    " r.n, r.reference_n, r.contributions, r.error from evaluation.drift r"
)
_TESTS = (
    "se.name, se.metric, se.column_name, se.label, se.params, r.status, r.critical, r.value,"
    " r.lower, r.upper, r.message, r.alert from evaluation.test r"
)
_DISTRIBUTIONS = (
    "se.column_name, g.edges, g.categories, r.current, r.reference"
    " from evaluation.distribution r join evaluation.grid g using (grid_id)"
)


@dataclass(frozen=True, slots=True)
class Head(Snapshot):
    """A stored snapshot without its rows; how its tests ended is kept as counts."""

    stored_status: Status = "skipped"
    stored_counts: Mapping[Status, int] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """As it was when the rows were there."""
        return self.stored_status

    @property
    def counts(self) -> dict[Status, int]:
        """How many tests ended how."""
        return {status: self.stored_counts.get(status, 0) for status in STATUSES}

    @property
    def passed(self) -> bool:
        """No critical test failed or could not be done."""
        return self.stored_status not in ("fail", "error")


@dataclass(frozen=True, slots=True)
class Question:
    """What snapshots must be like; what is None is not asked."""

    project: str | None = None
    model: str | None = None
    evaluation: str | None = None
    segment: str | None = None
    tags: Mapping[str, str] | None = None
    batch: str | None = None
    status: str | Sequence[str] | None = None
    start: datetime | None = None
    end: datetime | None = None
    limit: int | None = None


def find_heads(connection: psycopg.Connection, question: Question) -> list[Snapshot]:
    """The heads of the snapshots that fit, newest window last; of many the newest `limit`."""
    where, values = _conditions(question)
    rows = connection.execute(
        f"{_HEAD}{where} order by s.time desc, s.computed_at desc, s.snapshot_id desc limit %s",
        (*values, question.limit),
    ).fetchall()
    return [head_of(row) for row in reversed(rows)]


def read_snapshot(connection: psycopg.Connection, snapshot_id: int) -> Snapshot:
    """A snapshot with all its rows, ordered by name; an ExporterError where there is none."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        row = connection.execute(f"{_HEAD} and s.snapshot_id = %s", (snapshot_id,)).fetchone()
        if row is None:
            raise ExporterError(
                f"there is no snapshot {snapshot_id} in the store: `exporter list` shows what is"
            )
        place = (snapshot_id, row[-1])
        parts: dict[str, Any] = {
            "metrics": [MetricRow(*r) for r in _read(connection, _METRICS, place)],
            "drift": [DriftRow(*r) for r in _read(connection, _DRIFT, place)],
            "tests": [
                replace(CheckResult(*(*r[:5], STATUSES[r[5]], *r[6:-1])), alert=_alert(r[-1]))
                for r in _read(connection, _TESTS, place)
            ],
            "distributions": [Distribution(*r) for r in _read(connection, _DISTRIBUTIONS, place)],
        }
    return Snapshot(**_fields(row), **parts)


def columns_of(
    connection: psycopg.Connection, model: str, project: str | None
) -> list[tuple[str, str]]:
    """The projects and columns of which there are figures of a model, in the order they came."""
    rows = connection.execute(
        "select p.name, se.column_name from evaluation.series se"
        " join evaluation.stream st using (stream_id) join evaluation.project p using (project_id)"
        " where st.model = %s and (%s::text is null or p.name = %s) and se.kind in ('metric', 'drift')"
        " group by 1, 2 order by 1, min(se.series_id)",
        (model, project, project),
    ).fetchall()
    return [(name, column) for name, column in rows]


def _alert(kept: Mapping[str, Any] | None) -> Alert | None:
    return Alert(**kept) if kept else None


def _read(
    connection: psycopg.Connection, what: str, place: tuple[int, datetime]
) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {what}{_OF}", place, binary=True).fetchall()


def _conditions(question: Question) -> tuple[str, list[Any]]:
    q = question
    statuses = [q.status] if isinstance(q.status, str) else q.status and list(q.status)
    given = {
        "p.name = %s": q.project,
        "st.model = %s": q.model,
        "st.evaluation = %s": q.evaluation,
        "st.segment = %s": q.segment,
        "s.tags @> %s": Jsonb(storable_json(q.tags)) if q.tags else None,
        "s.batch = %s": q.batch,
        "s.status = any(%s)": statuses,
        "s.time >= %s": q.start,
        "s.time < %s": q.end,
    }
    # asked for as it was stored: cut where it is long, without what no text can hold
    asked = {text: storable_json(value) for text, value in given.items() if value is not None}
    return "".join(f" and {text}" for text in asked), list(asked.values())


def head_of(row: Sequence[Any]) -> Head:
    """The head that a row of HEAD_COLUMNS tells."""
    counts = dict(zip(STATUSES, row[22], strict=True))
    return Head(**_fields(row), stored_status=row[21], stored_counts=counts)


def _fields(row: Sequence[Any]) -> dict[str, Any]:
    names = (
        "id", "revision", "project", "model", "evaluation", "segment", "tags",
        "stream_tags", "batch", "window_start", "window_end", "computed_at", "rows",
        "reference_rows", "labelled_rows",
    )  # fmt: skip
    fields = dict(zip(names, row, strict=False))
    return {
        **fields,
        "stream_tags": tuple(fields["stream_tags"]),
        "reference": ReferenceInfo(*row[15:19]),
        "exporter_version": row[19],
        "metadata": row[20],
    }
