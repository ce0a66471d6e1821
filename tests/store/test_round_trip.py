"""What is read is what was written: every field of every row, whatever stands in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.snapshot import (
    STATUSES,
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    ReferenceInfo,
    Snapshot,
    canonical,
    content_hash,
)
from exporter.store import Store

_NUMBERS = count()  # an identity of its own for each example
# What no text can hold is replaced at the door, and numbers inside JSON keep 15 digits before the
# point; tests/store/test_hostile_text.py has the rest.
words = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
names = words.filter(bool)
figures = st.none() | st.floats(allow_nan=False, allow_infinity=False)
counts = st.none() | st.integers(0, 2**63 - 1)
plain = st.none() | st.booleans() | words | st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2)
)
options = st.dictionaries(words, values, max_size=2)
moments = st.datetimes(
    datetime(2026, 9, 1), datetime(2026, 10, 30), timezones=st.just(UTC)
)  # two months: each one has partitions to make


def some(kind: type, key: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Up to three rows that differ in what names their figure."""
    return st.lists(st.builds(kind, **fields), max_size=3, unique_by=key)


metrics = some(
    MetricRow,
    lambda r: (r.metric, r.column, r.label, canonical(r.params), r.name),
    **dict.fromkeys(("metric", "column", "label"), words),
    **dict.fromkeys(("value", "reference", "low", "high"), figures),
    params=options,
    n=counts,
    error=st.none() | words,
    name=st.none() | names,
)
drift = some(
    DriftRow,
    lambda r: (r.column, r.method),
    **dict.fromkeys(("column", "type", "method"), words),
    **dict.fromkeys(("score", "threshold", "severity", "low", "high"), figures),
    drifted=st.none() | st.booleans(),
    n=counts,
    reference_n=counts,
    contributions=st.none() | options,
    error=st.none() | words,
)
tests = some(
    CheckResult,
    lambda r: (r.test, r.metric, r.column, r.label, canonical(r.params)),
    **dict.fromkeys(("test", "metric", "column", "label", "message"), words),
    **dict.fromkeys(("value", "lower", "upper"), figures),
    params=options,
    status=st.sampled_from(STATUSES),
    critical=st.booleans(),
)
bins = st.lists(st.integers(0, 2**63 - 1), max_size=3)
numeric = st.builds(
    Distribution,
    column=words,
    edges=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    categories=st.none(),
    current=bins,
    reference=st.none() | bins,
)
categorical = st.builds(
    Distribution,
    column=words,
    edges=st.none(),
    categories=st.lists(words, max_size=3),
    current=bins,
    reference=st.none() | bins,
)
distributions = st.lists(numeric | categorical, max_size=3, unique_by=lambda r: r.column)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    tags = draw(st.dictionaries(words, names, max_size=3))
    start, end = sorted(draw(st.lists(moments, min_size=2, max_size=2, unique=True)))
    known = draw(st.none() | moments)
    return Snapshot(
        rows=draw(st.integers(0, 2**63 - 1)),
        **{name: draw(names) for name in ("project", "model", "evaluation")},
        **{name: draw(words) for name in ("segment", "batch", "exporter_version")},
        **{name: draw(counts) for name in ("reference_rows", "labelled_rows")},
        tags=tags,
        stream_tags=draw(st.lists(st.sampled_from(sorted(tags)), unique=True)) if tags else [],
        window_start=start,
        window_end=end,
        computed_at=datetime(2026, 11, 1, 6, 30, 1, 234567, tzinfo=UTC),
        reference=ReferenceInfo(draw(words), known, known and end, draw(words)),
        metadata=draw(options),
        metrics=draw(metrics),
        drift=draw(drift),
        tests=draw(tests),
        distributions=draw(distributions),
    )


def form(snapshot: Snapshot) -> dict[str, Any]:
    """The JSON form with its rows in one order."""
    said = snapshot.as_dict()
    for part in ("metrics", "drift", "tests", "distributions"):
        said[part] = sorted(
            said[part], key=lambda row: json.dumps(row, sort_keys=True, default=list)
        )
    return said


@pytest.fixture(scope="module")
def store(shared_database: str) -> Iterator[Store]:
    with Store(shared_database) as store:
        yield store


@given(snapshots())
def test_every_field_comes_back_as_it_was(store: Store, one: Snapshot) -> None:
    one = replace(one, project=f"{next(_NUMBERS)} {one.project}")
    written = store.write(one)
    found = store.read(written.snapshot_id)
    assert form(found) == form(replace(one, id=written.snapshot_id))


@given(snapshots())
def test_what_was_read_is_the_same_content(store: Store, one: Snapshot) -> None:
    one = replace(one, project=f"{next(_NUMBERS)} {one.project}")
    found = store.read(store.write(one).snapshot_id)
    assert content_hash(found) == content_hash(one)
    assert store.write(found).result == "same"
