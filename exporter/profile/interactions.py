"""From tables to a ranking profile, and to the training interactions and item features beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from exporter.batch import Batch
from exporter.errors import BatchError
from exporter.profile.arrow import codes, floats
from exporter.profile.ranking import (
    ItemFeatures,
    RankedBy,
    RankingProfile,
    TrainProfile,
    item_features,
    ranking_profile,
    train_profile,
)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class RankingColumns:
    """The columns that a ranking is read from."""

    user: str
    item: str
    target: str
    prediction: str
    ranked_by: RankedBy = "score"

    def names(self) -> list[str]:
        """All of them."""
        return [self.user, self.item, self.target, self.prediction]


def read_ranking(batch: Batch, columns: RankingColumns) -> RankingProfile:
    """The ranking profile of a batch; a BatchError where a column is gone or holds something else."""
    return ranking_profile(
        _column(batch, columns.user, codes),
        _column(batch, columns.item, codes),
        _column(batch, columns.target, floats),
        _column(batch, columns.prediction, floats),
        ranked_by=columns.ranked_by,
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


def _column(batch: Batch, name: str, read: Callable[[pa.ChunkedArray], Read]) -> Read:
    if name not in batch.types:
        raise BatchError(f"column {name!r}: the batch has no such column")
    try:
        return read(batch.read(name))
    except BatchError as error:
        raise BatchError(f"column {name!r}: {error}") from error
