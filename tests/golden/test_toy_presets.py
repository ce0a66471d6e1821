"""Evidently's presets on a toy table: summary, drift, regression, classification with and without reference."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import HERE, Figures, evaluated, golden, near, near_p, schema_of

NUMBERS = ("age", "income")
CATEGORIES = ("plan", "active")
INPUTS = schema_of(dict.fromkeys(NUMBERS, "numerical") | dict.fromkeys(CATEGORIES, "categorical"))
FIGURES = {
    "Accuracy": "accuracy", "Precision": "precision", "Recall": "recall", "F1Score": "f1",
    "TPR": "tpr", "TNR": "tnr", "FPR": "fpr", "FNR": "fnr", "RocAuc": "roc_auc",
    "LogLoss": "log_loss", "RMSE": "rmse", "R2Score": "r2", "AbsMaxError": "max_absolute_error",
}  # fmt: skip
COLUMN_FIGURES = {"MinValue": "min", "MaxValue": "max", "MeanValue": "mean", "StdValue": "std"}


@cache
def table(part: str) -> pa.Table:
    frame = pd.read_csv(HERE / "presets" / "suites" / f"toy_{part}.csv")
    return pa.Table.from_pandas(frame, preserve_index=False)


def told(name: str) -> list[tuple[dict[str, Any], Any]]:
    """The metrics of a golden preset: their config, with the type's last part as `type`, and value."""
    out = []
    for metric in golden(f"presets/suites/{name}.json")["metrics"]:
        config = metric["config"] | {"type": metric["config"]["type"].split(":")[-1]}
        out.append((config, metric["value"]))
    return out


def test_the_summary_of_each_column_is_theirs():
    figures = Figures(
        evaluated(table("cur"), table("ref"), INPUTS, *COLUMN_FIGURES.values(), "missing_count",
                  "quantile", {"quantile": {"q": 0.25}}, {"quantile": {"q": 0.75}})
    )  # fmt: skip
    seen = 0
    for config, value in told("summary07"):
        column, kind = config.get("column"), config["type"]
        if kind in COLUMN_FIGURES:
            assert near(figures.value(COLUMN_FIGURES[kind], column), value)
        elif kind == "QuantileValue":
            assert near(figures.value("quantile", column, q=config["quantile"]), value)
        elif kind == "MissingValueCount":
            assert figures.value("missing_count", column) == value["count"]
        else:
            continue
        seen += 1
    assert seen >= 18


def test_drift_is_theirs_below_a_thousand_rows_of_reference():
    figures = Figures(evaluated(table("cur"), table("ref"), INPUTS, "data_drift",
                                automatic_tests="evidently"))  # fmt: skip
    scores = {c["column"]: v for c, v in told("drift07") if c["type"] == "ValueDrift"}
    assert {d.method for d in figures.drift.values()} == {"ks", "chisquare", "z"}
    for column, score in scores.items():
        assert near_p(figures.drift[column].score, score), column


@pytest.mark.parametrize("name", ["reg07", "reg07_noref"])
def test_a_regression_is_judged_as_they_judge_it(name):
    schema = schema_of({"y": "numerical", "y_pred": "numerical"}, (), target="y",
                       prediction="y_pred", task="regression")  # fmt: skip
    reference = None if "noref" in name else table("ref")
    figures = Figures(
        evaluated(table("cur"), reference, schema, "rmse", "r2", "max_absolute_error", "mae",
                  "mean_error", "error_std", "absolute_error_std", "mape")
    )  # fmt: skip
    values = {c["type"]: v for c, v in told(name)}
    for kind in ("RMSE", "R2Score", "AbsMaxError"):
        assert near(figures.value(FIGURES[kind]), values[kind])
    assert near(figures.value("mae"), values["MAE"]["mean"])
    assert near(figures.value("absolute_error_std"), values["MAE"]["std"])
    assert near(figures.value("mean_error"), values["MeanError"]["mean"])
    assert near(figures.value("error_std"), values["MeanError"]["std"])
    assert near(figures.value("mape"), values["MAPE"]["mean"])  # every target is positive here


@pytest.mark.parametrize("name", ["class07", "class07_noref", "class07_proba"])
def test_a_classification_is_judged_as_they_judge_it(name):
    probability = "proba" if name.endswith("proba") else None
    kinds = {"target": "categorical", "prediction": "categorical", "proba": "numerical"}
    schema = schema_of(kinds, (), target="target", task="binary", probability=probability,
                       prediction=None if probability else "prediction")  # fmt: skip
    values = {c["type"]: v for c, v in told(name) if c["type"] in FIGURES}
    figures = Figures(evaluated(table("cur"), None, schema, *map(FIGURES.get, values)))
    assert len(values) >= 8
    for kind, value in values.items():
        assert near(figures.value(FIGURES[kind]), value), kind


def test_a_regression_s_baselines_are_their_dummies():
    schema = schema_of({"y": "numerical", "y_pred": "numerical"}, (), target="y",
                       prediction="y_pred", task="regression")  # fmt: skip
    figures = Figures(
        evaluated(table("cur"), None, schema, "baseline_mae", "baseline_rmse", "baseline_mape",
                  "baseline_max_absolute_error")
    )  # fmt: skip
    theirs = {m["metric"]: m["result"] for m in golden("presets/suites/leg_reg.json")["metrics"]}
    dummies = theirs["RegressionQualityMetric"]
    assert near(figures.value("baseline_mae"), dummies["mean_abs_error_default"])
    assert near(figures.value("baseline_rmse"), dummies["rmse_default"])
    assert near(figures.value("baseline_mape"), dummies["mean_abs_perc_error_default"])
    assert near(figures.value("baseline_max_absolute_error"), dummies["abs_error_max_default"])


def test_each_class_and_the_confusion_matrix_are_theirs():
    kinds = {"target": "categorical", "prediction": "categorical"}
    schema = schema_of(kinds, (), target="target", prediction="prediction", task="binary")
    names = ("precision_by_label", "recall_by_label", "f1_by_label", "confusion")
    figures = Figures(evaluated(table("cur"), table("ref"), schema, *names))
    theirs = {m["metric"]: m["result"] for m in golden("presets/suites/leg_class.json")["metrics"]}
    for part, side in (("current", "value"), ("reference", "reference")):
        by_class = theirs["ClassificationQualityByClass"][part]["metrics"]
        for label in ("0", "1"):
            for name in ("precision", "recall", "f1"):
                ours = getattr(figures.row(f"{name}_by_label", "", label), side)
                assert near(ours, by_class[label][name]), (part, label, name)
        cells = theirs["ClassificationConfusionMatrix"][f"{part}_matrix"]["values"]
        for i in (0, 1):
            for j in (0, 1):
                assert getattr(figures.row("confusion", "", f"{i}→{j}"), side) == cells[i][j]
