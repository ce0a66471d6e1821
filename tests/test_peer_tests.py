"""What `make test-peers` asks and how it compares, without Evidently."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def drawn(name: str) -> Any:
    from benchmarks.peers.drawing import cases
    from benchmarks.peers.drawing_unstructured import unstructured

    all_of = chain(cases(range(1)), unstructured(range(1)))
    return next(case for case in all_of if case.name.startswith(name))


@pytest.mark.parametrize(
    "name",
    [
        "tiny",
        "small regression",
        "small classes",
        "ranking",
        "300 texts",
        "300 vectors",
        "notes",
        "tested",
    ],
)
def test_every_question_has_an_answer_here(name: str) -> None:
    from benchmarks.peers.answering import Answering

    case = drawn(name)
    answering = Answering(case)
    assert len(case.questions) > 8
    for question in case.questions:
        assert answering.answers(question), question


def test_frames_of_one_seed_are_drawn_alike() -> None:
    assert drawn("hostile").current.equals(drawn("hostile").current)


def said(value: float | None, status: str = "success") -> Iterator[dict[str, Any]]:
    yield {"name": "TestColumnValueMin", "column": "age", "label": "", "value": value, "status": status}  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "same"),
    [
        (said(31.11), True),  # it is rounded to two decimals
        (said(31.2), False),
        (said(31.11, "fail"), False),
        (said(None), True),  # a status only
    ],
)
def test_a_test_is_the_same_where_status_and_figure_are(theirs, same) -> None:
    from benchmarks.peers.answering import Answer, compared

    ours = {("min", "age", ""): Answer(31.1065204, "success")}
    asked = ("test", "TestColumnValueMin", {"column_name": "age"})
    (found,) = compared(drawn("tiny"), asked, list(theirs), ours)
    assert (found is None) == same


def test_a_difference_without_a_known_reason_stands_out() -> None:
    from benchmarks.peers.answering import Answer, Difference
    from benchmarks.peers.reporting import Outcome, page

    outcome = Outcome("0.0", 1, {"tests": ["TestNumberOfRows", "TestOfTomorrow"]})
    asked = ("metric", "DatasetMissingValueCount", {})
    key = ("missing_cells_ratio", "", "")
    for question in (asked, ("metric", "RowCount", {})):
        outcome.differs(Difference("tiny", question, key, Answer(2.0), Answer(0.1)))
    assert outcome.known.total() == 1
    assert [d.question[1] for d in outcome.unknown] == ["RowCount"]
    assert outcome.missing == ["TestOfTomorrow"]
    assert "by its rows, not by its cells | 1 |" in page(outcome)


@pytest.mark.parametrize(("theirs", "same"), [(0.31, True), (0.45, True), (0.75, False)])
def test_p_values_that_hang_on_lots_are_the_same_where_the_lots_could_be(theirs, same) -> None:
    from benchmarks.peers.answering import Answer, compared

    ours = {("column_drift", "age", ""): Answer(0.33)}
    asked = ("drift", "ValueDrift", {"column": "age", "method": "empirical_mmd"})
    (found,) = compared(drawn("tiny"), asked, [{"part": 0, "value": theirs}], ours)
    assert (found is None) == same
