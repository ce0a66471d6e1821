"""How far columns go together; only asked for by name, for it reads rows again and pairs are many.

`pearson`, `spearman` and `kendall` (tau-b) are of numbers, `cramer_v` (without correction for bias)
of categories; rows that miss one of the two, or hold an infinity, are left out, pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import isnan, nan
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Interval

from exporter.batch import Kind
from exporter.errors import BatchError, nearest
from exporter.metrics._registry import NEAR_10, Automatic, Bound, metric
from exporter.profile.correlations import Labelled, Pair, cramer_v, kendall, pearson, spearman
from exporter.profile.rows import Rows

Method = Literal["pearson", "spearman", "kendall", "cramer_v"]
Chosen = Literal["auto", "pearson", "spearman", "kendall", "cramer_v"]
Found = dict[Pair, float | Exception]
DECIDED = ""  # no column has this name: the classes that probabilities decide for
UNTOLD = "needs two different values of either column in the rows that have both"
_COMPUTE: Mapping[str, Any] = {
    "pearson": pearson, "spearman": spearman, "kendall": kendall, "cramer_v": cramer_v,
}  # fmt: skip
_STRONG = Automatic(NEAR_10, Bound("lt", 0.9), directional=Bound("lte", relative=0.1, absolute=0.1))


@metric(per="pair", unit="score", labels="column")
def correlation(rows: Rows, *, method: Method = "pearson") -> Found:
    """Correlation of two columns, from -1 to 1; `cramer_v` of categories, from 0 to 1.

    Each pair once: the column whose name comes first in the alphabet, and the other as label.
    Chosen columns give the pairs among them, a single one its pairs with all others.
    """
    return _found(rows, method, _among(rows, rows.columns, method))


@metric(per="dataset", unit="score", better="lower", automatic=_STRONG)
def strongest_correlation(rows: Rows, *, method: Method = "pearson") -> float:
    """Largest absolute correlation of two columns, target and prediction included."""
    return _strongest(_found(rows, method, _among(rows, rows.columns, method)))


@metric(per="dataset", unit="score", better="lower", automatic=_STRONG)
def strongest_feature_correlation(rows: Rows, *, method: Method = "pearson") -> float:
    """Largest absolute correlation of two features."""
    return _strongest(_found(rows, method, _among(rows, rows.schema.features, method)))


@metric(per="dataset", unit="score", labels="column", needs={"target"})
def target_correlation(rows: Rows, *, method: Chosen = "auto") -> dict[str, float | Exception]:
    """Correlation of the target with each feature.

    `auto`, here and below: `cramer_v` for a categorical target, with the categorical features,
    `pearson` for a numerical one.
    """
    return _with_features(rows, *_target(rows, method))


@metric(per="dataset", unit="score", labels="column", needs={"prediction"})
def prediction_correlation(rows: Rows, *, method: Chosen = "auto") -> dict[str, float | Exception]:
    """Correlation of the prediction, or the probability where there is none, with each feature."""
    return _with_features(rows, *_prediction(rows, method))


@metric(per="dataset", unit="score", better="lower", automatic=_STRONG, needs={"target"})
def strongest_target_correlation(rows: Rows, *, method: Chosen = "auto") -> float:
    """Largest absolute correlation of the target with a feature."""
    return _strongest(_with_features(rows, *_target(rows, method)))


@metric(per="dataset", unit="score", better="lower", automatic=_STRONG, needs={"prediction"})
def strongest_prediction_correlation(rows: Rows, *, method: Chosen = "auto") -> float:
    """Largest absolute correlation of the prediction with a feature."""
    return _strongest(_with_features(rows, *_prediction(rows, method)))


@metric(
    per="dataset",
    unit="score",
    better="higher",
    automatic=Automatic(Bound("eq", absolute=0.25), Bound("gt", 0.0)),
    needs={"target", "prediction"},
)
def target_prediction_correlation(rows: Rows, *, method: Chosen = "auto") -> float:
    """Correlation of target and prediction; of classes that of the labels, by `cramer_v`."""
    target, chosen = _target(rows, method)
    prediction, chosen = _prediction(rows, chosen)
    (figure,) = _found(rows, chosen, [(target, prediction)]).values()
    if isinstance(figure, Exception):
        raise figure
    return figure


@metric(per="dataset", unit="columns", better="lower", automatic=Automatic(Bound("eq", 0.0)))
def changed_correlations(
    rows: Rows,
    reference: Rows,
    *,
    method: Method = "pearson",
    by: Annotated[float, Interval(ge=0, le=2)] = 0.25,
    of: str | None = None,
) -> float:
    """Pairs of columns whose correlation is further than `by` from the reference's; `of`: those of one column.

    The reference's correlations are computed anew for every batch.
    """
    pairs = _of_column(_among(rows, rows.columns, method), of)
    now, then = _numbers(_found(rows, method, pairs)), _numbers(_found(reference, method, pairs))
    return sum(abs(now[pair] - then[pair]) > by for pair in pairs)


def _among(rows: Rows, columns: Iterable[str], method: str) -> list[Pair]:
    """The pairs of these columns that the method reads, each once; a single one's with all others."""
    kind, asked = kind_read(method), set(columns)
    alone = asked if len(asked) == 1 else set[str]()
    known = rows.schema.kinds if alone else asked
    names = sorted(c for c in known if rows.schema.kinds.get(c) == kind)
    if len(names) < 2:
        raise ValueError(f"{method} needs two {kind} columns")
    return [pair for pair in combinations(names, 2) if not alone or alone & {*pair}]


def _of_column(pairs: Sequence[Pair], of: str | None) -> Sequence[Pair]:
    chosen = [pair for pair in pairs if of in (None, *pair)]
    if of is not None and not chosen:
        names = sorted({name for pair in pairs for name in pair})
        raise ValueError(f"there is no such column {of!r}{nearest(of, names)}")
    return chosen


def kind_read(method: str) -> Kind:
    """The kind of columns that a method reads."""
    return "categorical" if method == "cramer_v" else "numerical"


def _target(rows: Rows, method: str) -> tuple[str, str]:
    """The target, and the method for it."""
    if rows.schema.target is None:
        raise ValueError("the model has no target")
    return rows.schema.target, _method(rows, rows.schema.target, method)


def _prediction(rows: Rows, method: str) -> tuple[str, str]:
    """The prediction, or what stands for it, and the method for it."""
    schema = rows.schema
    if schema.prediction is not None:
        return schema.prediction, _method(rows, schema.prediction, method)
    if schema.score is None:
        raise ValueError("the model has no prediction")
    if method == "cramer_v" or (method == "auto" and schema.probabilities):
        return DECIDED, "cramer_v"
    if schema.probability is None:
        raise ValueError(f"{method} needs one probability: the model has one for each class")
    return schema.probability, _method(rows, schema.probability, method)


def _method(rows: Rows, name: str, method: str) -> str:
    """The method that is meant: `auto` is decided by a column's kind."""
    if method != "auto":
        return method
    return "cramer_v" if rows.schema.kinds.get(name) == "categorical" else "pearson"


def _with_features(rows: Rows, name: str, method: str) -> dict[str, float | Exception]:
    kind = kind_read(method)
    features = [f for f in rows.schema.features if rows.schema.kinds.get(f) == kind and f != name]
    if not features:
        raise ValueError(f"{method} needs {kind} features: the model has none")
    found = _found(rows, method, [(name, feature) for feature in features])
    return {feature: found[name, feature] for feature in features}


def _found(rows: Rows, method: str, pairs: Sequence[Pair]) -> Found:
    """The figures of the pairs, or why there are none; each is computed once for all metrics."""
    known: Found = rows.once("correlations", method, dict)
    wanted = [pair for pair in pairs if pair not in known]
    if wanted:
        known.update(_computed(rows, method, wanted))
    return {pair: known[pair] for pair in pairs}


def _computed(rows: Rows, method: str, pairs: Sequence[Pair]) -> Found:
    columns: dict[str, Any] = {}
    bad: dict[str, Exception] = {}
    for name in dict.fromkeys(name for pair in pairs for name in pair):
        try:
            columns[name] = _labels(rows, name) if method == "cramer_v" else rows.floats(name)
        except BatchError as error:
            bad[name] = error
    sound = [(a, b) for a, b in pairs if a in columns and b in columns]
    found = _COMPUTE[method](columns, sound)
    out: Found = {(a, b): bad[a] if a in bad else bad[b] for a, b in pairs if {a, b} & bad.keys()}
    return out | {p: ValueError(UNTOLD) if isnan(r) else r for p, r in found.items()}


def _labels(rows: Rows, name: str) -> Labelled:
    """A column's categories, or the classes that the model's probabilities decide for."""
    schema = rows.schema
    if name != DECIDED:
        return rows.codes(name)
    if schema.probability is None:
        from exporter.profile.read import likeliest

        return likeliest({label: rows.floats(x) for label, x in schema.probabilities.items()})
    probability = rows.floats(schema.probability)
    said = np.where(np.isnan(probability), 2, probability >= schema.threshold)
    return ["below", "at or above"], said.astype(np.int32)


def _numbers(found: Mapping[Any, float | Exception]) -> dict[Any, float]:
    """The figures, NaN where nobody can tell; a column that cannot be read is an error of all."""
    for figure in found.values():
        if isinstance(figure, BatchError):
            raise figure
    return {pair: nan if isinstance(r, Exception) else r for pair, r in found.items()}


def _strongest(found: Mapping[Any, float | Exception]) -> float:
    told = [abs(r) for r in _numbers(found).values() if not isnan(r)]
    if not told:
        raise ValueError(UNTOLD)
    return max(told)
