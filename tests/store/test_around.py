"""A snapshot among those of its stream, and the newest of every stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from store.samples import DAY, NOW, snapshot

from exporter.snapshot import Snapshot
from exporter.store import Store, around
from exporter.store.around import BESIDE, FEW, newest
from exporter.store.reader import Reader

DAYS = 30


@pytest.fixture(scope="module")
def fleet(shared_database: str) -> Iterator[Store]:
    """A month of days of one stream, and a few snapshots of others."""
    with Store(shared_database) as store:
        for day in range(DAYS):
            store.write(snapshot(day=day))
        store.write(snapshot(segment="origin=EWR"))
        store.write(snapshot(tags={"arm": "challenger"}))
        store.write(snapshot("n", project="q"))
        store.write(snapshot(day=3, batch="again", computed_at=NOW + DAY))
        yield store


@pytest.fixture
def reader_of(fleet: Store) -> Iterator[Reader]:
    reader = Reader(fleet.url)
    yield reader
    reader.close()


def of_stream(store: Store) -> list[Snapshot]:
    return store.find(project="p", segment="", tags={"arm": "champion"})


def ids(heads: list[Snapshot]) -> list[int | None]:
    return [head.id for head in heads]


@pytest.mark.parametrize("place", [0, 1, 15, DAYS - 1, DAYS])
def test_neighbours_are_of_the_same_stream_and_in_order(fleet: Store, place: int) -> None:
    every = of_stream(fleet)
    earlier, later = fleet.beside(every[place].id or 0)
    assert ids(earlier) == ids(every[max(0, place - len(earlier)) : place])
    assert ids(later) == ids(every[place + 1 : place + 1 + len(later)])
    assert len(earlier) + len(later) == BESIDE


def test_at_an_end_the_other_side_has_more(fleet: Store) -> None:
    every = of_stream(fleet)
    sides = [fleet.beside(every[place].id or 0) for place in (0, 2, 15, -2, -1)]
    assert [(len(earlier), len(later)) for earlier, later in sides] == [
        (0, 13),
        (2, 11),
        (7, 6),
        (12, 1),
        (13, 0),
    ]


def test_two_snapshots_of_one_window_are_neighbours(fleet: Store) -> None:
    (again,) = fleet.find(batch="again")
    earlier, _ = fleet.beside(again.id or 0)
    assert (earlier[-1].window_start, earlier[-1].batch) == (again.window_start, "")


def test_what_is_not_there_has_no_neighbours_and_what_is_alone_neither(fleet: Store) -> None:
    (alone,) = fleet.find(segment="origin=EWR")
    assert fleet.beside(alone.id or 0) == ([], [])
    assert fleet.beside(10**12) == ([], [])


def test_what_was_deleted_is_no_neighbour(database: str) -> None:
    with Store(database) as store:
        numbers = [store.write(snapshot(day=day)).snapshot_id for day in range(3)]
        store.delete([numbers[1]])
        assert ids(store.beside(numbers[0]).later) == [numbers[2]]


def test_the_newest_of_every_stream_come_with_those_before(reader_of: Reader) -> None:
    found = reader_of.newest(None, None, 100)
    assert (found.streams, found.left_out) == (4, 0)
    champion = [h for h in found.heads if not h.segment and h.tags["arm"] == "champion" and h.project == "p"]  # fmt: skip
    assert len(champion) == around.ROW
    assert max(h.window_start for h in champion if h.window_start) == snapshot(day=DAYS - 1).window_start  # fmt: skip


def test_where_there_are_many_streams_less_is_shown_of_each(
    fleet: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(around, "MANY", 3)
    found = newest(fleet.connection(), None, None, 100)
    assert len([h for h in found.heads if h.model == "m" and not h.segment]) == FEW + 1


def test_streams_of_segments_are_the_first_to_be_left_out(reader_of: Reader) -> None:
    found = reader_of.newest(None, None, 3)
    assert (found.streams, found.left_out) == (3, 1)
    assert {head.segment for head in found.heads} == {""}
    least = reader_of.newest(None, None, 2)
    assert (least.streams, least.left_out) == (2, 2)


@pytest.mark.parametrize(
    ("project", "model", "streams"), [("p", None, 3), ("q", "n", 1), ("p", "n", 0), (None, "m", 3)]
)
def test_the_newest_can_be_of_one_project_or_model(
    reader_of: Reader, project: str | None, model: str | None, streams: int
) -> None:
    assert reader_of.newest(project, model, 100).streams == streams
