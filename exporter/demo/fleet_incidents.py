"""What goes wrong in the fleet: each incident acts on one model's rows, by their age.

The age of a row is the number of batches between its own and the newest: 0 in the newest one. The
span is the number of batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

# What customers write of when parcels are late.
NEWS = (
    "My parcel has not arrived, and the invoice came before it.",
    "Where is the parcel that was promised for Monday? Send a refund.",
    "The courier says the parcel was lost. I want a refund of the invoice.",
)

Ages = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Random = np.random.Generator
Change = Callable[[pd.DataFrame, Ages, int, Random], pd.DataFrame]
Error = Callable[[Ages, int], Floats]

# Ages in batches, unless it says otherwise.
JUMPED = 3
DIED = 2
CAME = 4
SILENT = 5
RELEASED = 3  # how many batches the bad release was out
GONE = 1
FEW = 12  # rows
GAPS = 20  # days of the calendar from one gap to the next: they stay where they are from day to day


def _none(rows: pd.DataFrame, *_: object) -> pd.DataFrame:
    return rows


def _as_ever(age: Ages, _: int) -> Floats:
    return np.ones(len(age))


@dataclass(frozen=True, slots=True)
class Incident:
    """What is done to a model, in words and deeds."""

    what: str
    change: Change = _none
    error: Error = _as_ever  # by which the model's error is multiplied
    gone: str = ""  # a column that the newest files lack


def drift(rows: pd.DataFrame, age: Ages, span: int, _: Random) -> pd.DataFrame:
    """People watch longer and longer: by half as much again at the end of the span."""
    grown = np.clip(1 - age / (0.66 * span), 0, 1)
    return rows.assign(watch_minutes=rows["watch_minutes"] * (1 + 0.5 * grown))


def jump(rows: pd.DataFrame, age: Ages, _: int, __: Random) -> pd.DataFrame:
    """Prices in another currency."""
    return rows.assign(price=rows["price"].where(age >= JUMPED, rows["price"] / 1.6))


def dead(rows: pd.DataFrame, age: Ages, _: int, __: Random) -> pd.DataFrame:
    """A feed that writes nothing any more."""
    return rows.assign(wait_minutes=rows["wait_minutes"].where(age >= DIED))


def category(rows: pd.DataFrame, age: Ages, _: int, random: Random) -> pd.DataFrame:
    """A channel that training did not know."""
    kiosk = (age < CAME) & (random.random(len(rows)) < 0.09)
    return rows.assign(channel=rows["channel"].mask(kiosk, "kiosk"))


def late(rows: pd.DataFrame, age: Ages, _: int, __: Random) -> pd.DataFrame:
    """The newest batches have not come."""
    return rows[age >= SILENT]


def gap(rows: pd.DataFrame, _: Ages, __: int, ___: Random) -> pd.DataFrame:
    """Some days never came."""
    days = (rows["time"].dt.normalize() - pd.Timestamp(0, tz="UTC")).dt.days
    kept: pd.Series[bool] = days % GAPS != 0
    return rows[kept]


def few(rows: pd.DataFrame, age: Ages, _: int, __: Random) -> pd.DataFrame:
    """The newest batch was cut off after a few rows."""
    return rows[: int(np.argmax(age == 0)) + FEW]


def topic(rows: pd.DataFrame, age: Ages, _: int, random: Random) -> pd.DataFrame:
    """Customers write of something new."""
    about = random.integers(0, len(NEWS), len(rows))
    news = np.array(NEWS, dtype=object)[about]
    return rows.assign(message=rows["message"].where(age >= CAME, news))


def decay(age: Ages, span: int) -> Floats:
    """From the middle of the span on, to two and a half times the error."""
    return 1 + 1.6 * np.clip(1 - age / (0.5 * span), 0, 1)


def release(age: Ages, span: int) -> Floats:
    """For a few batches in the past the model knew next to nothing."""
    newest = span // 3
    return np.where((age >= newest) & (age < newest + RELEASED), 12.0, 1.0)


INCIDENTS: Mapping[str, Incident] = {
    "decay": Incident("errs more and more: nobody trains it again", error=decay),
    "challenger": Incident("the challenger is better than the champion"),
    "dead": Incident("wait_minutes died two days ago: all missing", dead),
    "gone": Incident("the newest file has no column previous_tickets", gone="previous_tickets"),
    "recovered": Incident("a bad release was out for three days; all is well since", error=release),
    "few": Incident("the newest batch has a dozen rows: too few to test", few),
    "jump": Incident("price is in another currency since three days", jump),
    "drift": Incident("watch_minutes grows slowly", drift),
    "late": Incident("no data for five days", late),
    "category": Incident("a new channel since four days: kiosk", category),
    "topic": Incident("customers write of a late parcel since four days", topic),
    "gap": Incident("a day is missing now and then", gap),
}
