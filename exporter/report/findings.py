"""What tests found: the failed ones first, then what was not tested, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exporter.metrics import CATALOGUE
from exporter.metrics.drift import DRIFT_METRICS
from exporter.report.numbers import measure, plural, told_apart, unit_of
from exporter.snapshot import CheckResult, Snapshot, Status

WORST_FIRST: tuple[Status, ...] = ("error", "fail", "warning", "skipped", "success")
BAD: tuple[Status, ...] = ("error", "fail", "warning")
MOST_SHOWN = 40  # failed tests in full; the others stand in the table of all tests
MOST_NAMED = 12  # of a list of names
_MORE_THAN_AN_INTERVAL = re.compile("one of |anything but |not between | widened: ")


@dataclass(frozen=True, slots=True)
class Finding:
    """One test in words."""

    status: Status
    critical: bool
    column: str
    label: str
    test: str
    metric: str  # where the test has a name of its own
    options: str
    meaning: str
    value: str
    bound: str
    reference: str
    note: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is missing, and of what."""

    text: str
    count: str
    where: Sequence[str]
    more: int


def findings_of(snapshot: Snapshot) -> list[Finding]:
    """All tests, the worst first; within a status the whole batch, then columns by severity of drift."""
    severity = {row.column: row.severity or 0.0 for row in snapshot.drift}
    order = {column: i for i, column in enumerate(dict.fromkeys(t.column for t in snapshot.tests))}
    beside = {
        (r.metric, r.column, r.label, options_said(r.params)): r.reference for r in snapshot.metrics
    }

    def rank(test: CheckResult) -> tuple[object, ...]:
        place = (test.column != "", -severity.get(test.column, 0.0), order[test.column])
        return (WORST_FIRST.index(test.status), not test.critical, *place)

    methods = {row.column: row.method for row in snapshot.drift}
    return [_finding(test, beside, methods) for test in sorted(snapshot.tests, key=rank)]


def untested(snapshot: Snapshot) -> list[Reason]:
    """Skipped tests by reason, the most frequent first."""
    skipped = [t for t in snapshot.tests if t.status == "skipped"]
    return _by_reason(
        ((t.message or "no reason given", f"{t.test} {t.column}".strip()) for t in skipped), "test"
    )


def faults(snapshot: Snapshot) -> list[Reason]:
    """Figures that could not be had, by reason; those that do not exist, such as the mean of nothing, too."""
    found = [(row.error, row.column or row.metric) for row in snapshot.metrics if row.error]
    found += [(row.error, row.column) for row in snapshot.drift if row.error]
    return _by_reason(found, "figure")


def options_said(params: Mapping[str, object]) -> str:
    """`q=0.25`; what was left to the program is not said."""
    told = {k: v for k, v in params.items() if v is not None and (k, v) != ("method", "auto")}
    return ", ".join(f"{name}={value}" for name, value in told.items())


def meaning_of(metric: str) -> str:
    """The help of a metric, without its full stop; nothing for one that this program does not know."""
    return CATALOGUE[metric].help.rstrip(".") if metric in CATALOGUE else ""


def _finding(
    test: CheckResult,
    beside: Mapping[tuple[str, str, str, str], float | None],
    methods: Mapping[str, str],
) -> Finding:
    options = options_said(test.params)
    there = beside.get((test.metric, test.column, test.label, options))
    value, bound = _value_and_bound(test)
    return Finding(
        test.status,
        test.critical,
        test.column,
        test.label,
        test.test,
        "" if test.test == test.metric else test.metric,
        options,
        _meaning(test, methods),
        value,
        bound,
        "" if there is None else measure(there, unit_of(test.metric)),
        _note(test),
    )


def _meaning(test: CheckResult, methods: Mapping[str, str]) -> str:
    method = methods.get(test.column, "") if test.metric in DRIFT_METRICS else ""
    by = f" ({method})" if method and test.value is not None else ""
    return meaning_of(test.metric) + by


def _value_and_bound(test: CheckResult) -> tuple[str, str]:
    unit, (message, _) = unit_of(test.metric), _parted(test)
    value, lower, upper = told_apart(test.value, unit, test.lower, test.upper)
    if test.metric in DRIFT_METRICS and (test.lower is None) != (test.upper is None):
        return value, f"threshold {upper if test.lower is None else lower}"
    if test.lower is not None and test.lower == test.upper:
        return value, f"exactly {lower}"
    if test.lower is not None and test.upper is not None and "above " not in message:
        return value, f"between {lower} and {'below ' * ('below ' in message)}{upper}"
    sides = []  # the message says whether an end itself is allowed
    if test.lower is not None:
        sides.append(f"{'above' if 'above ' in message else 'at least'} {lower}")
    if test.upper is not None:
        sides.append(f"{'below' if 'below ' in message else 'at most'} {upper}")
    return value, " and ".join(sides)


def _note(test: CheckResult) -> str:
    """What the message says beyond value and bounds."""
    message, names = _parted(test)
    plain = test.value is not None and not (test.lower is None and test.upper is None)
    return names if plain and not _MORE_THAN_AN_INTERVAL.search(message) else test.message


def _parted(test: CheckResult) -> tuple[str, str]:
    """The message, and the columns that it names of those that the figure counts."""
    spec = CATALOGUE.get(test.metric)
    if spec is None or spec.names is None:
        return test.message, ""
    message, _, names = test.message.partition(": ")
    return message, names


def _by_reason(found: Iterable[tuple[str, str]], word: str) -> list[Reason]:
    places: dict[str, list[str]] = {}
    for reason, place in found:
        places.setdefault(reason, []).append(place)
    ordered = sorted(places.items(), key=lambda item: -len(item[1]))
    return [_reason(text, names, word) for text, names in ordered]


def _reason(text: str, names: Sequence[str], word: str) -> Reason:
    distinct = list(dict.fromkeys(names))
    shown = distinct[:MOST_NAMED]
    return Reason(text, plural(len(names), word), shown, len(distinct) - len(shown))
