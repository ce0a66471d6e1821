"""How far windows of a reference have drifted from the whole of it: many of one column, so only what is read of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import isfinite
from typing import Any

from exporter.distances import DriftMethod, method_named
from exporter.distances.gaps import ks_distance
from exporter.distances.shares import shares
from exporter.distances.tails import ks_asymptotic
from exporter.metrics.drift import automatic_method, compare, kind_of
from exporter.profile.column import CategoryProfile, ColumnProfile, NumericProfile
from exporter.profile.points import Estimate
from exporter.snapshot import DriftRow

Counted = NumericProfile | CategoryProfile


class Severities:
    """A column of a reference, with which its windows are compared by one method."""

    def __init__(self, whole: ColumnProfile, params: Mapping[str, Any]) -> None:
        self._whole = whole
        self._params = params

    def of(self, column: ColumnProfile) -> DriftRow | None:
        """The drift of a window, without what it comes from; None where it cannot be compared."""
        whole = self._whole
        if not isinstance(column, Counted) or not isinstance(whole, Counted):
            return None
        try:
            return self._row(column, whole)
        except Exception:  # noqa: BLE001  a window that cannot be compared says nothing
            return None

    def _row(self, column: Counted, whole: Counted) -> DriftRow | None:
        method, alike = self._method, kind_of(column) == kind_of(whole)
        plain = method.reads in ("profiles", "shares")
        if not plain or not alike:
            return compare(column, whole, **self._params)
        score = self._score(column, whole)
        if not isfinite(score):
            return None
        given = self._params.get("threshold")
        limit = method.threshold if given is None else given
        return DriftRow(
            column.name, kind_of(column), method.id, score, limit,
            method.drifted(score, limit), method.severity(score, limit),
            n=column.count, reference_n=whole.count,
        )  # fmt: skip

    def _score(self, column: Counted, whole: Counted) -> float:
        """Exact p-values of KS take 20 ms each, and here only their size counts."""
        numbers = isinstance(column, NumericProfile) and isinstance(whole, NumericProfile)
        if numbers and self._method.id == "ks":
            n, m = column.count, whole.count
            gap = ks_distance(column, whole).value  # type: ignore[arg-type]  # numbers, both
            return ks_asymptotic(gap, max(round(n * m / (n + m)), 1))
        pair: tuple[Any, Any] = column, whole
        if self._method.reads == "shares":
            said = {k: v for k, v in self._params.items() if k in ("bins", "missing")}
            pair = shares(column, whole, **said)
        result = self._method.compute(*pair, **self._given)
        return float(result.value if isinstance(result, Estimate) else result)  # type: ignore[arg-type]  # no verdict

    @cached_property
    def _method(self) -> DriftMethod:
        name, whole = self._params["method"], self._whole
        if name != "auto" or not isinstance(whole, Counted):
            return method_named(name)
        distance = self._params.get("threshold") is not None
        return automatic_method(whole, None, distance=distance)

    @cached_property
    def _given(self) -> Mapping[str, Any]:
        return self._method.given(self._params)
