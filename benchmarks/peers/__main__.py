"""`python -m benchmarks.peers [--rows 1000000]`: beside Evidently and NannyML, into RESULTS.md."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.bars import markdown, missed
from benchmarks.engine import different, paths_of
from benchmarks.measure import Cost, Result, by_turns, middle, python, ratio
from benchmarks.ranking import beside_evidently
from benchmarks.results import write_section

FOLDER = Path(__file__).parent
CASES = {100_000: ("100k", "100k_x_50"), 1_000_000: ("1M", "1m_x_50")}
TURNS = {100_000: 3, 1_000_000: 1}  # at 1M Evidently alone takes minutes and gigabytes
BATCHES = 10
SILENT = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}  # no telemetry from a bench


def main(rows: int) -> int:
    """0 where figures agree and every bar is reached."""
    os.environ.update(SILENT)
    interpreters = {name: environment(name) for name in ("evidently", "nannyml")}
    results = [
        *_one_batch(rows, interpreters),
        _stream_of_batches(interpreters["nannyml"]),
        *beside_evidently(interpreters["evidently"], rows),
    ]
    table = markdown(results)
    print(table)
    write_section("peers" if rows == min(CASES) else "peers at 1M", table)
    for name in missed(results):
        print(f"below its bar: {name}", file=sys.stderr)
    return 1 if missed(results) else 0


def environment(name: str) -> Path:
    """The interpreter of a peer's environment, made from its lock where it is missing or old."""
    folder, lock = FOLDER / f".venv-{name}", FOLDER / f"{name}.lock"
    interpreter, stamp = folder / "bin" / "python", folder / "locked"
    if not stamp.exists() or stamp.read_text("utf-8") != lock.read_text("utf-8"):
        print(f"  installing {name}", file=sys.stderr)
        maker = os.environ.get("PYTHON") or sys.executable
        subprocess.run([maker, "-m", "venv", "--clear", folder], check=True)
        install = "-m pip install --quiet --disable-pip-version-check --no-deps --require-hashes"
        subprocess.run([interpreter, *install.split(), "--requirement", lock], check=True)
        stamp.write_text(lock.read_text("utf-8"), "utf-8")
    return interpreter


def _one_batch(rows: int, interpreters: dict[str, Path]) -> list[Result]:
    shape, case = CASES[rows]
    reference, (batch,) = paths_of(case)
    found = []
    for title, name, work in (
        ("Evidently", "evidently", "drift + summary"),
        ("NannyML", "nannyml", "drift"),
    ):
        print(f"  {title}, {shape} x 50", file=sys.stderr)
        theirs = [
            str(interpreters[name]),
            str(FOLDER / f"with_{name}.py"),
            str(reference),
            str(batch),
        ]
        ours, peer = by_turns(python("ours", reference, batch), theirs, turns=TURNS[rows])
        note = _parity(ours[0], peer[0]) if name == "evidently" else "ours: drift + summary"
        found += _costs(f"{title}, {work}, {shape} x 50", ours, peer, note)
    return found


def _costs(name: str, ours: list[Cost], peer: list[Cost], note: str) -> list[Result]:
    wall = ratio([cost.wall for cost in ours], [cost.wall for cost in peer])
    cpu = ratio([cost.cpu for cost in ours], [cost.cpu for cost in peer])
    mine, theirs = middle(ours, "megabytes"), middle(peer, "megabytes")
    return [
        Result(name, middle(ours, "wall"), middle(peer, "wall"), wall, "s", note),
        Result(f"{name}, CPU", middle(ours, "cpu"), middle(peer, "cpu"), cpu, "s of CPU"),
        Result(f"{name}, peak", mine, theirs, theirs / mine, "MB"),
    ]


def _parity(ours: Cost, peer: Cost) -> str:
    figures = peer.said["figures"]
    wrong = different(ours.said["figures"], figures)
    if wrong or not figures:
        raise SystemExit("drift differs from Evidently's:\n  " + "\n  ".join(wrong[:20]))
    return f"{len(figures)} drift scores equal to 1e-6; it draws plots as well"


def _stream_of_batches(nannyml: Path) -> Result:
    print("  NannyML, batches of 5k x 30", file=sys.stderr)
    reference, batches = paths_of("5k_x_30")
    some = list(map(str, batches[:BATCHES]))
    theirs = [str(nannyml), str(FOLDER / "with_nannyml.py"), str(reference), *some]
    ours, peer = by_turns(python("ours", reference, *some), theirs, turns=3)
    mine, other = ([1e3 * median(cost.said["seconds"]) for cost in side] for side in (ours, peer))
    return Result(
        "NannyML, a batch of 5k x 30 against 100k",
        median(mine),
        median(other),
        ratio(mine, other),
        "ms",
        "fitted once; ours: drift + summary, its: drift, Wasserstein from bins",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("--rows", type=int, choices=CASES, default=min(CASES))
    sys.exit(main(parser.parse_args().rows))
