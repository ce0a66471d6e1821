"""The fleet's rows: made up, the same for the same model and number of batches, whatever the day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd

from exporter.demo.fleet_incidents import INCIDENTS, Ages, Incident, Random
from exporter.demo.fleet_roster import (
    CHOICES,
    CLASSES,
    NUMBERS,
    SENTENCES,
    Choices,
    Member,
    Numbers,
)

Floats = npt.NDArray[np.float64]

LENGTHS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "1w": timedelta(weeks=1)}
LISTED = 8  # items that a user is shown
ITEMS = 60
CHALLENGER_ERRS = 0.4  # times the champion's error
VERSIONS = ("2.3", "2.4")
_NO_INCIDENT = Incident("")


@dataclass(frozen=True, slots=True)
class Made:
    """A model's rows, its training rows where it is compared with them, and labels of their own."""

    rows: pd.DataFrame  # with `age`
    training: pd.DataFrame
    labels: pd.DataFrame | None  # `id`, `target` and the time at which they are known
    known: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # of a ranking: files by name


@dataclass(frozen=True, slots=True)
class Times:
    """When the rows of a span came: the newest batch ends at *end*."""

    end: datetime
    batches: int
    length: timedelta

    def drawn(self, rows: int, random: Random) -> tuple[pd.Series, Ages]:
        """Sorted times with about *rows* a batch, and their ages; weekly ups and downs."""
        ages = np.arange(self.batches)[::-1]
        wave = 1 + 0.12 * np.sin(2 * np.pi * ages / 7)
        counts = (rows * wave * random.lognormal(0, 0.04, len(ages))).astype(int)
        age = np.repeat(ages, counts)
        back = (age + 1 - random.random(len(age))) * self.length.total_seconds()
        order = np.argsort(-back, kind="stable")
        times = pd.Timestamp(self.end) - pd.to_timedelta(back[order], unit="s")
        return pd.Series(times).dt.floor("s"), age[order]


def made(member: Member, times: Times) -> Made:
    """All rows of a model in the order of their times."""
    random = np.random.default_rng(crc32(member.name.encode()))
    incident = INCIDENTS.get(member.incident, _NO_INCIDENT)
    training = _scored(member, np.ones(member.training), random)
    time, age = times.drawn(member.rows, random)
    rows = _scored(member, incident.error(age, times.batches), random, first=member.training)
    rows.insert(0, "time", time)
    if member.versions:
        rows["model_version"] = np.where(age > times.batches // 4, *VERSIONS)
    rows["age"] = age
    rows = incident.change(rows, age, times.batches, random).reset_index(drop=True)
    if not member.delay:
        return Made(rows, training, None, _known(training, random) if member.known else {})
    known = rows["time"].dt.floor("D") + pd.Timedelta(days=member.delay + 1)
    labels = rows[["id", "target"]].assign(known=known)
    return Made(rows.drop(columns="target"), training, labels)


def _known(training: pd.DataFrame, random: Random) -> dict[str, pd.DataFrame]:
    """What users had before, and what the items are like."""
    items = pd.DataFrame({"item": [f"i{i}" for i in range(ITEMS)]})
    features = items.assign(
        price=np.round(random.lognormal(3, 0.5, ITEMS), 2), age_days=random.integers(1, 400, ITEMS)
    )
    return {"train": training[["user", "item"]], "items": features}


def numbers_of(member: Member) -> list[Numbers]:
    """The columns of numbers that the model has."""
    return list(NUMBERS[member.project][: member.numbers])


def choices_of(member: Member) -> list[Choices]:
    """The columns of categories that the model has."""
    return list(CHOICES[member.project][: member.choices])


def _scored(member: Member, error: Floats, random: Random, first: int = 0) -> pd.DataFrame:
    """Features with what the model says of them, and the truth; a row for each *error*."""
    count = len(error)
    frame = pd.DataFrame({"id": np.arange(first, first + count)})
    signal = np.zeros(count)
    for place, column in enumerate(numbers_of(member)):
        score = random.normal(size=count)
        signal += score * 0.8**place
        frame[column.name] = _in_units(column, score, random)
    for given in choices_of(member):
        codes = random.choice(len(given.shares), size=count, p=list(given.shares.values()))
        signal += codes * 0.3 - 0.3
        frame[given.name] = np.array(list(given.shares), dtype=object)[codes]
    if member.texts:
        frame["message"] = _texts(count, random)
    if member.arms:
        challenger = random.random(count) < 0.5
        frame["arm"] = np.where(challenger, "challenger", "champion")
        if member.incident == "challenger":
            error = error * np.where(challenger, CHALLENGER_ERRS, 1.0)
    signal = (signal - signal.mean()) / signal.std()
    seen = signal + error * random.normal(size=count) / member.skill
    return frame.assign(**_OUTCOMES[member.task](member, signal, seen, random))


def _in_units(column: Numbers, score: Floats, random: Random) -> Floats:
    if column.skewed:
        values = column.middle * np.exp(column.spread * score)
    else:
        values = column.middle + column.spread * score
    values = np.round(values, 4)
    if column.missing:
        values[random.random(len(values)) < column.missing] = np.nan
    return values


def _texts(count: int, random: Random) -> list[str]:
    """Messages of one to four sentences."""
    lengths = random.integers(1, 5, count)
    drawn = iter(random.integers(0, len(SENTENCES), int(lengths.sum())))
    return [" ".join(SENTENCES[next(drawn)] for _ in range(n)) for n in lengths]


_Columns = dict[str, npt.NDArray[np.generic]]


def _nothing(*_: object) -> _Columns:
    return {}


def _amounts(_: Member, signal: Floats, seen: Floats, random: Random) -> _Columns:
    truth = 100 + 20 * signal + random.normal(0, 2, len(signal))
    return {"prediction": np.round(100 + 20 * seen, 3), "target": np.round(truth, 3)}


def _yes_or_no(_: Member, signal: Floats, seen: Floats, random: Random) -> _Columns:
    happens = random.random(len(signal)) < 1 / (1 + np.exp(-4 * signal + 1.5))
    return {
        "probability": np.round(1 / (1 + np.exp(-3 * seen + 1.1)), 5),
        "target": happens.astype(int),
    }


def _classes(member: Member, signal: Floats, seen: Floats, _: Random) -> _Columns:
    """The classes are ranges of the signal; a class is the likelier the nearer its middle is."""
    names = CLASSES[member.project]
    middles = np.linspace(-1.4, 1.4, len(names))
    near = np.exp(-3 * (seen[:, None] - middles) ** 2) + 1e-4
    shares = np.round(near / near.sum(axis=1, keepdims=True), 5)
    truth = np.abs(signal[:, None] - middles).argmin(axis=1)
    scores = {f"p_{name}": shares[:, i] for i, name in enumerate(names)}
    return {**scores, "target": np.array(names, dtype=object)[truth]}


def _lists(_: Member, signal: Floats, seen: Floats, random: Random) -> _Columns:
    """Each user is shown a handful of items, and follows some of what fits."""
    count = len(signal)
    first = random.integers(0, ITEMS, count // LISTED + 1)
    place = np.arange(count) % LISTED
    items = (np.repeat(first, LISTED)[:count] + 7 * place) % ITEMS
    clicked = random.random(count) < 1 / (1 + np.exp(-3 * signal + 2))
    users = np.char.add("u", (np.arange(count) // LISTED).astype(str))
    return {
        "user": users.astype(object),
        "item": np.char.add("i", items.astype(str)).astype(object),
        "score": np.round(seen, 5),
        "target": clicked.astype(int),
    }


_OUTCOMES: Mapping[str, Callable[[Member, Floats, Floats, Random], _Columns]] = {
    "none": _nothing,
    "regression": _amounts,
    "binary": _yes_or_no,
    "multiclass": _classes,
    "ranking": _lists,
}
