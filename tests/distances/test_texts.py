"""Drift of texts: what is read of a column, what tells two of them apart, and what cannot be told."""

from __future__ import annotations

import pyarrow as pa
import pytest
from golden.unstructured import texts

from exporter.batch import Batch, Schema
from exporter.distances import DriftMethod, method_named
from exporter.distances.texts import MOST_TEXTS, Texts, texts_of
from exporter.errors import BatchError
from exporter.profile.rows import Rows, rows_of

FAR = (
    Texts(["red apples", "and green pears"] * 15),
    Texts(["a train leaves", "the station"] * 15),
)


def rows(**columns: pa.Array) -> Rows:
    table = pa.table(columns)
    types = dict(zip(table.column_names, table.schema.types, strict=True))
    return rows_of(Batch(len(table), types, table.column), Schema({}, ()))


def drift(current: Texts, reference: Texts, **options):
    return method_named("abs_text_content_drift").compute(current, reference, **options)


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["one", None, "two", "one"]),
        pa.array(["one", None, "two", "one"], pa.large_string()),
        pa.array(["one", None, "two", "one"]).dictionary_encode(),
        pa.chunked_array([["one", None], ["two", "one"]]),
    ],
)
def test_texts_are_read_in_the_order_of_the_rows_without_those_that_are_missing(column):
    assert texts_of(rows(said=column), "said").values == ["one", "two", "one"]


def test_what_else_has_a_text_is_read_as_it():
    assert texts_of(rows(said=pa.array([1, None, 20])), "said").values == ["1", "20"]


def test_what_has_none_is_told_by_the_column_s_name():
    with pytest.raises(BatchError, match=r"column 'said': holds list<.*> that cannot be read"):
        texts_of(rows(said=pa.array([[1], [2]])), "said")
    with pytest.raises(BatchError, match="column 'gone'"):
        texts_of(rows(said=pa.array(["one"])), "gone")


def test_of_very_many_texts_the_same_ones_are_chosen_each_time_in_their_order():
    many = rows(said=pa.array([f"{i:06d}" for i in range(MOST_TEXTS + 500)]))
    chosen = texts_of(many, "said").values
    assert len(set(chosen)) == MOST_TEXTS
    assert chosen == sorted(chosen)
    assert chosen == texts_of(many, "said").values


def test_texts_of_other_words_are_told_apart():
    assert drift(*FAR).score == 1


def test_words_are_named_only_where_they_are_asked_for():
    assert drift(*FAR).told is None
    told = drift(*FAR, words=True).told
    assert {x["word"] for x in told if x["of"] == "batch"} <= {"red", "apples", "green", "pears"}
    assert {x["word"] for x in told if x["of"] == "reference"} <= {"train", "leaves", "station"}
    assert {x["of"] for x in told} == {"batch", "reference"}
    assert all(x["weight"] > 0 for x in told)


def test_the_most_telling_words_come_first():
    told = drift(Texts(_said(300, 0.5, 2)), Texts(_said(300, 0, 1)), words=True).told
    for side in ("batch", "reference"):
        weights = [x["weight"] for x in told if x["of"] == side]
        assert weights == sorted(weights, reverse=True)
        assert 0 < len(weights) <= 25


def test_texts_without_a_word_that_could_tell_are_refused_in_words():
    with pytest.raises(ValueError, match="stop words aside, stands in half of the texts or fewer"):
        drift(Texts(["the"] * 20), Texts(["the"] * 20))


def test_the_limit_by_chance_rises_with_the_quantile():
    compute = method_named("perc_text_content_drift").compute
    pair = Texts(_said(100, 0.1, 2)), Texts(_said(200, 0, 1))
    limits = [compute(*pair, threshold=quantile).limit for quantile in (0.5, 0.9, 0.99)]
    assert limits == sorted(limits)
    assert limits[0] == pytest.approx(0.5, abs=0.02)


def test_a_method_whose_package_is_absent_says_what_to_install():
    method = DriftMethod(
        "mine", "Mine.", ("text",), 0.5, "distance", inclusive=False, reads="texts",
        compute=lambda *_: 0.0, module="no_such_package",
    )  # fmt: skip
    assert method.lack() == "mine needs no_such_package: pip install 'evaluation-exporter[text]'"
    assert method_named("abs_text_content_drift").lack() == ""


def _said(rows: int, shift: float, seed: int) -> list[str]:
    return [text for text in texts(rows, shift, seed) if text is not None]
