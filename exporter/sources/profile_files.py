"""Profiles as files: written column by column, then memory-mapped, so that a reference costs its reading once.

A file is arrays, one after the other at multiples of 64 bytes, then a JSON footer that says which
records they belong to, the footer's checksum and length, and a mark.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO
from zlib import crc32

import numpy as np
import numpy.typing as npt

MARK = b"EVALREF2"
ALIGN = 64
LARGE = 4 << 20  # bytes from which an array's pages are given back once its column is compared
MAPPED = 1 << 20  # bytes from which a file is mapped, not read
_ROOMS = ("exporter.profile.", "exporter.batch", "exporter.evaluation")
_KNOWN_AHEAD = {"NumericProfile": ("top",), "Points": ("total",)}  # so that no value is touched
_ENDING = 4 + 8 + len(MARK)


@dataclass(slots=True)
class ProfileWriter:
    """Appends records' arrays to a file, from several threads, and gives back the rest as JSON."""

    file: BinaryIO
    _lock: Lock = field(default_factory=Lock)

    def pack(self, value: Any) -> Any:
        """A record, array or plain value as JSON, with the places of its arrays."""
        if isinstance(value, np.ndarray):
            return {"@": self._array(value)}
        if isinstance(value, np.generic):
            return value.item()
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        if isinstance(value, Mapping):
            return {"map": [[key, self.pack(entry)] for key, entry in value.items()]}
        if isinstance(value, tuple | list):
            if all(isinstance(entry, str | int | float | None) for entry in value):
                return list(value)
            return [self.pack(entry) for entry in value]
        return value

    def finish(self, footer: Mapping[str, Any]) -> None:
        """End the file with what `pack` gave."""
        text = json.dumps(footer).encode()
        ending = crc32(text).to_bytes(4, "little") + len(text).to_bytes(8, "little") + MARK
        self.file.write(text + ending)

    def _record(self, value: Any) -> dict[str, Any]:
        kind = type(value)
        # what cannot be kept, such as the way to release a column, is left to its default
        content = {
            f.name: self.pack(getattr(value, f.name))
            for f in fields(value)
            if not callable(getattr(value, f.name))
        }
        ahead = {n: getattr(value, n) for n in _KNOWN_AHEAD.get(kind.__name__, ())}
        return {"is": f"{kind.__module__}:{kind.__name__}", "of": content, "ahead": ahead}

    def _array(self, values: npt.NDArray[Any]) -> list[Any]:
        with self._lock:
            at = self.file.tell()
            self.file.write(b"\0" * (-at % ALIGN))
            at += -at % ALIGN
            self.file.write(np.ascontiguousarray(values).view(np.uint8).data)
        return [at, len(values), values.dtype.str]


@dataclass(frozen=True, slots=True)
class ProfileFile:
    """A kept file, whose arrays are read where they lie."""

    footer: Mapping[str, Any]
    data: mmap.mmap | bytes

    def unpack(self, packed: Any) -> Any:
        """What was packed."""
        if isinstance(packed, list):
            return tuple([self.unpack(x) if isinstance(x, dict | list) else x for x in packed])
        if not isinstance(packed, dict):
            return packed
        if "@" in packed:
            at, count, kind = packed["@"]
            return np.frombuffer(self.data, kind, count, at)
        if "map" in packed:
            return {key: self.unpack(entry) for key, entry in packed["map"]}
        record = _class(packed["is"])(**{n: self.unpack(x) for n, x in packed["of"].items()})
        for name, value in packed["ahead"].items():
            record.__dict__[name] = value
        return record

    def releases(self, packed: Mapping[str, Any]) -> Callable[[str], None]:
        """Gives back the memory of a column's large arrays; *packed* is the columns by name."""
        data = self.data
        if not isinstance(data, mmap.mmap):
            return _nothing
        places = {
            name: [p for p in _arrays(column) if p[1] >= LARGE] for name, column in packed.items()
        }

        def release(name: str) -> None:
            for at, size in places.get(name, ()):
                first = -(-at // mmap.PAGESIZE) * mmap.PAGESIZE
                data.madvise(mmap.MADV_DONTNEED, first, max(at + size - first, 1))

        return release


def _nothing(name: str) -> None:
    """Give back no memory."""


def open_profile(path: Path) -> ProfileFile:
    """The file; a ValueError or OSError where it is not whole."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        data: mmap.mmap | bytes
        if size >= MAPPED:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        else:
            data = file.read()
    end = len(data) - _ENDING
    if end < 0 or data[-len(MARK) :] != MARK:
        raise ValueError("not a whole profile")
    length = int.from_bytes(data[end + 4 : end + 12], "little")
    text = data[max(end - length, 0) : end]
    if crc32(text) != int.from_bytes(data[end : end + 4], "little"):
        raise ValueError("a damaged profile")
    return ProfileFile(json.loads(text), data)


def bytes_of(value: Any) -> int:
    """The sum of the arrays that a record holds."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(bytes_of(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, Mapping):
        return sum(map(bytes_of, value.values()))
    if isinstance(value, tuple | list):
        return 8 * len(value) if value and isinstance(value[0], str) else sum(map(bytes_of, value))
    return 0


def _arrays(packed: Any) -> list[tuple[int, int]]:
    """Where the arrays of a packed record lie, and their bytes."""
    if isinstance(packed, list):
        return [p for x in packed if isinstance(x, dict | list) for p in _arrays(x)]
    if not isinstance(packed, dict):
        return []
    if "@" in packed:
        at, count, kind = packed["@"]
        return [(at, count * np.dtype(kind).itemsize)]
    return [p for x in packed.values() for p in _arrays(x)]


@cache
def _class(name: str) -> Any:
    """A record's class; only those that profiles are made of."""
    module, _, kind = name.partition(":")
    found = getattr(import_module(module), kind, None) if module.startswith(_ROOMS) else None
    if not is_dataclass(found):
        raise ValueError(f"{name} is no record of a profile")
    return found
