"""Targets and predictions that are gone, of text, of one class: each figure of quality or its reason."""

from __future__ import annotations

from dataclasses import replace
from math import inf, log

import numpy as np
import pyarrow as pa
import pytest
from golden.evaluations import Figures, batch_of, evaluated, reference_of, schema_of
from metrics.outcomes import binary, many

from exporter import evaluation
from exporter.batch import Schema
from exporter.errors import BatchError
from exporter.plan import make_plan
from exporter.profile.merge import merge_outcomes
from exporter.profile.outcome import class_profile


def outcome_schema(task: str, **parts) -> Schema:
    kinds = {"y": "numerical" if task == "regression" else "categorical"}
    kinds |= {"said": kinds["y"], "p": "numerical"}
    return schema_of(kinds, (), target="y", task=task, **{"prediction": "said"} | parts)


def test_a_gone_target_is_named_by_every_figure_of_quality():
    rows = pa.table({"said": [1.0, 2.0], "p": [0.1, 0.2]})
    figures = Figures(evaluated(rows, None, outcome_schema("regression"), "mae", "rmse"))
    assert figures.row("mae").error == "column 'y': the batch has no such column"
    assert figures.row("rmse").error == "column 'y': the batch has no such column"


def test_a_target_of_text_is_named_with_what_it_holds():
    rows = pa.table({"y": ["a", "b"], "said": [1.0, 2.0], "p": [0.1, 0.2]})
    figures = Figures(evaluated(rows, None, outcome_schema("regression"), "mae"))
    assert figures.row("mae").error == "column 'y': holds text (string), not numbers"


def test_a_reference_whose_target_cannot_be_read_costs_only_what_it_would_have_told():
    now = pa.table({"y": [1.0, 2.0], "said": [1.0, 3.0], "p": [0.1, 0.2]})
    then = now.set_column(0, "y", pa.array(["a", "b"]))
    schema = outcome_schema("regression")
    plan = make_plan(["mae", {"mean": {"columns": ["said"]}}], schema, tests=["mae"], min_rows=0)
    reference = evaluation.ReferenceProfile(
        schema,
        reference_of(now, plan).columns,
        reference_of(now, plan).table,
        evaluation.outcome_of(batch_of(then), plan),
    )
    figures = Figures(evaluation.evaluate(batch_of(now), reference, plan))
    assert (figures.value("mae"), figures.row("mae").reference) == (0.5, None)
    assert figures.row("mean", "said").reference == 2
    (test,) = figures.snapshot.tests
    assert (test.status, test.message) == ("error", "the reference has no such figure")


def test_rows_without_a_label_count_as_rows_and_not_as_labelled():
    rows = pa.table({"y": [1.0, None, 3.0], "said": [1.0, 2.0, None], "p": [0.0, 0.0, 0.0]})
    snapshot = evaluated(rows, None, outcome_schema("regression"), "mae")
    assert (snapshot.rows, snapshot.labelled_rows) == (3, 1)
    assert snapshot.metrics[0].n == 1


def test_a_snapshot_knows_which_columns_are_the_outcome():
    rows = pa.table({"y": [1.0, 2.0], "said": [1.0, 2.0], "p": [0.1, 0.2]})
    snapshot = evaluated(rows, None, outcome_schema("regression"), "mae")
    assert snapshot.metadata == {"outcome": ["y", "said"]}

    featureless = schema_of({"p": "numerical"}, ("p",))
    assert evaluated(rows, None, featureless, "mean").metadata == {}


def test_an_infinite_error_is_left_out_of_the_errors():
    rows = pa.table({"y": [1.0, 2.0, 3.0], "said": [1.0, inf, 4.0], "p": [0.0, 0.0, 0.0]})
    figures = Figures(evaluated(rows, None, outcome_schema("regression"), "mae", "r2"))
    assert figures.value("mae") == 0.5


def test_a_batch_of_one_class_names_the_other_as_the_reference_does():
    schema = outcome_schema("binary", positive="yes", probability="p")
    both = pa.table({"y": ["yes", "nope"] * 5, "said": ["yes", "nope"] * 5, "p": [0.9, 0.1] * 5})
    one = pa.table({"y": ["yes"] * 4, "said": ["yes"] * 4, "p": [0.9] * 4})
    figures = Figures(evaluated(one, both, schema, "confusion", "roc_auc", "precision"))
    assert figures.value("confusion", "", "yes→yes") == 4
    assert figures.value("confusion", "", "nope→yes") == 0
    assert figures.row("confusion", "", "yes→yes").reference == 5
    assert figures.row("roc_auc").error == "only one class is there"
    assert figures.value("precision") == 1


@pytest.mark.parametrize(
    ("target", "positive"),
    [([1, 0, 1], "1"), ([1.0, 0.0, 1.0], "1"), ([True, False, True], "1"),
     ([True, False, True], "true"), ([1, 0, 1], "true"), (["1", "0", "1"], "1")],
)  # fmt: skip
def test_the_positive_class_is_found_however_it_is_written(target, positive):
    rows = pa.table({"y": target, "said": target, "p": [0.9, 0.1, 0.8]})
    figures = Figures(evaluated(rows, None, outcome_schema("binary", positive=positive), "recall",
                                "confusion"))  # fmt: skip
    assert figures.value("recall") == 1
    assert figures.value("confusion") == 3


def test_the_threshold_decides_where_there_is_only_a_probability():
    rows = pa.table({"y": [1, 0, 1, 0], "p": [0.9, 0.5, 0.2, None]})
    schema = outcome_schema("binary", prediction=None, probability="p", threshold=0.5)
    figures = Figures(evaluated(rows, None, schema, "confusion"))
    told = {r.label: r.value for r in figures.snapshot.metrics}
    assert told == {"": 3, "0→0": 0, "0→1": 1, "1→0": 1, "1→1": 1}


def test_scores_that_are_no_probabilities_have_no_log_loss_but_an_auc():
    rows = pa.table({"y": [1, 0, 1], "said": [1, 0, 1], "p": [7.0, -3.0, 5.0]})
    schema = outcome_schema("binary", probability="p")
    figures = Figures(evaluated(rows, None, schema, "log_loss", "roc_auc", "brier_score"))
    assert figures.row("log_loss").error == "scores from -3 to -3 are no probabilities"
    assert figures.value("roc_auc") == 1


PETS = ("ape", "bat", "cow")
MANY = schema_of(
    {"y": "categorical"} | {f"p_{pet}": "numerical" for pet in PETS}, (), target="y",
    task="multiclass", probabilities={pet: f"p_{pet}" for pet in PETS},
)  # fmt: skip


def pets(target: list, *chances: tuple) -> pa.Table:
    columns = zip(*chances, strict=True)
    return pa.table({"y": target} | {f"p_{n}": list(x) for n, x in zip(PETS, columns, strict=True)})


SURE = [(0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)]


def test_the_likeliest_class_is_the_prediction_and_of_equals_the_first():
    rows = pets(["ape", "bat", "cow", "cow"], *SURE, (0.2, 0.4, 0.4))
    figures = Figures(evaluated(rows, None, MANY, "accuracy", "confusion"))
    assert figures.value("accuracy") == 0.75
    assert figures.value("confusion", "", "cow→bat") == 1
    assert figures.snapshot.labelled_rows == 4


def test_a_prediction_column_goes_before_the_likeliest_class():
    rows = pets(["ape", "bat", "cow"], *SURE).append_column("said", pa.array(["bat"] * 3))
    figures = Figures(
        evaluated(rows, None, replace(MANY, prediction="said"), "accuracy", "roc_auc")
    )
    assert figures.value("accuracy") == pytest.approx(1 / 3)
    assert figures.value("roc_auc") == 1


def test_a_row_that_misses_a_probability_is_decided_by_none():
    rows = pets(["ape", "bat", "cow", "ape"], *SURE, (0.9, None, 0.1))
    figures = Figures(evaluated(rows, None, MANY, "confusion", "log_loss"))
    assert figures.value("confusion") == 3
    assert figures.value("log_loss") == pytest.approx(-log(0.8))


def test_a_class_that_the_batch_lacks_has_no_figure_and_its_test_says_so():
    reference = pets(["ape", "bat", "cow"] * 20, *SURE * 20)
    current = pets(["ape", "bat"] * 20, *SURE[:2] * 20)
    tests = ["recall_by_label", {"recall_by_label": {"label": "cow", "gt": 0.1, "name": "cows"}}]
    snapshot = evaluated(current, reference, MANY, "confusion", tests=tests)
    figures = Figures(snapshot)
    assert [(t.test, t.label, t.status) for t in snapshot.tests] == [
        ("recall_by_label", "ape", "success"), ("recall_by_label", "bat", "success"),
        ("cows", "cow", "error"),
    ]  # fmt: skip
    assert snapshot.tests[2].message == "there is no figure with label 'cow'"
    assert figures.row("confusion", "", "cow→cow").value == 0
    assert figures.row("confusion", "", "cow→cow").reference == 20


def test_a_class_that_nobody_foresaw_was_given_no_chance_and_is_told():
    reference = pets(["ape", "bat", "cow"] * 20, *SURE * 20)
    current = pets(["ape", "bat", "cow", "dog"] * 20, *[*SURE, SURE[0]] * 20)
    snapshot = evaluated(
        current, reference, MANY, "accuracy", "log_loss", "roc_auc_by_label",
        tests=["recall_by_label"],
    )  # fmt: skip
    figures = Figures(snapshot)
    assert figures.value("accuracy") == 0.75
    assert figures.value("recall_by_label", "", "dog") == 0
    assert figures.value("log_loss") > 9
    assert {r.label for r in snapshot.metrics if r.metric == "roc_auc_by_label"} == {*PETS}
    (dog,) = [t for t in snapshot.tests if t.label == "dog"]
    assert (dog.status, dog.message) == ("error", "the reference has no such figure")


def test_whole_numbers_and_their_text_are_one_class():
    schema = schema_of(
        {"y": "categorical", "said": "categorical"}, (), target="y", prediction="said",
        task="multiclass",
    )  # fmt: skip
    rows = pa.table({"y": [0, 1, 2], "said": ["0", "1", "1"]})
    assert Figures(evaluated(rows, None, schema, "accuracy")).value("accuracy") == pytest.approx(
        2 / 3
    )
    floats = pa.table({"y": [0.0, 1.0, 2.0], "said": [0, 1, 2]})
    assert Figures(evaluated(floats, None, schema, "accuracy")).value("accuracy") == 1


def test_a_target_of_too_many_values_is_refused_with_the_reason():
    schema = schema_of(
        {"y": "categorical", "said": "categorical"}, (), target="y", prediction="said",
        task="multiclass",
    )  # fmt: skip
    rows = pa.table({"y": [f"user {i}" for i in range(2000)], "said": ["a"] * 2000})
    error = Figures(evaluated(rows, None, schema, "accuracy")).row("accuracy").error
    assert error == "column 'y': 2001 classes, more than 1000: is it the column of the classes?"


def test_windows_that_have_too_many_classes_together_have_no_outcome():
    parts = [
        class_profile(tuple(f"{n} {i}" for i in range(600)), *[np.zeros(1, np.int32)] * 2, {})
        for n in (1, 2)
    ]
    assert merge_outcomes(parts) is None


def test_binary_and_more_classes_do_not_merge():
    parts = [binary([(1.0, 1.0, 0.5)]), many([("a", "a", 0.5, 0.3, 0.2)])]
    with pytest.raises(BatchError, match="some parts are of a binary classifier"):
        merge_outcomes(parts)


def test_a_gone_probability_is_named_by_every_figure():
    rows = pets(["ape", "bat", "cow"], *SURE).drop_columns(["p_bat"])
    figures = Figures(evaluated(rows, None, MANY, "accuracy"))
    assert figures.row("accuracy").error == "column 'p_bat': the batch has no such column"


def test_the_drift_of_a_prediction_is_that_of_every_class_s_probability():
    rows = pets(["ape", "bat", "cow"] * 20, *SURE * 20)
    snapshot = evaluated(rows, rows, MANY, "target_drift")
    assert {row.column for row in snapshot.drift} == {"y", "p_ape", "p_bat", "p_cow"}


def test_of_a_label_the_baseline_is_that_label_s():
    rows = pets(["ape"] * 30 + ["bat"] * 10 + ["cow"] * 10, *[SURE[0]] * 30, *[SURE[1]] * 20)
    snapshot = evaluated(rows, None, MANY, tests=["precision_by_label", "recall_by_label", "f1"])
    told = {(t.metric, t.label): (t.status, t.lower) for t in snapshot.tests}
    assert told["precision_by_label", "ape"] == ("success", 0.6)
    assert told["precision_by_label", "bat"] == ("success", 0.2)
    assert told["recall_by_label", "cow"] == ("fail", 0.2)
    assert told["f1", ""] == ("success", pytest.approx(1 / 3))


def test_a_test_at_a_threshold_is_judged_by_the_baseline_at_that_threshold():
    rows = pa.table({"y": [1, 0] * 40, "p": [0.9, 0.2] * 40})
    schema = outcome_schema("binary", prediction=None, probability="p")
    tests = ["recall", {"recall": {"threshold": 0.95, "name": "strict"}}]
    snapshot = evaluated(rows, None, schema, "recall", tests=tests)
    assert [(t.test, t.status, t.lower) for t in snapshot.tests] == [
        ("recall", "success", 0.5), ("strict", "fail", pytest.approx(0.05)),
    ]  # fmt: skip


def test_figures_without_thresholds_have_no_options_in_their_key():
    rows = pa.table({"y": [1, 0] * 4, "p": [0.9, 0.2] * 4})
    schema = outcome_schema("binary", prediction=None, probability="p")
    snapshot = evaluated(
        rows, None, schema, "accuracy", {"accuracy": {"threshold": 0.3}}, {"accuracy": {"top_k": 2}}
    )
    assert [row.params for row in snapshot.metrics] == [{}, {"threshold": 0.3}, {"top_k": 2}]
