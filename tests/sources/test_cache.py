"""The cache folder: bounded, private, and never the reason why something fails."""

import os
import stat
import threading
from pathlib import Path

import pytest

from exporter.sources.cache import LIMIT, Cache, open_cache


def put(cache: Cache, name: str, content: bytes = b"x") -> Path | None:
    return cache.keep(name, lambda file: file.write(content))


def test_files_and_folder_are_their_owners_alone(tmp_path):
    path = put(Cache(tmp_path / "a" / "b"), "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_kept_is_found(tmp_path):
    put(Cache(tmp_path), "one", b"content")
    assert Cache(tmp_path).find("one").read_bytes() == b"content"
    assert Cache(tmp_path).find("two") is None


def test_what_is_dropped_is_gone(tmp_path):
    cache = Cache(tmp_path)
    put(cache, "one")
    cache.drop("one")
    cache.drop("one")
    assert cache.find("one") is None


def test_the_longest_unused_files_make_room(tmp_path):
    cache = Cache(tmp_path, limit=10_000)
    for i in range(8):
        path = put(cache, f"file-{i}", b"x" * 1000)
        os.utime(path, (i, i))
    cache.find("file-0")  # used: now the youngest
    for i in range(8, 12):
        put(cache, f"file-{i}", b"x" * 1000)
    left = {path.name for path in tmp_path.iterdir()}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000
    assert {"file-0", "file-11"} <= left
    assert "file-1" not in left


def test_a_file_larger_than_the_limit_is_kept_alone(tmp_path):
    cache = Cache(tmp_path, limit=100)
    put(cache, "small")
    put(cache, "large", b"x" * 1000)
    assert [path.name for path in tmp_path.iterdir()] == ["large"]


def test_what_fails_while_it_is_written_leaves_nothing(tmp_path):
    def fail(file):
        file.write(b"half")
        raise ValueError("bad column")

    with pytest.raises(ValueError, match="bad column"):
        Cache(tmp_path).keep("one", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_done_without(tmp_path):
    def full(file):
        raise OSError(28, "No space left on device")

    assert Cache(tmp_path).keep("one", full) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file" / "folder")
    assert put(cache, "one") is None
    assert cache.find("one") is None


def test_no_folder_keeps_nothing():
    assert put(Cache(None), "one") is None
    assert Cache(None).find("one") is None


def test_writers_at_the_same_time_leave_one_whole_file(tmp_path):
    contents = [bytes([i]) * 100_000 for i in range(8)]
    threads = [
        threading.Thread(target=put, args=(Cache(tmp_path), "one", content)) for content in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "one").read_bytes() in contents
    assert len(list(tmp_path.iterdir())) == 1


def test_what_a_process_left_unfinished_is_removed_later(tmp_path):
    left = tmp_path / "one.abc.part"
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    put(Cache(tmp_path), "two")
    assert [path.name for path in tmp_path.iterdir()] == ["two"]


def test_the_folder_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("EVALUATION_EXPORTER_CACHE", str(tmp_path))
    assert open_cache("index").folder == tmp_path / "index"
    monkeypatch.delenv("EVALUATION_EXPORTER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert open_cache("index").folder == tmp_path / "evaluation-exporter" / "index"


def test_an_empty_name_turns_the_cache_off(monkeypatch):
    monkeypatch.setenv("EVALUATION_EXPORTER_CACHE", "")
    assert open_cache("index").folder is None


@pytest.mark.parametrize(
    ("given", "limit"), [("500M", 500 << 20), ("1GiB", 1 << 30), ("123", 123), ("lots", LIMIT)]
)
def test_the_limit_is_set_by_the_environment(monkeypatch, given, limit):
    monkeypatch.setenv("EVALUATION_EXPORTER_CACHE_SIZE", given)
    assert open_cache("index").limit == limit
