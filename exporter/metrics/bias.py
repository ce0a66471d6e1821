"""Where a regression errs: how its features differ between the rows that are most wrong and the rest.

The groups are those of `mean_error_by_group`. A column's figures are told by group, the one over all
rows without a label.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

import numpy as np

from exporter.errors import BatchError
from exporter.metrics._registry import Role, metric
from exporter.metrics.regression import Tail
from exporter.profile.arrays import Bools, Codes, Floats
from exporter.profile.rows import Rows

NAN = float("nan")
Cells = dict[tuple[str, str], float | BatchError]
NEEDS: tuple[Role, ...] = ("target", "prediction")


@metric(per="pair", unit="value", labels="group", needs=NEEDS)
def error_bias(rows: Rows, *, share: Tail = 0.05) -> Cells:
    """A feature's mean in each group of errors; of categories the share of the batch's most common one."""
    cells: Cells = {}
    for name, found in _features(rows, share):
        if isinstance(found, BatchError):
            cells[name, ""] = found
        else:
            cells |= {(name, group): figure for group, figure in found.figures().items()}
    return cells


@metric(per="pair", unit="ratio", labels="group", needs=NEEDS)
def error_bias_range(rows: Rows, *, share: Tail = 0.05) -> Cells:
    """How far apart a feature's means in the two extreme groups are, as a share of its range; of categories 1 where the most common one differs."""
    return {
        (name, ""): found if isinstance(found, BatchError) else found.range()
        for name, found in _features(rows, share)
    }


@dataclass(frozen=True, slots=True)
class _Groups:
    """Which rows are in which group; the first is all."""

    rows: Bools  # those that have an error
    under: Bools  # of these
    over: Bools

    def all(self) -> dict[str, Bools]:
        return {
            "": np.ones(len(self.under), bool),
            "underestimation": self.under,
            "majority": ~(self.under | self.over),
            "overestimation": self.over,
        }


@dataclass(frozen=True, slots=True)
class _Numbers:
    values: Floats  # of rows that have an error
    groups: _Groups

    def figures(self) -> dict[str, float]:
        there = np.isfinite(self.values)
        return {
            name: _mean(self.values[inside & there]) for name, inside in self.groups.all().items()
        }

    def range(self) -> float:
        means, there = self.figures(), self.values[np.isfinite(self.values)]
        gap = abs(means["overestimation"] / 2 - means["underestimation"] / 2)  # no overflow
        spread = float(there.max() / 2 - there.min() / 2) if len(there) else NAN
        return min(gap / spread, 1.0) if spread else 0.0


@dataclass(frozen=True, slots=True)
class _Categories:
    labels: list[str]
    codes: Codes  # of rows that have an error; the number of labels is missing
    groups: _Groups

    def figures(self) -> dict[str, float]:
        counts = self._counts()
        top = _top(counts[""])
        return {
            name: float(found[top] / found.sum()) if found.any() else NAN
            for name, found in counts.items()
        }

    def range(self) -> float:
        counts = self._counts()
        if not counts[""].any():
            return NAN
        extremes = (counts["underestimation"], counts["overestimation"])
        return float(any(_top(x) != _top(counts[""]) or not x.any() for x in extremes))

    def _counts(self) -> dict[str, np.ndarray]:
        n = len(self.labels)
        return {
            name: np.bincount(self.codes[inside], minlength=n + 1)[:n]
            for name, inside in self.groups.all().items()
        }


def _features(
    rows: Rows, share: float
) -> Iterator[tuple[str, _Numbers | _Categories | BatchError]]:
    """Every feature that the metric was asked of; each is read when it is its turn, and not kept."""
    groups = rows.once("", f"groups of errors {share}", lambda: _groups(rows, share))
    for name in rows.columns:
        kind = rows.schema.kinds.get(name)
        if name in rows.schema.roles or kind not in ("numerical", "categorical"):
            continue
        try:
            yield name, _read(rows, name, groups)
        except BatchError as error:
            yield name, error


def _read(rows: Rows, name: str, groups: _Groups) -> _Numbers | _Categories:
    from exporter.profile.arrow import codes, floats

    column = rows.arrow(name)
    if rows.schema.kinds[name] == "numerical":
        return _Numbers(floats(column)[groups.rows], groups)
    labels, indices = codes(column)
    order = np.argsort(np.array(labels, dtype=object), kind="stable")
    follow = np.append(np.argsort(order), len(labels))
    return _Categories([labels[i] for i in order], follow[indices[groups.rows]], groups)


def _groups(rows: Rows, share: float) -> _Groups:
    target, prediction = rows.schema.target, rows.schema.prediction
    if rows.schema.task != "regression" or target is None or prediction is None:
        raise ValueError("the model's task has no such figure")
    with np.errstate(over="ignore", invalid="ignore"):
        errors = rows.floats(prediction) - rows.floats(target)
    there = np.isfinite(errors)
    errors = errors[there]
    if not len(errors):
        return _Groups(there, np.empty(0, bool), np.empty(0, bool))
    low, high = np.quantile(errors, [share, 1 - share])
    return _Groups(there, errors <= low, errors >= high)


def _top(counts: np.ndarray) -> int:
    """The most common category, of equally common ones the first by name; 0 where there is none."""
    return int(counts.argmax()) if len(counts) else 0


def _mean(values: Floats) -> float:
    if not len(values):
        return NAN
    mean = float(values.mean())
    return mean if isfinite(mean) else float((values / len(values)).sum())
