"""Migrations: applied once, in order, by one of many; refused where they do not fit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from store.samples import rows

from exporter.errors import StoreError
from exporter.store import migrate, status
from exporter.store.migrate import MIGRATIONS

ALL = sorted(file.name for file in MIGRATIONS.iterdir() if file.name[:4].isdigit())


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """A folder with one migration of its own."""
    (tmp_path / "0001_first.sql").write_text("create table evaluation.first(a int)")
    (tmp_path / "grants.sql").write_text("select 1")
    return tmp_path


def test_migrations_are_applied_once(empty_database: str) -> None:
    assert migrate(empty_database) == ALL
    assert migrate(empty_database) == []


def test_of_four_at_once_one_migrates_and_the_others_find_it_done(empty_database: str) -> None:
    gate = threading.Barrier(4)

    def work(_: int) -> int:
        gate.wait()
        return len(migrate(empty_database))

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [0, 0, 0, len(ALL)]


def test_the_state_of_a_database_is_told(empty_database: str) -> None:
    before = status(empty_database)
    assert (before.ready, list(before.pending)) == (
        False,
        ALL,
    )
    assert before.applied == []
    migrate(empty_database)
    after = status(empty_database)
    assert (after.ready, after.newer, [step.version for step in after.applied]) == (
        True,
        False,
        list(range(1, len(ALL) + 1)),
    )
    assert after.server.startswith(("15", "16", "17", "18"))
    assert "postgres" in after.place


def test_a_changed_file_is_refused(empty_database: str, steps: Path) -> None:
    migrate(empty_database, steps)
    (steps / "0001_first.sql").write_text("create table evaluation.other(a int)")
    with pytest.raises(StoreError, match=r"0001_first\.sql was changed after it was applied"):
        migrate(empty_database, steps)


def test_a_newer_database_is_refused(empty_database: str, steps: Path) -> None:
    (steps / "0002_second.sql").write_text("select 1")
    migrate(empty_database, steps)
    (steps / "0002_second.sql").unlink()
    with pytest.raises(StoreError, match="is at migration 2, this program knows 1"):
        migrate(empty_database, steps)
    assert status(empty_database, steps).newer


def test_a_file_that_fails_leaves_nothing(empty_database: str, steps: Path) -> None:
    (steps / "0002_second.sql").write_text("create table evaluation.second(a int); select 1 / 0")
    with pytest.raises(Exception, match="division by zero"):
        migrate(empty_database, steps)
    assert rows(empty_database, "select to_regclass('evaluation.second')::text") == [(None,)]
    assert [step.version for step in status(empty_database, steps).applied] == [1]


def test_two_files_with_one_number_are_refused(empty_database: str, steps: Path) -> None:
    (steps / "0001_again.sql").write_text("select 1")
    with pytest.raises(StoreError, match="one number"):
        migrate(empty_database, steps)


def test_a_role_that_may_not_make_tables_is_told(empty_database: str, server: str) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("create role evaluation_test_guest login password 'x'")
    guest = "postgresql://evaluation_test_guest:x@" + empty_database.split("@")[1]
    try:
        with pytest.raises(StoreError, match=r"permission denied.*the owner"):
            migrate(guest)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute("drop role evaluation_test_guest")


def test_rights_given_after_the_last_migration_come_with_the_next(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("revoke all on all tables in schema grafana from grafana")
    assert migrate(database) == []
    query = "select has_table_privilege('grafana', 'grafana.metrics', 'select')"
    assert rows(database, query) == [(True,)]
