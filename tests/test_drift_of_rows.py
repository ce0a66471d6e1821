"""Drift of what no profile holds, texts and vectors: from data at the door to rows and tests of a snapshot."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from golden.unstructured import texts, vectors

import exporter
from exporter.errors import PlanError
from exporter.snapshot import DriftRow, Snapshot, content_hash, from_dict

SETS = {"picture": ["e0", "e1", "e2"]}
COLUMNS = {"numerical": ["age"], "text": ["said", "heard"], "embeddings": SETS}
ASKED = ["data_drift", "embeddings_drift"]


def table(rows: int, shift: float, seed: int) -> pa.Table:
    told = vectors(rows, 5 * shift, seed)
    columns = {f"e{i}": told[:, i] for i in range(3)}
    age = pa.array(told[:, 7])
    said, heard = texts(rows, shift, seed), texts(rows, 0, seed + 10)
    return pa.table({"age": age, "said": said, "heard": heard, **columns})


BATCH, REFERENCE = table(500, 0.5, 1), table(1200, 0, 2)


def evaluated(current: Any = BATCH, reference: Any = REFERENCE, **options: Any) -> Snapshot:
    return exporter.evaluate(
        current, reference, **{"metrics": ASKED, "columns": COLUMNS, **options}
    )


def drift(snapshot: Snapshot) -> dict[str, DriftRow]:
    return {row.column: row for row in snapshot.drift}


def figure(snapshot: Snapshot, metric: str) -> float | None:
    return next(row.value for row in snapshot.metrics if row.metric == metric)


def test_a_declared_text_is_a_feature_whose_drift_is_told_beside_the_others():
    snapshot = evaluated()
    rows = drift(snapshot)
    assert list(rows) == ["age", "said", "heard", "picture"]
    assert [rows[c].type for c in rows] == ["numerical", "text", "text", "embedding"]
    assert rows["said"].drifted
    assert not rows["heard"].drifted
    missing = BATCH["said"].null_count
    assert (rows["said"].n, rows["said"].reference_n) == (500 - missing, 1200 - REFERENCE["said"].null_count)  # fmt: skip


def test_embeddings_are_not_counted_among_the_drifted_columns():
    snapshot = evaluated()
    rows = drift(snapshot)
    assert rows["picture"].drifted
    counted = [rows[c].drifted for c in ("age", "said", "heard")]
    assert figure(snapshot, "drifted_columns") == sum(counted)
    assert figure(snapshot, "drifted_columns_ratio") == sum(counted) / 3
    alone = evaluated(metrics=["data_drift"])
    assert figure(alone, "drifted_columns") == sum(counted)


def test_a_text_that_nobody_declared_is_no_feature():
    words = pa.table({"said": [f"text {i}" for i in range(300)], "age": np.arange(300.0)})
    snapshot = exporter.evaluate(words, words, metrics=["data_drift"])
    assert list(drift(snapshot)) == ["age"]
    asked = [{"column_drift": {"columns": ["said"]}}]
    assert drift(exporter.evaluate(words, words, metrics=asked))["said"].type == "text"


def test_raw_texts_stay_out_of_the_snapshot_unless_their_words_are_asked_for():
    assert drift(evaluated())["said"].contributions is None
    asked = [{"column_drift": {"columns": ["said"], "words": True}}]
    told = drift(evaluated(metrics=asked))["said"].contributions
    known = {word for text in texts(500, 0.5, 1) if text for word in text.split()}
    assert {x["word"] for x in told if x["of"] == "batch"} <= known
    assert "heard" not in drift(evaluated(metrics=asked))


def test_tests_of_texts_and_embeddings_are_judged_by_their_threshold():
    tests = [{"column_drift": {"columns": "text"}}, "embeddings_drift"]
    results = {r.column: r for r in evaluated(tests=tests).tests}
    assert {c: r.status for c, r in results.items()} == {
        "said": "fail", "heard": "success", "picture": "fail",
    }  # fmt: skip
    assert results["picture"].metric == "embeddings_drift"
    assert results["picture"].upper == 0.55
    assert results["said"].message.startswith("abs_text_content_drift 0.")


def test_a_condition_on_the_score_is_heard():
    tests = [{"embeddings_drift": {"columns": ["picture"], "lt": 2}}]
    (result,) = evaluated(tests=tests).tests
    assert (result.status, result.upper) == ("success", 2)


def test_without_a_reference_there_is_no_drift_and_a_test_of_it_is_skipped():
    snapshot = evaluated(reference=None, tests=["embeddings_drift"])
    assert snapshot.drift == ()
    assert [r.status for r in snapshot.tests] == ["skipped"]


def test_a_column_that_is_gone_costs_its_own_row_only():
    rows = drift(evaluated(BATCH.drop_columns(["said", "e1"])))
    assert rows["said"].error == "the batch has no such column"
    assert rows["picture"].error == "column 'e1': the batch has no such column"
    assert rows["heard"].error is None
    rows = drift(evaluated(reference=REFERENCE.drop_columns(["said", "e1"])))
    assert rows["said"].error == "the reference has no such column"
    assert rows["picture"].error == "column 'e1': the reference has no such column"


def test_a_method_that_fails_costs_its_own_row_only():
    same = pa.array(["the"] * 500)
    current = BATCH.set_column(1, "said", same)
    rows = drift(evaluated(current, REFERENCE.set_column(1, "said", pa.array(["the"] * 1200))))
    assert rows["said"].error.startswith("no word, stop words aside")
    assert rows["heard"].error is None


def test_a_reference_of_which_only_the_profile_is_left_says_so():
    profile = replace(exporter.profile_reference(REFERENCE, columns=COLUMNS), rows=None)
    rows = drift(evaluated(reference=profile))
    wanted = "is read from the rows themselves, and those of the reference are not at hand"
    assert rows["said"].error == f"abs_text_content_drift {wanted}"
    assert rows["picture"].error == f"embedding_model {wanted}"
    assert rows["age"].error is None


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_files_are_read_again_for_their_texts_and_vectors(form: str, tmp_path: Path):
    paths = tmp_path / f"batch.{form}", tmp_path / f"reference.{form}"
    write = pq.write_table if form == "parquet" else pa.csv.write_csv
    for path, told in zip(paths, (BATCH, REFERENCE), strict=True):
        write(told, path)
    for _ in range(2):  # the second time with the profile that the first one kept
        rows = drift(evaluated(*paths))
        assert rows["picture"] == drift(evaluated())["picture"]
        if form == "parquet":
            assert rows == drift(evaluated())


def test_neither_texts_nor_vectors_are_kept_with_a_reference_s_profile(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "reference.parquet"
    pq.write_table(REFERENCE, path)
    evaluated(reference=path)
    kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert kept
    word = max(texts(1200, 0, 2), key=lambda text: len(text or "")).encode()
    assert not any(word in content for content in kept)


def test_components_of_vectors_are_no_columns_of_their_own():
    columns = {"embeddings": SETS}
    snapshot = exporter.evaluate(BATCH, REFERENCE, columns=columns, metrics=["mean", *ASKED])
    assert {row.column for row in snapshot.metrics if row.metric == "mean"} == {"age"}
    both = {"numerical": ["age", "e0"], "embeddings": SETS}
    snapshot = exporter.evaluate(BATCH, REFERENCE, columns=both, metrics=["mean"])
    assert {row.column for row in snapshot.metrics} == {"age", "e0"}


@pytest.mark.parametrize(
    ("sets", "reason"),
    [
        ({"picture": []}, "the embeddings 'picture' have no columns"),
        ({"picture": "e0"}, "'picture' should be a list of column names"),
        (["e0"], "'embeddings' should be {name: "),
        ({"age": ["e0"]}, "'age' is the name of a column and of embeddings"),
        ({"picture": ["e0", "e9"]}, "columns that the data does not have: e9"),
    ],
)
def test_wrong_declarations_of_embeddings_are_refused(sets, reason):
    with pytest.raises(PlanError, match=reason):
        evaluated(columns={"numerical": ["age"], "embeddings": sets})


def test_the_snapshot_survives_json_and_shows_itself():
    asked = [{"column_drift": {"columns": ["said"], "words": True}}, "embeddings_drift"]
    snapshot = evaluated(metrics=asked, tests=["embeddings_drift"])
    again = from_dict(json.loads(snapshot.to_json()))
    assert content_hash(again) == content_hash(snapshot)
    page = snapshot._repr_html_()
    assert "picture" in page
    assert "embedding_model" in page


def test_the_same_data_gives_the_same_snapshot():
    assert content_hash(evaluated()) == content_hash(evaluated())
