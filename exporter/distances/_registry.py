"""How a function becomes a drift method, and how its score becomes a drift result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import isnan, log
from types import MappingProxyType
from typing import Any, Literal, TypeVar

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
    options: frozenset[str] = frozenset()  # those of `column_drift` that make a difference to it
    parts: Callable[..., Sequence[float]] | None = None  # what each bin or category adds

    def given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the options that the function itself takes."""
        own = inspect.signature(self.compute).parameters
        return {name: value for name, value in options.items() if name in own}

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
    parts: Callable[..., Any] | None = None,
) -> Callable[[Compute], Compute]:
    """Enter the decorated function among the drift methods.

    Its name is the method's id. Parameters annotated `Shares` make it read the pair of binned or
    categorical frequencies, column profiles make it read the two profiles; `current` comes first.
    Keyword-only parameters are the options of `column_drift` that it heeds (`compat`); `Shares`
    come with `bins` and `missing` applied. *parts* takes the same pair and returns what each bin
    or category adds to the score: kept for columns that have drifted.
    """

    def register(func: Compute) -> Compute:
        parameters = inspect.signature(func).parameters.values()
        first = next(iter(parameters))
        text = inspect.getdoc(func)
        if not text or func.__name__ in _methods:
            raise CatalogueError(
                f"{func.__module__}.{func.__name__}: no docstring, or declared twice"
            )
        written = getattr(first.annotation, "__name__", first.annotation)  # a class, or its name
        reads = "shares" if written == "Shares" else "profiles"
        heeded = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        if reads == "shares":
            heeded |= {"bins", "missing"} if "numerical" in kinds else {"missing"}
        _methods[func.__name__] = DriftMethod(
            func.__name__, text.splitlines()[0], kinds, threshold, score, inclusive, reads, func,
            frozenset(heeded), parts,
        )  # fmt: skip
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
