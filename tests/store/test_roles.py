"""Three roles: who owns, who writes, who reads the views and nothing else."""

from __future__ import annotations

import subprocess
import uuid
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from conftest import as_role
from store.samples import DAY, NOW, rows, snapshot

from exporter.errors import StoreError
from exporter.store import Store, migrate, open_store
from exporter.store.binaries import find_binaries
from exporter.store.expected import Expected

ROLES = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sql"
TABLES = (
    "select relname from pg_class where relnamespace = 'evaluation'::regnamespace"
    " and relkind in ('r', 'p')"
)
FUNCTIONS = (
    "select oid::regprocedure::text from pg_proc where pronamespace = 'evaluation'::regnamespace"
)
VIEWS = "select viewname from pg_views where schemaname = 'grafana'"


@pytest.fixture(scope="module")
def filled(shared_database: str) -> str:
    with Store(shared_database) as store:
        store.write(snapshot())
        store.ask_for_test_alert(timedelta(hours=1))
        store.tell_expected("p", [Expected("never", "inputs", 3600, 0)])
    return shared_database


@pytest.fixture
def guest(filled: str) -> str:
    """The reader of the filled database."""
    return as_role(filled, "grafana")


_NOT_UPDATABLE = psycopg.errors.ObjectNotInPrerequisiteState  # a view of several tables


def refused(url: str, statement: str) -> bool:
    """Whether the server refuses it for want of a right, even where the session may write."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        try:
            connection.execute(statement)
        except (psycopg.errors.InsufficientPrivilege, _NOT_UPDATABLE):
            return True
    return False


def test_the_reader_sees_every_view(filled: str, guest: str) -> None:
    for (view,) in rows(filled, VIEWS):
        assert rows(guest, f"select * from grafana.{view} limit 1"), view


def test_the_reader_sees_no_table(filled: str, guest: str) -> None:
    tables = [name for (name,) in rows(filled, TABLES)]
    assert "metric_202610" in tables
    for table in tables:
        assert refused(guest, f"select * from evaluation.{table}"), table
        assert refused(guest, f"delete from evaluation.{table}"), table


def test_the_reader_may_call_none_of_our_functions(filled: str, guest: str) -> None:
    arguments = {"timestamp with time zone": "now()"}
    functions = [name for (name,) in rows(filled, FUNCTIONS)]
    assert len(functions) == 3
    for name in functions:
        call = name.partition("(")[0] + "(" + arguments.get(name[:-1].partition("(")[2], "") + ")"
        assert refused(guest, f"select {call}"), call


@pytest.mark.parametrize(
    "statement",
    [
        "delete from grafana.snapshots",
        "update grafana.version set version = 2",
        "create table grafana.mine(a int)",
        "create view grafana.mine as select 1",
        "create table public.mine(a int)",
        "create schema mine",
        "create temporary table mine(a int)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'cat'",
        "create role mine",
        "alter role grafana superuser",
        "set role evaluation_owner",
        "alter view grafana.snapshots owner to grafana",
        "drop view grafana.snapshots",
        "create function grafana.mine() returns int language sql as 'select 1'",
    ],
)
def test_the_reader_may_do_nothing_else(guest: str, statement: str) -> None:
    assert refused(guest, statement)


def test_the_reader_is_read_only_and_timed_by_default(reader: str) -> None:
    assert rows(reader, "show default_transaction_read_only") == [("on",)]
    assert rows(reader, "show statement_timeout") == [("30s",)]


def test_the_writer_does_all_that_a_run_does(writer: str) -> None:
    with open_store(writer) as store:
        first = store.write(snapshot())
        assert store.write(snapshot(value=3.0)).result == "replaced"
        assert store.write(snapshot(day=-1000)).result == "new"
        assert store.read(first.snapshot_id).rows == 900
        assert store.delete([first.snapshot_id]) == 1
        dropped = store.retain(NOW, "p", 365 * DAY, 30 * DAY)
        assert "evaluation.metric_202401" in dropped


@pytest.mark.parametrize(
    "statement",
    [
        "drop table evaluation.metric",
        "alter table evaluation.metric add x int",
        "create table evaluation.mine(a int)",
        "update evaluation.migration set version = 99",
        "create view grafana.mine as select 1",
        "set role evaluation_owner",
    ],
)
def test_the_writer_changes_no_table(filled: str, statement: str) -> None:
    assert refused(as_role(filled, "evaluation_writer"), statement)


def test_definer_functions_run_as_the_owner_and_not_as_a_superuser(database: str) -> None:
    query = (
        "select proname, prosecdef, pg_get_userbyid(proowner) from pg_proc"
        " where pronamespace = 'evaluation'::regnamespace order by 1"
    )
    assert [found[1:] for found in rows(database, query)] == [(True, "evaluation_owner")] * 3


def test_the_reader_is_told_what_to_do_when_it_is_asked_to_write(reader: str) -> None:
    with pytest.raises(StoreError, match="evaluation_writer") as caught, open_store(reader):
        pass
    assert "\n" not in str(caught.value)


def test_a_database_without_those_roles_serves_who_migrates_it(server: str) -> None:
    """The owner of a database who may not make roles."""
    name = f"plain_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create role {name} login password 'x'")
        admin.execute(f"create database {name} owner {name}")
        url = f"postgresql://{name}:x@" + server.split("@")[1].rpartition("/")[0] + f"/{name}"
        assert migrate(url)
        with open_store(url) as store:
            assert store.write(snapshot()).result == "new"
        admin.execute(f"drop database {name} with (force)")
        admin.execute(f"drop role {name}")


def test_the_shipped_script_makes_roles_and_a_database(server: str) -> None:
    """deploy/postgres/roles.sql, run twice; then the owner migrates and the writer writes."""
    name = f"shipped_{uuid.uuid4().hex[:8]}"
    psql = str(find_binaries({}) / "psql")
    command = [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"database={name}"]
    words = {"owner": "o'1", "writer": "of-the-tests", "reader": "of-the-tests"}
    given = [part for role, word in words.items() for part in ("-v", f"{role}_password={word}")]
    for _ in range(2):
        subprocess.run(
            [*command, *given, "-f", str(ROLES), server], check=True, capture_output=True
        )
    place = server.split("@")[1].rpartition("/")[0] + f"/{name}"
    owner = f"postgresql://evaluation_owner:o%271@{place}"
    assert migrate(owner)
    assert migrate(owner) == []
    with open_store(f"postgresql://evaluation_writer:of-the-tests@{place}") as store:
        assert store.write(snapshot()).result == "new"
    reader = f"postgresql://grafana:of-the-tests@{place}"
    assert rows(reader, "select status from grafana.snapshots") == [("fail",)]
    assert refused(reader, "create temporary table mine(a int)")
    assert refused(reader, "select lo_create(0)")
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"drop database {name} with (force)")
