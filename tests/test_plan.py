"""What was asked for becomes a plan, or a list of mistakes with their places."""

from __future__ import annotations

from dataclasses import replace
from inspect import Parameter
from typing import Any

import pytest
from golden.evaluations import schema_of

from exporter.batch import Schema
from exporter.errors import Problem
from exporter.metrics import CATALOGUE
from exporter.plan import Plan, Use, make_plan

KINDS = {
    "age": "numerical", "income": "numerical", "plan": "categorical", "city": "categorical",
    "note": "text", "when": "datetime",
}  # fmt: skip
SCHEMA = schema_of(
    KINDS | {"y": "numerical", "said": "numerical"}, ("age", "income", "plan", "city"), target="y",
    prediction="said", task="regression", embeddings={"picture": ("v1", "v2"), "sound": ("w",)},
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


def uses(plan: Plan, metric: str) -> list[Use]:
    return [use for use in plan.uses if use.spec.id == metric]


def drift(plan: Plan) -> dict[str, tuple[str, float | None]]:
    return {
        column: (use.params["method"], use.params["threshold"])
        for use in uses(plan, "column_drift")
        for column in use.columns or ()
    }


def checks(plan: Plan, metric: str) -> list[tuple[str, Any, list[str], bool]]:
    """Name, columns, operators and criticality of each test of a metric."""
    return [
        (c.name, c.columns, [op for op, _ in c.conditions], c.critical)
        for c in plan.checks
        if c.spec.id == metric
    ]


# ---- columns


@pytest.mark.parametrize(
    ("role", "columns"),
    [
        ("features", ("age", "income", "plan", "city")),
        ("numerical", ("age", "income")),
        ("categorical", ("plan", "city")),
        ("text", ("note",)),
        ("target", ("y",)),
        ("prediction", ("said",)),
        ("all", None),
        (["city", "age", "city"], ("city", "age")),
    ],
)
def test_a_role_stands_for_its_columns(role, columns):
    (use,) = uses(plan_of({"missing_ratio": {"columns": role}}), "missing_ratio")
    assert use.columns == columns


def test_a_role_s_columns_are_those_that_the_metric_reads():
    (use,) = uses(plan_of({"mean": {"columns": "features"}}), "mean")
    assert use.columns == ("age", "income")


def test_drift_without_columns_is_that_of_the_features_and_all_are_those_that_compare():
    assert set(drift(plan_of("column_drift"))) == {"age", "income", "plan", "city"}
    everything = drift(plan_of({"column_drift": {"columns": "all"}}))
    assert set(everything) == {"age", "income", "plan", "city", "note", "y", "said"}


def test_texts_have_methods_of_their_own():
    plan = plan_of({"column_drift": {"columns": "all", "method": "psi"}})
    assert "note" not in drift(plan)
    plan = plan_of({"column_drift": {"columns": "all", "method": "abs_text_content_drift"}})
    assert drift(plan) == {"note": ("abs_text_content_drift", None)}
    where, text = mistake({"column_drift": {"columns": ["note"], "method": "psi"}})
    assert where == ("metrics", 0, "column_drift", "columns", 0)
    assert text == "psi does not compare text columns such as 'note'"


def test_a_text_among_the_features_is_left_to_auto_by_a_preset_s_method_for_others():
    texts = replace(SCHEMA, features=(*SCHEMA.features, "note"))
    plan = plan_of({"data_drift": {"method": "psi"}}, schema=texts)
    assert drift(plan)["note"] == ("auto", None)
    assert drift(plan)["age"] == ("psi", None)


def sets(plan: Plan) -> dict[str, str]:
    found = uses(plan, "embeddings_drift")
    return {name: use.params["method"] for use in found for name in use.columns or ()}


def test_each_set_of_embeddings_has_one_method():
    asked = {"embeddings_drift": {"columns": ["sound"], "method": "embedding_mmd"}}
    plan = plan_of("embeddings_drift", asked, tests=["embeddings_drift"])
    assert sets(plan) == {"picture": "embedding_model", "sound": "embedding_mmd"}
    assert [(c.columns, c.params["method"]) for c in plan.checks] == [
        (("picture",), "embedding_model"),
        (("sound",), "embedding_mmd"),
    ]
    others = {"embeddings_drift": {"columns": "all", "method": "embedding_ratio"}}
    assert sets(plan_of(others, asked))["sound"] == "embedding_mmd"
    other = {"embeddings_drift": {"columns": ["sound"], "method": "embedding_ratio"}}
    _, text = mistake(asked, other)
    assert text.startswith("set 'sound' has one drift method in an evaluation")


@pytest.mark.parametrize(
    ("options", "where", "text"),
    [
        ({"columns": ["sond"]}, ("columns", 0), "did you mean 'sound'?"),
        ({"columns": "features"}, ("columns",), "expected a list of sets of embeddings, or all"),
        ({"columns": []}, ("columns",), "expected a list of sets of embeddings, or all"),
        ({"method": "psi"}, ("method",), "embeddings_drift has no use for psi"),
        ({"method": "embedding_mdm"}, ("method",), "did you mean 'embedding_mmd'?"),
        ({"distance": "cosine"}, ("distance",), "embedding_model has no use for 'distance'"),
        ({"quantile": 1}, ("quantile",), "should be less than 1"),
        ({"pca_components": 0}, ("pca_components",), "should be greater than or equal to 1"),
        ({"threshold": 0}, ("threshold",), "expected a distance above 0"),
        (
            {"method": "embedding_ratio", "component_method": "chisquare"},
            ("component_method",),
            "there is no drift method 'chisquare' for numbers",
        ),
    ],
)
def test_impossible_options_of_embeddings_are_told(options, where, text):
    at, said = mistake({"embeddings_drift": options})
    assert at == ("metrics", 0, "embeddings_drift", *where)
    assert text in said


@pytest.mark.parametrize(
    ("options", "where", "text"),
    [
        ({"method": "embedding_mmd"}, "method", "column_drift has no use for embedding_mmd"),
        ({"method": "ks", "words": True}, "words", "ks has no use for 'words'"),
        (
            {"columns": "text", "method": "perc_text_content_drift", "threshold": 1},
            "threshold",
            "expected a quantile of chance between 0 and 1",
        ),
    ],
)
def test_impossible_options_of_texts_are_told(options, where, text):
    at, said = mistake({"column_drift": options})
    assert at == ("metrics", 0, "column_drift", where)
    assert text in said


def test_embeddings_that_the_model_does_not_have_are_told():
    at, text = mistake("embeddings_drift", schema=INPUTS)
    assert at == ("metrics", 0)
    assert text == "the model has no embeddings: name their columns under columns.embeddings"


def test_a_preset_s_columns_narrow_each_part_to_what_it_reads():
    plan = plan_of(tests=[{"data_stability": {"columns": ["age", "plan"]}}])
    assert checks(plan, "missing_ratio")[0][1] == ("age", "plan")
    assert checks(plan, "out_of_range_ratio")[0][1] == ("age",)
    assert checks(plan, "out_of_list_ratio")[0][1] == ("plan",)
    only = plan_of(tests=[{"data_stability": {"columns": "numerical"}}])
    assert checks(only, "missing_ratio")[0][1] == ("age", "income")
    assert checks(only, "out_of_list_ratio") == []


def test_a_preset_s_columns_do_not_touch_the_target():
    plan = plan_of(tests=[{"data_drift": {"columns": ["age"]}}])
    assert {c for _, columns, _, _ in checks(plan, "column_drift") for c in columns} == {
        "age", "y", "said",
    }  # fmt: skip


def test_all_columns_are_not_named_so_that_late_labels_are_not_waited_for():
    tests = ["data_stability", {"missing_ratio": {"columns": ["plan"], "lte": 0.1}}]
    plan = plan_of("data_summary", tests=tests)
    assert not plan.needs_target
    assert plan_of("rmse").needs_target
    assert plan_of({"mean": {"columns": ["y"]}}).needs_target


# ---- metrics


def test_one_metric_with_the_same_options_is_computed_once_a_column():
    plan = plan_of("mean", {"mean": {"columns": ["age"]}}, "data_summary")
    assert [use.columns for use in uses(plan, "mean")] == [None]
    two = plan_of({"mean": {"columns": ["age"]}}, {"mean": {"columns": ["income", "age"]}})
    assert [use.columns for use in uses(two, "mean")] == [("age", "income")]


def test_other_options_make_another_figure():
    plan = plan_of({"quantile": {"q": 0.9}}, {"quantile": {"q": 0.1}})
    assert [use.params for use in uses(plan, "quantile")] == [{"q": 0.9}, {"q": 0.1}]


def test_what_counts_drifted_columns_has_their_drift_computed():
    plan = plan_of("drifted_columns_ratio", {"column_drift": {"columns": ["y"], "method": "psi"}})
    assert drift(plan) == {
        "y": ("psi", None),
        **dict.fromkeys(("age", "income", "plan", "city"), ("auto", None)),
    }


# ---- one column, one drift method


def test_an_explicit_method_takes_its_column_out_of_a_preset_s():
    entry = {"column_drift": {"columns": ["age"], "method": "psi"}}
    for entries in (["data_drift", entry], [entry, "data_drift"]):
        assert drift(plan_of(*entries)) == {
            "age": ("psi", None),
            **dict.fromkeys(("income", "plan", "city"), ("auto", None)),
        }


def test_a_preset_s_options_are_heard_where_nothing_else_is_said():
    plan = plan_of(
        {"data_drift": {"method": "psi", "threshold": 0.2}},
        {"column_drift": {"columns": ["age"], "threshold": 0.5}},
        {"column_drift": {"columns": ["y"]}},
    )
    assert drift(plan)["age"] == ("auto", 0.5)
    assert drift(plan)["plan"] == ("psi", 0.2)
    assert drift(plan)["y"] == ("auto", None)


def test_a_drift_test_takes_the_method_of_its_evaluation():
    plan = plan_of(
        {"column_drift": {"columns": ["age"], "method": "psi", "threshold": 0.3}}, "data_drift",
        tests=["data_drift", {"column_drift": {"columns": ["age"], "critical": False}}],
    )  # fmt: skip
    by_column = {c: check for check in plan.checks for c in check.columns or ()}
    assert by_column["age"].params == {"method": "psi", "threshold": 0.3}
    assert not by_column["age"].critical
    assert by_column["income"].params["method"] == "auto"


def test_a_drift_test_s_own_method_is_computed():
    plan = plan_of("data_drift", tests=[{"column_drift": {"columns": ["age"], "method": "ks"}}])
    assert drift(plan)["age"] == ("ks", None)
    preset = plan_of("data_drift", tests=[{"data_drift": {"method": "psi"}}])
    assert set(drift(preset).values()) == {("psi", None)}


def test_two_methods_for_one_column_are_told():
    metric = {"column_drift": {"columns": ["age", "income"], "method": "psi"}}
    other = {"column_drift": {"columns": ["age"], "method": "ks", "threshold": 0.01}}
    at, text = mistake(metric, other)
    assert at == ("metrics", 1, "column_drift")
    assert text == (
        "column 'age' has one drift method in an evaluation: psi, or ks with threshold 0.01"
    )
    assert mistake(metric, tests=[other])[0] == ("tests", 0, "column_drift")


def test_a_condition_on_the_score_is_sure_with_a_method_or_a_threshold():
    metric = {"column_drift": {"columns": ["age"], "method": "psi"}}
    tests = [{"column_drift": {"columns": ["age"], "lt": 0.3}}]
    (check,) = plan_of(metric, tests=tests).checks
    assert check.params["method"] == "psi"
    fixed = [{"column_drift": {"columns": ["age"], "threshold": 0.1, "lt": 0.3}}]
    assert mistakes((), fixed) == []


# ---- tests


def test_what_a_test_reads_is_a_metric_of_the_evaluation():
    plan = plan_of(tests=[{"quantile": {"q": 0.9, "columns": ["age"], "lt": 90}}, "mean_error"])
    assert [(u.params, u.columns) for u in uses(plan, "quantile")] == [({"q": 0.9}, ("age",))]
    assert uses(plan, "mean_error")
    assert uses(plan, "error_std")  # in units of which it is limited


def test_a_guess_is_computed_only_for_those_who_have_no_reference():
    assert uses(plan_of(tests=["mae"]), "baseline_mae")
    assert not uses(plan_of(tests=["mae"], reference_expected=True), "baseline_mae")
    assert not uses(plan_of(tests=[{"mae": {"lt": 5}}]), "baseline_mae")
    assert plan_of(tests=["mae"], reference_expected=True).reference_expected


def test_a_test_without_options_takes_those_of_the_same_metric():
    ranged = {"out_of_range_ratio": {"columns": ["age"], "left": 0, "right": 120}}
    plan = plan_of(ranged, tests=["out_of_range_ratio"])
    own, rest = (c for c in plan.checks if c.spec.id == "out_of_range_ratio")
    assert (own.columns, own.params) == (("age",), {"left": 0, "right": 120})
    assert rest.params == {"left": None, "right": None}
    assert rest.reads("income")
    assert not rest.reads("age")


def test_a_test_of_a_metric_with_a_needed_option_takes_it_from_the_metric():
    pattern = {"regexp_mismatch_count": {"columns": ["city"], "pattern": "[A-Z]"}}
    (check,) = plan_of(pattern, tests=[{"regexp_mismatch_count": {"eq": 0}}]).checks
    assert (check.columns, check.params) == (("city",), {"pattern": "[A-Z]"})


def test_a_test_that_could_take_several_options_has_to_say_which():
    at, text = mistake("data_summary", tests=[{"quantile": {"columns": ["age"], "lt": 90}}])
    assert at == ("tests", 0, "quantile")
    assert text == (
        "quantile is computed with q: 0.25 and with q: 0.5 and with q: 0.75: say which this test means"
    )
    parted = [{"quantile": {"columns": [c], "q": q}} for c, q in (("age", 0.9), ("income", 0.1))]
    plan = plan_of(*parted, tests=[{"quantile": {"columns": ["age", "income"], "lt": 90}}])
    assert [(c.columns, c.params) for c in plan.checks] == [
        (("age",), {"q": 0.9}), (("income",), {"q": 0.1}),
    ]  # fmt: skip


def test_an_explicit_test_replaces_a_preset_s_on_the_same_figure():
    explicit = {"missing_ratio": {"columns": ["age"], "lte": 0.05, "critical": False}}
    for tests in (["data_stability", explicit], [explicit, "data_stability"]):
        plan = plan_of(tests=tests)
        mine = next(c for c in plan.checks if c.spec.id == "missing_ratio" and c.conditions)
        theirs = next(c for c in plan.checks if c.spec.id == "missing_ratio" and not c.conditions)
        assert mine.reads("age")
        assert not theirs.reads("age")
        assert theirs.reads("income")


def test_an_explicit_test_of_all_columns_or_of_the_batch_replaces_all_of_a_preset_s():
    tests = ["data_stability", {"missing_ratio": {"lte": 0.5}}, {"row_count": {"gt": 10}}]
    plan = plan_of(tests=tests)
    assert checks(plan, "missing_ratio") == [("missing_ratio", None, ["lte"], True)]
    assert checks(plan, "row_count") == [("row_count", None, ["gt"], True)]


def test_explicit_tests_of_every_column_leave_nothing_to_the_preset():
    each = [{"missing_ratio": {"columns": [c], "lte": 0.5}} for c in SCHEMA.kinds]
    plan = plan_of(tests=["data_stability", *each])
    assert all(ops == ["lte"] for _, _, ops, _ in checks(plan, "missing_ratio"))


def test_a_named_test_stands_beside_the_preset_s():
    named = {"missing_ratio": {"columns": ["age"], "lte": 0.5, "name": "age_gone"}}
    plan = plan_of(tests=["data_stability", named])
    assert [name for name, *_ in checks(plan, "missing_ratio")] == ["missing_ratio", "age_gone"]
    assert next(c for c in plan.checks if c.name == "missing_ratio").reads("age")


def test_two_explicit_tests_on_one_figure_need_names():
    first = {"missing_ratio": {"columns": ["age", "plan"], "lte": 0.5}}
    at, text = mistake(tests=[first, {"missing_ratio": {"columns": ["plan"], "lte": 0.2}}])
    assert at == ("tests", 1, "missing_ratio")
    assert text == "a second test of missing_ratio on 'plan' needs a `name` of its own"
    second = {"missing_ratio": {"columns": ["plan"], "lte": 0.2, "name": "strict"}}
    assert mistakes((), [first, second]) == []
    apart = {"missing_ratio": {"columns": ["city"], "lte": 0.2}}
    assert mistakes((), [first, apart]) == []
    assert mistake(tests=["missing_ratio", first])[0] == ("tests", 1, "missing_ratio")
    assert mistake(tests=["row_count", {"row_count": {"gt": 5}}])[1] == (
        "a second test of row_count needs a `name` of its own"
    )


def test_other_options_or_labels_are_another_figure():
    quantiles = [{"quantile": {"q": q, "columns": ["age"], "lt": 90}} for q in (0.5, 0.9)]
    assert mistakes((), quantiles) == []
    labels = [{"column_count": {"label": x, "eq": 2}} for x in ("numerical", "categorical")]
    assert mistakes((), labels) == []


def test_two_presets_share_the_tests_that_both_have():
    plan = plan_of(tests=["data_stability", {"data_quality": {"critical": False}}])
    assert checks(plan, "missing_ratio") == [("missing_ratio", None, [], True)]
    assert checks(plan, "constant_columns") == [("constant_columns", None, [], False)]


def test_two_presets_of_other_columns_test_both():
    plan = plan_of(
        tests=[{"data_quality": {"columns": ["age"]}}, {"data_stability": {"columns": "features"}}]
    )
    assert [columns for _, columns, _, _ in checks(plan, "missing_ratio")] == [
        ("age",), ("income", "plan", "city"),
    ]  # fmt: skip


@pytest.mark.parametrize(("label", "text"), [(1, "1"), (1.0, "1"), (True, "true"), ("a", "a")])
def test_a_label_is_written_as_labels_are(label, text):
    (check,) = plan_of(
        tests=[{"category_ratio": {"columns": ["plan"], "label": label, "gt": 0}}]
    ).checks
    assert check.label == text


# ---- what is done where nothing is said


def test_min_rows_are_thirty_and_none_under_evidently_unless_said():
    assert plan_of("mean").min_rows == 30
    assert plan_of("mean", automatic_tests="evidently").min_rows == 0
    assert plan_of("mean", automatic_tests="evidently", min_rows=5).min_rows == 5
    assert plan_of("mean", min_rows=0).min_rows == 0


def test_a_plan_profiles_what_it_reads():
    assert plan_of({"mean": {"columns": ["age"]}}).columns() == ["age"]
    assert set(plan_of("row_count").columns()) == set(SCHEMA.kinds)
    assert [u.spec.id for u in plan_of("mean", "row_count").for_dataset()] == ["row_count"]


def test_a_plan_is_made_of_everything_that_can_be_asked_for():
    wanting = {i for i, spec in CATALOGUE.items() if Parameter.empty in spec.options.values()}
    plan = plan_of(*(i for i in CATALOGUE if i not in wanting), schema=None)
    assert {use.spec.id for use in plan.uses} == CATALOGUE.keys() - wanting
