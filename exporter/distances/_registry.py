"""How a function becomes a drift method, and how its score becomes a drift result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from math import isnan, log
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args

from exporter.batch import Kind
from exporter.errors import CatalogueError, PlanError
from exporter.profile.points import Estimate

Compute = TypeVar("Compute", bound=Callable[..., "float | Estimate | Verdict"])
Compared = Literal[Kind, "embedding"]  # a column's kind, or vectors in several columns
Score = Literal["distance", "p_value", "percentile"]
SMALLEST_P = 1e-300
_READS = {"Shares": "shares", "Texts": "texts", "Vectors": "vectors"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A score, and what a method can tell beside it."""

    score: float | Estimate
    limit: float | None = None  # found from the data: the row's threshold
    told: Sequence[Mapping[str, Any]] | None = None  # what the score comes from


@dataclass(frozen=True, slots=True)
class DriftMethod:
    """What the product knows of one way to compare a column with its reference."""

    id: str
    help: str
    kinds: tuple[Compared, ...]
    threshold: float  # of percentiles: the quantile of chance that a score must be above
    score: Score
    inclusive: bool
    reads: str  # "profiles", "shares", "texts" or "vectors"
    compute: Callable[..., float | Estimate | Verdict]
    options: frozenset[str] = frozenset()  # those of its metric that make a difference to it
    parts: Callable[..., Sequence[float]] | None = None  # what each bin or category adds
    module: str = ""  # of the extra `text`, which it cannot do without
    own: frozenset[str] = frozenset()  # the parameters of the function itself

    def given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the options that the function itself takes."""
        return {name: value for name, value in options.items() if name in self.own}

    def drifted(self, score: float, threshold: float) -> bool:
        """Whether a score is drift: distances at or above, p-values below the threshold."""
        gap = threshold - score if self.score == "p_value" else score - threshold
        return gap >= 0 if self.inclusive else gap > 0

    def severity(self, score: float, threshold: float) -> float:
        """How far on the way to drift: 1 at the threshold, for every method."""
        if isnan(score):
            return score
        if self.score != "p_value":
            return score / threshold
        return log(max(score, SMALLEST_P)) / log(threshold) + 0.0  # of 1 it is 0, not -0

    def lack(self) -> str:
        """What has to be installed before it can be computed; "" where nothing is missing."""
        return lack_of(self.id, self.module)


def lack_of(what: str, module: str) -> str:
    """That *what* needs a module of the extra `text`; "" where it needs none, or that is installed."""
    if not module or find_spec(module) is not None:
        return ""
    name = {"sklearn": "scikit-learn"}.get(module, module)
    return f"{what} needs {name}: pip install 'evaluation-exporter[text]'"


_methods: dict[str, DriftMethod] = {}
DRIFT_METHODS: Mapping[str, DriftMethod] = MappingProxyType(_methods)


def drift_method(
    *,
    kinds: tuple[Compared, ...],
    threshold: float,
    score: Score = "distance",
    inclusive: bool = True,
    parts: Callable[..., Any] | None = None,
    module: str = "",
) -> Callable[[Compute], Compute]:
    """Enter the decorated function among the drift methods.

    Its name is the method's id. Parameters annotated `Shares` make it read the pair of binned or
    categorical frequencies, `Texts` and `Vectors` the rows of a column of text or of a set of
    embeddings, column profiles make it read the two profiles; `current` comes first.
    Keyword-only parameters are the options of its metric that it heeds (`compat`); `Shares`
    come with `bins` and `missing` applied. *parts* takes the same pair and returns what each bin
    or category adds to the score: kept for columns that have drifted. *module* is one that it
    imports when it is first asked for, and that may not be installed.
    """

    def register(func: Compute) -> Compute:
        parameters = inspect.signature(func).parameters.values()
        first = next(iter(parameters))
        text = inspect.getdoc(func)
        where = f"{func.__module__}.{func.__name__}"
        if not text or func.__name__ in _methods:
            raise CatalogueError(f"{where}: no docstring, or declared twice")
        if wrong := _wrong(kinds, threshold, score):
            raise CatalogueError(f"{where}: {wrong}")
        written = getattr(first.annotation, "__name__", first.annotation)  # a class, or its name
        reads = _READS.get(written, "profiles")
        heeded = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        if reads == "shares":
            heeded |= {"bins", "missing"} if "numerical" in kinds else {"missing"}
        _methods[func.__name__] = DriftMethod(
            func.__name__, text.splitlines()[0], kinds, threshold, score, inclusive, reads, func,
            frozenset(heeded), parts, module, frozenset(p.name for p in parameters),
        )  # fmt: skip
        return func

    return register


def _wrong(kinds: Any, threshold: float, score: Any) -> str:
    """What a declaration cannot mean; "" where it is sound."""
    known = (*get_args(Kind), "embedding")
    if not isinstance(kinds, tuple) or not kinds or not set(kinds) <= set(known):
        return f"kinds is {kinds!r}, not a tuple of {', '.join(known)}, such as ('numerical',)"
    if score not in get_args(Score):
        return f"score is {score!r}, not one of {', '.join(get_args(Score))}"
    if not 0 < threshold < (float("inf") if score == "distance" else 1):
        return f"threshold is {threshold!r}: a distance above 0, or a p-value between 0 and 1"
    return ""


def method_named(name: str) -> DriftMethod:
    """The method with this id."""
    if name not in _methods:
        near = get_close_matches(name, _methods, 1)
        raise PlanError(
            f"no drift method {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
        )
    return _methods[name]
