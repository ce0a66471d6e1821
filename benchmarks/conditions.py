"""Automatic conditions on the demo's year: how often each kind is wrong, and which incidents it catches.

`python -m benchmarks.conditions` prints the tables of docs/conditions.md. Nothing is set by hand:
presets as they are, of each day from February to December, beside the 28 days before it or beside
January. Reading the flights and judging the year by all kinds takes about a minute and a half.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from statistics import fmean
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from exporter import evaluation
from exporter.batch import Batch, Kind, Schema
from exporter.checks import Mode, earlier
from exporter.checks.records import Records
from exporter.demo.flights import CATEGORICAL, NUMERICAL, WEATHER, flights, scored
from exporter.evaluation import ReferenceProfile, merge_references
from exporter.plan import Plan, make_plan
from exporter.profile.build import profile_table
from exporter.profile.column import ColumnProfile
from exporter.profile.rows import rows_of

FIRST = date(2013, 1, 1)
JANUARY, DAYS, WINDOWS = 31, 365, 28
HALVES = range(31, 212), range(212, 365)
BAD = ("fail", "error")
# What single days are known for, apart from what the rules of `incidents` find.
NAMED = {
    "2013-07-27": "one corrupt record",
    "2013-11-28": "Thanksgiving",
    "2013-03-08": "snowstorm, all late",
}
SHOWN = (
    "2013-02-08", "2013-02-09", "2013-03-08", "2013-05-23", "2013-07-27", "2013-08-22",
    "2013-09-12", "2013-11-28", "2013-12-05", "2013-12-30", "2013-12-31",
)  # fmt: skip
INCIDENTS = SHOWN
RULES = (  # name, how far beyond the worst window, its tail, records
    ("worst window", 1.0, False, False),
    ("worst window x 1.25", 1.25, False, False),
    ("worst window x 1.5", 1.5, False, False),
    ("x 1.25, and records", 1.25, False, True),
    ("x 1.25, and the tail", 1.25, True, False),
    ("x 1.25, the tail and records: what is built", 1.25, True, True),
    ("x 2, the tail and records", 2.0, True, True),
)
KINDS_OF_CONDITIONS = ("evidently", "rolling", "fixed", "fixed, no times")


@dataclass(frozen=True)
class Suite:
    """Presets of tests on the same columns, which are judged together."""

    presets: Sequence[str]
    schema: Schema


@dataclass(frozen=True)
class Judged:
    """What one kind of conditions said of one day, of one preset."""

    kind: str
    preset: str
    place: int
    failed: Sequence[tuple[str, str]]  # metric and column of each test that is not met


def suites() -> Sequence[Suite]:
    """The champion's inputs and its quality."""
    kinds: dict[str, Kind] = {
        **dict.fromkeys(NUMERICAL, "numerical"),
        **dict.fromkeys(CATEGORICAL, "categorical"),
    }
    inputs = Schema(kinds, tuple(kinds), task="none")
    late = Schema(
        {"late": "categorical", "proba_champion": "numerical"}, (), target="late",
        probability="proba_champion", positive="1", task="binary",
    )  # fmt: skip
    delay = Schema(
        {"arr_delay": "numerical", "pred_champion": "numerical"}, (), target="arr_delay",
        prediction="pred_champion", task="regression",
    )  # fmt: skip
    return (
        Suite(("data_stability", "data_drift", "data_quality"), inputs),
        Suite(("regression",), delay),
        Suite(("binary_classification",), late),
    )


def judged(
    suite: Suite, kinds: Sequence[str] = KINDS_OF_CONDITIONS, origin: str = ""
) -> Iterator[Judged]:
    """Every day from February on, by each kind of conditions; with *origin* the flights from there."""
    days = [_from(table, origin) for table in tables()]
    asked = {
        preset: {check.spec.id for check in _plan(suite, (preset,)).checks}
        for preset in suite.presets
    }
    plans: dict[Mode, Plan] = {
        mode: _plan(suite, suite.presets, mode) for mode in ("evidently", "directional")
    }
    profiles = [_profile(table, plans["directional"]) for table in days]
    january = replace(merge_references(profiles[:JANUARY]), rolls=False)
    fixed = {"fixed": january, "fixed, no times": replace(january, windows=(), kept={})}
    for place in range(JANUARY, DAYS):
        rolling = merge_references(profiles[place - WINDOWS : place])
        batch = _batch(days[place])
        for kind in kinds:
            beside = fixed.get(kind, rolling)
            plan = plans["evidently" if kind == "evidently" else "directional"]
            tests = evaluation.evaluate(batch, beside, plan).tests
            bad = [(t.metric, t.column) for t in tests if t.status in BAD]
            for preset, metrics in asked.items():
                yield Judged(kind, preset, place, [x for x in bad if x[0] in metrics])


@cache
def incidents() -> dict[int, str]:
    """The days on which something happened, told from the raw data by rules that know no reference."""
    frame = flights().assign(
        gone=lambda f: f["dep_delay"].isna(), nobody=lambda f: f["tailnum"].isna()
    )
    frame["dark"] = frame[WEATHER].drop(columns="pressure").isna().any(axis=1)
    share = frame.groupby("day")[["gone", "nobody", "dark"]].mean()
    found: dict[int, str] = {}
    for place, (_, day) in enumerate(share.iterrows()):
        said = [f"{day['gone']:.0%} cancelled"] if day["gone"] > 0.10 else []
        said += [f"{day['nobody']:.0%} without tail number"] if day["nobody"] > 0.05 else []
        said += [f"weather feed lacks {day['dark']:.0%}"] if day["dark"] > 0.01 else []
        said += [NAMED[str(_day(place))]] if str(_day(place)) in NAMED else []
        if said and place >= JANUARY:
            found[place] = ", ".join(said)
    return found


@cache
def tables() -> list[pa.Table]:
    """The flights of each day."""
    frame = scored(flights())
    frame["late"] = frame["late"].map({0.0: "0", 1.0: "1"})
    names = sorted({name for suite in suites() for name in suite.schema.columns()})
    days = frame.groupby("day", sort=True)
    return [pa.Table.from_pandas(rows[names], preserve_index=False) for _, rows in days]


def summary(results: Sequence[Judged]) -> Iterator[str]:
    """A line for each preset and kind."""
    yield (
        "| preset | kind | green days of 181, Feb-Jul | of 153, Aug-Dec | of 334 "
        "| ordinary days that fail | tests that fail on an ordinary day |"
    )
    yield "|---|---|---|---|---|---|---|"
    for preset in dict.fromkeys(r.preset for r in results):
        for kind in dict.fromkeys(r.kind for r in results):
            mine = {r.place: r.failed for r in results if (r.preset, r.kind) == (preset, kind)}
            halves = [sum(not mine[p] for p in half) for half in HALVES]
            usual = [mine[p] for p in mine if p not in incidents()]
            wrong, mean = sum(map(bool, usual)) / len(usual), fmean(map(len, usual))
            green = f"{halves[0]} | {halves[1]} | {sum(halves)}"
            yield f"| `{preset}` | {kind} | {green} | {wrong:.1%} | {mean:.2f} |"


def of_inputs(results: Sequence[Judged], kind: str) -> Mapping[int, Sequence[tuple[str, str]]]:
    """What of the inputs' stability and drift failed on each day."""
    found: dict[int, list[tuple[str, str]]] = {place: [] for place in range(JANUARY, DAYS)}
    for r in results:
        if r.kind == kind and r.preset in ("data_stability", "data_drift"):
            found[r.place] += r.failed
    return found


def caught(results: Sequence[Judged], kind: str) -> Iterator[str]:
    """What fails on the days on which something happened."""
    found = of_inputs(results, kind)
    yield "| day | what happened | what fails |"
    yield "|---|---|---|"
    for place, what in incidents().items():
        if str(_day(place)) in SHOWN:
            yield f"| {_day(place):%m-%d} | {what} | {_told(found[place])} |"
    missed = [f"{_day(p):%m-%d} ({what})" for p, what in incidents().items() if not found[p]]
    yield ""
    yield f"{len(incidents()) - len(missed)} of {len(incidents())} caught; not: {', '.join(missed) or 'none'}"


def alarms(results: Sequence[Judged], kind: str) -> str:
    """What fails most often on ordinary days."""
    often = Counter(
        f for r in results if r.kind == kind and r.place not in incidents() for f in r.failed
    )
    return ", ".join(f"{metric} {column} {n}" for (metric, column), n in often.most_common(15))


def main() -> None:
    """Print the tables."""
    start = perf_counter()
    results = [r for suite in suites() for r in judged(suite)]
    for line in summary(results):
        print(line)
    for kind in KINDS_OF_CONDITIONS:
        print(f"\n{kind}\n")
        for line in caught(results, kind):
            print(line)
        print("\nmost often on ordinary days:", alarms(results, kind))
    print(f"\n{perf_counter() - start:.0f} s")


def trade_off() -> None:
    """Print what the rules of a rolling reference give one by one, and wider ones."""
    print(
        "| rule | green, `data_stability` | green, `data_drift` | ordinary days that fail | caught |"
    )
    print("|---|---|---|---|---|")
    for name, beyond, tail, records in RULES:
        with _rules(beyond, tail=tail, records=records):
            results = list(judged(suites()[0], ("rolling",)))
        green = Counter(r.preset for r in results if not r.failed)
        found = of_inputs(results, "rolling")
        usual = [p for p in found if p not in incidents()]
        wrong = sum(bool(found[p]) for p in usual) / len(usual)
        hit = sum(bool(found[p]) for p in incidents())
        three = ", ".join(f"{_day(p):%m-%d}" for p in map(_place, INCIDENTS) if not found[p])
        lost = f"; lost: {three}" if three else ""
        line = f"{green['data_stability']} | {green['data_drift']} | {wrong:.1%} | {hit} of {len(incidents())}{lost}"
        print(f"| {name} | {line} |", flush=True)


def airports() -> None:
    """Print how the inputs of each airport's flights did: the rules were made without looking at them."""
    print("| from | green, `data_stability` | green, `data_drift` | ordinary days that fail |")
    print("|---|---|---|---|")
    for origin in ("EWR", "JFK", "LGA"):
        results = list(judged(suites()[0], ("rolling",), origin))
        green = Counter(r.preset for r in results if not r.failed)
        found = of_inputs(results, "rolling")
        usual = [bool(found[p]) for p in found if p not in incidents()]
        line = f"{green['data_stability']} | {green['data_drift']} | {fmean(usual):.1%}"
        print(f"| {origin} | {line} |", flush=True)


@contextmanager
def _rules(beyond: float, *, tail: bool, records: bool) -> Iterator[None]:
    """The rules of `exporter.checks.earlier` changed for a while."""
    changed: list[tuple[Any, str, Any]] = [(earlier, "BEYOND", beyond)]
    changed += [] if tail else [(earlier, "tail", max)]
    changed += [] if records else [(Records, "broken", lambda _: iter(()))]
    kept = [(place, name, getattr(place, name)) for place, name, _ in changed]
    for place, name, value in changed:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place, name, value in kept:
            setattr(place, name, value)


def _told(found: Sequence[tuple[str, str]]) -> str:
    by_metric: dict[str, list[str]] = {}
    for metric, column in found:
        by_metric.setdefault(metric, []).append(column)
    return "; ".join(f"`{m}` {', '.join(c)}".strip() for m, c in by_metric.items()) or "nothing"


def _plan(suite: Suite, presets: Sequence[str], mode: Mode = "directional") -> Plan:
    return make_plan((), suite.schema, tests=presets, automatic_tests=mode, reference_expected=True)


def _profile(table: pa.Table, plan: Plan) -> ReferenceProfile:
    found: dict[str, ColumnProfile] = {}
    batch = _batch(table)
    kinds = {name: plan.schema.kinds[name] for name in plan.columns()}

    def keep(column: ColumnProfile) -> None:
        found[column.name] = column

    def refuse(name: str, error: Exception) -> None:
        raise SystemExit(f"{name}: {error}")

    _, whole = profile_table(batch, kinds, keep, refuse, gridded=True, mergeable=True)
    outcome = evaluation.outcome_of(batch, plan)
    return ReferenceProfile(
        plan.schema, found, whole, outcome, rows=lambda: rows_of(batch, plan.schema)
    )


def _from(table: pa.Table, origin: str) -> pa.Table:
    return table.filter(pc.equal(table["origin"], origin)) if origin else table


def _batch(table: pa.Table) -> Batch:
    return Batch(table.num_rows, {f.name: f.type for f in table.schema}, table.column)


def _day(place: int) -> date:
    return FIRST + timedelta(place)


def _place(day: str) -> int:
    return (date.fromisoformat(day) - FIRST).days


if __name__ == "__main__":
    {"--trade-off": trade_off, "--airports": airports}.get(sys.argv[-1], main)()
