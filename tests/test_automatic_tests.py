"""Conditions that nobody gave: Evidently's, and the directional ones, on made up figures and a year of flights."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from math import inf, isclose
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from golden import flights
from golden.evaluations import batch_of, reference_of, schema_of
from hypothesis import given
from hypothesis import strategies as st

from exporter import evaluation
from exporter.checks import Check, Earlier, Situation, check_all, describe
from exporter.checks.automatic import Figure, Missing, widened
from exporter.checks.chance import beyond_extremes, tail
from exporter.checks.conditions import Limits
from exporter.checks.earlier import Reach
from exporter.errors import PlanError
from exporter.evaluation import ReferenceProfile, merge_references
from exporter.metrics import CATALOGUE
from exporter.metrics._registry import Bound
from exporter.plan import make_plan
from exporter.profile.column import CategoryProfile
from exporter.snapshot import DriftRow, MetricRow, Snapshot

AUTOMATIC = {i: spec for i, spec in CATALOGUE.items() if spec.automatic}
NUMBERED = [
    i
    for i, spec in AUTOMATIC.items()
    if spec.better != "neutral" and spec.automatic.beside != Bound("method")
]


def limits_of(
    metric: str, situation: Situation, reference: float | None, n: int = 900, **others: float
) -> Limits:
    row = MetricRow(metric, "", value=0.0, reference=reference, n=n)
    found = Figure(CATALOGUE[metric], row, others.get, compared(4)).limits(situation)
    assert not isinstance(found, Missing)
    return found


def compared(columns: int) -> list[DriftRow]:
    """The drift of so many columns; a set of embeddings and a column without a result beside them."""
    rows = [DriftRow(f"c{i}", "numerical", "ks", score=0.5) for i in range(columns)]
    failed = DriftRow("gone", "numerical", "ks", error="no values in the batch")
    return [*rows, failed, DriftRow("vectors", "embedding", "mmd", score=0.5)]


def against(rows: int = 900, reference: int = 27_000, **parts: Any) -> Situation:
    return Situation(
        parts.pop("mode", "directional"), rows, reference, reference_expected=True, **parts
    )


# ---- directional


@given(st.sampled_from(NUMBERED), st.floats(0, 1), st.integers(1, 5000), st.integers(1, 50_000))
def test_a_batch_as_good_as_its_reference_or_better_never_fails(metric, figure, rows, reference):
    spec = CATALOGUE[metric]
    others = dict.fromkeys(("error_std", "baseline_mae"), 1.0)
    fair = figure * rows / reference if spec.unit == "rows" else figure
    limits = limits_of(metric, against(rows, reference), figure, rows, **others)
    bound = spec.automatic.directional or spec.automatic.beside
    if bound.to is not None:  # zero is wanted, or less than a number that was chosen
        fair = min(fair, bound.to) if bound.op != "lt" else 0.0
    for better in (fair, fair * 0.5, 0.0) if spec.better == "lower" else (fair, fair * 1.5, inf):
        assert limits.hold(better), (metric, better, limits)


@pytest.mark.parametrize("metric", NUMBERED)
def test_what_has_a_better_side_is_limited_on_the_other_only(metric):
    others = dict.fromkeys(("error_std",), 1.0)
    limits = limits_of(metric, against(), 0.5, **others)
    if CATALOGUE[metric].better == "lower":
        assert limits.lower == -inf < limits.upper < inf
    else:
        assert -inf < limits.lower < limits.upper == inf


def test_counts_are_scaled_to_the_batch():
    spec = CATALOGUE["missing_count"]
    assert describe(spec, "directional").endswith("scaled to the batch")
    limits = limits_of("missing_count", against(900, 27_000), 2700.0)
    by_chance = 3 * (90 * (1 + 900 / 27_000)) ** 0.5
    assert isclose(limits.upper, 90 * 1.1 + by_chance)  # 90 of 900, and what chance may add
    assert limits_of("sum", against(900, 27_000), 3000.0) == Limits(90.0, 110.0)


def test_a_ratio_may_be_off_by_three_standard_errors():
    limits = limits_of("missing_ratio", against(900, 27_000), 0.1)
    assert isclose(limits.upper, 0.11 + 3 * (0.1 * 0.9 * (1 / 900 + 1 / 27_000)) ** 0.5)


def test_rows_are_wanted_against_fixed_data_and_a_usual_number_against_windows():
    assert limits_of("row_count", against(), 27_000.0) == Limits(0.0, inf, True)
    rolling = against(reference_windows=28)
    assert limits_of("row_count", rolling, 28_000.0) == Limits(500.0, 2000.0)


def test_the_mean_error_is_limited_by_the_spread_of_errors_not_by_the_reference():
    near, far = (limits_of("mean_error", against(), x, error_std=20.0) for x in (0.1, 9.0))
    assert near == far
    assert isclose(near.upper, 2 + 3 * 20 / 30)
    assert near.lower == -near.upper


@pytest.mark.parametrize(("columns", "exact", "whole"), [(2, 2 / 3, 0), (7, 7 / 3, 2), (9, 3, 3)])
def test_fewer_than_a_third_of_the_compared_columns_may_drift(columns, exact, whole):
    row, spec = MetricRow("drifted_columns", "", value=0.0, n=900), CATALOGUE["drifted_columns"]
    figure = Figure(spec, row, {}.get, compared(columns))
    assert figure.limits(against()) == Limits(upper=exact, open_upper=True)
    as_theirs = figure.limits(against(mode="evidently"))
    assert as_theirs == Limits(upper=whole, open_upper=True)


def test_where_no_column_could_be_compared_a_count_of_drifted_ones_is_no_success():
    row, spec = MetricRow("drifted_columns", "", value=0.0, n=900), CATALOGUE["drifted_columns"]
    found = Figure(spec, row, {}.get, compared(0)).limits(against())
    assert found == Missing("no column could be compared", fault=True)


def test_r2_may_fall_by_a_tenth_whatever_it_was():
    assert isclose(limits_of("r2", against(), 0.02).lower, -0.08)
    assert isclose(limits_of("r2", against(), 0.9).lower, 0.8)


@pytest.mark.parametrize(("n", "m", "allowed"), [(1000, 27_000, 2), (300, 300, 10), (30, 10**6, 1)])
def test_few_values_of_a_sound_batch_lie_beyond_all_of_its_reference(n, m, allowed):
    assert beyond_extremes(n, m) == allowed
    limits = limits_of("out_of_range_ratio", against(n, m), 0.0, n)
    assert isclose(limits.upper, allowed / n)


def test_sound_samples_seldom_lie_farther_beyond_their_reference_than_is_allowed():
    rng = np.random.default_rng(5)
    allowed = beyond_extremes(100, 400)
    outside = []
    for _ in range(2000):
        reference, batch = rng.normal(size=400), rng.normal(size=100)
        outside.append(int(((batch < reference.min()) | (batch > reference.max())).sum()))
    assert np.mean(np.array(outside) > allowed) < 0.01


# ---- windows


def test_limits_are_moved_out_to_what_sound_batches_reach_and_never_in():
    assert widened(Limits(9, 11), Reach(5, 10)) == Limits(5, 11)
    assert widened(Limits(upper=0.9), Reach(-1, 0.5)) == Limits(upper=0.9)
    assert widened(Limits(9, 11), None) == Limits(9, 11)


SCHEMA = schema_of({"x": "numerical", "kind": "categorical"})
EVERYTHING = make_plan(
    ("data_quality", "data_drift", "out_of_range_ratio", "out_of_list_ratio", "mean_shift_sigmas"),
    SCHEMA,
)


def window(seed: int, rows: int = 60, *, shift: float = 0.0, kinds: str = "abc") -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {"x": rng.normal(shift, 1, rows), "kind": [kinds[i % len(kinds)] for i in range(rows)]}
    )


def rolling(*windows: pa.Table) -> ReferenceProfile:
    return merge_references([reference_of(w, EVERYTHING, mergeable=True) for w in windows])


def figures(reference: ReferenceProfile, metric: str, column: str = "x", **parts: Any) -> list:
    drift = {name: dict(CATALOGUE["column_drift"].options) for name in SCHEMA.kinds}
    earlier = Earlier(reference, reference.windows, drift, parts.pop("min_rows", 30))
    spec = CATALOGUE[metric]
    if metric == "column_drift":
        return earlier.severities(column, dict(spec.options))
    return earlier.figures(spec, dict(spec.options), column, "", **parts)


def reach(
    reference: ReferenceProfile, metric: str, column: str = "x", center: float = 0.0
) -> Reach:
    spec = CATALOGUE[metric]
    found = Earlier(reference, reference.windows).reach(
        spec, dict(spec.options), column, "", center=center
    )
    assert found is not None
    return found


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=9), st.floats(-5, 5))
def test_bounds_reach_a_quarter_beyond_the_worst_window(shifts, center):
    tables = [pa.table({"x": [shift] * 40, "kind": ["a"] * 40}) for shift in shifts]
    reference = rolling(*tables)
    lower, upper = reach(reference, "mean", center=center)
    assert lower <= center + 1.25 * (min(shifts) - center) + 1e-9
    assert upper >= center + 1.25 * (max(shifts) - center) - 1e-9


def test_bounds_reach_as_far_as_the_tail_of_the_windows_seldom_does():
    shifts = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    reference = rolling(*(pa.table({"x": [s] * 40, "kind": ["a"] * 40}) for s in shifts))
    assert reach(reference, "mean", center=3.5).upper == tail(shifts) > 7.0 + 0.25 * 3.5


def test_a_figure_that_is_better_low_is_far_from_zero_not_from_the_whole():
    holes = [0, 0, 0, 24]
    columns = [pa.array([None] * k + [1.0] * (60 - k)) for k in holes]
    reference = rolling(*(window(0).set_column(0, "x", c) for c in columns))
    assert reach(reference, "missing_ratio", center=0.3).upper >= 1.25 * 0.4


def test_each_window_has_its_own_figures():
    reference = rolling(*(window(i, 30 + 10 * i) for i in range(4)))
    assert figures(reference, "row_count", "") == [30, 40, 50, 60]
    assert figures(reference, "constant_columns", "") == [0, 0, 0, 0]
    assert len(figures(reference, "mean")) == 4


def test_counts_of_windows_are_scaled_to_the_batch():
    holed = window(0).set_column(0, "x", pa.array([None] * 6 + [1.0] * 54))
    reference = rolling(holed, window(1, 120))
    assert figures(reference, "missing_count", rows=900) == [90, 0]


def test_small_windows_say_nothing_of_what_compares():
    reference = rolling(window(0), window(1), window(2, 5, shift=50.0))
    assert len(figures(reference, "mean_shift_sigmas")) == 2
    assert len(figures(reference, "column_drift")) == 2
    assert len(figures(reference, "missing_ratio")) == 3


def test_a_window_is_compared_with_the_others_where_the_whole_has_all_of_it():
    odd = window(9, shift=20.0, kinds="abz")
    reference = rolling(window(0), window(1), odd)
    assert figures(reference, "out_of_range_ratio")[2] == 1.0
    assert isclose(figures(reference, "out_of_list_ratio", "kind")[2], 1 / 3)
    assert figures(reference, "new_categories", "kind") == [0, 0, 1]


def test_the_only_window_that_has_values_lies_in_its_own_range():
    empty = window(1).set_column(0, "x", pa.array([None] * 60, pa.float64()))
    assert figures(rolling(window(0), empty), "out_of_range_ratio") == [0.0]


def test_one_window_tells_nothing_of_how_windows_differ():
    assert figures(rolling(window(0)), "mean") == []
    assert figures(rolling(window(0)), "column_drift") == []


def test_drifted_columns_are_counted_in_each_window():
    reference = rolling(*(window(i) for i in range(3)), window(3, shift=3.0))
    assert figures(reference, "drifted_columns_ratio", "")[3] == 0.5
    assert figures(rolling(*(window(i) for i in range(3))), "drifted_columns", "") == [0, 0, 0]


def test_the_drift_of_small_windows_is_that_of_the_method_but_for_the_p_value_s_digits():
    reference = rolling(*(window(i, shift=i / 3) for i in range(4)))
    exact = [
        evaluation.compare(w.columns["x"], reference.columns["x"], "ks", None).severity
        for w in reference.windows
    ]
    assert figures(reference, "column_drift") == pytest.approx(exact, rel=0.1, abs=0.05)


def test_drift_is_news_only_beyond_what_the_windows_show():
    reference = rolling(*(window(i, shift=s) for i, s in enumerate((-2.0, 2.0, -2.0, 2.0))))
    plan = make_plan((), SCHEMA, tests=[{"column_drift": {"columns": ["x"]}}])

    def status(shift: float, mode: str = "directional") -> str:
        tested = make_plan(
            (), SCHEMA, tests=[{"column_drift": {"columns": ["x"]}}], automatic_tests=mode
        )
        return evaluation.evaluate(batch_of(window(7, shift=shift)), reference, tested).status

    assert plan.mode == "directional"
    assert (status(2.0), status(2.0, "evidently")) == ("success", "fail")
    assert status(9.0) == "fail"


def test_a_widened_threshold_is_the_test_s_bound_and_said():
    reference = rolling(*(window(i, 600, shift=s) for i, s in enumerate((-2.0, 2.0, -2.0, 2.0))))
    plan = make_plan((), SCHEMA, tests=[{"column_drift": {"columns": ["x"]}}])
    (told,) = evaluation.evaluate(batch_of(window(7, 600, shift=9.0)), reference, plan).tests
    assert told.upper is not None
    assert 0.1 < told.upper < told.value
    assert "(0.1 widened: the reference's own windows differ as much)" in told.message


def test_evidently_s_conditions_know_no_windows():
    reference = rolling(*(window(i, shift=s) for i, s in enumerate((-2.0, 2.0))))
    plan = make_plan((), SCHEMA, tests=["row_count", "mean"], automatic_tests="evidently")
    rows, mean = evaluation.evaluate(batch_of(window(3)), reference, plan).tests
    assert (rows.lower, rows.upper) == (108, 132)
    assert mean.status == "fail"


# ---- a year of flights against the four weeks before


KINDS = {
    **dict.fromkeys(flights.NUMERICAL, "numerical"),
    **dict.fromkeys(flights.CATEGORICAL, "categorical"),
    "arr_delay": "numerical",
    "pred_champion": "numerical",
}
YEAR = schema_of(
    KINDS, (*flights.NUMERICAL, *flights.CATEGORICAL), target="arr_delay",
    prediction="pred_champion", task="regression",
)  # fmt: skip
TESTS = (
    "data_stability", "data_quality", "data_drift", "regression", "r2", "max_absolute_error",
    "missing_cells", "rows_with_missing", "unique_count",
)  # fmt: skip
PLAN = make_plan((), YEAR, tests=TESTS, reference_expected=True)
EVERY_TENTH = range(31, 365, 10)
WORSE = {"lower": 1, "higher": -1}


@cache
def profile(place: int) -> ReferenceProfile:
    return reference_of(day(place), PLAN, mergeable=True)


def day(place: int) -> pa.Table:
    return flights.day(str(date(2013, 1, 1) + timedelta(place)))


@cache
def judged(place: int) -> Snapshot:
    reference = merge_references([profile(i) for i in range(place - 28, place)])
    return evaluation.evaluate(batch_of(day(place)), reference, PLAN)


def place_of(month: int, of_month: int) -> int:
    return (date(2013, month, of_month) - date(2013, 1, 1)).days


@pytest.mark.parametrize("place", EVERY_TENTH)
def test_no_day_of_the_year_fails_for_being_better(place):
    snapshot = judged(place)
    rows = {(r.metric, r.column, r.label): r for r in snapshot.metrics}
    scale = snapshot.rows / snapshot.reference_rows
    for told in snapshot.tests:
        spec = CATALOGUE[told.metric]
        if told.status != "fail" or spec.better == "neutral":
            continue
        if told.metric == "column_drift":
            assert told.value > told.upper >= 0.1
            continue
        figure = rows[told.metric, told.column, told.label]
        fair = (figure.reference or 0.0) * (scale if spec.unit == "rows" else 1)
        assert (told.value - fair) * WORSE[spec.better] > 0, told


def test_most_days_are_sound_and_no_preset_is_red_every_day():
    failing = [
        {t.metric for t in judged(place).tests if t.status in ("fail", "error")}
        for place in EVERY_TENTH
    ]
    stable = {c.spec.id for c in make_plan((), YEAR, tests=["data_stability"]).checks}
    assert sum(not stable & found for found in failing) >= len(failing) * 0.6
    assert sum("column_drift" not in found for found in failing) >= len(failing) * 0.75


@pytest.mark.parametrize(
    ("month", "of_month", "metric", "column"),
    [
        (2, 8, "missing_ratio", "dep_delay"),  # the blizzard: half of the flights are cancelled
        (7, 27, "out_of_range_ratio", "distance"),  # one corrupt record
        (8, 22, "missing_ratio", "temp"),
        (12, 5, "column_drift", "dep_delay"),
        (12, 30, "missing_ratio", "visib"),
    ],
)
def test_what_really_happened_stands_out(month, of_month, metric, column):
    failed = {(t.metric, t.column) for t in judged(place_of(month, of_month)).failed}
    assert (metric, column) in failed


def test_a_dead_feed_stands_out_in_every_column_of_it():
    failed = {(t.metric, t.column): t.status for t in judged(place_of(12, 31)).failed}
    for column in flights.WEATHER:
        assert failed["missing_ratio", column] == "fail"
        assert failed["column_drift", column] == "error"


# ---- in words


@pytest.mark.parametrize(
    ("metric", "mode", "reference", "text"),
    [
        ("row_count", "evidently", True, "the reference ± 10 %"),
        ("row_count", "evidently", False, "above 30"),
        ("row_count", "directional", True, "above 0; rolling: half to twice the mean window"),
        ("missing_ratio", "evidently", True, "at most the reference + 10 %"),
        ("missing_ratio", "directional", False, "at most 0"),
        (
            "missing_count",
            "directional",
            True,
            "at most the reference + 10 %, scaled to the batch",
        ),
        ("accuracy", "evidently", True, "the reference ± 20 %"),
        ("accuracy", "directional", True, "at least the reference - 20 %"),
        ("accuracy", "directional", False, "above `baseline_accuracy`"),
        ("mean_error", "directional", True, "0 ± 0.1 of `error_std`"),
        ("mean_shift_sigmas", "evidently", True, "0 ± 2"),
        ("r2", "directional", True, "at least the reference - 0.1"),
        ("drifted_columns_ratio", "directional", True, "below 0.3"),
        ("drifted_columns", "directional", True, "below 1/3 of the compared columns"),
        ("drifted_columns", "evidently", True, "below 1/3 of the compared columns, rounded down"),
        ("column_drift", "directional", True, "as the drift method's threshold says"),
        ("column_drift", "directional", False, ""),
        ("mean", "directional", False, ""),
        ("error_std", "evidently", True, ""),
    ],
)
def test_a_condition_is_told_in_words(metric, mode, reference, text):
    assert describe(CATALOGUE[metric], mode, reference=reference) == text


def test_the_plan_says_which_metrics_need_a_condition_and_gives_an_example():
    schema = schema_of({"kind": "categorical"})
    for metric, spec in CATALOGUE.items():
        if spec.automatic is None and spec.per == "column" and CategoryProfile in spec.reads:
            with pytest.raises(
                PlanError, match=f"{metric} has no automatic condition: say one of eq"
            ):
                make_plan((), schema, tests=[metric])
    with pytest.raises(PlanError, match="between; such as lte: 0"):
        make_plan((), schema, tests=["gone_categories"])


@pytest.mark.parametrize("metric", [i for i, s in CATALOGUE.items() if s.automatic])
@pytest.mark.parametrize("mode", ["directional", "evidently"])
def test_every_automatic_condition_can_be_told_and_judged(metric, mode):
    spec = CATALOGUE[metric]
    assert describe(spec, mode)
    others = [
        MetricRow(name, "", value=1.0, params={}, n=900)
        for name in ("error_std", *(i for i in CATALOGUE if i.startswith("baseline_")))
    ]
    row = MetricRow(metric, "", "", dict(spec.options), 1.0, 1.0, n=900)
    check = Check(metric, spec, dict(spec.options))
    if spec.automatic.beside != Bound("method"):
        (told,) = check_all([check], [row, *others], compared(4), against(mode=mode))
        assert told.status in ("success", "fail")
        assert told.lower is not None or told.upper is not None
