"""What every test may ask for: a real PostgreSQL, a database of its own, a program of the system."""

from __future__ import annotations

import os
import pkgutil
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

import exporter
from exporter.store.embedded import EmbeddedPostgres
from exporter.store.migrate import migrate

# The machine is shared by all workers: an example may be slow without being wrong.
settings.register_profile(
    "exporter",
    deadline=None,
    max_examples=50,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("exporter")

# Hypothesis draws on the constants of the modules that are loaded: with all of them loaded from the
# start every run of the suite, whichever test comes first, sees the same examples.
for module in pkgutil.walk_packages(exporter.__path__, "exporter."):
    if module.name != "exporter.__main__":
        import_module(module.name)

# A shell makes what it starts with `&` deaf to Ctrl-C, and all that this starts: tests send it on purpose.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TEMPLATE = "exporter_template"
_PASSWORD = "of-the-tests"  # of the roles `evaluation_writer` and `grafana`
_LOCK = 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a database: `-m "not server"` leaves the tests that need nothing.

    Tests that share what is made once a module stay with one worker: else each would make it again.
    """
    for item in items:
        fixtures = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009  pytest's own
        if any(made[-1].scope == "module" for made in fixtures):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker("server")


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server (database `postgres`, superuser), one for all xdist workers.

    Its roles `grafana` and `evaluation_writer` may log in; see `reader` and `writer`.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}"
    root = Path(tempfile.gettempdir()) / f"exporter-tests-{os.geteuid()}-{run}"
    # a test's server may forget all when the machine falls: nothing of it outlives the session
    postgres = EmbeddedPostgres(root, {"fsync": "off", "max_connections": "200"})
    with postgres:
        admin = postgres.url_of("postgres")
        _prepare_template(admin)
        yield admin
    if not (postgres.root / "data" / "postmaster.pid").exists():
        shutil.rmtree(postgres.root, ignore_errors=True)  # the last worker has stopped it


@pytest.fixture
def empty_database(server: str) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    with made_database(server, "template1") as url:
        yield url


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """The URL of a fresh database of this test's own, migrated and empty."""
    with made_database(server) as url:
        yield url


@pytest.fixture(scope="module")
def shared_database(server: str) -> Iterator[str]:
    """The same for a whole module, where tests only read, or write what the others do not see."""
    with made_database(server) as url:
        yield url


@pytest.fixture
def reader(database: str) -> str:
    """The URL of the same database for the role that dashboards use: views, and nothing else."""
    return as_role(database, "grafana")


@pytest.fixture
def writer(database: str) -> str:
    """The URL of the same database for the role that `exporter run` uses."""
    return as_role(database, "evaluation_writer")


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """`program("promtool")` is its path; the test is skipped, with the reason, where it is absent.

    With REQUIRE_SERVERS=1 in the environment, as in CI, its absence is a failure.
    """

    def find(name: str) -> str:
        found = shutil.which(name) or next(
            (str(p) for p in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), None
        )
        if found is None and os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(f"{name} is not installed, and REQUIRE_SERVERS=1 wants it")
        if found is None:
            pytest.skip(f"{name} is not installed")
        return found

    return find


def as_role(url: str, role: str) -> str:
    """The URL of the same database for another role of the test server."""
    return f"postgresql://{role}:{_PASSWORD}@" + url.split("@")[1]


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the account of an embedded server can enter, as it cannot those of `tmp_path`."""
    folder = Path(tempfile.mkdtemp(prefix="exporter-folder-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def made_database(server: str, template: str = TEMPLATE) -> Iterator[str]:
    """A database copied from a template, and dropped in the end; its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
        url = server.rpartition("/")[0] + "/" + name
        if template == TEMPLATE:
            migrate(url)  # what a template does not pass on: rights and settings of the database
        yield url
        connection.execute(f"drop database {name} with (force)")


def _prepare_template(server: str) -> None:
    """Migrate one database that all others are copied from; the first worker does, the others wait."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        known = "select 1 from pg_database where datname = %s and datistemplate"
        if connection.execute(known, (TEMPLATE,)).fetchone():
            return
        connection.execute(f"create database {TEMPLATE}")
        migrate(server.rpartition("/")[0] + "/" + TEMPLATE)
        for role in ("evaluation_writer", "grafana"):
            connection.execute(f"alter role {role} login password '{_PASSWORD}'")
        connection.execute(f"alter database {TEMPLATE} is_template true")
