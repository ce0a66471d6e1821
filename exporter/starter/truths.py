"""Truths that come later: files beside the data that have its ids and no times."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import BatchError
from exporter.sources.listing import found
from exporter.starter.facts import Facts, facts_of
from exporter.starter.naming import family_of
from exporter.starter.sampling import sampled

MANY = 12  # kinds of files beside the data: in a crowded folder nobody should guess


@dataclass(frozen=True, slots=True)
class Truths:
    """Files of labels, and the facts of their columns but the id."""

    path: str
    facts: Mapping[str, Facts]


def truths_beside(data: str, key: Facts, time: str, *, but: str | None) -> Truths | None:
    """The files in the data's folder that could hold its labels, where there is one such kind."""
    home = Path(data).expanduser()
    home = home if home.is_dir() else home.parent
    if not home.is_dir():  # a glob over folders
        return None
    taken = {file.path for path in (data, but) if path for file in found(path, Path())}
    names = sorted(p.name for p in home.iterdir() if p.is_file() and p not in taken)
    families: dict[str, str] = {}
    for name in names:
        families.setdefault(family_of(name), name)
    if len(families) > MANY:
        return None
    fitting = [
        Truths(str(home / (family if _is_glob(family, home, taken) else name)), columns)
        for family, name in families.items()
        if (columns := _labels_in(home / name, key, time))
    ]
    return fitting[0] if len(fitting) == 1 else None


def _is_glob(family: str, home: Path, taken: Collection[Path]) -> bool:
    """Whether the pattern finds these files only, and not the data as well."""
    return "*" in family and not set(taken) & set(home.glob(family))


def _labels_in(path: Path, key: Facts, time: str) -> dict[str, Facts] | None:
    try:
        facts = facts_of(sampled(str(path)).table)
    except BatchError:  # no data, or broken: none of the user's business here
        return None
    if key.name not in facts or time in facts or facts[key.name].family != key.family:
        return None
    return {name: column for name, column in facts.items() if name != key.name and name.strip()}
