"""Two tests on one figure: an explicit one replaces a preset's, two explicit ones need names.

Two that ask the same of a column's drift are one: it is how methods are given, for a kind of columns
and for one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from exporter.batch import Schema
from exporter.checks import Check
from exporter.plan.asking import DRIFT, Told
from exporter.plan.choosing import Choosing


def enter(checks: list[Check], new: Check, schema: Schema | None, tell: Told) -> None:
    """Add a test, and take from presets' what an explicit one looks at."""
    for i, old in enumerate(checks):
        if not _alike(old, new) or not _overlap(old, new):
            continue
        if not old.preset and not new.preset and not _same_drift(old, new):
            tell(
                new.at,
                f"a second test of {new.spec.id}{_place(old, new)} needs a `name` of its own",
            )
        elif old.preset and not new.preset:
            checks[i] = _less(old, new)
        else:
            new = _less(new, old)
    checks.append(new)
    checks[:] = [check for check in checks if not _nothing(check, schema)]


def _alike(a: Check, b: Check) -> bool:
    """Whether they bear one name and look at one figure, columns aside."""
    return (a.spec.id, a.name, a.label, dict(a.params)) == (
        b.spec.id,
        b.name,
        b.label,
        dict(b.params),
    )


def _same_drift(a: Check, b: Check) -> bool:
    """Whether both ask the same of how far a column has moved away."""
    return a.spec.id == DRIFT and (a.conditions, a.critical, a.alert) == (
        b.conditions,
        b.critical,
        b.alert,
    )


def _overlap(a: Check, b: Check) -> bool:
    if a.spec.per == "dataset" or (a.columns is None and b.columns is None):
        return True
    named, other = (a, b) if a.columns is not None else (b, a)
    return any(other.reads(column) and named.reads(column) for column in named.columns or ())


def _less(check: Check, other: Check) -> Check:
    """The test without the other's columns; of a whole batch nothing is left."""
    if check.spec.per == "dataset":
        return replace(check, columns=())
    if check.columns is not None:
        rest = [column for column in check.columns if not other.reads(column)]
        return replace(check, columns=tuple(rest))
    if other.columns is None:
        return replace(check, columns=tuple(sorted(other.without - check.without)))
    return replace(check, without=check.without | set(other.columns))


def _nothing(check: Check, schema: Schema | None) -> bool:
    if check.columns is not None:
        return not check.columns
    if check.spec.per == "dataset" or not check.without or schema is None or not schema.kinds:
        return False
    choosing = Choosing(schema, Told([]))
    fitting: Iterable[str] = (c for c in schema.kinds if choosing.fits(check.spec, c))
    return all(column in check.without for column in fitting)


def _place(old: Check, new: Check) -> str:
    common = [c for c in new.columns or old.columns or () if old.reads(c) and new.reads(c)]
    return f" on {common[0]!r}" if common else ""
