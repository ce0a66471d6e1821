"""Which columns are compared, and whose options are heard."""

from __future__ import annotations

from typing import Any

import pytest
from golden.evaluations import schema_of

from exporter.errors import PlanError
from exporter.plan import Plan, make_plan

KINDS = {"age": "numerical", "income": "numerical", "plan": "categorical", "note": "text"}
SCHEMA = schema_of(KINDS, tuple(KINDS))
BY_KIND = {"column_drift": {"columns": "numerical", "method": "ks"}}
BY_NAME = {"column_drift": {"columns": ["age"], "method": "psi", "threshold": 0.3}}
OF_ALL = {"column_drift": {"method": "jensenshannon"}}


def compared(metrics: Any = (), tests: Any = ()) -> dict[str, str]:
    return methods(make_plan(metrics, SCHEMA, tests=tests))


def methods(plan: Plan) -> dict[str, str]:
    return {
        name: use.params["method"]
        for use in plan.uses
        if use.spec.id == "column_drift"
        for name in use.columns or ()
    }


@pytest.mark.parametrize("under", ["metrics", "tests"])
@pytest.mark.parametrize("order", [[OF_ALL, BY_KIND, BY_NAME], [BY_NAME, BY_KIND, OF_ALL]])
def test_a_column_s_own_method_is_heard_before_its_kind_s_and_that_before_all_s(under, order):
    found = compared(**{under: order})
    assert found == {"age": "psi", "income": "ks", "plan": "jensenshannon"}


def test_methods_of_a_kind_are_heard_before_a_preset_s_for_all():
    found = compared([{"data_drift": {"method": "psi"}}, BY_KIND])
    assert found == {"age": "ks", "income": "ks", "plan": "psi", "note": "auto"}


def test_a_preset_s_narrower_columns_are_heard_before_another_one_s_for_all():
    narrow = {"data_drift": {"columns": "numerical", "method": "ks"}}
    found = compared([{"data_drift": {"method": "psi"}}, narrow])
    assert found == {"age": "ks", "income": "ks", "plan": "psi", "note": "auto"}


def test_tests_that_give_methods_and_ask_the_same_are_one_on_each_column():
    plan = make_plan([], SCHEMA, tests=[BY_KIND, BY_NAME])
    assert sorted(name for check in plan.checks for name in check.columns) == ["age", "income"]


def test_tests_of_a_column_s_drift_that_ask_different_things_need_names():
    softer = {"column_drift": {**BY_NAME["column_drift"], "critical": False}}
    with pytest.raises(PlanError, match="a second test of column_drift on 'age' needs a `name`"):
        make_plan([], SCHEMA, tests=[BY_KIND, softer])


def test_two_methods_for_one_listed_column_are_refused():
    other = {"column_drift": {"columns": ["age", "income"], "method": "ks"}}
    with pytest.raises(PlanError, match="'age' has one drift method in an evaluation"):
        compared([BY_NAME, other])


@pytest.mark.parametrize("under", ["metrics", "tests"])
def test_a_preset_that_is_given_columns_compares_and_counts_no_others(under):
    assert compared(**{under: [{"data_drift": {"columns": ["age", "plan"]}}]}).keys() == {
        "age",
        "plan",
    }


def test_a_test_of_the_share_counts_the_columns_that_the_metrics_compare():
    wanted = [{"data_drift": {"columns": ["age"]}}]
    assert compared(wanted, ["drifted_columns_ratio"]).keys() == {"age"}


def test_without_columns_all_features_are_compared_and_counted():
    for tests in (["drifted_columns_ratio"], [{"no_target_performance": {"columns": ["age"]}}]):
        assert compared(tests=tests).keys() == KINDS.keys()


def test_a_preset_s_method_for_others_leaves_texts_to_auto_in_tests_as_well():
    options = {"columns": ["age", "note"], "method": "psi", "critical": False}
    plan = make_plan([], SCHEMA, tests=[{"data_drift": options}])
    assert methods(plan) == {"age": "psi", "note": "auto"}
    drift = [check for check in plan.checks if check.spec.id == "column_drift"]
    assert {check.columns: check.critical for check in drift} == {
        ("age",): False, ("note",): False,
    }  # fmt: skip
