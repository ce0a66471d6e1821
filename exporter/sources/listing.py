"""Which files a path means: one file, a glob, or a folder, with what the folders' names say of the rows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from glob import glob, has_magic
from pathlib import Path
from stat import S_ISDIR
from typing import Literal, NamedTuple
from urllib.parse import unquote

from exporter.errors import BatchError

Format = Literal["parquet", "csv", "jsonl"]
_ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".parq": "parquet",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_PACKED = (".gz", ".zip")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class Print(NamedTuple):
    """What changes when a file does."""

    size: int
    modified: int  # nanoseconds


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file, how it is written, and the columns that its folders' names stand for."""

    path: Path
    format: Format
    partitions: tuple[tuple[str, str | int | None], ...] = ()

    @property
    def print(self) -> Print:
        """The file's size and time; a BatchError where it cannot be looked at."""
        try:
            state = self.path.stat()
        except OSError as error:
            raise BatchError(says(self.path, error)) from error
        return Print(state.st_size, state.st_mtime_ns)


def found(pattern: str, folder: Path, given: Format | None = None) -> list[DataFile]:
    """The files that a path, relative to *folder*, stands for, in order of their names.

    A folder stands for all data files below it, except those whose name starts with `_` or `.`.
    `given` overrides what the names' endings say. Raises BatchError where there is no file, or one
    whose format nobody can tell.
    """
    if "://" in pattern:
        raise BatchError(
            f"{pattern}: only paths of this machine are read: mount the storage, or copy the files"
        )
    whole = folder / Path(pattern).expanduser()
    state = _state(whole)
    if state is not None and S_ISDIR(state.st_mode):
        paths = _below(whole, given)
        if not paths:
            raise BatchError(
                f"{whole}: the folder holds no parquet, csv or jsonl file"
                + (": give `format:`" if any(whole.iterdir()) else " yet: check the path")
            )
    else:
        paths = [whole] if state is not None else _matches(whole)
    files = [DataFile(path, given or format_of(path), _keys(path)) for path in paths]
    return _typed(files)


def format_of(path: Path) -> Format:
    """The format that a file's name tells; a BatchError where it tells none."""
    ending = _ending(path)
    if ending is None:
        raise BatchError(
            f"{path}: the name does not tell the format: end it in .parquet, .csv, .csv.gz, .csv.zip, "
            ".jsonl or .jsonl.gz, or give `format: parquet`, `csv` or `jsonl`"
        )
    return ending


def says(path: Path, error: OSError) -> str:
    """A file's error in one line, with what to do about it."""
    if isinstance(error, PermissionError):
        return f"{path}: permission denied: let the user that runs the exporter read it"
    if isinstance(error, FileNotFoundError):
        return (
            f"{path}: there is no such file: check the path, or run again if it was just replaced"
        )
    return f"{path}: cannot be read: {error.strerror or error}"


def _state(path: Path) -> os.stat_result | None:
    """What the path is; None where it is nothing."""
    try:
        return path.stat()
    except PermissionError as error:
        raise BatchError(says(path, error)) from error
    except (OSError, ValueError):  # a pattern may be no possible name
        return None


def _matches(pattern: Path) -> list[Path]:
    names = sorted(glob(str(pattern), recursive=True))  # noqa: PTH207  an absolute pattern
    paths = [Path(name) for name in names if not Path(name).is_dir()]
    if not paths and has_magic(str(pattern)):
        raise BatchError(
            f"no file matches {pattern}: check the pattern and the folder it starts from"
        )
    if not paths:
        raise BatchError(says(pattern, FileNotFoundError()))
    return paths


def _below(folder: Path, given: Format | None) -> list[Path]:
    paths = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        paths += [
            Path(root, name)
            for name in names
            if not name.startswith((".", "_")) and (given or _ending(Path(name)))
        ]
    return sorted(paths)


def _ending(path: Path) -> Format | None:
    endings = [x.lower() for x in path.suffixes[-2:]]
    if endings and endings[-1] in _PACKED:
        ending = _ENDINGS.get(endings[0]) if len(endings) == 2 else None
        if endings[-1] == ".zip" and len(endings) == 1:
            return "csv"
        return None if ending == "parquet" else ending
    return _ENDINGS.get(endings[-1]) if endings else None


def _keys(path: Path) -> tuple[tuple[str, str | None], ...]:
    """The `key=value` folders that the file lies in."""
    pairs = [part.split("=", 1) for part in path.parts[:-1] if re.match(r"[^=]+=", part)]
    values = {unquote(key): None if v == _NO_VALUE else unquote(v) for key, v in pairs}
    return tuple(values.items())


def _typed(files: Sequence[DataFile]) -> list[DataFile]:
    """A partition key is a number where all its values are, written as numbers are."""
    numeric = {
        key
        for key in {key for file in files for key, _ in file.partitions}
        if _all_numbers(value for file in files for k, value in file.partitions if k == key)
    }
    return [
        replace(
            file,
            partitions=tuple(
                (key, int(value) if key in numeric and value is not None else value)
                for key, value in file.partitions
            ),
        )
        for file in files
    ]


def _all_numbers(values: Iterable[str | int | None]) -> bool:
    there = [str(value) for value in values if value is not None]
    return bool(there) and all(re.fullmatch(r"-?(0|[1-9]\d{0,17})", value) for value in there)
