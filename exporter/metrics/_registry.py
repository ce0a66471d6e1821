"""The catalogue: what a metric is, and how a function becomes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType, UnionType
from typing import Any, Literal, TypeVar, get_args

from exporter.batch import Known
from exporter.errors import CatalogueError, PlanError, nearest

Unit = Literal["ratio", "rows", "columns", "values", "value", "score", "percent"]
Better = Literal["lower", "higher", "neutral"]
Role = Literal["target", "prediction", "scores"] | Known  # scores: predictions that are no places
Per = Literal["dataset", "column", "pair"]
LabelOf = Literal[
    "", "type", "class", "cell", "category", "column", "point", "group", "kind"
]  # what a labelled figure is labelled by
PREFIX = "evaluation_"
Compute = TypeVar("Compute", bound=Callable[..., Any])
_CONFIG = {"extra": "forbid", "frozen": True, "hide_input_in_errors": True}


class NeedsReferenceError(ValueError):
    """A metric that can do without a reference has neither one nor the options that stand in for it."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition for which the user gives no number: with what it compares, and how far off is still fine."""

    op: Literal["eq", "lt", "lte", "gt", "gte", "method"]
    to: float | None = None  # None = the reference's figure
    relative: float = 0.0
    absolute: float = 0.0
    scaled: bool = False  # the reference's figure x rows / reference rows
    spread: str = ""  # absolute counts in units of this other metric of the batch
    metric: str = ""  # compare with this other metric of the batch, such as a baseline
    one_in: int = 0  # compare with one in so many of the compared columns


@dataclass(frozen=True, slots=True)
class Automatic:
    """Evidently's conditions of a test; the directional ones follow, unless `directional` is said."""

    beside: Bound | None = None  # there is a reference
    alone: Bound | None = None  # there is none
    directional: Bound | None = None


NEAR_10 = Bound("eq", relative=0.1)
NEAR_20 = Bound("eq", relative=0.2)
NONE_AT_ALL = Bound("eq", 0.0, relative=1e-6)


@dataclass(frozen=True)
class MetricSpec:
    """All the product knows of one metric."""

    id: str
    help: str
    per: Per
    unit: Unit
    better: Better
    reads: tuple[type, ...]
    compares: bool
    options: Mapping[str, Any]
    compute: Callable[..., Any]
    automatic: Automatic | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict, repr=False)
    gauge: str = ""  # the Prometheus name, prefix included
    labels: LabelOf = ""
    alone: bool = True  # it has a figure without a reference, too
    survives: bool = False  # it has its figure also where a column is gone or unreadable
    needs: frozenset[Role] = frozenset()  # what it reads of the model beside its columns
    terse: bool = False  # rows carry only the options that are not as they are by default
    evidently: Callable[..., Any] | None = None  # its figure where conditions are Evidently's
    names: Callable[..., Sequence[str]] | None = None  # which columns a figure of them counts

    @cached_property
    def model(self) -> Any:
        """The pydantic model of its options; made when first asked for: sixty of them cost 60 ms."""
        from pydantic import ConfigDict, create_model

        fields: dict[str, Any] = {
            name: (self.annotations[name], ... if default is inspect.Parameter.empty else default)
            for name, default in self.options.items()
        }
        return create_model(self.id, __config__=ConfigDict(**_CONFIG), **fields)  # type: ignore[typeddict-item]

    def params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their defaults; a pydantic ValidationError where they do not fit."""
        if not given and not any(x is inspect.Parameter.empty for x in self.options.values()):
            return {} if self.terse else dict(self.options)
        params = dict(self.model.model_validate(dict(given)).__dict__)
        return {k: v for k, v in params.items() if not self.terse or v != self.options[k]}


_specs: dict[str, MetricSpec] = {}
CATALOGUE: Mapping[str, MetricSpec] = MappingProxyType(_specs)


def metric(
    *,
    per: Per,
    unit: Unit,
    better: Better = "neutral",
    automatic: Automatic | None = None,
    gauge: str = "",
    labels: LabelOf = "",
    survives: bool = False,
    needs: Collection[Role] = (),
    terse: bool = False,
    evidently: Callable[..., Any] | None = None,
    names: Callable[..., Sequence[str]] | None = None,
) -> Callable[[Compute], Compute]:
    """Enter the decorated function into the catalogue.

    Its name is the metric's id, its docstring's first line the help; the type of its first
    parameter says what it reads, a second one called `reference` that it compares (one that may
    be None: that it can do without), keyword-only parameters are its options. A mapping as result gives one figure a label; `labels` says of
    what (categories and classes come from the data and are not exposed without bound). `gauge` is
    the Prometheus name without prefix, where the id will not do: ids in `_count`, and `sum`.
    `survives`: a figure of the whole table that does not need every column to be there. `needs`:
    the roles that a metric of `Rows` or of a ranking looks at; others tell by what they read. `terse`:
    its rows, and so the store's series, are told by the options only that are given. `evidently`
    computes the figure under `automatic_tests: evidently`, where Evidently counts otherwise. `names`
    reads the same as the function and says which columns it counts: a test that fails tells them. One
    of a pair of columns gives a figure for each `(column, other)`.
    """

    def register(func: Compute) -> Compute:
        parameters = inspect.signature(func, eval_str=True).parameters.values()
        read = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        text = str(inspect.getdoc(func) or "")
        reference = [p for p in read if p.name == "reference"]
        only = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        _refuse_words(func, per=(per, Per), unit=(unit, Unit), better=(better, Better))
        _refuse(func, read, only)
        first = read[0].annotation
        _specs[func.__name__] = MetricSpec(
            func.__name__,
            text.splitlines()[0],
            per,
            unit,
            better,
            get_args(first) if isinstance(first, UnionType) else (first,),
            bool(reference),
            {p.name: p.default for p in only},
            func,
            automatic,
            {p.name: p.annotation for p in only},
            PREFIX + (gauge or func.__name__),
            labels,
            all(p.default is None for p in reference),
            survives,
            frozenset(needs),
            terse,
            evidently,
            names,
        )
        return func

    return register


def named_as(func: Callable[..., Any], compute: Compute) -> Compute:
    """*compute* under the name and docstring of *func*: for decorators that add the same options to many."""
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(
            compute, name, getattr(func, name)
        )  # not `wraps`: the options are those of *compute*
    return compute


def _refuse_words(func: Callable[..., Any], **said: tuple[Any, Any]) -> None:
    """A CatalogueError where the decorator is given a word that it does not know."""
    for name, (given, known) in said.items():
        words = get_args(known)
        if given not in words:
            text = f"{name} is {given!r}, not one of {', '.join(words)}"
            raise CatalogueError(f"{_where(func)}: {text}{nearest(given, words)}")


def _refuse(
    func: Callable[..., Any],
    read: Sequence[inspect.Parameter],
    only: Sequence[inspect.Parameter],
) -> None:
    """A CatalogueError where a function cannot be a metric: it would be there, and have no figure."""
    where = _where(func)
    if not inspect.getdoc(func):
        raise CatalogueError(f"{where} has no docstring: it is the metric's help")
    if func.__name__ in _specs:
        raise CatalogueError(f"{func.__name__} is declared in {func.__module__} and elsewhere")
    first = read[0].annotation if read else inspect.Parameter.empty
    types = get_args(first) if isinstance(first, UnionType) else (first,)
    if not all(str(getattr(t, "__module__", "")).startswith("exporter.") for t in types):
        text = "the type of its first parameter says what it reads, such as NumericProfile"
        raise CatalogueError(f"{where}: {text} of exporter.profile.column")
    if bare := [p.name for p in only if p.annotation is p.empty]:
        raise CatalogueError(f"{where}: the option {bare[0]!r} has no annotation")


def _where(func: Callable[..., Any]) -> str:
    return f"{func.__module__}.{func.__name__}"


def metric_named(name: str) -> MetricSpec:
    """The metric with this id."""
    if name not in _specs:
        raise PlanError(f"no metric or preset {name!r}" + nearest(name, _specs))
    return _specs[name]
