"""The store of a stack, and how Grafana reads it: as a role that may read the views, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict

from exporter.config import Loaded
from exporter.pipeline import store_location
from exporter.store import EMBEDDED, migrate, open_store
from exporter.store.connection import place
from exporter.store.embedded import DATABASE, EmbeddedPostgres

READER = "grafana"
PASSWORD = "GRAFANA_DB_PASSWORD"  # noqa: S105  the variable's name
_MODES = ("disable", "require", "verify-ca", "verify-full")  # what Grafana knows of sslmode
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "")


@dataclass(frozen=True, slots=True)
class Database:
    """A database as its reader finds it."""

    url: str  # as the exporter reaches it
    host: str
    port: str
    name: str
    sslmode: str
    password: str  # the reader's; empty where nobody told it

    @property
    def shown(self) -> str:
        """Where it is, without user and password."""
        return place(self.url).partition(" ")[0]


@contextmanager
def open_database(loaded: Loaded) -> Iterator[Database]:
    """The config's store at work; of the embedded one the reader gets a password of its own.

    Raises StoreError where it cannot be started, or where the database refuses us.
    """
    location = store_location(loaded)
    if location == EMBEDDED:
        with EmbeddedPostgres() as server:
            migrate(server.url)
            yield _described(server.url, server.let_in(READER), DATABASE)
        return
    with open_store(location):
        pass  # told here, in one line, what would otherwise stand in the log of each part
    yield _described(location, os.environ.get(PASSWORD, ""), "")


def _described(url: str, password: str, name: str) -> Database:
    given = conninfo_to_dict(url)
    host = str(given.get("host") or "localhost").split(",")[0]
    mode = str(given.get("sslmode") or "")
    plain = "disable" if host in _LOOPBACK or host.startswith("/") else "require"
    return Database(
        url=url,
        host=host,
        port=str(given.get("port") or 5432).split(",")[0],
        name=name or str(given.get("dbname") or given.get("user") or ""),
        sslmode=mode if mode in _MODES else plain,
        password=password,
    )
