"""Snapshots as files: one an identity, whole or not there, read back as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from store.samples import DAY, NOW, snapshot

from exporter.errors import SnapshotError
from exporter.snapshot import content_hash
from exporter.store.files import SnapshotFolder, read_snapshots


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "snapshots")


def test_a_saved_snapshot_comes_back_as_it_was(folder: SnapshotFolder) -> None:
    path = folder.save(snapshot())
    [(file, found)] = read_snapshots([folder.path])
    assert file == path
    assert not isinstance(found, SnapshotError)
    assert found.to_json() == snapshot().to_json()


def test_a_file_says_in_its_name_what_it_is(folder: SnapshotFolder) -> None:
    path = folder.save(snapshot(segment="origin=EWR", batch="rerun"))
    assert path.parent == folder.path / "m" / "inputs"
    assert path.name.startswith("2026-10-01T0000Z_rerun_origin=EWR_arm=champion_")


def test_an_identity_has_one_file_and_the_last_one_saved_stands(folder: SnapshotFolder) -> None:
    first = folder.save(snapshot())
    assert folder.save(snapshot(value=2.0, computed_at=NOW + DAY)) == first
    [(_, found)] = read_snapshots([folder.path])
    assert not isinstance(found, SnapshotError)
    assert found.computed_at == NOW + DAY


@pytest.mark.parametrize(
    "other",
    [
        {"project": "q"},
        {"day": 1},
        {"batch": "rerun"},
        {"segment": "s"},
        {"tags": {"arm": "b"}},
        {"evaluation": "in puts"},
        {"evaluation": "in/puts"},
    ],
)
def test_every_part_of_the_identity_tells_files_apart(
    folder: SnapshotFolder, other: dict[str, object]
) -> None:
    folder.save(snapshot())
    assert not folder.holds(snapshot(**other))
    folder.save(snapshot(**other))
    assert folder.holds(snapshot(**other))
    assert len(list(read_snapshots([folder.path]))) == 2


@pytest.mark.parametrize("name", ["../up", "/etc/x", "..", "a\nb\0c", "🌡️" * 400, ".", " "])
def test_a_hostile_name_stays_inside_the_folder(folder: SnapshotFolder, name: str) -> None:
    tags = {f"{name}{i}": name for i in range(50)}
    odd = snapshot(name, evaluation=name, segment=name, batch=name, tags=tags, stream_tags=[*tags])
    path = folder.save(odd)
    assert path.resolve().is_relative_to(folder.path.resolve())
    assert len(path.relative_to(folder.path).parts) == 3
    [(_, found)] = read_snapshots([folder.path])
    assert not isinstance(found, SnapshotError)
    assert content_hash(found) == content_hash(odd)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SnapshotError, match=r"cannot be written \(Not a directory\)"):
        SnapshotFolder(tmp_path / "file").save(snapshot())


def test_a_file_of_a_folder_that_is_no_snapshot_is_told_and_the_others_are_read(
    folder: SnapshotFolder,
) -> None:
    folder.save(snapshot())
    for name, content in {
        "a.json": b"{",
        "b.json": b"\xff\xfe",
        "c.json": b"[" * 100_000,
        "d.json": json.dumps({"format": 99}).encode(),
        "e.json": b"null",
    }.items():
        (folder.path / name).write_bytes(content)
    found = list(read_snapshots([folder.path]))
    wrong = [str(error) for _, error in found if isinstance(error, SnapshotError)]
    assert (len(found), len(wrong)) == (6, 5)
    assert all(str(folder.path) in text for text in wrong)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    [(_, error)] = read_snapshots([tmp_path / "none.json"])
    assert "No such file" in str(error)
