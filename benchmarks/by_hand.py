"""Drift and summary as one writes them by hand with pandas and scipy: what the engine is measured against.

`python -m benchmarks.by_hand REFERENCE BATCH...` evaluates the batches one after the other and
prints one line of JSON: the seconds of each, and the first one's figures.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

Figures = dict[str, float]
QUARTILES = (0.25, 0.5, 0.75)
ALMOST = 0.95


class Reference:
    """What of a reference can be computed once: values without gaps, shares, the summary."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.numerical = {
            name: (values.to_numpy(), float(np.std(values.to_numpy())))
            for name in numerical_columns(frame)
            if len(values := frame[name].dropna())
        }
        self.shares = {
            name: frame[name].value_counts(normalize=True) for name in categorical_columns(frame)
        }
        self.summary = summary(frame)


def numerical_columns(frame: pd.DataFrame) -> list[str]:
    """The names of the columns of numbers."""
    return list(frame.select_dtypes("number").columns)


def categorical_columns(frame: pd.DataFrame) -> list[str]:
    """The names of all other columns."""
    return list(frame.select_dtypes(exclude="number").columns)


def evaluate(frame: pd.DataFrame, reference: Reference) -> Figures:
    """Drift scores and the summaries of both sides, keyed as `benchmarks.ours` keys them."""
    figures = dict(drift(frame, reference))
    figures |= {f"{key}|current": value for key, value in summary(frame).items()}
    figures |= {f"{key}|reference": value for key, value in reference.summary.items()}
    return figures


def drift(frame: pd.DataFrame, reference: Reference) -> Iterator[tuple[str, float]]:
    """Normed Wasserstein distances of numbers, Jensen-Shannon distances of categories."""
    for name, (values, deviation) in reference.numerical.items():
        distance = wasserstein_distance(values, frame[name].dropna().to_numpy())
        yield f"column_drift|{name}", float(distance) / max(deviation, 0.001)
    for name, expected in reference.shares.items():
        observed = frame[name].value_counts(normalize=True)
        both = expected.index.union(observed.index)
        p, q = (side.reindex(both, fill_value=0.0).to_numpy() for side in (expected, observed))
        yield f"column_drift|{name}", float(jensenshannon(p, q))


def summary(frame: pd.DataFrame) -> Figures:
    """Counts of the table, and of each column its counts, extremes, moments and quartiles."""
    missing = frame.isna()
    figures: Figures = {
        "row_count|": len(frame),
        "missing_cells|": int(missing.to_numpy().sum()),
        "rows_with_missing|": int(missing.any(axis=1).sum()),
        "empty_rows|": int(missing.all(axis=1).sum()),
        "duplicated_rows|": int(frame.duplicated().sum()),
    }
    constant = almost = 0
    for name in frame.columns:
        column = frame[name]
        counts = column.value_counts()
        top = float(counts.iloc[0]) / len(frame) if len(counts) else 0.0
        constant += len(counts) <= 1
        almost += top >= ALMOST
        figures[f"missing_count|{name}"] = int(missing[name].sum())
        figures[f"unique_count|{name}"] = len(counts)
        figures[f"most_common_ratio|{name}"] = top
    figures |= {"constant_columns|": constant, "almost_constant_columns|": almost}
    return figures | dict(_statistics(frame))


def _statistics(frame: pd.DataFrame) -> Iterator[tuple[str, float]]:
    for name in numerical_columns(frame):
        column = frame[name]
        yield f"min|{name}", float(column.min())
        yield f"max|{name}", float(column.max())
        yield f"mean|{name}", float(column.mean())
        yield f"std|{name}", float(column.std())
        for q, value in column.quantile(list(QUARTILES)).items():
            yield f"quantile {q}|{name}", float(value)


def main(reference_path: str, paths: list[str]) -> Mapping[str, object]:
    """The seconds that each batch took, reading included, and the first batch's figures."""
    reference = Reference(pd.read_parquet(reference_path))
    seconds, found = [], []
    for path in paths:
        start = time.perf_counter()
        found.append(evaluate(pd.read_parquet(path), reference))
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds, "figures": found[0]}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
