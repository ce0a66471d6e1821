"""What a config evaluates and never was: told by each run, gone with its first batch."""

from __future__ import annotations

from pathlib import Path

from store.samples import rows, snapshot

from exporter.store import Store
from exporter.store.expected import Expected
from exporter.store.spool import Spool

NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens
INPUTS, QUALITY = Expected("m", "inputs", 3600, 600), Expected("m", "quality", 3600, 86400)
NEVER = "select project, model, evaluation from grafana.never_evaluated order by 1, 2, 3"
WRITTEN = "select evaluation, xmin::text from evaluation.expected order by 1"


def test_what_the_config_has_and_never_was_is_listed_with_when_it_was_due(
    database: str, writer: str, reader: str
) -> None:
    with Store(writer) as store:
        store.tell_expected("p", [INPUTS, QUALITY, INPUTS])
    assert rows(reader, NEVER) == [("p", "m", "inputs"), ("p", "m", "quality")]
    spans = "select extract(epoch from due - time)::int from grafana.never_evaluated order by 1"
    assert rows(reader, spans) == [(2 * 3600 + 600,), (2 * 3600 + 86400,)]
    assert rows(database, "select count(*) from evaluation.expected") == [(2,)]


def test_the_first_batch_takes_it_off_the_list(database: str) -> None:
    made = snapshot()
    with Store(database) as store:
        store.tell_expected("p", [Expected(made.model, made.evaluation, 1, 0), QUALITY])
        store.write(made)
    assert rows(database, NEVER) == [("p", "m", "quality")]


def test_what_is_told_again_is_not_written_again_and_keeps_since_when(database: str) -> None:
    with Store(database) as store:
        store.tell_expected("p", [INPUTS, QUALITY])
        before = rows(database, WRITTEN)
        since = rows(database, "select since from evaluation.expected")
        store.tell_expected("p", [QUALITY, INPUTS])
        assert rows(database, WRITTEN) == before
        store.tell_expected("p", [QUALITY, INPUTS._replace(wait=0)])
        after = rows(database, WRITTEN)
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]
    assert rows(database, "select since from evaluation.expected") == since


def test_what_is_taken_out_of_the_config_goes_and_another_project_stays(database: str) -> None:
    with Store(database) as store:
        store.tell_expected("p", [INPUTS, QUALITY])
        store.tell_expected("q", [INPUTS])
        store.tell_expected("p", [QUALITY])
        assert rows(database, NEVER) == [("p", "m", "quality"), ("q", "m", "inputs")]
        store.tell_expected("p", [])
        assert rows(database, NEVER) == [("q", "m", "inputs")]


def test_names_are_those_that_snapshots_are_stored_under(database: str) -> None:
    odd = "\0" + "ü" * 400
    with Store(database) as store:
        store.tell_expected("p\0", [Expected(odd, odd, 1, 0)])
        store.write(snapshot(project="p\0", model=odd, evaluation=odd))
    assert rows(database, NEVER) == []


def test_a_store_that_is_away_is_told_by_the_next_run(tmp_path: Path) -> None:
    with Store(NOWHERE) as store:
        spool = Spool(store, tmp_path)
        spool.tell_expected("p", [INPUTS])
        assert list(spool.waiting()) == []
