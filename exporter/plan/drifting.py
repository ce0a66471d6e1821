"""One column, one drift method: which options the drift of each column, or set of embeddings, is computed with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.errors import Path
from exporter.metrics import CATALOGUE
from exporter.plan.asking import DRIFT, Asked, Told
from exporter.plan.resolved import Use

Params = Mapping[str, Any]
Rank = tuple[int, int]  # who gave the options, and for how many columns: the higher is heard
NOTHING_SAID, BY_PRESET, BY_NAME = range(3)
OF_ALL, OF_A_KIND, OF_A_LIST = range(3)


@dataclass(frozen=True, slots=True)
class _Wish:
    rank: Rank
    params: Params
    at: Path


@dataclass
class Drifting:
    """The wishes heard so far."""

    metric: str  # `column_drift`, or `embeddings_drift`
    tell: Told
    _wishes: dict[str, _Wish] = field(default_factory=dict)

    def hear(self, columns: Iterable[str], params: Params, asked: Asked, *, said: bool) -> None:
        """These columns are to be compared; `said`: with options that the user gave.

        Those for listed columns are heard before those for a kind of columns, and these before
        those for all; any of them before a preset's.
        """
        rank = (BY_PRESET if asked.preset else BY_NAME, _narrow(asked)) if said else _NOTHING
        for column in columns:
            old = self._wishes.get(column)
            if old is None or rank > old.rank:
                self._wishes[column] = _Wish(rank, params, asked.at)
            elif rank == old.rank != _NOTHING and params != old.params:
                what = "column" if self.metric == DRIFT else "set"
                text = (
                    f"{what} {column!r} has one drift method in an evaluation: "
                    f"{_named(old.params)}, or {_named(params)}"
                )
                self.tell(asked.at, text)

    def heard(self, column: str) -> bool:
        """Whether anybody asked for it."""
        return column in self._wishes

    def of(self, column: str) -> Params:
        """The options of a column that was heard of."""
        return self._wishes[column].params

    def groups(self, columns: Iterable[str]) -> list[tuple[Params, tuple[str, ...]]]:
        """These columns by their options."""
        found: dict[str, tuple[Params, list[str]]] = {}
        for column in columns:
            params = self.of(column)
            found.setdefault(repr(params), (params, []))[1].append(column)
        return [(params, tuple(names)) for params, names in found.values()]

    def uses(self) -> list[Use]:
        """What is to be computed."""
        spec = CATALOGUE[self.metric]
        return [Use(spec, params, names) for params, names in self.groups(self._wishes)]


_NOTHING: Rank = (NOTHING_SAID, OF_ALL)


def _narrow(asked: Asked) -> int:
    """For how many columns the options are meant, by the narrowest of what chooses them."""
    said = [s.wanted if isinstance(s.wanted, str) else None for s in asked.selectors]
    if None in said:
        return OF_A_LIST
    return OF_ALL if all(role in ("all", "features") for role in said) else OF_A_KIND


def _named(params: Params) -> str:
    said = {k: v for k, v in params.items() if k != "method" and v is not None}
    options = " and ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {str(value).lower()}"
        for name, value in said.items()
    )
    return str(params["method"]) + (f" with {options}" if options else "")
