"""Writing, deleting and dropping snapshots: one transaction each, safe to repeat."""

from __future__ import annotations

import hashlib
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from exporter.errors import SnapshotError, StoreError
from exporter.snapshot import STATUSES, Snapshot, canonical, content_hash
from exporter.store.copy import floats, microseconds, pack

Result = Literal["new", "replaced", "same", "older", "deleted"]
FUTURE = timedelta(days=32)
_CACHED_STREAMS = 256


class Written(NamedTuple):
    """What became of a snapshot that was handed over."""

    result: Result
    snapshot_id: int
    revision: int


class Key(NamedTuple):
    """A series within its stream."""

    kind: str
    name: str
    column: str
    label: str
    params: str


class Input(NamedTuple):
    """What a window's input looked like: the memory of "due"."""

    entry: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Stored:
    snapshot_id: int
    time: datetime
    content_hash: bytes
    confirmed_at: datetime
    revision: int
    deleted: bool


class Store:
    """Snapshots in PostgreSQL. One connection, opened when needed and again after it broke; not shared by threads."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None
        self._streams: dict[tuple[str, ...], int] = {}
        self._series: OrderedDict[int, dict[Key, int]] = OrderedDict()
        self._months: set[str] = set()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection:
            self._connection.close()

    def write(
        self, snapshot: Snapshot, *, force: bool = False, source: Input | None = None
    ) -> Written:
        """Store a snapshot once, however often it is handed over."""
        snapshot = _storable(snapshot)
        digest = content_hash(snapshot)
        try:
            return self._write(snapshot, digest, force, source)
        except (psycopg.errors.ForeignKeyViolation, psycopg.errors.CheckViolation) as error:
            if (
                error.diag.table_name == "stream"
                or "no partition" in str(error)
                or error.diag.constraint_name == "snapshot_stream_id_fkey"
            ):
                self._forget()  # retention took a stream or a month away that this process remembered
                return self._write(snapshot, digest, force, source)
            raise

    def delete(self, snapshot_ids: Sequence[int]) -> int:
        """Delete snapshots; their identities stay as tombstones. How many there were."""
        with self.connection().transaction():
            gone = (
                self.connection()
                .execute(
                    "update evaluation.snapshot set deleted_at = now(), changed = pg_current_xact_id()"
                    " where snapshot_id = any(%s) and deleted_at is null returning snapshot_id, time",
                    (list(snapshot_ids),),
                )
                .fetchall()
            )
            for snapshot_id, time in gone:
                self._clear(snapshot_id, time)
        return len(gone)

    def retain(
        self, now: datetime, project: str, metrics: timedelta, distributions: timedelta
    ) -> list[str]:
        """Apply a project's retention; the partitions dropped.

        Partitions are shared by all projects: one is dropped when no project wants it, and what a project with
        a shorter retention has in the others is deleted row by row.
        """
        connection = self.connection()
        with connection.transaction():
            connection.execute(
                "update evaluation.project set keep_metrics = %s, keep_distributions = %s where name = %s",
                (metrics, distributions, project),
            )
            longest = connection.execute(
                "select max(keep_metrics), max(keep_distributions) from evaluation.project"
            ).fetchone()
            assert longest
            dropped = _column(
                connection.execute(
                    "select evaluation.drop_partitions(array['metric', 'drift', 'test'], %s)",
                    (now - longest[0],),
                )
            )
            dropped += _column(
                connection.execute(
                    "select evaluation.drop_partitions(array['distribution'], %s)",
                    (now - longest[1],),
                )
            )
        with connection.transaction():
            old = _month(now - metrics)
            mine = "select s.snapshot_id, s.time from evaluation.snapshot s join evaluation.stream using (stream_id) join evaluation.project p using (project_id) where p.name = %s and s.time < %s"
            for table, before in (
                ("metric", old),
                ("drift", old),
                ("test", old),
                ("distribution", _month(now - distributions)),
            ):
                connection.execute(
                    f"delete from evaluation.{table} r using ({mine}) o where r.snapshot_id = o.snapshot_id and r.time = o.time and r.time < %s",
                    (project, before, before),
                )
            connection.execute(
                f"delete from evaluation.snapshot where snapshot_id in (select snapshot_id from ({mine}) o)",
                (project, old),
            )
            connection.execute(
                "delete from evaluation.input i using evaluation.project p where i.project_id = p.project_id and p.name = %s and i.window_end < %s",
                (project, old),
            )
            connection.execute(
                "delete from evaluation.stream st using evaluation.project p where st.project_id = p.project_id and p.name = %s"
                " and not exists (select from evaluation.snapshot s where s.stream_id = st.stream_id)",
                (project,),
            )
        self._forget()
        return dropped

    def keep_input(
        self, project: str, evaluation: str, start: datetime, end: datetime, source: Input
    ) -> None:
        """Remember what a window's input looked like; alone where nothing was evaluated, else with the snapshot."""
        self.connection().execute(
            "insert into evaluation.input values (%s, %s, %s, %s, %s, %s)"
            " on conflict (project_id, entry, evaluation, window_start, window_end) do update set fingerprint = excluded.fingerprint, seen_at = now()",
            (
                self._project(self.connection(), project),
                source.entry,
                evaluation,
                start,
                end,
                source.fingerprint,
            ),
        )

    def inputs(
        self, project: str, entry: str, evaluation: str
    ) -> dict[tuple[datetime, datetime], str]:
        """The fingerprints of the windows looked at so far."""
        rows = self.connection().execute(
            "select window_start, window_end, fingerprint from evaluation.input join evaluation.project p using (project_id)"
            " where p.name = %s and entry = %s and evaluation = %s",
            (project, entry, evaluation),
        )
        return {(start, end): fingerprint for start, end, fingerprint in rows}

    def keep_grids(
        self,
        project: str,
        model: str,
        grids: Mapping[str, tuple[Sequence[float] | None, Sequence[str] | None]],
    ) -> dict[str, tuple[list[float] | None, list[str] | None]]:
        """Fix the distributions' edges and categories of a model's columns: the first writer's stand, and are given back."""
        connection = self.connection()
        with connection.transaction():
            project_id = self._project(connection, project)
            for column, (edges, categories) in sorted(grids.items()):
                grid_id = _grid(connection, edges, categories)
                connection.execute(
                    "insert into evaluation.model_grid values (%s, %s, %s, %s) on conflict do nothing",
                    (project_id, model, column, grid_id),
                )
            rows = connection.execute(
                "select column_name, edges, categories from evaluation.model_grid join evaluation.grid using (grid_id)"
                " where project_id = %s and model = %s",
                (project_id, model),
            )
            return {column: (edges, categories) for column, edges, categories in rows}

    def connection(self) -> psycopg.Connection:
        """The open connection; a broken one is replaced."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=5,
                application_name="evaluation-exporter",
                options="-c timezone=UTC -c statement_timeout=60s -c lock_timeout=10s",
            )
        return self._connection

    def _write(
        self, snapshot: Snapshot, digest: bytes, force: bool, source: Input | None
    ) -> Written:
        connection = self.connection()
        stream_id = self._stream(connection, snapshot)
        keys = _keys(snapshot)
        series = self._series_ids(
            connection, stream_id, [key for part in keys.values() for key in part]
        )
        grids = [_grid(connection, d.edges, d.categories) for d in snapshot.distributions]
        self._ensure_month(connection, snapshot.window_start or snapshot.computed_at)
        with connection.transaction():
            written, time = _claim(connection, stream_id, snapshot, digest, force)
            if written.result == "replaced":
                self._clear(written.snapshot_id, time[0])
            if written.result in ("new", "replaced"):
                ids = {
                    part: np.array([series[key] for key in of], dtype=np.int32)
                    for part, of in keys.items()
                }
                _copy_rows(connection, snapshot, written.snapshot_id, time[1], ids, grids)
            if source and snapshot.window_start and snapshot.window_end:
                self.keep_input(
                    snapshot.project,
                    snapshot.evaluation,
                    snapshot.window_start,
                    snapshot.window_end,
                    source,
                )
        return written

    def _clear(self, snapshot_id: int, time: datetime) -> None:
        for table in ("metric", "drift", "test", "distribution"):
            self.connection().execute(
                f"delete from evaluation.{table} where snapshot_id = %s and time = %s",
                (snapshot_id, time),
            )

    def _project(self, connection: psycopg.Connection, name: str) -> int:
        connection.execute(
            "insert into evaluation.project(name) select %(n)s where not exists (select from evaluation.project where name = %(n)s) on conflict do nothing",
            {"n": name},
        )
        return int(
            _one(
                connection.execute(
                    "select project_id from evaluation.project where name = %s", (name,)
                )
            )[0]
        )

    def _stream(self, connection: psycopg.Connection, snapshot: Snapshot) -> int:
        key = (
            snapshot.project,
            snapshot.model,
            snapshot.evaluation,
            snapshot.segment,
            canonical(snapshot.stream),
        )
        if key not in self._streams:
            with connection.transaction():
                project_id = self._project(connection, snapshot.project)
                row = (project_id, *key[1:4], Jsonb(snapshot.stream))
                find = "select stream_id from evaluation.stream where (project_id, model, evaluation, segment, tags) = (%s, %s, %s, %s, %s)"
                if not connection.execute(find, row).fetchone():
                    connection.execute(
                        "insert into evaluation.stream(project_id, model, evaluation, segment, tags) values (%s, %s, %s, %s, %s) on conflict do nothing",
                        row,
                    )
                self._streams[key] = int(_one(connection.execute(find, row))[0])
        return self._streams[key]

    def _series_ids(
        self, connection: psycopg.Connection, stream_id: int, keys: Sequence[Key]
    ) -> dict[Key, int]:
        known = self._series.get(stream_id)
        if known is None:
            rows = connection.execute(
                "select kind, name, column_name, label, params, series_id from evaluation.series where stream_id = %s",
                (stream_id,),
            )
            known = {
                Key(kind, name, column, label, canonical(params)): series_id
                for kind, name, column, label, params, series_id in rows
            }
        missing = sorted(set(keys) - known.keys())
        if missing:  # a short transaction of its own, sorted: no deadlocks, no long locks
            columns = [list(x) for x in zip(*missing, strict=True)]
            uuids = [_series_uuid(key) for key in missing]
            found: dict[uuid.UUID, int]
            with connection.transaction():
                connection.execute(
                    "insert into evaluation.series(stream_id, kind, name, column_name, label, params, key) select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::uuid[])"
                    " on conflict do nothing",
                    (stream_id, *columns, uuids),
                )
                found = dict(
                    connection.execute(
                        "select key, series_id from evaluation.series where stream_id = %s and key = any(%s)",
                        (stream_id, uuids),
                    ).fetchall()
                )
            known.update({key: found[u] for key, u in zip(missing, uuids, strict=True)})
            connection.execute(
                "select evaluation.analyze_dimensions() where (select reltuples from pg_class where oid = 'evaluation.series'::regclass) < %s",
                (10 * len(missing),),
            )
        self._series[stream_id] = known
        self._series.move_to_end(stream_id)
        if len(self._series) > _CACHED_STREAMS:
            self._series.popitem(last=False)
        return known

    def _ensure_month(self, connection: psycopg.Connection, at: datetime) -> None:
        month = at.astimezone(UTC).strftime("%Y%m")
        if month not in self._months:
            connection.execute("select evaluation.ensure_partitions(%s)", (at,))
            self._months.add(month)

    def _forget(self) -> None:
        self._streams.clear()
        self._series.clear()
        self._months.clear()


def _claim(
    connection: psycopg.Connection, stream_id: int, snapshot: Snapshot, digest: bytes, force: bool
) -> tuple[Written, tuple[datetime, datetime]]:
    """Lock the snapshot's identity and decide what is to be done; with it the time its rows have had and shall have."""
    identity = (stream_id, snapshot.window_start, snapshot.window_end, snapshot.batch)
    find = (
        "select snapshot_id, time, content_hash, confirmed_at, revision, deleted_at is not null from evaluation.snapshot"
        " where stream_id = %s and window_start is not distinct from %s::timestamptz and window_end is not distinct from %s::timestamptz and batch = %s for update"
    )
    row = connection.execute(find, identity).fetchone()
    if row is None:
        time = snapshot.window_start or snapshot.computed_at
        header = _header(snapshot, digest)
        names = ("stream_id", "window_start", "window_end", "batch", "time", *header)
        new = connection.execute(
            f"insert into evaluation.snapshot({', '.join(names)}) values ({', '.join(['%s'] * len(names))}) on conflict do nothing returning snapshot_id",
            (*identity, time, *header.values()),
        ).fetchone()
        if new:
            return Written("new", new[0], 1), (time, time)
        row = _one(
            connection.execute(find, identity)
        )  # another writer was faster; its lock is ours now
    stored = _Stored(*row)
    result = _decide(stored, snapshot, digest, force)
    written = Written(result, stored.snapshot_id, stored.revision + (result == "replaced"))
    if result == "replaced":
        header = _header(snapshot, digest)
        connection.execute(
            f"update evaluation.snapshot set {', '.join(name + ' = %s' for name in header)}, revision = revision + 1, deleted_at = null,"
            " stored_at = now(), changed = pg_current_xact_id() where snapshot_id = %s",
            (*header.values(), stored.snapshot_id),
        )
    elif result == "same" and snapshot.computed_at > stored.confirmed_at:
        connection.execute(
            "update evaluation.snapshot set confirmed_at = %s where snapshot_id = %s",
            (snapshot.computed_at, stored.snapshot_id),
        )
    return written, (stored.time, stored.time)


def _decide(stored: _Stored, snapshot: Snapshot, digest: bytes, force: bool) -> Result:
    if stored.deleted:
        return "replaced" if force else "deleted"
    if snapshot.computed_at < stored.confirmed_at:
        return "same" if digest == stored.content_hash else "older"
    return "same" if digest == stored.content_hash else "replaced"


def _header(snapshot: Snapshot, digest: bytes) -> dict[str, Any]:
    counts = {
        f"tests_{status}": sum(t.status == status for t in snapshot.tests) for status in STATUSES
    }
    tested = [d for d in snapshot.drift if d.drifted is not None]
    return {
        "computed_at": snapshot.computed_at,
        "confirmed_at": snapshot.computed_at,
        "content_hash": digest,
        "rows": snapshot.rows,
        "reference_rows": snapshot.reference_rows,
        "labelled_rows": snapshot.labelled_rows,
        "reference": Jsonb(dict(snapshot.reference)),
        "tags": Jsonb(dict(snapshot.tags)),
        "status": snapshot.status,
        **counts,
        "figures_failed": sum(r.error is not None for r in snapshot.metrics)
        + sum(d.error is not None for d in snapshot.drift),
        "drifted_columns": sum(bool(d.drifted) for d in tested) if snapshot.drift else None,
        "tested_columns": len(tested) if snapshot.drift else None,
        "exporter_version": snapshot.exporter_version,
        "metadata": Jsonb(dict(snapshot.metadata)),
    }


def _keys(snapshot: Snapshot) -> dict[str, list[Key]]:
    keys = {
        "metric": [
            Key("metric", r.metric, r.column, r.label, canonical(r.params))
            for r in snapshot.metrics
        ],
        "drift": [Key("drift", "column_drift", r.column, r.method, "{}") for r in snapshot.drift],
        "test": [
            Key("test", r.test, r.column, r.label, canonical(r.params)) for r in snapshot.tests
        ],
        "distribution": [
            Key("distribution", "", r.column, "", "{}") for r in snapshot.distributions
        ],
    }
    for part in keys.values():
        if len(set(part)) < len(part):
            twice = next(key for i, key in enumerate(part) if key in part[:i])
            raise SnapshotError(
                f"{twice.kind} {twice.name!r} of column {twice.column!r} is given twice: give one of them a `name:`"
            )
    return keys


def _copy_rows(
    connection: psycopg.Connection,
    snapshot: Snapshot,
    snapshot_id: int,
    time: datetime,
    ids: Mapping[str, np.ndarray],
    grids: Sequence[int],
) -> None:
    at = microseconds(time)
    fine = [
        (r, i)
        for r, i in zip(snapshot.metrics, ids["metric"].tolist(), strict=True)
        if r.error is None and r.n is not None
    ]
    if fine:
        rows = [r for r, _ in fine]
        _copy(
            connection,
            "metric(time, value, reference, low, high, n, snapshot_id, series_id)",
            pack(
                [
                    np.full(len(rows), at),
                    floats([r.value for r in rows]),
                    floats([r.reference for r in rows]),
                    floats([r.low for r in rows]),
                    floats([r.high for r in rows]),
                    np.array([r.n for r in rows], dtype=np.int64),
                    np.full(len(rows), snapshot_id, dtype=np.int32),
                    np.array([i for _, i in fine], dtype=np.int32),
                ]
            ),
        )
    _copy_texts(
        connection,
        "metric(time, value, reference, low, high, n, snapshot_id, series_id, error)",
        "timestamptz float8 float8 float8 float8 int8 int4 int4 text",
        [
            (time, r.value, r.reference, r.low, r.high, r.n, snapshot_id, i, r.error)
            for r, i in zip(snapshot.metrics, ids["metric"].tolist(), strict=True)
            if r.error is not None or r.n is None
        ],
    )
    _copy_texts(
        connection,
        "drift(time, score, threshold, severity, low, high, n, reference_n, snapshot_id, series_id, drifted, type, contributions, error)",
        "timestamptz float8 float8 float8 float8 float8 int8 int8 int4 int4 bool text jsonb text",
        [
            (
                time,
                r.score,
                r.threshold,
                r.severity,
                r.low,
                r.high,
                r.n,
                r.reference_n,
                snapshot_id,
                i,
                r.drifted,
                r.type,
                None if r.contributions is None else Jsonb(r.contributions),
                r.error,
            )
            for r, i in zip(snapshot.drift, ids["drift"].tolist(), strict=True)
        ],
    )
    _copy_texts(
        connection,
        "test(time, value, lower, upper, snapshot_id, series_id, status, critical, message)",
        "timestamptz float8 float8 float8 int4 int4 int2 bool text",
        [
            (
                time,
                r.value,
                r.lower,
                r.upper,
                snapshot_id,
                i,
                STATUSES.index(r.status),
                r.critical,
                r.message,
            )
            for r, i in zip(snapshot.tests, ids["test"].tolist(), strict=True)
        ],
    )
    _copy_texts(
        connection,
        "distribution(time, snapshot_id, series_id, grid_id, current, reference)",
        "timestamptz int4 int4 int4 int8[] int8[]",
        [
            (
                time,
                snapshot_id,
                i,
                g,
                list(r.current),
                list(r.reference) if r.reference is not None else None,
            )
            for r, i, g in zip(
                snapshot.distributions, ids["distribution"].tolist(), grids, strict=True
            )
        ],
    )


def _copy(connection: psycopg.Connection, target: str, data: bytes) -> None:
    with connection.cursor().copy(f"copy evaluation.{target} from stdin (format binary)") as copy:
        copy.write(data)


def _copy_texts(
    connection: psycopg.Connection, target: str, types: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    if rows:
        with connection.cursor().copy(
            f"copy evaluation.{target} from stdin (format binary)"
        ) as copy:
            copy.set_types(types.split())
            for row in rows:
                copy.write_row(row)


def _grid(
    connection: psycopg.Connection, edges: Sequence[float] | None, categories: Sequence[str] | None
) -> int:
    digest = hashlib.sha256(
        repr((list(edges or ()), list(categories or ()))).encode("utf-8", "surrogatepass")
    ).digest()
    find = "select grid_id from evaluation.grid where hash = %s"
    if row := connection.execute(find, (digest,)).fetchone():
        return int(row[0])
    connection.execute(
        "insert into evaluation.grid(hash, edges, categories) values (%s, %s, %s) on conflict do nothing",
        (digest, list(edges) if edges else None, list(categories) if categories else None),
    )
    return int(_one(connection.execute(find, (digest,)))[0])


def _storable(snapshot: Snapshot) -> Snapshot:
    """The snapshot with texts that PostgreSQL and an index can hold; refused where its window cannot be."""
    if snapshot.window_start is None and not snapshot.batch:
        raise SnapshotError("a snapshot needs a window or a batch name")
    if snapshot.window_start and snapshot.window_start > snapshot.computed_at + FUTURE:
        raise SnapshotError(f"the window starts in the future: {snapshot.window_start.isoformat()}")
    changed: dict[str, Any] = {
        name: storable_text(getattr(snapshot, name), 500)
        for name in ("project", "model", "evaluation", "segment", "batch")
    }
    for name in ("tags", "reference", "metadata"):
        changed[name] = _storable_json(getattr(snapshot, name))
    for part in ("metrics", "drift", "tests", "distributions"):
        changed[part] = tuple(_storable_row(row) for row in getattr(snapshot, part))
    return replace(snapshot, **changed)


def _storable_row(row: Any) -> Any:
    texts = {
        name: text
        for name in ("column", "label", "error", "message")
        if (text := getattr(row, name, None))
    }
    odd: dict[str, Any] = {
        name: storable_text(text, 8000 if name in ("error", "message") else 1000)
        for name, text in texts.items()
        if not text.isascii() or len(text) > 300 or "\0" in text
    }
    if getattr(row, "params", None):
        odd["params"] = _storable_json(row.params)
    return replace(row, **odd) if odd else row


def _storable_json(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {storable_text(str(k)): _storable_json(v) for k, v in value.items()}
    return [_storable_json(v) for v in value] if isinstance(value, list | tuple) else value


def storable_text(text: str, limit: int = 1000) -> str:
    """The text without NUL and lone surrogates, cut to `limit` bytes with a hash that keeps cut ones apart."""
    raw = text.replace("\0", "\ufffd").encode("utf-8", "replace")
    if len(raw) > limit:
        raw = raw[: limit - 12] + "…".encode() + hashlib.sha256(raw).hexdigest()[:8].encode()
    return raw.decode("utf-8", "ignore")


def _series_uuid(key: Key) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.sha256("\x1f".join(key).encode()).digest()[:16])


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _one(cursor: psycopg.Cursor) -> tuple[Any, ...]:
    row = cursor.fetchone()
    if row is None:
        raise StoreError("the store lost a row that was just written")
    return row


def _column(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    return [str(row[0]) for row in rows]
