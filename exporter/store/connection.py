"""How the database is reached, and what is told where it cannot be: one line, and never a password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from exporter.errors import SnapshotError, StoreError, nearest

OLDEST = 15  # the major version of PostgreSQL that the SQL needs
_FORM = "`embedded`, or a URL such as postgresql://user:password@host:5432/database"
_DEFAULTS = {
    "connect_timeout": "5",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "evaluation-exporter",
}
# Connections lost, resources short, shutting down, deadlocks, locks and cancelled statements.
_TRANSIENT = ("08", "53", "57P", "40001", "40P01", "55P03", "57014")
# What libpq says of a connection that was refused carries no SQLSTATE.
_REFUSALS = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("no pg_hba.conf entry", "28000"),
    ('role ".*" does not exist', "28000"),
    ("is not permitted to log in", "28000"),
    ('database ".*" does not exist', "3D000"),
    ("permission denied for database", "42501"),
)


class StoreAway(StoreError):  # noqa: N818  it says what is, as TestsFailed does
    """The store is away or busy: the same call may succeed later, nothing is wrong with the data."""


def connect(url: str, *, statement_timeout: str = "60s") -> psycopg.Connection:
    """A connection in autocommit mode and UTC; what the URL says itself goes before our defaults.

    Raises StoreAway where nobody answers, StoreError where we are refused or the URL is none.
    """
    given = _parsed(url)
    ours = f"-c timezone=UTC -c statement_timeout={statement_timeout} -c lock_timeout=10s"
    options = f"{ours} {given.get('options') or ''}".strip()
    try:
        connection = psycopg.connect(
            make_conninfo(**{**_DEFAULTS, **given, "options": options}), autocommit=True
        )
    except psycopg.Error as error:
        raise store_error(error, url) from error
    if connection.info.server_version < OLDEST * 10_000:
        version = connection.info.server_version // 10_000
        connection.close()
        raise StoreError(f"{place(url)} runs PostgreSQL {version}: {OLDEST} or newer is needed")
    return connection


def place(url: str) -> str:
    """Where a URL leads, as it may be shown: `db.example:5432/evaluation (user ann)`."""
    given = _parsed(url)
    host = given.get("host") or given.get("hostaddr") or "localhost"
    database = given.get("dbname") or given.get("user") or ""
    user = f" (user {given['user']})" if given.get("user") else ""
    return f"{host}:{given.get('port') or 5432}/{database}{user}"


@contextmanager
def translated(url: str) -> Iterator[None]:
    """What psycopg raises inside becomes the StoreError that a user can act on."""
    try:
        yield
    except psycopg.Error as error:
        raise store_error(error, url) from error


def store_error(error: psycopg.Error, url: str) -> StoreError | SnapshotError:
    """The error as the user should read it.

    StoreAway where the same may succeed later, SnapshotError where the data themselves are
    refused, StoreError where somebody has to do something first.
    """
    state, reason, where = state_of(error), _first_line(error), place(url)
    if transient(error):
        return StoreAway(
            f"the store {where} does not answer ({reason}): start it, or correct `store:`"
        )
    if state.startswith(("22", "23")) or isinstance(error, psycopg.DataError):
        return SnapshotError(f"the store {where} cannot hold this snapshot: {reason}")
    return StoreError(f"the store {where}: {reason}: {_advice(state)}")


def transient(error: psycopg.Error) -> bool:
    """Whether the same may succeed later."""
    state = state_of(error)
    if state:
        return state.startswith(_TRANSIENT)
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)


def collided(error: psycopg.Error) -> bool:
    """Whether another session was in the way at the same moment: done again, the same succeeds.

    Rights that are granted while a partition is attached have no SQLSTATE of their own.
    """
    state = state_of(error)
    return state in ("40001", "40P01") or (
        state == "XX000" and "tuple concurrently" in str(error).lower()
    )


def state_of(error: psycopg.Error) -> str:
    """The SQLSTATE of an error, read from the text where a connection was refused; else empty."""
    if error.sqlstate:
        return error.sqlstate
    text = str(error)
    return next((state for phrase, state in _REFUSALS if re.search(phrase, text)), "")


def _advice(state: str) -> str:
    if state in ("28P01", "28000"):
        return "check user and password in `store:`, and the server's pg_hba.conf"
    if state == "3D000":
        return "create the database, then run `exporter db migrate`"
    if state in ("42P01", "3F000", "42703", "42883"):
        return "run `exporter db migrate`"
    if state == "42501":
        return (
            "commands are for the role evaluation_writer or the owner, `exporter db migrate` for the"
            " owner alone; the role grafana only reads the views (docs/store.md)"
        )
    if state == "25006":
        return "it only reads: name the primary, and a role that may write, in `store:`"
    return f"see the server's log (SQLSTATE {state or 'none'})"


def _first_line(error: psycopg.Error) -> str:
    """What the server or libpq said, without what psycopg puts before it."""
    text = error.diag.message_primary or str(error)
    text = text.partition("All failures were:\n- ")[2] or text  # the first of several addresses
    line = text.strip().partition("\n")[0].removeprefix("connection failed: ").strip()
    return line.partition("failed: ")[2].removeprefix("FATAL: ").strip() or line


def _parsed(url: str) -> dict[str, Any]:
    scheme = url.partition("://")[0] if "://" in url else ""
    with suppress(psycopg.ProgrammingError):  # it repeats the URL, password and all
        given = dict(conninfo_to_dict(url)) if scheme in ("postgresql", "postgres", "") else {}
        ports = str(given.get("port") or 5432).split(",")
        if given and all(port.isdigit() and int(port) < 1 << 16 for port in ports):
            return given
    near = "" if scheme else nearest(url, ["embedded"])
    raise StoreError(f"`store:` cannot be read: it is {_FORM}{near}")
