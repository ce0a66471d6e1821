"""Fixed data in windows: their profiles are those of their rows, made while the whole is read once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exporter.batch import Schema
from exporter.evaluation import ReferenceProfile, evaluate
from exporter.plan import make_plan
from exporter.sources.cut import MOST_WINDOWS
from exporter.sources.files import FileSource, Layout, batch_of
from exporter.sources.references import WindowProfiles, profile_of

LAYOUT = Layout("t", "UTC", "UTC", "1d", "id")
SCHEMA = Schema(
    {"x": "numerical", "city": "categorical", "note": "text", "y": "numerical", "p": "numerical"},
    ("x", "city"),
    "y",
    "p",
    task="regression",
    missing_values=(-999,),
)
EVERYTHING = ["data_summary", "data_quality", "regression"]


def days(count: int, rows: int = 40) -> pa.Table:
    """Rows of so many days in no order, one of them without a time."""
    rng = np.random.default_rng(count)
    place = rng.permutation(count * rows)
    times = [
        f"2024-{1 + i // rows // 28:02d}-{1 + i // rows % 28:02d}T{i % 24:02d}:15:00" for i in place
    ]
    times[0] = None
    x = place // rows + rng.normal(size=len(place))
    x[rng.random(len(x)) < 0.1] = -999
    return pa.table({
        "t": times, "id": list(map(str, place)), "x": x, "city": rng.choice(list("abc"), len(place)),
        "note": rng.choice(["", "good", "bad"], len(place)), "p": rng.normal(size=len(place)),
        "y": rng.normal(size=len(place)),
    })  # fmt: skip


def fixed(folder: Path, table: pa.Table, **layout: str) -> FileSource:
    pq.write_table(table, folder / "train.parquet")
    how = replace(LAYOUT, **layout)
    return FileSource("train.parquet", folder, SCHEMA, how, timeless=True)


def profiled(source: FileSource, where: tuple[tuple[str, str], ...] = ()) -> ReferenceProfile:
    found = WindowProfiles(source).whole(source, SCHEMA, SCHEMA.columns(), where, windows=True)
    assert found is not None
    return found


def figures(profile: ReferenceProfile) -> list[object]:
    """What every metric of the reference says."""
    empty = batch_of(days(1).slice(0, 0))
    rows = evaluate(empty, profile, make_plan(EVERYTHING, SCHEMA)).metrics
    return [(r.metric, r.column, r.label, r.params, r.reference) for r in rows]


def test_windows_of_fixed_data_have_the_profiles_of_their_rows(tmp_path: Path) -> None:
    source = fixed(tmp_path, days(8))
    whole = profiled(source)
    assert not whole.rolls
    assert whole.table.rows == 320
    direct = [
        profile_of(batch_of(source.read(w)), SCHEMA, SCHEMA.columns()) for w in source.windows()
    ]
    assert [window.table.rows for window in whole.windows] == [w.table.rows for w in direct]
    assert list(map(figures, whole.windows)) == list(map(figures, direct))


def test_they_are_kept_on_disk_with_the_whole(tmp_path: Path) -> None:
    first, second = (profiled(fixed(tmp_path, days(8))) for _ in range(2))
    assert figures(first) == figures(second)
    assert list(map(figures, first.windows)) == list(map(figures, second.windows))


def test_of_a_segment_they_have_its_rows(tmp_path: Path) -> None:
    source = fixed(tmp_path, days(8))
    parts = [profiled(source, (("city", city),)) for city in "abc"]
    rows = [sum(w.table.rows for w in part.windows) for part in parts]
    assert sum(rows) == 319
    assert all(len(part.windows) == 8 for part in parts)


@pytest.mark.parametrize(
    ("count", "batch", "windows"), [(6, "1d", 0), (90, "1d", MOST_WINDOWS), (90, "1w", 14)]
)
def test_few_windows_tell_nothing_and_of_very_many_some_are_enough(
    tmp_path: Path, count: int, batch: str, windows: int
) -> None:
    assert len(profiled(fixed(tmp_path, days(count, 3), batch=batch)).windows) == windows


def test_data_without_times_or_with_unreadable_ones_have_no_windows(tmp_path: Path) -> None:
    table = days(8)
    for told in (table.drop_columns("t"), table.set_column(0, "t", table["x"])):
        batch = batch_of(told)
        assert profile_of(batch, SCHEMA, SCHEMA.columns(), layout=LAYOUT).windows == ()
    assert profiled(fixed(tmp_path, table.drop_columns("t"))).windows == ()


def test_each_column_is_read_once_and_those_of_the_outcome_once_more() -> None:
    batch, reads = batch_of(days(9)), Counter[str]()

    def read(name: str) -> pa.ChunkedArray:
        reads[name] += 1
        return batch.read(name)

    alone, counted = profile_of(replace(batch, read=read), SCHEMA, SCHEMA.columns()), reads.copy()
    reads.clear()
    parts = profile_of(replace(batch, read=read), SCHEMA, SCHEMA.columns(), layout=LAYOUT)
    assert len(parts.windows) == 9
    assert figures(alone) == figures(parts)
    assert reads - counted == Counter({"t": 1, "y": 1, "p": 1})
