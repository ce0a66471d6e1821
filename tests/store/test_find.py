"""Snapshots read back: whole, or their heads by what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store.samples import DAY, FIRST, NOW, snapshot

from exporter.errors import ExporterError
from exporter.snapshot import MetricRow, content_hash
from exporter.store import Store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


@pytest.fixture(scope="module")
def fleet(shared_database: str) -> Iterator[Store]:
    with Store(shared_database) as store:
        store.write(snapshot())
        store.write(snapshot("n", project="q"))
        store.write(snapshot(segment="origin=EWR", tests=()))
        store.write(snapshot(tags={"arm": "challenger", "version": "4"}, day=1))
        store.write(snapshot(evaluation="quality", batch="rerun", computed_at=NOW))
        yield store


def test_a_snapshot_comes_back_whole(store: Store) -> None:
    original = snapshot(exporter_version="1.2", metadata={"run": 7})
    written = store.write(original)
    found = store.read(written.snapshot_id)
    assert content_hash(found) == content_hash(original)
    assert found.head() == replace(original, id=written.snapshot_id).head()
    assert {row.name for row in found.metrics} == {None, "p99"}


def test_rows_come_back_ordered_by_name(store: Store) -> None:
    found = store.read(store.write(snapshot()).snapshot_id)
    assert [row.metric for row in found.metrics] == ["mean", "missing_ratio", "quantile"]
    assert [(row.test, row.metric) for row in found.tests] == [
        ("few gaps", "missing_ratio"),
        ("row_count", "row_count"),
    ]


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(
        st.sampled_from("qklm"), st.integers() | st.floats(0, 1) | st.text(), max_size=3
    ),
)
def test_any_figure_and_parameter_comes_back(
    store: Store, value: float, params: dict[str, Any]
) -> None:
    one = snapshot(metrics=(MetricRow("mean", "x", "", params, value, n=1),))
    found = store.read(store.write(one).snapshot_id).metrics[0]
    assert found.value == value
    assert store.write(one).result == "same"


def test_a_snapshot_that_is_not_there_is_told(store: Store) -> None:
    gone = store.write(snapshot()).snapshot_id
    store.delete([gone])
    for number in (gone, 12345):
        with pytest.raises(ExporterError, match=f"there is no snapshot {number}") as caught:
            store.read(number)
        assert caught.value.exit_code == 2


def test_heads_keep_status_and_counts_without_rows(store: Store) -> None:
    written = snapshot()
    store.write(written)
    [head] = store.find()
    assert (head.status, head.counts, head.passed) == ("fail", written.counts, False)
    assert (head.metrics, head.tests) == ((), ())
    assert head.head() == replace(written, id=head.id).head()


def test_heads_come_newest_window_last(store: Store) -> None:
    for day in (2, 0, 1):
        store.write(snapshot(day=day))
    assert [head.window_start for head in store.find()] == [FIRST + day * DAY for day in range(3)]
    assert [head.window_start for head in store.find(limit=1)] == [FIRST + 2 * DAY]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, 5),
        ({"project": "p"}, 4),
        ({"project": "q"}, 1),
        ({"model": "n"}, 1),
        ({"evaluation": "quality"}, 1),
        ({"segment": ""}, 4),
        ({"segment": "origin=EWR"}, 1),
        ({"tags": {"arm": "champion"}}, 4),
        ({"tags": {"arm": "challenger", "version": "4"}}, 1),
        ({"tags": {"arm": "challenger", "version": "3"}}, 0),
        ({"batch": "rerun"}, 1),
        ({"status": "fail"}, 4),
        ({"status": ["skipped", "success"]}, 1),
        ({"start": FIRST + DAY}, 1),
        ({"end": FIRST + DAY}, 4),
        ({"start": FIRST, "end": FIRST}, 0),
        ({"project": "p", "model": "m", "evaluation": "inputs"}, 3),
    ],
)
def test_heads_are_found_by_what_they_are_about(
    fleet: Store, asked: dict[str, Any], found: int
) -> None:
    assert len(fleet.find(**asked)) == found


def test_the_deleted_are_not_found(store: Store) -> None:
    store.delete([store.write(snapshot()).snapshot_id])
    assert store.find() == []
