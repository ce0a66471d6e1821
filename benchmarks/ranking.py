"""Rankings at k of a million interactions, beside pandas by hand and, where it is there, Evidently.

`python -m benchmarks.ranking` compares with pandas; `--evidently PYTHON [ROWS]` with Evidently as
that interpreter has it. `ours FOLDER` and `by_hand FOLDER` are the two sides' own processes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.engine import different
from benchmarks.measure import Cost, Result, by_turns, cost_of, middle, python, ratio, warm

if TYPE_CHECKING:
    import pandas as pd

Figures = dict[str, float]
K = 10
PER_USER = 50
ROWS = 1_000_000
TURNS = 3
NAMES = {100_000: "100k", 1_000_000: "1M"}
FIGURES = (
    "precision_at_k", "recall_at_k", "f_beta_at_k", "map_at_k", "mar_at_k", "ndcg_at_k",
    "mrr_at_k", "hit_rate_at_k", "personalization_at_k", "item_gini",
)  # fmt: skip


def main() -> None:
    """Print a line for each measurement beside pandas."""
    folder = _folder(ROWS)
    ours, peer = by_turns(
        python("ranking", "ours", folder), python("ranking", "by_hand", folder), turns=TURNS
    )
    note = _parity(ours[0], peer[0].said["figures"])
    for line in _lines(f"ranking at {K}, {NAMES[ROWS]} interactions", ours, peer, note):
        line.say()


def beside_evidently(interpreter: Path, rows: int) -> list[Result]:
    """The same figures beside Evidently, whose interpreter is given; it has each of them for every k."""
    folder = _folder(rows)
    script = Path(__file__).parent / "peers" / "ranking_with_evidently.py"
    theirs = [str(interpreter), str(script), str(folder), str(K), "score"]
    turns = TURNS if rows < ROWS else 1
    ours, peer = by_turns(python("ranking", "ours", folder), theirs, turns=turns)
    found = peer[0].said["figures"]
    note = _parity(ours[0], {m: _at_k(found[m]) for m in FIGURES if m in found})
    name = f"Evidently, ranking at {K}, {NAMES[rows]} interactions"
    return _lines(name, ours, peer, f"{note}; it has every k up to {K}")


def ours() -> Callable[[Path], Figures]:
    """Our way from a folder to the figures; what it needs is imported."""
    import pyarrow.parquet as pq

    from exporter.metrics import CATALOGUE
    from exporter.profile.interactions import RankingColumns, read_ranking
    from exporter.sources.files import batch_of

    def work(folder: Path) -> Figures:
        batch = batch_of(pq.ParquetFile(folder / "interactions.parquet").read())
        profile = read_ranking(batch, RankingColumns("user", "item", "target", "prediction"))
        return {name: CATALOGUE[name].compute(profile, k=K) for name in FIGURES}

    return work


def by_hand() -> Callable[[Path], Figures]:
    """The way of one who writes it with pandas."""
    import pandas as pd

    return lambda folder: _by_hand(pd.read_parquet(folder / "interactions.parquet"))


def _by_hand(frame: pd.DataFrame) -> Figures:
    import numpy as np

    frame["rank"] = frame.groupby("user")["prediction"].rank(method="first", ascending=False)
    frame["relevant"] = frame["target"] > 0
    whole = frame.groupby("user")["relevant"].agg(["size", "sum"])
    whole = whole[whole["sum"] > 0]
    frame = frame[frame["user"].isin(whole.index)]
    top = frame[frame["rank"] <= K].sort_values(["user", "rank"])
    hits = top[top["relevant"]].copy()
    hits["found"] = hits.groupby("user").cumcount() + 1
    hits["gain"] = 1 / np.log2(hits["rank"] + 1)
    hits["precision"] = hits["found"] / hits["rank"]
    hits["recall"] = hits["found"] / hits["user"].map(whole["sum"])
    per_user = hits.groupby("user").agg(
        found=("found", "max"),
        precision=("precision", "sum"),
        recall=("recall", "sum"),
        gain=("gain", "sum"),
        first=("rank", "min"),
    )
    per_user = per_user.reindex(whole.index)
    return {**_at(per_user, whole), **_variety(top)}


def _at(found: pd.DataFrame, whole: pd.DataFrame) -> Figures:
    import numpy as np

    ideal = np.concatenate(([0.0], np.cumsum(1 / np.log2(np.arange(2, K + 2)))))
    count = found["found"].fillna(0)
    precision = float((count / whole["size"].clip(upper=K)).mean())
    recall = float((count / whole["sum"]).mean())
    best = ideal[whole["sum"].clip(upper=K).to_numpy()]
    return {
        "precision_at_k": precision,
        "recall_at_k": recall,
        "f_beta_at_k": 2 * precision * recall / (precision + recall),
        "map_at_k": float((found["precision"].fillna(0) / whole["sum"]).mean()),
        "mar_at_k": float((found["recall"].fillna(0) / whole["sum"]).mean()),
        "ndcg_at_k": float((found["gain"].fillna(0) / best).mean()),
        "mrr_at_k": float((1 / found["first"]).fillna(0).mean()),
        "hit_rate_at_k": float((count > 0).mean()),
    }


def _variety(top: pd.DataFrame) -> Figures:
    import numpy as np

    often = np.sort(top["item"].value_counts().to_numpy()).astype(float)
    users, n = top["user"].nunique(), len(often)
    pairs = users * (users - 1)
    return {
        "personalization_at_k": float(1 - (often * (often - 1)).sum() / K / pairs),
        "item_gini": float(
            ((2 * np.arange(1, n + 1) - n - 1) * often).sum() / ((n - 1) * often.sum())
        ),
    }


def prepare(rows: int, folder: Path) -> None:
    """Seeded interactions: 50 items for each user, best first, at least one of them relevant."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    users = np.repeat(np.arange(rows // PER_USER), PER_USER)
    items = (users * 7919 + np.tile(np.arange(PER_USER) * 97, rows // PER_USER)) % 5003
    score = rng.normal(size=rows)
    target = (rng.random(rows) < 0.3 / (1 + np.exp(-score))).astype(np.int64)
    target[::PER_USER] = 1
    score[::PER_USER] += 1
    best_first = np.lexsort((-score, users))  # Evidently's averages follow the order of rows
    columns = {
        "user": users,
        "item": items[best_first],
        "target": target[best_first],
        "prediction": score[best_first],
    }
    pq.write_table(pa.table(columns), folder / "interactions.parquet")


def _folder(rows: int) -> Path:
    """The folder of the interactions, made where they are missing and read once."""
    folder = Path(__file__).parent / "data" / f"ranking_{NAMES[rows]}"
    if not (folder / "interactions.parquet").exists():
        cost_of(python("ranking", "prepare", str(rows), folder))
    warm(folder / "interactions.parquet")
    return folder


def _at_k(figure: Any) -> float:
    return float(figure[K - 1] if isinstance(figure, list) else figure)


def _parity(ours: Cost, peer: Figures) -> str:
    wrong = different(ours.said["figures"], peer)
    if wrong or not peer:
        raise SystemExit("figures differ from the peer's:\n  " + "\n  ".join(wrong))
    return f"{len(peer)} figures equal to 1e-6"


def _lines(name: str, ours: list[Cost], peer: list[Cost], note: str) -> list[Result]:
    """Seconds from reading the file to the figures, imports aside, and the peak."""
    mine, theirs = ([float(cost.said["seconds"]) for cost in side] for side in (ours, peer))
    least, most = middle(ours, "megabytes"), middle(peer, "megabytes")
    return [
        Result(name, median(mine), median(theirs), ratio(mine, theirs), "s", note),
        Result(f"{name}, peak", least, most, most / least, "MB"),
    ]


def _side(name: str, folder: Path) -> None:
    """Print what one side finds, and how long it takes to."""
    work = {"ours": ours, "by_hand": by_hand}[name]()
    start = time.perf_counter()
    figures = work(folder)
    print(json.dumps({"figures": figures, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    command, *rest = sys.argv[1:] or [""]
    if command == "prepare":
        prepare(int(rest[0]), Path(rest[1]))
    elif command == "--evidently":
        for found in beside_evidently(Path(rest[0]), int(rest[1]) if rest[1:] else ROWS):
            found.say()
    elif command:
        _side(command, Path(rest[0]))
    else:
        main()
