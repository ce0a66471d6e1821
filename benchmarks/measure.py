"""Runs a program as a process of its own and says what it cost; compares two by turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).parents[1]
CACHE = Path(__file__).parent / "data" / "cache"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds by the clock, of CPU in all threads, and megabytes at its peak."""

    wall: float
    cpu: float
    megabytes: float
    said: Any = None  # the last line of its output, as JSON


@dataclass(frozen=True, slots=True)
class Result:
    """One line of a bench: ours, the peer's or the limit's, and how they compare.

    `ratio` is peer / ours, except where `note` says otherwise; without a peer both are None.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    unit: str
    note: str = ""

    def say(self) -> None:
        """Print this line for the runner."""
        print(json.dumps(asdict(self)), flush=True)


def cost_of(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Cost:
    """What *command* cost; raises CalledProcessError with its last words where it fails.

    The peak is the kernel's figure for the child alone, which starts at the parent's own size:
    who calls this must stay small (no numpy, no pandas).
    """
    start = perf_counter()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(CACHE), **(environment or {})},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, _last_line(output))


def by_turns(
    ours: Sequence[str], peer: Sequence[str], *, turns: int = 3
) -> tuple[list[Cost], list[Cost]]:
    """Both commands *turns* times, one after the other: what else runs on the machine hits both."""
    pairs = [(cost_of(ours), cost_of(peer)) for _ in range(turns)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def middle(costs: Sequence[Cost], field: str) -> float:
    """The median of one field of *costs*."""
    return float(median(getattr(cost, field) for cost in costs))


def ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """Peer / ours, the median over the turns."""
    return float(median(peer / own for own, peer in zip(ours, peers, strict=True)))


def python(module: str, *arguments: str | Path) -> list[str]:
    """The command line of a module of this package."""
    return [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]


def warm(*paths: Path) -> None:
    """Read files once, so that they lie in the page cache for everyone."""
    for path in paths:
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass


def _last_line(output: bytes) -> Any:
    lines = output.strip().splitlines()
    try:
        return json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
