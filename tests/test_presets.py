"""Presets name what the catalogue has, and spell out to what they promise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from golden.evaluations import schema_of

from exporter.batch import Schema
from exporter.errors import PlanError
from exporter.metrics import CATALOGUE
from exporter.plan import Plan, make_plan
from exporter.presets import (
    METRICS,
    OF_PROBABILITIES,
    OF_TWO_CLASSES,
    REQUIRED,
    ROLES,
    TESTS,
)

PROMISED = {
    "metrics": {"data_summary", "data_quality", "data_drift", "target_drift", "regression",
                "classification", "ranking", "text"},
    "tests": {"data_stability", "data_quality", "data_drift", "no_target_performance",
              "regression", "binary_classification", "binary_classification_top_k",
              "multiclass_classification", "ranking"},
}  # fmt: skip
KINDS = {
    "age": "numerical", "income": "numerical", "plan": "categorical", "note": "text",
    "when": "datetime",
}  # fmt: skip
INPUTS = schema_of(KINDS)
BINARY = schema_of(
    KINDS | {"late": "categorical", "p": "numerical"}, ("age", "income", "plan"), target="late",
    probability="p", task="binary",
)  # fmt: skip
MANY = schema_of(
    KINDS | {"kind": "categorical", "p1": "numerical", "p2": "numerical"},
    ("age", "income", "plan"), target="kind", task="multiclass",
    probabilities={"1": "p1", "2": "p2"},
)  # fmt: skip
LABELS_ONLY = schema_of(
    KINDS | {"late": "categorical", "said": "categorical"}, ("age", "income", "plan"),
    target="late", prediction="said", task="binary",
)  # fmt: skip
REGRESSION = schema_of(
    KINDS | {"y": "numerical", "said": "numerical"}, (), target="y", prediction="said",
    task="regression",
)  # fmt: skip
RANKING = schema_of({"s": "numerical"}, (), prediction="s", user="u", item="i", task="ranking")


def columns_tested(plan: Plan) -> dict[str, set[str] | None]:
    """Metric to the columns that are named; None where all or none are."""
    found: dict[str, set[str] | None] = {}
    for check in plan.checks:
        named = None if check.columns is None else set(check.columns)
        found[check.spec.id] = (found.get(check.spec.id) or set()) | (named or set()) or None
    return found


def test_every_promised_preset_is_there():
    assert METRICS.keys() == PROMISED["metrics"]
    assert TESTS.keys() == PROMISED["tests"]


@pytest.mark.parametrize("presets", [METRICS, TESTS])
def test_every_part_is_a_metric_of_the_catalogue_with_options_that_fit(presets):
    for parts in presets.values():
        for part in parts:
            name, options = (part, {}) if isinstance(part, str) else next(iter(part.items()))
            given = {k: v for k, v in options.items() if k != "columns"}
            CATALOGUE[name].params(given)
            assert options.get("columns") in (None, *ROLES)


def test_every_test_of_a_preset_has_an_automatic_condition():
    for parts in TESTS.values():
        for part in parts:
            assert CATALOGUE[part if isinstance(part, str) else next(iter(part))].automatic


def test_metrics_that_want_a_probability_say_so_in_the_list():
    assert set(CATALOGUE) >= OF_PROBABILITIES


@pytest.mark.parametrize(("preset", "option"), REQUIRED.items())
def test_an_option_that_a_preset_needs_is_one_that_a_part_of_it_has(preset, option):
    parts = [part for part in TESTS[preset] if isinstance(part, str)]
    assert any(option in CATALOGUE[part].options for part in parts)
    with pytest.raises(PlanError, match=f"{preset} needs '{option}'"):
        make_plan((), BINARY, tests=[preset])


def test_what_only_two_classes_have_is_in_the_catalogue():
    assert set(CATALOGUE) >= OF_TWO_CLASSES


@pytest.mark.parametrize("name", METRICS)
def test_a_preset_of_metrics_makes_a_plan(name):
    plan = make_plan([name], {"regression": REGRESSION, "ranking": RANKING}.get(name, BINARY))
    assert plan.uses


def test_data_stability_tests_types_missing_values_ranges_lists_and_means():
    assert columns_tested(make_plan((), INPUTS, tests=["data_stability"])) == {
        "row_count": None, "column_count": None, "type_mismatches": None, "missing_ratio": None,
        "out_of_range_ratio": {"age", "income"}, "out_of_list_ratio": {"plan"},
        "mean_shift_sigmas": {"age", "income"},
    }  # fmt: skip


def test_data_quality_tests_missing_common_constant_and_repeated_values():
    assert columns_tested(make_plan((), INPUTS, tests=["data_quality"])).keys() == {
        "missing_ratio", "most_common_ratio", "constant_columns", "duplicated_columns",
        "duplicated_rows",
    }  # fmt: skip


def test_data_drift_of_metrics_reads_features_and_that_of_tests_the_target_as_well():
    (use,) = (u for u in make_plan(["data_drift"], BINARY).uses if u.spec.id == "column_drift")
    assert set(use.columns) == {"age", "income", "plan"}
    assert not make_plan(["data_drift"], BINARY).needs_target
    plan = make_plan((), BINARY, tests=["data_drift"])
    assert columns_tested(plan)["column_drift"] == {"age", "income", "plan", "late", "p"}
    assert plan.needs_target


def test_no_target_performance_reads_no_target():
    plan = make_plan((), BINARY, tests=["no_target_performance"])
    assert columns_tested(plan)["column_drift"] == {"p"}
    assert not plan.needs_target
    features = {c for u in plan.uses if u.spec.id == "column_drift" for c in u.columns}
    assert features == {"age", "income", "plan", "p"}  # their drift is counted


def test_target_drift_compares_target_and_prediction():
    plan = make_plan(["target_drift"], BINARY)
    assert {c for u in plan.uses for c in u.columns or ()} == {"late", "p"}


def correlated(schema: Schema) -> set[str]:
    """The correlations with features that `target_drift` brings along."""
    plan = make_plan(["target_drift"], schema)
    return {u.spec.id for u in plan.uses if u.spec.id.endswith("correlation")}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (BINARY, {"target_correlation", "prediction_correlation"}),
        (MANY, {"target_correlation", "prediction_correlation"}),  # by the classes decided for
        (replace(BINARY, target=None), {"prediction_correlation"}),
        (replace(LABELS_ONLY, prediction=None), {"target_correlation"}),
        (replace(BINARY, features=("age",)), {"prediction_correlation"}),
        (replace(MANY, features=("age",)), set()),
        (replace(BINARY, features=("plan", "note")), {"target_correlation"}),
        (replace(BINARY, kinds={}), {"target_correlation", "prediction_correlation"}),
        (INPUTS, set()),
    ],
)
def test_target_drift_correlates_target_and_prediction_with_features_of_their_kind(schema, wanted):
    assert correlated(schema) == wanted


def test_the_method_of_target_drift_is_that_of_drift_not_of_correlations():
    plan = make_plan([{"target_drift": {"method": "psi"}}], BINARY)
    told = {u.spec.id: u.params["method"] for u in plan.uses}
    assert told == {
        "column_drift": "psi", "target_correlation": "auto", "prediction_correlation": "auto",
    }  # fmt: skip


def test_classification_tells_the_balance_of_classes():
    (use,) = (
        u for u in make_plan(["classification"], BINARY).uses if u.spec.id == "category_ratio"
    )
    assert use.columns == ("late",)


def test_without_a_probability_presets_leave_out_what_needs_one():
    plan = make_plan(["classification"], LABELS_ONLY, tests=["binary_classification"])
    assert not {u.spec.id for u in plan.uses} & OF_PROBABILITIES
    assert not {c.spec.id for c in plan.checks} & OF_PROBABILITIES


def test_top_k_is_handed_to_the_decisions():
    plan = make_plan((), BINARY, tests=[{"binary_classification_top_k": {"top_k": 9}}])
    told = {c.spec.id: c.params for c in plan.checks}
    assert [told[x] for x in ("accuracy", "precision", "recall", "f1")] == [{"top_k": 9}] * 4
    assert told["roc_auc"] == told["log_loss"] == {}
    assert columns_tested(plan)["column_drift"] == {"late"}


def test_a_threshold_of_a_classifier_s_preset_is_that_of_its_decisions_not_of_drift():
    plan = make_plan((), BINARY, tests=[{"binary_classification": {"threshold": 0.8}}])
    told = {c.spec.id: c.params for c in plan.checks}
    assert told["precision"] == {"threshold": 0.8}
    assert told["column_drift"]["threshold"] is None
    by_drift = make_plan((), BINARY, tests=[{"data_drift": {"threshold": 0.8}}])
    assert {c.params.get("threshold") for c in by_drift.checks if c.spec.id == "column_drift"} == {
        0.8
    }


@pytest.mark.parametrize("tested", ["binary_classification", {"precision": {"gte": 0.5}}])
def test_beside_a_figure_at_another_threshold_a_test_without_options_means_the_plain_one(tested):
    other = {"precision": {"threshold": 0.8}}
    plan = make_plan([other, "classification"], BINARY, tests=[tested])
    assert [c.params for c in plan.checks if c.spec.id == "precision"] == [{}]
    alone = make_plan([other], BINARY, tests=[tested])
    assert [c.params for c in alone.checks if c.spec.id == "precision"] == [{"threshold": 0.8}]


def test_multiclass_classification_tests_each_class_and_the_whole():
    plan = make_plan((), MANY, tests=["multiclass_classification"])
    assert columns_tested(plan) == {
        "accuracy": None, "f1": None, "precision_by_label": None, "recall_by_label": None,
        "row_count": None, "column_drift": {"kind"}, "roc_auc": None, "log_loss": None,
    }  # fmt: skip


def test_of_more_than_two_classes_a_preset_leaves_out_what_only_two_have():
    ids = {u.spec.id for u in make_plan(["classification"], MANY).uses}
    assert not ids & OF_TWO_CLASSES
    assert {"roc_auc", "log_loss", "f1_by_label", "calibration"} <= ids


def test_regression_has_its_baselines_and_spreads():
    ids = {u.spec.id for u in make_plan(["regression"], REGRESSION).uses}
    assert {"error_std", "absolute_error_std", "baseline_mae", "baseline_rmse", "r2"} <= ids


def ranked(**parts: Any) -> Schema:
    roles = {"user": "who", "item": "what", "target": "clicked", "prediction": "score"}
    return schema_of(
        {"clicked": "numerical", "score": "numerical"}, task="ranking", **roles, **parts
    )


def test_a_ranking_looks_at_training_and_items_only_where_they_are_given():
    beside = {
        "train": {"average_popularity", "item_coverage", "novelty_at_k"},
        "items": {"diversity_at_k"},
        "both": {"serendipity_at_k", "item_bias"},
    }
    for known in [(), ("train",), ("items",), ("train", "items")]:
        found = {u.spec.id for u in make_plan(["ranking"], ranked(known=known)).uses}
        wanted = [*known, *(["both"] if len(known) == 2 else [])]
        assert found & set().union(*beside.values()) == set().union(*(beside[n] for n in wanted))


def test_a_ranking_by_places_has_no_scores_to_look_at():
    assert "score_entropy" in {u.spec.id for u in make_plan(["ranking"], ranked()).uses}
    by_rank = make_plan(["ranking"], ranked(ranked_by="rank"))
    assert "score_entropy" not in {u.spec.id for u in by_rank.uses}


def test_a_ranking_hands_its_options_to_the_parts_that_know_them():
    plan = make_plan(
        [{"ranking": {"k": 3}}], ranked(), tests=[{"ranking": {"k": 5, "min_relevance": 2}}]
    )
    assert {c.params["k"] for c in plan.checks} == {5}
    assert {c.params["min_relevance"] for c in plan.checks} == {2}
    assert {u.params.get("k", 3) for u in plan.uses} == {3, 5}


@pytest.mark.parametrize(
    ("metric", "parts", "text"),
    [
        ("novelty_at_k", {"known": ("items",)}, "needs the interactions of training"),
        ("diversity_at_k", {"known": ("train",)}, "needs features of the items"),
        ("score_entropy", {"ranked_by": "rank"}, "a ranking by rank has no scores"),
    ],
)
def test_a_figure_that_is_asked_for_and_cannot_be_had_is_a_mistake(metric, parts, text):
    with pytest.raises(PlanError, match=rf"metrics.0: {metric}: {text}"):
        make_plan([metric], ranked(**parts))


def test_only_figures_that_judge_a_ranking_need_its_target():
    assert make_plan(["ndcg_at_k"], ranked()).needs_target
    without = ["personalization_at_k", "item_gini", "score_entropy", "unranked_rows"]
    assert not make_plan(without, ranked()).needs_target
