"""What `/metrics` shows of a real store: which gauges, with which labels, and what stays hidden."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from store.samples import DAY, FIRST, NOW, snapshot

from exporter.config.fields import RESERVED_TAGS
from exporter.metrics import CATALOGUE
from exporter.prometheus import FAMILIES, Exposition
from exporter.prometheus.budget import fair_shares
from exporter.prometheus.families import family_of
from exporter.prometheus.labels import label_text, tag_labels
from exporter.snapshot import CheckResult, DriftRow, MetricRow, Snapshot
from exporter.store import Store
from exporter.store.expected import Expected
from exporter.store.latest import LatestReader
from exporter.store.links import Links

HOSTILE = {
    "quotes": 'O\'Brien "the" `best`',
    "sql": "'; drop schema evaluation cascade; --",
    "escapes": 'a\\nb\\\\\n"c" {x="y"} # 1',
    "lines": "a\nb\r\n\tc\u2028d",
    "emoji": "🌡️ température \u202egnp",
    "long": "x" * 1000,
}
NOWHERE = "postgresql://127.0.0.1:1/x"  # a port on which nobody listens
STREAM = {"project": "p", "model": "m", "evaluation": "inputs", "arm": "champion"}


class Shown:
    """A store, and what is shown of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = Store(url)
        self.reader = LatestReader(lambda: self.url)
        self.exposition = Exposition(self.reader)

    def limited(self, **settings: Any) -> None:
        self.exposition = Exposition(self.reader, **settings)

    def write(self, *snapshots: Snapshot) -> None:
        for one in snapshots:
            self.store.write(one)

    def refresh(self, now: datetime = NOW) -> bool:
        return self.exposition.refresh(now)

    def samples(self, name: str, now: datetime = NOW) -> list[tuple[dict[str, str], float]]:
        self.refresh(now)
        return samples(self.exposition.body(), name)

    def values(self, name: str, now: datetime = NOW) -> list[float]:
        return [value for _, value in self.samples(name, now)]


def samples(body: bytes, name: str) -> list[tuple[dict[str, str], float]]:
    families = text_string_to_metric_families(body.decode())
    return [(s.labels, s.value) for family in families for s in family.samples if s.name == name]


def names(body: bytes) -> set[str]:
    return {s.name for f in text_string_to_metric_families(body.decode()) for s in f.samples}


@pytest.fixture
def shown(database: str) -> Iterator[Shown]:
    made = Shown(database)
    yield made
    made.store.close()
    made.reader.close()


def test_the_figures_of_the_latest_window_are_shown_with_their_labels(shown: Shown) -> None:
    shown.write(snapshot(day=1, value=0.25), snapshot(day=0))
    assert shown.samples("evaluation_missing_ratio") == [({**STREAM, "column": "temp"}, 0.25)]
    assert shown.samples("evaluation_quantile") == [
        ({**STREAM, "column": "temp", "name": "p99", "q": "0.99"}, 2.0)
    ]


def test_drift_is_shown_as_severity_detection_and_score(shown: Shown) -> None:
    shown.write(snapshot())
    ks = {**STREAM, "column": "temp", "method": "ks"}
    psi = {**STREAM, "column": "city", "method": "psi"}
    assert shown.samples("evaluation_column_drift_severity") == [(psi, 0.5), (ks, 3.0)]
    assert shown.samples("evaluation_column_drift_detected") == [(psi, 0.0), (ks, 1.0)]
    assert shown.samples("evaluation_column_drift_score") == [(psi, 0.1), (ks, 0.3)]


def test_tests_are_shown_with_their_bounds(shown: Shown) -> None:
    shown.write(snapshot(tests=(
        CheckResult("few gaps", "missing_ratio", "temp", status="fail", upper=0.05),
        CheckResult("enough", "row_count", status="success", lower=1.0, upper=9.0),
    )))  # fmt: skip
    gaps = {**STREAM, "test": "few gaps", "metric": "missing_ratio", "column": "temp"}
    enough = {**STREAM, "test": "enough", "metric": "row_count"}
    critical = {"critical": "true"}
    assert shown.samples("evaluation_test_failed") == [
        (gaps | critical, 1.0),
        (enough | critical, 0.0),
    ]
    assert shown.samples("evaluation_test_consecutive_failures") == [
        (gaps | critical, 1.0),
        (enough | critical, 0.0),
    ]
    assert shown.samples("evaluation_test_bound") == [
        ({**gaps, "bound": "upper"}, 0.05),
        ({**enough, "bound": "lower"}, 1.0),
        ({**enough, "bound": "upper"}, 9.0),
    ]


@pytest.mark.parametrize(
    ("status", "is_critical", "failed"),
    [("success", True, [0.0]), ("fail", True, [1.0]), ("warning", False, [1.0]),
     ("error", True, [1.0]), ("error", False, [1.0]), ("skipped", True, [])],
)  # fmt: skip
def test_a_test_has_failed_unless_it_passed_or_was_skipped(
    shown: Shown, status: Any, is_critical: bool, failed: list[float]
) -> None:
    test = CheckResult("mean", "mean", "temp", status=status, critical=is_critical)
    shown.write(snapshot(tests=(test,)))
    found = shown.samples("evaluation_test_failed")
    assert [value for _, value in found] == failed
    assert {labels["critical"] for labels, _ in found} <= {str(is_critical).lower()}


def test_consecutive_failures_grow_from_window_to_window(shown: Shown) -> None:
    found = []
    for day, status in enumerate(("success", "fail", "skipped", "fail", "success")):
        shown.write(snapshot(day=day, tests=(CheckResult("t", "mean", "temp", status=status),)))  # type: ignore[arg-type]
        found.append(shown.values("evaluation_test_consecutive_failures"))
    assert found == [[0.0], [1.0], [], [2.0], [0.0]]


def test_the_state_of_a_window_is_shown(shown: Shown) -> None:
    shown.write(snapshot(labelled_rows=7))
    state = {name: shown.values(f"evaluation_{name}") for name in (
        "window_start_timestamp_seconds", "window_end_timestamp_seconds",
        "computed_timestamp_seconds", "batch_interval_seconds", "failed_figures", "batch_rows",
        "reference_rows", "labelled_rows",
    )}  # fmt: skip
    moments = [FIRST.timestamp(), (FIRST + DAY).timestamp(), NOW.timestamp(), 86400.0]
    assert [value for [value] in state.values()] == [*moments, 2.0, 900.0, 100.0, 7.0]
    counts = {labels["status"]: n for labels, n in shown.samples("evaluation_tests")}
    assert counts == {"success": 1, "warning": 0, "fail": 1, "error": 0, "skipped": 0}


def test_describing_tags_are_labels_of_the_info_only(shown: Shown) -> None:
    shown.write(snapshot())
    assert shown.samples("evaluation_snapshot_info") == [({**STREAM, "version": "3"}, 1.0)]
    assert "version" not in shown.samples("evaluation_missing_ratio")[0][0]


def test_no_sample_has_a_timestamp(shown: Shown) -> None:
    shown.write(snapshot())
    shown.refresh()
    families = text_string_to_metric_families(shown.exposition.body().decode())
    stamps = [s.timestamp for family in families for s in family.samples]
    assert set(stamps) == {None}


def test_numbers_are_options_texts_and_lists_are_not(shown: Shown) -> None:
    params = {"q": 0.5, "left": 1.0, "wide": True, "pattern": "[a-z]", "values": [1], "none": None}
    row = MetricRow("quantile", "temp", params=params, value=1.0, n=1)
    shown.write(snapshot(metrics=(row, MetricRow("mean", "x", params={"method": "m"}, value=2.0))))
    [(labels, _)] = shown.samples("evaluation_quantile")
    assert labels == {**STREAM, "column": "temp", "q": "0.5", "left": "1", "wide": "true"}
    assert shown.samples("evaluation_mean")[0][0]["method"] == "m"


def test_an_option_with_the_name_of_another_label_gets_a_prefix(shown: Shown) -> None:
    row = MetricRow("mean", "temp", params={"model": 1, "arm": 2}, value=1.0)
    shown.write(snapshot(metrics=(row,)))
    [(labels, _)] = shown.samples("evaluation_mean")
    assert labels == {**STREAM, "column": "temp", "option_model": "1", "option_arm": "2"}


def test_the_second_of_two_samples_with_equal_labels_is_left_out_and_counted(shown: Shown) -> None:
    rows = [MetricRow("mean", "temp", params={"values": [i]}, value=float(i)) for i in range(3)]
    shown.write(snapshot(metrics=rows))
    assert len(shown.values("evaluation_mean")) == 1
    dropped = shown.samples("evaluation_exporter_series_dropped")
    assert dropped == [({"reason": "max_series"}, 0.0), ({"reason": "duplicate"}, 2.0)]


def test_of_tests_with_equal_labels_the_failed_one_stands(shown: Shown) -> None:
    tests = [
        CheckResult("t", "in_list_count", "c", params={"values": [i]}, status=status)  # type: ignore[arg-type]
        for i, status in enumerate(("success", "warning", "fail", "success"))
    ]
    shown.write(snapshot(tests=[replace(t, critical=t.status != "warning") for t in tests]))
    [(labels, value)] = [s for s in shown.samples("evaluation_test_failed") if s[1]][:1]
    assert (labels["critical"], value) == ("true", 1.0)


def test_categories_are_never_shown_and_their_total_is(shown: Shown) -> None:
    rows = [MetricRow("category_count", "city", label, value=1.0) for label in ("", "secret")]
    test = CheckResult("category_ratio", "category_ratio", "city", "secret", status="fail")
    shown.write(snapshot(metrics=rows, tests=(test,)))
    [(labels, _)] = shown.samples("evaluation_category_rows")
    assert labels == {**STREAM, "column": "city"}
    [(labels, value)] = shown.samples("evaluation_test_failed")
    assert ("label" in labels, value) == (False, 1.0)
    assert b"secret" not in shown.exposition.body()


@pytest.mark.parametrize(
    ("metric", "count", "seen"),
    [("recall_by_label", 20, 20), ("recall_by_label", 30, 20), ("confusion", 400, 400),
     ("confusion", 401, 0), ("column_count", 30, 30), ("of_a_plugin", 3, 0),
     ("mean_error_by_group", 3, 3), ("roc_curve", 21, 0)],
)  # fmt: skip
def test_labels_are_shown_as_far_as_they_are_no_data(
    shown: Shown, metric: str, count: int, seen: int
) -> None:
    rows = [MetricRow(metric, label=f"l{i:03}", value=1.0) for i in range(count)]
    shown.write(snapshot(metrics=rows))
    found = shown.samples(family_of(metric).name)
    assert [labels["label"] for labels, _ in found] == [f"l{i:03}" for i in range(seen)]


def test_a_metric_of_a_plugin_that_is_not_loaded_is_shown(shown: Shown) -> None:
    shown.write(snapshot(metrics=(MetricRow("my_köpfe", "temp", value=1.5),)))
    [(labels, value)] = shown.samples("evaluation_my_k_pfe")
    assert (labels["column"], value) == ("temp", 1.5)
    assert b"# HELP evaluation_my_k_pfe A metric of a plugin" in shown.exposition.body()


def test_a_metric_with_the_name_of_another_gauge_gets_one_of_its_own(shown: Shown) -> None:
    shown.write(snapshot(metrics=(MetricRow("store_up", value=7.0),)))
    assert shown.values("evaluation_metric_store_up") == [7.0]
    assert shown.values("evaluation_store_up") == [1.0]


def test_no_two_gauges_share_a_name() -> None:
    every = [family.name for family in FAMILIES]
    every += [family_of(metric).name for metric in CATALOGUE if metric != "column_drift"]
    assert len(set(every)) == len(every)


def segmented(shown: Shown, segments: str) -> tuple[int, int, int]:
    """How many gauges of columns, tests and state a segment's stream has."""
    shown.limited(segments=segments)
    rows = (MetricRow("mean", "temp", value=1.0), MetricRow("row_count", value=3.0))
    shown.write(snapshot(), snapshot(segment="origin=EWR", metrics=rows))
    shown.refresh()
    body = shown.exposition.body()
    of_segment = [
        {s[0]["segment"] for s in samples(body, f"evaluation_{name}") if "segment" in s[0]}
        for name in ("mean", "test_failed", "rows")
    ]
    assert samples(body, "evaluation_missing_ratio")  # what is no segment is shown anyhow
    return tuple(len(found) for found in of_segment)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("segments", "expected"), [("tests", (0, 1, 1)), ("all", (1, 1, 1)), ("none", (0, 0, 0))]
)
def test_of_segments_as_much_is_shown_as_is_asked_for(
    shown: Shown, segments: str, expected: tuple[int, int, int]
) -> None:
    assert segmented(shown, segments) == expected


def test_a_revision_replaces_what_was_shown(shown: Shown) -> None:
    shown.write(snapshot(value=1.0))
    assert shown.values("evaluation_missing_ratio") == [1.0]
    shown.write(snapshot(value=2.0))
    assert shown.values("evaluation_missing_ratio") == [2.0]


def test_what_was_deleted_vanishes(shown: Shown) -> None:
    written = shown.store.write(snapshot())
    assert shown.values("evaluation_batch_rows") == [900.0]
    shown.store.delete([written.snapshot_id])
    assert shown.values("evaluation_batch_rows") == []
    assert shown.values("evaluation_exporter_streams") == [0.0]


def test_a_refresh_says_whether_anything_changed(shown: Shown) -> None:
    shown.write(snapshot())
    assert shown.refresh()
    assert not shown.refresh()
    shown.write(snapshot(day=1))
    assert shown.refresh()


def test_somebody_else_s_open_transaction_is_no_news(shown: Shown) -> None:
    with psycopg.connect(shown.url) as other:
        other.execute("select pg_current_xact_id()")
        shown.write(snapshot())
        assert shown.refresh()
        assert not shown.refresh()
        shown.write(snapshot(day=1))
        assert shown.refresh()
        assert not shown.refresh()


def test_a_stream_that_was_silent_for_long_vanishes(shown: Shown) -> None:
    shown.write(snapshot(day=30))
    end = FIRST + 31 * DAY
    shown.write(snapshot("monthly", window_start=end - 31 * DAY, window_end=end, computed_at=end))
    assert len(shown.values("evaluation_batch_rows", NOW + 29 * DAY)) == 2
    assert shown.refresh(NOW + 31 * DAY)
    [(labels, _)] = shown.samples("evaluation_batch_rows", NOW + 31 * DAY)
    assert labels["model"] == "monthly"  # at least three intervals
    assert shown.samples("evaluation_batch_rows", end + 94 * DAY) == []


def test_a_window_of_the_past_that_was_evaluated_lately_is_news(shown: Shown) -> None:
    shown.write(snapshot(window_start=FIRST - 400 * DAY, window_end=FIRST - 399 * DAY))
    assert shown.values("evaluation_batch_rows", NOW + 29 * DAY) == [900.0]


def test_a_stream_that_is_heard_of_again_comes_back(shown: Shown) -> None:
    shown.write(snapshot())
    assert shown.values("evaluation_batch_rows", NOW + 60 * DAY) == []
    shown.write(snapshot(day=60, computed_at=NOW + 60 * DAY))
    assert shown.values("evaluation_batch_rows", NOW + 60 * DAY) == [900.0]


def test_a_short_budget_is_spent_on_state_and_tests_first(shown: Shown) -> None:
    rows = [MetricRow("mean", f"c{i:03}", value=1.0, n=1) for i in range(300)]
    shown.write(snapshot(metrics=[*rows, MetricRow("row_count", value=3.0)]))
    shown.refresh()
    [full] = samples(shown.exposition.body(), "evaluation_exporter_series")
    shown.reader.close()
    shown.limited(max_series=100)
    shown.refresh()
    body = shown.exposition.body()
    for name in ("batch_rows", "test_failed", "test_bound", "rows", "column_drift_severity"):
        assert samples(body, f"evaluation_{name}")
    means = [labels["column"] for labels, _ in samples(body, "evaluation_mean")]
    assert means == [f"c{i:03}" for i in range(len(means))]
    assert samples(body, "evaluation_exporter_series")[0][1] == 100
    dropped = {s[0]["reason"]: s[1] for s in samples(body, "evaluation_exporter_series_dropped")}
    assert dropped == {"max_series": full[1] - 100, "duplicate": 0}


def test_a_short_budget_is_fair_between_streams(shown: Shown) -> None:
    rows = [MetricRow("mean", f"c{i:03}", value=1.0, n=1) for i in range(200)]
    plain = {"drift": (), "tests": ()}
    shown.write(*(snapshot(f"m{i}", metrics=rows, **plain) for i in range(3)))
    shown.write(snapshot("small", metrics=rows[:5], **plain))
    shown.limited(max_series=200)
    found = [labels["model"] for labels, _ in shown.samples("evaluation_mean")]
    counts = [found.count(name) for name in ("small", "m0", "m1", "m2")]
    assert counts[0] == 5
    assert max(counts[1:]) - min(counts[1:]) <= 1


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 200))
def test_shares_keep_within_the_budget_and_favour_nobody(wanted: list[int], budget: int) -> None:
    shares = fair_shares(wanted, budget)
    assert sum(shares) == min(budget, sum(wanted))
    assert all(0 <= share <= wish for share, wish in zip(shares, wanted, strict=True))
    cut = [share for share, wish in zip(shares, wanted, strict=True) if share < wish]
    assert not cut or max(shares) - min(cut) <= 1


def test_the_packed_body_is_one_gzip_member_with_the_same_text(shown: Shown) -> None:
    shown.write(snapshot())
    shown.refresh()
    packed = shown.exposition.body(packed=True)
    assert gzip.decompress(packed) == shown.exposition.body()
    assert len(packed) < len(shown.exposition.body())
    shown.refresh()
    assert gzip.decompress(shown.exposition.body(packed=True)) == shown.exposition.body()


def test_a_start_without_a_store_shows_the_exporter_itself_only() -> None:
    exposition = Exposition(LatestReader(NOWHERE))
    assert not exposition.refresh(NOW)
    body = exposition.body()
    assert samples(body, "evaluation_store_up") == [({}, 0.0)]
    assert samples(body, "evaluation_exporter_refresh_failures_total") == [({}, 1.0)]
    assert samples(body, "process_resident_memory_bytes")
    own = {name for name in names(body) if name.startswith("evaluation_")}
    assert all(name.startswith(("evaluation_exporter_", "evaluation_store_up")) for name in own)
    assert "does not answer" in str(exposition.problem)


def test_a_lost_store_keeps_the_last_state_and_is_told(shown: Shown, database: str) -> None:
    shown.write(snapshot())
    shown.refresh()
    shown.reader.close()
    shown.url = NOWHERE
    assert shown.values("evaluation_missing_ratio") == [1.0]
    assert shown.values("evaluation_store_up") == [0.0]
    last = shown.values("evaluation_exporter_last_refresh_timestamp_seconds", NOW + DAY)
    assert last == [NOW.timestamp()]
    shown.url = database
    shown.write(snapshot(value=5.0))
    assert shown.values("evaluation_missing_ratio") == [5.0]
    assert shown.values("evaluation_store_up") == [1.0]


def test_a_database_in_which_other_streams_have_the_same_ids_is_read_anew(
    shown: Shown, empty_database: str
) -> None:
    from exporter.store import migrate

    shown.write(snapshot("first"))
    shown.refresh()
    migrate(empty_database)
    with Store(empty_database) as other:
        other.write(snapshot("second", metrics=(MetricRow("max", "x", value=8.0),)))
    shown.reader.close()
    shown.url = empty_database
    assert shown.values("evaluation_max") == [8.0]
    assert {labels["model"] for labels, _ in shown.samples("evaluation_tests")} == {"second"}


def hostile(name: str) -> Snapshot:
    """A snapshot that carries the name wherever a name may stand."""
    return snapshot(
        name,
        project=name,
        evaluation=name,
        segment=f"{name}={name}",
        tags={"arm": name, name: name, "version": name},
        stream_tags=("arm", name),
        metrics=(MetricRow("mean", name, params={name: 1, "x": name}, value=1.0, name=name),
                 MetricRow(name, name, name, value=2.0), MetricRow(name, value=3.0)),
        drift=(DriftRow(name, "numerical", name, 0.1, 0.2, False, 0.5),),
        tests=(CheckResult(name, name, name, name, {name: 2.0}, "fail", upper=1.0),),
    )  # fmt: skip


def cut(name: str) -> str:
    """As the store keeps it: at most 500 bytes."""
    from exporter.store.door import storable_text

    return storable_text(name)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_comes_back_as_it_was(shown: Shown, name: str) -> None:
    shown.limited(segments="all")
    shown.write(hostile(name))
    kept = cut(name)
    named: Mapping[str, str] = {"project": kept, "model": kept, "evaluation": kept}
    stream = {**named, "segment": cut(f"{name}={name}"), "arm": kept} | tag_labels({kept: kept})
    [(labels, _)] = shown.samples("evaluation_mean")
    assert labels == {**stream, "column": kept, "name": kept}
    assert shown.samples("evaluation_snapshot_info")[0][0] == {**stream, "version": kept}
    [(labels, value)] = shown.samples("evaluation_test_failed")
    place = {"test": kept, "metric": kept, "column": kept, "critical": "true"}
    assert (labels, value) == (stream | place, 1.0)
    drift = {**stream, "column": kept, "method": kept}
    assert shown.samples("evaluation_column_drift_score") == [(drift, 0.1)]


@pytest.mark.parametrize("name", sorted(RESERVED_TAGS | {"__name__", "9", "tag x", "ü"}))
def test_an_imported_tag_that_cannot_be_a_label_gets_a_prefix(name: str) -> None:
    assert all(label.startswith("tag_") for label in tag_labels({name: "v"}))


@given(st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), st.text(), max_size=3))
def test_any_value_of_a_label_comes_back(labels: dict[str, str]) -> None:
    line = f"x{{{label_text(labels)}}} 1\n"
    [family] = text_string_to_metric_families(line)
    assert family.samples[0].labels == {name: value for name, value in labels.items() if value}


def test_promtool_finds_nothing_to_say(shown: Shown, program: Callable[[str], str]) -> None:
    shown.limited(segments="all")
    for name in HOSTILE.values():
        made = hostile(name)
        shown.write(
            replace(made, metrics=made.metrics[:1])
        )  # the others' names are no gauge of ours
    catalogued = [
        MetricRow(m, "c" if s.per == "column" else "", value=1.0) for m, s in CATALOGUE.items()
    ]
    shown.write(snapshot(metrics=catalogued, labelled_rows=3, metadata={"wait_seconds": 7200}))
    shown.store.tell_links("p", Links("https://e.example", "https://g.example"))
    shown.store.tell_expected("p", [Expected("never", "inputs", 3600, 0)])
    shown.refresh()
    body = shown.exposition.body()
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=body, capture_output=True, check=False
    )
    said = (checked.stdout + checked.stderr).decode()
    assert (checked.returncode, said) == (0, "")
    assert {family.name for family in FAMILIES} <= names(body)
    assert {spec.gauge for spec in CATALOGUE.values()} <= names(body)


def test_the_page_names_every_gauge_of_ours() -> None:
    page = (Path(__file__).parents[1] / "docs" / "prometheus.md").read_text("utf-8")
    assert [family.name for family in FAMILIES if f"`{family.name}`" not in page] == []
