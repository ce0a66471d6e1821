"""NannyML's univariate drift of batches: run by an interpreter that has NannyML.

`with_nannyml.py REFERENCE BATCH...` fits once, then calculates batch after batch, and prints one
line of JSON: the seconds that each batch took, reading included.
"""

from __future__ import annotations

import json
import sys
import time

import nannyml
import pandas as pd


def main(reference_path: str, paths: list[str]) -> dict[str, list[float]]:
    """The seconds of each batch; fitting is not in them."""
    reference = pd.read_parquet(reference_path)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(reference.columns),
        treat_as_categorical=list(reference.select_dtypes(exclude="number").columns),
        continuous_methods=["wasserstein"],
        categorical_methods=["jensen_shannon"],
        chunk_number=1,
    ).fit(reference)
    seconds = []
    for path in paths:
        start = time.perf_counter()
        calculator.calculate(pd.read_parquet(path)).to_df()
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2:])))
