"""Profiles of rows drawn at random from those of a reference; the same seed draws the same."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt
from zlib import crc32

import numpy as np

from exporter.profile.arrays import Floats
from exporter.profile.column import (
    CategoryProfile,
    Moments,
    NumericProfile,
    moments_of,
    numeric_profile,
)
from exporter.profile.outcome import ErrorProfile, Outcome, ScoreProfile, Side, losses
from exporter.profile.points import Points
from exporter.profile.ranking import RankingProfile

UNSEEN = "\x00unseen "  # before the number of a category that the reference does not have


def drawn_column(
    whole: NumericProfile | CategoryProfile, size: int, seed: int
) -> NumericProfile | CategoryProfile:
    """A column of so many values."""
    rng = _random(whole.name, size, seed)
    if isinstance(whole, NumericProfile):
        return numeric_profile(whole.name, size, _values(whole.points, size, rng))
    return _categories(whole, size, rng)


def drawn_outcome(whole: Outcome, size: int, seed: int) -> Outcome:
    """An outcome of so many rows; a ranking of so many users, each with the whole list."""
    rng = _random("", size, seed)
    if isinstance(whole, ErrorProfile):
        return _errors(whole, size, rng)
    if isinstance(whole, RankingProfile):
        return whole.of_users(np.sort(rng.integers(whole.count, size=size if whole.count else 0)))
    return _scores(whole, size, rng)


def _random(name: str, size: int, seed: int) -> np.random.Generator:
    return np.random.default_rng([crc32(name.encode("utf-8", "surrogatepass")), size, seed])


def _values(points: Points, size: int, rng: np.random.Generator) -> Floats:
    return points.at(np.sort(rng.integers(points.total, size=size)))


def _numbers(whole: NumericProfile, size: int, rng: np.random.Generator) -> NumericProfile:
    values = _values(whole.points, size if whole.count else 0, rng)
    return numeric_profile(whole.name, size, values)


def _categories(whole: CategoryProfile, size: int, rng: np.random.Generator) -> CategoryProfile:
    """Categories that the reference has once stand for as many that it has not."""
    once = int(np.count_nonzero(whole.counts == 1))
    new = int(rng.binomial(size, once / whole.count))
    counts = rng.multinomial(size - new, whole.counts / whole.count)
    there = np.flatnonzero(counts)
    order = there[np.argsort(-counts[there], kind="stable")]
    labels = [whole.labels[i] for i in order] + [f"{UNSEEN}{i}" for i in range(new)]
    told = np.append(counts[order], np.ones(new, np.int64))
    return CategoryProfile(whole.name, size, 0, tuple(labels), told)


def _errors(whole: ErrorProfile, size: int, rng: np.random.Generator) -> ErrorProfile:
    """Errors as they are; of the percentages only moments are known: their mean by its own error."""
    values = _values(whole.errors.points, size if whole.count else 0, rng)
    p = whole.percent
    spread = p.std() / sqrt(size) if p.count > 1 else 0.0
    return replace(
        whole,
        absolute=moments_of(np.sort(np.abs(values))),
        errors=numeric_profile(whole.errors.name, size, values),
        percent=Moments(size, p.mean + spread * float(rng.standard_normal()), 0.0, 0.0, inf),
        target=_numbers(whole.target, size, rng),
    )


def _scores(whole: ScoreProfile, size: int, rng: np.random.Generator) -> ScoreProfile:
    """Decisions, and scores of each class; the loss of a binary classifier follows from its scores."""
    cells = np.array(whole.matrix, np.float64)
    if not cells.sum():
        return whole
    drawn = rng.multinomial(size, (cells / cells.sum()).ravel()).reshape(cells.shape)
    sides = {label: _side(side, size, rng) for label, side in whole.sides.items()}
    lost = float("nan"), float("nan")
    if whole.binary and sides:
        (side,) = sides.values()
        score = np.concatenate([_spelt(side.own), _spelt(side.others)])
        lost = losses(np.arange(len(score)) < side.own.count, score)
    matrix = tuple([tuple(map(int, row)) for row in drawn])
    return replace(whole, matrix=matrix, sides=sides, log_loss=lost[0], brier=lost[1])


def _side(whole: Side, size: int, rng: np.random.Generator) -> Side:
    own = int(rng.binomial(size, whole.own.count / whole.count)) if whole.count else 0
    return Side(_numbers(whole.own, own, rng), _numbers(whole.others, size - own, rng))


def _spelt(column: NumericProfile) -> Floats:
    """Every value, as often as it occurs."""
    points = column.points
    return points.values if points.counts is None else np.repeat(points.values, points.counts)
