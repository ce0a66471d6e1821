"""Heads by where they stand: before and after a snapshot in its stream, and the newest of every stream."""

from __future__ import annotations

from typing import NamedTuple

import psycopg

from exporter.snapshot import Snapshot
from exporter.store.find import HEAD_COLUMNS, head_of

BESIDE = 13  # neighbours that are shown of a snapshot, before and after together
ROW = 14  # snapshots of a stream that are shown in a row where there are few streams
FEW = 3  # and where there are many
MANY = 400  # streams
_THIS = "(select h.time, h.computed_at, h.snapshot_id, h.stream_id from evaluation.snapshot h where h.snapshot_id = %s) h"
_BESIDE = (
    "select {columns} from {this} join evaluation.snapshot s on s.stream_id = h.stream_id"
    " join evaluation.stream st on st.stream_id = s.stream_id join evaluation.project p using (project_id)"
    " where s.deleted_at is null and"
    " (s.time, s.computed_at, s.snapshot_id) {side} (h.time, h.computed_at, h.snapshot_id)"
    " order by s.time {order}, s.computed_at {order}, s.snapshot_id {order} limit %s"
)
_OF = (
    " from evaluation.stream st join evaluation.project p using (project_id)"
    " where (%(project)s::text is null or p.name = %(project)s)"
    " and (%(model)s::text is null or st.model = %(model)s) and (st.segment = '' or %(segments)s)"
    " and exists (select from evaluation.snapshot n"
    "  where n.stream_id = st.stream_id and n.deleted_at is null)"
)
_COUNT = f"select count(*), count(*) filter (where st.segment = ''){_OF}"
_NEWEST = (
    f"with wanted as materialized (select st.stream_id{_OF}"  # noqa: S608  of constants
    " order by p.name, st.model, st.evaluation, st.segment, st.stream_id limit %(streams)s)"
    f" select {HEAD_COLUMNS} from wanted join evaluation.stream st using (stream_id)"
    " join evaluation.project p using (project_id) cross join lateral ("
    "  select * from evaluation.snapshot n where n.stream_id = st.stream_id and n.deleted_at is null"
    "  order by n.time desc, n.computed_at desc limit %(row)s) s"
)


class Beside(NamedTuple):
    """Snapshots of the same stream before and after one, oldest first."""

    earlier: list[Snapshot]
    later: list[Snapshot]


class Newest(NamedTuple):
    """The newest heads of streams, several of each."""

    heads: list[Snapshot]
    streams: int  # looked at
    left_out: int  # streams that were not


def beside(connection: psycopg.Connection, snapshot_id: int) -> Beside:
    """The nearest snapshots of the same stream, BESIDE together where there are as many."""
    earlier = _side(connection, snapshot_id, "<", "desc")[::-1]
    later = _side(connection, snapshot_id, ">", "asc")
    after = min(len(later), max(BESIDE // 2, BESIDE - len(earlier)))
    before = min(len(earlier), BESIDE - after)
    return Beside(earlier[len(earlier) - before :], later[:after])


def newest(
    connection: psycopg.Connection, project: str | None, model: str | None, most: int
) -> Newest:
    """The newest heads of every stream, of a project or model; of *most* streams at most.

    Where there are more, those of segments are left out first.
    """
    asked = {"project": project, "model": model, "segments": True}
    every, whole = connection.execute(_COUNT, asked).fetchone() or (0, 0)
    streams = every if every <= most else min(whole, most)
    row = ROW if streams <= MANY else FEW
    given = {**asked, "segments": every <= most, "streams": most, "row": row}
    found = connection.execute(_NEWEST, given).fetchall()
    return Newest([head_of(line) for line in found], streams, every - streams)


def is_deleted(connection: psycopg.Connection, snapshot_id: int) -> bool:
    """Whether there was a snapshot with this id that somebody deleted."""
    asked = "select 1 from evaluation.snapshot where snapshot_id = %s and deleted_at is not null"
    return connection.execute(asked, (snapshot_id,)).fetchone() is not None


def _side(
    connection: psycopg.Connection, snapshot_id: int, side: str, order: str
) -> list[Snapshot]:
    query = _BESIDE.format(columns=HEAD_COLUMNS, this=_THIS, side=side, order=order)
    return [head_of(row) for row in connection.execute(query, (snapshot_id, BESIDE)).fetchall()]
