"""A store that cannot be reached or used is one line that says what to do, and shows no password."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from store.samples import FIRST, snapshot

from exporter.errors import SnapshotError, StoreError
from exporter.store import Store, StoreAway, open_store
from exporter.store.connection import place
from exporter.store.folders import spool_folder

SECRET = "s3cr3t-word"


def told(url: str) -> StoreError:
    """What a user is told who asks this store for something."""
    with pytest.raises(StoreError) as caught, open_store(url) as store:
        store.find()
    error = caught.value
    assert SECRET not in str(error)
    assert "\n" not in str(error)
    assert error.exit_code == 4
    causes = [str(error.__cause__), str(error.__context__)]
    assert not any(SECRET in cause for cause in causes)
    return error


def with_parts(url: str, *, user: str = "postgres", password: str = "", path: str = "") -> str:
    """The URL with another user, password or database."""
    old, host = url.removeprefix("postgresql://").split("@")
    host, _, database = host.partition("/")
    return f"postgresql://{user}:{password or old.split(':')[1]}@{host}/{path or database}"


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://ann:{SECRET}@db/x",
        f"postgresql://ann:{SECRET}@db:port/x",
        f"ann:{SECRET}@db/x",
        f"postgresql://ann:{SECRET}@[db/x",
        f"postgresql://ann:{SECRET}@db/x?nonsense=1",
        "",
    ],
)
def test_a_url_that_is_none_is_told_with_the_form_it_has(url: str) -> None:
    assert "postgresql://user:password@host:5432/database" in str(told(url))


def test_a_misspelt_location_suggests_the_nearest() -> None:
    assert "did you mean 'embedded'?" in str(told("embeded"))


def test_a_refused_connection_is_away(free_port: int) -> None:
    error = told(f"postgresql://ann:{SECRET}@127.0.0.1:{free_port}/x")
    assert isinstance(error, StoreAway)
    assert f"127.0.0.1:{free_port}/x (user ann) does not answer" in str(error)
    assert "start it" in str(error)


def test_an_unknown_host_is_away() -> None:
    assert isinstance(told(f"postgresql://ann:{SECRET}@nowhere.invalid/x"), StoreAway)


def test_a_store_that_is_away_is_opened_all_the_same(free_port: int) -> None:
    with open_store(f"postgresql://127.0.0.1:{free_port}/x") as store:
        with pytest.raises(StoreAway):
            store.write(snapshot())
        with pytest.raises(StoreAway):
            store.inputs("p", "entry", "inputs")


def test_a_wrong_password_is_told(database: str) -> None:
    error = told(with_parts(database, password=SECRET))
    assert not isinstance(error, StoreAway)
    assert "password authentication failed" in str(error)
    assert "check user and password" in str(error)


def test_an_unknown_user_is_told_like_a_wrong_password(database: str) -> None:
    assert "check user and password" in str(told(with_parts(database, user="nobody_here")))


def test_a_missing_database_is_told(database: str) -> None:
    error = told(with_parts(database, path="no_such_database"))
    assert 'database "no_such_database" does not exist' in str(error)
    assert "create the database, then run `exporter db migrate`" in str(error)


def test_a_database_that_is_not_migrated_is_told(empty_database: str) -> None:
    assert "has no tables of ours: run `exporter db migrate`" in str(told(empty_database))


def test_a_database_of_a_newer_program_is_told(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("insert into evaluation.migration values (9001, 'later.sql', 'x')")
    assert "is at migration 9001, this program knows" in str(told(database))
    assert "upgrade evaluation-exporter" in str(told(database))


def test_a_database_that_lacks_a_migration_is_told(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("delete from evaluation.migration where version = 2")
    assert "lacks 0002_views.sql: run `exporter db migrate`" in str(told(database))


def test_a_role_without_rights_is_told(reader: str) -> None:
    assert "evaluation_writer" in str(told(reader))


def test_a_session_that_only_reads_is_told(database: str) -> None:
    url = f"{database}?options=-c%20default_transaction_read_only%3Don"
    with open_store(url) as store:
        assert store.find() == []
        with pytest.raises(StoreError, match="it only reads: name the primary") as caught:
            store.write(snapshot())
    assert not isinstance(caught.value, StoreAway)


def test_options_of_the_url_stay_beside_ours(database: str) -> None:
    url = f"{database}?options=-c%20work_mem%3D9MB&application_name=mine"
    with Store(url) as store:
        show = (
            "select current_setting('work_mem'), current_setting('timezone'), current_setting(%s)"
        )
        row = store.connection().execute(show, ("application_name",)).fetchone()
    assert row == ("9MB", "UTC", "mine")


def test_a_statement_that_takes_too_long_is_away(database: str) -> None:
    url = f"{database}?options=-c%20statement_timeout%3D50"
    with psycopg.connect(database) as other, Store(url) as store:
        other.execute("lock table evaluation.project")
        with pytest.raises(StoreAway, match="statement timeout"):
            store.write(snapshot())


def test_too_many_connections_is_away(server: str) -> None:
    name = f"limited_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"create role {name} login password 'x' connection limit 0")
        url = with_parts(server, user=name, password="x")
        with pytest.raises(StoreAway, match="too many connections"):
            Store(url).connection()
        admin.execute(f"drop role {name}")


def test_a_place_is_shown_without_its_password() -> None:
    assert place(f"postgresql://ann:{SECRET}@db.example/x") == "db.example:5432/x (user ann)"
    assert place(f"host=db port=1 dbname=y password={SECRET}") == "db:1/y"


def test_a_spool_is_a_folder_a_database_whoever_connects() -> None:
    ann, bob, other = (
        spool_folder(url)
        for url in (
            f"postgresql://ann:{SECRET}@db/x",
            "postgresql://bob:word@db:5432/x",
            "postgresql://ann@db/y",
        )
    )
    assert ann == bob != other
    assert SECRET not in str(ann)
    assert spool_folder("embedded").name == "embedded"


def test_a_snapshot_of_the_wrong_kind_stops_nobody_else(database: str) -> None:
    with Store(database) as store:
        with pytest.raises(SnapshotError):
            store.write(replace(snapshot(), rows=2**80))
        assert store.write(snapshot()).result == "new"
        assert [head.window_start for head in store.find()] == [FIRST]


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port on which nobody listens while the test runs: it is bound."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
