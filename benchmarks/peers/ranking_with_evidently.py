"""Evidently's figures of a ranking: run by an interpreter that has Evidently.

`ranking_with_evidently.py FOLDER K [score | rank]` prints one line of JSON: the seconds it took and the figures
by name, those at k as lists from k = 1. The folder holds interactions.parquet with user, item, target and
prediction, and, if novelty and the like are asked for, train.parquet (user, item) and
items.parquet (item, features).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
from evidently.legacy.metrics import (
    DiversityMetric,
    FBetaTopKMetric,
    HitRateKMetric,
    MAPKMetric,
    MARKMetric,
    MRRKMetric,
    NDCGKMetric,
    NoveltyMetric,
    PersonalizationMetric,
    PopularityBias,
    PrecisionTopKMetric,
    RecallTopKMetric,
    ScoreDistribution,
    SerendipityMetric,
)
from evidently.legacy.pipeline.column_mapping import ColumnMapping
from evidently.legacy.report import Report

AT_K = {
    "precision_at_k": PrecisionTopKMetric,
    "recall_at_k": RecallTopKMetric,
    "f_beta_at_k": FBetaTopKMetric,
    "map_at_k": MAPKMetric,
    "mar_at_k": MARKMetric,
    "ndcg_at_k": NDCGKMetric,
    "mrr_at_k": MRRKMetric,
    "hit_rate_at_k": HitRateKMetric,
}


def main(folder: Path, k: int, kind: str) -> dict[str, Any]:
    """The figures by name, and the seconds they took."""
    start = time.perf_counter()
    current = pd.read_parquet(folder / "interactions.parquet")
    asked = {name: metric(k=k) for name, metric in AT_K.items()}
    asked["personalization_at_k"] = PersonalizationMetric(k=k)
    if kind == "score":
        asked["score_entropy"] = ScoreDistribution(k=k)
    additional = {}
    if (folder / "train.parquet").exists():
        items = pd.read_parquet(folder / "items.parquet")
        features = [name for name in items.columns if name != "item"]
        current = current.merge(items, on="item")
        train = pd.read_parquet(folder / "train.parquet").merge(items, on="item")
        additional["current_train_data"] = train
        asked |= {
            "novelty_at_k": NoveltyMetric(k=k),
            "popularity": PopularityBias(k=k),
            "normalized": PopularityBias(k=k, normalize_arp=True),
            "diversity_at_k": DiversityMetric(k=k, item_features=features),
            "serendipity_at_k": SerendipityMetric(k=k, item_features=features),
        }
    columns = ColumnMapping(
        target="target",
        prediction="prediction",
        user_id="user",
        item_id="item",
        recommendations_type=kind,
        task="recsys",
    )
    Report(list(asked.values())).run(
        current_data=current,
        reference_data=None,
        column_mapping=columns,
        additional_data=additional,
    )
    figures = dict(_figures({name: metric.get_result() for name, metric in asked.items()}))
    return {"figures": figures, "seconds": time.perf_counter() - start}


def _figures(results: dict[str, Any]) -> Any:
    for name, result in results.items():
        if name in AT_K:
            yield name, [float(x) for x in result.current]
        elif name == "score_entropy":
            yield name, float(result.current_entropy)
        elif name == "popularity":
            yield "average_popularity", float(result.current_apr)
            yield "item_coverage", float(result.current_coverage)
            yield "item_gini", float(result.current_gini)
        elif name == "normalized":
            yield "average_popularity, normalized", float(result.current_apr)
        else:
            yield name, float(result.current_value)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])))
