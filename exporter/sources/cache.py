"""The cache folder: what can be made again, private to its owner, bounded, safe to share between processes.

Whatever goes wrong with it costs time only: a file that cannot be read is made anew, a folder that
cannot be written is done without.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

LIMIT = 2 << 30
FOLDER = "EVALUATION_EXPORTER_CACHE"
SIZE = "EVALUATION_EXPORTER_CACHE_SIZE"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_STALE = 3600  # seconds after which an unfinished file was left by a process that died


@dataclass(slots=True)
class Cache:
    """A folder of files by name, no larger than *limit* bytes in sum; the longest unused go first."""

    folder: Path | None  # None = nowhere: nothing is kept
    limit: int = LIMIT
    _unchecked: int = field(default=-1, repr=False)  # bytes written since the last look at the sum

    def find(self, name: str) -> Path | None:
        """The file of that name, now the most recently used; None where there is none."""
        if self.folder is None:
            return None
        path = self.folder / name
        try:
            os.utime(path)
        except OSError:
            return path if path.exists() else None
        return path

    def keep(self, name: str, write: Callable[[BinaryIO], None]) -> Path | None:
        """The file that *write* filled, visible under its name only when whole; None where it cannot be kept."""
        if self.folder is None:
            return None
        try:
            descriptor, beside = tempfile.mkstemp(".part", f"{name}.", private_folder(self.folder))
        except OSError:
            return None
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
                size = file.tell()
            Path(beside).replace(self.folder / name)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            return None
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
        self._make_room(name, size)
        return self.folder / name

    def drop(self, name: str) -> None:
        """Forget a file, which turned out to be of no use."""
        if self.folder is not None:
            _unlink(self.folder / name)

    def _make_room(self, newest: str, size: int) -> None:
        """Drop the longest unused files; the folder is looked at now and then, not at every write."""
        if 0 <= self._unchecked + size < self.limit // 32 and self._unchecked >= 0:
            self._unchecked += size
            return
        self._unchecked = 0
        assert self.folder is not None  # noqa: S101  only called after a write
        states = []
        for path in self.folder.iterdir():
            try:
                state = path.stat()
            except OSError:
                continue  # another process has dropped it
            states.append((state.st_mtime_ns, state.st_size, path))
        total = sum(s for _, s, _ in states)
        newest_time = max((t for t, _, _ in states), default=0)
        for time, length, path in sorted(states):
            unfinished = path.suffix == ".part"
            if path.name == newest or (unfinished and newest_time - time < _STALE * 10**9):
                continue
            if total > self.limit - self.limit // 32 or unfinished:
                _unlink(path)
                total -= length


def open_cache(subject: str) -> Cache:
    """The cache of one subject: below $EVALUATION_EXPORTER_CACHE, or the XDG cache folder."""
    return Cache(_folder(subject), _limit())


def private_folder(folder: Path) -> Path:
    """The folder, made if need be; only its owner may look into it."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    return folder


def _folder(subject: str) -> Path | None:
    given = os.environ.get(FOLDER)
    if given is not None:
        return Path(given) / subject if given.strip() else None
    parent = os.environ.get("XDG_CACHE_HOME")
    try:
        root = Path(parent) if parent else Path.home() / ".cache"
    except RuntimeError:  # a user without a home
        return None
    return root / "evaluation-exporter" / subject


def _limit() -> int:
    hit = re.fullmatch(r"\s*(\d+)\s*([KMGT]?)I?B?\s*", os.environ.get(SIZE, "").upper())
    return int(hit[1]) * _UNITS[hit[2]] if hit else LIMIT


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # not ours to drop
