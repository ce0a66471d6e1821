"""Descriptors of 6,444 dated tweets and their drift: Evidently's own scores.

Of the tweets only their shapes are kept, which is all that these four descriptors read: white
space, exclamation marks and the beginnings of links as they were, all else an `x`.
"""

from __future__ import annotations

from functools import cache

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from golden.evaluations import HERE, Figures, batch_of, evaluated, golden, near, schema_of

import exporter
from exporter.descriptors import descriptor_columns, with_descriptors

ASKED = {
    "text": [
        {"text_length": {"name": "length"}},
        {"word_count": {"name": "words"}},
        {"contains_link": {"name": "has_link"}},
        {"regexp_count": {"pattern": "!", "name": "exclaims"}},
    ]
}
NUMERICAL = ("length", "words", "exclaims")
MONTHS = golden("tweets_text.json")["batches"]


def described(wanted: pa.ChunkedArray | pa.Array) -> pa.Table:
    """The descriptors of some of the tweets."""
    tweets = pq.read_table(HERE / "tweet_shapes.parquet").filter(wanted)
    columns, problems = descriptor_columns(ASKED, {"text": "text", "month": None})
    assert problems == []
    batch = with_descriptors(batch_of(tweets), columns)
    return pa.table({column.name: batch.read(column.name) for column in columns})


def tweets(wanted: pa.ChunkedArray | pa.Array) -> pa.Table:
    """The texts of some of the tweets."""
    return pq.read_table(HERE / "tweet_shapes.parquet", columns=["text"]).filter(wanted)


@cache
def figures(month: str) -> Figures:
    months = pc.cast(pq.read_table(HERE / "tweet_shapes.parquet")["month"], pa.string())
    current = described(pc.equal(months, month))
    reference = described(pc.less_equal(months, "2016-03"))
    kinds = {f"text.{name}": "numerical" for name in NUMERICAL} | {"text.has_link": "categorical"}
    metrics = ("row_count", "mean", "column_drift", {"category_ratio": {"columns": "categorical"}})
    return Figures(evaluated(current, reference, schema_of(kinds), *metrics))


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("name", NUMERICAL)
def test_the_means_are_the_golden_ones(month, name):
    wanted, row = MONTHS[month][f"descriptor:{name}"], figures(month).row("mean", f"text.{name}")
    assert figures(month).value("row_count") == MONTHS[month]["rows"]
    assert near(row.value, wanted["mean"])
    assert near(row.reference, wanted["mean_ref"])


def test_the_preset_of_texts_describes_and_compares_the_same():
    months = pc.cast(pq.read_table(HERE / "tweet_shapes.parquet")["month"], pa.string())
    current, reference = (
        tweets(pc.equal(months, "2016-06")),
        tweets(pc.less_equal(months, "2016-03")),
    )
    preset = {"text": {"descriptors": ASKED["text"]}}
    snapshot = exporter.evaluate(
        current, reference, metrics=[preset], columns={"text": ["text"]},
        automatic_tests="evidently",
    )  # fmt: skip
    found = Figures(snapshot)
    for name in (*NUMERICAL, "has_link"):
        wanted, row = MONTHS["2016-06"][f"descriptor:{name}"], found.drift[f"text.{name}"]
        assert row.method == wanted["name"]
        assert near(row.score, wanted["score"])
        if name in NUMERICAL:
            assert near(found.row("mean", f"text.{name}").value, wanted["mean"])
    texts = MONTHS["2016-06"]["text_drift:all_authors"]
    assert (found.drift["text"].method, found.drift["text"].threshold) == (
        texts["name"],
        texts["threshold"],
    )


@pytest.mark.parametrize("month", MONTHS)
def test_the_shares_of_links_are_the_golden_ones(month):
    wanted = MONTHS[month]["descriptor:has_link"]
    rows = figures(month).snapshot.metrics
    (row,) = [r for r in rows if r.metric == "category_ratio" and r.label == "true"]
    assert near(row.value, wanted["mean"])
    assert near(row.reference, wanted["mean_ref"])


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("name", [*NUMERICAL, "has_link"])
def test_descriptors_drift_as_any_column(month, name):
    wanted, row = MONTHS[month][f"descriptor:{name}"], figures(month).drift[f"text.{name}"]
    assert row.method == wanted["name"]
    assert near(row.score, wanted["score"])
    assert row.drifted == wanted["drifted"]
