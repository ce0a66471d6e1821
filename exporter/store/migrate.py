"""Numbered .sql files, forward only, each in one transaction, under an advisory lock."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg

from exporter.errors import StoreError

LOCK = 0x65766C  # any constant of ours
MIGRATIONS = files("exporter.store") / "migrations"


def migrate(dsn: str, folder: Traversable = MIGRATIONS) -> list[str]:
    """Apply what the database lacks; the names of the files applied."""
    steps = _steps(folder)
    with psycopg.connect(
        dsn, autocommit=True, options="-c statement_timeout=0 -c client_min_messages=warning"
    ) as connection:
        connection.execute(
            "select pg_advisory_lock(%s)", (LOCK,)
        )  # a second starter waits, then finds nothing to do
        try:
            return _apply(connection, steps, folder)
        finally:
            connection.execute("select pg_advisory_unlock(%s)", (LOCK,))


def _steps(folder: Traversable) -> dict[int, Traversable]:
    named = [f for f in folder.iterdir() if f.name[:4].isdigit() and f.name.endswith(".sql")]
    steps = {int(f.name[:4]): f for f in sorted(named, key=lambda f: f.name)}
    if len(steps) < len(named):
        raise StoreError("two migrations carry one number")
    return steps


def _apply(
    connection: psycopg.Connection, steps: dict[int, Traversable], folder: Traversable
) -> list[str]:
    with connection.transaction():
        connection.execute(
            "create table if not exists public.evaluation_migration"
            "(version int primary key, name text not null, sha256 text not null, applied_at timestamptz not null default now())"
        )
    have = {
        v: (name, sha)
        for v, name, sha in connection.execute(
            "select version, name, sha256 from public.evaluation_migration"
        )
    }
    if have and max(have) > max(steps):
        raise StoreError(
            f"the database is at migration {max(have)}, this program knows only {max(steps)}: upgrade the program"
        )
    applied = []
    for version, file in steps.items():
        text = file.read_bytes()
        sha = hashlib.sha256(text).hexdigest()
        if version in have:
            if have[version][1] != sha:
                raise StoreError(f"{file.name} was changed after it was applied to this database")
            continue
        with connection.transaction():
            connection.execute(text)
            connection.execute(
                "insert into public.evaluation_migration(version, name, sha256) values (%s, %s, %s)",
                (version, file.name, sha),
            )
        applied.append(file.name)
    with connection.transaction():
        connection.execute((folder / "grants.sql").read_bytes())
    return applied
