"""The benches themselves: equal work, and bars that are kept as they are written."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))


def test_the_engine_and_the_peer_by_hand_have_the_same_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import by_hand, data, ours
    from benchmarks.engine import different

    monkeypatch.setattr(data, "FOLDER", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    reference, batches = data.prepare("tiny")
    paths = [str(path) for path in batches]
    mine, theirs = ours.evaluated(str(reference), paths), by_hand.main(str(reference), paths)
    assert len(theirs["figures"]) > 200
    assert different(mine["figures"], theirs["figures"]) == []


def test_rankings_by_hand_have_our_figures(tmp_path: Path) -> None:
    from benchmarks.engine import different
    from benchmarks.ranking import FIGURES, by_hand, ours, prepare

    prepare(2_000, tmp_path)
    mine, theirs = ours()(tmp_path), by_hand()(tmp_path)
    assert sorted(theirs) == sorted(FIGURES)
    assert different(mine, theirs) == []


def test_the_cost_of_a_process_is_that_of_the_child() -> None:
    from benchmarks.measure import cost_of

    busy = "import json, os; x = bytearray(150_000_000); print(json.dumps(os.getpid()))"
    cost = cost_of([sys.executable, "-c", busy])
    assert cost.said != os.getpid()
    assert cost.megabytes > 140
    assert 0 < cost.cpu <= cost.wall * (os.cpu_count() or 1) + 0.5


@pytest.mark.parametrize(
    ("name", "ratio", "mark"),
    [
        ("drift + summary, 1M x 50, wall", 20.0, "✓"),
        ("drift + summary, 1M x 50, wall", 19.9, "**missed**"),
        ("drift + summary, 1M x 50, wall", None, "**missed**"),
        ("something told for information", 0.1, ""),
    ],
)
def test_the_table_says_whether_a_bar_is_reached(name: str, ratio: float | None, mark: str) -> None:
    from benchmarks.bars import markdown
    from benchmarks.measure import Result

    line = markdown([Result(name, 1.0, 20.0, ratio, "s", "a note")]).splitlines()[-1]
    assert [cell.strip() for cell in line.split("|")][6] == mark


def test_a_section_of_the_results_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    from benchmarks.results import write_section

    path = tmp_path / "RESULTS.md"
    write_section("peers", "| peers |", path)
    write_section("ours", "| first |", path)
    write_section("ours", "| second |", path)
    text = path.read_text("utf-8")
    assert "| first |" not in text
    assert text.index("| second |") < text.index("| peers |")


def test_a_result_survives_its_line() -> None:
    from dataclasses import asdict

    from benchmarks.measure import Result

    result = Result("name", 1.5, None, None, "ms")
    assert Result(**json.loads(json.dumps(asdict(result)))) == result
