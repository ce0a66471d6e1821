"""The part of requirements.lock that an installation needs: `python locked.py demo text`, extras and groups by name.

Reads the lock's own notes of what each entry is there for, so that nothing is chosen anew; to stdout.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def needed(lock: str, roots: Iterable[str]) -> str:
    """The entries of *roots* (names of distributions) and of all that they need, as they stand in the lock.

    Raises SystemExit where a root is not in the lock.
    """
    entries = re.split(r"\n(?=[a-z0-9])", lock)[1:]
    names = [re.split("[=@ ]", entry, maxsplit=1)[0] for entry in entries]
    wanted = set(roots)
    if missing := wanted - set(names):
        raise SystemExit(f"not in the lock: {', '.join(sorted(missing))}; run `make lock`")
    while more := {
        name
        for name, entry in zip(names, entries, strict=True)
        if name not in wanted and wanted & set(_reasons(entry))
    }:
        wanted |= more
    return "\n".join(e for n, e in zip(names, entries, strict=True) if n in wanted) + "\n"


def roots_of(pyproject: Mapping[str, Any], chosen: Iterable[str]) -> Iterator[str]:
    """The names that pyproject.toml asks for: of the project itself, and of the extras or groups that are chosen.

    `build` alone is what makes the wheel. Raises SystemExit where there is no such extra or group.
    """
    project = pyproject["project"]
    known = {**project["optional-dependencies"], **pyproject["dependency-groups"]}
    chosen = list(chosen)
    texts = [] if chosen == ["build"] else list(project["dependencies"])
    for name in chosen:
        if name not in known:
            raise SystemExit(f"there is no extra or group {name!r}: {', '.join(known)}")
        texts += known[name]
    for text in texts:
        yield re.sub("[-_.]+", "-", re.split(r"[^\w.-]", text, maxsplit=1)[0]).lower()


def _reasons(entry: str) -> Iterator[str]:
    """Who needs an entry, by the lock's `# via` notes."""
    for line in entry.splitlines():
        if found := re.match(r"\s+#\s+(?:via\s+)?([a-z0-9][\w.-]*)", line):
            yield found[1]


if __name__ == "__main__":
    here = Path(__file__).parents[1]
    declared = tomllib.loads((here / "pyproject.toml").read_text("utf-8"))
    lock = (here / "requirements.lock").read_text("utf-8")
    sys.stdout.write(needed(lock, roots_of(declared, sys.argv[1:])))
