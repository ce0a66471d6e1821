"""Months that nobody keeps are dropped; what one project keeps shorter is deleted row by row."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from store.samples import DAY, NOW, rows, snapshot

from exporter.store import Input, Store, retention

YEARS = 730 * DAY
QUARTER = 90 * DAY


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


def months(store: Store, table: str) -> list[str]:
    """The partitions of a table."""
    query = (
        "select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass order by 1"
    )
    return [name for (name,) in rows(store.url, query, f"evaluation.{table}")]


def test_a_month_older_than_every_retention_is_dropped(store: Store) -> None:
    store.write(snapshot(day=-1000))
    store.write(snapshot())
    dropped = store.retain(NOW, "p", YEARS, QUARTER)
    assert sorted(dropped) == [
        f"evaluation.{table}_202401" for table in ("distribution", "drift", "metric", "test")
    ]
    assert months(store, "metric") == ["evaluation.metric_202610"]
    assert len(store.find()) == 1


def test_a_month_that_somebody_reads_is_dropped_by_a_later_run(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PATIENCE", "50ms")
    store.write(snapshot(day=-1000))
    with psycopg.connect(store.url) as reading:
        reading.execute("select * from grafana.metrics")
        assert store.retain(NOW, "p", YEARS, QUARTER) == []
        assert store.find() == []
        assert months(store, "metric") == ["evaluation.metric_202401"]
    assert len(store.retain(NOW, "p", YEARS, QUARTER)) == 4


def test_distributions_go_before_figures(store: Store) -> None:
    written = store.write(snapshot(day=-200))
    store.retain(NOW, "p", YEARS, QUARTER)
    found = store.read(written.snapshot_id)
    assert (len(found.metrics), found.distributions) == (3, [])
    assert months(store, "distribution") == []


def test_a_month_stays_while_one_project_keeps_it(store: Store) -> None:
    store.write(snapshot(day=-200))
    store.write(snapshot(day=-200, project="short"))
    store.retain(NOW, "p", YEARS, YEARS)
    assert store.retain(NOW, "short", 100 * DAY, 30 * DAY) == []
    assert [head.project for head in store.find()] == ["p"]
    for view in ("metrics", "drift", "tests", "distributions"):
        query = f"select distinct project from grafana.{view}"
        assert rows(store.url, query) == [("p",)], view


def test_many_rows_are_deleted_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    store.retain(NOW, "p", YEARS, YEARS)
    store.write(snapshot(day=-200))
    for day in range(7):
        store.write(snapshot(day=day - 200, project="short"))
    store.retain(NOW, "short", YEARS, QUARTER)
    assert len(rows(store.url, "select from grafana.distributions")) == 5
    store.retain(NOW, "short", QUARTER, QUARTER)
    assert [head.project for head in store.find()] == ["p"]


def test_what_is_inside_the_retention_stays_to_the_month(store: Store) -> None:
    first = snapshot(day=-61)  # 1 August
    store.write(first)
    store.retain(NOW, "p", 75 * DAY, 75 * DAY)  # to 18 August
    assert len(store.find()) == 1
    store.retain(NOW, "p", 60 * DAY, 60 * DAY)  # to 2 September
    assert store.find() == []


def test_the_memory_of_inputs_ends_with_the_retention(store: Store) -> None:
    for day in (-1000, 0):
        store.write(snapshot(day=day), source=Input("entry", "x"))
    store.retain(NOW, "p", YEARS, QUARTER)
    assert len(store.inputs("p", "entry", "inputs")) == 1


def test_a_stream_without_snapshots_is_forgotten_and_made_again(store: Store) -> None:
    store.write(snapshot(day=-1000))
    store.retain(NOW, "p", YEARS, QUARTER)
    assert rows(store.url, "select from grafana.series") == []
    assert store.write(snapshot(day=-1000)).result == "new"


def test_a_writer_that_remembers_what_another_process_dropped_goes_on(store: Store) -> None:
    store.write(snapshot(day=-1000))
    with Store(store.url) as other:
        other.retain(NOW, "p", YEARS, QUARTER)
    assert store.write(snapshot(day=-1000)).result == "new"


def test_a_batch_without_a_window_outlives_its_months_distributions(store: Store) -> None:
    nightly = snapshot(batch="nightly", window_start=None, window_end=None)
    store.write(nightly)
    store.retain(NOW + 200 * DAY, "p", YEARS, QUARTER)
    later = snapshot(
        batch="nightly", window_start=None, window_end=None, computed_at=NOW + 200 * DAY, rows=1
    )
    assert store.write(later).result == "replaced"
    assert rows(store.url, "select distinct time from grafana.distributions") == [(NOW,)]


def waiting_for_a_lock(url: str) -> bool:
    """Whether some session of this database waits for another one."""
    query = (
        "select 1 from pg_stat_activity where datname = current_database()"
        " and wait_event_type = 'Lock'"
    )
    return bool(rows(url, query))


def test_a_stream_that_gets_its_first_snapshot_meanwhile_is_not_forgotten(store: Store) -> None:
    """The writer has made its stream, and not yet committed the snapshot."""
    store.write(snapshot())
    with psycopg.connect(store.url) as other:
        other.execute("create table kept as select * from evaluation.snapshot")
        other.execute("delete from evaluation.snapshot")
        other.commit()
        other.execute("insert into evaluation.snapshot overriding system value select * from kept")
        with Store(store.url) as retainer, ThreadPoolExecutor(1) as pool:
            retained = pool.submit(retainer.retain, NOW, "p", YEARS, QUARTER)
            while not waiting_for_a_lock(store.url):
                assert not retained.done()
            other.commit()
    assert len(store.find()) == 1
    assert rows(store.url, "select count(*) from grafana.metrics") == [(3,)]


def test_a_snapshot_that_is_replaced_meanwhile_leaves_no_rows(store: Store) -> None:
    store.retain(NOW, "keeps its months", YEARS, YEARS)
    store.write(snapshot(day=-200))
    with psycopg.connect(store.url) as other:
        other.execute("select from evaluation.snapshot for update")
        with Store(store.url) as one, Store(store.url) as two, ThreadPoolExecutor(2) as pool:
            retained = pool.submit(one.retain, NOW, "p", QUARTER, QUARTER)
            pool.submit(two.write, snapshot(day=-200, value=2.0))
            while not waiting_for_a_lock(store.url):
                assert not retained.done()
            other.commit()
    store.retain(NOW, "p", QUARTER, QUARTER)
    for view in ("snapshots", "metrics", "drift", "tests", "distributions"):
        assert rows(store.url, f"select count(*) from grafana.{view}") == [(0,)], view


def test_tombstones_end_with_the_retention(store: Store) -> None:
    store.delete([store.write(snapshot(day=-1000)).snapshot_id])
    store.retain(NOW, "p", YEARS, QUARTER)
    assert store.write(snapshot(day=-1000)).result == "new"
