"""A made up year beside the four weeks before each day: sound days seldom fail, changed ones do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from golden.evaluations import batch_of, reference_of, schema_of

from exporter import evaluation
from exporter.evaluation import ReferenceProfile, merge_references
from exporter.plan import make_plan

NAMES = ("calm", "season", "walk", "lasting")
SCHEMA = schema_of({**dict.fromkeys(NAMES, "numerical"), "kind": "categorical"})
PLAN = make_plan((), SCHEMA, tests=["data_stability", "data_drift"], reference_expected=True)
WINDOWS, DAYS, ROWS = 28, 160, 150
BAD = ("fail", "error")


@cache
def levels() -> dict[str, np.ndarray]:
    """What each day's values lie about: of `calm` always the same, as in independent rows."""
    rng = np.random.default_rng(0)
    time, shocks = np.arange(DAYS), rng.normal(size=(2, DAYS))
    lasting = np.zeros(DAYS)
    for i in range(1, DAYS):
        lasting[i] = 0.7 * lasting[i - 1] + shocks[0, i]
    return {
        "calm": np.zeros(DAYS),
        "season": 8 * np.sin(2 * np.pi * time / 365) + rng.normal(size=DAYS),
        "walk": np.cumsum(shocks[1]),
        "lasting": 2 * lasting,
    }


@cache
def day(place: int) -> pa.Table:
    rng = np.random.default_rng([1, place])
    weekend = place % 7 > 4
    shares = [0.2, 0.3, 0.5] if weekend else [0.5, 0.3, 0.2]
    rows = {name: level[place] + rng.normal(size=ROWS) for name, level in levels().items()}
    rows["season"] = pa.array(rows["season"], mask=rng.random(ROWS) < 0.03)
    return pa.table({**rows, "kind": rng.choice(list("abc"), ROWS, p=shares)})


@cache
def profile(place: int) -> ReferenceProfile:
    return reference_of(day(place), PLAN, mergeable=True)


def failed(place: int, table: pa.Table | None = None) -> set[tuple[str, str]]:
    reference = merge_references([profile(i) for i in range(place - WINDOWS, place)])
    batch = batch_of(day(place) if table is None else table)
    told = evaluation.evaluate(batch, reference, PLAN).tests
    return {(t.metric, t.column) for t in told if t.status in BAD}


def changed(place: int, column: str, values: pa.Array | np.ndarray) -> pa.Table:
    table = day(place)
    return table.set_column(table.column_names.index(column), column, pa.array(values))


def test_seven_of_eight_days_of_seasons_walks_and_weekends_are_green():
    found = [failed(place) for place in range(WINDOWS, DAYS, 2)]
    assert sum(map(bool, found)) <= len(found) / 8, [f for f in found if f]


PLACES = [40, 75, 110, 145]


@pytest.mark.parametrize("place", PLACES)
def test_a_day_half_of_whose_values_are_missing_fails(place):
    season = [None if i % 2 else x for i, x in enumerate(day(place)["season"].to_pylist())]
    assert ("missing_ratio", "season") in failed(place, changed(place, "season", pa.array(season)))


@pytest.mark.parametrize("place", PLACES)
def test_independent_rows_that_moved_by_a_deviation_have_drifted(place):
    moved = changed(place, "calm", day(place)["calm"].to_numpy() + 1)
    assert ("column_drift", "calm") in failed(place, moved)


@pytest.mark.parametrize("place", PLACES)
def test_a_unit_that_changed_shows_also_where_days_differ(place):
    moved = changed(place, "lasting", 30 + 1.8 * day(place)["lasting"].to_numpy())
    assert {("column_drift", "lasting"), ("mean_shift_sigmas", "lasting")} <= failed(place, moved)


@pytest.mark.parametrize("place", PLACES)
def test_one_row_of_a_category_that_never_was_fails(place):
    kinds = ["z", *day(place)["kind"].to_pylist()[1:]]
    assert ("out_of_list_ratio", "kind") in failed(place, changed(place, "kind", pa.array(kinds)))


@pytest.mark.parametrize("place", PLACES)
def test_a_day_with_a_third_of_the_rows_fails(place):
    assert ("row_count", "") in failed(place, day(place).slice(0, ROWS // 3))


@pytest.mark.parametrize("whole", [0, 1, 2])
def test_windows_of_few_rows_say_nothing_be_it_that_one_is_left_or_none(whole):
    windows = [day(i) if i < whole else day(i).slice(0, 20) for i in range(5)]
    reference = merge_references([reference_of(w, PLAN, mergeable=True) for w in windows])
    told = evaluation.evaluate(batch_of(day(5)), reference, PLAN).tests
    assert {t.status for t in told} <= {"success", "fail"}
    widened = [t for t in told if "the reference's own windows differ as much" in t.message]
    assert bool(widened) == (whole == 2)
