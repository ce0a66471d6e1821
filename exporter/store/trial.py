"""A test alert, asked for to see whether alerts arrive: until when it fires."""

from __future__ import annotations

from datetime import datetime, timedelta

import psycopg

_ASK = (
    "insert into evaluation.test_alert(until) values (now() + %s)"
    " on conflict (only_one) do update set until = excluded.until returning until"
)
_END = "delete from evaluation.test_alert where until > now()"


def ask_for_alert(connection: psycopg.Connection, length: timedelta) -> datetime:
    """Let the test alert fire for so long from now; when it ends."""
    row = connection.execute(_ASK, (length,)).fetchone()
    assert row is not None  # noqa: S101  an insert that returns
    until: datetime = row[0]
    return until


def end_alert(connection: psycopg.Connection) -> bool:
    """End the test alert; whether there was one."""
    return connection.execute(_END).rowcount > 0
