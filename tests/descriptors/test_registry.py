"""What the registry honours, refuses and tells; descriptors of users."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from descriptors.answers import said, texts_column
from pydantic import ValidationError

import exporter
from exporter.descriptors import (
    DESCRIPTORS,
    EVIDENTLY_NAMES,
    _registry,
    compute,
    descriptor,
    descriptor_named,
)
from exporter.errors import BatchError, CatalogueError, PlanError


@pytest.fixture(autouse=True)
def _own_descriptors_end_with_the_test(monkeypatch):
    monkeypatch.setattr(_registry, "_specs", specs := dict(_registry._specs))
    monkeypatch.setattr(_registry, "DESCRIPTORS", specs)


def test_an_unknown_descriptor_is_told_with_the_nearest():
    with pytest.raises(PlanError, match=r"no descriptor 'text_lenght'; did you mean 'text_length'"):
        descriptor_named("text_lenght")


def test_a_name_of_evidently_s_is_told_with_ours():
    with pytest.raises(PlanError, match="Evidently's IsValidJSON is is_valid_json"):
        descriptor_named("IsValidJSON")


def test_names_of_evidently_s_lead_to_descriptors_that_exist():
    assert set(EVIDENTLY_NAMES.values()) <= DESCRIPTORS.keys()


def test_an_option_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="itemz"):
        said("contains", "a", itemz=["a"], items=["a"])


def test_every_descriptor_has_a_help_that_ends():
    assert [spec.id for spec in DESCRIPTORS.values() if not spec.help.endswith(".")] == []


def test_the_decorator_stands_at_the_door():
    assert exporter.descriptor is descriptor


def test_a_function_of_a_user_s_becomes_a_descriptor():
    @descriptor(kind="numerical")
    def vowels(texts, *, letters: str = "aeiou"):
        """Vowels of the text."""
        return [sum(c in letters for c in text) for text in texts.to_pylist()]

    assert said("vowels", "banana", "", None, letters="a") == [3, 0, None]
    assert descriptor_named("vowels").help == "Vowels of the text."


def test_what_a_function_says_of_a_missing_text_is_left_out():
    @descriptor(kind="categorical")
    def always(texts):
        """Yes."""
        return np.ones(len(texts), bool)

    assert said("always", "a", None) == [True, None]


def test_labels_and_missing_verdicts_come_back():
    @descriptor(kind="categorical", labels=True)
    def size_class(texts):
        """Short or long; of an empty text nobody knows."""
        return [("long" if len(t) > 3 else "short") if t else None for t in texts.to_pylist()]

    assert said("size_class", "ab", "abcd", "", None) == ["short", "long", None, None]


def test_another_column_is_named_by_the_option_of_its_name():
    @descriptor(kind="numerical")
    def length_gap(texts, answer):
        """How much longer the text is than the answer."""
        pairs = zip(texts.to_pylist(), answer.to_pylist(), strict=True)
        return [len(text) - len(other) for text, other in pairs]

    spec = descriptor_named("length_gap")
    params = spec.params({"answer": "expected"})
    others = {"expected": texts_column("a", "abc")}
    assert spec.reads(params) == ("expected",)
    assert compute(spec, params, texts_column("ab", "ab"), others).to_pylist() == [1, -1]


def test_a_costly_function_sees_each_text_once():
    seen = []

    @descriptor(kind="numerical", distinct=True)
    def costly(texts):
        """Something costly."""
        seen.extend(texts.to_pylist())
        return np.zeros(len(texts))

    assert said("costly", "a", "b", "a", None, "a") == [0, 0, 0, None, 0]
    assert seen == ["a", "b"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([1.0], "gave 1 values for 2 texts"),
        (["a", "b"], "gave what is no numerical column"),
        (pa.nulls(3), "gave 3 values for 2 texts"),
        (7, "gave what is no numerical column"),
    ],
)
def test_a_result_that_does_not_fit_is_told(result, text):
    @descriptor(kind="numerical")
    def broken(texts):
        """Broken."""
        return result

    column = pa.chunked_array([pa.array(["a", "b"])])
    with pytest.raises(BatchError, match=f"broken {text}"):
        compute(descriptor_named("broken"), {}, column)


def undocumented(texts):
    return texts


def without_texts(*, option: int = 1):
    """Help."""
    return option


def text_length(texts):
    """Help."""
    return texts


def bare(texts, *, option=1):
    """Help."""
    return texts, option


def taken(texts, *, name: str = ""):
    """Help."""
    return texts, name


@pytest.mark.parametrize(
    ("func", "text"),
    [
        (undocumented, "has no docstring"),
        (without_texts, "takes no texts"),
        (text_length, "declared in .* and elsewhere"),
        (bare, "'option' has no annotation"),
        (taken, "cannot be called 'name'"),
    ],
)
def test_a_declaration_that_cannot_be_honoured_is_refused(func, text):
    with pytest.raises(CatalogueError, match=text):
        descriptor(kind="numerical")(func)


def test_a_kind_that_does_not_exist_is_refused():
    with pytest.raises(CatalogueError, match="kind is 'text'"):
        descriptor(kind="text")(taken)


def test_the_docs_say_what_each_descriptor_is():
    page = (Path(__file__).parents[2] / "docs" / "text.md").read_text("utf-8")
    built_in = [s for s in DESCRIPTORS.values() if s.compute.__module__.startswith("exporter.")]
    assert [s.id for s in built_in if f"| `{s.id}` | {s.help} |" not in page] == []
    assert [name for name in EVIDENTLY_NAMES if name not in page] == []
