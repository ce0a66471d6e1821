"""`exporter run` of texts: what they say, and how, beside the days before; half-way they become others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cli.shop import Shop

import exporter

DAYS, CHANGED, ROWS = 11, 7, 72
START = datetime(2026, 1, 10, tzinfo=UTC)
PLACE = "America/New_York"
OLD = "order parcel price refund late shop store box item stamp courier address"
NEW = "login password screen crash update phone battery account browser error button menu"
FILL = "please thank today really again still never maybe often always quite soon"
DESCRIBED = ["text_length", {"contains": {"items": ["refund"], "name": "asks_refund"}}]
CONFIG = """\
project: shop
store: {store}
timezone: America/New_York
models:
  reviews:
    source: {{path: "reviews-*.parquet"}}
    batch: 1d
    reference: {reference}
    columns: {{time: at, text: [comment], numerical: [stars]}}
    descriptors: {{comment: [text_length, {{contains: {{items: [refund], name: asks_refund}}}}]}}
    evaluations:
      content:
        metrics:
          - column_drift: {{columns: text, method: abs_text_content_drift, threshold: 0.7, words: true}}
          - column_drift: {{columns: [stars, comment.text_length, comment.asks_refund], method: jensenshannon, threshold: 0.25}}
        tests: [{{column_drift: {{columns: all}}}}, untested_columns]
"""


@cache
def written(day: int) -> pd.DataFrame:
    """The reviews of a day in New York: from the seventh on of other things, and longer."""
    rng = np.random.default_rng(day)
    words, least, most = (OLD, 3, 8) if day < CHANGED else (NEW, 8, 16)
    words = [*words.split(), *FILL.split()]
    start = pd.Timestamp(START.date(), tz=PLACE) + pd.Timedelta(days=day)
    return pd.DataFrame({
        "at": [start + pd.Timedelta(minutes=20 * i) for i in range(ROWS)],
        "comment": [" ".join(rng.choice(words, rng.integers(least, most))) for _ in range(ROWS)],
        "stars": rng.normal(3, 1, ROWS),
    })  # fmt: skip


@pytest.fixture
def reviews(tmp_path: Path, database: str) -> Shop:
    """Files that are cut at midnight in London, so that each day of New York lies in two of them."""
    shop = Shop(tmp_path, database)
    rows = pd.concat([written(day) for day in range(DAYS)])
    rows["at"] = rows["at"].dt.tz_convert("UTC")
    for date, part in rows.groupby(rows["at"].dt.date):
        part.to_parquet(tmp_path / f"reviews-{date}.parquet", index=False)
    return shop


def run(shop: Shop, reference: str = "{rolling: 5d}", *options: str) -> list[dict[str, Any]]:
    """Every stored snapshot, in the order of the days, as `exporter show` has it."""
    path = shop.folder / "reviews.yaml"
    path.write_text(CONFIG.format(store=shop.store, reference=reference))
    result = shop.call("run", path, *options)
    assert result.exit_code == 0, result.output
    heads = sorted(shop.json("list", path)["snapshots"], key=lambda head: head["window_start"])
    return [shop.json("show", path, head["id"]) for head in heads]


def drift(snapshot: dict[str, Any], column: str) -> dict[str, Any]:
    (found,) = (row for row in snapshot["drift"] if row["column"] == column)
    return found


def failed(snapshot: dict[str, Any]) -> set[str]:
    return {test["column"] for test in snapshot["tests"] if test["status"] != "success"}


def test_days_of_other_texts_fail_and_those_like_the_days_before_do_not(reviews: Shop) -> None:
    found = run(reviews)
    assert len(found) == DAYS
    assert found[0]["snapshot"]["status"] == "skipped"
    assert [failed(s) for s in found[1:CHANGED]] == [set()] * (CHANGED - 1)
    assert failed(found[CHANGED]) == {"comment", "comment.text_length"}
    told = [
        row for row in drift(found[CHANGED], "comment")["contributions"] if row["of"] == "batch"
    ]
    assert {row["word"] for row in told} <= {*NEW.split(), *FILL.split()}
    assert len({row["word"] for row in told} & {*NEW.split()}) > 8
    assert [drift(s, "comment")["drifted"] for s in found[CHANGED + 3 :]] == [False] * 1


@pytest.mark.parametrize(
    ("reference", "first", "last"),
    [("{rolling: 5d}", 5, 1), ("{rolling: 3d, lag: 2d}", 5, 3), ("{previous: 2}", 2, 2)],
)
def test_the_windows_of_the_reference_are_those_that_the_config_says(
    reviews: Shop, reference: str, first: int, last: int
) -> None:
    found = run(reviews, reference)
    for day, snapshot in enumerate(found):
        before = [d for d in range(day - first, day - last + 1) if d >= 0]
        if not before:
            assert snapshot["drift"] == []
            continue
        there = pd.concat([written(d) for d in before])
        ours = exporter.evaluate(
            written(day),
            there,
            metrics=[
                {"column_drift": {"columns": ["comment"], "method": "abs_text_content_drift"}},
                {"column_drift": {"columns": ["comment.text_length"], "method": "jensenshannon"}},
            ],
            columns={"text": ["comment"], "numerical": ["stars"]},
            descriptors={"comment": DESCRIBED},
        )
        for row in ours.drift:
            assert drift(snapshot, row.column)["score"] == pytest.approx(row.score, rel=1e-12)
            assert drift(snapshot, row.column)["reference_n"] == ROWS * len(before)
        times = [snapshot["snapshot"]["reference"][end] for end in ("start", "end")]
        assert list(map(_moment, times)) == [_begin(before[0]), _begin(before[-1] + 1)]


def test_what_came_late_to_a_window_of_the_reference_is_read_with_it(reviews: Shop) -> None:
    before = run(reviews)
    late = written(2).assign(comment="a word that nobody wrote then")
    late.to_parquet(reviews.folder / "reviews-late.parquet", index=False)
    after = run(reviews, "{rolling: 5d}", "--force")
    counts = [[drift(s, "comment")["reference_n"] for s in side[1:]] for side in (before, after)]
    more = [b - a for a, b in zip(*counts, strict=True)]
    assert more == [ROWS * (day - 5 <= 2 < day) for day in range(1, DAYS)]


def _begin(day: int) -> datetime:
    return pd.Timestamp(START.date() + timedelta(days=day), tz=PLACE).to_pydatetime()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
