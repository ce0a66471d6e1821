"""Names that want to break something go in and come back, through the store and its views."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from conftest import as_role
from hypothesis import given
from hypothesis import strategies as st
from store.samples import rows, snapshot

from exporter.snapshot import (
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    ReferenceInfo,
    Snapshot,
)
from exporter.store import Input, Store
from exporter.store.door import storable, storable_text

NAMES = {
    "quotes": 'O\'Brien "the" `best`',
    "sql": "'; drop schema evaluation cascade; --",
    "format": "%s %(x)s {} \\ $1 $$ \\x00",
    "lines": "a\nb\r\n\tc",
    "emoji": "🌡️ température \u202egnp",
    "like": "50%_*?",
    "blank": " ",
}


def hostile(name: str) -> Snapshot:
    """A snapshot that carries the name wherever a name may stand."""
    return snapshot(
        f"m{name}",
        evaluation=f"e{name}",
        segment=name,
        batch=name,
        tags={"arm": f"a{name}", name: name},
        stream_tags=("arm", name),
        metadata={name: [name]},
        exporter_version=name,
        reference=ReferenceInfo(name, hash=name),
        metrics=(MetricRow("mean", name, name, {"pattern": name}, 1.0, n=1, name=name),),
        drift=(DriftRow(name, "categorical", name, contributions={name: 1}, error=name),),
        tests=(CheckResult(name, "mean", name, name, {name: name}, message=name),),
        distributions=(Distribution(name, None, (name,), (1, 0)),),
    )


@pytest.fixture(scope="module")
def store(shared_database: str) -> Iterator[Store]:
    with Store(shared_database) as store:
        yield store


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_hostile_name_comes_back_as_it_was(store: Store, name: str) -> None:
    written = store.write(hostile(name))
    found = store.read(written.snapshot_id)
    assert (found.model, found.segment, found.batch) == (f"m{name}", name, name)
    assert (found.reference.kind, found.reference.hash) == (name, name)
    assert (found.tags, found.metadata) == ({"arm": f"a{name}", name: name}, {name: [name]})
    [metric], [drift], [test] = found.metrics, found.drift, found.tests
    assert (metric.column, metric.label, metric.name) == (name, name, name)
    assert (metric.params, drift.contributions) == ({"pattern": name}, {name: 1})
    assert (drift.error, test.test, test.message) == (name, name, name)
    assert found.distributions[0].categories == [name]
    assert store.write(hostile(name)).result == "same"
    assert [head.id for head in store.find(model=f"m{name}", segment=name)] == [found.id]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_views_show_a_hostile_name_to_the_reader(store: Store, name: str) -> None:
    store.write(hostile(name))
    reader = as_role(store.url, "grafana")
    for view in ("metrics", "latest_metrics", "drift", "latest_drift", "distributions", "series"):
        query = f"select column_name from grafana.{view} where model = %s"
        assert set(rows(reader, query, f"m{name}")) == {(name,)}, view
    query = "select test, metric, column_name, label, params, message from grafana.tests"
    assert rows(reader, f"{query} where model = %s", f"m{name}") == [
        (name, "mean", name, name, {name: name}, name)
    ]
    query = "select tag, value from grafana.stream_tags where model = %s and tag <> 'arm'"
    assert rows(reader, query, f"m{name}") == [(name, name)]


def test_what_no_text_can_hold_is_replaced(store: Store) -> None:
    written = store.write(hostile("nul \0 and half \ud800 a pair"))
    [metric] = store.read(written.snapshot_id).metrics
    assert metric.column == "nul \ufffd and half \ufffd a pair"
    assert store.write(hostile("nul \0 and half \ud800 a pair")).result == "same"


def test_names_of_a_thousand_characters_are_cut_and_stay_apart(store: Store) -> None:
    long, longer = "ä" * 1000, "ä" * 1001
    first, second = store.write(hostile(long)), store.write(hostile(longer))
    assert (first.result, second.result) == ("new", "new")
    [metric] = store.read(first.snapshot_id).metrics
    assert len(metric.column.encode()) <= 500
    assert metric.column.startswith("ääää")
    assert store.write(hostile(long)).result == "same"


@pytest.mark.parametrize("name", [*NAMES.values(), "nul \0", "half \ud800", "ä" * 1000])
def test_what_is_asked_for_is_found_as_it_was_stored(store: Store, name: str) -> None:
    written = store.write(hostile(f"find {name}"))
    name = f"find {name}"
    found = store.find(model=f"m{name}", segment=name, batch=name, tags={name: name})
    assert [head.id for head in found] == [written.snapshot_id]
    assert store.find(project=name, status=name) == []


def test_many_long_tags_are_one_stream(store: Store) -> None:
    tags = {f"{i} {'x' * 600}": f"{i} {'y' * 600}" for i in range(50)}
    wide = snapshot("wide", tags=tags, stream_tags=tuple(tags))
    assert [store.write(wide).result, store.write(wide).result] == ["new", "same"]


def test_a_hostile_name_goes_through_inputs_and_grids(store: Store) -> None:
    one = hostile("0\0" + "é" * 700)
    store.write(one, source=Input(one.model, "print"))
    assert list(store.inputs("p", one.model, one.evaluation).values()) == ["print"]


def test_no_name_reaches_the_server_as_a_command(store: Store) -> None:
    store.write(hostile("x'); drop table evaluation.metric; select ('"))
    with psycopg.connect(store.url) as connection:
        assert connection.execute("select to_regclass('evaluation.metric')").fetchone() != (None,)


@given(st.text(st.characters(codec=None), max_size=800))
def test_any_text_fits_into_an_index_and_stays_as_it_is_when_asked_again(text: str) -> None:
    clean = storable_text(text)
    assert len(clean.encode()) <= 500
    assert "\0" not in clean
    assert storable_text(clean) == clean


def test_a_storable_snapshot_is_left_alone() -> None:
    once = storable(hostile("é\0" * 600))
    assert storable(once) == once
