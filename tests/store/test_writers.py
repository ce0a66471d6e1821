"""Many writers at once: nothing doubled, nothing lost, no deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from store.samples import DAY, NOW, metric_values, rows, snapshot

from exporter.store import Store, migrate

WRITERS = 4


def at_once(work: Callable[[int], list[str]], writers: int = WRITERS) -> list[str]:
    """What all writers give, started at the same moment."""
    gate = threading.Barrier(writers)

    def one(number: int) -> list[str]:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(writers) as pool:
        return sorted(result for results in pool.map(one, range(writers)) for result in results)


def test_four_writers_of_the_same_write_it_once(database: str) -> None:
    def work(_: int) -> list[str]:
        with Store(database) as store:
            return [store.write(snapshot(day=day)).result for day in range(15)]

    assert at_once(work) == ["new"] * 15 + ["same"] * 45
    assert len(metric_values(database)) == 15 * 3


def test_of_four_writers_with_different_contents_the_newest_stands(database: str) -> None:
    def work(number: int) -> list[str]:
        at = NOW + number * DAY
        with Store(database) as store:
            return [
                store.write(snapshot(day=day, value=float(number), computed_at=at)).result
                for day in range(15)
            ]

    at_once(work)
    values = [value for name, value in metric_values(database) if name == "missing_ratio"]
    assert values == [3.0] * 15


def test_eight_writers_meet_in_new_months(database: str) -> None:
    def work(number: int) -> list[str]:
        with Store(database) as store:
            return [
                store.write(snapshot(f"writer {number}", day=-31 * month)).result
                for month in range(6)
            ]

    assert at_once(work, 8) == ["new"] * 48
    partitions = "select count(*) from pg_inherits where inhparent = 'evaluation.metric'::regclass"
    assert rows(database, partitions) == [(6,)]


def test_migrations_beside_writers_stop_neither(database: str) -> None:
    """As with the embedded server, which every command migrates: rights meet partitions."""

    def work(number: int) -> list[str]:
        if number == 0:
            return [str(migrate(database)) for _ in range(30)]
        with Store(database) as store:
            return [
                store.write(snapshot(f"writer {number}", day=-31 * month - 1500 * number)).result
                for month in range(40)
            ]

    assert at_once(work, 3) == ["[]"] * 30 + ["new"] * 80


def test_threads_share_one_store(database: str) -> None:
    with Store(database) as store:

        def work(number: int) -> list[str]:
            return [store.write(snapshot(f"thread {number}", day=day)).result for day in range(5)]

        assert at_once(work) == ["new"] * 20
