"""How a function becomes a drift method, and how its score becomes a drift result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isnan, log
from types import MappingProxyType
from typing import Literal, TypeVar

from exporter.batch import Kind
from exporter.errors import CatalogueError, PlanError
from exporter.profile.points import Estimate

Compute = TypeVar("Compute", bound=Callable[..., "float | Estimate"])
SMALLEST_P = 1e-300


@dataclass(frozen=True, slots=True)
class DriftMethod:
    """What the product knows of one way to compare a column with its reference."""

    id: str
    help: str
    kinds: tuple[Kind, ...]
    threshold: float
    score: Literal["distance", "p_value"]
    inclusive: bool
    reads: str  # "profiles" or "shares"
    compute: Callable[..., float | Estimate]

    def drifted(self, score: float, threshold: float) -> bool:
        """Whether a score is drift: distances at or above, p-values below the threshold."""
        gap = threshold - score if self.score == "p_value" else score - threshold
        return gap >= 0 if self.inclusive else gap > 0

    def severity(self, score: float, threshold: float) -> float:
        """How far on the way to drift: 1 at the threshold, for every method."""
        if isnan(score):
            return score
        if self.score == "distance":
            return score / threshold
        return log(max(score, SMALLEST_P)) / log(threshold) + 0.0  # of 1 it is 0, not -0


_methods: dict[str, DriftMethod] = {}
DRIFT_METHODS: Mapping[str, DriftMethod] = MappingProxyType(_methods)


def drift_method(
    *,
    kinds: tuple[Kind, ...],
    threshold: float,
    score: Literal["distance", "p_value"] = "distance",
    inclusive: bool = True,
) -> Callable[[Compute], Compute]:
    """Enter the decorated function among the drift methods.

    Its name is the method's id. Parameters annotated `Shares` make it read the pair of binned or
    categorical frequencies, column profiles make it read the two profiles; `current` comes first.
    """

    def register(func: Compute) -> Compute:
        first = next(iter(inspect.signature(func).parameters.values()))
        text = inspect.getdoc(func)
        if not text or func.__name__ in _methods:
            raise CatalogueError(
                f"{func.__module__}.{func.__name__}: no docstring, or declared twice"
            )
        written = getattr(first.annotation, "__name__", first.annotation)  # a class, or its name
        reads = "shares" if written == "Shares" else "profiles"
        _methods[func.__name__] = DriftMethod(
            func.__name__, text.splitlines()[0], kinds, threshold, score, inclusive, reads, func
        )
        return func

    return register


def method_named(name: str) -> DriftMethod:
    """The method with this id."""
    if name not in _methods:
        near = get_close_matches(name, _methods, 1)
        raise PlanError(
            f"no drift method {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return _methods[name]
