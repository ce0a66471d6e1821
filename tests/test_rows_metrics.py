"""Metrics that read rows: pairs of columns, reference figures kept, roles that wait for labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

import exporter
from exporter.metrics import CATALOGUE, _registry, metric
from exporter.profile.rows import Rows
from exporter.snapshot import Snapshot

calls: list[int] = []


def frame(seed: int, rows: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows), "c": ["x"] * rows})


@pytest.fixture(autouse=True)
def entered() -> Iterator[None]:
    """Two metrics for these tests, taken out of the catalogue again."""

    @metric(per="pair", unit="value")
    def sum_of_pairs(rows: Rows) -> dict[tuple[str, str], float]:
        """Sum of the products."""
        calls.append(rows.count)
        names = rows.of_kind("numerical")
        return {
            (a, b): float(rows.floats(a) @ rows.floats(b)) for a in names for b in names if a < b
        }

    @metric(per="dataset", unit="value")
    def row_gap(rows: Rows, reference: Rows) -> float:
        """Rows more than in the reference."""
        return rows.count - reference.count

    calls.clear()
    yield
    for name in ("sum_of_pairs", "row_gap"):
        _registry._specs.pop(name)
    assert "row_gap" not in CATALOGUE


def figure(snapshot: Snapshot, name: str) -> list[tuple[str, str, float | None, float | None]]:
    return [(m.column, m.label, m.value, m.reference) for m in snapshot.metrics if m.metric == name]


def test_a_pair_has_the_one_column_as_column_and_the_other_as_label() -> None:
    current, reference = frame(1), frame(2)
    found = exporter.evaluate(current, reference, metrics=["sum_of_pairs"])
    ((column, label, value, beside),) = figure(found, "sum_of_pairs")
    assert (column, label) == ("a", "b")
    assert value == pytest.approx((current["a"] * current["b"]).sum())
    assert beside == pytest.approx((reference["a"] * reference["b"]).sum())


def test_columns_choose_the_pairs() -> None:
    found = exporter.evaluate(frame(1), metrics=[{"sum_of_pairs": {"columns": ["a", "c"]}}])
    assert figure(found, "sum_of_pairs") == []


def test_a_reference_s_figures_are_computed_once() -> None:
    reference = exporter.profile_reference(frame(2, rows=60))
    for seed in range(3):
        exporter.evaluate(frame(seed), reference, metrics=["sum_of_pairs"])
    assert calls.count(60) == 1
    assert calls.count(50) == 3


def test_rows_are_compared_with_rows() -> None:
    found = exporter.evaluate(frame(1), frame(2, rows=60), metrics=["row_gap"])
    assert figure(found, "row_gap") == [("", "", -10.0, None)]


def test_without_a_reference_there_is_nothing_to_compare() -> None:
    assert figure(exporter.evaluate(frame(1), metrics=["row_gap"]), "row_gap") == []


def test_a_column_that_is_gone_is_named() -> None:
    @metric(per="dataset", unit="value")
    def reads_gone(rows: Rows) -> float:
        """Whatever."""
        return float(rows.floats("gone").sum())

    try:
        found = exporter.evaluate(frame(1), metrics=["reads_gone"])
    finally:
        _registry._specs.pop("reads_gone")
    assert found.metrics[0].error == "column 'gone': the batch has no such column"


def test_a_path_s_reference_is_read_when_a_metric_asks(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", folder)
    frame(2).to_parquet(f"{folder}/reference.parquet")
    by_path = exporter.evaluate(frame(1), f"{folder}/reference.parquet", metrics=["sum_of_pairs"])
    by_frame = exporter.evaluate(frame(1), frame(2), metrics=["sum_of_pairs"])
    assert figure(by_path, "sum_of_pairs") == figure(by_frame, "sum_of_pairs")
