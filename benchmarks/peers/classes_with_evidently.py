"""Evidently's figures of a classifier of three classes and its like: run by an interpreter that has Evidently.

`classes_with_evidently.py FOLDER` reads classes_ref.csv and classes_cur.csv there and writes
classes.json beside them. With `--draw` it draws the two tables anew first, with numpy's generator
from seeds 11 and 12: three kinds of animals by their size, each with a probability, and a second,
binary target with a score, and a third that is a number with a guess.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import evidently
import numpy as np
import pandas as pd
from evidently.legacy.metrics import (
    ClassificationConfusionMatrix,
    ClassificationDummyMetric,
    ClassificationLiftTable,
    ClassificationPRTable,
    ClassificationQualityByClass,
    ClassificationQualityMetric,
    RegressionErrorBiasTable,
    RegressionQualityMetric,
    RegressionTopErrorMetric,
)
from evidently.legacy.pipeline.column_mapping import ColumnMapping
from evidently.legacy.report import Report
from evidently.legacy.test_preset import (
    BinaryClassificationTestPreset,
    BinaryClassificationTopKTestPreset,
    MulticlassClassificationTestPreset,
)
from evidently.legacy.test_suite import TestSuite

CLASSES = ["ant", "bee", "cat"]
OVERALL = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "tpr",
    "tnr",
    "fpr",
    "fnr",
    "roc_auc",
    "log_loss",
)
BY_LABEL = ("precision", "recall", "f1", "roc_auc")
FEATURES = {"numerical_features": ["size", "legs"], "categorical_features": []}
CLASSIFIES = {**FEATURES, "task": "classification"}
MULTICLASS = {
    **CLASSIFIES, "target": "kind", "prediction": CLASSES, "target_names": {c: c for c in CLASSES},
}  # fmt: skip
LABELS = {**MULTICLASS, "prediction": "said"}
BINARY = {**CLASSIFIES, "target": "late", "prediction": "score", "pos_label": 1}
REGRESSION = {
    **FEATURES, "categorical_features": ["kind"], "task": "regression", "target": "weight",
    "prediction": "guess",
}  # fmt: skip


def draw(rows: int, seed: int, shift: float) -> pd.DataFrame:
    """The table of one seed."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, rows, p=[0.5, 0.3, 0.2])
    size, legs = rng.normal(kind * 1.2 + shift, 1), rng.normal(0, 1, rows)
    logits = np.stack(
        [-((size - k * 1.2) ** 2) / 1.5 + rng.normal(0, 0.4, rows) for k in range(3)], 1
    )
    chances = np.exp(logits - logits.max(1, keepdims=True))
    chances = (chances / chances.sum(1, keepdims=True)).round(6)
    chances[:, 2] = (1 - chances[:, 0] - chances[:, 1]).round(6)
    table = pd.DataFrame(chances, columns=CLASSES)
    table.insert(0, "kind", np.array(CLASSES)[kind])
    table["said"] = np.array(CLASSES)[chances.argmax(1)]
    table["size"], table["legs"] = size.round(4), legs.round(4)
    table["late"] = (rng.random(rows) < 1 / (1 + np.exp(1 - size))).astype(int)
    table["score"] = (1 / (1 + np.exp(1 - size - rng.normal(0, 0.8, rows)))).round(6)
    table["weight"] = (3 * size + legs + 10).round(4)
    spread = rng.normal(0, 1, rows) * (1 + np.abs(legs))
    table["guess"] = (table["weight"] + spread).round(4)
    return table


class Evidently:
    """What it says of the two tables."""

    def __init__(self, folder: Path) -> None:
        self.reference, self.current = (
            pd.read_csv(folder / f"classes_{part}.csv") for part in ("ref", "cur")
        )

    def figures(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        told = {
            "evidently": evidently.__version__,
            "multiclass": self.quality(MULTICLASS),
            "labels": self.quality(LABELS),
            "binary": self.quality(BINARY),
            "threshold": self.quality(BINARY, probas_threshold=0.7),
            "top_k": self.quality(BINARY, k=50),
            "suites": self.suites(),
            "regression": self.regression(),
            "tables": self.tables(),
        }
        return {name: plain(part) for name, part in told.items()}

    def quality(self, mapping: dict[str, Any], **options: Any) -> dict[str, Any]:
        kinds = (
            ClassificationQualityMetric, ClassificationQualityByClass,
            ClassificationConfusionMatrix, ClassificationDummyMetric,
        )  # fmt: skip
        whole, by_class, cells, dummy = self.report([kind(**options) for kind in kinds], mapping)
        return {
            "current": attributes(whole.current, OVERALL),
            "reference": attributes(whole.reference, OVERALL),
            "by_label": by_label(by_class.current),
            "by_label_reference": by_label(by_class.reference),
            "labels": cells.current_matrix.labels,
            "confusion": cells.current_matrix.values,  # noqa: PD011  a record's field
            "dummy": attributes(dummy.dummy, OVERALL),
        }

    def suites(self) -> dict[str, Any]:
        presets: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
            "multiclass": (MulticlassClassificationTestPreset, {}, MULTICLASS),
            "labels": (MulticlassClassificationTestPreset, {}, LABELS),
            "top_k": (BinaryClassificationTopKTestPreset, {"k": 50}, BINARY),
            "threshold": (BinaryClassificationTestPreset, {"probas_threshold": 0.7}, BINARY),
        }
        told = {}
        for name, (preset, options, mapping) in presets.items():
            told[name] = self.suite(preset(**options), mapping, self.reference)
            told[f"{name}_noref"] = self.suite(preset(**options), mapping, None)
        return told

    def suite(
        self, preset: Any, mapping: dict[str, Any], reference: pd.DataFrame | None
    ) -> list[dict[str, Any]]:
        suite = TestSuite([preset])
        suite.run(
            reference_data=reference, current_data=self.current,
            column_mapping=ColumnMapping(**mapping),
        )  # fmt: skip
        parts = ("name", "status", "parameters")
        return [{key: test[key] for key in parts} for test in suite.as_dict()["tests"]]

    def regression(self) -> dict[str, Any]:
        asked = [RegressionErrorBiasTable(), RegressionQualityMetric(), RegressionTopErrorMetric()]
        bias, quality, top = self.report(asked, REGRESSION)
        normality = {name: quality.error_normality[name] for name in ("r", "slope", "intercept")}
        return {
            "bias": bias.error_bias,
            "groups": top.current.mean_err_per_group,
            "normality": normality,
        }

    def tables(self) -> dict[str, Any]:
        lift, pr = self.report([ClassificationLiftTable(), ClassificationPRTable()], BINARY)
        return {"lift": lift.current_lift_table[1], "pr": pr.current[1]}

    def report(self, asked: list[Any], mapping: dict[str, Any]) -> list[Any]:
        report = Report(asked, options={"render": {"raw_data": True}})
        report.run(
            reference_data=self.reference, current_data=self.current,
            column_mapping=ColumnMapping(**mapping),
        )  # fmt: skip
        return [metric.get_result() for metric in asked]


def attributes(record: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """A record's fields by name."""
    return {name: getattr(record, name) for name in names}


def by_label(record: Any) -> dict[str, Any]:
    """The figures of each class."""
    return {label: attributes(figures, BY_LABEL) for label, figures in record.metrics.items()}


def plain(value: Any) -> Any:
    """What JSON can hold: null for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def main(folder: Path, *, anew: bool) -> None:
    """Write classes.json."""
    if anew:
        draw(400, 11, 0).to_csv(folder / "classes_ref.csv", index=False)
        draw(250, 12, 0.3).to_csv(folder / "classes_cur.csv", index=False)
    text = json.dumps(Evidently(folder).figures(), indent=1)
    (folder / "classes.json").write_text(text + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), anew="--draw" in sys.argv)
