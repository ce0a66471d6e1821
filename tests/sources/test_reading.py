"""Files of every format, whole and broken."""

import gzip
import json
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from exporter.errors import BatchError
from exporter.sources.files import read_table
from exporter.sources.listing import DataFile, found
from exporter.sources.reading import Wanted, read_file, stretches
from exporter.sources.tables import compact, marked, stacked

ROWS = pa.table({"n": [1, 2, 3], "x": [0.5, None, 2.5], "city": ["a", "b", "a"]})


def as_csv(table=ROWS) -> bytes:
    out = pa.BufferOutputStream()
    csv.write_csv(table, out)
    return out.getvalue().to_pybytes()


def as_jsonl(table=ROWS) -> bytes:
    return "\n".join(json.dumps(row) for row in table.to_pylist()).encode()


def plain(table: pa.Table) -> list[dict]:
    return table.to_pylist()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


def refused(path: Path) -> str:
    with pytest.raises(BatchError) as caught:
        read_table(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    assert caught.value.exit_code == 3
    return text


def test_every_format_gives_the_same_rows(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    paths = [
        tmp_path / "a.parquet",
        write(tmp_path / "a.csv", as_csv()),
        write(tmp_path / "a.csv.gz", gzip.compress(as_csv())),
        zipped(tmp_path / "a.csv.zip", a_csv=as_csv()),
        zipped(tmp_path / "a.zip", a_csv=as_csv()),
        write(tmp_path / "a.jsonl", as_jsonl()),
        write(tmp_path / "a.ndjson", as_jsonl()),
        write(tmp_path / "a.jsonl.gz", gzip.compress(as_jsonl())),
    ]
    assert [plain(read_table(path)) for path in paths] == [plain(ROWS)] * len(paths)


def test_the_format_that_is_given_overrides_the_name(tmp_path):
    path = write(tmp_path / "export.dat", as_csv())
    (file,) = found(str(path), Path(), "csv")
    assert plain(read_file(file)) == plain(ROWS)


def test_text_is_dictionary_encoded(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    for path in (tmp_path / "a.parquet", write(tmp_path / "a.csv", as_csv())):
        assert pa.types.is_dictionary(read_table(path)["city"].type)


def test_only_the_wanted_columns_are_read(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.parquet")
    paths = [
        tmp_path / "a.parquet",
        write(tmp_path / "a.csv", as_csv()),
        write(tmp_path / "a.jsonl", as_jsonl()),
    ]
    wanted = Wanted(frozenset(("x", "not there")))
    for path in paths:
        (file,) = found(str(path), Path())
        assert read_file(file, wanted).column_names == ["x"]


def test_types_of_a_csv_are_inferred_from_all_its_rows(tmp_path):
    lines = ["n,x"] + [f"{i},{i}" for i in range(200_000)] + ["AB,1.5"]
    table = read_table(write(tmp_path / "a.csv", "\n".join(lines).encode()))
    assert pa.types.is_dictionary(table["n"].type)
    assert table["x"].type == pa.float64()


def test_an_empty_field_of_a_csv_is_missing_and_na_is_a_text_unless_the_column_is_numeric(tmp_path):
    path = write(tmp_path / "a.csv", b"country,x\nNA,NA\n,1\nDE,2.5\n")
    assert plain(read_table(path)) == [
        {"country": "NA", "x": None},
        {"country": None, "x": 1.0},
        {"country": "DE", "x": 2.5},
    ]


def test_categories_of_several_files_stay_what_they_are_when_they_are_cut_and_emptied(tmp_path):
    files = [
        DataFile(write(tmp_path / f"{i}.csv", b"code\n" + text), "csv")
        for i, text in enumerate([b"7\n8\n", b"", b"n/a\n" + b"9\n" * 200])
    ]
    wanted = Wanted(labels=frozenset(("code",)))
    parts = [read_file(file, wanted) for file in files]
    other = pa.table({"code": ["x"], "more": [1]})
    for tables, values in ((parts, 203), ([*parts, other], 204)):
        table = compact(marked(stacked(tables), ["n/a"]).slice(1))
        assert table["code"].to_pylist()[:2] == ["8", None]
        assert len(table) == values - 1


def test_categories_of_a_csv_are_the_text_they_are_in_canonical_form(tmp_path):
    path = write(tmp_path / "a.csv", b"code,flag,whole\n007,True,1.0\n7,False,2.0\n")
    wanted = Wanted(labels=frozenset(("code", "flag", "whole")))
    assert plain(read_file(DataFile(path, "csv"), wanted)) == [
        {"code": "007", "flag": "true", "whole": "1"},
        {"code": "7", "flag": "false", "whole": "2"},
    ]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_of_a_csv_are_seen_in_its_header(tmp_path, separator):
    path = write(tmp_path / "a.csv", as_csv().replace(b",", separator.encode()))
    assert plain(read_table(path)) == plain(ROWS)


def test_a_csv_with_a_byte_order_mark_and_line_breaks_in_fields_is_read(tmp_path):
    path = write(tmp_path / "a.csv", b'\xef\xbb\xbfa,b\r\n"x\ny",1\r\n')
    assert plain(read_table(path)) == [{"a": "x\ny", "b": 1}]


def test_a_csv_with_only_a_header_has_no_rows(tmp_path):
    assert len(read_table(write(tmp_path / "a.csv", b"a,b\n"))) == 0


def test_jsonl_with_numbers_and_text_in_one_column_is_read_as_text(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"a": 1, "x": NaN}\n{"a": "z"}\n\n{"a": null, "x": 2}\n')
    assert read_table(path)["a"].to_pylist() == ["1", "z", None]


def test_times_of_jsonl_keep_their_zone(tmp_path):
    path = write(tmp_path / "a.jsonl", b'{"t": "2024-01-01T00:00:00+02:00"}\n')
    wanted = Wanted(as_text=frozenset("t"), plain=frozenset("t"))
    assert plain(read_file(DataFile(path, "jsonl"), wanted)) == [{"t": "2024-01-01T00:00:00+02:00"}]


def test_several_files_of_a_zip_are_read_as_one(tmp_path):
    path = zipped(tmp_path / "a.csv.zip", a_csv=as_csv(), b_csv=as_csv())
    assert len(read_table(path)) == 6


def test_files_with_compatible_schemas_are_stacked(tmp_path):
    pq.write_table(pa.table({"x": [1, 2], "c": ["a", "b"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": [0.5], "new": [True]}), tmp_path / "2.parquet")
    assert plain(read_table(tmp_path)) == [
        {"x": 1.0, "c": "a", "new": None},
        {"x": 2.0, "c": "b", "new": None},
        {"x": 0.5, "c": None, "new": True},
    ]


def test_numbers_in_one_file_and_text_in_another_become_text(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": ["a"]}), tmp_path / "2.parquet")
    assert read_table(tmp_path)["x"].to_pylist() == ["1", "a"]


def test_a_folder_stands_for_the_data_files_below_it(tmp_path):
    (tmp_path / "2024" / "_temporary").mkdir(parents=True)
    write(tmp_path / "2024" / "a.csv", as_csv())
    write(tmp_path / "2024" / "_SUCCESS", b"")
    write(tmp_path / "2024" / ".a.csv.crc", b"x")
    write(tmp_path / "2024" / "_temporary" / "b.csv", as_csv())
    write(tmp_path / "README.md", b"text")
    assert [file.path.name for file in found(str(tmp_path), Path())] == ["a.csv"]


def test_folders_named_by_key_and_value_are_columns(tmp_path):
    for day, origin in (("2024-01-01", "EWR"), ("2024-01-02", "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / f"day={day}" / f"origin={origin}" / "shard=3"
        folder.mkdir(parents=True)
        pq.write_table(ROWS.slice(0, 1), folder / "part-0.parquet")
    assert plain(read_table(tmp_path).drop_columns(["n", "x", "city"])) == [
        {"day": "2024-01-01", "origin": "EWR", "shard": 3},
        {"day": "2024-01-02", "origin": None, "shard": 3},
    ]


def test_partition_values_with_leading_zeros_stay_text(tmp_path):
    for code in ("01", "10"):
        (tmp_path / f"code={code}").mkdir()
        write(tmp_path / f"code={code}" / "a.csv", as_csv())
    assert {file.partitions for file in found(str(tmp_path), Path())} == {
        (("code", "01"),),
        (("code", "10"),),
    }


def test_a_large_parquet_file_is_read_in_stretches_of_row_groups(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"x": pa.array(range(1_200_000))})
    pq.write_table(table, path, row_group_size=200_000)
    file = DataFile(path, "parquet")
    parts = stretches(file)
    assert parts == [(0, 3), (3, 6)]
    assert sum(len(read_file(file, groups=groups)) for groups in parts) == len(table)


def test_an_empty_file_is_refused(tmp_path):
    for name in ("a.parquet", "a.csv", "a.jsonl"):
        assert "the file is empty" in refused(write(tmp_path / name, b""))


def test_a_truncated_parquet_file_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(ROWS, path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "cut off" in refused(path)


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(ROWS, path)
    content = bytearray(path.read_bytes())
    content[-60:-20] = b"\xff" * 40
    path.write_bytes(content)
    assert "cannot be read" in refused(path)


def test_a_truncated_gzip_is_refused(tmp_path):
    path = write(tmp_path / "a.csv.gz", gzip.compress(as_csv())[:-12])
    assert "cannot be unpacked" in refused(path)


def test_a_damaged_zip_is_refused(tmp_path):
    assert "cannot be unpacked" in refused(write(tmp_path / "a.csv.zip", b"PK\x03\x04broken"))


def test_a_csv_that_is_called_parquet_is_refused_with_what_to_do(tmp_path):
    assert "give `format: csv`" in refused(write(tmp_path / "a.parquet", as_csv()))


def test_a_jsonl_that_is_called_parquet_is_refused_with_what_to_do(tmp_path):
    assert "give `format: jsonl`" in refused(write(tmp_path / "a.parquet", as_jsonl()))


def test_a_parquet_that_is_called_csv_is_refused_with_what_to_do(tmp_path):
    pq.write_table(ROWS, tmp_path / "a.csv")
    assert "give `format: parquet`" in refused(tmp_path / "a.csv")


def test_a_name_that_tells_no_format_is_refused_with_what_to_do(tmp_path):
    assert "give `format: parquet`" in refused(write(tmp_path / "a.txt", b"x"))


def test_a_line_that_is_not_json_is_named(tmp_path):
    assert "line 2 is not JSON" in refused(write(tmp_path / "a.jsonl", b'{"a": 1}\n{"a": \n'))


def test_rows_of_different_lengths_in_a_csv_are_refused(tmp_path):
    assert "Expected 2 columns" in refused(write(tmp_path / "a.csv", b"a,b\n1,2\n1\n"))


def test_a_csv_in_another_encoding_is_refused(tmp_path):
    assert "UTF-8" in refused(write(tmp_path / "a.csv", "a,b\nMünchen,1\n".encode("latin-1")))


def test_two_columns_of_one_name_are_refused(tmp_path):
    assert "two columns are called 'a'" in refused(write(tmp_path / "a.csv", b"a,a\n1,2\n"))


def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = write(tmp_path / "a.csv", as_csv())
    path.chmod(0)
    reader = os.geteuid()
    try:
        if reader == 0:  # root may read everything
            os.seteuid(65534)
        assert "permission denied" in refused(path)
    finally:
        os.seteuid(reader)


def test_a_path_without_a_file_is_refused(tmp_path):
    assert "there is no such file" in refused(tmp_path / "a.parquet")


def test_a_pattern_without_a_file_is_refused(tmp_path):
    assert "no file matches" in refused(tmp_path / "*.parquet")


def test_a_folder_without_a_file_is_refused(tmp_path):
    assert "holds no parquet, csv or jsonl file" in refused(tmp_path)


def test_a_path_of_another_machine_is_refused_with_what_to_do():
    with pytest.raises(BatchError, match="only paths of this machine"):
        found("s3://bucket/a.parquet", Path())


def test_a_file_whose_name_looks_like_a_pattern_is_found(tmp_path):
    path = write(tmp_path / "a[1].csv", as_csv())
    assert [file.path for file in found(str(path), Path())] == [path]
