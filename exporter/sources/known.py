"""What is known beside the rows of a ranking: the interactions of training, and what describes items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pyarrow as pa

from exporter.batch import KNOWN, Batch, Known, RankedBy, Schema
from exporter.errors import BatchError, PlanError, nearest
from exporter.profile.interactions import read_items, read_train
from exporter.profile.ranking import ItemFeatures, TrainProfile
from exporter.sources.batches import batch_of
from exporter.sources.frames import arrow_table
from exporter.sources.listing import Format, found
from exporter.sources.reading import Wanted, read_file
from exporter.sources.tables import stacked, without

if TYPE_CHECKING:
    from exporter.config import Ranking

_KEYS = ("by", *KNOWN)
_OF_FILES = {"train": ("path", "format"), "items": ("path", "format", "features")}


@dataclass(frozen=True, slots=True)
class Given:
    """Where something known is: a path, or a frame or table itself."""

    data: Any
    folder: Path = Path()
    format: Format | None = None
    features: Sequence[str] | None = None  # of items; None = all that are numerical

    def read(self, schema: Schema, names: Sequence[str] | None) -> Batch:
        """Some of the columns, or all; users and items as the text they are."""
        if isinstance(self.data, str | Path):
            wanted = Wanted(
                None if names is None else frozenset(names), labels=frozenset(schema.pair)
            )
            files = found(str(self.data), self.folder, self.format)
            table = stacked([read_file(file, wanted) for file in files])
        else:
            table = arrow_table(self.data)
        return batch_of(without(table, schema.missing_values))


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands under `ranking:`."""

    by: RankedBy = "score"
    train: Given | None = None
    items: Given | None = None

    @property
    def there(self) -> tuple[Known, ...]:
        """What is given."""
        return tuple([name for name in KNOWN if getattr(self, name) is not None])

    def train_profile(self, schema: Schema) -> TrainProfile | None:
        """The interactions, where there are any; a BatchError for what cannot be read."""
        if self.train is None or len(schema.pair) < 2:
            return None
        user, item = schema.pair
        with_names = self.train.read(schema, (user, item))
        try:
            return read_train(with_names, user, item)
        except BatchError as error:
            raise BatchError(f"ranking.train: {error}") from error

    def item_features(self, schema: Schema) -> ItemFeatures | None:
        """What describes items, where it is given; a BatchError for what cannot be read."""
        if self.items is None or schema.item is None:
            return None
        named = self.items.features
        batch = self.items.read(schema, None if named is None else (schema.item, *named))
        chosen = _numerical(batch, schema) if named is None else named
        try:
            return read_items(batch, schema.item, chosen)
        except BatchError as error:
            raise BatchError(f"ranking.items: {error}") from error


def configured(ranking: Ranking | None, folder: Path) -> Beside:
    """What a config says; paths are relative to *folder*."""
    if ranking is None:
        return Beside()
    train, items = ranking.train, ranking.items
    return Beside(
        ranking.by,
        Given(train.path, folder, train.format) if train else None,
        Given(items.path, folder, items.format, items.features) if items else None,
    )


def declared(ranking: Mapping[str, Any] | None) -> Beside:
    """The same of a mapping, whose `train` and `items` may be paths, frames or tables as well.

    Raises PlanError for keys that do not exist.
    """
    if not isinstance(ranking, Mapping | None):
        raise PlanError(
            "ranking: expected a mapping, such as {'by': 'rank', 'train': interactions}"
        )
    given = dict(ranking or {})
    _refuse_unknown(given, _KEYS, "ranking")
    by = given.get("by", "score")
    if by not in get_args(RankedBy):
        raise PlanError(f"ranking.by: expected score or rank{nearest(str(by), get_args(RankedBy))}")
    train, items = (_given(given.get(key), key) for key in KNOWN)
    return Beside(by, train, items)


def _given(value: Any, key: str) -> Given | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("path"), str | Path):
        return Given(value)
    _refuse_unknown(value, _OF_FILES[key], f"ranking.{key}")
    return Given(value["path"], Path(), value.get("format"), value.get("features"))


def _refuse_unknown(given: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise PlanError(f"{where}: there is no key {key!r}" + nearest(key, known))


def _numerical(batch: Batch, schema: Schema) -> list[str]:
    """The columns of numbers, but those that tell users and items apart."""
    t = pa.types
    numbers = (t.is_floating, t.is_integer, t.is_decimal, t.is_boolean)
    return [
        name
        for name, kind in batch.types.items()
        if name not in schema.pair and any(is_kind(kind) for is_kind in numbers)
    ]
