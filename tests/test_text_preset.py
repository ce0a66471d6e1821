"""The preset `text`: texts are described, summed up and compared, whether anybody declared descriptors or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import exporter
from exporter.errors import PlanError
from exporter.plan.describing import USUAL, Describing, wishes
from exporter.snapshot import Snapshot

COLUMNS = {"text": ["comment", "answer"], "numerical": ["stars"]}
WORDS = ("good", "bad", "refund", "late", "price", "order", "zzgh")
ONLY_LENGTH = {"text": {"columns": ["comment"], "descriptors": ["text_length"]}}
SUMMED_UP = {
    "missing_count", "missing_ratio", "unique_count", "most_common_ratio", "min", "max", "mean",
    "std", "quantile",
}  # fmt: skip
START = datetime(2026, 3, 1, tzinfo=UTC)
CONFIG = """
project: shop
store: {store}
models:
  reviews:
    source: {{path: "reviews-*.parquet"}}
    reference: {reference}
    columns: {columns}
    evaluations:
      inputs: {{metrics: [data_summary, data_drift]}}
      texts: {{metrics: [{{text: {{descriptors: [text_length]}}}}], tests: [{{mean: {{columns: descriptors, lt: 400}}}}]}}
"""


def reviews(seed: int, rows: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(seed)

    def text() -> str:
        return " ".join(rng.choice(WORDS, rng.integers(1, 9)))

    return pd.DataFrame(
        {
            "at": [START + timedelta(days=seed, minutes=m) for m in range(rows)],
            "comment": [text() for _ in range(rows)],
            "answer": [text() + "." for _ in range(rows)],
            "stars": rng.normal(3, 1, rows),
        }
    )


def evaluated(*metrics: Any, **options: Any) -> Snapshot:
    given = {"columns": COLUMNS, **options}
    return exporter.evaluate(reviews(2), reviews(1), metrics=list(metrics), **given)


def figures(snapshot: Snapshot, column: str) -> set[str]:
    return {row.metric for row in snapshot.metrics if row.column == column}


def names(snapshot: Snapshot) -> set[str]:
    """Columns with a figure or a drift."""
    return {row.column for row in (*snapshot.metrics, *snapshot.drift)} - {""}


def test_texts_without_descriptors_get_the_usual_ones():
    snapshot = evaluated("text")
    for text in ("comment", "answer"):
        assert figures(snapshot, text) == {"missing_count", "missing_ratio", "empty_text_count"}
        for name in USUAL:
            assert figures(snapshot, f"{text}.{name}") == SUMMED_UP
    described = {f"{text}.{name}" for text in ("comment", "answer") for name in USUAL}
    assert {row.column for row in snapshot.drift} == {"comment", "answer"} | described
    assert not [row for row in (*snapshot.metrics, *snapshot.drift) if row.error]


def test_the_figures_are_those_of_the_texts():
    snapshot = evaluated("text")
    (mean,) = [
        r for r in snapshot.metrics if (r.metric, r.column) == ("mean", "comment.text_length")
    ]
    assert mean.value == pytest.approx(reviews(2)["comment"].str.len().mean())
    assert mean.reference == pytest.approx(reviews(1)["comment"].str.len().mean())


def test_texts_and_their_descriptors_are_compared_by_methods_of_their_own():
    snapshot = evaluated({"text": {"method": "psi"}})
    methods = {row.column: row.method for row in snapshot.drift}
    assert methods["comment.text_length"] == "psi"
    assert methods["comment"] == "perc_text_content_drift"
    other = evaluated({"text": {"method": "abs_text_content_drift", "words": True}})
    methods = {row.column: row.method for row in other.drift}
    assert methods["comment.text_length"] == "ks"
    assert methods["comment"] == "abs_text_content_drift"


def test_a_threshold_without_a_method_is_that_of_descriptors():
    snapshot = evaluated({"text": {"threshold": 0.3}})
    told = {row.column: row.method for row in snapshot.drift}
    assert told["comment.text_length"] == "wasserstein"
    assert told["comment"] == "perc_text_content_drift"


def test_declared_descriptors_stand_in_for_the_usual_ones_of_their_text():
    snapshot = evaluated("text", descriptors={"comment": [{"contains": {"items": ["refund"]}}]})
    found = {name for name in names(snapshot) if name.startswith("comment.")}
    assert found == {"comment.contains"}
    assert "category_ratio" in figures(snapshot, "comment.contains")
    assert "answer.text_length" in names(snapshot)


def test_columns_and_descriptors_can_be_chosen():
    assert names(evaluated(ONLY_LENGTH)) == {"comment", "comment.text_length"}


def test_chosen_descriptors_join_declared_ones_and_are_the_only_ones_looked_at():
    declared = {"comment": ["word_count", {"text_length": {"name": "letters"}}]}
    snapshot = evaluated(
        {"text": {"columns": ["comment"], "descriptors": ["word_count", "sentence_count"]}},
        descriptors=declared,
    )
    assert names(snapshot) == {"comment", "comment.word_count", "comment.sentence_count"}


def test_a_single_column_that_describes_a_text_can_be_chosen():
    snapshot = evaluated(
        {"text": {"columns": ["comment.word_count"]}},
        descriptors={"comment": ["word_count", "text_length"]},
    )
    assert names(snapshot) == {"comment.word_count"}


def test_without_a_reference_there_are_summaries_only():
    snapshot = exporter.evaluate(reviews(2), metrics=[ONLY_LENGTH], columns=COLUMNS)
    assert figures(snapshot, "comment.text_length") == SUMMED_UP
    assert snapshot.drift == ()


def test_inferred_texts_are_described_too():
    snapshot = exporter.evaluate(reviews(2), reviews(1), metrics=["text"])
    assert "comment.text_length" in names(snapshot)


def test_frames_and_paths_give_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for seed in (1, 2):
        reviews(seed).to_parquet(tmp_path / f"{seed}.parquet", index=False)
    for metrics in (["text"], [ONLY_LENGTH], ["text"]):  # what was kept of one is not the other's
        by_path = exporter.evaluate(
            tmp_path / "2.parquet", tmp_path / "1.parquet", metrics=metrics, columns=COLUMNS
        )
        by_frame = evaluated(*metrics)
        assert by_path.metrics == by_frame.metrics
        assert by_path.drift == by_frame.drift


def test_a_reference_that_was_profiled_without_descriptors_says_what_to_do():
    reference = exporter.profile_reference(reviews(1), columns=COLUMNS)
    with pytest.raises(PlanError, match=r"metrics.0: .*profiled without descriptors of 'comment'"):
        exporter.evaluate(reviews(2), reference, metrics=["text"])
    described = exporter.profile_reference(
        reviews(1), columns=COLUMNS, descriptors={"comment": ["text_length"]}
    )
    assert exporter.evaluate(reviews(2), described, metrics=[ONLY_LENGTH]).drift
    with pytest.raises(PlanError, match="without descriptors of 'answer'"):
        exporter.evaluate(reviews(2), described, metrics=["text"])


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"text": {"columns": ["coment"]}}, r"metrics.0.text.columns.0: .*did you mean 'comment'"),
        ({"text": {"columns": ["stars"]}}, r"'stars' is no text of the model"),
        ({"text": {"columns": []}}, r"metrics.0.text.columns: expected a list of texts"),
        ({"text": {"descriptors": ["text_lenght"]}}, r"text.descriptors.0: .*'text_length'"),
        ({"text": {"descriptors": [{"contains": {}}]}}, r"text.descriptors.0.contains: .*'items'"),
        ({"text": {"descriptors": "text_length"}}, r"text.descriptors: expected a list"),
        ({"text": {"descriptor": []}}, r"metrics.0.text.descriptor: .*did you mean 'descriptors'"),
    ],
)
def test_a_mistake_has_its_place_and_the_nearest_name(entry, text):
    with pytest.raises(PlanError, match=text):
        evaluated(entry)


def test_without_texts_the_preset_is_refused():
    with pytest.raises(PlanError, match=r"metrics.0: the model has no text columns: list them"):
        evaluated("text", columns={"numerical": ["stars"]})


@pytest.mark.parametrize("entry", ["TextEvals", {"TextOverviewPreset": {"column_name": "comment"}}])
def test_evidentlys_names_describe_as_ours_does(entry):
    with pytest.warns(UserWarning, match="text.* here"):
        found = evaluated(entry)
    assert "comment.text_length" in names(found)
    assert ("answer.text_length" in names(found)) == (entry == "TextEvals")


def test_descriptors_are_asked_for_once_however_many_presets_do():
    asked = wishes([ONLY_LENGTH, "text", "data_drift", {"mean": None}, 7, {"text": 7}])
    kinds: Any = {"comment": "text", "stars": "numerical"}
    columns, problems = Describing({}, asked).columns(kinds, None)
    assert [c.name for c in columns] == [f"comment.{name}" for name in USUAL]
    assert problems == []


@pytest.mark.parametrize("reference", ["{rolling: 7d}", "{path: train.parquet}"])
@pytest.mark.parametrize("columns", ["{time: at, text: [comment, answer]}", "{time: at}"])
def test_only_the_evaluation_that_asks_sees_what_texts_are_described_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str, reference: str, columns: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for day in range(2):
        reviews(day).to_parquet(tmp_path / f"reviews-{day}.parquet", index=False)
    reviews(9).to_parquet(tmp_path / "train.parquet", index=False)
    path = tmp_path / "shop.yaml"
    path.write_text(CONFIG.format(store=database, reference=reference, columns=columns))
    found = exporter.load(path).run(now=START + timedelta(days=20))
    last = {snapshot.evaluation: snapshot for snapshot in found[-2:]}
    texts = {"comment", "answer", "comment.text_length", "answer.text_length"}
    assert names(last["texts"]) == texts
    assert {row.column for row in last["texts"].drift if row.error is None} == texts
    assert [test.status for test in last["texts"].tests] == ["success", "success"]
    assert not [name for name in names(last["inputs"]) if "." in name]
    (mean,) = [
        r for r in last["texts"].metrics if (r.metric, r.column) == ("mean", "answer.text_length")
    ]
    assert mean.value == pytest.approx(reviews(1)["answer"].str.len().mean())
