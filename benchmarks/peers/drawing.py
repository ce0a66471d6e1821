"""Frames at random, from seeds, and what is asked of them in Evidently's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Question = tuple[str, str, dict[str, Any]]  # "test", "metric" or "drift"; its name; its options
SIZES = {"tiny": (40, 35), "small": (200, 120), "middle": (900, 400), "large": (3000, 700)}
CLASSES = ("ant", "bee", "cat")
NUMERICAL_METHODS = ("ks", "wasserstein", "kl_div", "psi", "jensenshannon", "anderson",
                     "cramer_von_mises", "hellinger", "mannw", "ed", "es", "t_test")  # fmt: skip
LOTS = 1000  # rows up to which methods that draw lots are asked: theirs take the square of them
CATEGORICAL_METHODS = ("chisquare", "z", "kl_div", "psi", "jensenshannon", "hellinger", "g_test")


@dataclass
class Case:
    """A reference and a batch, what their columns are, and the questions."""

    name: str
    reference: pd.DataFrame
    current: pd.DataFrame
    columns: Mapping[str, Any]  # as under `columns:`
    task: str | None
    questions: list[Question] = field(default_factory=list)
    beside: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # of a ranking: train, items


def cases(seeds: range) -> Iterator[Case]:
    """Every shape, from every seed."""
    for seed in seeds:
        for size, (m, n) in SIZES.items():
            rng = np.random.default_rng([seed, m])
            yield _tables(f"{size} table {seed}", table(rng, m, 0.0), table(rng, n, 0.3))
        rng = np.random.default_rng([seed, 1])
        yield _tables(f"hostile table {seed}", hostile(rng, 400), hostile(rng, 150))
        for size in ("small", "large"):
            m, n = SIZES[size]
            rng = np.random.default_rng([seed, m, 2])
            yield _regression(f"{size} regression {seed}", rng, m, n)
            yield _binary(f"{size} probabilities {seed}", rng, m, n, scored=True)
            yield _binary(f"{size} decisions {seed}", rng, m, n, scored=False)
            yield _many(f"{size} classes {seed}", rng, m, n)
        yield _ranking(f"ranking {seed}", np.random.default_rng([seed, 3]))


def table(rng: np.random.Generator, rows: int, shift: float) -> pd.DataFrame:
    """Numbers and categories, some of them missing, farther from the reference by *shift*."""
    income = rng.lognormal(3 + shift, 0.8, rows)
    income[rng.random(rows) < 0.06] = np.nan
    city = rng.choice([f"city {i}" for i in range(9)], rows).astype(object)
    city[rng.random(rows) < 0.1] = None
    return pd.DataFrame({
        "age": rng.normal(40 + 5 * shift, 9, rows),
        "income": income,
        "score": rng.normal(shift / 2, 1, rows).round(1),
        "kids": rng.integers(0, 5, rows).astype(float),
        "plan": rng.choice(["basic", "plus", "pro"], rows, p=[0.5 - shift / 2, 0.3, 0.2 + shift / 2]),
        "city": city,
        "flag": rng.choice(["no", "yes"], rows, p=[0.6, 0.4]),
        "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, rows), unit="s"),
    })  # fmt: skip


def hostile(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Infinities, empty texts, one value only, none at all, repeats, rows twice, odd names."""
    frame = table(rng, rows, 0.2)
    frame.loc[rng.random(rows) < 0.03, "income"] = np.inf
    frame.loc[rng.random(rows) < 0.02, "income"] = -np.inf
    frame.loc[rng.random(rows) < 0.05, "city"] = ""
    frame.loc[rng.random(rows) < 0.02, "plan"] = f"новый {rows}"
    frame["void"] = np.full(rows, np.nan)
    frame["fixed"], frame["word"] = 7.0, "same"
    frame["age again"] = frame["age"]
    return pd.concat([frame, frame.head(rows // 20)], ignore_index=True)


def _tables(name: str, reference: pd.DataFrame, current: pd.DataFrame) -> Case:
    names = list(map(str, current.columns))
    numbers = [name for name in names if pd.api.types.is_numeric_dtype(current[name])]
    categories = [name for name in names if name not in numbers and name != "seen"]
    columns = {"numerical": numbers, "categorical": categories, "datetime": ["seen"]}
    case = Case(name, reference, current, columns, None)
    case.questions.extend(_of_tables())
    for column in numbers:
        case.questions.extend(_of_numbers(column, reference[column]))
    for column in categories:
        case.questions.extend(_of_categories(column))
    if len(reference) <= LOTS:
        lots = [(column, "empirical_mmd") for column in numbers] + [(c, "TVD") for c in categories]
        case.questions += [("drift", "ValueDrift", {"column": c, "method": m}) for c, m in lots]
    return case


def _of_tables() -> Iterator[Question]:
    counted = ("Rows", "Columns", "DifferentMissingValues", "MissingValues",
               "ColumnsWithMissingValues", "RowsWithMissingValues", "ConstantColumns", "EmptyRows",
               "EmptyColumns", "DuplicatedRows", "DuplicatedColumns")  # fmt: skip
    for what in counted:
        yield "test", f"TestNumberOf{what}", {}
    for what in ("MissingValues", "ColumnsWithMissingValues", "RowsWithMissingValues", "DriftedColumns"):  # fmt: skip
        yield "test", f"TestShareOf{what}", {}
    yield "test", "TestNumberOfRows", {"gt": 100, "lt": 1000}
    yield "test", "TestNumberOfRows", {"eq": {"value": 300, "relative": 0.2}}
    yield "test", "TestShareOfMissingValues", {"lte": {"value": 0.01, "absolute": 0.02}}
    yield "test", "TestNumberOfMissingValues", {"lt": 3, "is_critical": False}
    for method in ("pearson", "spearman", "kendall"):
        yield "test", "TestHighlyCorrelatedColumns", {"method": method}
        yield "test", "TestCorrelationChanges", {"method": method}
    yield "test", "TestColumnsType", {}
    for preset in ("DataStability", "DataQuality", "DataDrift"):
        yield "test", f"{preset}TestPreset", {}
    for generator in ("TestAllColumnsShareOfMissingValues", "TestNumColumnsOutOfRangeValues",
                      "TestNumColumnsMeanInNSigmas", "TestCatColumnsOutOfListValues"):  # fmt: skip
        yield "test", generator, {}
    for name in ("RowCount", "ColumnCount", "DuplicatedRowCount", "DuplicatedColumnsCount",
                 "AlmostDuplicatedColumnsCount", "AlmostConstantColumnsCount",
                 "ConstantColumnsCount", "EmptyRowsCount", "EmptyColumnsCount",
                 "DatasetMissingValueCount", "DriftedColumnsCount", "DatasetSummaryMetric",
                 "DatasetMissingValuesMetric"):  # fmt: skip
        yield "metric", name, {}


def _of_numbers(column: str, reference: pd.Series) -> Iterator[Question]:
    on = {"column_name": column}
    known = reference.replace([np.inf, -np.inf], np.nan)
    low, high = (float(known.quantile(q)) if known.notna().any() else q for q in (0.1, 0.9))
    for what in ("Min", "Max", "Mean", "Median", "Std"):
        yield "test", f"TestColumnValue{what}", on
    yield "test", "TestColumnValueMean", {**on, "gt": low, "lt": high + 1}
    for what in ("NumberOfOutRangeValues", "ShareOfOutRangeValues"):
        yield "test", f"Test{what}", on
        yield "test", f"Test{what}", {**on, "left": low, "right": high}
    yield "test", "TestValueRange", on
    yield "test", "TestMeanInNSigmas", on
    yield "test", "TestMeanInNSigmas", {**on, "n_sigmas": 1}
    yield "test", "TestColumnQuantile", {**on, "quantile": 0.3}
    yield "test", "TestColumnQuantile", {**on, "quantile": 0.95, "lte": high}
    yield from _of_any(column)
    for name in ("MinValue", "MaxValue", "MeanValue", "MedianValue", "StdValue", "SumValue"):
        yield "metric", name, {"column": column}
    yield "metric", "QuantileValue", {"column": column, "quantile": 0.35}
    for side in ("In", "Out"):
        yield "metric", f"{side}RangeValueCount", {"column": column, "left": low, "right": high}
    for method in NUMERICAL_METHODS:
        yield "drift", "ValueDrift", {"column": column, "method": method}
    yield "drift", "ValueDrift", {"column": column}


def _of_categories(column: str) -> Iterator[Question]:
    on = {"column_name": column}
    values = ["basic", "plus", "city 1", "city 2", "yes"]
    for what in ("TestNumberOfOutListValues", "TestShareOfOutListValues", "TestValueList"):
        yield "test", what, on
        yield "test", what, {**on, "values": values}
    for what in ("TestCategoryCount", "TestCategoryShare"):
        yield "test", what, {**on, "category": "plus"}
    yield "test", "TestColumnRegExp", {**on, "reg_exp": "[a-p].*"}
    yield from _of_any(column)
    for side in ("In", "Out"):
        yield "metric", f"{side}ListValueCount", {"column": column, "values": values}
    yield "metric", "CategoryCount", {"column": column, "categories": ["basic", "city 1", "yes"]}
    for method in CATEGORICAL_METHODS:
        yield "drift", "ValueDrift", {"column": column, "method": method}
    yield "drift", "ValueDrift", {"column": column}


def _of_any(column: str) -> Iterator[Question]:
    on = {"column_name": column}
    for what in ("ColumnNumberOfMissingValues", "ColumnShareOfMissingValues",
                 "ColumnNumberOfDifferentMissingValues", "NumberOfUniqueValues",
                 "UniqueValuesShare", "MostCommonValueShare", "ColumnAllConstantValues",
                 "ColumnAllUniqueValues", "ColumnDrift"):  # fmt: skip
        yield "test", f"Test{what}", on
    yield "test", "TestNumberOfUniqueValues", {**on, "is_in": [2, 3, 5]}
    yield "metric", "MissingValueCount", {"column": column}


def _model(name: str, frames: list[pd.DataFrame], columns: dict[str, Any], task: str) -> Case:
    given = {"numerical": ["age", "score"], "categorical": ["plan"], **columns}
    used = [*given["numerical"], *given["categorical"], *_outcomes(columns)]
    reference, current = (frame[used] for frame in frames)
    case = Case(name, reference, current, given, task)
    for what in ("ConflictTarget", "ConflictPrediction", "TargetFeaturesCorrelations",
                 "PredictionFeaturesCorrelations", "TargetPredictionCorrelation"):  # fmt: skip
        case.questions.append(("test", f"Test{what}", {}))
    return case


def _outcomes(columns: Mapping[str, Any]) -> list[str]:
    found = [columns[key] for key in ("target", "prediction", "probability") if key in columns]
    return [name for x in found for name in (x.values() if isinstance(x, dict) else [x])]


def _regression(name: str, rng: np.random.Generator, m: int, n: int) -> Case:
    frames = [table(rng, rows, shift) for rows, shift in ((m, 0.0), (n, 0.3))]
    for frame in frames:
        frame["price"] = (frame["age"] * 3 + rng.normal(0, 9, len(frame))).abs() + 1
        frame["guess"] = frame["price"] + rng.normal(1, 6, len(frame))
    case = _model(name, frames, {"target": "price", "prediction": "guess"}, "regression")
    for what in ("MAE", "RMSE", "MeanError", "MAPE", "AbsMaxError", "R2Score"):
        case.questions += [
            ("test", f"TestValue{what}", {}),
            ("test", f"TestValue{what}", {"lt": 7}),
        ]
    case.questions += [("metric", what, {}) for what in (
        "MeanError", "MAE", "MAPE", "RMSE", "R2Score", "AbsMaxError", "RegressionQualityMetric",
        "RegressionDummyMetric",
    )]  # fmt: skip
    case.questions.append(("test", "RegressionTestPreset", {}))
    return case


def _binary(name: str, rng: np.random.Generator, m: int, n: int, *, scored: bool) -> Case:
    frames = [table(rng, rows, shift) for rows, shift in ((m, 0.0), (n, 0.3))]
    for frame in frames:
        frame["p"] = 1 / (1 + np.exp(-(frame["score"] + rng.normal(0, 0.7, len(frame)))))
        frame["late"] = (rng.random(len(frame)) < frame["p"]).astype(int)
        frame["said"] = (frame["p"] > 0.6).astype(int)
    outcome = {"probability": "p"} if scored else {"prediction": "said"}
    case = _model(name, frames, {"target": "late", "positive": 1, **outcome}, "binary")
    decided = ("AccuracyScore", "PrecisionScore", "RecallScore", "F1Score", "TPR", "TNR", "FPR", "FNR")  # fmt: skip
    for what in decided:
        case.questions.append(("test", f"Test{what}", {}))
        if scored:
            case.questions.append(("test", f"Test{what}", {"probas_threshold": 0.7}))
            case.questions.append(("test", f"Test{what}", {"k": 25}))
    for what in ("PrecisionByClass", "RecallByClass", "F1ByClass"):
        case.questions += [("test", f"Test{what}", {"label": label}) for label in (0, 1)]
    names = ["Accuracy", "Precision", "Recall", "F1Score", "TPR", "TNR", "FPR", "FNR",
             "PrecisionByLabel", "RecallByLabel", "F1ByLabel"]  # fmt: skip
    if scored:
        names += ["RocAuc", "LogLoss", "RocAucByLabel"]
        case.questions += [("test", "TestRocAuc", {}), ("test", "TestLogLoss", {})]
    case.questions += [("metric", what, {}) for what in names]
    case.questions.append(("test", "BinaryClassificationTestPreset", {}))
    return case


def _many(name: str, rng: np.random.Generator, m: int, n: int) -> Case:
    frames = [table(rng, rows, shift) for rows, shift in ((m, 0.0), (n, 0.3))]
    for frame in frames:
        drawn = rng.choice(3, len(frame), p=[0.5, 0.3, 0.2])
        logits = np.eye(3)[drawn] * 1.3 + rng.normal(0, 0.8, (len(frame), 3))
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        frame[list(CLASSES)] = chances
        frame["kind"] = np.array(CLASSES)[drawn]
    outcome = {"target": "kind", "probability": {c: c for c in CLASSES}}
    case = _model(name, frames, outcome, "multiclass")
    case.questions = [q for q in case.questions if "Correlation" not in q[1]]
    for what in ("AccuracyScore", "PrecisionScore", "RecallScore", "F1Score", "RocAuc", "LogLoss"):
        case.questions.append(("test", f"Test{what}", {}))
    for what in ("PrecisionByClass", "RecallByClass", "F1ByClass"):
        case.questions += [("test", f"Test{what}", {"label": label}) for label in CLASSES]
    case.questions += [("metric", what, {}) for what in (
        "Accuracy", "Precision", "Recall", "F1Score", "RocAuc", "LogLoss", "PrecisionByLabel",
        "RecallByLabel", "F1ByLabel", "RocAucByLabel",
    )]  # fmt: skip
    case.questions.append(("test", "MulticlassClassificationTestPreset", {}))
    return case


def _ranking(name: str, rng: np.random.Generator) -> Case:
    """Lists of at least twenty, best first, no two scores equal: elsewhere Evidently's are wrong."""
    frames = [lists(rng, users) for users in (60, 40)]
    columns = {"user": "user", "item": "item", "target": "clicked", "prediction": "said"}
    case = Case(name, frames[0], frames[1], columns, "ranking")
    for k in (1, 5, 10):
        for what in ("PrecisionTopK", "RecallTopK", "FBetaTopK", "MAP", "NDCG", "MRR", "HitRate",
                     "Personalization", "ScoreDistribution", "MARKMetric"):  # fmt: skip
            case.questions.append(("metric", what, {"k": k}))
    return case


def lists(rng: np.random.Generator, users: int) -> pd.DataFrame:
    """What is recommended to each user: 25 of 80 items, best first, and whether it was clicked."""
    rows = [
        (f"u{u}", f"i{item}", float(rng.random() < 0.3), score)
        for u in range(users)
        for item, score in zip(rng.permutation(80)[:25], -np.sort(-rng.random(25)), strict=True)
    ]
    return pd.DataFrame(rows, columns=["user", "item", "clicked", "said"])
