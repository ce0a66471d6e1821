"""A project in a temporary folder, with a database of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.shop import STORE, Shop


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The user's folders in the test's, the log as it was before the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv(STORE, "")
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Shop:
    """Five days of data, none evaluated yet."""
    made = Shop(tmp_path, database)
    made.write(0, 1, 2, 3, 4)
    return made


@pytest.fixture
def files(tmp_path: Path) -> Shop:
    """The same with a store that nobody needs: for commands that read files only."""
    made = Shop(tmp_path, "postgresql://127.0.0.1:1/nobody")
    made.write(0, 3)
    return made
