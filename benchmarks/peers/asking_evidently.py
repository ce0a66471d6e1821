"""Evidently's answers: run by an interpreter that has it.

`asking_evidently.py FOLDER` reads the cases there, NAME.json with NAME.reference.pkl and
NAME.current.pkl beside it, and writes NAME.answers.json: for each question a list of results, or
why there is none.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import evidently
import evidently.descriptors as descriptors_07
import evidently.legacy.metrics as metrics_04
import evidently.legacy.metrics.data_drift.embedding_drift_methods as of_embeddings
import evidently.legacy.test_preset as presets_04
import evidently.legacy.tests as tests_04
import evidently.metrics as metrics_07
import pandas as pd
from evidently import (
    BinaryClassification,
    DataDefinition,
    Dataset,
    MulticlassClassification,
    Recsys,
    Regression,
    Report,
)
from evidently.legacy.pipeline.column_mapping import ColumnMapping
from evidently.legacy.report import Report as OldReport
from evidently.legacy.test_suite import TestSuite
from evidently.legacy.tests.utils import approx

Result = dict[str, Any]
OF_SCORES = ("TestColumnDrift", "TestEmbeddingsDrift")  # whose figure is called a score
OF_WORDS = ("WordMatch", "WordNoMatch", "IncludesWords", "ExcludesWords", "TriggerWordsPresent")
OF_LETTERS = ("NonLetterCharacterPercentage",)
PARTS_04 = {  # of metrics with many figures: ours, and where each stands in its result
    "DatasetSummaryMetric": {
        "row_count": "current.number_of_rows", "column_count": "current.number_of_columns",
        "missing_cells": "current.number_of_missing_values",
        "duplicated_rows": "current.number_of_duplicated_rows",
        "duplicated_columns": "current.number_of_duplicated_columns",
        "almost_duplicated_columns": "current.number_of_almost_duplicated_columns",
        "almost_constant_columns": "current.number_of_almost_constant_columns",
        "constant_columns": "current.number_of_constant_columns",
        "empty_rows": "current.number_of_empty_rows",
        "empty_columns": "current.number_of_empty_columns",
    },
    "DatasetMissingValuesMetric": {
        "missing_cells": "current.number_of_missing_values",
        "missing_cells_ratio": "current.share_of_missing_values",
        "rows_with_missing": "current.number_of_rows_with_missing_values",
        "rows_with_missing_ratio": "current.share_of_rows_with_missing_values",
        "columns_with_missing": "current.number_of_columns_with_missing_values",
        "columns_with_missing_ratio": "current.share_of_columns_with_missing_values",
        "missing_cell_kinds": "current.number_of_different_missing_values",
    },
    "RegressionQualityMetric": {
        "mean_error": "current.mean_error", "mae": "current.mean_abs_error",
        "mape": "current.mean_abs_perc_error", "rmse": "current.rmse", "r2": "current.r2_score",
        "max_absolute_error": "current.abs_error_max", "error_std": "current.error_std",
        "absolute_error_std": "current.abs_error_std",
    },
    "RegressionDummyMetric": {
        "baseline_mae": "mean_abs_error_default", "baseline_rmse": "rmse_default",
        "baseline_mape": "mean_abs_perc_error_default",
        "baseline_max_absolute_error": "abs_error_max_default",
    },
}  # fmt: skip


def main(folder: Path) -> None:
    """Write the answers to every case."""
    warnings.simplefilter("ignore")
    for path in sorted(folder.glob("*.case.json")):
        case = json.loads(path.read_text("utf-8"))
        stem = str(path).removesuffix(".case.json")
        if Path(f"{stem}.answers.json").exists():
            continue
        reference, current = (pd.read_pickle(f"{stem}.{side}.pkl") for side in ("reference", "current"))  # fmt: skip
        train = Path(f"{stem}.train.pkl")
        asker = Asker(case, reference, current, pd.read_pickle(train) if train.exists() else None)
        answers = [asker.answer(*question) for question in case["questions"]]
        Path(f"{stem}.answers.json").write_text(json.dumps(answers), "utf-8")
    print(json.dumps({"evidently": evidently.__version__, "names": _names()}))


def _names() -> dict[str, list[str]]:
    """Every name that it has, to see that ours knows it."""
    rooms = {"tests": (tests_04, presets_04), "metrics": (metrics_04, metrics_07)}
    return {
        kind: sorted({n for m in modules for n, x in vars(m).items() if isinstance(x, type)})
        for kind, modules in rooms.items()
    }


class Asker:
    """One case, as both of its APIs want it."""

    def __init__(self, case: Mapping[str, Any], reference: Any, current: Any, train: Any) -> None:
        self.columns, self.task = case["columns"], case["task"]
        self.reference, self.current, self.train = reference, current, train

    def answer(self, kind: str, name: str, options: dict[str, Any]) -> list[Result] | str:
        """The results of one question, or what was raised."""
        try:
            if kind in ("test", "embeddings"):
                return list(self._tested(name, options))
            if kind == "descriptor":
                return list(self._described(name, options))
            if hasattr(metrics_07, name):
                return list(self._measured(name, options))
            return list(self._measured_by_04(name, options))
        except Exception as error:  # noqa: BLE001  what it is does not matter: there is no figure
            return f"{type(error).__name__}: {error}".splitlines()[0][:200]

    def _mapping(self) -> ColumnMapping:
        columns = self.columns
        outcome: Any = columns.get("probability") or columns.get("prediction")
        if isinstance(outcome, dict):
            outcome = list(outcome.values())
        tasks = {"binary": "classification", "multiclass": "classification", "ranking": "recsys"}
        return ColumnMapping(
            target=columns.get("target"), prediction=outcome, datetime=None,
            numerical_features=columns.get("numerical"),
            categorical_features=columns.get("categorical"),
            datetime_features=columns.get("datetime"), text_features=columns.get("text"),
            embeddings=columns.get("embeddings"), task=tasks.get(self.task, self.task),
            user_id=columns.get("user"), item_id=columns.get("item"),
            pos_label=columns.get("positive"),
        )  # fmt: skip

    def _tested(self, name: str, options: dict[str, Any]) -> Iterator[Result]:
        made = getattr(tests_04, name, None) or getattr(presets_04, name)
        given = {key: _approx(value) for key, value in options.items()}
        if name == "TestEmbeddingsDrift":
            given = {"embeddings_name": "picture", "drift_method": _of_embeddings(given)}
        suite = TestSuite(tests=[made(**given)])
        known = {f"{side}_train_data": self.train for side in ("current", "reference")}
        suite.run(
            reference_data=self.reference, current_data=self.current,
            column_mapping=self._mapping(), additional_data={} if self.train is None else known,
        )  # fmt: skip
        told = suite.as_dict()["tests"]
        asked = suite._inner_suite.context.test_results  # noqa: SLF001  as_dict leaves the names out
        for test, said in zip(asked, told, strict=True):
            found = said.get("parameters") or {}
            score = "score" if type(test).__name__ in OF_SCORES else "value"
            column = getattr(test, "column_name", None)
            yield {
                "name": type(test).__name__,
                "column": getattr(column, "name", column) or "",
                "label": str(getattr(test, "label", "")),
                "status": str(getattr(said["status"], "value", said["status"])).lower(),
                "value": _number(found.get(score)),
            }  # fmt: skip

    def _dataset(self, frame: Any) -> Dataset:
        columns = self.columns
        parts: dict[str, Any] = {
            f"{kind}_columns": columns.get(kind) or [] for kind in ("numerical", "categorical", "datetime", "text")
        }  # fmt: skip
        target, label, score = (columns.get(k) for k in ("target", "prediction", "probability"))
        if self.task == "regression":
            parts["regression"] = [Regression(target=target, prediction=label)]
        elif self.task == "binary":
            parts["classification"] = [BinaryClassification(
                target=target, prediction_labels=label, prediction_probas=score,
                pos_label=columns["positive"],
            )]  # fmt: skip
        elif self.task == "multiclass":
            parts["classification"] = [MulticlassClassification(
                target=target, prediction_labels=None, prediction_probas=list(score.values()),
            )]  # fmt: skip
        elif self.task == "ranking":
            parts["ranking"] = [Recsys(
                user_id=columns["user"], item_id=columns["item"], target=target, prediction=label,
            )]  # fmt: skip
        return Dataset.from_pandas(frame, DataDefinition(**parts))

    def _measured(self, name: str, options: dict[str, Any]) -> Iterator[Result]:
        report = Report([getattr(metrics_07, name)(**options)])
        reference = None if self.task == "ranking" else self._dataset(self.reference)
        found = report.run(self._dataset(self.current), reference).dict()["metrics"][0]["value"]
        if isinstance(found, dict) and found.keys() == {"rank", "value"}:
            found = _at(options["k"], found)
        for part, value in _parts(found):
            values = value.items() if isinstance(value, dict) else [("", value)]
            for label, number in values:
                yield {"part": part, "label": str(label), "value": _number(number)}

    def _described(self, name: str, options: dict[str, Any]) -> Iterator[Result]:
        """A descriptor of each text."""
        given = dict(options)
        columns = given.pop("columns", "note")
        if "expected_schema" in given:
            given["expected_schema"] = dict.fromkeys(given["expected_schema"], int)
        if name in OF_WORDS:
            given["lemmatize"] = False  # what it lemmatises with is a download
        places = columns if name == "JSONMatch" else [columns]
        asked = getattr(descriptors_07, name)(*places, alias="told", **given)
        frame = self.current
        if name in OF_LETTERS:  # it divides by their number
            frame = frame[frame["note"].str.strip() != ""]
        definition = DataDefinition(text_columns=self.columns["text"])
        of = Dataset.from_pandas(frame.reset_index(drop=True), definition, descriptors=[asked])
        for row, value in zip(frame.index, of.as_dataframe()["told"], strict=True):
            yield {"row": int(row), "value": _number(value)}

    def _measured_by_04(self, name: str, options: dict[str, Any]) -> Iterator[Result]:
        report = OldReport(metrics=[getattr(metrics_04, name)(**options)])
        reference = None if self.task == "ranking" else self.reference
        report.run(
            reference_data=reference, current_data=self.current, column_mapping=self._mapping()
        )
        found = report.as_dict()["metrics"][0]["result"]
        if name == "MARKMetric":
            current = found["current"]
            values = list(current.values() if isinstance(current, dict) else current)
            yield {"part": 0, "label": "", "value": _number(values[options["k"] - 1])}
            return
        for ours, path in PARTS_04[name].items():
            value: Any = found
            for step in path.split("."):
                value = value[step]
            yield {"ours": ours, "label": "", "value": _number(value)}


def _of_embeddings(given: dict[str, Any]) -> Any:
    method = given.pop("drift_method", None)
    return getattr(of_embeddings, method)(**given) if method else None


def _at(k: int, table: dict[str, dict[Any, Any]]) -> float:
    """The figure that stands at this k in a table of many."""
    found = dict(zip(table["rank"].values(), table["value"].values(), strict=True))
    if k not in found:
        raise LookupError("its table has none at this k")
    return float(found[k])


def _approx(value: Any) -> Any:
    if isinstance(value, dict):
        return approx(value["value"], value.get("relative"), value.get("absolute"))
    return value


def _parts(found: Any) -> Iterator[tuple[int, Any]]:
    """A metric's figures: the first, and where it has two, the second."""
    for first, second in (("count", "share"), ("counts", "shares"), ("mean", "std")):
        if isinstance(found, dict) and found.keys() == {first, second}:
            yield 0, found[first]
            yield 1, found[second]
            return
    yield 0, found


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
