"""How far figures go by chance, beside figures whose truth is known."""

from __future__ import annotations

from math import erfc, inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from exporter.checks.chance import RARE, beyond_extremes, reach, seldom_more, tail

FIGURES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60)


def passed(source, windows: int, turns: int = 4000) -> float:
    """How often the next figure passes the tail of those before it."""
    rng = np.random.default_rng(7)
    series = [source(rng, windows + 1) for _ in range(turns)]
    return float(np.mean([x[-1] > tail(x[:-1].tolist()) for x in series]))


def season(rng: np.random.Generator, days: int) -> np.ndarray:
    """Days of some part of a year, whose weather lasts."""
    shocks = rng.normal(size=days)
    weather = np.zeros(days)
    for i in range(1, days):
        weather[i] = 0.6 * weather[i - 1] + shocks[i]
    return 10 * np.sin(2 * np.pi * (np.arange(days) + rng.integers(365)) / 365) + 2 * weather


def week(rng: np.random.Generator, days: int) -> np.ndarray:
    """Days of which the weekend's are others."""
    return 3.0 * ((np.arange(days) + rng.integers(7)) % 7 > 1) + rng.normal(size=days)


def walk(rng: np.random.Generator, days: int) -> np.ndarray:
    """Each day is the one before it, and a step."""
    return np.cumsum(rng.normal(size=days))


def test_rare_is_three_sigmas_on_one_side():
    assert RARE == erfc(3 / sqrt(2)) / 2 == pytest.approx(stats.norm.sf(3))


@pytest.mark.parametrize("source", [season, week, walk, lambda rng, m: rng.normal(size=m)])
def test_the_next_of_28_sound_days_is_seldom_beyond_the_tail(source):
    assert passed(source, 28) < 0.005


@pytest.mark.parametrize(
    "source", [lambda rng, m: rng.exponential(size=m), lambda rng, m: rng.lognormal(size=m)]
)
def test_where_tails_are_heavy_it_is_beyond_it_once_in_sixty_days(source):
    assert passed(source, 28) < 1 / 60


@pytest.mark.parametrize("source", [season, week, walk])
def test_of_a_week_as_well(source):
    assert passed(source, 7) < 0.005


def test_a_change_of_six_spreads_is_beyond_the_tail_of_four_weeks():
    rng = np.random.default_rng(3)
    assert np.mean([tail(rng.normal(size=28).tolist()) < 6 for _ in range(1000)]) > 0.95


@given(FIGURES)
def test_the_tail_begins_where_the_figures_end(figures):
    assert tail(figures) >= max(figures) - 1e-6 * abs(max(figures)) or len(set(figures)) > 1
    assert tail(figures) >= np.mean(figures) - 1e-6 * (1 + abs(np.mean(figures)))


@given(FIGURES, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_the_tail_moves_with_the_unit_of_the_figures(figures, scale, shift):
    moved = [scale * x + shift for x in figures]
    size = scale * (1 + max(map(abs, figures))) + abs(shift)
    assert tail(moved) == pytest.approx(scale * tail(figures) + shift, abs=1e-6 * size)


def test_figures_that_never_change_have_no_tail():
    assert tail([3.0] * 28) == 3.0
    assert reach([3.0], 1000) == 3.0


@pytest.mark.parametrize(
    ("known", "n", "reference"), [(0, 900, 27_000), (9, 300, 300), (40, 50, 9)]
)
def test_counts_seldom_pass_what_the_negative_binomial_says(known, n, reference):
    k = seldom_more(known, n, reference)
    said = stats.nbinom(known + 1, reference / (n + reference))
    assert said.sf(k) <= RARE or k == n
    assert said.sf(k - 1) > RARE


def test_many_counts_are_told_as_a_normal_distribution_does():
    exact = stats.nbinom(201, 27 / 28).isf(RARE)
    assert seldom_more(200, 1000, 27_000) == pytest.approx(exact, rel=0.25)


@pytest.mark.parametrize("n", [30, 900, 27_000])
def test_values_of_one_source_seldom_lie_beyond_their_reference(n):
    q = n / (n + 27_000)
    k = beyond_extremes(n, 27_000)
    assert q**k <= RARE < q ** (k - 1)


@pytest.mark.parametrize("figures", [[1.7e308, 1.6e308, 1.7e308], [1e200, -1e200, 3e199]])
def test_figures_too_large_to_be_squared_have_no_limit(figures):
    assert tail(figures) == inf
