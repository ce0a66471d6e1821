"""Where reports and dashboards of a project are found: the views lead there."""

from __future__ import annotations

from pathlib import Path

from store.samples import rows, snapshot

from exporter.store import Store
from exporter.store.links import Links
from exporter.store.spool import Spool

NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens
ADDRESSES = Links("https://ml.example.com/exporter", "https://grafana.example.com")
REPORTS = "select report_url from grafana.snapshots"
CHANGED = "select xmin::text from evaluation.project"


def test_a_project_of_which_nobody_said_anything_is_on_its_own_machine(database: str) -> None:
    with Store(database) as store:
        number = store.write(snapshot()).snapshot_id
        assert store.links("p") == Links("", "")
    assert rows(database, REPORTS) == [(f"http://127.0.0.1:9877/snapshots/{number}",)]


def test_the_views_lead_where_the_writer_says(database: str, writer: str, reader: str) -> None:
    with Store(writer) as store:
        number = store.write(snapshot()).snapshot_id
        store.tell_links("p", ADDRESSES)
        assert store.links("p") == ADDRESSES
    assert rows(reader, REPORTS) == [(f"https://ml.example.com/exporter/snapshots/{number}",)]
    assert rows(database, "select grafana_url from evaluation.project") == [(ADDRESSES.grafana,)]


def test_what_is_told_again_is_not_written_again(database: str) -> None:
    with Store(database) as store:
        store.tell_links("p", ADDRESSES)
        before = rows(database, CHANGED)
        store.tell_links("p", ADDRESSES)
        assert rows(database, CHANGED) == before
        store.tell_links("p", Links())
        assert rows(database, CHANGED) != before


def test_each_project_has_its_own(database: str) -> None:
    with Store(database) as store:
        store.tell_links("p\0", ADDRESSES)  # a name that is stored as another text
        store.tell_links("q", Links(exporter="https://q.example.com"))
        assert store.links("p\0") == ADDRESSES
        assert store.links("q") == Links("https://q.example.com", "")
        assert store.links("no such project") == Links()
        assert store.all_links() == {
            "p\N{REPLACEMENT CHARACTER}": ADDRESSES,
            "q": Links("https://q.example.com", ""),
        }


def test_addresses_that_only_this_machine_reaches_are_known_as_such() -> None:
    assert Links().of_this_machine
    assert Links("http://127.0.0.1:9877", "").of_this_machine
    assert not Links("http://127.0.0.1:9877", "https://grafana.example.com").of_this_machine


def test_a_store_that_is_away_is_told_by_the_next_run(tmp_path: Path) -> None:
    with Store(NOWHERE) as store:
        spool = Spool(store, tmp_path)
        spool.tell_links("p", ADDRESSES)
        assert list(spool.waiting()) == []
