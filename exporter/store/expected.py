"""What a config evaluates: told by each run, so that what never had a batch is missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from exporter.store.dimensions import project_id
from exporter.store.door import storable_text

_TELL = (
    "insert into evaluation.expected as e (project_id, model, evaluation, interval_seconds, wait_seconds)"
    " select %s, * from unnest(%s::text[], %s::text[], %s::float8[], %s::float8[])"
    " on conflict (project_id, model, evaluation) do update"
    " set interval_seconds = excluded.interval_seconds, wait_seconds = excluded.wait_seconds"
    " where (e.interval_seconds, e.wait_seconds) <> (excluded.interval_seconds, excluded.wait_seconds)"
)
_FORGET = (
    "delete from evaluation.expected e where project_id = %s and not exists"
    " (select from unnest(%s::text[], %s::text[]) t(model, evaluation)"
    " where (t.model, t.evaluation) = (e.model, e.evaluation))"
)


class Expected(NamedTuple):
    """An evaluation of a model, and when its windows are there; spans in seconds."""

    model: str
    evaluation: str
    interval: float  # of a window
    wait: float  # for rows and labels after its end


def tell_expected(
    connection: psycopg.Connection, project: str, expected: Sequence[Expected]
) -> None:
    """Keep what a project evaluates, and nothing else; what is told again is not written again."""
    once = {(storable_text(e.model), storable_text(e.evaluation)): e for e in expected}
    models, evaluations = ([name[i] for name in once] for i in (0, 1))
    spans = [e.interval for e in once.values()], [e.wait for e in once.values()]
    with connection.transaction():
        number = project_id(connection, project)
        connection.execute(_TELL, (number, models, evaluations, *spans))
        connection.execute(_FORGET, (number, models, evaluations))
