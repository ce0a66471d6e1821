"""Where a regression errs, beside pandas on rows that miss values."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden.evaluations import Figures, evaluated, schema_of
from hypothesis import given
from hypothesis import strategies as st

from exporter.errors import PlanError
from exporter.metrics import CATALOGUE
from exporter.plan import make_plan
from exporter.presets import METRICS

KINDS = {"x": "numerical", "c": "categorical", "y": "numerical", "said": "numerical"}
SCHEMA = schema_of(KINDS, ("x", "c"), target="y", prediction="said", task="regression")
GROUPS = ("underestimation", "majority", "overestimation")
rows = st.lists(
    st.tuples(
        st.sampled_from([None, 0.0, 1.0, 2.5, -3.0]), st.sampled_from([None, "a", "b", "c"]),
        st.one_of(st.none(), st.floats(-9, 9)), st.one_of(st.none(), st.floats(-9, 9)),
    ),
    min_size=1, max_size=60,
)  # fmt: skip


def table(told: list[tuple]) -> pa.Table:
    kinds = (pa.float64(), pa.string(), pa.float64(), pa.float64())
    columns = zip(*told, strict=True)
    return pa.table(
        {n: pa.array(list(x), k) for n, x, k in zip(KINDS, columns, kinds, strict=True)}
    )


def groups_of(frame: pd.DataFrame, share: float) -> dict[str, pd.DataFrame]:
    error = frame["said"] - frame["y"]
    low, high = error.quantile([share, 1 - share])
    under, over = error <= low, error >= high
    return {
        "": frame,
        **dict(zip(GROUPS, (frame[under], frame[~(under | over)], frame[over]), strict=True)),
    }


def bias(told: list[tuple], share: float) -> Figures:
    options = {"share": share}
    return Figures(
        evaluated(table(told), None, SCHEMA, {"error_bias": options}, {"error_bias_range": options})
    )


@given(rows, st.sampled_from([0.05, 0.2, 0.4]))
def test_a_number_s_means_are_those_of_the_groups(told, share):
    frame = table(told).to_pandas().dropna(subset=["y", "said"])
    figures = bias(told, share)
    if not len(frame):
        assert figures.row("error_bias", "x", "", share=share).error == "no value"
        return
    groups = groups_of(frame, share)
    means = {name: group["x"].mean() for name, group in groups.items()}
    for name, mean in means.items():
        ours = figures.value("error_bias", "x", name, share=share)
        assert ours is None if isnan(mean) else ours == pytest.approx(mean, abs=1e-12)
    spread = frame["x"].max() - frame["x"].min()
    gap = abs(means["overestimation"] - means["underestimation"])
    ours = figures.value("error_bias_range", "x", share=share)
    if isnan(gap):
        assert ours in (None, 0)
    else:
        assert ours == pytest.approx(gap / spread if spread else 0, abs=1e-12)


@given(rows, st.sampled_from([0.05, 0.2, 0.4]))
def test_a_category_s_share_is_that_of_the_most_common_one(told, share):
    frame = table(told).to_pandas().dropna(subset=["y", "said"])
    figures = bias(told, share)
    if not frame["c"].notna().any():
        assert figures.row("error_bias", "c", "", share=share).error == "no value"
        return
    groups = groups_of(frame, share)
    tops = {
        name: group["c"].value_counts().sort_index().idxmax() if group["c"].notna().any() else None
        for name, group in groups.items()
    }
    for name, group in groups.items():
        present = group["c"].dropna()
        ours = figures.value("error_bias", "c", name, share=share)
        theirs = (present == tops[""]).mean() if len(present) else None
        assert ours == pytest.approx(theirs)
    differs = any(tops[x] != tops[""] for x in ("underestimation", "overestimation"))
    assert figures.value("error_bias_range", "c", share=share) == float(differs)


def test_a_feature_that_is_gone_costs_only_its_own_figures():
    told = table([(1.0, "a", 1.0, 2.0)] * 9).drop_columns(["x"])
    figures = Figures(evaluated(told, None, SCHEMA, "error_bias"))
    assert figures.row("error_bias", "x", share=0.05).error == (
        "column 'x': the batch has no such column"
    )
    assert figures.value("error_bias", "c", "", share=0.05) == 1


def test_a_feature_without_values_has_a_reason():
    told = table([(None, "a", 1.0, 2.0), (None, "b", 1.0, 3.0)])
    figures = Figures(evaluated(told, None, SCHEMA, "error_bias", "error_bias_range"))
    assert figures.row("error_bias", "x", "", share=0.05).error == "no value"


def test_features_only_are_told_and_of_those_the_ones_asked_for():
    told = table([(1.0, "a", 1.0, 2.0), (2.0, "b", 1.0, 3.0)])
    everything = evaluated(told, None, SCHEMA, "error_bias")
    assert {row.column for row in everything.metrics} == {"x", "c"}
    some = evaluated(told, None, SCHEMA, {"error_bias": {"columns": ["c"]}})
    assert {row.column for row in some.metrics} == {"c"}


def test_a_test_reads_one_group_or_the_figure_of_all():
    told = table([(float(i), "a", 0.0, float(i % 7)) for i in range(70)])
    tests = [
        {"error_bias": {"columns": ["x"], "lt": 40}},
        {"error_bias_range": {"columns": ["x"], "lt": 0.5}},
        {"error_bias": {"columns": ["x"], "label": "overestimation", "lt": 1, "name": "over"}},
    ]
    snapshot = evaluated(told, None, SCHEMA, tests=tests)
    assert [(t.test, t.label, t.status) for t in snapshot.tests] == [
        ("error_bias", "", "success"), ("error_bias_range", "", "success"),
        ("over", "overestimation", "fail"),
    ]  # fmt: skip


def test_a_classifier_has_no_such_groups():
    schema = schema_of(KINDS, ("x",), target="c", prediction="said", task="binary")
    with pytest.raises(PlanError, match="error_bias is of models with task: regression"):
        make_plan(["error_bias"], schema)


def test_it_reads_the_target_and_stands_in_no_preset():
    assert make_plan(["error_bias"], SCHEMA).needs_target
    assert not {"error_bias", "error_bias_range"} & set(map(str, METRICS["regression"]))
    assert CATALOGUE["error_bias"].options == {"share": 0.05}


def test_infinite_values_are_left_out():
    told = table([(np.inf, "a", 0.0, 1.0), (2.0, "a", 0.0, 2.0), (4.0, "a", 0.0, nan)])
    figures = Figures(evaluated(told, None, SCHEMA, "error_bias"))
    assert figures.value("error_bias", "x", "", share=0.05) == 2
