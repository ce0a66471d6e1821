"""One identity, one snapshot: written twice, changed, outdated, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import pytest
from store.samples import DAY, FIRST, NOW, metric_values, rows, snapshot

from exporter.errors import SnapshotError
from exporter.evaluation import Grid
from exporter.snapshot import CheckResult, Distribution, MetricRow, content_hash, from_dict
from exporter.store import Input, Store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


@pytest.fixture(scope="module")
def shared(shared_database: str) -> Iterator[Store]:
    with Store(shared_database) as store:
        yield store


def test_a_snapshot_written_twice_is_there_once(store: Store) -> None:
    first = store.write(snapshot())
    again = store.write(snapshot(value=1.0 + 1e-14))
    assert (first.result, again) == ("new", ("same", first.snapshot_id, 1))
    assert metric_values(store.url) == [("mean", None), ("missing_ratio", 1.0), ("quantile", 2.0)]


def test_equal_content_moves_nothing_but_confirmed_at(store: Store) -> None:
    query = "select confirmed_at, computed_at, stored_at, changed::text from evaluation.snapshot"
    store.write(snapshot())
    [before] = rows(store.url, query)
    store.write(snapshot(computed_at=NOW + DAY, exporter_version="9", metadata={"by": "hand"}))
    [after] = rows(store.url, query)
    assert after == (NOW + DAY, *before[1:])


def test_other_content_replaces_and_counts_the_revision(store: Store) -> None:
    first = store.write(snapshot())
    second = store.write(snapshot(value=2.0, computed_at=NOW + DAY))
    assert second == ("replaced", first.snapshot_id, 2)
    assert metric_values(store.url) == [("mean", None), ("missing_ratio", 2.0), ("quantile", 2.0)]


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 901},
        {"reference_rows": 7},
        {"tags": {"arm": "champion", "version": "4"}},
        {"metrics": ()},
        {"drift": ()},
        {"tests": ()},
        {"distributions": ()},
        {"reference": replace(snapshot().reference, hash="other")},
    ],
)
def test_all_that_is_said_of_the_data_is_content(shared: Store, change: dict[str, Any]) -> None:
    one = snapshot(f"changes {next(iter(change))}")
    shared.write(one)
    assert shared.write(replace(one, **change)).result == "replaced"


def test_older_content_never_replaces_newer(store: Store) -> None:
    store.write(snapshot())
    late = snapshot(value=9.0, computed_at=NOW - DAY)
    assert store.write(late).result == "older"
    assert store.write(late, force=True).result == "older"
    assert metric_values(store.url)[1] == ("missing_ratio", 1.0)


def test_a_confirmation_counts_as_newer(store: Store) -> None:
    store.write(snapshot())
    store.write(snapshot(computed_at=NOW + 2 * DAY))
    assert store.write(snapshot(value=9.0, computed_at=NOW + DAY)).result == "older"


def test_what_was_deleted_stays_deleted_unless_forced(store: Store) -> None:
    written = store.write(snapshot())
    assert store.delete([written.snapshot_id, 999_999]) == 1
    assert store.delete([written.snapshot_id]) == 0
    assert metric_values(store.url) == []
    assert store.write(snapshot(value=7.0, computed_at=NOW + DAY)).result == "deleted"
    assert store.write(snapshot(), force=True) == ("replaced", written.snapshot_id, 2)
    assert len(metric_values(store.url)) == 3


def test_a_deletion_takes_every_row_with_it(store: Store) -> None:
    store.delete([store.write(snapshot()).snapshot_id])
    for table in ("metric", "drift", "test", "distribution"):
        assert rows(store.url, f"select count(*) from evaluation.{table}") == [(0,)]


def test_a_batch_name_gives_a_further_snapshot_of_the_same_window(store: Store) -> None:
    assert store.write(snapshot()).result == "new"
    assert store.write(snapshot(batch="rerun")).result == "new"


def test_stream_tags_tell_snapshots_apart_and_others_do_not(store: Store) -> None:
    store.write(snapshot())
    assert store.write(snapshot(tags={"arm": "challenger"})).result == "new"
    assert store.write(snapshot(tags={"arm": "champion", "version": "4"})).result == "replaced"
    assert len(rows(store.url, "select from grafana.streams")) == 2


def test_an_empty_tag_is_an_absent_one(store: Store) -> None:
    store.write(snapshot(tags={}))
    assert store.write(snapshot(tags={"arm": "", "version": ""})).result == "same"


def test_a_tag_that_is_no_text_is_stored_as_one(store: Store) -> None:
    written = store.write(snapshot(tags={"arm": 0, "version": None, "ok": True}))
    assert store.read(written.snapshot_id).tags == {"arm": "0", "ok": "True"}
    assert rows(store.url, "select stream_tags ->> 'arm' from grafana.streams") == [("0",)]


def test_projects_that_share_a_database_share_nothing_else(store: Store) -> None:
    grid, other = Grid(edges=(0.0, 1.0)), Grid(edges=(5.0,))
    results = [store.write(snapshot(project=name)).result for name in ("p", "q")]
    assert results == ["new", "new"]
    assert store.keep_grids("p", "m", {"x": grid}) == {"x": grid}
    assert store.keep_grids("q", "m", {"x": other}) == {"x": other}
    store.write(snapshot(project="q", value=5.0))
    values = "select project, value from grafana.latest_metrics where metric = 'missing_ratio'"
    assert sorted(rows(store.url, values)) == [("p", 1.0), ("q", 5.0)]


def test_a_segment_is_a_stream_of_its_own(store: Store) -> None:
    store.write(snapshot())
    assert store.write(snapshot(segment="origin=EWR")).result == "new"


def test_a_named_batch_without_a_window_keeps_the_time_of_its_first_evaluation(
    store: Store,
) -> None:
    nightly = snapshot(batch="nightly", window_start=None, window_end=None)
    store.write(nightly)
    months_later = replace(nightly, computed_at=NOW + 100 * DAY, rows=1)
    assert store.write(months_later).result == "replaced"
    assert rows(store.url, "select distinct time from grafana.metrics") == [(NOW,)]


def test_a_window_of_long_ago_keeps_its_own_time(store: Store) -> None:
    store.write(snapshot(day=-4000))
    assert rows(store.url, "select distinct time, window_end from grafana.metrics") == [
        (FIRST - 4000 * DAY, FIRST - 3999 * DAY)
    ]


def test_what_waited_as_json_is_the_same_content(store: Store) -> None:
    store.write(snapshot())
    assert store.write(from_dict(snapshot().as_dict())).result == "same"


def test_a_figure_that_is_not_finite_is_stored_as_its_json_form_says(store: Store) -> None:
    odd = snapshot(
        metrics=(
            MetricRow("mean", "a", value=float("nan"), n=1),
            MetricRow("mean", "b", value=float("inf"), low=float("-inf"), n=1),
        ),
        tests=(CheckResult("mean", "mean", "a", value=float("nan"), upper=float("inf")),),
    )
    store.write(odd)
    assert store.write(from_dict(odd.as_dict())).result == "same"
    found = "select value, low, error from grafana.metrics order by column_name"
    assert rows(store.url, found) == [(None, None, "no value"), (None, None, "infinite")]
    assert rows(store.url, "select value, upper, message from grafana.tests") == [
        (None, None, "no value")
    ]


def test_two_rows_of_one_figure_are_refused_with_advice(store: Store) -> None:
    twice = (MetricRow("mean", "temp", value=1.0, n=1), MetricRow("mean", "temp", value=2.0, n=1))
    with pytest.raises(SnapshotError, match=r"'mean' of column 'temp' is given twice.*`name:`"):
        store.write(snapshot(metrics=twice))
    named = (twice[0], replace(twice[1], name="other mean"))
    assert store.write(snapshot(metrics=named)).result == "new"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"computed_at": None}, "without `computed_at`"),
        ({"computed_at": datetime(2026, 11, 1)}, "needs a timezone"),
        ({"window_start": None, "window_end": None}, "needs a window or a batch name"),
        ({"window_end": None}, "both its start and its end"),
        ({"window_end": FIRST - DAY}, "before it starts"),
        ({"window_end": FIRST}, "before it starts"),
        ({"window_start": NOW + 60 * DAY, "window_end": NOW + 61 * DAY}, "long after"),
        ({"project": ""}, "without `project`"),
        ({"model": ""}, "without `model`"),
        ({"evaluation": ""}, "without `evaluation`"),
        ({"metadata": {"x": "y" * 2_000_000}}, "too large"),
        ({"rows": 2**70}, "cannot hold this snapshot"),
        ({"distributions": (Distribution("a", None, None, (1,)),)}, "edges or categories"),
        ({"metrics": (MetricRow("mean", "a", value="x", n=1),)}, "cannot be stored: .*not str"),
        ({"metrics": (MetricRow("mean", "a", value=10**400, n=1),)}, "too large"),
        ({"metrics": (MetricRow("mean", "a", value=1.0, n=2**70),)}, "too large"),
        ({"metrics": (MetricRow("mean", 5, value=1.0, n=1),)}, "cannot be stored"),
        ({"metrics": ({},)}, "cannot be stored"),
        ({"tests": (CheckResult("t", "mean", status="odd"),)}, "cannot be stored"),
        ({"distributions": (Distribution("a", None, ("x",), ("1",)),)}, "cannot be stored"),
        ({"distributions": (Distribution("a", None, ("x",), (2**70,)),)}, "cannot be stored"),
        ({"tags": []}, "cannot be stored"),
        ({"metadata": None}, "cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_reason(
    shared: Store, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(SnapshotError, match=told):
        shared.write(replace(snapshot("refused"), **change))
    assert shared.find(model="refused") == []


def test_the_fingerprint_of_the_input_travels_with_the_snapshot(store: Store) -> None:
    store.write(snapshot(), source=Input("entry", "abc"))
    store.write(snapshot(), source=Input("entry", "def"))
    assert store.inputs("p", "entry", "inputs") == {(FIRST, FIRST + DAY): "def"}
    assert store.inputs("p", "other", "inputs") == {}


def test_an_outdated_snapshot_leaves_the_newer_fingerprint(store: Store) -> None:
    store.write(snapshot(), source=Input("entry", "new"))
    store.write(snapshot(value=2.0, computed_at=NOW - DAY), source=Input("entry", "old"))
    assert store.inputs("p", "entry", "inputs") == {(FIRST, FIRST + DAY): "new"}


def test_a_fingerprint_is_kept_where_nothing_was_evaluated(store: Store) -> None:
    store.keep_input("p", "quality", FIRST, FIRST + DAY, Input("entry", "abc"))
    assert store.inputs("p", "entry", "quality") == {(FIRST, FIRST + DAY): "abc"}


def test_the_first_grid_of_a_column_stands(store: Store) -> None:
    first = Grid(edges=(0.0, 1.0))
    assert store.keep_grids("p", "m", {"x": first}) == {"x": first}
    later = store.keep_grids("p", "m", {"x": Grid(edges=(5.0,)), "c": Grid(categories=())})
    assert later == {"x": first, "c": Grid(categories=())}
    assert store.keep_grids("p", "other", {}) == {}


def test_the_first_writer_after_a_lost_connection_opens_another(store: Store) -> None:
    store.write(snapshot())
    with psycopg.connect(store.url) as other:
        other.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert store.write(snapshot(day=1)).result == "new"


def test_content_is_hashed_alike_for_lists_and_tuples() -> None:
    one = snapshot()
    assert content_hash(from_dict(one.as_dict())) == content_hash(one)
