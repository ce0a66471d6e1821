"""What a metric computed, or why it could not, as rows of a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, isnan
from typing import Any

from exporter.errors import LONGEST_REASON, reason_of
from exporter.metrics import NeedsReferenceError
from exporter.plan import Use
from exporter.profile.points import Estimate
from exporter.snapshot import INFINITE, NO_VALUE, MetricRow


def figures(use: Use, column: str, n: int, current: Any, beside: Any) -> list[MetricRow]:
    """The rows of a metric: one, or one a label, with the reference's figure where it has one of its own.

    No rows where the metric needs a reference and has none.
    """
    if not use.spec.compares:
        there = None if beside is None else attempt(use, beside)
        return result_rows(use, column, n, attempt(use, current), there)
    if not use.spec.alone:
        if beside is None:
            return []
        return result_rows(use, column, n, attempt(use, current, beside), None)
    result = attempt(use, current, beside)
    if isinstance(result, NeedsReferenceError):
        return []
    there = None if beside is None else attempt(use, beside, beside)
    return result_rows(use, column, n, result, there)


def attempt(use: Use, *profiles: Any) -> Any:
    """The metric's result, or what went wrong: one bad column never costs the batch."""
    try:
        return use.spec.compute(*profiles, **use.params)
    except Exception as error:  # noqa: BLE001  the seam at which a metric may fail
        return error


def result_rows(use: Use, column: str, n: int, result: Any, beside: Any) -> list[MetricRow]:
    """The rows of a result, or of what went wrong; *beside* is the reference's."""
    if isinstance(result, Exception):
        return [MetricRow(use.spec.id, column, params=use.params, n=n, error=reason_of(result))]
    others = beside if isinstance(beside, Mapping) else {"": beside}
    if not isinstance(result, Mapping):
        return [_row(use, column, "", n, result=result, beside=others.get(""))]
    labelled = dict(result)
    if use.spec.labels == "category":  # one that only the reference has is not unknown but absent
        labelled |= {label: 0.0 for label in others if label not in labelled and label != ""}
    return [
        _row(use, *_place(column, x), n, result=value, beside=others.get(x))
        for x, value in labelled.items()
    ]


def _place(column: str, label: str | tuple[str, str]) -> tuple[str, str]:
    """Column and label of a figure: those of a pair are its two columns."""
    return label if isinstance(label, tuple) else (column, label)


def _row(use: Use, column: str, label: str, n: int, *, result: Any, beside: Any) -> MetricRow:
    value, low, high = result if isinstance(result, Estimate) else (result, None, None)
    number, reason = _number(value)
    exact = low == high or number is None
    return MetricRow(
        use.spec.id,
        column,
        label,
        use.params,
        number,
        _number(beside.value if isinstance(beside, Estimate) else beside)[0],
        None if exact else _number(low)[0],
        None if exact else _number(high)[0],
        n,
        reason,
    )


def _number(value: Any) -> tuple[float | None, str | None]:
    """A figure as JSON and SQL can hold it (no -0.0), or why there is none."""
    if value is None or isinstance(value, Exception):
        return None, NO_VALUE if value is None else reason_of(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None, f"the metric gave {value!r}, which is no number"[:LONGEST_REASON]
    if isfinite(number):
        return number + 0.0, None
    return None, NO_VALUE if isnan(number) else INFINITE
