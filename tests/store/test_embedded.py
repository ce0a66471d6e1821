"""The embedded server: made once, shared by processes, stopped by the last; its URL stays."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import open_folder
from store.samples import snapshot

from exporter.errors import StoreError
from exporter.store import migrate, open_store
from exporter.store.binaries import find_binaries, major_of
from exporter.store.embedded import EmbeddedPostgres
from exporter.store.folders import state_folder
from exporter.store.ports import free_port

PROJECT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder that other accounts can reach; what lies elsewhere is removed as well."""
    with open_folder() as folder:
        monkeypatch.setenv("XDG_STATE_HOME", str(folder))
        yield folder


def running(server: EmbeddedPostgres) -> bool:
    return (server.data / "postmaster.pid").exists()


def python(code: str, state: Path) -> subprocess.Popen[str]:
    """Another process of the same user, with its output at hand."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=PROJECT,
        env={**os.environ, "XDG_STATE_HOME": str(state), "HOME": str(state)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


HOLD = """
    import sys
    from exporter.store.embedded import EmbeddedPostgres
    with EmbeddedPostgres() as server:
        print(server.url, flush=True)
        sys.stdin.read()
"""


def test_the_store_lies_in_the_state_folder_and_is_kept(state: Path) -> None:
    with open_store("embedded") as store:
        written = store.write(snapshot())
        first = store.url
    assert not running(EmbeddedPostgres())
    with open_store("embedded") as store:
        assert store.url == first
        assert [head.id for head in store.find()] == [written.snapshot_id]
    assert (state_folder() / "postgres" / "data" / "PG_VERSION").exists()
    assert state_folder().parent == state


def test_the_server_is_safe_by_default(state: Path) -> None:
    with EmbeddedPostgres() as server, psycopg.connect(server.url) as connection:
        shown = {
            name: connection.execute(f"show {name}").fetchone()
            for name in ("fsync", "data_checksums", "listen_addresses", "password_encryption")
        }
        password = (server.root / "password").stat()
    assert shown == {
        "fsync": ("on",),
        "data_checksums": ("on",),
        "listen_addresses": ("127.0.0.1",),
        "password_encryption": ("scram-sha-256",),
    }
    assert stat.S_IMODE(password.st_mode) == 0o600


def test_nobody_enters_without_the_password(state: Path) -> None:
    with EmbeddedPostgres() as server:
        stranger = "postgresql://postgres:guess@" + server.url.split("@")[1]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(stranger)


def test_a_role_is_let_in_with_a_password_of_its_own_that_stays(state: Path) -> None:
    with EmbeddedPostgres() as server:
        migrate(server.url)
        password = server.let_in("grafana")
        assert password == server.let_in("grafana")
        assert password != (server.root / "password").read_text()
        assert stat.S_IMODE((server.root / "password-grafana").stat().st_mode) == 0o600
        reader = f"postgresql://grafana:{password}@" + server.url.split("@")[1]
        with psycopg.connect(reader) as connection:
            assert connection.execute("select count(*) from grafana.snapshots").fetchone() == (0,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select * from evaluation.project")


def test_the_last_of_several_processes_stops_the_server(state: Path) -> None:
    others = [python(HOLD, state) for _ in range(3)]
    urls = {other.stdout.readline().strip() for other in others if other.stdout}
    mine = EmbeddedPostgres()
    with mine:
        assert urls == {mine.url}
        for other in others:
            assert running(mine)
            other.communicate()
        assert [other.returncode for other in others] == [0, 0, 0]
        assert running(mine)
    assert not running(mine)


def test_a_process_that_was_killed_keeps_no_lease(state: Path) -> None:
    other = python(HOLD, state)
    assert other.stdout is not None
    other.stdout.readline()
    other.send_signal(signal.SIGKILL)
    other.communicate()
    mine = EmbeddedPostgres()
    assert running(mine)  # nobody was left to stop it
    with mine, psycopg.connect(mine.url):
        pass
    assert not running(mine)


def test_a_port_that_somebody_took_is_left_to_them(state: Path) -> None:
    with EmbeddedPostgres() as server:
        port = server.url.rpartition(":")[2].partition("/")[0]
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # our clients' ends linger
        taken.bind(("127.0.0.1", int(port)))
        taken.listen()
        with EmbeddedPostgres() as server, psycopg.connect(server.url):
            assert f":{port}/" not in server.url


def test_a_free_port_is_the_wanted_one() -> None:
    port = free_port(0)
    assert free_port(port) == port


def test_data_of_another_major_version_are_left_alone(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EmbeddedPostgres() as server:
        version = server.data / "PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(
        StoreError, match=r"was made by PostgreSQL 14, and .* is \d\d: point PG_BIND"
    ):
        EmbeddedPostgres().__enter__()
    assert version.read_text() == "14\n"


def test_a_server_that_cannot_start_is_told_with_its_reason(state: Path) -> None:
    with EmbeddedPostgres() as server:
        pass
    (server.data / "postgresql.auto.conf").write_text("shared_buffers = nonsense\n")
    with pytest.raises(StoreError, match="did not start") as caught:
        EmbeddedPostgres(settings={"work_mem": "nonsense"}).__enter__()
    assert "name a database under `store:`" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_state_folder_that_cannot_be_made_is_told(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(state / "file"))
    with pytest.raises(StoreError, match="set XDG_STATE_HOME, or name a database"):
        EmbeddedPostgres().__enter__()


@pytest.mark.skipif(not AS_ROOT, reason="only root runs the server as another account")
def test_root_runs_the_server_as_another_account_and_opens_no_home() -> None:
    home = Path(tempfile.mkdtemp(prefix="exporter-home-"))  # 0700, as /root is
    server = EmbeddedPostgres(home / "state")
    with server:
        pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
        assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert server.root.parent == Path("/var/tmp")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert EmbeddedPostgres(home / "state").root == server.root
    shutil.rmtree(server.root)
    home.rmdir()


@pytest.mark.skipif(not AS_ROOT, reason="only root can put a folder in another's place")
def test_a_folder_of_somebody_else_is_not_used() -> None:
    home = Path(tempfile.mkdtemp(prefix="exporter-home-"))
    server = EmbeddedPostgres(home / "state")
    server.root.mkdir()
    os.chown(server.root, 65534, 65534)
    with pytest.raises(StoreError, match="is not this user's"):
        server.__enter__()
    server.root.rmdir()
    home.rmdir()


def as_another_user(work: Callable[[], str]) -> str:
    """What the work says when it is done by a user without rights; where that is us, by us.

    In a fork, not in a new Python: Python itself may lie where that user cannot go.
    """
    if not AS_ROOT:
        return work()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said = work()
        except BaseException as error:  # noqa: BLE001  the parent shall see it, and pytest not run on
            said = repr(error)
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said


def opened() -> str:
    """An embedded store is opened and asked; what it answers."""
    with open_store("embedded") as store:
        return f"{store.find()} {store.url}"


def test_a_user_without_rights_has_a_server_of_their_own(state: Path) -> None:
    if AS_ROOT:
        os.chown(state, NOBODY, NOBODY)
    assert as_another_user(opened).startswith("[] postgresql://postgres:")
    data = state / "evaluation-exporter" / "postgres" / "data"
    assert data.stat().st_uid == (NOBODY if AS_ROOT else os.geteuid())


@pytest.mark.parametrize("mode", [0o700, 0o500])
def test_a_user_who_cannot_write_home_is_served_elsewhere(
    monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """As in a container that runs as any user: HOME is root's, or is only read."""
    home = Path(tempfile.mkdtemp(prefix="exporter-home-"))
    home.chmod(mode if AS_ROOT else 0o500)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    assert as_another_user(opened).startswith("[] postgresql://postgres:")
    folder = Path(as_another_user(lambda: str(state_folder())))
    assert folder.parent == Path("/var/tmp")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(home.iterdir()) == []
    shutil.rmtree(folder)
    home.rmdir()


def test_an_account_without_a_home_has_its_state_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/nowhere/at/all")
    folder = Path(as_another_user(lambda: str(state_folder())))
    assert folder.parent == Path("/var/tmp")
    folder.rmdir()


def test_a_closed_umask_does_not_lock_the_server_out(state: Path) -> None:
    before = os.umask(0o077)
    try:
        assert opened().startswith("[]")
    finally:
        os.umask(before)


def test_a_number_that_is_another_process_now_keeps_no_server_from_starting(state: Path) -> None:
    """As after a container's restart: the pid file outlived the server, and its pid is taken."""
    with EmbeddedPostgres() as server:
        first = server.url
        pid_file = server.data / "postmaster.pid"
        left = pid_file.read_text()
    account = server._account
    who = {} if account is None else {"user": account.pw_uid}
    other = subprocess.Popen(["sleep", "600"], cwd="/", **who)  # type: ignore[call-overload]
    pid_file.write_text(left.replace(left.splitlines()[0], str(other.pid), 1))
    try:
        with server, psycopg.connect(server.url):
            assert server.url == first
    finally:
        other.kill()
        other.wait()


def test_a_server_that_answers_is_never_taken_for_dead(state: Path) -> None:
    with EmbeddedPostgres() as server:
        pid_file = server.data / "postmaster.pid"
        left = pid_file.read_text()
        pid_file.write_text(left.replace(left.splitlines()[0], str(os.getpid()), 1))
        server._forget_the_dead()
        assert pid_file.exists()
        pid_file.write_text(left)


def test_programs_that_cannot_be_run_are_told(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bindir = fake_postgres(state / "programs", 17)
    (bindir / "initdb").write_bytes(b"not a program")
    monkeypatch.setenv("PG_BINDIR", str(bindir))
    with pytest.raises(StoreError, match="name a database under `store:`") as caught:
        EmbeddedPostgres().__enter__()
    assert "Exec format error" in str(caught.value)


def test_binaries_in_a_closed_folder_are_copied_once(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Path(tempfile.mkdtemp(prefix="exporter-venv-"))
    found = find_binaries({})
    package = closed / found.parent.parent.name
    shutil.copytree(found.parent.parent, package, symlinks=True)
    found_programs = package / found.parent.name / found.name
    for path in (package, found_programs.parent, found_programs, found_programs / "postgres"):
        path.chmod(0o700)  # as root's installer leaves them under a closed umask
    for libraries in found.parent.parent.parent.glob(found.parent.parent.name + ".libs"):
        shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    monkeypatch.setenv("PG_BINDIR", str(package / found.parent.name / found.name))
    with EmbeddedPostgres() as server, psycopg.connect(server.url):
        copies = list(server.root.glob("binaries-*"))
    assert len(copies) == (1 if AS_ROOT else 0)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    shutil.rmtree(closed)


def test_pg_bindir_goes_before_the_wheels(tmp_path: Path) -> None:
    bindir = fake_postgres(tmp_path, 17)
    assert find_binaries({"PG_BINDIR": str(bindir)}) == bindir
    assert major_of(bindir) == 17


def test_a_pg_bindir_without_programs_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"PG_BINDIR=.*there are no postgres, initdb and pg_ctl"):
        find_binaries({"PG_BINDIR": str(tmp_path)})


def test_the_newest_system_postgresql_serves_where_no_wheel_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.store.binaries.WHEELS", ())
    for major in (9, 14, 15, 16):
        fake_postgres(tmp_path / str(major) / "bin", major)
    assert find_binaries({}, tmp_path) == tmp_path / "16" / "bin"


def test_without_any_postgresql_the_way_out_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.store.binaries.WHEELS", ())
    fake_postgres(tmp_path / "14" / "bin", 14)
    with pytest.raises(StoreError, match=r"evaluation-exporter\[embedded\].*`store:`"):
        find_binaries({"PATH": str(tmp_path)}, tmp_path)


def fake_postgres(folder: Path, major: int) -> Path:
    """Programs that only say their version."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("postgres", "initdb", "pg_ctl"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {major}.1'\n")
        (folder / name).chmod(0o755)
    return folder
