"""Where numbers are cut, what is missing, and which bins a score comes from."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from distances.samples import categories, edges_of, numbers, row, score
from golden.evaluations import batch_of, reference_of

from exporter.batch import Schema
from exporter.errors import PlanError
from exporter.evaluation import evaluate
from exporter.metrics.drift import compare
from exporter.plan import make_plan
from exporter.profile.column import in_bins
from exporter.profile.merge import merge_columns

BINNED = ("psi", "kl_div", "jensenshannon", "hellinger")
RNG = np.random.default_rng(6)
REFERENCE = RNG.normal(0, 1, 4000)
SHIFTED = RNG.normal(1.5, 1, 1000)
QUANTILES = {"bins": "reference_quantiles"}


@pytest.mark.parametrize("method", BINNED)
def test_one_outlier_hides_a_shift_in_equal_widths_and_not_between_the_reference_s_quantiles(
    method,
):
    spoilt = np.append(SHIFTED, 1e6)
    assert row(method, SHIFTED, REFERENCE).drifted
    assert not row(method, spoilt, REFERENCE).drifted  # as in Evidently
    clean, kept = (score(method, x, REFERENCE, **QUANTILES) for x in (SHIFTED, spoilt))
    assert kept == pytest.approx(clean, rel=0.01)
    assert row(method, spoilt, REFERENCE, **QUANTILES).drifted


def test_psi_between_quantiles_is_its_formula_over_the_reference_s_deciles():
    cuts = np.sort(REFERENCE)[np.arange(1, 10) * len(REFERENCE) // 10]
    current, reference = (
        np.bincount(np.searchsorted(cuts, x, "right"), minlength=10) / len(x)
        for x in (SHIFTED, REFERENCE)
    )
    current = np.where(current == 0, 1e-4, current)
    expected = float(((reference - current) * np.log(reference / current)).sum())
    assert score("psi", SHIFTED, REFERENCE, **QUANTILES) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", BINNED)
def test_the_reference_itself_does_not_drift_between_its_quantiles(method):
    heavy = np.where(RNG.random(3000) < 0.6, 0.0, RNG.lognormal(0, 2, 3000))
    assert score(method, heavy, heavy, **QUANTILES) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("method", [*BINNED, "chisquare", "g_test", "TVD"])
def test_more_missing_values_are_a_drift_only_where_they_are_asked_for(method):
    present = ["a", "b"] * 150
    current, reference = present + [None] * 200, present * 2 + [None] * 3
    assert not row(method, current, reference).drifted
    told = row(method, current, reference, missing=True)
    assert told.drifted
    assert (told.n, told.reference_n) == (500, 603)


@pytest.mark.parametrize("bins", ["sturges", "reference_quantiles"])
@pytest.mark.parametrize("method", BINNED)
def test_missing_numbers_are_a_bin_of_their_own(method, bins):
    current = np.append(REFERENCE[:700], np.full(300, np.nan))
    assert not row(method, current, REFERENCE, bins=bins).drifted
    assert row(method, current, REFERENCE, bins=bins, missing=True).drifted


@pytest.mark.parametrize("bins", ["sturges", "reference_quantiles"])
@pytest.mark.parametrize("method", BINNED)
def test_a_batch_that_is_missing_altogether_has_drifted_where_missing_values_count(method, bins):
    nothing = np.full(500, np.nan)
    assert row(method, nothing, REFERENCE, bins=bins).error == "no values in the batch"
    told = row(method, nothing, REFERENCE, bins=bins, missing=True)
    assert (told.error, told.drifted) == (None, True)
    assert row(method, REFERENCE, nothing, bins=bins, missing=True).drifted


def test_where_nothing_is_missing_asking_for_it_changes_nothing():
    current, reference = list("aab") * 20, list("abb") * 30
    for method in ("chisquare", "psi", "z"):
        assert score(method, current, reference, missing=True) == score(method, current, reference)


def test_the_culprits_of_a_drift_are_named_with_what_they_add():
    current, reference = ["a"] * 10 + ["b"] * 30 + ["c"] * 60, ["a"] * 10 + ["b"] * 60 + ["c"] * 30
    told = row("psi", current, reference)
    assert [c["category"] for c in told.contributions] == ["b", "c"]  # a adds nothing
    assert told.contributions[0]["current"] == 0.3
    assert told.contributions[0]["reference"] == 0.6
    assert sum(c["part"] for c in told.contributions) == pytest.approx(told.score, rel=1e-5)


def test_the_parts_of_jensen_shannon_add_up_to_its_square():
    told = row("jensenshannon", list("aaabcd") * 9, list("abbbcd") * 9)
    assert sum(c["part"] for c in told.contributions) == pytest.approx(told.score**2, rel=1e-5)


def test_a_bin_is_named_by_its_ends_open_ones_with_null_and_the_missing_one_as_a_whole():
    current = np.append(SHIFTED, np.full(1000, np.nan))
    told = row("psi", current, REFERENCE, missing=True, **QUANTILES).contributions
    assert told[0]["bin"] is None
    assert told[0]["current"] == 0.5
    ends = [c["bin"] for c in told if c["bin"]]
    assert any(high is None and 1 < low < 1.5 for low, high in ends)
    assert len(told) <= 10


def test_numbers_of_few_values_are_named_one_by_one():
    told = row("psi", [0.0] * 20 + [1.0] * 80, [0.0] * 50 + [1.0] * 50).contributions
    assert [c["value"] for c in told] == [0.0, 1.0]


def test_of_many_categories_the_ten_worst_are_kept_and_none_of_a_column_that_has_not_drifted():
    current = [f"c{i}" for i in range(40) for _ in range(i + 1)]
    told = row("psi", current, current[::-1][:400])
    assert len(told.contributions) == 10
    parts = [c["part"] for c in told.contributions]
    assert parts == sorted(parts, reverse=True)
    assert row("psi", current, current).contributions is None


def test_missing_values_and_quantiles_of_parts_are_those_of_the_whole():
    parts = [np.append(SHIFTED[:300], np.nan), np.append(SHIFTED[300:], [np.nan] * 40)]
    merged = merge_columns([numbers(part) for part in parts])
    whole = numbers(np.concatenate(parts))
    for method in BINNED:
        one, other = (
            compare(x, numbers(REFERENCE), method, None, missing=True, **QUANTILES).score
            for x in (merged, whole)
        )
        assert one == pytest.approx(other, rel=1e-12)


def test_psi_between_quantiles_has_bounds_in_bins():
    reference = numbers(REFERENCE, gridded=True)
    exact = compare(numbers(SHIFTED), reference, "psi", None, **QUANTILES)
    binned = compare(
        in_bins(numbers(SHIFTED), edges_of(reference)), reference, "psi", None, **QUANTILES
    )
    low, high = binned.low or binned.score, binned.high or binned.score
    assert low <= exact.score + 1e-12
    assert exact.score <= high + 1e-12


def snapshot_of(**options):
    schema = Schema({"x": "numerical", "c": "categorical"}, ("x", "c"))
    plan = make_plan([{"column_drift": options}], schema)
    reference = reference_of(pa.table({"x": REFERENCE, "c": ["a", None] * 2000}), plan)
    current = pa.table({"x": np.append(SHIFTED, 1e6), "c": ["a"] * 1001})
    return evaluate(batch_of(current), reference, plan)


def test_options_reach_the_methods_through_a_plan():
    told = {r.column: r for r in snapshot_of(method="psi", missing=True, **QUANTILES).drift}
    assert told["c"].contributions[0] == {
        "category": None, "current": 0.0, "reference": 0.5, "part": pytest.approx(4.25774, rel=1e-5),
    }  # fmt: skip
    assert told["x"].drifted
    assert not {r.column: r for r in snapshot_of(method="psi").drift}["x"].drifted


def test_compatible_scores_are_asked_for_in_a_plan():
    rows = [
        snapshot_of(method="mannw", columns=["x"], **o).drift[0] for o in ({}, {"compat": True})
    ]
    assert rows[0].score == pytest.approx(2 * rows[1].score, rel=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "ks", "columns": ["x"], **QUANTILES}, "ks has no use for 'bins': hellinger,"),
        ({"method": "wasserstein", "columns": ["x"], "missing": True}, "no use for 'missing'"),
        ({"method": "psi", "bins": "deciles"}, "reference_quantiles"),
        ({"method": "psi", "bin": "sturges"}, "did you mean 'bins'"),
    ],
)
def test_an_option_that_a_method_has_no_use_for_is_a_mistake(options, words):
    with pytest.raises(PlanError, match=words):
        snapshot_of(**options)


def test_with_the_automatic_method_options_hold_where_they_can():
    assert not [
        r.error for r in snapshot_of(missing=True, compat=True, **QUANTILES).drift if r.error
    ]


def test_labels_called_missing_are_not_what_is_missing():
    told = compare(
        categories(["missing"] * 5 + [None] * 50), categories(["missing"] * 50 + [None] * 5),
        "psi", None, missing=True,
    )  # fmt: skip
    assert {c["category"] for c in told.contributions} == {"missing", None}


def test_a_value_of_most_rows_has_a_bin_of_its_own_between_quantiles():
    def heavy(share: float) -> np.ndarray:
        return np.where(np.arange(4000) < 4000 * share, 0.0, RNG.lognormal(0, 2, 4000))

    told = row("psi", heavy(0.2), heavy(0.6), **QUANTILES).contributions
    (zero,) = (c for c in told if c.get("value") == 0.0)
    assert (zero["current"], zero["reference"]) == (0.2, 0.6)


@pytest.mark.parametrize("method", BINNED)
def test_values_that_no_float_lies_between_are_in_one_bin(method):
    least = [0.0, 5e-324] * 20
    assert score(method, least[:30], least) == pytest.approx(0, abs=1e-7)
