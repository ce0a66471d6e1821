"""Generated monitoring tables: seeded, with missing values, a third of the columns drifted.

`python -m benchmarks.data CASE...` writes them, once; they lie in benchmarks/data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "data"
MISSING = 0.05
DRIFTED_EVERY = 3
SHIFT, STRETCH = 0.15, 1.1
CARDINALITIES = (2, 3, 5, 10, 25, 50, 200, 1000)
BATCHES = 40

Floats = npt.NDArray[np.float64]


class Case(NamedTuple):
    """A shape: rows of the batch and of the reference, numerical and categorical columns."""

    rows: int
    reference_rows: int
    numerical: int
    categorical: int
    batches: int = 1


CASES = {
    "1m_x_50": Case(1_000_000, 1_000_000, 30, 20),
    "100k_x_50": Case(100_000, 100_000, 30, 20),
    "1m_x_200": Case(1_000_000, 1_000_000, 120, 80),
    "5k_x_30": Case(5_000, 100_000, 18, 12, batches=BATCHES),
    "tiny": Case(2_000, 3_000, 9, 8, batches=2),
}


def prepare(name: str) -> tuple[Path, list[Path]]:
    """The reference's file and the batches' files of a case; written where they are missing."""
    case, folder = CASES[name], FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    reference = folder / "reference.parquet"
    batches = [folder / f"batch-{number:03d}.parquet" for number in range(case.batches)]
    _write(reference, case, case.reference_rows, seed=1, drifted=False)
    for number, path in enumerate(batches):
        _write(path, case, case.rows, seed=2 + number, drifted=True)
    return reference, batches


def _write(path: Path, case: Case, rows: int, *, seed: int, drifted: bool) -> None:
    if path.exists():
        return
    table = pa.table(dict(_columns(case, rows, seed=seed, drifted=drifted)))
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial)
    partial.rename(path)


def _columns(case: Case, rows: int, *, seed: int, drifted: bool) -> Iterator[tuple[str, pa.Array]]:
    for i in range(case.numerical):
        random = np.random.default_rng([seed, i, 0])
        moved = drifted and i % DRIFTED_EVERY == 0
        yield f"num_{i:03d}", _numerical(random, rows, i, moved)
    for i in range(case.categorical):
        random = np.random.default_rng([seed, i, 1])
        moved = drifted and i % DRIFTED_EVERY == 0
        yield f"cat_{i:03d}", _categorical(random, rows, i, moved)


def _numerical(random: np.random.Generator, rows: int, i: int, moved: bool) -> pa.Array:
    missing = random.random(rows) < MISSING
    shift, stretch = (SHIFT, STRETCH) if moved else (0.0, 1.0)
    return pa.array(_drawn(random, rows, i, shift, stretch), mask=missing)


def _drawn(random: np.random.Generator, rows: int, i: int, shift: float, stretch: float) -> Floats:
    """Values of column *i*: by turns the shapes that monitored columns have."""
    match i % 8:
        case 0:
            return random.normal(i + shift, stretch, rows)
        case 1:
            return random.lognormal(shift, stretch, rows)
        case 2:
            return random.poisson(8 + 16 * shift, rows).astype(np.float64)  # counts
        case 3:
            return random.random(rows) * (1 + shift)
        case 4:
            return np.round(random.lognormal(3 + shift, 0.8 * stretch, rows), 2)  # prices
        case 5:
            return random.standard_t(3, rows) * stretch + shift  # heavy tails
        case 6:
            return random.exponential(10 * stretch, rows)
        case _:
            return random.normal(100 * i + 20 * shift, 20 * stretch, rows)


def _categorical(random: np.random.Generator, rows: int, i: int, moved: bool) -> pa.Array:
    missing = random.random(rows) < MISSING
    ranks = np.arange(CARDINALITIES[i % len(CARDINALITIES)])
    weights = 1 / (ranks + 1) ** 1.1
    if moved:
        weights *= np.exp(0.35 * np.sin(ranks + 1.0))
    drawn = random.choice(len(ranks), size=rows, p=weights / weights.sum()).astype(np.int32)
    names = pa.array([f"v{i}_{rank:04d}" for rank in ranks])
    codes = pa.array(drawn, mask=missing)
    return pa.DictionaryArray.from_arrays(codes, names).cast(pa.string())


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        prepare(wanted)
