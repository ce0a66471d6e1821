"""Which snapshot stands: a new one, the one that is there, or the newer of two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from exporter.snapshot import STATUSES, Snapshot
from exporter.store.dimensions import one
from exporter.store.records import Result, Written

_FIND = (
    "select snapshot_id, time, content_hash, confirmed_at, revision, deleted_at is not null"
    " from evaluation.snapshot where stream_id = %s"
    " and window_start is not distinct from %s::timestamptz"
    " and window_end is not distinct from %s::timestamptz and batch = %s for update"
)


@dataclass(frozen=True, slots=True)
class _Stored:
    snapshot_id: int
    time: datetime
    content_hash: bytes
    confirmed_at: datetime
    revision: int
    deleted: bool


def claim(
    connection: psycopg.Connection,
    stream_id: int,
    snapshot: Snapshot,
    digest: bytes,
    *,
    force: bool,
) -> tuple[Written, datetime]:
    """Lock a snapshot's identity and write its head; what is to be done with its rows, and their time.

    `new`: rows are to be written; `replaced`: rows are to be deleted, then written; else nothing.
    The row's lock makes a second writer of the same identity wait for the first one's commit.
    """
    identity = (stream_id, snapshot.window_start, snapshot.window_end, snapshot.batch)
    row = connection.execute(_FIND, identity).fetchone()
    if row is None:
        new = _insert(connection, identity, snapshot, digest)
        if new:
            return new
        row = one(connection.execute(_FIND, identity))  # another writer was faster: its row is ours
    stored = _Stored(*row)
    result = _decide(stored, snapshot, digest, force=force)
    if result == "replaced":
        _replace(connection, stored.snapshot_id, snapshot, digest)
    elif result == "same":
        connection.execute(
            "update evaluation.snapshot set confirmed_at = %s"
            " where snapshot_id = %s and confirmed_at < %s",
            (snapshot.computed_at, stored.snapshot_id, snapshot.computed_at),
        )
    revision = stored.revision + (result == "replaced")
    return Written(result, stored.snapshot_id, revision), stored.time


def _decide(stored: _Stored, snapshot: Snapshot, digest: bytes, *, force: bool) -> Result:
    if stored.deleted:
        return "replaced" if force else "deleted"
    if digest == stored.content_hash:
        return "same"
    # as old as what stands, and other content: the one that is handed over last wins
    older = snapshot.computed_at is None or snapshot.computed_at < stored.confirmed_at
    return "older" if older else "replaced"


def _insert(
    connection: psycopg.Connection, identity: tuple[Any, ...], snapshot: Snapshot, digest: bytes
) -> tuple[Written, datetime] | None:
    time = snapshot.window_start or snapshot.computed_at
    head = _head(snapshot, digest)
    names = ("stream_id", "window_start", "window_end", "batch", "time", *head)
    marks = ", ".join(["%s"] * len(names))
    row = connection.execute(
        f"insert into evaluation.snapshot({', '.join(names)}) values ({marks})"  # noqa: S608  names are ours
        " on conflict do nothing returning snapshot_id, time",
        (*identity, time, *head.values()),
    ).fetchone()
    return (Written("new", row[0], 1), row[1]) if row else None


def _replace(
    connection: psycopg.Connection, snapshot_id: int, snapshot: Snapshot, digest: bytes
) -> None:
    head = _head(snapshot, digest)
    changes = ", ".join(f"{name} = %s" for name in head)
    connection.execute(
        f"update evaluation.snapshot set {changes}, revision = revision + 1,"  # noqa: S608  names are ours
        " deleted_at = null, stored_at = now(), changed = pg_current_xact_id()"
        " where snapshot_id = %s",
        (*head.values(), snapshot_id),
    )


def _head(snapshot: Snapshot, digest: bytes) -> dict[str, Any]:
    counts = snapshot.counts
    tested = [row for row in snapshot.drift if row.drifted is not None]
    failed = sum(
        row.error is not None for part in (snapshot.metrics, snapshot.drift) for row in part
    )
    return {
        "computed_at": snapshot.computed_at,
        "confirmed_at": snapshot.computed_at,
        "content_hash": digest,
        "rows": snapshot.rows,
        "reference_rows": snapshot.reference_rows,
        "labelled_rows": snapshot.labelled_rows,
        "reference_kind": snapshot.reference.kind,
        "reference_start": snapshot.reference.start,
        "reference_end": snapshot.reference.end,
        "reference_hash": snapshot.reference.hash,
        "tags": Jsonb(dict(snapshot.tags)),
        "stream_tags": list(snapshot.stream_tags),
        "status": snapshot.status,
        **{f"tests_{status}": counts[status] for status in STATUSES},
        "figures_failed": failed,
        "drifted_columns": sum(bool(row.drifted) for row in tested) if snapshot.drift else None,
        "tested_columns": len(tested) if snapshot.drift else None,
        "exporter_version": snapshot.exporter_version,
        "metadata": Jsonb(dict(snapshot.metadata)),
    }
