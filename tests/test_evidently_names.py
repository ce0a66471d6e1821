"""Evidently's names and options stand for entries of ours, with a hint at them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from config.samples import INPUTS, changed, mistakes, warnings
from golden.evaluations import schema_of

import exporter
from exporter.batch import Schema
from exporter.checks import Condition
from exporter.errors import PlanError, Problem
from exporter.evidently import (
    METRIC_PRESETS,
    METRICS_04,
    METRICS_07,
    TEST_PRESETS,
    TESTS,
    UNDER_METRICS,
    UNDER_TESTS,
    translate,
)
from exporter.evidently.guide import described, sections
from exporter.plan import Plan, make_plan

KINDS = {
    "age": "numerical", "income": "numerical", "plan": "categorical", "note": "text",
    "when": "datetime", "late": "categorical", "p": "numerical",
}  # fmt: skip
FEATURES = ("age", "income", "plan")
MODEL = schema_of(
    KINDS, FEATURES, target="late", probability="p", task="binary", embeddings={"words": ("e1",)}
)
RANKING = schema_of(
    {"s": "numerical", "clicked": "numerical"}, (), target="clicked", prediction="s", user="u",
    item="i", task="ranking",
)  # fmt: skip
REGRESSION = schema_of(
    {"y": "numerical", "said": "numerical"}, (), target="y", prediction="said", task="regression"
)
NEEDED = {  # what an entry cannot do without, in Evidently's words
    "regexp_mismatch_count": {"reg_exp": "[a-z]+"},
    "binary_classification_top_k": {"k": 10},
    "category_count": {"category": "basic"},
}
LARGER = {"lt": 1e9}  # a condition, for tests whose metric has no automatic one


def plan_of(kind: str, entries: list, model: Schema = MODEL) -> tuple[Plan, list[Problem]]:
    hints: list[Problem] = []
    given = {"metrics": (), "tests": (), kind: entries}
    return make_plan(given["metrics"], model, tests=given["tests"], hints=hints), hints


def asked(plan: Plan) -> set[tuple]:
    """What the plan computes and tests, as a set."""
    uses = {(u.spec.id, str(dict(u.params)), u.columns) for u in plan.uses}
    return uses | {
        (c.name, c.spec.id, str(dict(c.params)), c.columns, c.conditions, c.critical, c.label)
        for c in plan.checks
    }


def same(kind: str, theirs: object, ours: object | list, model: Schema = MODEL) -> None:
    """Both ask for the same; only the first is told of."""
    found, hints = plan_of(kind, [theirs], model)
    wanted, no_hints = plan_of(kind, ours if isinstance(ours, list) else [ours], model)
    assert asked(found) == asked(wanted)
    assert len(hints) == 1
    assert no_hints == []


# ---- the table


@pytest.mark.parametrize(
    ("kind", "name"),
    [("metrics", name) for name, alias in UNDER_METRICS.items() if not alias.instead]
    + [("tests", name) for name, alias in UNDER_TESTS.items() if not alias.instead],
)
def test_every_name_stands_for_entries_that_are_there(kind, name):
    found = translate(kind, name, {})
    ids = [entry.name for entry in found.entries]
    options = {k: v for needed in ids for k, v in NEEDED.get(needed, {}).items()}
    problems: list[Problem] = []
    given = {"metrics": (), "tests": (), kind: [{name: options}]}
    make_plan(given["metrics"], None, tests=given["tests"], problems=problems)
    unsaid = [p for p in problems if "no automatic condition" in p.text]
    if unsaid:  # of some figures nobody can say what is much: the user has to
        problems.clear()
        given[kind] = [{name: {**options, **LARGER}}]
        make_plan(given["metrics"], None, tests=given["tests"], problems=problems)
    assert problems == []


@pytest.mark.parametrize("name", [n for n, a in {**UNDER_METRICS, **UNDER_TESTS}.items() if a.instead])  # fmt: skip
def test_what_is_not_here_is_refused_with_what_to_use(name):
    kind = "metrics" if name in UNDER_METRICS else "tests"
    with pytest.raises(PlanError, match=f"Evidently's {name} is not here: ....."):
        plan_of(kind, [name])


def test_tables_of_both_versions_have_their_size():
    refused = sum(bool(alias.instead) for alias in METRICS_04.values())
    assert len(TESTS) >= 90
    assert len(TEST_PRESETS) == 9
    assert len(METRICS_04) - refused >= 40
    assert len(METRICS_07) >= 75
    assert len(METRIC_PRESETS) >= 12


@pytest.mark.parametrize("title", dict(sections()))
def test_every_line_of_the_guide_says_what_to_do(title):
    for name, alias in dict(sections())[title].items():
        _, ours, beside = described(name, alias)
        assert ours != "not here" or beside, (title, name)


# ---- options


@pytest.mark.parametrize(
    ("kind", "theirs", "ours"),
    [
        ("tests", "TestNumberOfRows", "row_count"),
        ("tests", {"TestNumberOfRows": {"gt": 5}}, {"row_count": {"gt": 5}}),
        ("tests", {"TestColumnValueMin": {"column_name": "age", "gte": 0, "is_critical": False}},
         {"min": {"columns": ["age"], "gte": 0, "critical": False}}),
        ("tests", {"TestColumnQuantile": {"column_name": "age", "quantile": 0.9, "lt": 70}},
         {"quantile": {"columns": ["age"], "q": 0.9, "lt": 70}}),
        ("tests", {"TestColumnRegExp": {"column_name": "plan", "reg_exp": "a.*", "eq": 0}},
         {"regexp_mismatch_count": {"columns": ["plan"], "pattern": "a.*", "eq": 0}}),
        ("tests", {"TestMeanInNSigmas": {"column_name": "age", "n_sigmas": 3}},
         {"mean_shift_sigmas": {"columns": ["age"], "between": [-3, 3]}}),
        ("tests", {"TestCategoryShare": {"column_name": "plan", "category": "a", "lt": 0.5}},
         {"category_ratio": {"columns": ["plan"], "categories": ["a"], "lt": 0.5}}),
        ("tests", {"TestNumberOfUniqueValues": {"column_name": "plan", "is_in": [2, 3]}},
         {"unique_count": {"columns": ["plan"], "in": [2, 3]}}),
        ("tests", {"TestValueRange": {"column_name": "age", "left": 0, "right": 9}},
         {"out_of_range_count": {"columns": ["age"], "left": 0, "right": 9}}),
        ("tests", {"TestPrecisionScore": {"probas_threshold": 0.8, "gt": 0.5}},
         {"precision": {"threshold": 0.8, "gt": 0.5}}),
        ("tests", {"TestRecallByClass": {"label": 1, "k": 20, "gt": 0.5}},
         {"recall_by_label": {"label": 1, "top_k": 20, "gt": 0.5}}),
        ("tests", {"TestColumnDrift": {"column_name": "age", "stattest": "psi", "stattest_threshold": 0.2}},
         {"column_drift": {"columns": ["age"], "method": "psi", "threshold": 0.2}}),
        ("tests", {"TestCorrelationChanges": {"corr_diff": 0.1, "column_name": "age"}},
         {"changed_correlations": {"by": 0.1, "of": "age"}}),
        ("tests", "TestColumnAllConstantValues", {"unique_count": {"gt": 1}}),
        ("tests", {"TestColumnAllConstantValues": {"gt": 5}}, {"unique_count": {"gt": 5}}),
        ("tests", {"TestNumberOfRows": {"eq": {"value": 300, "relative": 0.1}}},
         {"row_count": {"eq": {"value": 300, "relative": 0.1}}}),
        ("tests", {"MeanValue": {"column": "age", "lt": {"reference": True, "relative": 0.1}}},
         {"mean": {"columns": ["age"], "lt": {"reference": True, "relative": 0.1}}}),
        ("tests", {"MissingValueCount": {"column": "age", "eq": 0}},
         {"missing_count": {"columns": ["age"], "eq": 0}}),
        ("tests", "TestNumColumnsOutOfRangeValues", {"out_of_range_ratio": {"columns": "numerical"}}),
        ("tests", {"TestAllColumnsShareOfMissingValues": {"columns": ["age", "plan"]}},
         {"missing_ratio": {"columns": ["age", "plan"]}}),
        ("tests", {"TestCustomFeaturesValueDrift": {"features": ["age"]}},
         {"column_drift": {"columns": ["age"]}}),
        ("tests", {"DataStabilityTestPreset": {"columns": ["age"]}},
         {"data_stability": {"columns": ["age"]}}),
        ("tests", {"BinaryClassificationTopKTestPreset": {"k": 10}},
         {"binary_classification_top_k": {"top_k": 10}}),
        ("metrics", {"ValueDrift": {"column": "age", "method": "psi", "nbinsx": 10}},
         {"column_drift": {"columns": ["age"], "method": "psi"}}),
        ("metrics", {"CategoryCount": {"column": "plan", "categories": ["a", "b"]}},
         [{m: {"columns": ["plan"], "categories": ["a", "b"]}} for m in ("category_count", "category_ratio")]),
        ("metrics", {"ColumnMissingValuesMetric": {"column_name": "note"}},
         [{m: {"columns": ["note"]}} for m in ("missing_count", "missing_ratio", "missing_kinds", "missing_count_by_kind")]),
        ("metrics", {"ClassificationConfusionMatrix": {"k": 5}}, {"confusion": {"top_k": 5}}),
        ("metrics", {"ColumnCount": {"column_type": "num"}}, "column_count"),
        ("tests", {"ColumnCount": {"column_type": "num", "gt": 1}},
         {"column_count": {"label": "numerical", "gt": 1}}),
        ("metrics", {"DriftedColumnsCount": {"columns": ["age", "plan"], "method": "psi"}},
         {"data_drift": {"columns": ["age", "plan"], "method": "psi"}}),
        ("metrics", {"MinValue": {"column": "age"}}, {"min": {"columns": ["age"]}}),
        ("metrics", {"MaxValue": {"column": "when"}}, {"last": {"columns": ["when"]}}),
        ("metrics", {"ColumnCorrelations": {"column": "age"}},
         [{"correlation": {"columns": ["age"], "method": m}} for m in ("pearson", "spearman", "kendall")]),
        ("tests", {"TestAllFeaturesValueDrift": {"num_stattest": "ks", "per_column_stattest": {"age": "psi"}}},
         [{"column_drift": {"columns": "features"}}, {"column_drift": {"columns": "numerical", "method": "ks"}},
          {"column_drift": {"columns": ["age"], "method": "psi"}}]),
        ("metrics", {"ColumnCount": {}}, "column_count"),
        ("metrics", {"EmbeddingsDrift": {"embeddings_name": "words"}},
         {"embeddings_drift": {"columns": ["words"]}}),
    ],
)  # fmt: skip
def test_a_name_with_options_asks_for_what_ours_would(kind, theirs, ours):
    same(kind, theirs, ours)


def test_a_ranking_s_name_with_options_asks_for_what_ours_would():
    theirs = {"PrecisionTopK": {"k": 5, "min_rel_score": 3}}
    same("metrics", theirs, {"precision_at_k": {"k": 5, "min_relevance": 3}}, RANKING)


def test_words_for_columns_of_a_kind_are_roles():
    for theirs, ours in {"num": "numerical", "cat": "categorical", "all": "all"}.items():
        same(
            "tests",
            {"TestAllColumnsMostCommonValueShare": {"columns": theirs}},
            {"most_common_ratio": {"columns": ours}},
        )


def test_a_metric_of_many_figures_leaves_those_out_that_the_column_does_not_have():
    plan, _ = plan_of("metrics", [{"ColumnSummaryMetric": {"column_name": "plan"}}])
    ids = {use.spec.id for use in plan.uses}
    assert {"unique_count", "new_categories", "missing_ratio"} <= ids
    assert not ids & {"min", "max", "quantile", "first"}


def test_drift_methods_by_kind_and_by_column_stand_beside_the_preset():
    options = {"cat_stattest": "psi", "per_column_stattest": {"age": "ks"},
               "per_column_stattest_threshold": {"age": 0.01}}  # fmt: skip
    plan, _ = plan_of("metrics", [{"DataDriftPreset": options}])
    drift = {name: use.params for use in plan.uses if use.spec.id == "column_drift"
             for name in use.columns}  # fmt: skip
    assert drift["age"] == {"method": "ks", "threshold": 0.01}
    assert drift["income"]["method"] == "auto"
    assert drift["plan"]["method"] == "psi"


def test_a_test_preset_hears_a_column_s_method_before_its_kind_s():
    options = {"num_stattest": "ks", "per_column_stattest": {"age": "psi"}}
    plan, _ = plan_of("tests", [{"DataDriftTestPreset": options}])
    drift = {name: check.params["method"] for check in plan.checks for name in check.columns or ()}
    assert (drift["age"], drift["income"], drift["plan"]) == ("psi", "ks", "auto")


def test_the_share_of_drifted_columns_is_a_condition():
    plan, _ = plan_of("tests", [{"DataDriftTestPreset": {"drift_share": 0.6}}])
    (check,) = [c for c in plan.checks if c.spec.id == "drifted_columns_ratio"]
    assert check.conditions == (Condition("lt", (0.6,)),)
    with pytest.raises(PlanError, match=r"drifted_columns_ratio: {lt: 0\.5}"):
        plan_of("metrics", [{"DataDriftPreset": {"drift_share": 0.6}}])


def test_a_test_that_is_given_no_condition_keeps_ours():
    plan, _ = plan_of("tests", ["TestValueMeanError", "TestNumberOfRows"], REGRESSION)
    assert [check.conditions for check in plan.checks] == [(), ()]


@pytest.mark.parametrize(
    ("kind", "entry", "text"),
    [
        ("metrics", "TestNumberOfRows", "TestNumberOfRows is one of Evidently's tests"),
        ("tests", "ColumnSummaryMetric", "ColumnSummaryMetric is one of Evidently's metrics"),
        ("metrics", {"MinValue": {"column": "age", "tests": []}}, "'tests' is not said here"),
        ("metrics", {"MAE": {"mean_tests": []}}, "'mean_tests' is not said here: a test stands under"),
        ("metrics", {"Accuracy": {"classification_name": "x"}}, "each model has its own entry"),
        ("tests", {"TestColumnsType": {"columns_type": {}}}, "types are declared under `columns:`"),
        ("tests", {"TestNumberOfMissingValues": {"missing_values": []}}, "`missing_values` of the model"),
        ("tests", {"TestColumnValueMin": {"column_name": "agee"}}, "did you mean 'age'"),
        ("tests", {"TestColumnValueMin": {"colum_name": "age"}}, "min has no option 'colum_name'"),
        ("tests", {"TestNumberOfRows": {"column_name": "age"}}, "takes no columns"),
        ("tests", {"TestMeanInNSigmas": {"column_name": "age", "n_sigmas": "2"}}, "expected \\[lower"),
        ("tests", {"TestShareOfDriftedColumns": {"stattest": "psi"}}, "{data_drift: {columns: …, method: …}}"),
        ("tests", {"DriftedColumnsCount": {"num_method": "psi"}}, "stands under `metrics:`"),
        ("metrics", {"DatasetSummaryMetric": {"almost_constant_threshold": 0.9}}, "almost means 95 %"),
        ("tests", "TestNumberOfRow", "did you mean 'TestNumberOfRows'"),
        ("metrics", "DataDriftPresets", "did you mean 'DataDriftPreset'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_words_that_help(kind, entry, text):
    with pytest.raises(PlanError, match=text):
        plan_of(kind, [entry])


# ---- hints


@pytest.mark.parametrize(
    ("kind", "entry", "hint"),
    [
        ("tests", "TestNumberOfRows", "TestNumberOfRows is row_count here"),
        ("tests", {"TestColumnValueMin": {"column_name": "a b", "gte": 0}},
         "TestColumnValueMin is {min: {columns: [a b], gte: 0}} here"),
        ("tests", {"TestColumnValueMin": {"column_name": "true", "gte": 0}},
         'TestColumnValueMin is {min: {columns: ["true"], gte: 0}} here'),
        ("metrics", {"Precision": {"pr_curve": True}},
         "Precision is precision here; pr_curve only draws: it has no effect"),
        ("metrics", "DatasetStats",
         "DatasetStats is row_count, column_count, missing_cells, duplicated_rows, duplicated_columns, almost_duplicated_columns, almost_constant_columns, constant_columns, empty_rows, empty_columns here"),
    ],
)  # fmt: skip
def test_a_hint_says_what_to_write(kind, entry, hint):
    hints: list[Problem] = []
    given = {"metrics": (), "tests": (), kind: [entry]}
    make_plan(given["metrics"], None, tests=given["tests"], hints=hints)
    assert [h.text for h in hints] == [hint]


def test_validate_warns_with_line_and_column(tmp_path: Path) -> None:
    data = changed((*INPUTS, "tests"), [{"TestNumberOfRows": {"gt": 5}}])
    assert mistakes(tmp_path, data) == []
    (told,) = warnings(tmp_path, data)
    assert told.endswith("TestNumberOfRows is {row_count: {gt: 5}} here")
    assert told.split(":")[1].isdigit()


def test_a_wrong_option_is_told_with_the_place_of_the_entry(tmp_path: Path) -> None:
    data = changed((*INPUTS, "tests"), ["row_count", {"TestColumnValueMin": {"colum": "x"}}])
    (told,) = mistakes(tmp_path, data)
    assert "min has no option 'colum'" in told


def test_in_python_the_hint_is_a_warning_and_the_figures_are_under_our_names() -> None:
    frame = pd.DataFrame({"age": [1.0, 2.0, 3.0] * 20})
    with pytest.warns(UserWarning, match="TestColumnValueMin is {min: ") as told:
        snapshot = exporter.evaluate(
            frame, tests=[{"TestColumnValueMin": {"column_name": "age", "gte": 1}}]
        )
    assert told[0].filename == __file__
    assert [(t.test, t.metric, t.status) for t in snapshot.tests] == [("min", "min", "success")]


# ---- generators: a test covers the columns that `columns` chooses


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ("all", {"age", "income", "plan", "note", "when", "late", "p"}),
        ("features", {"age", "income", "plan", "note"}),
        ("numerical", {"age", "income"}),
        ("categorical", {"plan"}),
        ("text", {"note"}),
        (["note", "age"], {"note", "age"}),
    ],
)
def test_a_test_has_one_result_for_each_column_that_is_chosen(columns, chosen):
    frame = pd.DataFrame({
        "age": [float(i) for i in range(40)], "income": [i / 2 for i in range(40)],
        "plan": ["a", "b"] * 20, "note": [f"text {i}" for i in range(40)],
        "when": pd.date_range("2024-01-01", periods=40), "late": ["0", "1"] * 20,
        "p": [0.25, 0.75] * 20,
    })  # fmt: skip
    declared = {
        "numerical": ["age", "income"], "categorical": ["plan"], "text": ["note"],
        "datetime": ["when"], "target": "late", "probability": "p",
    }  # fmt: skip
    snapshot = exporter.evaluate(
        frame, tests=[{"missing_ratio": {"columns": columns, "eq": 0}}], columns=declared,
        task="binary",
    )  # fmt: skip
    assert {test.column for test in snapshot.tests} == chosen
    assert snapshot.passed
