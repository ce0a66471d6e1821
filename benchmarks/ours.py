"""The same drift and summary by the engine, and the limit it is measured against.

`python -m benchmarks.ours REFERENCE BATCH...` prints one line of JSON: the seconds of each batch
and the first one's figures. With `--presets` it computes data quality, drift and the quality of a
classifier; with `--limit` it decodes the columns and sorts the numerical ones, no more.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exporter.batch import Task

METRICS = ["data_summary", "data_drift"]
PRESETS = ["data_quality", "data_drift", "classification"]
ROLES = {"target": "cat_000", "positive": "v0_0001", "probability": "num_011"}


def evaluated(reference: str, paths: list[str], *, presets: bool = False) -> Mapping[str, object]:
    """The seconds that each batch took, reading included, and the first batch's figures."""
    import exporter

    task: Task | None = "binary" if presets else None
    metrics = PRESETS if presets else METRICS
    profile = exporter.profile_reference(reference, columns=ROLES if presets else None, task=task)
    seconds, first = [], None
    for path in paths:
        start = time.perf_counter()
        snapshot = exporter.evaluate(path, profile, metrics=metrics, task=task)
        seconds.append(time.perf_counter() - start)
        first = first or snapshot
    return {"seconds": seconds, "figures": figures(first)}


def figures(snapshot: Any) -> dict[str, float | None]:
    """A snapshot's figures, keyed `metric|column|side`, as `benchmarks.by_hand` keys its own."""
    found: dict[str, float | None] = {}
    for row in snapshot.metrics:
        if row.label:
            continue
        name = f"quantile {row.params['q']}" if row.metric == "quantile" else row.metric
        found[f"{name}|{row.column}|current"] = row.value
        found[f"{name}|{row.column}|reference"] = row.reference
    found |= {f"column_drift|{row.column}": row.score for row in snapshot.drift}
    return found


def limit(paths: list[str]) -> Mapping[str, object]:
    """The seconds to decode every column and sort the numerical ones, on all cores."""
    seconds = []
    for path in paths:
        start = time.perf_counter()
        _decode_and_sort(path)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


def _decode_and_sort(path: str) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = pq.ParquetFile(path)
    texts = [field.name for field in whole.schema_arrow if pa.types.is_string(field.type)]
    local = threading.local()

    def column(name: str) -> None:
        if not hasattr(local, "file"):
            local.file = pq.ParquetFile(
                path, metadata=whole.metadata, read_dictionary=texts, pre_buffer=False
            )
        for chunk in local.file.read(columns=[name], use_threads=False).column(0).chunks:
            if name not in texts:
                values = chunk.drop_null()
                np.frombuffer(values.buffers()[1], np.float64, len(values)).copy().sort()

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(column, whole.schema_arrow.names))


if __name__ == "__main__":
    flag, files = (
        (sys.argv[1], sys.argv[2:]) if sys.argv[1].startswith("--") else ("", sys.argv[1:])
    )
    said = (
        limit(files)
        if flag == "--limit"
        else evaluated(files[0], files[1:], presets=flag == "--presets")
    )
    print(json.dumps(said))
