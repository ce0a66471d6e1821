"""Whether what goes together can be told of the columns that are asked for: correlations read two of a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exporter.batch import Kind, Schema
from exporter.errors import Path, nearest
from exporter.metrics.correlation import kind_read
from exporter.plan.asking import Asked

Tell = Callable[[Path, str], None]


def paired(
    asked: Asked,
    params: Mapping[str, Any],
    columns: tuple[str, ...] | None,
    schema: Schema | None,
    tell: Tell,
) -> tuple[str, ...] | None:
    """Those of the columns that a metric of pairs reads with its method, () where they make no pair.

    One that is listed alone stands for its pairs with all others. What is wrong with listed ones is
    told; a part of a preset does without.
    """
    method = params.get("method")
    if asked.spec.per != "pair" or method is None or schema is None or not schema.kinds:
        return columns
    kind = kind_read(method)
    told = not asked.preset and _refuse_listed(asked, method, schema, tell)
    names = schema.kinds if columns is None else columns
    fitting = tuple([name for name in names if schema.kinds.get(name) == kind])
    if len(fitting) > 1 or (len(names) == 1 and fitting and _has_another(schema, kind)):
        return None if columns is None else fitting
    if not told and not asked.preset:
        tell(asked.at, f"{method} needs two {kind} columns")
    return ()


def _has_another(schema: Schema, kind: Kind) -> bool:
    return list(schema.kinds.values()).count(kind) > 1


def sound_correlation(
    asked: Asked, params: Mapping[str, Any], schema: Schema | None, tell: Tell
) -> bool:
    """Whether a correlation's option `of` names a column that its method reads."""
    of = params.get("of")
    if asked.spec.id != "changed_correlations" or of is None or schema is None or not schema.kinds:
        return True
    kind = kind_read(params["method"])
    known = [name for name, k in schema.kinds.items() if k == kind]
    if of in known:
        return True
    text = f"{of!r} is not among the model's columns" + nearest(of, known)
    if of in schema.kinds:
        text = f"{params['method']} does not read {schema.kinds[of]} columns such as {of!r}"
    tell((*asked.at, "of"), text)
    return False


def _refuse_listed(asked: Asked, method: str, schema: Schema, tell: Tell) -> bool:
    """Whether there are columns in a list that the method does not read."""
    kind, told = kind_read(method), False
    for selector in asked.selectors:
        listed: Iterable[Any] = () if isinstance(selector.wanted, str) else selector.wanted
        for i, name in enumerate(listed):
            other = schema.kinds.get(name)
            if other in ("numerical", "categorical") and other != kind:
                tell((*selector.at, i), f"{method} does not read {other} columns such as {name!r}")
            told |= other != kind  # of an unknown one, or a text, that is told already
    return told
