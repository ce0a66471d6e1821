"""Texts from files to the store: descriptors as columns of batches and of every kind of reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import exporter
from exporter.errors import PlanError
from exporter.snapshot import Snapshot

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 20, tzinfo=UTC)
WORDS = ("good", "bad", "refund", "late", "price", "order")
ASKED = {"comment": ["text_length", {"contains": {"items": ["refund"], "name": "asks_refund"}}]}
CONFIG = """
project: shop
store: {store}
models:
  reviews:
    source: {{path: "reviews-*.parquet"}}
    reference: {reference}
    columns: {{time: at, text: [comment], numerical: [stars], categorical: [city]}}
    descriptors: {{comment: [text_length, {{contains: {{items: [refund], name: asks_refund}}}}]}}
    segments: {{city: {{max: 2, min_rows: 0}}}}
    evaluations:
      inputs:
        metrics: [data_summary, data_drift, {{category_count: {{columns: [comment.asks_refund]}}}}]
        tests: [{{missing_ratio: {{columns: [comment.text_length], eq: 0}}}}]
"""


def reviews(day: int, rows: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(day)
    return pd.DataFrame(
        {
            "at": [START + timedelta(days=day, minutes=m) for m in range(rows)],
            "comment": [" ".join(rng.choice(WORDS, rng.integers(1, 6))) for _ in range(rows)],
            "stars": rng.normal(3, 1, rows),
            "city": rng.choice(["Rome", "Oslo"], rows),
        }
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for day in range(3):
        reviews(day).to_parquet(tmp_path / f"reviews-{day}.parquet", index=False)
    return tmp_path


def run(folder: Path, store: str, reference: str) -> list[Snapshot]:
    path = folder / "shop.yaml"
    path.write_text(CONFIG.format(store=store, reference=reference))
    return exporter.load(path).run(now=NOW)


def value(snapshot: Snapshot, metric: str, column: str, label: str = "") -> float | None:
    found = (
        m for m in snapshot.metrics if (m.metric, m.column, m.label) == (metric, column, label)
    )
    return next(found).value


@pytest.mark.parametrize("reference", ["{rolling: 7d}", "{previous: 1}", "{path: train.parquet}"])
def test_descriptors_are_columns_of_batches_segments_and_references(
    folder: Path, database: str, reference: str
) -> None:
    reviews(9).to_parquet(folder / "train.parquet", index=False)
    found = run(folder, database, reference)
    last = found[-3:]
    assert [s.segment for s in last] == ["", "city=Oslo", "city=Rome"] or [
        s.segment for s in last
    ] == ["", "city=Rome", "city=Oslo"]
    comments = reviews(2)["comment"]
    assert value(last[0], "mean", "comment.text_length") == pytest.approx(comments.str.len().mean())
    asks = float(comments.str.contains("refund").sum())
    assert value(last[0], "category_count", "comment.asks_refund", "true") == asks
    assert {d.column for d in last[0].drift} >= {"comment.text_length", "comment.asks_refund"}
    assert all(d.error is None for d in last[0].drift)
    assert {s.status for s in last} == {"success"}
    parts = [value(s, "category_count", "comment.asks_refund", "true") or 0 for s in last[1:]]
    assert sum(parts) == asks


def test_other_options_of_a_descriptor_give_another_reference(folder: Path, database: str) -> None:
    reviews(9).to_parquet(folder / "train.parquet", index=False)
    first = run(folder, database, "{path: train.parquet}")[0]
    other = CONFIG.replace("[refund]", "[good]").format(
        store=database, reference="{path: train.parquet}"
    )
    (folder / "shop.yaml").write_text(other)
    again = exporter.load(folder / "shop.yaml").run(now=NOW, force=True)[0]

    def beside(snapshot: Snapshot) -> list[float | None]:
        return [m.reference for m in snapshot.metrics if m.metric == "category_count"]

    comments = reviews(9)["comment"]
    assert float(comments.str.contains("refund").sum()) in beside(first)
    assert float(comments.str.contains("good").sum()) in beside(again)


def test_raw_text_is_neither_kept_nor_cached(folder: Path, database: str) -> None:
    marked = reviews(1).assign(comment="unmistakable-text")
    marked.to_parquet(folder / "reviews-1.parquet", index=False)
    found = run(folder, database, "{rolling: 7d}")
    assert "unmistakable-text" not in "".join(s.to_json() for s in found)
    cached = [p for p in (folder / "cache").rglob("*") if p.is_file()]
    assert cached
    assert not [p for p in cached if b"unmistakable-text" in p.read_bytes()]


def test_the_api_describes_frames_and_paths_alike(folder: Path) -> None:
    columns = {"text": ["comment"], "numerical": ["stars"]}
    asked = {"metrics": ["data_summary", "data_drift"], "columns": columns, "descriptors": ASKED}
    by_frame = exporter.evaluate(reviews(1), reviews(0), **asked)
    by_path = exporter.evaluate(folder / "reviews-1.parquet", folder / "reviews-0.parquet", **asked)
    assert by_frame.metrics == by_path.metrics
    assert by_frame.drift == by_path.drift
    reference = exporter.profile_reference(reviews(0), columns=columns, descriptors=ASKED)
    again = exporter.evaluate(reviews(1), reference, metrics=asked["metrics"])
    assert again.drift == by_frame.drift


def test_without_a_reference_texts_are_described_too() -> None:
    found = exporter.evaluate(reviews(1), metrics=["mean"], descriptors=ASKED)
    length = reviews(1)["comment"].str.len().mean()
    assert value(found, "mean", "comment.text_length") == pytest.approx(length)


def test_a_text_column_that_is_gone_costs_only_its_descriptors() -> None:
    columns = {"text": ["comment"], "numerical": ["stars"]}
    found = exporter.evaluate(
        reviews(1).drop(columns="comment"),
        reviews(0),
        metrics=["mean"],
        columns=columns,
        descriptors=ASKED,
    )
    errors = {m.column: m.error for m in found.metrics if m.metric == "mean"}
    assert errors["stars"] is None
    assert "'comment'" in (errors["comment.text_length"] or "")


def test_a_misspelt_descriptor_suggests_the_nearest() -> None:
    with pytest.raises(PlanError, match=r"descriptors.comment.0: .*did you mean 'text_length'"):
        exporter.evaluate(reviews(1), metrics=["mean"], descriptors={"comment": ["text_lenth"]})
