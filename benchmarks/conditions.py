"""Automatic conditions on the demo's year: how often each kind is wrong, and which incidents it catches.

`python -m benchmarks.conditions` prints the tables of docs/conditions.md. Nothing is set by hand:
presets as they are, of each day from February to December, beside the 28 days before it or beside
January. Reading the flights and judging the year by all kinds takes about a minute and a half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from statistics import fmean
from time import perf_counter

import pandas as pd
import pyarrow as pa

from exporter import evaluation
from exporter.batch import Batch, Kind, Schema
from exporter.checks import Mode
from exporter.demo.flights import CATEGORICAL, NUMERICAL, WEATHER, flights, scored
from exporter.evaluation import ReferenceProfile, merge_references
from exporter.plan import make_plan
from exporter.profile.build import profile_table
from exporter.profile.column import ColumnProfile
from exporter.profile.rows import rows_of
from exporter.snapshot import Snapshot

FIRST = date(2013, 1, 1)
JANUARY, DAYS, WINDOWS = 31, 365, 28
HALVES = {"Feb-Jul": range(31, 212), "Aug-Dec": range(212, 365)}  # developed on; only looked at
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
KINDS_OF_CONDITIONS = ("evidently", "rolling", "fixed")


@dataclass(frozen=True)
class Suite:
    """A list of tests on some columns."""

    presets: Sequence[str]
    schema: Schema


@dataclass(frozen=True)
class Judged:
    """What one kind of conditions said of one day."""

    kind: str
    suite: str
    place: int
    snapshot: Snapshot

    @property
    def failed(self) -> list[tuple[str, str]]:
        """Metric and column of each test that is not met."""
        return [(t.metric, t.column) for t in self.snapshot.tests if t.status in BAD]


def suites() -> Mapping[str, Suite]:
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
    return {
        "data_stability": Suite(("data_stability",), inputs),
        "data_drift": Suite(("data_drift",), inputs),
        "data_quality": Suite(("data_quality",), inputs),
        "regression": Suite(("regression",), delay),
        "binary_classification": Suite(("binary_classification",), late),
    }


def judged(name: str, suite: Suite) -> Iterator[Judged]:
    """Every day from February on, by each kind of conditions."""
    plans = {mode: _plan(suite, mode) for mode in ("evidently", "directional")}
    profiles = [_profile(table, suite) for table in tables()]
    january = replace(merge_references(profiles[:JANUARY]), windows=())
    for place in range(JANUARY, DAYS):
        rolling = merge_references(profiles[place - WINDOWS : place])
        batch = _batch(tables()[place])
        for kind in KINDS_OF_CONDITIONS:
            beside = january if kind == "fixed" else rolling
            plan = plans["evidently" if kind == "evidently" else "directional"]
            yield Judged(kind, name, place, evaluation.evaluate(batch, beside, plan))


@cache
def incidents() -> dict[int, str]:
    """The days on which something happened, told from the raw data by rules that know no reference."""
    frame = flights().assign(gone=lambda f: f["dep_delay"].isna(), nobody=lambda f: f["tailnum"].isna())
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
    names = sorted({name for suite in suites().values() for name in suite.schema.columns()})
    days = frame.groupby("day", sort=True)
    return [pa.Table.from_pandas(rows[names], preserve_index=False) for _, rows in days]


def summary(results: Sequence[Judged]) -> Iterator[str]:
    """A line for each suite and kind."""
    yield "| preset | kind | days that succeed, of 181 Feb-Jul | of 153 Aug-Dec | of 334 | ordinary days that fail | tests that fail on an ordinary day |"
    yield "|---|---|---|---|---|---|---|"
    for suite in dict.fromkeys(r.suite for r in results):
        for kind in KINDS_OF_CONDITIONS:
            mine = {r.place: r.failed for r in results if (r.suite, r.kind) == (suite, kind)}
            halves = [sum(not mine[p] for p in half) for half in HALVES.values()]
            usual = [mine[p] for p in mine if p not in incidents()]
            wrong = sum(map(bool, usual)) / len(usual)
            mean = fmean(map(len, usual))
            yield f"| `{suite}` | {kind} | {halves[0]} | {halves[1]} | {sum(halves)} | {wrong:.1%} | {mean:.2f} |"


def caught(results: Sequence[Judged], kind: str, wanted: Sequence[str]) -> Iterator[str]:
    """What of each incident failed."""
    suites_of_inputs = ("data_stability", "data_drift")
    yield "| day | what happened | what fails |"
    yield "|---|---|---|"
    for place, what in incidents().items():
        found = [f for r in results if (r.kind, r.place) == (kind, place) and r.suite in suites_of_inputs for f in r.failed]
        if str(_day(place)) in SHOWN:
            yield f"| {_day(place):%m-%d} | {what} | {_told(found)} |"
    missed = [place for place in incidents() if not any(r.failed for r in results if (r.kind, r.place) == (kind, place) and r.suite in suites_of_inputs)]
    yield ""
    yield f"{len(incidents()) - len(missed)} of {len(incidents())} incidents fail; not {', '.join(f'{_day(p):%m-%d} ({incidents()[p]})' for p in missed) or 'one is missed'}."


def alarms(results: Sequence[Judged], kind: str) -> str:
    """What fails most often on ordinary days."""
    often = Counter(f for r in results if r.kind == kind and r.place not in incidents() for f in r.failed)
    return ", ".join(f"{metric} {column} {n}" for (metric, column), n in often.most_common(15))


def main() -> None:
    """Print the tables."""
    start = perf_counter()
    results = [r for name, suite in suites().items() for r in judged(name, suite)]
    for line in summary(results):
        print(line)
    for kind in ("rolling", "fixed", "evidently"):
        print(f"\n{kind}\n")
        for line in caught(results, kind, SHOWN):
            print(line)
        print("\nmost often on ordinary days:", alarms(results, kind))
    print(f"\n{perf_counter() - start:.0f} s")


def _told(found: Sequence[tuple[str, str]]) -> str:
    by_metric: dict[str, list[str]] = {}
    for metric, column in found:
        by_metric.setdefault(metric, []).append(column)
    return "; ".join(f"`{m}` {', '.join(c)}".strip() for m, c in by_metric.items()) or "nothing"


def _plan(suite: Suite, mode: Mode) -> evaluation.Plan:
    return make_plan((), suite.schema, tests=suite.presets, automatic_tests=mode, reference_expected=True)


def _profile(table: pa.Table, suite: Suite) -> ReferenceProfile:
    found: dict[str, ColumnProfile] = {}
    batch, plan = _batch(table), _plan(suite, "directional")
    kinds = {name: plan.schema.kinds[name] for name in plan.columns()}

    def keep(column: ColumnProfile) -> None:
        found[column.name] = column

    def refuse(name: str, error: Exception) -> None:
        raise SystemExit(f"{name}: {error}")

    _, whole = profile_table(batch, kinds, keep, refuse, gridded=True, mergeable=True)
    outcome = evaluation.outcome_of(batch, plan)
    return ReferenceProfile(plan.schema, found, whole, outcome, rows=lambda: rows_of(batch, plan.schema))


def _batch(table: pa.Table) -> Batch:
    return Batch(table.num_rows, {f.name: f.type for f in table.schema}, table.column)


def _day(place: int) -> date:
    return FIRST + timedelta(place)


if __name__ == "__main__":
    main()
