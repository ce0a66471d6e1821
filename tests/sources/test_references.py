"""References: which windows they are made of, and their profiles in memory and on disk."""

import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from exporter.batch import Schema
from exporter.evaluation import evaluate
from exporter.plan import make_plan
from exporter.sources.cache import Cache
from exporter.sources.clock import micros
from exporter.sources.files import FileSource, Layout, batch_of
from exporter.sources.frames import open_batch
from exporter.sources.references import (
    Profiles,
    WindowProfiles,
    chosen,
    profile_of,
    reference_profile,
)

NEW_YORK = "America/New_York"
DAYS = 86_400
LAYOUT = Layout("t", "UTC", "UTC", "1d", "id")
SCHEMA = Schema(
    {"x": "numerical", "city": "categorical", "y": "numerical", "p": "numerical"},
    ("x", "city"),
    "y",
    "p",
    task="regression",
)


def day(number, rows=50):
    random = np.random.default_rng(number)
    return pa.table(
        {
            "t": [f"2024-01-{number:02d}T{i % 24:02d}:15:00" for i in range(rows)],
            "id": [f"{number}-{i}" for i in range(rows)],
            "x": random.normal(size=rows),
            "city": random.choice(["a", "b", "c"], rows),
            "p": random.normal(size=rows),
            "y": random.normal(size=rows),
        }
    )


def five_days(folder: Path, layout=LAYOUT) -> FileSource:
    for number in range(1, 6):
        pq.write_table(day(number), folder / f"d-{number}.parquet")
    return FileSource("d-*", folder, SCHEMA, layout)


def midnights(year, month, days, zone=NEW_YORK):
    from zoneinfo import ZoneInfo

    return [micros(datetime(year, month, d, tzinfo=ZoneInfo(zone))) for d in days]


def profiles(source: FileSource, **more) -> WindowProfiles:
    return WindowProfiles(source, **more)


def figures(profile):
    """What evaluations read of a profile, comparable."""
    batch = batch_of(day(9))
    judged = ["regression"] if profile.schema.task == "regression" else []
    plan = make_plan(["data_summary", "data_drift", *judged], profile.schema)
    snapshot = evaluate(batch, profile, plan)
    return snapshot.metrics, snapshot.drift, snapshot.distributions


def alike(one, other) -> bool:
    return repr(figures(one)) == repr(figures(other))


def test_a_rolling_reference_is_the_windows_before_without_the_lag():
    windows = midnights(2024, 1, range(1, 31))
    found = chosen(windows, windows[20], batch="1d", zone=NEW_YORK, rolling=7 * DAYS, lag=2 * DAYS)
    assert found == windows[11:18]


@pytest.mark.parametrize(("month", "first"), [(3, 1), (11, 1)])
def test_a_rolling_reference_has_as_many_days_when_the_clock_changes(month, first):
    windows = midnights(2013, month, range(first, first + 28))
    found = chosen(windows, windows[14], batch="1d", zone=NEW_YORK, rolling=14 * DAYS)
    assert found == windows[:14]


def test_days_without_rows_are_not_made_up_for():
    windows = [w for i, w in enumerate(midnights(2024, 1, range(1, 31))) if i not in (14, 16)]
    found = chosen(windows, windows[-1], batch="1d", zone=NEW_YORK, rolling=20 * DAYS)
    assert len(found) == 18


def test_a_rolling_month_of_monthly_windows_is_the_month_before():
    windows = [midnights(2013, m, [1])[0] for m in range(1, 13)]
    month = 2_629_800
    assert chosen(windows, windows[7], batch="1mo", zone=NEW_YORK, rolling=month) == [windows[6]]
    lagged = chosen(windows, windows[7], batch="1mo", zone=NEW_YORK, rolling=3 * month, lag=DAYS)
    assert lagged == windows[3:6]


def test_the_window_itself_and_later_ones_are_never_its_reference():
    windows = midnights(2024, 1, range(1, 31))
    assert chosen(windows, windows[0], batch="1d", zone=NEW_YORK, rolling=30 * DAYS) == []


@pytest.mark.parametrize(("previous", "expected"), [(1, [3]), (4, [0]), (5, [])])
def test_previous_counts_windows_that_have_rows(previous, expected):
    windows = midnights(2024, 1, [1, 2, 4, 9, 20])
    found = chosen(windows, windows[4], batch="1d", zone=NEW_YORK, previous=previous)
    assert found == [windows[i] for i in expected]


def test_a_rolling_reference_gives_the_figures_of_its_rows_in_one(tmp_path):
    source = five_days(tmp_path)
    windows = list(source.windows())
    merged = profiles(source).merged(windows[:4], SCHEMA, SCHEMA.columns(), labels=True)
    assert merged.table.rows == 200
    assert len(merged.windows) == 4
    whole = profile_of(batch_of(source.read(*windows[:4])), SCHEMA, SCHEMA.columns())
    assert merged.columns["x"].points.quantile(0.3) == whole.columns["x"].points.quantile(0.3)
    assert merged.columns["city"].count_of == whole.columns["city"].count_of
    assert merged.outcome.count == whole.outcome.count == 200


def test_windows_are_profiled_once_and_their_files_not_opened_again(tmp_path):
    source = five_days(tmp_path)
    windows = list(source.windows())
    first = profiles(source).merged(windows, SCHEMA, SCHEMA.columns(), labels=True)
    for path in tmp_path.glob("*.parquet"):
        state = path.stat()
        path.write_bytes(b"\0" * state.st_size)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    again = FileSource("d-*", tmp_path, SCHEMA, LAYOUT)
    second = profiles(again).merged(windows, SCHEMA, SCHEMA.columns(), labels=True)
    assert alike(first, second)


def test_a_reference_of_a_segment_has_only_its_rows(tmp_path):
    source = five_days(tmp_path)
    windows = list(source.windows())
    of = profiles(source)
    parts = [
        of.merged(windows, SCHEMA, SCHEMA.columns(), (("city", value),), labels=False).table.rows
        for value in ("a", "b", "c")
    ]
    assert sum(parts) == 250
    assert of.merged(windows, SCHEMA, SCHEMA.columns(), (("city", "z"),), labels=False) is None


def test_a_label_that_comes_makes_the_profile_of_its_window_anew(tmp_path):
    source = five_days(tmp_path, replace(LAYOUT, labels="labels*.csv"))
    for path in tmp_path.glob("*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(["y"]), path)

    def labelled(*days):
        ids = [f"{d}-{i}" for d in days for i in range(50)]
        csv.write_csv(pa.table({"id": ids, "y": [1.5] * len(ids)}), tmp_path / "labels.csv")
        source.refresh()
        windows = list(source.windows())
        return profiles(source).merged(windows, SCHEMA, SCHEMA.columns(), labels=True)

    assert labelled(1).outcome.count == 50
    assert labelled(1, 2).outcome.count == 100


def test_a_fixed_reference_is_kept_on_disk_and_found_again(tmp_path, cache):
    source = five_days(tmp_path)
    fixed = FileSource("d-1.parquet", tmp_path, SCHEMA, LAYOUT)
    first = profiles(source).whole(fixed, SCHEMA, SCHEMA.columns())
    assert len(list((cache / "windows").iterdir())) == 1
    second = profiles(source).whole(fixed, SCHEMA, SCHEMA.columns())
    direct = profile_of(batch_of(fixed.whole()), SCHEMA, SCHEMA.columns())
    assert alike(first, second)
    assert alike(first, direct)


@pytest.mark.parametrize("damage", ["empty", "cut", "footer", "mark", "foreign"])
def test_a_damaged_profile_is_made_anew(tmp_path, cache, damage):
    source = five_days(tmp_path)
    windows = list(source.windows())
    first = profiles(source).merged(windows[:1], SCHEMA, SCHEMA.columns(), labels=True)
    (kept,) = (cache / "windows").iterdir()
    content = kept.read_bytes()
    broken = {
        "empty": b"",
        "cut": content[: len(content) // 2],
        "footer": content[:-200] + b"0" * 100 + content[-100:],
        "mark": content[:-1] + b"X",
        "foreign": b"EVALREF1" * 100,
    }
    kept.write_bytes(broken[damage])
    second = profiles(source).merged(windows[:1], SCHEMA, SCHEMA.columns(), labels=True)
    assert alike(first, second)
    assert kept.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    source = five_days(tmp_path)
    (tmp_path / "file").write_text("in the way")
    of = profiles(source, cache=Cache(tmp_path / "file" / "x"))
    windows = list(source.windows())
    assert of.merged(windows, SCHEMA, SCHEMA.columns(), labels=True).table.rows == 250


def test_profiles_in_memory_are_bounded(tmp_path):
    source = five_days(tmp_path)
    of = profiles(source, memory=Profiles(limit=5_000))
    for start in source.windows():
        of.merged([start], SCHEMA, SCHEMA.columns(), labels=True)
        assert of.memory.held <= 5_000


def test_a_paths_profile_is_private_and_used_again(tmp_path, cache):
    path = tmp_path / "reference.parquet"
    pq.write_table(day(1), path)
    columns = {"numerical": ["x", "p", "y"], "categorical": ["city"]}
    first = reference_profile(path, columns, None)
    (kept,) = (cache / "references").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert reference_profile(str(path), columns, None) is first
    direct = reference_profile(day(1), columns, None)
    assert alike(first, direct)


def test_a_changed_file_or_declaration_is_profiled_anew(tmp_path):
    path = tmp_path / "reference.parquet"
    pq.write_table(day(1), path)
    assert reference_profile(path, {"numerical": ["x"]}, None).columns["x"].rows == 50
    assert set(reference_profile(path, {"numerical": ["p"]}, None).columns) == {"p"}
    pq.write_table(day(1, rows=60), path)
    assert reference_profile(path, {"numerical": ["x"]}, None).columns["x"].rows == 60


def test_references_of_several_files_and_other_formats_are_profiled(tmp_path):
    csv.write_csv(day(1), tmp_path / "1.csv")
    csv.write_csv(day(2), tmp_path / "2.csv")
    profile = reference_profile(tmp_path, None, None)
    assert profile.table.rows == 100
    assert profile.schema.kinds["city"] == "categorical"


def test_large_columns_are_mapped_and_give_their_memory_back(tmp_path):
    path = tmp_path / "reference.parquet"
    values = np.random.default_rng(0).normal(size=600_000)
    pq.write_table(pa.table({"x": values}), path)
    profile = reference_profile(path, None, None)
    before = profile.columns["x"].points.quantile(0.5)
    profile.release("x")
    profile.release("not there")
    assert profile.columns["x"].points.quantile(0.5) == before
    assert not profile.columns["x"].points.values.flags.writeable


def test_a_reference_column_that_cannot_be_read_does_not_cost_the_others(tmp_path):
    table = day(1).append_column("odd", pa.array(["text"] * 50))
    pq.write_table(table, tmp_path / "reference.parquet")
    columns = {"numerical": ["x", "odd"]}
    profile = reference_profile(tmp_path / "reference.parquet", columns, None)
    assert set(profile.columns) == {"x"}
    assert "not numbers" in profile.table.failed["odd"]


def test_an_empty_reference_has_a_profile_without_rows(tmp_path):
    pq.write_table(day(1).slice(0, 0), tmp_path / "reference.parquet")
    profile = reference_profile(tmp_path / "reference.parquet", {"numerical": ["x"]}, None)
    assert profile.table.rows == 0
    assert open_batch(tmp_path / "reference.parquet").rows == 0


def test_now_is_no_part_of_a_profile(tmp_path):
    source = five_days(tmp_path)
    fixed = FileSource("d-1.parquet", tmp_path, SCHEMA, LAYOUT)
    name = fixed.print
    assert source.told(datetime(2024, 2, 1, tzinfo=UTC)) == []
    assert FileSource("d-1.parquet", tmp_path, SCHEMA, LAYOUT).print == name


def test_the_outcome_of_many_classes_comes_back_from_disk_as_it_was(tmp_path, cache):
    random = np.random.default_rng(0)
    chances = random.dirichlet([1, 1, 1], 300)
    table = pa.table(
        {"y": random.choice(["a", "b", "c"], 300)}
        | {name: chances[:, i] for i, name in enumerate(("pa", "pb", "pc"))}
    )
    pq.write_table(table, tmp_path / "pets.parquet")
    columns = {"target": "y", "probability": {"a": "pa", "b": "pb", "c": "pc"}}
    batch = open_batch(table)
    snapshots = []
    for data in (table, tmp_path / "pets.parquet", tmp_path / "pets.parquet"):
        reference = reference_profile(data, columns, "multiclass")
        plan = make_plan(["classification"], reference.schema)
        snapshots.append(evaluate(batch, reference, plan))
    assert snapshots[0].metrics == snapshots[1].metrics == snapshots[2].metrics
    assert all(row.reference == row.value for row in snapshots[0].metrics)


def test_windows_of_classes_add_up_to_the_whole(tmp_path, cache):
    random = np.random.default_rng(0)
    table = pa.table(
        {"t": [f"2024-01-0{1 + i % 3}T12:00:00" for i in range(90)], "id": range(90)}
        | {"y": random.choice(["a", "b"], 90), "pa": random.random(90), "pb": random.random(90)}
    )
    pq.write_table(table, tmp_path / "all.parquet")
    schema = Schema(
        {"y": "categorical", "pa": "numerical", "pb": "numerical"}, (), "y", task="multiclass",
        probabilities={"a": "pa", "b": "pb"},
    )  # fmt: skip
    source = FileSource("all.parquet", tmp_path, schema, LAYOUT)
    windows = WindowProfiles(source)
    merged = windows.merged(sorted(source.windows()), schema, schema.columns(), labels=True)
    whole = profile_of(open_batch(table), schema, schema.columns())
    assert merged.outcome.labels == whole.outcome.labels
    assert merged.outcome.matrix == whole.outcome.matrix
    assert merged.outcome.brier == pytest.approx(whole.outcome.brier)
