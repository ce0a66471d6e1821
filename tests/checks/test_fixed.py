"""Fixed data that have times: a day is judged by how far the reference's own days are from the whole."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from golden.evaluations import batch_of, schema_of

from exporter import evaluation
from exporter.checks import Mode
from exporter.evaluation import ReferenceProfile
from exporter.plan import make_plan
from exporter.snapshot import CheckResult
from exporter.sources.parts import Layout
from exporter.sources.references import profile_of

SCHEMA = schema_of({"heat": "numerical", "calm": "numerical", "kind": "categorical"})
LAYOUT = Layout("t", "UTC", "UTC", "1d")
ROWS = 200
BAD = ("fail", "error")
FULL = ("data_stability", "data_drift", "row_count")


@cache
def day(place: int, rows: int = ROWS) -> pa.Table:
    """All of a day's heat is about the same, and weekends are of another kind."""
    rng = np.random.default_rng(place)
    shares = [0.2, 0.8] if place % 7 > 4 else [0.7, 0.3]
    start = np.datetime64("2024-01-01") + np.timedelta64(place, "D")
    return pa.table({
        "t": pa.array((start + np.arange(rows).astype("m8[m]")).astype("M8[us]")),
        "heat": rng.normal(5 * np.sin(place * 2.4), 1, rows), "calm": rng.normal(0, 1, rows),
        "kind": rng.choice(["work", "play"], rows, p=shares),
    })  # fmt: skip


@cache
def reference(count: int = 28, rows: int = ROWS) -> ReferenceProfile:
    table = pa.concat_tables([day(place, rows) for place in range(count)])
    return profile_of(batch_of(table), SCHEMA, SCHEMA.columns(), layout=LAYOUT)


def judged(
    table: pa.Table, beside: ReferenceProfile, mode: Mode = "directional"
) -> dict[tuple[str, str], CheckResult]:
    plan = make_plan((), SCHEMA, tests=FULL, automatic_tests=mode, reference_expected=True)
    told = evaluation.evaluate(batch_of(table), beside, plan).tests
    return {(t.test, t.column): t for t in told}


def failed(table: pa.Table, beside: ReferenceProfile) -> set[tuple[str, str]]:
    return {key for key, t in judged(table, beside).items() if t.status in BAD}


def test_sound_days_are_green_that_chance_alone_would_fail():
    days = range(28, 70)
    with_times = [failed(day(place), reference()) for place in days]
    without = [failed(day(place), replace(reference(), windows=(), kept={})) for place in days]
    assert sum(map(bool, with_times)) <= 6
    assert all(("column_drift", "heat") in found for found in without)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("heat", lambda x: x + 30), ("calm", lambda x: x + 1.5),
        ("calm", lambda x: np.where(np.arange(len(x)) % 2, np.nan, x)),
    ],
)  # fmt: skip
def test_days_that_are_like_none_of_the_reference_fail(column, change):
    table = day(30)
    values = change(table[column].to_numpy())
    changed = table.set_column(table.column_names.index(column), column, pa.array(values))
    assert column in {name for _, name in failed(changed, reference())}


def test_a_widened_threshold_says_that_windows_differ_as_much():
    told = judged(day(30), reference())["column_drift", "heat"]
    assert told.status == "success"
    assert "the reference's own windows differ as much" in told.message


def test_conditions_of_evidently_do_not_look_at_windows():
    bare = replace(reference(), windows=(), kept={})
    assert judged(day(30), reference(), "evidently") == judged(day(30), bare, "evidently")


def test_how_many_rows_there_are_is_not_what_fixed_data_tell():
    short = day(30).slice(0, 60)
    assert judged(short, reference())["row_count", ""].status == "success"


@pytest.mark.parametrize(("count", "rows"), [(6, ROWS), (28, 20)])
def test_few_windows_and_windows_of_few_rows_leave_it_to_chance(count, rows):
    beside = reference(count, rows)
    bare = replace(beside, windows=(), kept={})
    assert judged(day(30), beside) == judged(day(30), bare)


def test_what_windows_tell_is_kept_for_the_next_batch():
    beside = replace(reference(), kept={})
    first, second = (judged(day(place), beside) for place in (30, 31))
    assert [key[0] for key in beside.kept if key[0] == "windows"] == ["windows"]
    assert first.keys() == second.keys()
    assert second == judged(day(31), replace(beside, kept={}))
