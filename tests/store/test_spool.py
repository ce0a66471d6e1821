"""Snapshots wait on disk while the store is away, and arrive once when it is back."""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from store.samples import DAY, FIRST, NOW, metric_values, rows, snapshot

from exporter.errors import SnapshotError, StoreError
from exporter.evaluation import Grid
from exporter.store import Input, Store, StoreAway
from exporter.store.spool import Spool

NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens


class Switch:
    """A store that can be switched off and on: the way to it, and nothing else, changes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.on = True
        self.store = Store(lambda: self.url if self.on else NOWHERE)
        self.spool = Spool(self.store, folder)

    def turn(self, *, on: bool) -> None:
        self.on = on
        self.store.close()
        self.spool = Spool(self.store, self.spool._folder)


@pytest.fixture
def switch(database: str, tmp_path: Path) -> Iterator[Switch]:
    made = Switch(database, tmp_path / "spool")
    yield made
    made.store.close()


@pytest.fixture
def away(tmp_path: Path) -> Spool:
    return Spool(Store(NOWHERE), tmp_path / "spool")


def forms(spool: Spool) -> list[dict[str, object]]:
    return [json.loads(file.read_text()) for file in spool.waiting()]


def test_a_store_that_answers_gets_the_snapshot_at_once(switch: Switch) -> None:
    written = switch.spool.write(snapshot())
    assert written is not None
    assert written.result == "new"
    assert list(switch.spool.waiting()) == []


def test_a_store_that_is_away_gets_it_when_it_is_back(switch: Switch) -> None:
    switch.turn(on=False)
    assert switch.spool.write(snapshot()) is None
    assert switch.spool.deliver() == 0
    switch.turn(on=True)
    assert switch.spool.deliver() == 1
    assert list(switch.spool.waiting()) == []
    assert len(metric_values(switch.url)) == 3


def test_the_next_write_delivers_what_waits(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot(day=0))
    switch.turn(on=True)
    switch.spool.write(snapshot(day=1))
    assert len(switch.store.find()) == 2


def test_the_oldest_is_delivered_first(away: Spool, database: str, tmp_path: Path) -> None:
    for value in (1.0, 2.0, 3.0):
        away.write(snapshot(value=value))  # computed at the same moment: the last one stands
    with Store(database) as store:
        assert Spool(store, tmp_path / "spool").deliver() == 3
        assert [head.revision for head in store.find()] == [3]
    assert metric_values(database)[1] == ("missing_ratio", 3.0)


def test_what_waited_never_beats_what_was_computed_later(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot(value=1.0), source=Input("entry", "old"))
    switch.turn(on=True)
    switch.store.write(snapshot(value=2.0, computed_at=NOW + DAY), source=Input("entry", "new"))
    assert switch.spool.deliver() == 1
    assert metric_values(switch.url)[1] == ("missing_ratio", 2.0)
    assert set(switch.store.inputs("p", "entry", "inputs").values()) == {"new"}


def test_force_and_fingerprint_travel_through_the_folder(switch: Switch) -> None:
    deleted = switch.store.write(snapshot()).snapshot_id
    switch.store.delete([deleted])
    switch.turn(on=False)
    switch.spool.write(snapshot(), force=True, source=Input("entry", "abc"))
    switch.turn(on=True)
    switch.spool.deliver()
    assert [head.id for head in switch.store.find()] == [deleted]
    assert switch.store.inputs("p", "entry", "inputs") == {(FIRST, FIRST + DAY): "abc"}


def test_the_fingerprint_of_a_window_without_snapshot_waits_too(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.keep_input("p", "quality", FIRST, FIRST + DAY, Input("entry", "abc"))
    switch.turn(on=True)
    assert switch.spool.deliver() == 1
    assert switch.spool.inputs("p", "entry", "quality") == {(FIRST, FIRST + DAY): "abc"}


def test_what_only_the_store_knows_is_not_guessed(away: Spool) -> None:
    with pytest.raises(StoreAway):
        away.inputs("p", "entry", "inputs")
    with pytest.raises(StoreAway):
        away.keep_grids("p", "m", {"x": Grid(edges=(0.0,))})


def test_death_between_commit_and_deletion_is_harmless(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot())
    [file] = switch.spool.waiting()
    copy = file.read_bytes()
    switch.turn(on=True)
    switch.spool.deliver()
    file.write_bytes(copy)  # as if the process had died before it deleted the file
    assert switch.spool.deliver() == 1
    assert [head.revision for head in switch.store.find()] == [1]


def test_a_snapshot_that_no_store_can_hold_is_refused_at_once(away: Spool) -> None:
    with pytest.raises(SnapshotError, match="computed_at"):
        away.write(replace(snapshot(), computed_at=None))
    assert list(away.waiting()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format": 99}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"input": ["p"]}',
        b'{"format": 1, "snapshot": {}, "delivery": {"force": false, "source": null}}',
    ],
)
def test_a_broken_file_is_moved_aside_and_told(
    switch: Switch, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot())
    [file] = switch.spool.waiting()
    broken = file.with_name("0-broken.json")
    broken.write_bytes(content)
    switch.turn(on=True)
    with caplog.at_level(logging.WARNING):
        assert switch.spool.deliver() == 1
    assert (file.parent / "refused" / broken.name).read_bytes() == content
    assert "0-broken.json cannot be stored" in caplog.text
    assert len(switch.store.find()) == 1


def test_a_snapshot_that_the_database_refuses_is_moved_aside(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot(rows=2**70))
    switch.turn(on=True)
    assert switch.spool.deliver() == 0
    assert list(switch.spool.waiting()) == []
    assert len(list((switch.spool._folder / "refused").iterdir())) == 1


def test_a_store_that_refuses_us_loses_nothing(away: Spool, reader: str, tmp_path: Path) -> None:
    away.write(snapshot())
    with Store(reader) as store, pytest.raises(StoreError, match="evaluation_writer"):
        Spool(store, tmp_path / "spool").deliver()
    assert len(list(away.waiting())) == 1


def test_a_full_spool_says_so(tmp_path: Path) -> None:
    spool = Spool(Store(NOWHERE), tmp_path / "spool", max_bytes=5000)
    spool.write(snapshot(day=0))
    told = r"no room for [\d,]+ more \(limit 5,000\): start the store"
    with pytest.raises(StoreError, match=told):
        spool.write(snapshot(day=1, metadata={"long": "x" * 5000}))
    assert len(list(spool.waiting())) == 1


def test_a_full_disk_says_so_and_leaves_no_half_file(tmp_path: Path) -> None:
    """The kernel refuses to let a file grow: as on a full disk, the write fails in the middle."""
    code = (
        "import resource, sys; from pathlib import Path; from store.samples import snapshot;"
        "from exporter.store import Store; from exporter.store.spool import Spool;"
        "from exporter.errors import StoreError\n"
        f"spool = Spool(Store({NOWHERE!r}), Path(sys.argv[1]))\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (100, {resource.RLIM_INFINITY}))\n"
        "try: spool.write(snapshot())\n"
        "except StoreError as error: print(error)"
    )
    tests = Path(__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "spool")],
        env={**os.environ, "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "(File too large): free space there, or start the store" in said.stdout
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(Store(NOWHERE), tmp_path / "file" / "spool")
    with pytest.raises(StoreError, match="cannot wait in"):
        spool.write(snapshot())


def test_what_waits_in_a_folder_of_another_user_is_told(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot())
    switch.turn(on=True)
    [file] = switch.spool.waiting()
    (file.parent / ".lock").mkdir()  # root may open any file, but no folder as one
    with pytest.raises(StoreError, match=r"cannot be delivered .*: make the folder"):
        switch.spool.deliver()
    assert file.exists()


def test_a_figure_too_large_for_any_number_is_moved_aside(switch: Switch) -> None:
    switch.turn(on=False)
    switch.spool.write(snapshot(day=0))
    switch.spool.write(snapshot(day=1))
    first, _ = switch.spool.waiting()
    first.write_text(first.read_text().replace('"n": 900', f'"n": {10**400}', 1))
    switch.turn(on=True)
    assert switch.spool.deliver() == 1
    assert (first.parent / "refused" / first.name).exists()


def test_files_are_the_users_alone(away: Spool) -> None:
    away.write(snapshot())
    [file] = away.waiting()
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_store_that_is_away_is_not_asked_for_every_snapshot(tmp_path: Path) -> None:
    asked: list[int] = []

    def url() -> str:
        asked.append(1)
        return NOWHERE

    spool = Spool(Store(url), tmp_path / "spool")
    for day in range(50):
        spool.write(snapshot(day=day))
    assert 1 <= len(asked) < 25
    assert len(list(spool.waiting())) == 50


def test_two_processes_deliver_each_snapshot_once(
    away: Spool, database: str, tmp_path: Path
) -> None:
    for day in range(30):
        away.write(snapshot(day=day))
    gate = threading.Barrier(2)
    arrived = []

    def work() -> None:
        with Store(database) as store:
            store.connection()
            gate.wait()
            arrived.append(Spool(store, tmp_path / "spool").deliver())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(arrived) == 30
    heads = "select count(*), min(revision), max(revision) from grafana.snapshots"
    assert rows(database, heads) == [(30, 1, 1)]
    assert list(away.waiting()) == []
