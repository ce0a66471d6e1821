"""Rows that contradict each other beside the same in pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import Figures, evaluated, schema_of
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import PlanError
from exporter.metrics import conflicts
from exporter.plan import make_plan

SCHEMA = schema_of(
    {"x": "numerical", "c": "categorical", "t": "text", "y": "categorical", "said": "numerical"},
    ("x", "c", "t"), target="y", prediction="said",
)  # fmt: skip
ROW = st.tuples(
    st.sampled_from([None, 0.0, -0.0, 1.0]), st.sampled_from([None, "a", "b"]),
    st.sampled_from(["one", None]), st.sampled_from(["0", "1", None]),
    st.sampled_from([0.5, 1.5, None]),
)  # fmt: skip
TYPES = (pa.float64(), pa.string(), pa.string(), pa.string(), pa.float64())


def told(rows: list[tuple[Any, ...]], metric: str, *, compat: bool = False) -> float | None:
    columns = zip(*rows, strict=True) if rows else [()] * len(TYPES)
    arrays = [pa.array(list(c), kind) for c, kind in zip(columns, TYPES, strict=True)]
    table = pa.table(dict(zip(SCHEMA.kinds, arrays, strict=True)))
    found = Figures(evaluated(table, None, SCHEMA, {metric: {"compat": compat}}))
    return found.value(metric, compat=compat)


def frame_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(SCHEMA.kinds), dtype=object)
    frame["x"] = [None if x is None else float(x) + 0.0 for x in frame["x"]]
    return frame


@pytest.mark.parametrize(
    ("metric", "outcome"), [("conflicting_targets", "y"), ("conflicting_predictions", "said")]
)
@given(rows=st.lists(ROW, max_size=30))
def test_rows_conflict_where_equal_features_have_several_outcomes(metric, outcome, rows):
    frame = frame_of(rows).dropna(subset=[outcome])
    groups = frame.groupby(["x", "c", "t"], dropna=False)[outcome]
    theirs = sum(len(values) for _, values in groups if len(set(values)) > 1)
    assert told(rows, metric) == theirs


@pytest.mark.parametrize(
    ("metric", "outcome"), [("conflicting_targets", "y"), ("conflicting_predictions", "said")]
)
@given(rows=st.lists(ROW, max_size=30))
def test_with_compat_rows_conflict_whose_features_occur_again_but_not_with_their_outcome(
    metric, outcome, rows
):
    frame, features = frame_of(rows), ["x", "c", "t"]
    again = frame.duplicated(features, keep=False)
    same = frame.duplicated([*features, outcome], keep=False)
    assert told(rows, metric, compat=True) == (again & ~same).sum()


def test_conflicts_that_occur_twice_are_seen_and_with_compat_they_are_not():
    rows = [(1.0, "a", "one", y, 0.5) for y in ("0", "0", "1", "1")]
    assert told(rows, "conflicting_targets") == 4
    assert told(rows, "conflicting_targets", compat=True) == 0


def test_rows_that_wait_for_their_target_contradict_nobody():
    rows = [(1.0, "a", "one", y, 0.5) for y in ("0", None)]
    assert told(rows, "conflicting_targets") == 0


def test_many_columns_are_looked_at_until_no_row_has_a_double(monkeypatch):
    monkeypatch.setattr(conflicts, "NARROW_AFTER", (1, 2, 3))
    rng = np.random.default_rng(0)
    names = [f"f{i}" for i in range(8)]
    frame = pd.DataFrame(rng.integers(0, 2, (200, 8)).astype(float), columns=names)
    frame["y"] = rng.integers(0, 2, 200).astype(float)
    groups = frame.groupby(names)["y"]
    theirs = sum(len(values) for _, values in groups if len(set(values)) > 1)
    schema = schema_of(dict.fromkeys([*names, "y"], "numerical"), tuple(names), target="y")
    found = Figures(evaluated(pa.Table.from_pandas(frame), None, schema, "conflicting_targets"))
    assert found.value("conflicting_targets", compat=False) == theirs > 0


@pytest.mark.parametrize("role", ["target", "prediction"])
def test_a_model_without_target_or_prediction_is_refused(role):
    with pytest.raises(PlanError, match=f"the model has no {role}: give columns.{role}"):
        make_plan((), schema_of({"x": "numerical"}), tests=[f"conflicting_{role}s"])


def test_a_model_without_features_has_a_reason():
    schema = schema_of({"y": "numerical"}, ("-",), target="y")
    (row,) = evaluated(pa.table({"y": [1.0]}), None, schema, "conflicting_targets").metrics
    assert row.error == "the model has no features"


def test_a_feature_that_is_gone_is_named():
    table = pa.table({"x": [1.0], "c": ["a"], "y": ["0"]})
    (row,) = evaluated(table, None, SCHEMA, "conflicting_targets").metrics
    assert row.error == "column 't': the batch has no such column"


def test_a_test_wants_none_and_waits_for_the_target():
    plan = make_plan((), SCHEMA, tests=["conflicting_targets"])
    assert plan.needs_target
    rows = {"x": [1.0, 1.0], "c": ["a", "a"], "t": ["z", "z"], "y": ["0", "1"], "said": [1.0, 1.0]}
    for mode in ("directional", "evidently"):
        snapshot = evaluated(
            pa.table(rows), None, SCHEMA, tests=["conflicting_targets", "conflicting_predictions"],
            automatic_tests=mode, min_rows=0,
        )  # fmt: skip
        assert [(t.value, t.status) for t in snapshot.tests] == [(2, "fail"), (0, "success")]
