"""From tables to a ranking profile, and to the training interactions and item features beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from exporter.batch import Batch, RankedBy
from exporter.errors import BatchError
from exporter.profile.arrays import Floats
from exporter.profile.arrow import codes, floats
from exporter.profile.ranking import (
    ItemFeatures,
    RankingProfile,
    TrainProfile,
    item_features,
    ranking_profile,
    train_profile,
)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class RankingColumns:
    """The columns that a ranking is read from; without target it cannot be judged, but is one all the same."""

    user: str
    item: str
    target: str | None
    prediction: str
    ranked_by: RankedBy = "score"

    def names(self) -> list[str]:
        """Those that there must be."""
        return [self.user, self.item, self.prediction]


def read_ranking(batch: Batch, columns: RankingColumns) -> RankingProfile:
    """The ranking profile of a batch; a BatchError where a column is gone or holds something else.

    A target that is, costs only the figures that read it.
    """
    target, unjudged = _target(batch, columns.target)
    return ranking_profile(
        _column(batch, columns.user, codes),
        _column(batch, columns.item, codes),
        target,
        _column(batch, columns.prediction, floats),
        ranked_by=columns.ranked_by,
        unjudged=unjudged,
    )


def read_train(batch: Batch, user: str, item: str) -> TrainProfile:
    """The profile of training interactions; a BatchError where a column is gone or has no text."""
    return train_profile(_column(batch, user, codes), _column(batch, item, codes))


def read_items(batch: Batch, item: str, features: Sequence[str]) -> ItemFeatures:
    """What is known of items: these numeric columns, as they are; scale them first where units differ.

    Raises BatchError where a column is gone or holds no numbers, or no feature is named.
    """
    if not features:
        raise BatchError("needs at least one numerical column that tells items apart")
    return item_features(
        _column(batch, item, codes), {name: _column(batch, name, floats) for name in features}
    )


def _target(batch: Batch, name: str | None) -> tuple[Floats, str]:
    """The target row by row, or why there is none."""
    if name is None:
        return np.full(batch.rows, np.nan), "needs a target among the model's columns"
    try:
        return _column(batch, name, floats), ""
    except BatchError as error:
        return np.full(batch.rows, np.nan), str(error)


def _column(batch: Batch, name: str, read: Callable[[pa.ChunkedArray], Read]) -> Read:
    if name not in batch.types:
        raise BatchError(f"column {name!r}: the batch has no such column")
    try:
        return read(batch.read(name))
    except BatchError as error:
        raise BatchError(f"column {name!r}: {error}") from error
