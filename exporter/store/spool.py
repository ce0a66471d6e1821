"""Snapshots that wait on disk while the store is away: one file each, delivered oldest first, deleted after the commit."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from exporter.errors import StoreError
from exporter.snapshot import Snapshot, from_dict
from exporter.store.postgres import Input, Store, Written

_TRANSIENT = ("08", "53", "57P", "40001", "40P01", "55P03", "57014")


def transient(error: Exception) -> bool:
    """Whether the same write may succeed later: the store is away or busy, nothing is wrong with the snapshot."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return str(state).startswith(_TRANSIENT)


class Spool:
    """A store with a folder before it: nothing lost, nothing doubled."""

    def __init__(self, store: Store, folder: Path, max_bytes: int = 2 << 30) -> None:
        self._store = store
        self._folder = folder
        self._max_bytes = max_bytes
        (folder / "refused").mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(
        self, snapshot: Snapshot, *, force: bool = False, source: Input | None = None
    ) -> Written | None:
        """Store the snapshot, or keep it for later: then the answer is None."""
        try:
            written = self._store.write(snapshot, force=force, source=source)
        except psycopg.Error as error:
            if not transient(error):
                raise
            self._put({**snapshot.as_dict(), "delivery": {"force": force, "source": source}})
            return None
        self.deliver()
        return written

    def deliver(self) -> int:
        """Hand over what waits; how many arrived. Stops quietly where the store is away again."""
        arrived = 0
        for file in self.waiting():
            try:
                form = json.loads(file.read_bytes())
                delivery = form.pop("delivery")
                self._store.write(
                    from_dict(form),
                    force=delivery["force"],
                    source=Input(*delivery["source"]) if delivery["source"] else None,
                )
            except FileNotFoundError:
                continue  # another process delivered it
            except Exception as error:
                if transient(error):
                    return arrived
                file.rename(self._folder / "refused" / file.name)
                continue
            file.unlink(missing_ok=True)
            arrived += 1
        return arrived

    def waiting(self) -> Iterator[Path]:
        """The files that wait, oldest first."""
        return iter(sorted(self._folder.glob("*.json")))

    def _put(self, form: dict[str, object]) -> None:
        payload = json.dumps(form, allow_nan=False).encode()
        if (
            sum(file.stat().st_size for file in self._folder.glob("*.json")) + len(payload)
            > self._max_bytes
        ):
            raise StoreError(
                f"the spool {self._folder} is full and the store is away: free space, or start the store"
            )
        name = f"{time.time_ns():020d}-{os.getpid()}"
        partial = self._folder / (name + ".partial")
        with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._folder / (name + ".json"))
        folder = os.open(self._folder, os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)
