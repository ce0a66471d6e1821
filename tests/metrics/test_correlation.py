"""Correlations as figures and tests: which pairs, which columns, and what stands where there is none."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import Figures, evaluated, schema_of
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.everything import KINDS, TASKS, some_rows, table
from metrics.everything import evaluated as everything_of

from exporter.errors import PlanError
from exporter.plan import make_plan
from exporter.snapshot import MetricRow, Snapshot

METHODS = ("pearson", "spearman", "kendall", "cramer_v")
UNTOLD = "needs two different values of either column in the rows that have both"
SCHEMA = schema_of(
    {"b": "numerical", "a": "numerical", "c": "numerical", "plan": "categorical",
     "area": "categorical", "y": "numerical", "said": "numerical"},
    ("b", "a", "c", "plan", "area"), target="y", prediction="said", task="regression",
)  # fmt: skip
CLASSES = schema_of(
    {"a": "numerical", "plan": "categorical", "area": "categorical", "late": "categorical",
     "p": "numerical"},
    ("a", "plan", "area"), target="late", probability="p", task="binary", threshold=0.3,
)  # fmt: skip


def rows_of(seed: int, count: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a, y = rng.normal(size=count), rng.normal(size=count)
    return pd.DataFrame({
        "b": a + rng.normal(size=count), "a": a, "c": rng.normal(size=count),
        "plan": rng.choice(["free", "pro"], count), "area": rng.choice(["n", "s", "w"], count),
        "y": y + a, "said": y + a / 2, "late": rng.integers(0, 2, count).astype(str),
        "p": rng.random(count),
    })  # fmt: skip


def told(frame: pd.DataFrame, *metrics: Any, schema: Any = SCHEMA, **options: Any) -> Snapshot:
    reference = options.pop("reference", None)
    beside = None if reference is None else pa.Table.from_pandas(reference)
    return evaluated(pa.Table.from_pandas(frame), beside, schema, *metrics, **options)


def pairs(snapshot: Snapshot) -> dict[tuple[str, str], MetricRow]:
    return {(r.column, r.label): r for r in snapshot.metrics if r.metric == "correlation"}


def test_each_pair_is_told_once_and_the_name_that_comes_first_is_the_column():
    found = pairs(told(rows_of(1), "correlation"))
    assert list(found) == list(combinations(["a", "b", "c", "said", "y"], 2))
    theirs = rows_of(1)[["a", "b", "c", "said", "y"]].corr()
    for (a, b), row in found.items():
        assert row.value == pytest.approx(theirs.loc[a, b])


def test_chosen_columns_give_the_pairs_among_them():
    wanted = {"correlation": {"columns": ["c", "y", "a"]}}
    assert list(pairs(told(rows_of(1), wanted))) == [("a", "c"), ("a", "y"), ("c", "y")]
    features = told(rows_of(1), {"correlation": {"columns": "features", "method": "cramer_v"}})
    assert list(pairs(features)) == [("area", "plan")]


def test_one_column_gives_its_pairs_with_all_others_each_once():
    found = pairs(told(rows_of(1), {"correlation": {"columns": ["c"]}}))
    assert set(found) == {("a", "c"), ("b", "c"), ("c", "said"), ("c", "y")}
    both = told(rows_of(1), *({"correlation": {"columns": [name]}} for name in "ca"))
    assert len([r for r in both.metrics if r.metric == "correlation"]) == len(pairs(both)) == 7
    alone = schema_of({"a": "numerical", "plan": "categorical"})
    with pytest.raises(PlanError, match="pearson needs two numerical columns"):
        make_plan([{"correlation": {"columns": ["a"]}}], alone)


def test_a_test_on_one_column_judges_its_pairs():
    found = told(rows_of(1), tests=[{"correlation": {"columns": ["y"], "lte": 2}}]).tests
    assert {(t.column, t.label) for t in found} == {
        ("a", "y"), ("b", "y"), ("c", "y"), ("said", "y"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"columns": ["plan"]}, r"columns.0: pearson does not read categorical columns such as 'plan'$"),
        ({"columns": ["a", "plan"]}, r"correlation.columns.1: pearson does not read categorical .*'plan'$"),
        ({"columns": ["a", "b"], "method": "cramer_v"}, r"columns.0: cramer_v does not read num"),
        ({"columns": ["a", "bb"]}, r"columns.1: 'bb' is not among .*; did you mean 'b'\?$"),
        ({"columns": "categorical"}, r"correlation: pearson needs two numerical columns$"),
    ],
)  # fmt: skip
def test_columns_that_make_no_pair_are_refused(options, text):
    with pytest.raises(PlanError, match=text):
        make_plan([{"correlation": options}], SCHEMA)


@pytest.mark.parametrize(
    ("metrics", "test", "text"),
    [
        ([], {"columns": ["a", "plan"]}, r"tests.0.correlation.columns.1: pearson does not read"),
        ([{"correlation": {"method": "cramer_v"}}], {"columns": ["plan", "area"]}, ""),
        ([{"correlation": {"method": "cramer_v"}}], {"columns": ["a", "area"]}, r"columns.0: cramer"),
        ([], {"columns": ["plan", "area"], "method": "cramer_v"}, ""),
    ],
)  # fmt: skip
def test_a_test_reads_columns_of_the_method_that_it_inherits(metrics, test, text):
    problems: list[Any] = []
    make_plan(metrics, SCHEMA, tests=[{"correlation": {**test, "lt": 0.9}}], problems=problems)
    told_of = [f"{'.'.join(map(str, p.path))}: {p.text}" for p in problems]
    assert len(told_of) == (1 if text else 0)
    assert all(re.match(rf".*{text}", told) for told in told_of)


def test_evidently_s_correlations_are_those_that_the_columns_have():
    plan = make_plan(["DatasetCorrelations"], schema_of({"a": "numerical", "b": "numerical"}))
    assert {u.params["method"] for u in plan.uses} == {"pearson", "spearman", "kendall"}


def test_a_constant_or_empty_column_has_a_reason_in_each_of_its_pairs_and_costs_no_other():
    for bad in (1.0, np.nan):
        frame = rows_of(1).assign(c=bad)
        snapshot = told(frame, "correlation", "strongest_correlation")
        for pair, row in pairs(snapshot).items():
            assert row.error == (UNTOLD if "c" in pair else None)
        assert Figures(snapshot).value("strongest_correlation", method="pearson") is not None


def test_a_column_that_is_gone_or_holds_text_is_named_in_its_pairs_and_where_all_count():
    for frame, reason in (
        (rows_of(1).drop(columns="c"), "column 'c': the batch has no such column"),
        (rows_of(1).assign(c="x"), "column 'c': holds text (large_string), not numbers"),
    ):
        snapshot = told(frame, "correlation", "strongest_correlation", "changed_correlations",
                        reference=rows_of(2))  # fmt: skip
        for pair, row in pairs(snapshot).items():
            assert row.error == (reason if "c" in pair else None)
        whole = {r.error for r in snapshot.metrics if r.metric != "correlation"}
        assert whole == {reason}


def test_a_test_on_two_columns_judges_their_pair_and_nothing_else():
    tests = [{"correlation": {"columns": ["b", "a"], "lt": 0.5}}]
    snapshot = told(rows_of(1), "correlation", tests=tests)
    ((column, label, status),) = [(t.column, t.label, t.status) for t in snapshot.tests]
    assert (column, label, status) == ("a", "b", "fail")


def test_a_label_chooses_the_pairs_with_that_column():
    tests = [{"correlation": {"columns": ["a", "b", "c"], "label": "c", "between": [-1, 1]}}]
    snapshot = told(rows_of(1), tests=tests)
    assert {(t.column, t.label) for t in snapshot.tests} == {("a", "c"), ("b", "c")}


def test_a_test_on_a_pair_may_follow_the_reference():
    tests = [{"correlation": {"columns": ["a", "b"], "between": [
        {"reference": True, "absolute": 0.2}, {"reference": True, "absolute": 0.2}]}}]  # fmt: skip
    (result,) = told(rows_of(1), tests=tests, reference=rows_of(2)).tests
    beside = rows_of(2)[["a", "b"]].corr().iloc[0, 1]
    assert (result.lower, result.upper) == pytest.approx((beside - 0.2, beside + 0.2))


def test_a_correlation_has_no_automatic_condition():
    with pytest.raises(PlanError, match="correlation has no automatic condition"):
        make_plan((), SCHEMA, tests=["correlation"])


def test_an_unknown_method_is_refused():
    with pytest.raises(PlanError, match=r"metrics\.0\.correlation\.method: .*'pearson'"):
        make_plan([{"correlation": {"method": "pearsn"}}], SCHEMA)


def test_target_and_prediction_are_told_beside_each_feature_of_a_fitting_kind():
    found = Figures(told(rows_of(1), "target_correlation", "prediction_correlation"))
    theirs = rows_of(1)[["a", "b", "c", "said", "y"]].corr()
    for name in "abc":
        ours = [
            found.value(f"{part}_correlation", "", name, method="auto")
            for part in ("target", "prediction")
        ]
        assert ours == pytest.approx([theirs.loc["y", name], theirs.loc["said", name]])


def test_the_strongest_of_the_target_looks_at_the_target_only():
    """Evidently's looks at every feature's correlations as well."""
    frame = rows_of(1).assign(b=lambda f: f["a"])
    metrics = ("strongest_target_correlation", "strongest_prediction_correlation")
    found = Figures(told(frame, *metrics, "strongest_feature_correlation"))
    assert found.value("strongest_feature_correlation", method="pearson") == pytest.approx(1)
    theirs = frame[["a", "b", "c", "said", "y"]].corr().abs()
    for metric, name in zip(metrics, ("y", "said"), strict=True):
        most = theirs.loc[name, ["a", "b", "c"]].max()
        assert found.value(metric, method="auto") == pytest.approx(most)


def test_a_target_of_classes_is_compared_with_categories_and_with_what_the_probability_decides():
    names = ("target_correlation", "target_prediction_correlation", "prediction_correlation")
    frame = rows_of(1)
    snapshot = told(frame, *names, schema=CLASSES)
    assert {r.label for r in snapshot.metrics if r.metric == names[0]} == {"plan", "area"}
    decided = told(
        frame.assign(said=(frame["p"] >= 0.3).astype(str)),
        {"correlation": {"method": "cramer_v", "columns": ["late", "said"]}},
        schema=schema_of({"late": "categorical", "said": "categorical"}),
    )
    (expected,) = (row.value for row in pairs(decided).values())
    found = Figures(snapshot)
    assert found.value(names[1], method="auto") == pytest.approx(expected)
    assert found.value(names[2], "", "a", method="auto") == pytest.approx(
        frame["p"].corr(frame["a"])
    )


def test_of_many_classes_the_likeliest_stands_for_the_prediction():
    rng = np.random.default_rng(4)
    chances = {f"p_{x}": rng.random(80) for x in "nsw"}
    chances["p_n"][:3] = np.nan
    frame = rows_of(1).assign(**chances)
    likeliest = frame[list(chances)].dropna().idxmax(axis=1).str.removeprefix("p_")
    kinds = {"plan": "categorical", "area": "categorical"}
    model = schema_of(
        kinds | dict.fromkeys(chances, "numerical"), ("plan",), target="area", task="multiclass",
        probabilities={x: f"p_{x}" for x in "nsw"},
    )  # fmt: skip
    names = ("target_prediction_correlation", "prediction_correlation", "conflicting_predictions")
    found = Figures(told(frame, *names, schema=model))
    given = schema_of(kinds | {"said": "categorical"}, ("plan",), target="area", prediction="said")
    expected = Figures(told(frame.assign(said=likeliest), *names[:2], schema=given))
    assert found.value(names[0], method="auto") == expected.value(names[0], method="auto")
    by_plan = [f.value(names[1], "", "plan", method="auto") for f in (found, expected)]
    assert by_plan[0] == by_plan[1]
    assert found.value(names[2], compat=False) == 77
    (row,) = told(frame, {names[1]: {"method": "pearson"}}, schema=model).metrics
    assert row.error == "pearson needs one probability: the model has one for each class"


@pytest.mark.parametrize("name", ["target", "prediction"])
def test_without_a_target_or_prediction_the_reason_says_so(name):
    schema = schema_of({"a": "numerical", "b": "numerical"})
    with pytest.raises(PlanError, match=f"the model has no {name}: give columns.{name}"):
        make_plan([f"{name}_correlation"], schema)


def test_a_target_without_features_of_its_kind_has_a_reason():
    snapshot = told(rows_of(1), {"target_correlation": {"method": "cramer_v"}},
                    schema=schema_of({"a": "numerical", "late": "categorical"}, ("a",),
                                     target="late"))  # fmt: skip
    (row,) = snapshot.metrics
    assert row.error == "cramer_v needs categorical features: the model has none"


def test_figures_that_read_the_target_wait_for_it():
    for name in ("target_correlation", "strongest_target_correlation",
                 "target_prediction_correlation"):  # fmt: skip
        assert make_plan([name], SCHEMA).needs_target
    for name in ("correlation", "prediction_correlation", "strongest_correlation"):
        assert not make_plan([name], SCHEMA).needs_target


@pytest.mark.parametrize("method", ["pearson", "cramer_v"])
def test_changed_pairs_are_those_that_differ_by_more(method):
    now, then = rows_of(1), rows_of(7, 200)
    metrics = [{"changed_correlations": {"method": method, "by": by}} for by in (0.0, 0.05, 0.1)]
    snapshot = told(now, {"correlation": {"method": method}}, *metrics, reference=then)
    gaps = [abs(row.value - row.reference) for row in pairs(snapshot).values()]
    ours = [r.value for r in snapshot.metrics if r.metric == "changed_correlations"]
    assert ours == [sum(gap > by for gap in gaps) for by in (0.0, 0.05, 0.1)]
    assert ours[0] == len(gaps)


def test_changed_pairs_may_be_those_of_one_column():
    now, then = rows_of(1), rows_of(7)
    wanted = {"changed_correlations": {"by": 0.0, "of": "c"}}
    (row,) = told(now, wanted, reference=then).metrics
    assert row.value == 4
    with pytest.raises(PlanError, match=r"changed_correlations.of: 'sai' .*; did you mean 'said'"):
        make_plan([{"changed_correlations": {"of": "sai"}}], SCHEMA)
    with pytest.raises(PlanError, match=r"of: pearson does not read categorical .* 'plan'"):
        make_plan([{"changed_correlations": {"of": "plan"}}], SCHEMA)


def test_without_a_reference_nothing_has_changed_and_a_test_of_it_is_skipped():
    snapshot = told(rows_of(1), "changed_correlations", tests=["changed_correlations"])
    assert snapshot.metrics == ()
    assert [t.status for t in snapshot.tests] == ["skipped"]


def test_weaker_correlation_never_fails_where_less_is_better():
    frame = rows_of(1, 400)
    strong = frame.assign(b=frame["a"])
    tests = ["strongest_feature_correlation", "target_prediction_correlation"]
    weaker = told(frame, tests=tests, reference=strong).tests
    assert [t.status for t in weaker] == ["success", "success"]
    as_theirs = told(frame, tests=tests, reference=strong, automatic_tests="evidently").tests
    assert as_theirs[0].status == "fail"
    assert told(strong, tests=tests, reference=frame).tests[0].status == "fail"


def test_few_rows_are_no_reason_to_judge_how_columns_go_together():
    tests = ["strongest_correlation", "changed_correlations", "target_prediction_correlation",
             {"correlation": {"columns": ["a", "b"], "lt": 2}}, "conflicting_targets"]  # fmt: skip
    found = told(rows_of(1, 12), tests=tests, reference=rows_of(2)).tests
    assert {t.metric: t.status for t in found} == dict.fromkeys(
        ("strongest_correlation", "changed_correlations", "target_prediction_correlation",
         "correlation"), "skipped",
    ) | {"conflicting_targets": "success"}  # fmt: skip
    assert "12 rows, fewer than min_rows (30)" in {t.message for t in found}


@settings(max_examples=25)
@given(some_rows, st.sampled_from(sorted(TASKS)))
def test_whatever_the_rows_hold_correlations_are_bounded(rows, task):
    snapshot = everything_of(table(rows), None, task)
    numbers = sorted(name for name in TASKS[task].kinds if KINDS[name] == "numerical")
    found = pairs(snapshot)
    assert list(found) == list(combinations(numbers, 2))
    assert all(row.value is None or -1 <= row.value <= 1 for row in found.values())
    for row in snapshot.metrics:
        if row.metric.startswith("strongest_"):
            assert row.value is None or 0 <= row.value <= 1
