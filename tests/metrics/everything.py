"""Every metric of the catalogue on one table, and tables of everything that a column may hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from inspect import Parameter
from math import inf, nan
from typing import Any

import pyarrow as pa
from golden.evaluations import batch_of, reference_of, schema_of
from hypothesis import strategies as st
from metrics.rankings import training, vectors

from exporter import evaluation
from exporter.batch import Schema
from exporter.evaluation import ReferenceProfile
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.plan import Plan, make_plan
from exporter.plan.fitting import foreign_to, unlike
from exporter.snapshot import DriftRow, MetricRow, Snapshot

NEEDED = {"pattern": "[a-m]"}  # options that have no default
KINDS = {
    "x": "numerical", "k": "numerical", "d": "numerical", "z": "numerical", "c": "categorical",
    "b": "categorical", "n": "categorical", "t": "datetime", "w": "text",
    "y": "numerical", "said": "numerical", "late": "categorical", "p": "numerical",
    "pet": "categorical", "pa": "numerical", "pb": "numerical",
}  # fmt: skip
TYPES = {
    "x": pa.float64(), "k": pa.int64(), "d": pa.decimal128(20, 2), "z": pa.float64(),
    "c": pa.string(), "b": pa.bool_(), "n": pa.string(), "t": pa.timestamp("us"),
    "w": pa.string(), "y": pa.float64(), "said": pa.float64(), "late": pa.int64(),
    "p": pa.float64(), "pet": pa.string(), "pa": pa.float64(), "pb": pa.float64(),
}  # fmt: skip
FEATURES = ("x", "k", "d", "z", "c", "b", "n")
SETS = {"v": ("said", "p")}
TASKS = {
    "regression": schema_of(
        KINDS, FEATURES, target="y", prediction="said", task="regression", embeddings=SETS
    ),
    "binary": schema_of(
        KINDS, FEATURES, target="late", probability="p", task="binary", embeddings=SETS
    ),
    "multiclass": schema_of(
        KINDS, FEATURES, target="pet", probabilities={"ape": "pa", "bat": "pb"}, task="multiclass",
        embeddings=SETS,
    ),
    "ranking": schema_of(
        KINDS, FEATURES, target="y", prediction="said", user="c", item="n", task="ranking",
        known=("train", "items"), embeddings=SETS,
    ),
}  # fmt: skip
TRAIN = training([("a", "1"), ("a", "2"), ("ü", "nan"), ("", "1"), ("z", "1000"), ("z", "0")])
ITEMS = vectors([("1", 0.5, 1.0), ("2", -1.0, 0.0), ("1000", 0.0, 0.0), ("nan", 3.0, 1e3)])
_HOSTILE = [None, 0.0, -0.0, 1.0, -1.0, 5e-324, 1.7e308, -1.7e308, 1e200, inf, -inf, nan]
_CHANCE = st.one_of(st.sampled_from([None, nan, 0.0, 1.0, 0.5]), st.floats(0, 1))
_CELLS = {
    "x": st.one_of(st.sampled_from(_HOSTILE), st.floats(width=64)),
    "k": st.sampled_from([None, 0, 1, 2**53, 2**53 + 1, 2**60 + 1, 2**63 - 1, -(2**63)]),
    "d": st.sampled_from([None, Decimal("0.10"), Decimal("-1.00"), Decimal("999999999999999.99")]),
    "z": st.sampled_from([None, 0.0, -0.0]),
    "c": st.sampled_from([None, "", "a", "ü", "z", "\n\"'", "\U0001f600"]),
    "b": st.sampled_from([None, True, False]),
    "n": st.sampled_from(["1", "2.0", "1e3", "nan", None]),
    "t": st.sampled_from([None, datetime(1, 1, 1), datetime(2024, 2, 29), datetime(9999, 12, 31)]),
    "w": st.sampled_from([None, "", "one", "two"]),
    "y": st.one_of(st.sampled_from([None, nan, inf, 0.0]), st.floats(-1e3, 1e3)),
    "said": st.one_of(st.sampled_from([None, nan, -inf]), st.floats(-1e3, 1e3)),
    "late": st.sampled_from([None, 0, 1]),
    "p": _CHANCE,
    "pet": st.sampled_from([None, "ape", "bat", "cow"]),
    "pa": _CHANCE,
    "pb": _CHANCE,
}
rows = st.lists(st.fixed_dictionaries(_CELLS), max_size=40)
some_rows = st.lists(st.fixed_dictionaries(_CELLS), min_size=1, max_size=40)
Key = tuple[Any, ...]


def table(told: list[dict[str, Any]]) -> pa.Table:
    """These rows."""
    return pa.table({n: pa.array([row[n] for row in told], kind) for n, kind in TYPES.items()})


def options_of(spec: MetricSpec) -> dict[str, Any]:
    """What the metric must be given; of vectors a method for which their order is nothing."""
    if spec.id == "embeddings_drift":
        return {"method": "embedding_distance"}
    needed = [name for name, default in spec.options.items() if default is Parameter.empty]
    return {name: NEEDED[name] for name in needed}


def reading(profile: type) -> list[MetricSpec]:
    """The metrics that read such a profile."""
    return [spec for spec in CATALOGUE.values() if profile in spec.reads]


def had_by(schema: Schema) -> list[MetricSpec]:
    """The metrics that such a model has; others are refused."""
    return [s for s in CATALOGUE.values() if not foreign_to(s, schema) and not unlike(s, schema)]


def everything(schema: Schema, **options: Any) -> Plan:
    """A plan of every metric that the model has, and of a test of each that has an automatic condition."""
    asked = had_by(schema)
    metrics = [{spec.id: options_of(spec)} for spec in asked]
    tests = [{s.id: {**options_of(s), **_columns(s)}} for s in asked if s.automatic]
    plan = make_plan(metrics, schema, tests=tests, **options)
    return replace(plan, train=TRAIN, items=ITEMS)


def _columns(spec: MetricSpec) -> dict[str, Any]:
    """All that it reads: of drift the target and the prediction, too.

    Not of texts: a classifier's score hangs on the order of the rows.
    """
    compared = [name for name, kind in KINDS.items() if kind in ("numerical", "categorical")]
    return {"columns": compared} if spec.id == "column_drift" else {}


def evaluated(
    current: pa.Table, reference: pa.Table | ReferenceProfile | None, task: str, **options: Any
) -> Snapshot:
    """Every metric on a table, for one of the tasks."""
    plan = everything(TASKS[task], **options)
    beside = reference_of(reference, plan) if isinstance(reference, pa.Table) else reference
    return evaluation.evaluate(batch_of(current), beside, plan)


def by_figure(snapshot: Snapshot) -> dict[Key, MetricRow]:
    """The metrics by what tells them apart."""
    return {(r.metric, r.column, r.label): r for r in snapshot.metrics}


def differences(one: Snapshot, other: Snapshot, part: str = "value") -> list[Any]:
    """The figures of two snapshots that are not the same, rounding of the largest value aside."""
    a, b = by_figure(one), by_figure(other)
    pairs = [(key, getattr(a[key], part), getattr(b[key], part)) for key in a.keys() & b.keys()]
    wrong = (pair for pair in pairs if not _same(*pair[1:], _rounding(a, pair[0][1], part)))
    return [*(a.keys() ^ b.keys()), *wrong]


def errors(snapshot: Snapshot) -> dict[Key, str | None]:
    """The reasons by what has them."""
    return {key: row.error for key, row in by_figure(snapshot).items()}


def drift_differences(one: Snapshot, other: Snapshot) -> list[Any]:
    """The drift of two snapshots that is not the same."""
    return [
        (a, b)
        for a, b in zip(one.drift, other.drift, strict=True)
        if _said(a) != _said(b) or not _same(a.score, b.score, 1e-9)
    ]


def _said(row: DriftRow) -> Key:
    return row.column, row.method, row.error, row.drifted, row.n, row.reference_n


def _rounding(figures: dict[Key, MetricRow], column: str, part: str) -> float:
    """What adding up in another order may change."""
    ends = [figures.get((end, column, "")) for end in ("min", "max")]
    largest = max((abs(getattr(end, part) or 0.0) for end in ends if end), default=0.0)
    return 1e-12 * max(largest, 1e3)


def _same(a: float | None, b: float | None, absolute: float) -> bool:
    if a is None or b is None:
        return a is b
    return a == b or abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + absolute
