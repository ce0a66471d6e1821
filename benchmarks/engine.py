"""Drift and summary beside pandas and scipy by hand, and beside decoding and sorting alone."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.measure import Cost, Result, by_turns, cost_of, middle, python, ratio, warm

TURNS = 3
TOLERANCE = 1e-6
FEW = 8  # batches of the stream that the peer is given: it needs half a second for each


def main() -> None:
    """Print a line for each measurement."""
    _million_rows()
    _presets()
    _wide_table()
    _stream_of_batches()


def paths_of(case: str) -> tuple[Path, list[Path]]:
    """The files of a case, made where they are missing and read once; the reference profiled."""
    folder = Path(__file__).parent / "data" / case
    print(f"  preparing {case}", file=sys.stderr)
    cost_of(python("data", case))
    reference, batches = folder / "reference.parquet", sorted(folder.glob("batch-*.parquet"))
    cost_of(python("ours", reference, batches[0]))
    warm(reference, *batches)
    return reference, batches


def different(ours: Mapping[str, float | None], peer: Mapping[str, float]) -> list[str]:
    """The peer's figures that ours misses or has otherwise: speed counts for equal work only."""
    return [
        f"{key}: {ours.get(key)} instead of {value}"
        for key, value in peer.items()
        if not _close(ours.get(key), value)
    ]


def _close(ours: float | None, peer: float) -> bool:
    return ours is not None and math.isclose(ours, peer, rel_tol=TOLERANCE, abs_tol=1e-9)


def _parity(ours: Cost, peer: Cost) -> str:
    wrong = different(ours.said["figures"], peer.said["figures"])
    if wrong:
        raise SystemExit("figures differ from the peer's:\n  " + "\n  ".join(wrong[:20]))
    return f"{len(peer.said['figures'])} figures equal to 1e-6"


def _million_rows() -> None:
    reference, (batch,) = paths_of("1m_x_50")
    ours, peer = by_turns(
        python("ours", reference, batch), python("by_hand", reference, batch), turns=TURNS
    )
    note = _parity(ours[0], peer[0])
    for field, unit, name in (("wall", "s", "wall"), ("cpu", "s of CPU", "CPU")):
        mine, theirs = middle(ours, field), middle(peer, field)
        faster = ratio([getattr(c, field) for c in ours], [getattr(c, field) for c in peer])
        Result(f"drift + summary, 1M x 50, {name}", mine, theirs, faster, unit, note).say()
    mine, theirs = middle(ours, "megabytes"), middle(peer, "megabytes")
    Result("drift + summary, 1M x 50, peak", mine, theirs, theirs / mine, "MB").say()
    _limit(reference, batch)


def _limit(reference: Path, batch: Path) -> None:
    ours, bound = by_turns(
        python("ours", reference, *[batch] * TURNS),
        python("ours", "--limit", *[batch] * TURNS),
        turns=TURNS,
    )
    mine, least = ([median(cost.said["seconds"]) for cost in side] for side in (ours, bound))
    Result(
        "drift + summary, 1M x 50, over decode + one sort",
        median(mine),
        median(least),
        ratio(least, mine),
        "s",
        "in process; the peer is the limit, the ratio ours / limit",
    ).say()


def _presets() -> None:
    reference, (batch,) = paths_of("1m_x_50")
    cost_of(python("ours", "--presets", reference, batch))  # the reference profiled, with its roles
    more, less = by_turns(
        python("ours", "--presets", reference, batch), python("ours", reference, batch), turns=TURNS
    )
    Result(
        "data quality + drift + classification, 1M x 50, over drift + summary",
        middle(more, "wall"),
        middle(less, "wall"),
        ratio([c.wall for c in less], [c.wall for c in more]),
        "s",
        "the peer is our own drift + summary, the ratio all three / the peer",
    ).say()


def _wide_table() -> None:
    narrow_reference, (narrow,) = paths_of("1m_x_50")
    reference, (batch,) = paths_of("1m_x_200")
    wide, small = by_turns(
        python("ours", reference, batch),
        python("ours", narrow_reference, narrow),
        turns=TURNS,
    )
    Result(
        "drift + summary, 1M x 200 over 1M x 50",
        middle(wide, "wall"),
        middle(small, "wall"),
        ratio([c.wall for c in small], [c.wall for c in wide]),
        "s",
        "the peer is our own 1M x 50, the ratio 1M x 200 / 1M x 50",
    ).say()
    Result("drift + summary, 1M x 200, peak", middle(wide, "megabytes"), None, None, "MB").say()


def _stream_of_batches() -> None:
    reference, batches = paths_of("5k_x_30")
    ours, peer = by_turns(
        python("ours", reference, *batches),
        python("by_hand", reference, *batches[:FEW]),
        turns=TURNS,
    )
    mine, theirs = ([1e3 * median(cost.said["seconds"]) for cost in side] for side in (ours, peer))
    Result(
        "a batch of 5k x 30 against 100k",
        median(mine),
        median(theirs),
        ratio(mine, theirs),
        "ms",
        _parity(ours[0], peer[0]),
    ).say()


if __name__ == "__main__":
    main()
