"""What is wrong with what was asked for: every mistake, with its place."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from golden.evaluations import schema_of
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.batch import Schema
from exporter.checks import OPERATORS
from exporter.checks.conditions import NUMBER
from exporter.errors import PlanError, Problem
from exporter.metrics import CATALOGUE
from exporter.plan import Plan, make_plan
from exporter.presets import METRICS, ROLES, TESTS

KINDS = {
    "age": "numerical", "income": "numerical", "plan": "categorical", "city": "categorical",
    "note": "text", "when": "datetime",
}  # fmt: skip
SCHEMA = schema_of(
    KINDS | {"y": "numerical", "said": "numerical"}, ("age", "income", "plan", "city"), target="y",
    prediction="said", task="regression",
)  # fmt: skip
INPUTS = schema_of(KINDS)
UNKNOWN = Schema({}, ())  # columns are to be inferred


def plan_of(*metrics: Any, tests: Any = (), schema: Schema | None = SCHEMA, **options: Any) -> Plan:
    return make_plan(metrics, schema, tests=tests, **options)


def mistakes(
    metrics: Any = (), tests: Any = (), schema: Schema | None = SCHEMA, **options: Any
) -> list[Problem]:
    found: list[Problem] = []
    make_plan(metrics, schema, tests=tests, problems=found, **options)
    return found


def mistake(*metrics: Any, tests: Any = (), schema: Schema | None = SCHEMA) -> tuple[tuple, str]:
    (problem,) = mistakes(metrics, tests, schema)
    return problem.path, problem.text


@pytest.mark.parametrize(
    ("entry", "place", "text"),
    [
        ("meen", (0,), "there is no metric or preset 'meen'; did you mean 'mean'?"),
        ({"data_sumary": None}, (0, "data_sumary"), "there is no metric or preset 'data_sumary'; did you mean 'data_summary'?"),
        ("data_stability", (0,), "there is no metric or preset 'data_stability' among the metrics: it is a preset of tests"),
        (5, (0,), "expected a name, or one name with its options"),
        ({"mean": {}, "std": {}}, (0,), "expected a name, or one name with its options"),
        ({}, (0,), "expected a name, or one name with its options"),
        ({5: None}, (0, 5), "there is no metric or preset 5"),
        ({"mean": ["age"]}, (0, "mean"), "expected options, such as {columns: [age]}"),
        ({"mean": {5: 1}}, (0, "mean"), "expected options, such as {columns: [age]}"),
        ({"quantile": {"q": 1.5}}, (0, "quantile", "q"), "input should be less than or equal to 1"),
        ({"quantile": {"q": -0.5}}, (0, "quantile", "q"), "input should be greater than or equal to 0"),
        ({"in_range_count": {"left": 5, "right": 2}}, (0, "in_range_count", "left"), "a range from 5 to 2 holds nothing"),
        ({"in_range_count": {"right": float("nan")}}, (0, "in_range_count", "right"), "expected a finite number; a side that is left out is open"),
        ({"quantile": {"p": 0.5}}, (0, "quantile", "p"), "quantile has no option 'p'"),
        ({"quantile": {"q": "high"}}, (0, "quantile", "q"), "input should be a valid number, unable to parse string as a number"),
        ({"regexp_mismatch_count": None}, (0, "regexp_mismatch_count", "pattern"), "regexp_mismatch_count needs 'pattern'"),
        ({"regexp_mismatch_count": {"pattern": "("}}, (0, "regexp_mismatch_count", "pattern"), "not a regular expression to RE2: Invalid regular expression: missing ): ("),
        ({"mean": {"lte": 5}}, (0, "mean", "lte"), "'lte' belongs to a test: put the condition under `tests`"),
        ({"mean": {"columns": ["agee"]}}, (0, "mean", "columns", 0), "'agee' is not among the model's columns; did you mean 'age'?"),
        ({"mean": {"columns": "numeric"}}, (0, "mean", "columns"), f"expected a list of columns, or one of {', '.join(ROLES)}; did you mean 'numerical'?"),
        ({"mean": {"columns": 5}}, (0, "mean", "columns"), f"expected a list of columns, or one of {', '.join(ROLES)}"),
        ({"mean": {"columns": [5]}}, (0, "mean", "columns"), f"expected a list of columns, or one of {', '.join(ROLES)}"),
        ({"mean": {"columns": []}}, (0, "mean", "columns"), "the list of columns is empty"),
        ({"mean": {"columns": ["age", "plan"]}}, (0, "mean", "columns", 1), "mean does not read categorical columns such as 'plan'"),
        ({"row_count": {"columns": ["age"]}}, (0, "row_count", "columns"), "row_count is a figure of the whole batch and takes no columns"),
        ({"column_drift": {"method": "kss"}}, (0, "column_drift", "method"), "there is no drift method 'kss'; did you mean 'ks'?"),
        ({"column_drift": {"columns": ["age"], "method": ["ks"]}}, (0, "column_drift", "method"), "input should be a valid string"),
        ({"column_drift": {"threshold": 0}}, (0, "column_drift", "threshold"), "expected a distance above 0"),
        ({"column_drift": {"threshold": float("nan")}}, (0, "column_drift", "threshold"), "expected a distance above 0"),
        ({"column_drift": {"columns": ["age"], "method": "ks", "threshold": 1}}, (0, "column_drift", "threshold"), "expected a p-value between 0 and 1"),
        ({"column_drift": {"columns": ["plan"], "method": "wasserstein"}}, (0, "column_drift", "columns", 0), "wasserstein does not compare categorical columns such as 'plan'"),
        ({"data_drift": {"methd": "psi"}}, (0, "data_drift", "methd"), "no part of preset 'data_drift' has the option 'methd'; did you mean 'method'?"),
        ({"data_drift": {"critical": False}}, (0, "data_drift", "critical"), "no part of preset 'data_drift' has the option 'critical'"),
        ({"data_summary": {"columns": ["agee"]}}, (0, "data_summary", "columns", 0), "'agee' is not among the model's columns; did you mean 'age'?"),
    ],
)  # fmt: skip
def test_a_mistake_among_the_metrics_is_told_with_its_place(entry, place, text):
    at, said = mistake(entry)
    assert at == ("metrics", *place)
    assert said.startswith(text)


@pytest.mark.parametrize(
    ("entry", "place", "text"),
    [
        ("data_summary", (0,), "there is no metric or preset 'data_summary' among the tests: it is a preset of metrics"),
        ("error_std", (0,), "error_std has no automatic condition: say one of eq, not_eq, lt, lte, gt, gte, in, not_in, between; such as lte: {reference: true, relative: 0.1}"),
        ({"rmse": {"lessthan": 5}}, (0, "rmse", "lessthan"), "rmse has no option 'lessthan'"),
        ({"rmse": {"lt": "5"}}, (0, "rmse", "lt"), NUMBER),
        ({"rmse": {"lt": 1, "gt": 2}}, (0, "rmse"), "no figure can meet all of lt: 1, gt: 2"),
        ({"rmse": {"lt": 5, "critical": "no"}}, (0, "rmse", "critical"), "expected true or false"),
        ({"rmse": {"lt": 5, "name": ""}}, (0, "rmse", "name"), "expected a name"),
        ({"rmse": {"lt": 5, "name": 7}}, (0, "rmse", "name"), "expected a name"),
        ({"rmse": {"lt": 5, "label": "1"}}, (0, "rmse", "label"), "rmse has one figure, without labels"),
        ({"column_count": {"label": ["text"], "eq": 1}}, (0, "column_count", "label"), "expected a label, such as a class"),
        ({"column_drift": {"columns": ["age"], "lt": 0.5}}, (0, "column_drift"), "a condition on the score needs a `method`"),
        ({"column_drift": {"columns": ["age"], "method": "psi", "lt": {"reference": True}}}, (0, "column_drift", "lt"), "column_drift compares already"),
        ({"drifted_columns": {"lt": {"reference": True}}}, (0, "drifted_columns", "lt"), "drifted_columns compares already"),
        ({"new_categories": {"lte": {"reference": True}}}, (0, "new_categories", "lte"), "new_categories compares already"),
        ({"data_stability": {"lte": 5}}, (0, "data_stability", "lte"), "'lte' belongs to one test: add that test beside the preset"),
        ({"data_stability": {"name": "x"}}, (0, "data_stability", "name"), "'name' belongs to one test"),
        ({"data_stability": {"method": "psi"}}, (0, "data_stability", "method"), "no part of preset 'data_stability' has the option 'method'"),
        ({"regexp_mismatch_count": {"eq": 0}}, (0, "regexp_mismatch_count", "pattern"), "regexp_mismatch_count needs 'pattern'"),
    ],
)  # fmt: skip
def test_a_mistake_among_the_tests_is_told_with_its_place(entry, place, text):
    at, said = mistake(tests=[entry])
    assert at == ("tests", *place)
    assert said.startswith(text)


@pytest.mark.parametrize("entries", ["data_summary", {"mean": None}, 5, None])
def test_metrics_are_a_list(entries):
    (problem,) = mistakes(entries)
    assert (problem.path, problem.text) == (("metrics",), "expected a list")


def test_a_role_that_the_model_does_not_play_is_told():
    entry = {"column_drift": {"columns": "target"}}
    assert mistake(entry, schema=INPUTS) == (
        ("metrics", 0, "column_drift", "columns"), "the model has no target",
    )  # fmt: skip
    assert mistakes(["target_drift"], ["data_drift"], INPUTS) == []


def test_a_test_that_has_nothing_to_read_is_told_and_a_metric_only_has_no_figure():
    schema = schema_of({"plan": "categorical"})
    at, text = mistake(tests=["mean_shift_sigmas"], schema=schema)
    assert at == ("tests", 0)
    assert text.startswith("mean_shift_sigmas reads numerical columns")
    role = {"mean_shift_sigmas": {"columns": "numerical"}}
    assert mistake(tests=[role], schema=schema)[1] == text
    assert mistakes(["mean"], ["data_stability"], schema) == []


def test_every_mistake_is_told_at_once_and_each_only_once():
    found = mistakes(
        ["meen", {"data_summary": {"columns": ["agee"]}}], [{"rmse": {"lt": "x"}}, "rmsee"]
    )
    assert [p.path for p in found] == [
        ("metrics", 0),
        ("tests", 1),
        ("metrics", 1, "data_summary", "columns", 0),
        ("tests", 0, "rmse", "lt"),
    ]


def test_without_a_list_for_them_mistakes_raise_one_error_that_has_them_all():
    with pytest.raises(PlanError) as caught:
        plan_of("meen", tests=[{"rmse": {"lt": "x"}}])
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("metrics.0: there is no metric or preset 'meen'")
    assert lines[1].startswith("tests.0.rmse.lt: expected a number")


def test_paths_begin_where_the_entries_stand():
    (problem,) = mistakes(["meen"], at=("models", "m", "evaluations", "inputs"))
    assert problem.path == ("models", "m", "evaluations", "inputs", "metrics", 0)


def test_an_unknown_kind_of_automatic_tests_is_told():
    with pytest.raises(PlanError, match="automatic_tests: expected directional or evidently"):
        plan_of("mean", automatic_tests="strict")


@pytest.mark.parametrize("schema", [None, UNKNOWN])
def test_columns_that_are_not_known_yet_are_taken_as_they_are_named(schema):
    entries = [{"mean": {"columns": ["anything"]}}, {"std": {"columns": "numerical"}}, "data_drift"]
    tests = ["data_stability", {"missing_ratio": {"columns": ["anything"], "lte": 0.1}}]
    assert mistakes(entries, tests, schema) == []
    assert mistakes([{"mean": {"columns": "numeric"}}], (), schema) != []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["reference", "relative", "absolute", "x"]), inner, max_size=3
        )
    ),
    max_leaves=4,
)
OPTIONS = st.dictionaries(
    st.sampled_from(
        [*OPERATORS, "columns", "critical", "name", "label", "method", "threshold", "q", "values"]
    ),
    ANYTHING | st.lists(st.sampled_from(list(KINDS))),
    max_size=4,
)
NAMES = st.sampled_from([*CATALOGUE, *METRICS, *TESTS])
ENTRIES = st.lists(NAMES | st.dictionaries(NAMES, OPTIONS, min_size=1, max_size=1) | ANYTHING)


@settings(max_examples=300, deadline=None)
@given(ENTRIES, ENTRIES, st.sampled_from([SCHEMA, INPUTS, UNKNOWN, None]))
def test_whatever_is_asked_for_becomes_a_plan_or_mistakes_with_places(metrics, tests, schema):
    for problem in mistakes(metrics, tests, schema):
        assert problem.path[0] in ("metrics", "tests")
        assert problem.text


SCORED = schema_of(
    KINDS | {"late": "categorical", "p": "numerical"}, ("age",), target="late", probability="p",
    task="binary",
)  # fmt: skip
SAID = schema_of(
    KINDS | {"late": "categorical", "says": "categorical"}, ("age",), target="late",
    prediction="says", task="binary",
)  # fmt: skip
MANY = schema_of(
    KINDS | {"late": "categorical", "p1": "numerical", "p2": "numerical"}, ("age",),
    target="late", task="multiclass", probabilities={"1": "p1", "2": "p2"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "options", "key", "text"),
    [
        (SCORED, {"threshold": 0.5, "top_k": 3}, "threshold", "threshold and top_k exclude each other"),
        (SCORED, {"threshold": 1.5}, "threshold", "input should be less than or equal to 1"),
        (SCORED, {"top_k": 0}, "top_k", "input should be greater than or equal to 1"),
        (SAID, {"threshold": 0.5}, "threshold", "threshold needs columns.probability"),
        (MANY, {"top_k": 3}, "top_k", "top_k is for two classes: the model has more"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("metric", ["accuracy", "recall_by_label", "baseline_f1"])
def test_a_decision_that_cannot_be_made_is_refused(metric, schema, options, key, text):
    assert mistake({metric: options}, schema=schema) == (("metrics", 0, metric, key), text)


BINARY = schema_of(
    KINDS | {"y": "categorical"}, ("age",), target="y", prediction="y2", task="binary"
)
CLASSES = "is of models with task: binary or multiclass; this one "


@pytest.mark.parametrize("kind", ["metrics", "tests"])
@pytest.mark.parametrize(
    ("schema", "entry", "text"),
    [
        (INPUTS, "mae", "mae is of models with task: regression; this one has none"),
        (INPUTS, "regression", "regression is of models with task: regression; this one has none"),
        (SCHEMA, "accuracy", f"accuracy {CLASSES}is task: regression"),
        (SCHEMA, "TestAccuracyScore", f"accuracy {CLASSES}is task: regression"),
        (SCHEMA, "ranking", "ranking is of models with task: ranking; this one is task: regression"),
        (BINARY, "hit_rate_at_k", "hit_rate_at_k is of models with task: ranking; this one is task: binary"),
        (BINARY, "roc_auc", "roc_auc: needs columns.probability"),
        (BINARY, {"error_bias": {"label": "majority", "lt": 1}}, "error_bias is of models with task: regression; this one is task: binary"),
    ],
)  # fmt: skip
def test_a_figure_that_the_model_s_task_does_not_have_is_refused(kind, schema, entry, text):
    if kind == "metrics":
        entry = (
            {"TestAccuracyScore": "Accuracy"}.get(entry, entry)
            if isinstance(entry, str)
            else next(iter(entry))
        )
    assert [p.text for p in mistakes(**{kind: [entry]}, schema=schema)] == [text]


def test_a_figure_of_quality_is_refused_where_the_model_has_no_outcome():
    ranking = schema_of({"s": "numerical"}, (), prediction="s", user="u", task="ranking")
    assert mistake("precision_at_k", schema=ranking)[1] == "precision_at_k needs columns.item"
    blind = schema_of({"said": "numerical"}, (), prediction="said", task="regression")
    assert mistake("regression", schema=blind)[1] == "regression needs columns.target"
    assert mistakes(tests=["no_target_performance", "data_drift"], schema=blind) == []


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"method": "embedding_model"}, "method"),
        ({"method": "embedding_mmd", "pca_components": 2}, "pca_components"),
    ],
)
def test_what_needs_an_extra_that_is_not_installed_says_so(options, place, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    vectors = schema_of(KINDS, (), embeddings={"picture": ("v1", "v2")})
    at, text = mistake({"embeddings_drift": options}, schema=vectors)
    assert at == ("metrics", 0, "embeddings_drift", place)
    assert text.endswith("needs scikit-learn: pip install 'evaluation-exporter[text]'")


def test_rates_of_two_classes_are_refused_for_more_of_them():
    several = {c: f"p_{c}" for c in "abc"}
    many = schema_of(KINDS, ("age",), target="y", task="multiclass", probabilities=several)
    assert mistake("tpr", schema=many)[1] == "tpr: is for two classes: the model has more"
    assert mistakes(["classification"], ["multiclass_classification"], many) == []


def test_drift_of_the_target_is_warned_of_where_there_is_no_outcome():
    told: list[Problem] = []
    make_plan(["target_drift", "data_drift"], INPUTS, hints=told)
    text = "target_drift gives nothing: the model has neither target nor prediction"
    assert told == [Problem(("metrics", 0), text)]
