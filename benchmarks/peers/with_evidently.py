"""Evidently's data drift and data summary of one batch: run by an interpreter that has Evidently.

`with_evidently.py REFERENCE BATCH` prints one line of JSON: the drift score of each column.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset, DataSummaryPreset


def main(reference: str, batch: str) -> dict[str, Any]:
    """The figures that ours must equal."""
    report = Report([DataDriftPreset(), DataSummaryPreset()])
    found = report.run(pd.read_parquet(batch), pd.read_parquet(reference)).dict()
    return {"figures": dict(_drift_scores(found["metrics"]))}


def _drift_scores(metrics: list[dict[str, Any]]) -> Any:
    for metric in metrics:
        options = metric.get("config", {})
        if options.get("type", "").endswith("ValueDrift"):
            yield f"column_drift|{options['column']}", float(metric["value"])


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2])))
