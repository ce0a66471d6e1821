"""The latest window of each stream, and what changed since the last look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from store.samples import DAY, FIRST, NOW, snapshot

from exporter.errors import StoreError
from exporter.snapshot import CheckResult, MetricRow, Snapshot, Status
from exporter.store import Store, StoreAway
from exporter.store.latest import Latest, LatestReader

_DELETED = (
    "update evaluation.snapshot set deleted_at = now(), changed = pg_current_xact_id()"
    " where snapshot_id = %s"
)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with Store(database) as store:
        yield store


@pytest.fixture
def latest(database: str) -> Iterator[LatestReader]:
    reader = LatestReader(database)
    yield reader
    reader.close()


def ending(day: int, status: Status, **other: Any) -> Snapshot:
    """A day whose one test ended so."""
    test = CheckResult("mean", "mean", "temp", status=status, value=float(day), upper=0.5)
    return snapshot(day=day, tests=(test,), **other)


def models(found: list[Latest]) -> list[str]:
    return [one.stream.model for one in found]


def streak(reader: LatestReader) -> int:
    [found] = reader.look().latest
    return found.tests[0].streak


def test_the_first_look_gives_the_newest_window_of_every_stream(
    store: Store, latest: LatestReader
) -> None:
    for day in (0, 2, 1):
        store.write(snapshot(day=day, value=float(day)))
    store.write(snapshot("n", tags={"arm": "challenger"}))
    news = latest.look()
    first, second = news.latest
    assert news.everything
    assert (first.stream.model, first.stream.tags) == ("m", {"arm": "champion"})
    assert (first.window_start, first.window_end) == (FIRST + 2 * DAY, FIRST + 3 * DAY)
    assert (first.computed_at, first.rows, first.reference_rows) == (NOW, 900, 100)
    assert first.tags == {"arm": "champion", "version": "3"}
    assert (first.counts["fail"], first.counts["success"], first.figures_failed) == (1, 1, 2)
    assert second.stream.tags == {"arm": "challenger"}


def test_figures_come_with_the_names_of_their_series(store: Store, latest: LatestReader) -> None:
    store.write(snapshot())
    [found] = latest.look().latest
    named = {latest.series[i].name: value for i, value in found.metrics}
    assert named == {"missing_ratio": 1.0, "quantile": 2.0}
    drift = {latest.series[row.series_id].column: row[1:] for row in found.drift}
    assert drift == {"temp": (0.3, 3.0, True), "city": (0.1, 0.5, False), "gone": (None,) * 3}
    tests = {latest.series[row.series_id].name: row[1:] for row in found.tests}
    assert tests == {
        "few gaps": ("fail", True, None, 0.05, 1, "page"),
        "row_count": ("success", True, 1.0, None, 0, ""),
    }
    assert {latest.series[row.series_id].metric for row in found.tests} == {
        "missing_ratio",
        "row_count",
    }


def test_a_second_look_gives_only_what_changed(store: Store, latest: LatestReader) -> None:
    store.write(snapshot())
    store.write(snapshot("n"))
    latest.look()
    assert latest.look() == (False, [], [], False, ())
    store.write(snapshot("n", day=1))
    news = latest.look()
    assert (news.everything, models(list(news.latest))) == (False, ["n"])
    store.write(snapshot("n", day=1))
    assert latest.look() == (False, [], [], False, ())


def test_a_revision_is_news(store: Store, latest: LatestReader) -> None:
    store.write(snapshot(value=1.0))
    latest.look()
    store.write(snapshot(value=2.0))
    [found] = latest.look().latest
    assert sorted(value for _, value in found.metrics) == [2.0, 2.0]


def test_after_a_deletion_the_window_before_it_is_the_latest(
    store: Store, latest: LatestReader
) -> None:
    store.write(snapshot())
    second = store.write(snapshot(day=1))
    latest.look()
    store.delete([second.snapshot_id])
    [found] = latest.look().latest
    assert found.window_start == FIRST


def test_a_stream_whose_only_snapshot_was_deleted_is_told_without_one(
    store: Store, latest: LatestReader
) -> None:
    written = store.write(snapshot())
    stream_id = latest.look().latest[0].stream.stream_id
    store.delete([written.snapshot_id])
    assert latest.look() == (False, [stream_id], [], False, ())


def test_what_retention_took_is_told(store: Store, latest: LatestReader) -> None:
    store.write(snapshot())
    stream_id = latest.look().latest[0].stream.stream_id
    store.retain(NOW + 400 * DAY, "p", 30 * DAY, 30 * DAY)
    assert latest.look() == (False, [stream_id], [], False, ())
    assert latest.look() == (False, [], [], False, ())


def test_a_transaction_that_was_open_at_the_last_look_is_seen_once_it_ends(
    store: Store, latest: LatestReader, database: str
) -> None:
    first = store.write(snapshot())
    latest.look()
    with psycopg.connect(database) as slow:
        slow.execute(_DELETED, (first.snapshot_id,))
        assert latest.look() == (False, [], [], False, ())
        store.write(snapshot("n"))  # a later transaction ends first
        assert models(list(latest.look().latest)) == ["n"]
        slow.commit()
    news = latest.look()
    assert len(news.changed) == 1
    assert news.latest == []


def test_what_was_seen_is_not_read_again_while_another_transaction_is_open(
    store: Store, latest: LatestReader, database: str
) -> None:
    latest.look()
    with psycopg.connect(database) as other:
        other.execute("select pg_current_xact_id()")
        latest.look()
        store.write(snapshot())
        assert models(list(latest.look().latest)) == ["m"]
        assert latest.look() == (False, [], [], False, ())


def test_a_streak_counts_failures_and_skips_what_was_skipped(
    store: Store, latest: LatestReader
) -> None:
    ends: list[Status] = ["fail", "success", "error", "skipped", "fail", "warning"]
    for day, status in enumerate(ends):
        store.write(ending(day, status))
    assert streak(latest) == 3


def test_a_streak_changes_when_an_older_window_is_evaluated_again(
    store: Store, latest: LatestReader
) -> None:
    for day, status in enumerate(("fail", "fail", "fail")):
        store.write(ending(day, status))
    assert streak(latest) == 3
    store.write(ending(1, "success"))
    assert streak(latest) == 1


def test_two_batches_of_one_window_count_once(store: Store, latest: LatestReader) -> None:
    store.write(ending(0, "fail"))
    store.write(ending(0, "fail", batch="again", computed_at=NOW + DAY))
    assert streak(latest) == 1


def test_a_named_batch_without_a_window_has_none(store: Store, latest: LatestReader) -> None:
    store.write(snapshot(batch="b", window_start=None, window_end=None))
    [found] = latest.look().latest
    assert (found.window_start, found.window_end, found.computed_at) == (None, None, NOW)


def test_more_streams_than_one_statement_reads_are_all_read(
    store: Store, latest: LatestReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.store.latest._CHUNK", 3)
    row = MetricRow("mean", "temp", value=1.0, n=1)
    for number in range(7):
        store.write(snapshot(f"m{number}", metrics=(row,), drift=(), tests=(), distributions=()))
    found = latest.look().latest
    assert models(list(found)) == [f"m{number}" for number in range(7)]
    assert [[value for _, value in one.metrics] for one in found] == [[1.0]] * 7


def test_a_new_connection_reads_everything(
    store: Store, latest: LatestReader, server: str, database: str
) -> None:
    store.write(snapshot())
    latest.look()
    store.close()
    with psycopg.connect(server, autocommit=True) as admin:
        name = database.rpartition("/")[2]
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
        )
    with pytest.raises(StoreAway):
        latest.look()
    news = latest.look()
    assert (news.everything, models(list(news.latest))) == (True, ["m"])


def test_a_store_that_does_not_answer_is_away() -> None:
    with pytest.raises(StoreAway, match="does not answer"):
        LatestReader("postgresql://127.0.0.1:1/x").look()


def test_a_database_without_tables_says_what_to_do(empty_database: str) -> None:
    with pytest.raises(StoreError, match="exporter db migrate"):
        LatestReader(empty_database).look()


def test_the_writer_may_read_and_the_reader_changes_nothing(
    store: Store, writer: str, latest: LatestReader
) -> None:
    store.write(snapshot())
    mine = LatestReader(writer)
    assert len(mine.look().latest) == 1
    assert mine._connection is not None
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), mine._connection.transaction():
        mine._connection.execute("delete from evaluation.metric")
    mine.close()
