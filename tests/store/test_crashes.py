"""A server that dies while snapshots are written: each is there once, none is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import open_folder
from store.samples import rows, snapshot

from exporter.snapshot import MetricRow, Snapshot
from exporter.store import Store, migrate
from exporter.store.embedded import EmbeddedPostgres
from exporter.store.spool import Spool

SNAPSHOTS = 400
pytestmark = pytest.mark.xdist_group(
    "stack"
)  # a killed server's port must not go to a stack that starts
FIGURES = 50
KILLS = (60, 170, 280)


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A migrated server of the test's own, with fsync on, as users have it."""
    with open_folder() as folder, EmbeddedPostgres(folder) as server:
        migrate(server.url)
        yield server


def kill(server: EmbeddedPostgres) -> None:
    """SIGKILL to the postmaster: no chance to write anything back."""
    pid = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


def numbered(number: int) -> Snapshot:
    metrics = tuple(
        MetricRow("mean", f"c{i}", value=number + i / 1000, n=1) for i in range(FIGURES)
    )
    return snapshot("killed", day=number - 390, metrics=metrics)


def test_three_kills_lose_nothing_and_double_nothing(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    url, progress, spooled = postgres.url, threading.Semaphore(0), 0

    def kill_thrice() -> None:
        before = 0
        for moment in KILLS:
            for _ in range(moment - before):
                progress.acquire()
            before = moment
            kill(postgres)
            time.sleep(0.3)
            assert postgres.ensured_url() == url  # as an administrator would start it again

    killer = threading.Thread(target=kill_thrice)
    killer.start()
    with Store(url) as store:
        spool = Spool(store, tmp_path / "spool")
        for number in range(SNAPSHOTS):
            spooled += spool.write(numbered(number)) is None
            progress.release()
            time.sleep(0.003)
        killer.join()
        Spool(store, tmp_path / "spool").deliver()
    assert spooled > 0
    assert not list((tmp_path / "spool").glob("*.json"))
    assert not (tmp_path / "spool" / "refused").exists()
    heads = "select count(*), count(distinct snapshot_id), max(revision) from evaluation.snapshot"
    assert rows(url, heads) == [(SNAPSHOTS, SNAPSHOTS, 1)]
    [(figures, total)] = rows(url, "select count(*), sum(value) from evaluation.metric")
    assert figures == SNAPSHOTS * FIGURES
    expected = sum(n + i / 1000 for n in range(SNAPSHOTS) for i in range(FIGURES))
    assert total == pytest.approx(expected)


def test_the_embedded_server_is_started_again_where_it_died(postgres: EmbeddedPostgres) -> None:
    with Store(postgres.ensured_url) as store:
        store.write(snapshot(day=0))
        kill(postgres)
        assert store.write(snapshot(day=1)).result == "new"
        assert len(store.find()) == 2


def test_the_port_stays_after_a_crash(postgres: EmbeddedPostgres) -> None:
    with Store(postgres.url) as store:
        store.write(snapshot(day=0))
        found = []
        for _ in range(3):  # while nobody holds the port, another test's server may be given it
            before = postgres.url
            kill(postgres)
            found.append(postgres.ensured_url() == before)
            if found[-1]:
                break
        assert found[-1]
