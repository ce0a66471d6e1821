"""What a descriptor is, and how a function becomes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from exporter.descriptors.evidently import EVIDENTLY_NAMES, INSTEAD
from exporter.errors import CatalogueError, PlanError, nearest

DescriptorKind = Literal["numerical", "categorical"]
Texts: TypeAlias = Any  # pa.LargeStringArray without nulls: a slice of the text column
Other: TypeAlias = Any  # pa.Array: the same rows of another column, texts or lists of texts
Rows: TypeAlias = Mapping[str, Any]  # the same rows of other columns, by the name they were given
Result: TypeAlias = Any  # an Arrow or numpy array, or a list: a value a row, None = no value
Compute = TypeVar("Compute", bound=Callable[..., Any])
CONDITIONS = "conditions"  # the option of row tests whose keys are columns
_CONFIG = {"extra": "forbid", "frozen": True, "hide_input_in_errors": True}
_TAKEN = ("name", "columns")  # keys of an entry that are no options
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class DescriptorSpec:
    """All the product knows of one descriptor."""

    id: str
    help: str
    kind: DescriptorKind
    compute: Callable[..., Any]
    options: Mapping[str, Any]  # with their defaults
    annotations: Mapping[str, Any] = field(default_factory=dict, repr=False)
    others: tuple[str, ...] = ()  # options that name further columns
    labels: bool = False  # categorical: labels, not true and false
    distinct: bool = False  # worth computing once for texts that repeat
    rows: bool = False  # reads columns by its conditions, not texts
    module: str = ""  # what must be installed for it, and is no dependency

    @cached_property
    def model(self) -> Any:
        """The pydantic model of its options; made when first asked for."""
        from pydantic import ConfigDict, create_model

        fields: dict[str, Any] = dict.fromkeys(self.others, (str, ...))
        for name, default in self.options.items():
            needed = default is inspect.Parameter.empty
            fields[name] = (self.annotations[name], ... if needed else default)
        return create_model(self.id, __config__=ConfigDict(**_CONFIG), **fields)  # type: ignore[typeddict-item]

    def params(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their defaults; a pydantic ValidationError where they do not fit."""
        return dict(self.model.model_validate(dict(given)).__dict__)

    def reads(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The columns that options name, as they are written, beside the text itself."""
        if self.rows:
            return tuple(params[CONDITIONS])
        return tuple(params[name] for name in self.others)

    def lack(self) -> str:
        """What has to be installed before it can be computed; "" where nothing is missing."""
        if not self.module or find_spec(self.module) is not None:
            return ""
        return (
            f"{self.id} needs {self.module}, of the extra `text`: "
            "pip install 'evaluation-exporter[text]'"
        )


_specs: dict[str, DescriptorSpec] = {}
DESCRIPTORS: Mapping[str, DescriptorSpec] = MappingProxyType(_specs)


def descriptor(
    *,
    kind: DescriptorKind,
    labels: bool = False,
    distinct: bool = False,
    rows: bool = False,
    module: str = "",
) -> Callable[[Compute], Compute]:
    """Enter the decorated function among the descriptors.

    Its name is the descriptor's id, its docstring's first line the help, keyword-only parameters
    are its options. It is called with a slice of the texts (`pa.LargeStringArray`; never null, a
    missing text is "") and returns as many values: numbers if *kind* is numerical, else true and
    false, or, with *labels*, texts. A row whose text is missing has no value, whatever is
    returned for it. A further positional parameter is another column, whose name the option of
    that name gives. *distinct*: a row costs so much that texts that repeat are computed once
    (each text must have its value whatever its neighbours are). *rows*: the first parameter is a
    mapping of the columns that stand as keys in the option `conditions`. *module* is what it
    imports beyond the dependencies.
    """

    def register(func: Compute) -> Compute:
        parameters = inspect.signature(func).parameters.values()
        positional = [p for p in parameters if p.kind in _POSITIONAL]
        only = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        _refuse(func, kind, positional, only)
        text = str(inspect.getdoc(func))
        others = tuple(p.name for p in positional[1:])
        _specs[func.__name__] = DescriptorSpec(
            func.__name__, text.splitlines()[0], kind, func, {p.name: p.default for p in only},
            {p.name: _evaluated(p, func) for p in only}, others, labels, distinct, rows, module,
        )  # fmt: skip
        return func

    return register


def _refuse(
    func: Callable[..., Any],
    kind: str,
    positional: Sequence[inspect.Parameter],
    only: Sequence[inspect.Parameter],
) -> None:
    """A CatalogueError where the declaration cannot be honoured."""
    where = f"{func.__module__}.{func.__name__}"
    if kind not in get_args(DescriptorKind):
        raise CatalogueError(f"{where}: kind is {kind!r}, not numerical or categorical")
    if not inspect.getdoc(func):
        raise CatalogueError(f"{where} has no docstring: it is the descriptor's help")
    if not positional:
        raise CatalogueError(f"{where} takes no texts")
    if taken := [p.name for p in (*positional[1:], *only) if p.name in _TAKEN]:
        raise CatalogueError(f"{where}: an option cannot be called {taken[0]!r}")
    if bare := [p.name for p in only if p.annotation is p.empty]:
        raise CatalogueError(f"{where}: the option {bare[0]!r} has no annotation")
    if func.__name__ in _specs:
        raise CatalogueError(f"{func.__name__} is declared in {where} and elsewhere")


def _evaluated(parameter: inspect.Parameter, func: Callable[..., Any]) -> Any:
    """The annotation of an option; those of the arrays may name what is imported for checkers only."""
    written = parameter.annotation
    return eval(written, func.__globals__) if isinstance(written, str) else written  # noqa: S307


def descriptor_named(name: str) -> DescriptorSpec:
    """The descriptor with this id; a PlanError that names the nearest."""
    if name not in _specs:
        raise PlanError(unknown(name))
    return _specs[name]


def unknown(name: object) -> str:
    """What to say of a descriptor that does not exist."""
    if isinstance(name, str) and name in EVIDENTLY_NAMES:
        return f"there is no descriptor {name!r}: Evidently's {name} is {EVIDENTLY_NAMES[name]}"
    if isinstance(name, str) and name in INSTEAD:
        return f"there is no descriptor {name!r}: {INSTEAD[name]}"
    return f"there is no descriptor {name!r}" + nearest(name, _specs)
