"""Defaults and what a model says of itself, as one; and which columns that declares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from exporter.batch import KNOWN, Kind, Schema
from exporter.config.fields import text_of
from exporter.config.forms import Columns, Model, Ranking, Shared
from exporter.errors import Path, Problem
from exporter.plan.describing import Describing, wishes

if TYPE_CHECKING:  # texts want Arrow: it is not imported for models that have none
    from exporter.descriptors import DescriptorColumn

KINDS: tuple[Kind, ...] = ("numerical", "categorical", "datetime", "text")
NAMED = ("tags", "segments", "evaluations")


def merged(defaults: Shared, model: Model, automatic_tests: str = "directional") -> Model:
    """The model with the defaults for what it does not say.

    `columns`, `tags`, `segments` and `evaluations` are merged key by key, all else is replaced;
    null takes away what the defaults have.
    """
    out: dict[str, Any] = {name: getattr(model, name) for name in model.model_fields_set}
    for name in defaults.model_fields_set:
        theirs = getattr(defaults, name)
        if name not in out:
            out[name] = theirs
        elif out[name] is not None and theirs is not None:
            out[name] = _both(name, theirs, out[name])
    for name in NAMED:
        if out.get(name):
            out[name] = {key: value for key, value in out[name].items() if value is not None}
    if out.get("automatic_tests") is None:
        out["automatic_tests"] = automatic_tests
    return Model.model_construct(**out)


def schema_of(model: Model) -> Schema:
    """The schema as far as the config tells it: without `kinds` where no list of kinds is given."""
    columns = model.columns or Columns()
    kinds: dict[str, Kind] = {}
    for kind in KINDS:
        kinds |= dict.fromkeys(getattr(columns, kind) or (), kind)
    bare = _without_kinds(model, columns)
    time = columns.time.column if columns.time else None
    no_features = {*bare.roles, *bare.pair, columns.id, time}
    features = tuple(n for n, k in kinds.items() if k != "datetime" and n not in no_features)
    if kinds:
        kinds |= {n: k for n, k in bare.roles.items() if n not in kinds}
    return replace(bare, kinds=kinds, features=features)


def descriptors_of(
    model: Model,
    *,
    evaluations: Collection[str] | None = None,
    kinds: Mapping[str, Kind] | None = None,
    at: Callable[..., Path] = lambda *path: path,
) -> tuple[tuple[DescriptorColumn, ...], list[Problem]]:
    """The columns that descriptors add, and the mistakes in what was asked for, each with its path.

    They are declared, or brought along by the preset `text` of *evaluations*: None = of all. *kinds*
    are those of the data's columns where the config does not list them. *at* gives the place of a
    key of the model.
    """
    asked = [
        wish
        for name, evaluation in (model.evaluations or {}).items()
        if evaluation is not None and (evaluations is None or name in evaluations)
        for wish in wishes(evaluation.metrics, (*at("evaluations", name), "metrics"))
    ]
    describing = Describing(model.descriptors or {}, tuple(asked))
    declared = schema_of(model).kinds
    known: dict[str, Kind | None] | None = None
    if declared and model.columns:
        names = (model.columns.id, model.columns.target, model.columns.prediction)
        known = {**dict.fromkeys(filter(None, names)), **declared}
    return describing.columns(declared or kinds or {}, known, at("descriptors"))


def _without_kinds(model: Model, columns: Columns) -> Schema:
    many, ranking = probabilities_of(model), model.ranking or Ranking()
    return Schema(
        {},
        (),
        columns.target,
        columns.prediction,
        None if many else probability_of(columns),
        text_of(columns.positive),
        model.task or "none",
        columns.threshold,
        tuple([x for x in model.missing_values or () if x is not None]),
        many,
        columns.user,
        columns.item,
        {name: tuple(parts) for name, parts in (columns.embeddings or {}).items()},
        ranking.by,
        tuple([name for name in KNOWN if getattr(ranking, name) is not None]),
    )


def probability_of(columns: Columns) -> str | None:
    """The column that holds the positive class's probability."""
    given = columns.probability
    return given.get(text_of(columns.positive)) if isinstance(given, dict) else given


def probabilities_of(model: Model) -> dict[str, str]:
    """The columns that hold the probabilities of a multiclass model, by class."""
    given = model.columns.probability if model.columns else None
    return dict(given) if model.task == "multiclass" and isinstance(given, dict) else {}


def _both(name: str, theirs: Any, mine: Any) -> Any:
    if name == "columns":
        rest = theirs.model_fields_set - mine.model_fields_set
        return mine.model_copy(update={key: getattr(theirs, key) for key in rest})
    return {**theirs, **mine} if name in NAMED else mine
