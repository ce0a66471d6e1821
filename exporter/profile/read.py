"""From a batch to its outcome: target and prediction, side by side, or everyone's recommendations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from exporter.batch import Batch, Schema
from exporter.errors import BatchError
from exporter.profile.arrays import Codes, Floats
from exporter.profile.arrow import codes, floats
from exporter.profile.interactions import RankingColumns, read_ranking
from exporter.profile.outcome import (
    MOST_CLASSES,
    ErrorProfile,
    Outcome,
    ScoreProfile,
    class_profile,
    error_profile,
    negative_label,
    score_profile,
)


def outcome_columns(schema: Schema) -> list[str]:
    """The columns that the model's outcome cannot do without; empty where it has none."""
    if schema.task == "ranking":
        return ranking.names() if (ranking := _ranking(schema)) else []
    judged = schema.task in ("regression", "binary", "multiclass")
    if schema.target is None or not schema.scores or not judged:
        return []
    return list(schema.roles)


def read_outcome(batch: Batch, schema: Schema, known: Outcome | None = None) -> Outcome:
    """The error profile of a regression, the score profile of a classifier, or a ranking's own.

    *known* is the reference's: it names the classes that the batch does not have. Raises
    BatchError where the model has no outcome, or a column is gone or holds something else.
    """
    if schema.task == "ranking":
        ranking = _ranking(schema)
        if ranking is None:
            raise BatchError("needs a user, an item and a prediction among the model's columns")
        return read_ranking(batch, ranking)
    names = outcome_columns(schema)
    if not names:
        raise BatchError("needs a task, a target and a prediction among the model's columns")
    for name in names:
        if name not in batch.types:
            raise BatchError(f"column {name!r}: the batch has no such column")
    if schema.task == "regression":
        return _errors(batch, schema)
    scores = known if isinstance(known, ScoreProfile) else None
    read = _classes if schema.task == "multiclass" else _scores
    return read(batch, schema, scores)


def _ranking(schema: Schema) -> RankingColumns | None:
    """The columns of a ranking, where it has all that it needs."""
    if schema.user is None or schema.item is None or schema.prediction is None:
        return None
    return RankingColumns(
        schema.user, schema.item, schema.target, schema.prediction, schema.ranked_by
    )


def _errors(batch: Batch, schema: Schema) -> ErrorProfile:
    if schema.prediction is None:
        raise BatchError("a regression needs a prediction among the model's columns")
    return error_profile(_floats(batch, str(schema.target)), _floats(batch, schema.prediction))


def _scores(batch: Batch, schema: Schema, known: ScoreProfile | None) -> ScoreProfile:
    labels, actual = _codes(batch, str(schema.target))
    score = _floats(batch, schema.probability) if schema.probability else None
    seen = set(labels)
    if schema.prediction is not None:
        others, predicted = _codes(batch, schema.prediction)
        seen |= set(others)
    positive = _positive(schema.positive, seen)
    if schema.prediction is not None:
        said = _is(others, predicted, positive)
    else:
        said = _decided(score, schema.threshold)
    negative = negative_label(seen, positive)
    if known is not None and known.binary and not seen - {positive}:
        negative = known.labels[0]
    return score_profile(_is(labels, actual, positive), said, score, (negative, positive))


def _classes(batch: Batch, schema: Schema, known: ScoreProfile | None) -> ScoreProfile:
    """The outcome of many classes: those seen, those that have a probability, and the reference's."""
    truths, actual = _codes(batch, str(schema.target))
    chances = {x: _floats(batch, name) for x, name in schema.probabilities.items()}
    said, predicted = _codes(batch, schema.prediction) if schema.prediction else likeliest(chances)
    classes = {*truths, *said, *chances, *(known.labels if known and not known.binary else ())}
    if len(classes) > MOST_CLASSES:
        text = f"{len(classes)} classes, more than {MOST_CLASSES}: is it the column of the classes?"
        raise BatchError(f"column {schema.target!r}: {text}")
    labels = tuple(sorted(classes))
    return class_profile(
        labels, _among(labels, truths, actual), _among(labels, said, predicted), chances
    )


def likeliest(chances: Mapping[str, Floats]) -> tuple[list[str], Codes]:
    """The class of the highest probability, the first of equals; none where one is missing."""
    most, said = None, np.empty(0, np.int32)
    for place, chance in enumerate(chances.values()):
        if most is None:
            most, said = chance.copy(), np.zeros(len(chance), np.int32)
            continue
        said[chance > most] = place
        np.maximum(most, chance, out=most)  # NaN stays
    assert most is not None  # noqa: S101  a model without prediction has probabilities
    said[~np.isfinite(most)] = len(chances)
    return list(chances), said


def _among(labels: tuple[str, ...], own: list[str], indices: Codes) -> Codes:
    """The codes of a column as places among all labels; missing = their number."""
    place = {label: i for i, label in enumerate(labels)}
    follow = np.array([*(place[label] for label in own), len(labels)], np.int32)
    return np.take(follow, indices)


def _positive(declared: str, seen: set[str]) -> str:
    """The positive class as the data writes it: `1` and `true` are one."""
    twin = {"1": "true", "true": "1", "0": "false", "false": "0"}.get(declared)
    return twin if twin is not None and declared not in seen and twin in seen else declared


def _decided(score: Floats | None, threshold: float) -> Floats:
    assert score is not None  # noqa: S101  a model without prediction has a probability
    said: Floats = np.where(np.isnan(score), np.nan, (score >= threshold).astype(np.float64))
    return said


def _is(labels: list[str], indices: Codes, wanted: str) -> Floats:
    """1 where the label is the wanted one, 0 where it is another, NaN where it is missing."""
    values = np.array([float(x == wanted) for x in labels] + [float("nan")])
    chosen: Floats = np.take(values, indices)
    return chosen


def _floats(batch: Batch, name: str) -> Floats:
    try:
        return floats(batch.read(name))
    except BatchError as error:
        raise BatchError(f"column {name!r}: {error}") from error


def _codes(batch: Batch, name: str) -> tuple[list[str], Codes]:
    try:
        return codes(batch.read(name))
    except BatchError as error:
        raise BatchError(f"column {name!r}: {error}") from error
