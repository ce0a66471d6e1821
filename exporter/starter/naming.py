"""Names in the written file: of the project and the model, of paths, and of anything as YAML."""

from __future__ import annotations

import os
import re
from pathlib import Path

_PLAIN = re.compile(r"^[^\W\d](?:[\w./-]*\w)?$")
_TAKEN = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))  # to some reader
_ENDING = re.compile(r"(\.(parquet|pq|parq|csv|jsonl|ndjson))?(\.(gz|zip))?$", re.IGNORECASE)
_SERIAL = re.compile(r"[-_.]?[0-9a-f]{8}(-[0-9a-f]{4,12})+|\d+|[*?]+|\[[^\]]*\]")


def quoted(name: str) -> str:
    """A text as a YAML scalar, in double quotes where anyone could take it for something else."""
    if _PLAIN.match(name) and name.lower() not in _TAKEN and name.isprintable():
        return name
    return '"' + "".join(map(_escaped, name)) + '"'


def family_of(name: str) -> str:
    """The glob of the files that are called like this one but for their numbers: `flights-*.parquet`."""
    end = _ENDING.search(name)
    stem, ending = (name[: end.start()], end[0]) if end else (name, "")
    return re.sub(r"\*([-_.]?\*)+", "*", _SERIAL.sub("*", stem)) + ending


def model_name(data: str, project: str) -> str:
    """What the data are called: the file's name without dates and numbers, else its folder's."""
    path = Path(os.path.abspath(Path(data).expanduser()))  # noqa: PTH100  links stay as they are
    for part in (path, *path.parents):
        name = _ENDING.sub("", family_of(part.name))
        name = re.sub(r"[-_. *]*\*[-_. *]*", "-", name).strip("-_. ")
        if re.search(r"[^\W\d_]", name) and name.lower() not in ("part", "data", "*"):
            return f"model-{name}" if name.startswith("x-") else name
        if part == path.parent.parent:
            break
    return project


def project_name(folder: Path) -> str:
    """The folder's name."""
    return Path(os.path.abspath(folder)).name.strip() or "my-project"  # noqa: PTH100  as it is called


def relative(data: str, folder: Path) -> str:
    """A path as it is written in a config in that folder; below it, or beside it, relative."""
    path, home = (os.path.abspath(Path(p).expanduser()) for p in (data, folder))  # noqa: PTH100
    short = os.path.relpath(path, home)
    if short.startswith(".."):  # a way up leads through the real folders
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120
        short = os.path.relpath(real, os.path.realpath(home))
        up = Path(short).parts.count("..")
        short = path if up > 3 else short
    return Path(short).as_posix()


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
