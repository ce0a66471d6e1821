"""What a command costs before it does anything: CPU over that of the bare interpreter."""

from __future__ import annotations

import compileall
import sys
from statistics import median

from benchmarks.measure import ROOT, Cost, Result, cost_of

TURNS = 9
CONFIG = ROOT / "examples" / "late-flights.yaml"


def main() -> None:
    """Print a line for each command."""
    compileall.compile_dir(ROOT / "exporter", quiet=1)  # as an installed package is
    commands = {"exporter --help": ["--help"], "exporter validate": ["validate", str(CONFIG)]}
    for name, arguments in commands.items():
        _measure(name, arguments)


def _measure(name: str, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "exporter", *arguments]
    bare = [sys.executable, "-c", "pass"]
    cost_of(command)
    pairs = [(cost_of(command), cost_of(bare)) for _ in range(TURNS)]
    over = median(_milliseconds(own) - _milliseconds(base) for own, base in pairs)
    wall = median(own.wall for own, _ in pairs)
    note = f"CPU over the bare interpreter; {1e3 * wall:.0f} ms by the clock in all"
    base = median(_milliseconds(base) for _, base in pairs)
    Result(name, over, base, None, "ms", note).say()


def _milliseconds(cost: Cost) -> float:
    return 1e3 * cost.cpu


if __name__ == "__main__":
    main()
