"""What is known of files without opening them: their windows, with rows and checksums of each.

One index belongs to one source and lies in the cache folder. A file that has not changed keeps its
entry, also when the config asks for other columns now: what is due depends on the data alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from exporter.sources.cache import Cache
from exporter.sources.checksums import RowHashes, sums_by, value_hashes, whole_hashes
from exporter.sources.listing import Print
from exporter.sources.parts import Layout, window_starts
from exporter.sources.reading import Groups
from exporter.sources.windows import NO_TIME

FORMAT = 2


@dataclass(slots=True)
class Stretch:
    """Some rows of a file that are read together; the lists run over the windows that they reach into."""

    groups: Groups | None  # row groups of a parquet file; None = the whole file
    starts: list[int]
    rows: list[int]
    sums: list[int]  # checksums of all columns but the target
    targets: list[int]  # checksums of the target that the rows carry themselves
    labels: list[int] = field(default_factory=list)  # checksums of ids with targets, labels joined


@dataclass(slots=True)
class FileIndex:
    """One file as it was when it was last opened."""

    print: Print
    without_time: int
    stretches: list[Stretch]
    without_time_sum: int = 0  # checksum of those rows
    labels_key: str = ""  # which labels its checksums are of; empty = none yet


@dataclass(slots=True)
class Index:
    """The files of a source by path, and what else has been found out about it."""

    files: dict[str, FileIndex] = field(default_factory=dict)
    kinds: dict[str, str] | None = None  # the columns' kinds, where they were inferred
    duplicates: int = 0  # labels that a later one replaces
    changed: bool = False

    def keep_only(self, paths: Sequence[str]) -> None:
        """Forget files that are gone."""
        gone = self.files.keys() - set(paths)
        for path in gone:
            del self.files[path]
        self.changed = self.changed or bool(gone)


def index_stretch(
    names: Sequence[str],
    read: Callable[[str], pa.ChunkedArray],
    layout: Layout,
    target: str | None,
    where: str,
) -> tuple[Stretch, int, int]:
    """The windows of some rows with their checksums; how many rows have no time, and their checksum.

    One column is in memory at a time, if *read* gives it so.
    """
    times, begin = window_starts(read(layout.time), layout, where)
    each, place, count = np.unique(begin, return_inverse=True, return_counts=True)
    rows = RowHashes(len(times))
    rows.add(layout.time, whole_hashes(times))
    for name in names:
        if name not in (layout.time, target):
            rows.add(name, value_hashes(read(name)))
    sums, targets = sums_by(place, rows.of_rows(), len(each)), [0] * len(each)
    if target is not None and target in names:
        own = value_hashes(read(target))
        rows.add(target, own)
        targets = sums_by(place, rows.of_rows() * (own != 0), len(each))
    lost = int(count[0]) if len(each) and each[0] == NO_TIME else 0
    lost_sum = sums[0] if lost else 0
    known = slice(1 if lost else 0, None)
    windows = each[known].tolist(), count[known].tolist(), sums[known], targets[known]
    return Stretch(None, *windows), lost, lost_sum


def name_of(*identity: object) -> str:
    """The name of the index of a source that these values tell from others."""
    text = json.dumps([FORMAT, *identity], default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest() + ".json"


def load_index(cache: Cache, name: str) -> Index:
    """The index as it was kept; an empty one where there is none, or none that can be read."""
    path = cache.find(name)
    if path is None:
        return Index()
    try:
        return _index(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Index()


def save_index(cache: Cache, name: str, index: Index) -> None:
    """Keep the index, if anything in it is new."""
    if not index.changed:
        return
    content = asdict(index)
    del content["changed"]
    data = json.dumps(content, separators=(",", ":")).encode()

    def write(file: BinaryIO) -> None:
        file.write(data)

    cache.keep(name, write)
    index.changed = False


def _index(content: Mapping[str, Any]) -> Index:
    files = {
        path: FileIndex(
            Print(*map(int, entry["print"])),
            int(entry["without_time"]),
            [_stretch(stretch) for stretch in entry["stretches"]],
            int(entry["without_time_sum"]),
            str(entry["labels_key"]),
        )
        for path, entry in content["files"].items()
    }
    return Index(files, content["kinds"], int(content["duplicates"]))


def _stretch(content: Mapping[str, Any]) -> Stretch:
    groups = content["groups"]
    lists = [[int(x) for x in content[n]] for n in ("starts", "rows", "sums", "targets", "labels")]
    if len({len(x) for x in lists[:4]}) != 1 or len(lists[4]) not in (0, len(lists[0])):
        raise ValueError("lists of different lengths")
    return Stretch(None if groups is None else (int(groups[0]), int(groups[1])), *lists)
