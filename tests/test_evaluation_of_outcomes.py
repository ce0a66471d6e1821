"""Targets and predictions that are gone, of text, of one class: each figure of quality or its reason."""

from __future__ import annotations

from math import inf

import pyarrow as pa
import pytest
from golden.evaluations import Figures, batch_of, evaluated, reference_of, schema_of

from exporter import evaluation
from exporter.batch import Schema
from exporter.plan import make_plan


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


def test_a_classifier_without_probability_says_what_is_missing():
    rows = pa.table({"y": [1, 0], "said": [1, 1], "p": [0.5, 0.5]})
    figures = Figures(evaluated(rows, None, outcome_schema("binary"), "roc_auc", "accuracy"))
    assert figures.row("roc_auc").error == "needs a probability among the model's columns"
    assert figures.value("accuracy") == 0.5
