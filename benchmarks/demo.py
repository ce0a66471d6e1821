"""The demo's year: made, evaluated and stored in an embedded database that starts empty."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Result, cost_of


def main() -> None:
    """Print one line."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        place.chmod(0o755)  # the embedded server of root runs as somebody else
        cost = cost_of(
            [sys.executable, "-m", "exporter", "demo", "--folder", str(place / "demo")],
            environment={
                "XDG_STATE_HOME": str(place / "state"),
                "XDG_CACHE_HOME": str(place / "cache"),
            },
        )
    note = f"whole command, {os.cpu_count()} cores, {cost.megabytes:.0f} MB in the largest process"
    Result("demo: a year of daily batches", cost.wall, None, None, "s", note).say()


if __name__ == "__main__":
    main()
