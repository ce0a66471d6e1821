"""Snapshots that wait on disk while the store is away: one file each, delivered oldest first, deleted after the commit."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from exporter.errors import SnapshotError, StoreError
from exporter.profile.histogram import Grid
from exporter.snapshot import Snapshot, from_dict
from exporter.store.connection import StoreAway
from exporter.store.door import storable
from exporter.store.expected import Expected
from exporter.store.folders import spool_folder
from exporter.store.links import Links
from exporter.store.postgres import Store
from exporter.store.records import Input, Written

__all__ = ["Spool", "spool_folder"]

MAX_BYTES = 2 << 30
_LONGEST_PAUSE = 30.0
_COUNTER = count()  # two threads may come at the same nanosecond
_log = logging.getLogger(__name__)


class Spool:
    """A store with a folder before it: nothing lost, nothing doubled.

    While the store is away it is asked again after a pause only, so that each snapshot does not
    wait for a connection that nobody answers.
    """

    def __init__(self, store: Store, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.store = store
        self._folder = folder
        self._max_bytes = max_bytes
        self._pause = 0.0
        self._away_until = 0.0

    def write(
        self, snapshot: Snapshot, *, force: bool = False, source: Input | None = None
    ) -> Written | None:
        """Store the snapshot, or keep it for later: then the answer is None.

        Raises SnapshotError where no store could hold it, StoreError where the store refuses us
        or the folder is full.
        """
        if time.monotonic() >= self._away_until:
            try:
                written = self.store.write(snapshot, force=force, source=source)
            except StoreAway:
                self._away()
            else:
                self._pause = 0.0
                self.deliver()
                return written
        delivery = {"force": force, "source": source}
        self._put({**storable(snapshot).as_dict(), "delivery": delivery})
        return None

    def keep_input(
        self, project: str, evaluation: str, start: datetime, end: datetime, source: Input
    ) -> None:
        """Remember what a window's input looked like, now or when the store is back."""
        try:
            self.store.keep_input(project, evaluation, start, end, source)
        except StoreAway:
            self._away()
            window = [start.isoformat(), end.isoformat()]
            self._put({"input": [project, evaluation, *window, *source]})

    def inputs(
        self, project: str, entry: str, evaluation: str
    ) -> Mapping[tuple[datetime, datetime], str]:
        """The fingerprints of the windows looked at so far; StoreAway where nobody knows."""
        return self.store.inputs(project, entry, evaluation)

    def keep_grids(self, project: str, model: str, grids: Mapping[str, Grid]) -> Mapping[str, Grid]:
        """Fix the distributions' edges of a model; StoreAway where nobody knows the first ones."""
        return self.store.keep_grids(project, model, grids)

    def find(
        self, *, project: str, batch: str, start: datetime | None, end: datetime | None
    ) -> list[Snapshot]:
        """The heads of what the store has; StoreAway where it is away."""
        return self.store.find(project=project, batch=batch, start=start, end=end)

    def retain(
        self,
        now: datetime,
        project: str,
        metrics: timedelta | None,
        distributions: timedelta | None,
    ) -> list[str]:
        """Delete what is older than that, unless the store is away: the next run will."""
        try:
            return self.store.retain(now, project, metrics, distributions)
        except StoreAway:
            self._away()
            return []

    def tell_links(self, project: str, links: Links) -> None:
        """Keep where the project's reports are found, unless the store is away: the next run will."""
        try:
            self.store.tell_links(project, links)
        except StoreAway:
            self._away()

    def tell_expected(self, project: str, expected: Sequence[Expected]) -> None:
        """Keep what the project's config evaluates, unless the store is away: the next run will."""
        try:
            self.store.tell_expected(project, expected)
        except StoreAway:
            self._away()

    def deliver(self) -> int:
        """Hand over what waits, oldest first; how many arrived.

        Stops quietly where the store is away, or while another process delivers. What cannot be
        stored is moved to `refused/` and told in the log.
        """
        if next(self.waiting(), None) is None:
            return 0
        try:
            return self._deliver()
        except OSError as error:
            raise StoreError(
                f"what waits in {self._folder} cannot be delivered ({error.strerror}):"
                " make the folder and its files this user's"
            ) from error

    def _deliver(self) -> int:
        arrived = 0
        with self._alone() as alone:
            for file in self.waiting() if alone else ():
                try:
                    arrived += self._hand_over(file)
                except StoreAway:
                    self._away()
                    break
        return arrived

    def waiting(self) -> Iterator[Path]:
        """The files that wait, oldest first."""
        return iter(sorted(self._folder.glob("*.json")))

    def _away(self) -> None:
        self._pause = min(max(2 * self._pause, 0.25), _LONGEST_PAUSE)
        self._away_until = time.monotonic() + self._pause

    def _hand_over(self, file: Path) -> bool:
        """Deleted only after the commit: who dies in between finds it stored already."""
        try:
            self._store_form(json.loads(file.read_bytes()))
        except FileNotFoundError:
            return False
        except (
            SnapshotError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            self._refuse(file, error)
            return False
        file.unlink(missing_ok=True)
        return True

    def _store_form(self, form: dict[str, Any]) -> None:
        if "input" in form:
            project, evaluation, start, end, *source = form["input"]
            window = (datetime.fromisoformat(start), datetime.fromisoformat(end))
            self.store.keep_input(project, evaluation, *window, Input(*source))
            return
        delivery = form.pop("delivery")
        source = Input(*delivery["source"]) if delivery["source"] else None
        self.store.write(from_dict(form), force=bool(delivery["force"]), source=source)

    def _refuse(self, file: Path, error: Exception) -> None:
        refused = self._folder / "refused"
        refused.mkdir(exist_ok=True, mode=0o700)
        file.replace(refused / file.name)
        _log.warning("%s cannot be stored (%s): it was moved to %s", file.name, error, refused)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether nobody else delivers from this folder; the kernel frees the lock on SIGKILL."""
        with (self._folder / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _put(self, form: Mapping[str, Any]) -> None:
        payload = json.dumps(form, allow_nan=False).encode()
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(_COUNTER)}"
        partial = self._folder / (name + ".partial")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._refuse_beyond_limit(len(payload))
            _write_through(partial, payload)
            partial.rename(self._folder / (name + ".json"))
            _sync_folder(self._folder)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise StoreError(
                f"the store is away, and a snapshot cannot wait in {self._folder}"
                f" ({error.strerror}): free space there, or start the store"
            ) from error

    def _refuse_beyond_limit(self, size: int) -> None:
        taken = 0
        for file in self._folder.glob("*.json"):
            with suppress(FileNotFoundError):  # another process delivered it
                taken += file.stat().st_size
        if taken + size > self._max_bytes:
            raise StoreError(
                f"the store is away, and the {taken:,} bytes that wait in {self._folder} leave no"
                f" room for {size:,} more (limit {self._max_bytes:,}): start the store"
            )


def _write_through(path: Path, payload: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """The new name itself must survive a power cut."""
    descriptor = os.open(folder, os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
