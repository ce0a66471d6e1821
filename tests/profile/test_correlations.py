"""Correlations beside pandas and scipy, on columns with gaps, ties, infinities and numbers of any size."""

from __future__ import annotations

from itertools import combinations
from math import inf, isnan, nan

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from exporter.profile import correlations
from exporter.profile.correlations import association, cramer_v, kendall, pearson, spearman

METHODS = {"pearson": pearson, "spearman": spearman, "kendall": kendall}
cells = st.one_of(st.sampled_from([nan, 0.0, 1.0, 2.0]), st.floats(-100, 100, width=16))
tables = st.lists(st.tuples(cells, cells, cells), max_size=40)
wild = st.one_of(
    st.sampled_from([nan, inf, -inf, 0.0, 5e-324, 1e-200, 1.7e308, -1.7e308, 1 + 2**-52, 1.0]),
    st.floats(),
)


def columns_of(rows: list[tuple[float, ...]], names: str = "abc") -> dict[str, np.ndarray]:
    return {name: np.array([row[i] for row in rows], float) for i, name in enumerate(names)}


def found(method: str, columns: dict[str, np.ndarray]) -> dict[tuple[str, str], float]:
    return METHODS[method](columns, list(combinations(columns, 2)))


@pytest.mark.parametrize("method", METHODS)
@given(tables)
def test_every_pair_has_the_figure_of_pandas(method, rows):
    columns = columns_of(rows)
    theirs = pd.DataFrame(columns).corr(method)
    for (a, b), ours in found(method, columns).items():
        both = pd.DataFrame({a: columns[a], b: columns[b]}).dropna()
        if min(both.nunique(), default=0) < 2:
            assert isnan(ours)
        else:
            assert ours == pytest.approx(theirs.loc[a, b], rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_many_blocks_with_gaps_of_their_own_have_the_figures_of_pandas(method, monkeypatch):
    monkeypatch.setattr(correlations, "BLOCK", 7)
    rng = np.random.default_rng(3)
    base = rng.normal(size=100)
    columns = {name: base * i + rng.normal(size=100) + 1e4 for i, name in enumerate("abcd")}
    columns["b"][rng.random(100) < 0.2] = nan
    columns["c"][50:] = nan
    columns["d"][50:] = nan
    theirs = pd.DataFrame(columns).corr(method)
    for (a, b), ours in found(method, columns).items():
        assert ours == pytest.approx(theirs.loc[a, b], rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(st.lists(st.tuples(wild, wild), max_size=12), st.randoms())
@example([(1.7e308, 1.7e308), (-1.7e308, -1.7e308), (0.0, 0.0)], None)
@example([(1.0, 1.0), (1 + 2**-52, 2.0)], None)
@example([(5e-324, 1.0), (0.0, 2.0)], None)
def test_whatever_the_numbers_a_figure_lies_between_minus_one_and_one_in_any_order(
    method, rows, random
):
    (ours,) = found(method, columns_of(rows, "ab")).values()
    assert isnan(ours) or -1 <= ours <= 1
    shuffled = random.sample(rows, len(rows)) if random else rows[::-1]
    (again,) = found(method, columns_of(shuffled, "ab")).values()
    assert again == pytest.approx(ours, rel=1e-9, abs=1e-9, nan_ok=True)
    (swapped,) = found(method, columns_of([(y, x) for x, y in rows], "ab")).values()
    assert swapped == pytest.approx(ours, rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1e-320, 1e-160, 1.0, 1e160, 1e300])
def test_a_column_goes_with_its_double_and_against_its_negative_at_any_scale(method, scale):
    x = np.array([1.0, 5.0, 3.0, 4.0]) * scale
    with_itself = found(method, {"a": x, "b": x})
    assert with_itself["a", "b"] == pytest.approx(1)
    assert found(method, {"a": x, "b": -x})["a", "b"] == pytest.approx(-1)


def test_close_values_far_from_zero_lose_no_digit():
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 64, 200), rng.integers(0, 64, 200)
    y = x + y
    near_zero = found("pearson", {"a": x.astype(float), "b": y.astype(float)})
    far = found("pearson", {"a": x + 2.0**46, "b": y + 2.0**46})
    assert far["a", "b"] == pytest.approx(near_zero["a", "b"], rel=1e-12)


def test_a_value_far_out_where_the_other_column_misses_takes_no_digits_from_the_rest():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=200), rng.normal(size=200)
    alone = found("pearson", {"a": x[1:], "b": y[1:]})
    x[0], y[0] = 1e18, nan
    assert found("pearson", {"a": x, "b": y}) == pytest.approx(alone, rel=1e-12)


def test_infinite_values_are_left_out():
    x, y = np.array([1.0, 2.0, 4.0, inf, 7.0]), np.array([3.0, 1.0, 5.0, 2.0, -inf])
    for method in METHODS:
        whole, finite = ({"a": a, "b": b} for a, b in ((x, y), (x[:3], y[:3])))
        assert found(method, whole) == pytest.approx(found(method, finite))


def test_without_columns_or_rows_there_is_nothing_to_tell():
    assert found("pearson", {}) == {}
    for method in METHODS:
        (ours,) = found(method, {"a": np.empty(0), "b": np.empty(0)}).values()
        assert isnan(ours)


labels = st.lists(
    st.tuples(st.sampled_from(["x", "y", "z", "", None]), st.sampled_from(["u", "v", "w", None])),
    max_size=60,
)


def labelled(told: list[str | None]) -> tuple[list[str], np.ndarray]:
    names = [name for name in dict.fromkeys(told) if name is not None]
    codes = [len(names) if name is None else names.index(name) for name in told]
    return names, np.array(codes, np.int32)


def their_v(rows: list[tuple[str | None, str | None]]) -> float:
    frame = pd.DataFrame(rows, columns=["a", "b"]).dropna()
    table = pd.crosstab(frame["a"], frame["b"]).to_numpy()
    if min(table.shape, default=0) < 2:
        return nan
    chi2 = chi2_contingency(table, correction=False).statistic
    return float(np.sqrt(chi2 / table.sum() / (min(table.shape) - 1)))


@pytest.mark.parametrize("dense", [0, 1 << 22])
@given(rows=labels)
def test_cramer_s_v_is_that_of_the_contingency_table(dense, rows):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(correlations, "DENSE", dense)
        ours = association(*(labelled([row[i] for row in rows]) for i in (0, 1)))
    assert ours == pytest.approx(their_v(rows), rel=1e-6, abs=1e-7, nan_ok=True)


def test_categories_that_tell_each_other_go_together_and_independent_ones_do_not():
    a, b = labelled(list("xyzxyz")), labelled(list("uvwuvw"))
    assert cramer_v({"a": a, "b": b}, [("a", "b")]) == {("a", "b"): pytest.approx(1)}
    independent = labelled(list("xxyy")), labelled(list("uvuv"))
    assert association(*independent) == 0
