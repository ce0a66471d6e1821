"""What is due: windows, their fingerprints, and files that are not opened again."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from exporter.batch import Schema
from exporter.errors import BatchError
from exporter.sources.files import FileSource, Layout, batch_of
from exporter.sources.parts import Parts
from exporter.sources.segments import rows_where
from exporter.sources.tables import replaced_in

NEW_YORK = "America/New_York"
SCHEMA = Schema(
    {"x": "numerical", "city": "categorical", "y": "numerical", "p": "numerical"},
    ("x", "city"),
    "y",
    "p",
    task="regression",
)
LAYOUT = Layout("t", NEW_YORK, NEW_YORK, "1d", "id")
LATE = replace(LAYOUT, labels="labels*.csv")
NOW = datetime(2024, 1, 20, tzinfo=UTC)


def day(number, rows=20, seed=0):
    random = np.random.default_rng(seed + number)
    return pa.table(
        {
            "t": [f"2024-01-{number:02d}T{i % 24:02d}:15:00" for i in range(rows)],
            "id": [f"{number}-{i}" for i in range(rows)],
            "x": random.normal(size=rows),
            "city": random.choice(["a", "b", "c"], rows),
            "p": random.normal(size=rows),
            "unused": random.normal(size=rows),
        }
    )


def labels(*days, rows=20, shift=0.0):
    return pa.table(
        {
            "id": [f"{d}-{i}" for d in days for i in range(rows)],
            "y": [float(d + i) + shift for d in days for i in range(rows)],
        }
    )


def source(folder: Path, pattern="d-*", layout=LAYOUT, schema=SCHEMA) -> FileSource:
    return FileSource(pattern, folder, schema, layout)


def prints(of: FileSource, *, late=False) -> list[str]:
    return [of.fingerprint(start, labels=late) for start in of.windows()]


def changed(before: list[str], after: list[str]) -> list[int]:
    """Which windows are due: those whose fingerprint differs, and new ones."""
    before = before + [""] * (len(after) - len(before))
    return [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]


def swap(path: Path) -> None:
    """Other content of the same size and time: whoever opens the file now cannot read it."""
    state = path.stat()
    path.write_bytes(b"\0" * state.st_size)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def three_days(folder: Path) -> None:
    for number in (1, 2, 3):
        pq.write_table(day(number), folder / f"d-{number}.parquet")


def test_windows_are_counted_over_all_files_in_order_of_time(tmp_path):
    pq.write_table(pa.concat_tables([day(3), day(1)]), tmp_path / "d-1.parquet")
    csv.write_csv(day(1, rows=5, seed=9), tmp_path / "d-2.csv")
    windows = source(tmp_path).windows()
    assert list(windows.values()) == [25, 20]
    assert list(windows) == sorted(windows)


def test_a_window_is_read_from_all_its_files_with_times_as_instants(tmp_path):
    pq.write_table(pa.concat_tables([day(2), day(1)]), tmp_path / "d-1.parquet")
    csv.write_csv(day(1, rows=5, seed=9), tmp_path / "d-2.csv")
    of = source(tmp_path)
    first = next(iter(of.windows()))
    rows = of.read(first)
    assert len(rows) == 25
    assert set(rows.column_names) == {"t", "id", "x", "city", "p"}
    assert rows["t"].to_pylist()[0] == datetime(2024, 1, 1, 5, 15, tzinfo=UTC)


def test_a_window_without_rows_has_no_columns(tmp_path):
    three_days(tmp_path)
    assert source(tmp_path).read(0).num_columns == 0


def test_a_window_does_not_carry_its_whole_files_dictionary(tmp_path):
    many = pa.concat_tables([day(n, rows=200) for n in range(1, 10)])
    many = many.set_column(3, "city", pa.array([f"city {i}" for i in range(len(many))]))
    pq.write_table(many, tmp_path / "d-1.parquet")
    of = source(tmp_path)
    city = of.read(next(iter(of.windows())))["city"]
    assert len(city.chunk(0).dictionary) == 200


def test_columns_that_tags_and_segments_read_are_read_too(tmp_path):
    three_days(tmp_path)
    of = source(tmp_path, layout=replace(LAYOUT, also=("unused",)))
    assert "unused" in of.whole().column_names


def test_without_declared_columns_all_but_the_ignored_are_read(tmp_path):
    three_days(tmp_path)
    layout = replace(LAYOUT, ignored=("unused",))
    of = source(tmp_path, layout=layout, schema=Schema({}, ()))
    assert of.whole().column_names == ["t", "id", "x", "city", "p"]


def test_unchanged_files_are_not_opened_by_the_next_run(tmp_path):
    three_days(tmp_path)
    csv.write_csv(labels(1, 2, 3), tmp_path / "labels.csv")
    before = [prints(source(tmp_path, layout=LATE), late=late) for late in (False, True)]
    for path in tmp_path.iterdir():
        swap(path)
    after = [prints(source(tmp_path, layout=LATE), late=late) for late in (False, True)]
    assert after == before
    assert source(tmp_path, layout=LATE).told(NOW) == []
    with pytest.raises(BatchError, match="no parquet file"):
        source(tmp_path, layout=LATE).whole()


def test_only_changed_files_are_opened(tmp_path):
    three_days(tmp_path)
    before = prints(source(tmp_path))
    swap(tmp_path / "d-1.parquet")
    pq.write_table(day(2, seed=5), tmp_path / "d-2.parquet")
    assert changed(before, prints(source(tmp_path))) == [1]


def test_without_a_cache_everything_works_and_files_are_opened_again(tmp_path, monkeypatch):
    monkeypatch.setenv("EVALUATION_EXPORTER_CACHE", "")
    three_days(tmp_path)
    assert prints(source(tmp_path)) == prints(source(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"files": {"a": 1}}', b"\xff\xfe"])
def test_a_damaged_index_is_made_anew(tmp_path, cache, content):
    three_days(tmp_path)
    before = prints(source(tmp_path))
    (index,) = (cache / "index").iterdir()
    index.write_bytes(content)
    assert prints(source(tmp_path)) == before


def test_fingerprints_are_those_of_the_rows_not_of_their_files(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    whole = pa.concat_tables([day(1), day(2)])
    pq.write_table(whole, one / "d-1.parquet")
    shuffled = whole.take(pa.array(np.random.default_rng(0).permutation(len(whole))))
    pq.write_table(shuffled.slice(0, 15), other / "d-a.parquet")
    pq.write_table(shuffled.slice(15), other / "d-b.parquet")
    assert prints(source(one)) == prints(source(other))


def test_of_an_appended_file_only_the_new_and_changed_windows_are_due(tmp_path):
    table = pa.concat_tables([day(1), day(2), day(3)])
    pq.write_table(table, tmp_path / "d.parquet")
    before = prints(source(tmp_path, "d.parquet"))
    more = pa.concat_tables([table, day(3, rows=1, seed=7), day(4)])
    pq.write_table(more, tmp_path / "d.parquet")
    assert changed(before, prints(source(tmp_path, "d.parquet"))) == [2, 3]


def test_a_file_that_was_only_touched_makes_nothing_due(tmp_path):
    three_days(tmp_path)
    before = prints(source(tmp_path))
    os.utime(tmp_path / "d-1.parquet", (1, 1))
    assert changed(before, prints(source(tmp_path))) == []


def test_a_corrected_value_makes_its_window_due(tmp_path):
    three_days(tmp_path)
    before = prints(source(tmp_path))
    rows = day(2).to_pylist()
    rows[7]["x"] += 1e-12
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d-2.parquet")
    assert changed(before, prints(source(tmp_path))) == [1]


def test_a_changed_column_that_is_not_declared_makes_nothing_due(tmp_path):
    three_days(tmp_path)
    before = prints(source(tmp_path))
    table = day(2)
    pq.write_table(
        table.set_column(5, "unused", pa.array(np.zeros(len(table)))), tmp_path / "d-2.parquet"
    )
    assert changed(before, prints(source(tmp_path))) == []


def test_another_declaration_of_columns_makes_nothing_due(tmp_path):
    three_days(tmp_path)
    before = prints(source(tmp_path))
    kinds = {**SCHEMA.kinds, "unused": "numerical"}
    assert changed(before, prints(source(tmp_path, schema=replace(SCHEMA, kinds=kinds)))) == []


def test_a_file_that_is_gone_takes_its_windows_with_it(tmp_path):
    three_days(tmp_path)
    source(tmp_path).windows()
    (tmp_path / "d-2.parquet").unlink()
    assert list(source(tmp_path).windows().values()) == [20, 20]


def test_new_files_are_seen_after_a_refresh(tmp_path):
    three_days(tmp_path)
    of = source(tmp_path)
    of.windows()
    pq.write_table(day(4), tmp_path / "d-4.parquet")
    assert len(of.windows()) == 3
    of.refresh()
    assert len(of.windows()) == 4


def test_labels_that_come_late_make_only_their_windows_due_and_only_where_they_are_read(tmp_path):
    three_days(tmp_path)
    csv.write_csv(labels(1), tmp_path / "labels-1.csv")
    before = [prints(source(tmp_path, layout=LATE), late=late) for late in (False, True)]
    csv.write_csv(labels(2), tmp_path / "labels-2.csv")
    after = [prints(source(tmp_path, layout=LATE), late=late) for late in (False, True)]
    assert changed(before[0], after[0]) == []
    assert changed(before[1], after[1]) == [1]


def test_a_corrected_label_makes_its_window_due(tmp_path):
    three_days(tmp_path)
    csv.write_csv(labels(1, 2, 3), tmp_path / "labels.csv")
    before = prints(source(tmp_path, layout=LATE), late=True)
    csv.write_csv(
        pa.concat_tables([labels(1, 2, 3), labels(3, rows=1, shift=1.0)]), tmp_path / "labels.csv"
    )
    assert changed(before, prints(source(tmp_path, layout=LATE), late=True)) == [2]


def test_labels_in_other_files_or_of_unknown_ids_make_nothing_due(tmp_path):
    three_days(tmp_path)
    csv.write_csv(labels(1, 2, 3), tmp_path / "labels.csv")
    before = prints(source(tmp_path, layout=LATE), late=True)
    csv.write_csv(labels(3, 2), tmp_path / "labels.csv")
    csv.write_csv(labels(1, 17), tmp_path / "labels-more.csv")
    assert changed(before, prints(source(tmp_path, layout=LATE), late=True)) == []


def test_rows_without_a_time_and_in_the_future_are_told_and_make_no_window(tmp_path):
    table = day(1)
    times = [None, "not a time", "2099-01-01", "2099-01-01", *table["t"].to_pylist()[4:]]
    pq.write_table(table.set_column(0, "t", pa.array(times)), tmp_path / "d-1.parquet")
    of = source(tmp_path)
    told = of.told(NOW)
    assert list(of.windows(NOW).values()) == [16]
    assert of.without_time == 2
    assert [line.split(":")[1][:30] for line in told] == [
        " 2 rows without a time (or wit",
        " 2 rows lie in the future (fro",
    ]


def test_the_window_after_the_current_one_is_not_in_the_future(tmp_path):
    three_days(tmp_path)
    of = source(tmp_path)
    assert len(of.windows(datetime(2024, 1, 2, 12, tzinfo=UTC))) == 3
    assert len(of.windows(datetime(2024, 1, 1, 12, tzinfo=UTC))) == 2


def test_a_fixed_reference_has_the_rows_without_a_time_too(tmp_path):
    table = day(1)
    pq.write_table(table.set_column(0, "t", pa.nulls(20, pa.string())), tmp_path / "d-1.parquet")
    assert len(source(tmp_path).whole()) == 20


def test_a_missing_time_column_names_the_nearest(tmp_path):
    pq.write_table(
        day(1).rename_columns(["time_", *day(1).column_names[1:]]), tmp_path / "d-1.parquet"
    )
    of = source(tmp_path, layout=replace(LAYOUT, time="time"))
    with pytest.raises(BatchError, match=r"d-1.parquet: there is no time column 'time'.*'time_'"):
        of.windows()


def test_numbers_as_times_name_the_file(tmp_path):
    pq.write_table(day(1).set_column(0, "t", pa.array(range(20))), tmp_path / "d-1.parquet")
    with pytest.raises(BatchError, match=r"d-1.parquet: time column 't' holds numbers"):
        source(tmp_path).windows()


def test_a_broken_file_among_good_ones_is_named_and_the_good_ones_are_not_opened_again(tmp_path):
    three_days(tmp_path)
    (tmp_path / "d-3.parquet").write_bytes(b"broken")
    of = source(tmp_path)
    assert len(of.windows()) == 2
    assert ["d-3.parquet" in str(error) for error in of.unreadable] == [True]
    swap(tmp_path / "d-1.parquet")
    pq.write_table(day(3), tmp_path / "d-3.parquet")
    assert len(source(tmp_path).windows()) == 3


def test_what_counts_as_missing_is_null_whatever_its_type(tmp_path):
    table = pa.table(
        {
            "t": ["2024-01-01"] * 4,
            "id": ["1", "2", "3", "4"],
            "x": [-999.0, float("inf"), 1.0, float("-inf")],
            "n": [-999, 1, 2, 3],
            "city": ["NA", "", "a", "-999"],
        }
    )
    pq.write_table(table, tmp_path / "d-1.parquet")
    kinds = {"x": "numerical", "n": "numerical", "city": "categorical"}
    schema = Schema(kinds, ("x",), missing_values=("", "NA", -999, float("inf")))
    batch = batch_of(source(tmp_path, schema=schema).whole())
    assert {name: batch.read(name).to_pylist() for name in kinds} == {
        "x": [None, None, 1.0, float("-inf")],
        "n": [None, 1, 2, 3],
        "city": [None, None, "a", None],
    }
    assert {name: batch.replaced(name) for name in (*kinds, "id")} == {
        "x": {"-999": 1, "inf": 1},
        "n": {"-999": 1},
        "city": {"NA": 1, '""': 1, "-999": 1},
        "id": {},
    }
    assert batch.types.keys() == {"t", "id", *kinds}


def test_what_stood_where_a_value_is_missing_goes_with_its_row(tmp_path):
    cities = ["NA", "a", None, "-", "b", "NA", "null", "b"]
    table = pa.table({
        "t": [f"2024-01-0{1 + i // 4}" for i in range(8)], "id": list(map(str, range(8))),
        "x": [1.0, -999.0, *range(6)], "city": cities,
    })  # fmt: skip
    pq.write_table(table, tmp_path / "d-1.parquet")
    of = source(tmp_path, schema=Schema({}, (), missing_values=("NA", "-", "null", -999)))
    first, last = of.windows()
    second = of.read(last)
    assert replaced_in(second, "city") == {"NA": 1, '"null"': 1}
    both = of.read(first, last)
    assert replaced_in(both, "city") == {"NA": 2, "-": 1, '"null"': 1}
    assert replaced_in(both, "x") == {"-999": 1}
    assert replaced_in(rows_where(both, "city", "b"), "city") == {}


def test_no_more_than_a_few_parts_are_held_in_memory(tmp_path):
    for number in range(1, 11):
        pq.write_table(day(number, rows=2000), tmp_path / f"d-{number:02d}.parquet")
    size = source(tmp_path, "d-01.parquet").whole().nbytes
    of = FileSource("d-*", tmp_path, SCHEMA, LAYOUT, parts=Parts(limit=3 * size))
    held = []
    for start in of.windows():
        of.read(start)
        held.append(of.parts.held)
    assert max(held) <= 3 * size


def test_row_groups_of_one_large_file_are_parts_of_their_own(tmp_path):
    tables = [day(n, rows=300_000) for n in (1, 2)]
    with pq.ParquetWriter(tmp_path / "d.parquet", tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table.slice(0, 300_000), row_group_size=300_000)
    of = source(tmp_path, "d.parquet")
    first, second = of.windows()
    both = of.read(first, second)
    assert [len(of.read(first)), len(of.read(second)), len(both)] == [300_000, 300_000, 600_000]


def test_a_source_opens_from_a_configured_model(tmp_path):
    from exporter.config import Files, Model

    three_days(tmp_path)
    model = Model.model_validate(
        {
            "source": {"path": "d-*"},
            "columns": {"time": {"column": "t", "timezone": "UTC"}, "id": "id"},
            "tags": {"unit": {"column": "unused"}, "arm": "A"},
            "segments": {"city": None},
            "batch": "1w",
        }
    )
    of = FileSource.open(model, tmp_path, Schema({"x": "numerical"}, ("x",)), NEW_YORK)
    assert of.layout == Layout("t", "UTC", NEW_YORK, "1w", "id", also=("unused", "city"))
    assert list(of.windows().values()) == [5, 55]  # Monday in UTC begins on Sunday in New York
    assert of.like(Files(path="d-1.parquet"), tmp_path).whole().num_rows == 20
