"""Which columns a figure counts: told by the test that it fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exporter.metrics import MetricSpec

MOST = 5  # names in one message
LONGEST = 60  # characters of a name in it


def named(
    specs: Iterable[MetricSpec], current: Sequence[Any], reference: Sequence[Any]
) -> dict[str, list[str]]:
    """By metric the columns that its figure counts: of several those that the reference's does not.

    *current* and *reference* are the profiles that metrics may read, each of a type of its own.
    """
    found = {}
    for spec in specs:
        now, then = _read(spec, current), _read(spec, reference)
        if spec.names is None or now is None or (spec.compares and then is None):
            continue
        names = list(spec.names(now, then) if spec.compares else spec.names(now))
        before = () if spec.compares or then is None else spec.names(then)
        found[spec.id] = [name for name in names if name not in before] or names
    return found


def listed(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(map(_short, names[:MOST])) + more


def _short(name: str) -> str:
    return repr(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")


def _read(spec: MetricSpec, profiles: Sequence[Any]) -> Any:
    return next((p for p in profiles if isinstance(p, spec.reads)), None)
