"""What stands under `descriptors:` as columns, its mistakes with their place, and batches that have them."""

from __future__ import annotations

import threading

import pyarrow as pa
import pytest

from exporter.batch import Batch
from exporter.descriptors import descriptor_columns, source_columns, with_descriptors
from exporter.errors import BatchError, Problem

KINDS = {"comment": "text", "answer": "text", "age": "numerical", "city": "categorical"}
TABLE = pa.table(
    {
        "comment": ["one two", None, "refund please"],
        "answer": ["one two", "x", "no"],
        "age": [1, 2, 3],
    }
)


def resolved(asked, kinds=KINDS):
    columns, problems = descriptor_columns(asked, kinds)
    assert problems == []
    return columns


def mistakes(asked, kinds=KINDS, at=()):
    return descriptor_columns(asked, kinds, at)[1]


class Reads:
    """A batch over the table that notes what is read."""

    def __init__(self, table=TABLE):
        self.names = []
        self.table = table
        self.batch = Batch(len(table), {f.name: f.type for f in table.schema}, self.read)

    def read(self, name):
        self.names.append(name)
        return self.table.column(name)


def test_entries_become_columns_of_their_text():
    columns = resolved(
        {"comment": ["text_length", {"contains": {"items": ["refund"], "name": "asks_refund"}}]}
    )
    assert [(c.name, c.kind, c.column) for c in columns] == [
        ("comment.text_length", "numerical", "comment"),
        ("comment.asks_refund", "categorical", "comment"),
    ]
    assert columns[1].params == {"items": ["refund"], "mode": "any", "case_sensitive": True}


def test_an_entry_without_options_is_its_name():
    assert resolved({"comment": [{"word_count": None}]}) == resolved({"comment": ["word_count"]})


def test_columns_that_hold_no_texts_are_refused_by_their_kind():
    assert mistakes({"age": ["text_length"]}) == [
        Problem(("age",), "'age' is numerical: descriptors read texts")
    ]
    assert mistakes({"city": ["text_length"]}) == []


def test_an_unknown_column_is_told_with_the_nearest():
    assert mistakes({"coment": ["text_length"]}) == [
        Problem(("coment",), "there is no column 'coment'; did you mean 'comment'?")
    ]


@pytest.mark.parametrize(
    ("entries", "path", "text"),
    [
        ("text_length", (), "expected a list of descriptors, such as [text_length]"),
        ([3], (0,), "expected a descriptor, or one descriptor with its options"),
        ([{"a": {}, "b": {}}], (0,), "expected a descriptor, or one descriptor with its options"),
        (["txt_length"], (0,), "there is no descriptor 'txt_length'; did you mean 'text_length'?"),
        (["OOV"], (0,), "there is no descriptor 'OOV': Evidently's OOV is out_of_vocabulary_ratio"),
        (["ToxicityLLMEval"], (0,), "there is no descriptor 'ToxicityLLMEval': it asks a model: store the score or label that it gives, and list that column under `numerical` or `categorical`"),
        (["CustomDescriptor"], (0,), "there is no descriptor 'CustomDescriptor': write your own, with the decorator exporter.descriptor"),
        ([{3: {}}], (0, 3), "there is no descriptor 3"),
        (["contains"], (0,), "contains needs 'items'"),
        ([{"contains": ["refund"]}], (0, "contains"), "expected options, such as {name: asks_refund}"),
        ([{"contains": {"itms": ["a"], "items": ["a"]}}], (0, "contains", "itms"),
         "contains has no option 'itms'; did you mean 'items'?"),
        ([{"contains": {"items": ["a", ""]}}], (0, "contains", "items", 1),
         "expected a text that is not empty: every text contains the empty one"),
        ([{"regexp_match": {"pattern": "("}}], (0, "regexp_match", "pattern"),
         "not a regular expression to RE2: Invalid regular expression: missing ): ("),
        ([{"text_length": {"name": ""}}], (0, "text_length", "name"), "expected a name"),
        (["text_length", "text_length"], (1,),
         "there is a column 'comment.text_length' already: give this one another `name`"),
        ([{"exact_match": {"other": "anser"}}], (0, "exact_match", "other"),
         "there is no column 'anser' before this; did you mean 'answer'?"),
        ([{"all_of": {"conditions": {"text_length": {"lte": 5}}}}, "text_length"],
         (0, "all_of", "conditions", "text_length"), "there is no column 'text_length' before this"),
        (["text_length", {"all_of": {"conditions": {"text_length": {"lte": [5]}}}}],
         (1, "all_of", "conditions"), "text_length: lte compares with one value"),
        (["text_length", {"all_of": {"conditions": {"text_length": {"lte": {"a": 1}}}}}],
         (1, "all_of", "conditions", "text_length"),
         "expected true, false, a value or operators with values"),
        ([{"all_of": {}}], (0, "all_of"), "all_of needs 'conditions'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_place(entries, path, text):
    assert mistakes({"comment": entries}, at=("models", "m", "descriptors")) == [
        Problem(("models", "m", "descriptors", "comment", *path), text)
    ]


def test_all_mistakes_are_told_at_once():
    assert len(mistakes({"age": [], "comment": ["a", "b", "text_length"], "x": []})) == 4


def test_without_kinds_any_column_may_be_named():
    assert mistakes({"anything": [{"exact_match": {"other": "whatever"}}]}, kinds=None) == []


def test_conditions_name_descriptors_of_the_same_text_or_any_column():
    columns = resolved(
        {
            "comment": ["text_length"],
            "answer": [
                "text_length",
                {"all_of": {"conditions": {
                    "text_length": {"lte": 2}, "comment.text_length": {"gte": 1}, "age": 3,
                }, "name": "sound"}},
                {"any_of": {"conditions": {"sound": True}}},
            ],
        }
    )  # fmt: skip
    assert columns[2].reads == {
        "text_length": "answer.text_length",
        "comment.text_length": "comment.text_length",
        "age": "age",
    }
    assert source_columns(columns) == ["comment", "answer", "age"]
    batch = with_descriptors(Reads().batch, columns)
    assert batch.read("answer.sound").to_pylist() == [False, False, True]
    assert batch.read("answer.any_of").to_pylist() == [False, False, True]


def test_a_batch_has_the_columns_and_keeps_its_own():
    batch = with_descriptors(
        Reads().batch,
        resolved({"comment": ["text_length", {"exact_match": {"other": "answer"}}]}),
    )
    assert batch.rows == 3
    assert list(batch.types) == [
        "comment", "answer", "age", "comment.text_length", "comment.exact_match",
    ]  # fmt: skip
    assert batch.types["comment.text_length"] == pa.float64()
    assert batch.types["comment.exact_match"] == pa.bool_()
    assert batch.read("comment.text_length").to_pylist() == [7, None, 13]
    assert batch.read("comment.exact_match").to_pylist() == [True, None, False]
    assert batch.read("age").to_pylist() == [1, 2, 3]


def test_nothing_is_read_before_it_is_asked_for_and_a_text_only_once():
    reads = Reads()
    batch = with_descriptors(reads.batch, resolved({"comment": ["text_length", "word_count"]}))
    assert reads.names == []
    for name in ("comment.text_length", "comment.word_count", "comment", "comment.text_length"):
        batch.read(name)
    assert reads.names == ["comment"]


def test_what_is_kept_is_bounded():
    reads = Reads()
    columns = resolved({"comment": ["text_length", "word_count"]})
    batch = with_descriptors(reads.batch, columns, keep=0)
    assert batch.read("comment.text_length").to_pylist() == [7, None, 13]
    assert batch.read("comment.word_count").to_pylist() == [2, None, 2]
    assert reads.names == ["comment", "comment"]


def test_threads_read_a_text_once():
    reads = Reads()
    names = ["text_length", "word_count", "sentence_count", "uppercase_ratio"]
    batch = with_descriptors(reads.batch, resolved({"comment": names}))
    threads = [threading.Thread(target=batch.read, args=(f"comment.{n}",)) for n in names * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads.names == ["comment"]


def test_a_text_that_is_gone_is_named():
    batch = with_descriptors(
        Reads(TABLE.drop_columns(["comment"])).batch, resolved({"comment": ["text_length"]})
    )
    with pytest.raises(
        BatchError, match="is computed from 'comment': the batch has no such column"
    ):
        batch.read("comment.text_length")


def test_a_text_of_another_type_is_named():
    table = pa.table({"comment": [1, 2, 3]})
    batch = with_descriptors(Reads(table).batch, resolved({"comment": ["text_length"]}))
    with pytest.raises(BatchError, match="computed from 'comment': holds number"):
        batch.read("comment.text_length")


def test_data_with_a_column_of_that_name_is_refused():
    table = pa.table({"comment": ["a"], "comment.text_length": [1]})
    with pytest.raises(BatchError, match=r"the data has a column 'comment.text_length' itself"):
        with_descriptors(Reads(table).batch, resolved({"comment": ["text_length"]}))
