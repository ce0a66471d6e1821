"""Whether a model has what a metric reads beside its columns: a task, a target, probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.batch import Schema
from exporter.metrics import MetricSpec
from exporter.metrics.ranking import LACKS
from exporter.presets import OF_PROBABILITIES, OF_REGRESSIONS, OF_TWO_CLASSES
from exporter.profile.outcome import ErrorProfile, ScoreProfile
from exporter.profile.ranking import RankingProfile

OUTCOMES = ("target", "prediction")  # the roles of what a model is judged by
_TASKS: Mapping[type, tuple[str, ...]] = {
    ErrorProfile: ("regression",),
    ScoreProfile: ("binary", "multiclass"),
    RankingProfile: ("ranking",),
}  # whose figures are read from such a profile


def outcome_columns(schema: Schema, role: str) -> Sequence[str]:
    """The columns of the target, or of what stands for the prediction; none where there are none."""
    if role == "prediction":
        return schema.scores
    return (schema.target,) if schema.target else ()


def foreign_to(spec: MetricSpec, schema: Schema) -> str:
    """Why the model, by its task, has no such figure; "" where it may have one."""
    tasks = [task for profile in spec.reads for task in _TASKS.get(profile, ())]
    tasks += ["regression"] if spec.id in OF_REGRESSIONS else []
    if not tasks or schema.task in tasks:
        return _unread(schema) if tasks else ""
    has = "has none" if schema.task == "none" else f"is task: {schema.task}"
    return f"is of models with task: {' or '.join(tasks)}; this one {has}"


def _unread(schema: Schema) -> str:
    """Which column an outcome cannot be read without, and the model has not."""
    parts = {"target": schema.target, "prediction": schema.score}
    if schema.task == "ranking":  # before labels come, too
        parts = {"user": schema.user, "item": schema.item, "prediction": schema.prediction}
    lacks = [role for role, name in parts.items() if not name]
    return f"needs columns.{lacks[0]}" if lacks else ""


def unlike(spec: MetricSpec, schema: Schema) -> str:
    """Why a classifier has no such figure: too many classes, or no probability; "" where it has one."""
    if schema.task == "multiclass" and spec.id in OF_TWO_CLASSES:
        return "is for two classes: the model has more"
    scored = schema.probability or schema.probabilities
    return "" if scored or spec.id not in OF_PROBABILITIES else "needs columns.probability"


def lacking(spec: MetricSpec, schema: Schema) -> str:
    """What a model has not, and the metric needs beside its rows; "" where there is nothing."""
    if RankingProfile not in spec.reads:
        said = {"target": schema.target, "prediction": schema.prediction or schema.score}
        lacks = [role for role, name in said.items() if role in spec.needs and not name]
        return f"the model has no {lacks[0]}: give columns.{lacks[0]}" if lacks else ""
    if schema.task != "ranking":
        return ""
    there = {"target", *schema.known, *(("scores",) if schema.ranked_by == "score" else ())}
    return next((LACKS[role] for role in sorted(spec.needs) if role not in there), "")


def has_alike(spec: MetricSpec, schema: Schema) -> bool:
    """Whether the model has the target, or prediction, that is correlated with features, and one of its kind."""
    of_target = "target" in spec.needs
    name = schema.target if of_target else schema.prediction or schema.score
    if not schema.kinds:
        return True
    decided = not of_target and not schema.prediction and schema.probabilities
    kind = "categorical" if decided else schema.kinds.get(str(name))
    return any(schema.kinds.get(f) == kind for f in schema.features if f != name)
