"""Figures of numbers beside numpy's, on samples with zeros of both signs, infinities and gaps."""

from __future__ import annotations

from datetime import datetime
from math import inf, isnan

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import Figures, evaluated, reference_of, schema_of
from hypothesis import given
from hypothesis import strategies as st
from metrics.profiles import figure, finite, numbers, samples

from exporter.evaluation import merge_references
from exporter.plan import make_plan

ORACLES = {
    "min": np.min, "max": np.max, "mean": np.mean, "median": np.median, "sum": np.sum,
}  # fmt: skip


@pytest.mark.parametrize("metric", ORACLES)
@given(told=samples)
def test_a_figure_is_numpy_s_of_the_finite_values(metric, told):
    there = finite(told)
    ours = figure(metric, numbers(told))
    if len(there):
        rounding = 1e-12 * np.abs(there).sum()
        assert ours == pytest.approx(ORACLES[metric](there), rel=1e-12, abs=rounding)
    else:
        assert ours == 0 if metric == "sum" else isnan(ours)


@given(samples)
def test_the_deviation_is_numpy_s_of_a_sample(told):
    there = finite(told)
    ours = figure("std", numbers(told))
    if len(there) > 1:
        assert ours == pytest.approx(
            np.std(there, ddof=1), rel=1e-9, abs=1e-14 * np.abs(there).max()
        )
    else:
        assert isnan(ours)


@given(samples, st.floats(0, 1))
def test_a_quantile_is_numpy_s(told, q):
    there = finite(told)
    ours = figure("quantile", numbers(told), q=q)
    if len(there):
        assert ours == pytest.approx(np.quantile(there, q), rel=1e-9, abs=1e-9)
    else:
        assert isnan(ours)


@given(samples, samples)
def test_the_shift_of_the_mean_is_in_deviations_of_the_reference(current, reference):
    now, then = finite(current), finite(reference)
    ours = figure("mean_shift_sigmas", numbers(current), numbers(reference))
    if not len(now) or len(then) < 2:
        assert isnan(ours)
    elif np.ptp(then) > 1e-3:
        theirs = (now.mean() - then.mean()) / then.std(ddof=1)
        assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("current", "shift"), [([3.0, 3.0], 0.0), ([3.0, 5.0], inf)])
def test_from_a_constant_reference_the_mean_has_moved_not_at_all_or_beyond_measure(current, shift):
    assert figure("mean_shift_sigmas", numbers(current), numbers([3.0, 3.0, 3.0])) == shift


def test_figures_of_a_small_sample_by_hand():
    told = numbers([4.0, 1.0, 7.0, 4.0])
    assert [figure(name, told) for name in ("min", "max", "mean", "median", "sum")] == [
        1, 7, 4, 4, 16,
    ]  # fmt: skip
    assert figure("std", told) == pytest.approx(6**0.5)
    assert figure("quantile", told, q=0.25) == 3.25
    assert figure("mean_shift_sigmas", numbers([10.0]), told) == pytest.approx(6**0.5)


def test_the_largest_numbers_there_are_have_a_median_between_them():
    assert figure("median", numbers([-1.7e308, 1.7e308])) == 0
    assert figure("quantile", numbers([-1.7e308, 1.7e308]), q=0.0) == -1.7e308
    assert figure("mean", numbers([1.7e308] * 3)) == 1.7e308


TIMES = {"t": pa.timestamp("us"), "z": pa.timestamp("ns", "Europe/Berlin"), "d": pa.date32()}
moments = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))


@given(st.lists(st.one_of(st.none(), moments), max_size=20))
def test_the_ends_of_times_are_those_of_pandas_in_seconds(told):
    kinds = dict.fromkeys(TIMES, "datetime")
    columns = {n: pa.array(told, pa.timestamp("us")).cast(kind, safe=False)
               for n, kind in TIMES.items()}  # fmt: skip
    figures = Figures(evaluated(pa.table(columns), None, schema_of(kinds), "first", "last"))
    there = [x for x in told if x is not None]
    for metric, end in (("first", min), ("last", max)):
        for name in TIMES:
            row = figures.row(metric, name)
            if there:
                time = pd.Timestamp(end(there), tz="UTC")
                theirs = time.floor("D") if name == "d" else time
                assert row.value == pytest.approx(theirs.timestamp(), abs=1e-6)
            else:
                assert row.error == "no value"


def test_times_of_day_and_text_have_no_ends():
    rows = pa.table({"t": pa.array([1, 2], pa.time32("s")), "u": ["2024-01-01", "2024-01-02"]})
    schema = schema_of(dict.fromkeys("tu", "datetime"))
    snapshot = evaluated(rows, None, schema, "first", "last")
    assert {row.error for row in snapshot.metrics} == {"no value"}


def test_the_ends_of_merged_times_are_those_of_all():
    tables = [pa.table({"t": pa.array(told, pa.timestamp("s"))}) for told in ([5, 3], [None], [9])]
    plan = make_plan(["first", "last", "unique_count"], schema_of({"t": "datetime"}))
    merged = merge_references([reference_of(part, plan, mergeable=True) for part in tables])
    times = merged.columns["t"]
    assert (times.first, times.last, times.distinct, times.missing) == (3, 9, 3, 1)
