"""Numbered .sql files, forward only, each in one transaction, under an advisory lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg

from exporter.errors import StoreError
from exporter.store.connection import collided, connect, place, translated

MIGRATIONS = files("exporter.store") / "migrations"
_LOCK = 0x65766C  # any constant of ours
_ATTEMPTS = 5
_EXISTS = (
    "select 1 from pg_class"
    " where relname = 'migration' and relnamespace = to_regnamespace('evaluation')"
)
_HISTORY = "select version, name, sha256, applied_at from evaluation.migration order by version"
_TABLE = """create table evaluation.migration(
  version    int primary key,
  name       text not null,
  sha256     text not null,
  applied_at timestamptz not null default now())"""


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that a database has had."""

    version: int
    name: str
    sha256: str
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Status:
    """What a database has, and what it lacks for this program."""

    place: str
    server: str  # the version of PostgreSQL
    applied: Sequence[Applied]
    pending: Sequence[str]
    newer: bool  # a newer program has migrated it

    @property
    def ready(self) -> bool:
        """Whether this program can work with it."""
        return not self.pending and not self.newer


def migrate(url: str, folder: Traversable = MIGRATIONS) -> list[str]:
    """Apply what the database lacks, and the grants in any case; the names of the files applied.

    Raises StoreError where a newer program was here, where an applied file was changed since, or
    where the role may not make tables.
    """
    steps = _steps(folder)
    with _session(url) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))  # freed with the connection
        applied = _history(connection)
        _refuse(applied, steps, url)
        done = [_apply(connection, version, file) for version, file in _missing(applied, steps)]
        _grant(connection, (folder / "grants.sql").read_bytes())
    return done


def status(url: str, folder: Traversable = MIGRATIONS) -> Status:
    """What the database has had, and what it lacks; changes nothing."""
    steps = _steps(folder)
    with _session(url) as connection:
        applied = _history(connection)
        version = connection.info.parameter_status("server_version") or ""
    newer = bool(applied) and applied[-1].version > max(steps)
    pending = [file.name for _, file in _missing(applied, steps)]
    return Status(place(url), version, applied, pending, newer)


def check(connection: psycopg.Connection, url: str) -> None:
    """Return where this program can work with the database; raise StoreError otherwise."""
    with translated(url):
        applied = _history(connection)
    steps = _steps(MIGRATIONS)
    _refuse_newer(applied, steps, url)
    if missing := [file.name for _, file in _missing(applied, steps)]:
        lacks = f"lacks {', '.join(missing)}" if applied else "has no tables of ours"
        raise StoreError(f"the store {place(url)} {lacks}: run `exporter db migrate`")


@contextmanager
def _session(url: str) -> Iterator[psycopg.Connection]:
    with translated(url), connect(url, statement_timeout="0") as connection:
        connection.execute("set client_min_messages = warning")
        connection.execute("set lock_timeout = 0")  # another migration may take its time
        yield connection


def _steps(folder: Traversable) -> dict[int, Traversable]:
    named = [f for f in folder.iterdir() if f.name[:4].isdigit() and f.name.endswith(".sql")]
    steps = {int(f.name[:4]): f for f in sorted(named, key=lambda f: f.name)}
    if len(steps) < len(named):
        raise StoreError("two migrations carry one number")
    return steps


def _history(connection: psycopg.Connection) -> list[Applied]:
    if not connection.execute(_EXISTS).fetchone():
        return []
    return [Applied(*row) for row in connection.execute(_HISTORY)]


def _missing(
    applied: Sequence[Applied], steps: dict[int, Traversable]
) -> list[tuple[int, Traversable]]:
    have = {step.version for step in applied}
    return [(version, file) for version, file in steps.items() if version not in have]


def _refuse(applied: Sequence[Applied], steps: dict[int, Traversable], url: str) -> None:
    _refuse_newer(applied, steps, url)
    for step in applied:
        if _digest(steps[step.version]) != step.sha256:
            raise StoreError(
                f"{step.name} was changed after it was applied to {place(url)}:"
                " install the release that made this database, or a newer one"
            )


def _refuse_newer(applied: Sequence[Applied], steps: dict[int, Traversable], url: str) -> None:
    if applied and applied[-1].version > max(steps):
        raise StoreError(
            f"the store {place(url)} is at migration {applied[-1].version}, this program knows"
            f" {max(steps)}: upgrade evaluation-exporter"
        )


def _apply(connection: psycopg.Connection, version: int, file: Traversable) -> str:
    with connection.transaction():
        # asked first: "if not exists" wants the right to create even where nothing is created
        if connection.execute("select to_regnamespace('evaluation')").fetchone() == (None,):
            connection.execute("create schema evaluation")
        if not connection.execute(_EXISTS).fetchone():
            connection.execute(_TABLE)
        connection.execute(file.read_bytes())
        connection.execute(
            "insert into evaluation.migration(version, name, sha256) values (%s, %s, %s)",
            (version, file.name, _digest(file)),
        )
    return file.name


def _grant(connection: psycopg.Connection, grants: bytes) -> None:
    """Again where a writer made a partition at the same moment."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            with connection.transaction():
                connection.execute(grants)
        except psycopg.Error as error:
            if not left or not collided(error):
                raise
        else:
            return


def _digest(file: Traversable) -> str:
    return sha256(file.read_bytes()).hexdigest()
