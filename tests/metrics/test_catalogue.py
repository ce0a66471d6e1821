"""What must hold of every metric, also of one that is entered tomorrow."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import isfinite

import numpy as np
import pyarrow as pa
import pytest
from golden.evaluations import reference_of
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics.everything import (
    KINDS,
    TASKS,
    TYPES,
    by_figure,
    differences,
    drift_differences,
    errors,
    evaluated,
    everything,
    had_by,
    rows,
    some_rows,
    table,
)

from exporter.evaluation import merge_references
from exporter.metrics import CATALOGUE
from exporter.metrics.drift import DriftRows
from exporter.snapshot import Snapshot, content_hash, from_dict

tasks = st.sampled_from(sorted(TASKS))
few = settings(max_examples=25)  # of everything: each takes a tenth of a second


def unforeseen(snapshot: Snapshot) -> list[str]:
    """Reasons that are a fault of the program, not of the data."""
    reasons = [row.error for row in (*snapshot.metrics, *snapshot.drift) if row.error]
    return [
        reason for reason in reasons if re.match(r"[A-Za-z]+(Error|Warning|Exception)\b", reason)
    ]


def assert_sound(snapshot: Snapshot) -> None:
    """Figures are finite or have a reason, shares are shares, and nothing is below none."""
    assert unforeseen(snapshot) == []
    for row in snapshot.metrics:
        assert (row.value is None) == (row.error is not None), row
        for x in (row.value, row.reference):
            assert x is None or isfinite(x), row
            unit = CATALOGUE[row.metric].unit
            assert x is None or unit != "ratio" or 0 <= x <= 1, row
            assert x is None or unit not in ("rows", "columns") or x >= 0, row
    for drift in snapshot.drift:
        assert (drift.score is None) == (drift.error is not None), drift
        assert drift.score is None or isfinite(drift.score), drift


@pytest.mark.parametrize("metric", CATALOGUE)
def test_every_metric_has_help_that_a_user_can_read_and_a_sound_gauge(metric):
    spec = CATALOGUE[metric]
    assert spec.help[0].isupper()
    assert spec.help.endswith(".")
    assert re.fullmatch(r"evaluation_[a-z0-9_]+", spec.gauge)
    assert not spec.gauge.endswith(("_count", "_sum", "_bucket", "_total", "_info"))


def test_no_two_metrics_share_a_gauge():
    gauges = [spec.gauge for spec in CATALOGUE.values()]
    assert len(set(gauges)) == len(gauges)


@few
@given(rows, rows, tasks)
def test_whatever_the_rows_hold_figures_are_sound(current, reference, task):
    assert_sound(evaluated(table(current), table(reference), task))


@few
@given(rows, tasks)
def test_whatever_the_rows_hold_figures_without_reference_are_sound(current, task):
    snapshot = evaluated(table(current), None, task)
    assert_sound(snapshot)
    compared = {s.id for s in CATALOGUE.values() if s.compares and not s.alone}
    assert not compared & {row.metric for row in snapshot.metrics}


@few
@given(some_rows, tasks)
def test_identical_samples_do_not_differ(told, task):
    snapshot = evaluated(table(told), table(told), task)
    for row in snapshot.metrics:
        spec = CATALOGUE[row.metric]
        if (spec.compares and not spec.alone) or row.metric.startswith("drifted"):
            assert row.value in (0, None), row
        elif DriftRows not in spec.reads:
            assert row.reference == row.value, row
    assert not any(row.drifted for row in snapshot.drift)
    assert all(row.error is None or row.error.startswith("no values") for row in snapshot.drift)


@few
@given(some_rows, some_rows, tasks, st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(current, reference, task, seed):
    rng = np.random.default_rng(seed)
    shuffled = [[told[i] for i in rng.permutation(len(told))] for told in (current, reference)]
    one = evaluated(table(current), table(reference), task)
    other = evaluated(*map(table, shuffled), task)
    assert differences(one, other) == []
    assert differences(one, other, "reference") == []
    assert errors(one) == errors(other)
    assert drift_differences(one, other) == []


@few
@given(some_rows, st.integers(2, 4), some_rows, tasks)
def test_a_reference_merged_of_parts_gives_what_the_whole_gives(told, parts, current, task):
    plan, whole = everything(TASKS[task]), table(told * parts)
    size = -(-whole.num_rows // parts)
    cut = [whole.slice(at, size) for at in range(0, whole.num_rows, size)]
    merged = merge_references([reference_of(part, plan, mergeable=True) for part in cut])
    merged = replace(merged, rows=reference_of(whole, plan).rows)  # rows are read, not merged
    one, other = evaluated(table(current), merged, task), evaluated(table(current), whole, task)
    assert differences(one, other) == []
    assert errors(one) == errors(other)
    assert differences(one, other, "reference") == []
    assert drift_differences(one, other) == []


@few
@given(rows, rows, tasks, st.sampled_from(["directional", "evidently"]), st.sampled_from([0, 9]))
def test_whatever_the_rows_hold_every_test_has_a_result(current, reference, task, mode, least):
    snapshot = evaluated(
        table(current), table(reference), task, automatic_tests=mode, min_rows=least
    )
    wanted = {spec.id for spec in had_by(TASKS[task]) if spec.automatic}
    assert {row.metric for row in snapshot.tests} >= wanted
    for row in snapshot.tests:
        assert row.status in ("success", "fail", "error", "skipped")
        assert row.message
        assert all(x is None or isfinite(x) for x in (row.value, row.lower, row.upper)), row
    again = from_dict(json.loads(snapshot.to_json(), parse_constant=pytest.fail))
    assert content_hash(again) == content_hash(snapshot)


@few
@given(some_rows, tasks, st.sampled_from(["directional", "evidently"]))
def test_a_batch_like_its_reference_fails_no_test_that_compares_the_two(told, task, mode):
    snapshot = evaluated(table(told), table(told), task, automatic_tests=mode, min_rows=0)
    alone = {"mean_error", "untested_columns"}  # they look at the batch only
    failed = [row for row in snapshot.tests if row.status == "fail"]
    assert {row.metric for row in failed if row.message != "the figure is infinite"} <= alone


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_batch_has_counts_and_reasons(task):
    snapshot = evaluated(table([]), table([]), task)
    assert_sound(snapshot)
    told = by_figure(snapshot)
    assert told["row_count", "", ""].value == 0
    assert told["mean", "x", ""].error == "no value"


@pytest.mark.parametrize("column", KINDS)
@pytest.mark.parametrize("task", TASKS)
def test_a_column_without_values_has_a_reason_wherever_it_has_no_figure(column, task):
    sound = table(
        [dict.fromkeys(KINDS) | {"x": 1.0, "y": 2.0, "said": 3.0, "late": 1, "p": 0.5}] * 9
    )
    at = sound.column_names.index(column)
    for kind in (TYPES[column], pa.null()):
        emptied = sound.set_column(at, column, pa.nulls(9, kind))
        snapshot = evaluated(emptied, sound, task)
        assert_sound(snapshot)
        assert by_figure(snapshot)["missing_ratio", column, ""].value == 1


@pytest.mark.parametrize("column", KINDS)
@pytest.mark.parametrize("held", [["1.5", "x"], [[1]], [{"a": 1}], [b"\xff\xfe"]], ids=str)
@pytest.mark.parametrize("task", TASKS)
def test_a_column_that_holds_something_else_costs_its_own_figures_only(column, held, task):
    filled = {"x": 1.0, "k": 7, "c": "a", "y": 2.0, "said": 3.0, "late": 1, "p": 0.5}
    sound = table([dict.fromkeys(KINDS) | filled] * 8)
    at = sound.column_names.index(column)
    strange = sound.set_column(at, column, pa.array(held * (8 // len(held))))
    snapshot = evaluated(strange, sound, task)
    assert_sound(snapshot)
    other = "k" if column == "x" else "x"
    assert by_figure(snapshot)["mean", other, ""].error is None
