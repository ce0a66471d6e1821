"""A model whose every name would do something if anybody took it for more than a name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from exporter.config import load_config
from exporter.pipeline import Failed, Selection, open_project

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(2)>"  # runs also where a script that is put in later would not
DRAWING = '"><svg onload=alert(3)>'
PROJECT = f"{SCRIPT} & Söhne"
MODEL = f'{IMAGE} O\'Brien "the" & first'
COLUMN = f"{IMAGE} & price"
CHOICE = f"O'Brien {SCRIPT}"
TEXTS = (f"{SCRIPT} a", f"{IMAGE} b", f"{DRAWING} c & d")
CLASSES = (f"{SCRIPT} yes", f"{IMAGE} no")
DAYS, ROWS = 10, 240


def write_hostile(folder: Path, store: str, now: datetime) -> Path:
    """Evaluate ten days of the model into the store; the path of its config."""
    folder.mkdir()
    _rows(now).to_parquet(folder / "rows.parquet", index=False)
    path = folder / "hostile.yaml"
    path.write_text(yaml.safe_dump(_config(store), allow_unicode=True), "utf-8")
    with open_project(load_config(path), processes=1) as project:
        work = project.plan_work(Selection(), now)
        failed = [result.error for result in project.run(work, now) if isinstance(result, Failed)]
    assert not [*work.errors, *failed]
    return path


def _rows(now: datetime) -> pd.DataFrame:
    return pd.concat(_days(now), ignore_index=True)


def _days(now: datetime) -> Iterator[pd.DataFrame]:
    """A day each; of the last ones many prices are missing, and the texts are others."""
    start = now.replace(hour=0) - timedelta(days=DAYS)
    for day in range(DAYS):
        rng = np.random.default_rng(day)
        late = day > DAYS - 4
        price = rng.normal(9 if late else 3, 1, ROWS)
        price[: ROWS // 2 if late else 2] = np.nan
        yield pd.DataFrame(
            {
                "time": [start + timedelta(days=day, minutes=5 * row) for row in range(ROWS)],
                "version": DRAWING if late else SCRIPT,
                COLUMN: price,
                CHOICE: rng.choice(TEXTS, ROWS, p=(0.1, 0.1, 0.8) if late else (0.5, 0.3, 0.2)),
                "target": rng.choice(CLASSES, ROWS),
                "prediction": rng.choice(CLASSES, ROWS),
            }
        )


def _config(store: str) -> dict[str, object]:
    tests = [
        {"missing_ratio": {"columns": [COLUMN], "lte": 0.1, "name": f"{DRAWING} gaps"}},
        {"column_drift": {"columns": [COLUMN, CHOICE]}},
    ]
    model = {
        "task": "binary",
        "source": {"path": "rows.parquet"},
        "batch": "1d",
        "reference": {"rolling": "3d"},
        "tags": {"version": {"column": "version"}},
        "columns": {
            "time": "time",
            "target": "target",
            "prediction": "prediction",
            "positive": CLASSES[0],
            "numerical": [COLUMN],
            "categorical": [CHOICE],
        },
        "segments": {CHOICE: {"min_rows": 20, "max": 3}},
        "evaluations": {
            SCRIPT: {"metrics": ["data_summary", "data_drift"], "tests": tests},
            "quality": {"metrics": ["classification"], "tests": ["accuracy"]},
        },
    }
    return {"project": PROJECT, "timezone": "UTC", "store": store, "models": {MODEL: model}}
