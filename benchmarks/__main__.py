"""`python -m benchmarks [MODULE...]`: run the benches, print their table, write RESULTS.md."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bars import markdown, missed
from benchmarks.measure import ROOT, Result
from benchmarks.results import write_section

MODULES = (
    "engine",
    "distances",
    "unstructured",
    "correlations",
    "ranking",
    "startup",
    "store",
    "prometheus",
    "dashboards",
    "demo",
)


def main(modules: list[str]) -> int:
    """0 where every module ran; 1 where one failed, or where a bar was missed."""
    wrong = set(modules) - set(MODULES)
    if wrong:
        print(f"no bench {', '.join(sorted(wrong))}: there are {', '.join(MODULES)}")
        return 2
    results, failed = [], []
    for module in modules or MODULES:
        print(f"{module}:", file=sys.stderr, flush=True)
        try:
            for result in run(module):
                results.append(result)
                print(f"  {result.name}: {result.ours:.3g} {result.unit}", file=sys.stderr)
        except subprocess.CalledProcessError as error:
            failed.append(f"{module} ended with {error.returncode}")
    table = markdown(results)
    print(table)
    below = missed(results)
    if not modules and not failed:
        write_section("ours", table)
    for line in (*failed, *(f"below its bar: {name}" for name in below)):
        print(line, file=sys.stderr)
    return 1 if failed or below else 0


def run(module: str) -> Iterator[Result]:
    """The lines that a module prints, as they come; raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", f"benchmarks.{module}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                yield Result(**json.loads(line))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


if __name__ == "__main__":
    sys.exit(main([Path(name).stem for name in sys.argv[1:]]))
