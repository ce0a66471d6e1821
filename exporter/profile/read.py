"""From a batch to its outcome: target and prediction, side by side."""

from __future__ import annotations

import numpy as np

from exporter.batch import Batch, Schema
from exporter.errors import BatchError
from exporter.profile.arrays import Codes, Floats
from exporter.profile.arrow import codes, floats
from exporter.profile.outcome import (
    ErrorProfile,
    Outcome,
    ScoreProfile,
    error_profile,
    negative_label,
    score_profile,
)


def outcome_columns(schema: Schema) -> list[str]:
    """The columns that the model's outcome is read from; empty where it has none."""
    parts = (schema.target, schema.prediction, schema.probability)
    if schema.target is None or schema.score is None or schema.task == "none":
        return []
    return [name for name in parts if name is not None]


def read_outcome(batch: Batch, schema: Schema, known: Outcome | None = None) -> Outcome:
    """The error profile of a regression, or the score profile of a binary classifier.

    *known* is the reference's: it names the negative class of a batch that has none. Raises
    BatchError where the model has no outcome, or a column is gone or holds something else.
    """
    names = outcome_columns(schema)
    if not names:
        raise BatchError("needs a task, a target and a prediction among the model's columns")
    for name in names:
        if name not in batch.types:
            raise BatchError(f"column {name!r}: the batch has no such column")
    if schema.task == "regression":
        return _errors(batch, schema)
    return _scores(batch, schema, known)


def _errors(batch: Batch, schema: Schema) -> ErrorProfile:
    if schema.prediction is None:
        raise BatchError("a regression needs a prediction among the model's columns")
    return error_profile(_floats(batch, str(schema.target)), _floats(batch, schema.prediction))


def _scores(batch: Batch, schema: Schema, known: Outcome | None) -> ScoreProfile:
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
    if isinstance(known, ScoreProfile) and not seen - {positive}:
        negative = known.labels[0]
    return score_profile(_is(labels, actual, positive), said, score, (negative, positive))


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
