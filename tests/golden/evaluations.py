"""Evaluations of tables as the tests need them, and golden figures beside ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from math import isclose
from pathlib import Path
from typing import Any

import pyarrow as pa
from golden import flights

from exporter import evaluation
from exporter.batch import Batch, Kind, Schema
from exporter.evaluation import ReferenceProfile
from exporter.plan import Plan, make_plan
from exporter.profile.build import profile_table
from exporter.profile.column import ColumnProfile
from exporter.profile.rows import rows_of
from exporter.snapshot import MetricRow, Snapshot

HERE = Path(__file__).parent
METHODS = {  # the golden files write the names that people read
    "Wasserstein distance (normed)": "wasserstein",
    "Jensen-Shannon distance": "jensenshannon",
}
SUMMARY_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(flights.CATEGORICAL, "categorical"),
    "tailnum": "categorical",
    **dict.fromkeys(flights.NUMERICAL, "numerical"),
    **dict.fromkeys(("air_time", "dep_time", "wind_gust", "wind_dir"), "numerical"),
    "sched_dep": "datetime",
}
SUMMARY = (
    "row_count", "column_count", "missing_cells", "missing_cells_ratio", "empty_rows",
    "empty_columns", "constant_columns", "almost_constant_columns", "duplicated_rows",
    "duplicated_columns", "almost_duplicated_columns", "missing_count", "missing_ratio",
    "unique_count", "min", "max", "mean", "std",
    {"quantile": {"q": 0.25}}, {"quantile": {"q": 0.5}}, {"quantile": {"q": 0.75}},
    {"category_count": {"columns": list(flights.CATEGORICAL)}},
)  # fmt: skip
DRIFT = (
    {"column_drift": {"columns": "features"}},
    "drifted_columns", "drifted_columns_ratio", "untested_columns",
)  # fmt: skip
REGRESSION = ("mean_error", "error_std", "mae", "absolute_error_std", "mape", "rmse", "r2",
              "max_absolute_error")  # fmt: skip
CLASSIFICATION = (
    "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "tpr", "tnr", "fpr", "fnr",
    "precision_by_label", "recall_by_label", "f1_by_label", "roc_auc_by_label",
)  # fmt: skip


def batch_of(table: pa.Table) -> Batch:
    """A batch over a table."""
    return Batch(table.num_rows, {f.name: f.type for f in table.schema}, table.column)


def schema_of(
    kinds: Mapping[str, Kind], features: tuple[str, ...] | None = None, **parts: Any
) -> Schema:
    """A schema of these columns; features are the numerical and categorical ones."""
    chosen = features or tuple(n for n, k in kinds.items() if k in ("numerical", "categorical"))
    return Schema(dict(kinds), chosen, **parts)


def reference_of(table: pa.Table, plan: Plan, *, mergeable: bool = False) -> ReferenceProfile:
    """The profile of a reference table, of the plan's columns; a column that fails raises."""
    found: dict[str, ColumnProfile] = {}
    batch = batch_of(table)
    kinds = {name: plan.schema.kinds[name] for name in plan.columns()}

    def keep(column: ColumnProfile) -> None:
        found[column.name] = column

    def refuse(name: str, error: Exception) -> None:
        raise AssertionError(name) from error

    _, whole = profile_table(batch, kinds, keep, refuse, gridded=True, mergeable=mergeable)
    outcome = evaluation.outcome_of(batch, plan)
    return ReferenceProfile(
        plan.schema, found, whole, outcome, rows=lambda: rows_of(batch, plan.schema)
    )


def evaluated(
    current: pa.Table,
    reference: pa.Table | ReferenceProfile | None,
    schema: Schema,
    *metrics: Any,
    **options: Any,
) -> Snapshot:
    """The snapshot of these metrics."""
    plan = make_plan(metrics, schema, **options)
    beside = reference_of(reference, plan) if isinstance(reference, pa.Table) else reference
    return evaluation.evaluate(batch_of(current), beside, plan)


class Figures:
    """A snapshot's figures by name."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._rows = {
            (r.metric, r.column, r.label, tuple(sorted(r.params.items(), key=str))): r
            for r in snapshot.metrics
            if r.metric not in ("category_count", "category_ratio", "in_list_count")
        }
        self.drift = {r.column: r for r in snapshot.drift}

    def row(self, metric: str, column: str = "", label: str = "", **params: Any) -> MetricRow:
        """The row of a figure."""
        return self._rows[metric, column, label, tuple(sorted(params.items()))]

    def value(self, metric: str, column: str = "", label: str = "", **params: Any) -> float | None:
        """The figure itself."""
        return self.row(metric, column, label, **params).value


@cache
def golden(name: str) -> Any:
    """A golden file."""
    return json.loads((HERE / name).read_text())


def near(ours: float | None, theirs: float | None, rel: float = 1e-6, abs_: float = 1e-11) -> bool:
    """Equal to 1e-6; what is noise around zero may differ by 1e-11."""
    if ours is None or theirs is None:
        return ours is theirs
    return isclose(ours, theirs, rel_tol=rel, abs_tol=abs_)


def near_p(ours: float | None, theirs: float | None) -> bool:
    """p-values: equal to 1e-6; below 1e-12 both are that small."""
    if ours is None or theirs is None:
        return ours is theirs
    return abs(ours - theirs) <= 1e-6 and ((theirs >= 1e-12) or ours < 1e-11)


Told = Iterator[tuple[str, float | None, float | None]]


def dataset_pairs(figures: Figures, theirs: Callable[[str], float | None]) -> Told:
    """Name, our figure and the golden one, of a summary's table."""
    for metric, label, name in (
        ("row_count", "", "RowCount"),
        ("column_count", "", "ColumnCount"),
        ("column_count", "numerical", "ColumnCount[Numerical]"),
        ("column_count", "categorical", "ColumnCount[Categorical]"),
        ("column_count", "datetime", "ColumnCount[Datetime]"),
        ("column_count", "text", "ColumnCount[Text]"),
        ("duplicated_rows", "", "DuplicatedRowCount"),
        ("duplicated_columns", "", "DuplicatedColumnsCount"),
        ("almost_duplicated_columns", "", "AlmostDuplicatedColumnsCount"),
        ("almost_constant_columns", "", "AlmostConstantColumnsCount"),
        ("empty_rows", "", "EmptyRowsCount"),
        ("empty_columns", "", "EmptyColumnsCount"),
        ("constant_columns", "", "ConstantColumnsCount"),
        ("missing_cells", "", "DatasetMissingValueCount.count"),
    ):
        yield name, figures.value(metric, "", label), theirs(name)


def column_pairs(figures: Figures, column: str, theirs: Callable[[str], float | None]) -> Told:
    """The same of one of its columns."""
    yield "count", figures.value("missing_count", column), theirs("MissingValueCount.count")
    yield "share", figures.value("missing_ratio", column), theirs("MissingValueCount.share")
    if SUMMARY_KINDS[column] == "categorical":
        yield "n_unique", figures.value("unique_count", column), theirs("n_unique")
        return
    for metric, name in (("min", "MinValue"), ("max", "MaxValue"), ("mean", "MeanValue"),
                         ("std", "StdValue")):  # fmt: skip
        yield name, figures.value(metric, column), theirs(name)
    for q in (0.25, 0.5, 0.75):
        yield f"q{q}", figures.value("quantile", column, q=q), theirs(f"q{q:g}")


def regression_pairs(figures: Figures, theirs: Callable[[str], float | None]) -> Told:
    """The same of a regression, MAPE aside: the golden one divides by max(target, tiny)."""
    for metric, name in (
        ("mean_error", "MeanError"), ("error_std", "MeanError_std"), ("rmse", "RMSE"),
        ("mae", "MAE"), ("absolute_error_std", "MAE_std"), ("r2", "R2Score"),
        ("max_absolute_error", "AbsMaxError"),
    ):  # fmt: skip
        yield name, figures.value(metric), theirs(name)


def classification_pairs(figures: Figures, theirs: Callable[[str], float | None]) -> Told:
    """The same of a binary classification."""
    for metric, name in (
        ("accuracy", "Accuracy"), ("precision", "Precision"), ("recall", "Recall"),
        ("f1", "F1Score"), ("roc_auc", "RocAuc"), ("log_loss", "LogLoss"), ("tpr", "TPR"),
        ("tnr", "TNR"), ("fpr", "FPR"), ("fnr", "FNR"),
    ):  # fmt: skip
        yield name, figures.value(metric), theirs(name)
    for metric, name in (
        ("precision_by_label", "PrecisionByLabel"), ("recall_by_label", "RecallByLabel"),
        ("f1_by_label", "F1ByLabel"), ("roc_auc_by_label", "RocAucByLabel"),
    ):  # fmt: skip
        for label in ("0", "1"):
            yield f"{name}[{label}]", figures.value(metric, "", label), theirs(f"{name}[{label}]")


def regression_schema(model: str) -> Schema:
    """Arrival delay and a model's guess."""
    kinds: dict[str, Kind] = {"arr_delay": "numerical", f"pred_{model}": "numerical"}
    return schema_of(kinds, (), target="arr_delay", prediction=f"pred_{model}", task="regression")


def classification_schema(model: str) -> Schema:
    """Late or not, the model's word and its probability."""
    kinds: dict[str, Kind] = {
        "late": "categorical", f"latepred_{model}": "categorical", f"proba_{model}": "numerical",
    }  # fmt: skip
    return schema_of(
        kinds, (), target="late", prediction=f"latepred_{model}", probability=f"proba_{model}",
        task="binary",
    )  # fmt: skip


def flat(nested: Mapping[str, Any]) -> dict[str, Any]:
    """`{"a": {"count": 1}}` as `{"a.count": 1}`, classes as `a[1]`."""
    out: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            for key, inner in value.items():
                out[f"{name}.{key}" if key in ("count", "share") else f"{name}[{key}]"] = inner
        else:
            out[name] = value
    return out


def wrong(pairs: Told, near_enough: Callable[..., bool] = near) -> list[Any]:
    """The figures that differ."""
    return [told for told in pairs if not near_enough(told[1], told[2])]
