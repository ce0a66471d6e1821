"""Drift methods beside scipy, on random and hostile samples, and what must hold of every method."""

from __future__ import annotations

import warnings
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from exporter.distances import DRIFT_METHODS, method_named
from exporter.distances.gaps import ks_distance, wasserstein_distance
from exporter.distances.shares import shares
from exporter.errors import PlanError
from exporter.metrics.drift import compare
from exporter.profile.column import (
    CategoryProfile,
    NumericProfile,
    category_profile,
    numeric_profile,
)
from exporter.profile.merge import merge_columns
from exporter.snapshot import DriftRow

AWKWARD = [0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e15, 2.5, 2.5000000001, 3.0]
values = st.one_of(
    st.sampled_from(AWKWARD),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.integers(-5, 5).map(float),
)
samples = st.lists(values, min_size=1, max_size=80)
labels = st.lists(st.sampled_from(["a", "b", "c", "", "ü", "0"]), min_size=1, max_size=60)
pairs = settings(max_examples=60, deadline=None)


def numbers(told, *, gridded: bool = False) -> NumericProfile:
    array = np.array(told, dtype=float)
    return numeric_profile("x", len(array), array, gridded=gridded)


def categories(told) -> CategoryProfile:
    names = list(dict.fromkeys(told))
    return category_profile("c", names, np.array([names.index(x) for x in told], np.int32))


def compared(method: str, current, reference) -> DriftRow:
    """The drift row; where a method refuses the samples, with its reason, which names the method."""
    try:
        row = compare(current, reference, method, None)
    except ValueError as reason:
        if method not in str(reason):
            raise
        return DriftRow("x", "", method, error=str(reason))
    assert row.error is None
    return row


def score(method: str, current, reference) -> float | str:
    row = compared(method, current, reference)
    return row.error or row.score


def near(told: float | str, rel: float):
    return told if isinstance(told, str) else pytest.approx(told, rel=rel)


def nothing_changed(method: str) -> float:
    told = {"distance": 0.0, "p_value": 1.0}[method_named(method).score]
    return 0.25 if method == "anderson" else told  # where its table ends


def for_kind(kind: str) -> list[str]:
    return [m.id for m in DRIFT_METHODS.values() if kind in m.kinds]


# ---- against scipy


@pairs
@given(samples, samples)
def test_ks_is_scipy_s(current, reference):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # scipy gives up on some p-values near 1
        theirs = stats.ks_2samp(reference, current)
    assert ks_distance(numbers(current), numbers(reference)).value == pytest.approx(
        theirs.statistic, abs=1e-12
    )
    assert score("ks", numbers(current), numbers(reference)) == pytest.approx(
        theirs.pvalue, rel=1e-6, abs=1e-9 if theirs.pvalue < 0.99 else 0.01
    )


@pairs
@given(samples, samples)
def test_wasserstein_is_scipy_s_over_the_reference_s_spread(current, reference):
    theirs = stats.wasserstein_distance(reference, current) / max(np.std(reference), 0.001)
    ours = score("wasserstein", numbers(current), numbers(reference))
    largest = max(map(abs, [*current, *reference, 1.0])) / max(np.std(reference), 0.001)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-11 * largest)


@pytest.mark.parametrize("size", [(30_000, 20_000), (5_000, 30_000)])
@pytest.mark.parametrize("kind", ["normal", "same", "zeros", "rounded", "tails", "shifted"])
def test_large_samples_go_through_the_grid_and_stay_exact(kind, size):
    rng = np.random.default_rng(3)
    make = {
        "normal": lambda n, i: rng.normal(0.02 * i, 1, n),
        "same": lambda n, _: rng.permutation(np.linspace(0, 1, n)),
        "zeros": lambda n, i: np.where(rng.random(n) < 0.9 - 0.01 * i, 0, rng.lognormal(0, 2, n)),
        "rounded": lambda n, i: rng.normal(i / 50, 1, n).round(1),
        "tails": lambda n, _: rng.standard_t(2, n),
        "shifted": lambda n, i: rng.normal(30.0 * i, 1, n),
    }[kind]
    current, reference = (make(n, i) for i, n in enumerate(size))
    a, b = numbers(current), numbers(reference, gridded=True)
    assert ks_distance(a, b).value == pytest.approx(
        stats.ks_2samp(reference, current, method="asymp").statistic, abs=1e-12
    )
    assert wasserstein_distance(a, b).value == pytest.approx(
        stats.wasserstein_distance(reference, current), rel=1e-9, abs=1e-12
    )


@pairs
@given(labels, labels)
def test_chi_square_is_scipy_s(current, reference):
    names = sorted({*current, *reference})
    seen, base = ([x.count(n) for n in names] for x in (current, reference))
    with np.errstate(all="ignore"):
        expected = np.array(base) * len(current) / len(reference)
        theirs = 1.0 if len(names) == 1 else stats.chisquare(seen, expected)[1]
    ours = score("chisquare", categories(current), categories(reference))
    assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-12)


@pairs
@given(labels, labels)
def test_jensen_shannon_and_hellinger_are_scipy_s_formulas(current, reference):
    names = sorted({*current, *reference})
    p, q = ([x.count(n) / len(x) for n in names] for x in (current, reference))
    a, b = categories(current), categories(reference)
    assert score("jensenshannon", a, b) == pytest.approx(distance.jensenshannon(p, q), abs=1e-7)
    overlap = min(1.0, float(np.sqrt(np.array(p) * np.array(q)).sum()))
    assert score("hellinger", a, b) == pytest.approx((1 - overlap) ** 0.5, abs=1e-7)


def filled(p: np.ndarray) -> np.ndarray:
    least = p[p > 0].min()
    return np.where(p == 0, least / 1e6 if least <= 1e-4 else 1e-4, p)


@pairs
@given(samples, samples)
def test_psi_and_kl_are_their_formulas_over_numpy_s_bins(current, reference):
    if len(set(reference)) > 20:
        edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
        p, q = (np.histogram(x, edges)[0] / len(x) for x in (reference, current))
    else:
        names = sorted({x + 0.0 for x in [*current, *reference]})
        p, q = (np.array([x.count(n) / len(x) for n in names]) for x in (reference, current))
    p, q = filled(p), filled(q)
    a, b = numbers(current), numbers(reference)
    assert score("psi", a, b) == pytest.approx(float(((p - q) * np.log(p / q)).sum()), abs=1e-9)
    assert score("kl_div", a, b) == pytest.approx(float(stats.entropy(p, q)), abs=1e-9)


def test_z_is_the_two_sided_test_of_pooled_proportions():
    current, reference = ["n"] * 40 + ["y"] * 60, ["n"] * 120 + ["y"] * 80
    pooled = 140 / 300
    z = (0.6 - 0.4) / (pooled * (1 - pooled) * (1 / 100 + 1 / 200)) ** 0.5
    ours = score("z", categories(current), categories(reference))
    assert ours == pytest.approx(2 * stats.norm.sf(z), rel=1e-12)


# ---- what must hold of every method, also of one that is entered tomorrow


@pytest.mark.parametrize("method", for_kind("numerical"))
@settings(max_examples=15, deadline=None)
@given(sample=samples)
def test_identical_numbers_do_not_drift(method, sample):
    row = compared(method, numbers(sample), numbers(sample))
    if row.error is None:
        assert row.drifted is False
        assert row.score == pytest.approx(nothing_changed(method), abs=1e-7)


@pytest.mark.parametrize("method", for_kind("categorical"))
@settings(max_examples=15, deadline=None)
@given(sample=labels)
def test_identical_labels_do_not_drift(method, sample):
    row = compared(method, categories(sample), categories(sample))
    if row.error is None:
        assert row.drifted is False
        assert row.score == pytest.approx(nothing_changed(method), abs=1e-7)


@pytest.mark.parametrize("method", for_kind("numerical"))
@settings(max_examples=15, deadline=None)
@given(current=samples, reference=samples, seed=st.integers(0, 99))
def test_the_order_of_numbers_does_not_matter(method, current, reference, seed):
    shuffled = list(np.random.default_rng(seed).permutation(current))
    one, two = (score(method, numbers(x), numbers(reference)) for x in (current, shuffled))
    assert one == two


@pytest.mark.parametrize("method", for_kind("categorical"))
@settings(max_examples=15, deadline=None)
@given(current=labels, reference=labels, seed=st.integers(0, 99))
def test_the_order_of_labels_does_not_matter(method, current, reference, seed):
    shuffled = list(np.random.default_rng(seed).permutation(current))
    one, two = (score(method, categories(x), categories(reference)) for x in (current, shuffled))
    assert one == two


@pytest.mark.parametrize("method", for_kind("numerical"))
@settings(max_examples=15, deadline=None)
@given(parts=st.lists(samples, min_size=1, max_size=4), reference=samples)
def test_numbers_in_parts_drift_as_far_as_the_whole(method, parts, reference):
    merged = merge_columns([numbers(part) for part in parts])
    whole = numbers([x for part in parts for x in part])
    base = numbers(reference)
    assert score(method, merged, base) == near(score(method, whole, base), rel=1e-9)
    assert score(method, base, merged) == near(score(method, base, whole), rel=1e-6)


@pytest.mark.parametrize("method", for_kind("categorical"))
@settings(max_examples=15, deadline=None)
@given(parts=st.lists(labels, min_size=1, max_size=4), reference=labels)
def test_labels_in_parts_drift_as_far_as_the_whole(method, parts, reference):
    merged = merge_columns([categories(part) for part in parts])
    whole = categories([x for part in parts for x in part])
    base = categories(reference)
    assert score(method, merged, base) == score(method, whole, base)
    assert score(method, base, merged) == score(method, base, whole)


@pytest.mark.parametrize("method", [*for_kind("numerical"), *for_kind("categorical")])
@settings(max_examples=15, deadline=None)
@given(current=samples, reference=samples, words=labels, others=labels)
def test_scores_are_finite_and_severity_tells_drift(method, current, reference, words, others):
    chosen = DRIFT_METHODS[method]
    if "numerical" in chosen.kinds:
        row = compared(method, numbers(current), numbers(reference))
    else:
        row = compared(method, categories(words), categories(others))
    if row.error:
        return
    assert row.score >= 0
    if chosen.score == "p_value":
        assert row.score <= 1
    if row.severity != 1:  # at the threshold itself, methods differ in which side it belongs to
        assert (row.severity > 1) == row.drifted


@pytest.mark.parametrize("method", DRIFT_METHODS)
def test_a_p_value_of_nothing_has_a_finite_severity(method):
    chosen = DRIFT_METHODS[method]
    assert 0 <= chosen.severity(0.0, chosen.threshold) < inf


@pytest.mark.parametrize("method", DRIFT_METHODS)
def test_no_drift_at_all_has_a_severity_without_a_sign(method):
    chosen = DRIFT_METHODS[method]
    none_at_all = 1.0 if chosen.score == "p_value" else 0.0
    assert repr(chosen.severity(none_at_all, chosen.threshold)) == "0.0"


@pytest.mark.parametrize(
    ("method", "reason"),
    [("wasserstein", "the reference's standard deviation is infinite")]
    + [(m, "too far apart to be put in bins") for m in ("psi", "jensenshannon", "hellinger")],
)
def test_numbers_too_large_for_a_method_are_told_and_never_read_as_no_drift(method, reason):
    reference = numbers(np.concatenate([np.linspace(-1.7e308, 0, 50), np.linspace(0, 1.7e308, 50)]))
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=reason):
        compare(numbers(np.full(30, 1e307)), reference, method, None)


@pytest.mark.parametrize("method", DRIFT_METHODS)
def test_every_method_has_help_that_a_user_can_read(method):
    assert DRIFT_METHODS[method].help.endswith(".")


def test_a_misspelt_method_suggests_the_nearest():
    with pytest.raises(PlanError, match="did you mean 'wasserstein'"):
        method_named("wasserstien")


def test_numbers_are_not_compared_with_labels():
    assert "cannot be compared" in compare(numbers([1.0]), categories(["a"]), "auto", None).error
    with pytest.raises(TypeError, match="cannot be compared"):
        shares(numbers([1.0]), categories(["a"]))
