"""A dump of one database is a store in another: as docs/store.md says for backups and for moving."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import as_role, made_database
from store.samples import rows, snapshot

from exporter.store import Input, Store, migrate, open_store
from exporter.store.binaries import find_binaries


@pytest.fixture
def moved(server: str, database: str, tmp_path: Path) -> Iterator[str]:
    """A database restored by its owner from a dump of another one, and migrated for the rights."""
    with Store(database) as store:
        store.write(snapshot(), source=Input("entry", "print"))
        store.write(snapshot(day=-40))
    programs, dump = find_binaries(os.environ), tmp_path / "store.sql"
    parts = ("--no-owner", "--no-privileges", "--schema=evaluation", "--schema=grafana")
    subprocess.run([programs / "pg_dump", *parts, "-f", dump, database], check=True)
    with made_database(server, "template1") as url:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"alter database {url.rpartition('/')[2]} owner to evaluation_owner")
        owner = f"{url}?options=-c%20role%3Devaluation_owner"
        quiet = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", dump)
        subprocess.run([programs / "psql", *quiet, owner], check=True, capture_output=True)
        assert migrate(owner) == []
        yield url


def test_a_restored_dump_is_the_same_store(moved: str) -> None:
    with open_store(as_role(moved, "evaluation_writer")) as store:
        assert store.write(snapshot()).result == "same"
        assert store.write(snapshot(day=1)).result == "new"
        later = snapshot(day=400, computed_at=snapshot(day=401).window_start)
        assert store.write(later).result == "new"  # in a month that is made for it
        assert list(store.inputs("p", "entry", "inputs").values()) == ["print"]
    reader = as_role(moved, "grafana")
    assert rows(reader, "select count(*) from grafana.snapshots") == [(4,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(reader, "select * from evaluation.metric")
