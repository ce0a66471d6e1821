"""Snapshots as JSON files in a folder: one file an identity, written whole, read back by `import`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from exporter.errors import SnapshotError
from exporter.snapshot import Snapshot, canonical, from_dict

_NAME = 200  # a file's name may have 255 bytes


class SnapshotFolder:
    """A folder with a sub-folder a model and evaluation, and a file a window, segment and stream."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, snapshot: Snapshot) -> Path:
        """Write the snapshot beside its name and rename it: a reader sees a whole file or none."""
        target = self.path / _file_name(snapshot)
        part = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(snapshot.to_json() + "\n", encoding="utf-8")
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise SnapshotError(
                f"{target}: the snapshot cannot be written ({error.strerror}): "
                "free space, or change `snapshots: {path: …}`"
            ) from error
        return target

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether there is a file of this identity."""
        return (self.path / _file_name(snapshot)).exists()


def read_snapshots(paths: Iterable[Path]) -> Iterator[tuple[Path, Snapshot | SnapshotError]]:
    """The snapshots of JSON files and folders of them, oldest window first within a folder.

    A file that is none comes with the error; the others are read all the same.
    """
    for path in paths:
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        for file in files:
            try:
                yield file, from_dict(json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, RecursionError, SnapshotError) as error:
                reason = getattr(error, "strerror", None) or error
                if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
                    reason = "this is no JSON file"
                yield file, SnapshotError(f"{file}: {reason}")


def _file_name(snapshot: Snapshot) -> Path:
    """`model/evaluation/2013-02-08T0500Z[…].json`; what cannot stand in a name is told apart by a hash."""
    start = snapshot.window_start
    when = start.strftime("%Y-%m-%dT%H%M%z").replace("+0000", "Z") if start else ""
    end = snapshot.window_end.isoformat() if snapshot.window_end else ""
    identity = [snapshot.project, snapshot.model, snapshot.evaluation, snapshot.segment]
    identity += [
        canonical(snapshot.stream),
        start.isoformat() if start else "",
        end,
        snapshot.batch,
    ]
    digest = sha256("\x1f".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:10]
    tags = [f"{k}={v}" for k, v in snapshot.stream.items()]
    parts = [p for p in (when, snapshot.batch, snapshot.segment, *tags) if p]
    name = "_".join(_plain(p) for p in parts)[:_NAME]
    return Path(_plain(snapshot.model), _plain(snapshot.evaluation), f"{name}_{digest}.json")


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9=._-]+", "-", text)[:60].strip(".") or "-"
