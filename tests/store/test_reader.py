"""Pages are read over connections that may not write, by many threads, also after the store was away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from store.samples import snapshot

from exporter.errors import ExporterError, StoreError
from exporter.snapshot import content_hash
from exporter.store import Store, StoreAway
from exporter.store.find import Question
from exporter.store.links import Links
from exporter.store.reader import Gone, Reader

NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens


@pytest.fixture
def pages(database: str) -> Iterator[Reader]:
    reader = Reader(database)
    yield reader
    reader.close()


def test_a_snapshot_is_read_as_the_store_reads_it(database: str, pages: Reader) -> None:
    with Store(database) as store:
        number = store.write(snapshot()).snapshot_id
        store.tell_links("p", Links("https://e.example.com", "https://g.example.com"))
        shown = pages.show(number)
        assert content_hash(shown.snapshot) == content_hash(store.read(number))
    assert shown.beside == ([], [])
    assert shown.links.grafana == "https://g.example.com"
    assert pages.read(number) == shown.snapshot
    assert [head.id for head in pages.find(Question(model="m"))] == [number]


def test_what_was_deleted_is_gone_and_what_never_was_is_not_there(
    database: str, pages: Reader
) -> None:
    with Store(database) as store:
        number = store.write(snapshot()).snapshot_id
        store.delete([number])
    with pytest.raises(Gone, match=f"snapshot {number} was deleted: .*--force"):
        pages.show(number)
    for never in (number + 1, 10**30):
        with pytest.raises(ExporterError, match=r"there is no snapshot .*exporter list") as told:
            pages.read(never)
        assert not isinstance(told.value, Gone | StoreError)


def test_a_reader_may_not_write(pages: Reader) -> None:
    with pytest.raises(StoreError, match="read-only"):
        pages._do(lambda connection: connection.execute("delete from evaluation.snapshot"))


def test_many_threads_read_at_once_and_connections_are_kept(database: str, pages: Reader) -> None:
    with Store(database) as store:
        number = store.write(snapshot()).snapshot_id
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(pages.read, [number] * 40))
    assert {s.id for s in found} == {number}
    assert 1 <= len(pages._idle) <= 4


def test_connections_that_were_cut_are_replaced(database: str, pages: Reader) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: pages.find(Question()), range(9)))
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert pages.find(Question()) == []


def test_a_store_that_is_away_is_told_as_that() -> None:
    with pytest.raises(StoreAway, match="does not answer"):
        Reader(NOWHERE).read(1)
