"""Tests of a row: conditions on descriptors and other columns, put together to one verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc

from exporter.descriptors._registry import Result, Rows, descriptor
from exporter.descriptors.buffers import null, scalar
from exporter.errors import BatchError, nearest
from exporter.options import Checked
from exporter.profile.arrow import family

Scalar = bool | int | float | str
Compare = Callable[[pa.Array, Any], pa.Array]


def _sound(told: Any) -> Any:
    """The conditions, if operators and what they compare with are sound."""
    for column, condition in told.items():
        if isinstance(condition, dict):
            for operator, to in condition.items():
                _check_operator(column, operator, to)
            if not condition:
                raise ValueError(f"{column}: expected true, false, a value or {{gte: 1}}")
    if not told:
        raise ValueError("expected one condition at least, such as {text_length: {lte: 500}}")
    return told


def _check_operator(column: str, operator: str, to: Any) -> None:
    if operator not in _OPERATORS:
        known = ", ".join(_OPERATORS)
        hint = nearest(operator, _OPERATORS)
        raise ValueError(f"{column}: there is no operator {operator!r}, there are {known}{hint}")
    wants_list = operator in ("in", "not_in", "between")
    if wants_list != isinstance(to, list) or (operator == "between" and len(to) != 2):
        wanted = {"between": "two values", "in": "a list", "not_in": "a list"}
        raise ValueError(f"{column}: {operator} compares with {wanted.get(operator, 'one value')}")
    if wants_list and not to:
        raise ValueError(f"{column}: the list of {operator} is empty")


Conditions = Annotated[dict[str, Scalar | dict[str, Scalar | list[Scalar]]], Checked(_sound)]


@descriptor(kind="categorical", rows=True)
def all_of(rows: Rows, *, conditions: Conditions) -> Result:
    """Whether a row meets all conditions on its descriptors and other columns.

    A condition is true, false, a value, or operators as in tests: `{text_length: {lte: 500}}`.
    Where one is not met the row fails, whatever is missing; else a missing value leaves it open.
    """
    return reduce(pc.and_kleene, _met(rows, conditions))


@descriptor(kind="categorical", rows=True)
def any_of(rows: Rows, *, conditions: Conditions) -> Result:
    """Whether a row meets one condition at least on its descriptors and other columns."""
    return reduce(pc.or_kleene, _met(rows, conditions))


@descriptor(kind="numerical", rows=True)
def share_of(rows: Rows, *, conditions: Conditions) -> Result:
    """Share of the conditions that a row meets; conditions on missing values are not met."""
    met = [
        pc.cast(pc.fill_null(found, scalar(False)), pa.float64())
        for found in _met(rows, conditions)
    ]
    return pc.divide(reduce(pc.add, met), scalar(float(len(met))))


def _met(rows: Rows, conditions: Mapping[str, Any]) -> list[pa.Array]:
    """Whether each row meets each condition; null where the value is missing."""
    return [_meets(rows[name], condition, name) for name, condition in conditions.items()]


def _meets(values: pa.Array, condition: Any, name: str) -> pa.Array:
    asked = condition if isinstance(condition, dict) else {"eq": condition}
    try:
        found = [_OPERATORS[operator](_there(values), to) for operator, to in asked.items()]
    except (pa.ArrowException, ValueError) as error:
        text = f"{name!r} holds {values.type}, which {condition!r} is not compared with"
        raise BatchError(text) from error
    return reduce(pc.and_kleene, found)


def _there(values: pa.Array) -> pa.Array:
    """The values, null where numbers are NaN."""
    if not pa.types.is_floating(values.type):
        return values
    return pc.if_else(pc.is_nan(values), null(values.type), values)


def _any_equal(values: pa.Array, to: list[Any]) -> pa.Array:
    return reduce(pc.or_kleene, [pc.equal(values, _as(one, values)) for one in to])


def _as(to: Any, values: pa.Array) -> pa.Scalar:
    """What is compared with, as the column's values are: a ValueError where it is of another family."""
    kind = family(values.type)
    given = "boolean" if isinstance(to, bool) else "text" if isinstance(to, str) else "number"
    if kind not in (given, "null"):
        raise ValueError(given)
    return scalar(to)


_OPERATORS: Mapping[str, Compare] = {
    "eq": lambda values, to: pc.equal(values, _as(to, values)),
    "not_eq": lambda values, to: pc.not_equal(values, _as(to, values)),
    "lt": lambda values, to: pc.less(values, _as(to, values)),
    "lte": lambda values, to: pc.less_equal(values, _as(to, values)),
    "gt": lambda values, to: pc.greater(values, _as(to, values)),
    "gte": lambda values, to: pc.greater_equal(values, _as(to, values)),
    "in": _any_equal,
    "not_in": lambda values, to: pc.invert(_any_equal(values, to)),
    "between": lambda values, to: pc.and_kleene(
        pc.greater_equal(values, _as(to[0], values)), pc.less_equal(values, _as(to[1], values))
    ),
}
