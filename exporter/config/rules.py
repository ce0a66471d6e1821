"""What has to fit together in a config whose form is sound, and what makes little sense in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.batch import Schema
from exporter.config.fields import text_of, unbuilt_keys
from exporter.config.forms import (
    Columns,
    Config,
    Evaluation,
    FromColumn,
    Model,
    Rolling,
)
from exporter.config.merging import (
    KINDS,
    NAMED,
    descriptors_of,
    merged,
    probabilities_of,
    probability_of,
    schema_of,
)
from exporter.errors import Path, Problem, nearest
from exporter.plan import Plan, make_plan

LENGTHS = {"1h": 3600.0, "1d": 86400.0, "1w": 604800.0, "1mo": 28 * 86400.0}
_PAIR = {"user", "item"}
_OF_CLASSES = {"probability", "positive", "threshold"}
_UNKNOWN = re.compile(r"there is no (metric|drift method|descriptor)|no (metric|drift method) ")
_NO_COLUMN = re.compile(r"'(?P<text>[^']+)\.[^']+' is not among the model's columns")
_PASSWORD = re.compile(r"^[^:/?#]+://[^/?#]*:[^/?#]+@")


@dataclass
class Told:
    """What is found: problems, warnings, and the places whose form was wrong already."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)

    def problem(self, path: Path, text: str) -> None:
        """What forbids to use the config."""
        self.problems.append(Problem(path, text))

    def warning(self, path: Path, text: str) -> None:
        """What is likely not meant."""
        self.warnings.append(Problem(path, text))


@dataclass(frozen=True)
class Case:
    """A model as it is after the merge, and where in the file what it says stands."""

    key: str
    model: Model
    config: Config
    data: Mapping[str, Any]
    told: Told
    lenient: bool  # metrics that nobody knows may come from plugins

    @property
    def columns(self) -> Columns:
        """Its columns, which may be none."""
        return self.model.columns or Columns()

    def at(self, *path: int | str) -> Path:
        """The place of a key: in the model, or in the defaults where only they have it."""
        own, shared = ("models", self.key, *path), ("defaults", *path)
        return shared if not _has(self.data, own) and _has(self.data, shared) else own

    def need(self, *path: str, text: str) -> None:
        """A problem, unless the key is there, but of a wrong form."""
        if not self.is_broken(*path):
            self.told.problem(("models", self.key), text)

    def is_broken(self, *path: int | str) -> bool:
        """Whether the form of what stands there, or inside, is wrong."""
        at = self.at(*path)
        return any(b[: len(at)] == at or at[: len(b)] == b for b in self.told.broken)

    def problem(self, *path: int | str, text: str) -> None:
        """What forbids to use the config."""
        self.told.problem(self.at(*path), text)

    def warning(self, *path: int | str, text: str) -> None:
        """What is likely not meant."""
        self.told.warning(self.at(*path), text)


def check(
    config: Config, data: Mapping[str, Any], told: Told, *, lenient: bool
) -> dict[str, Model]:
    """The models with the defaults merged in; what does not fit is told."""
    models = {
        key: merged(config.defaults, model, config.automatic_tests)
        for key, model in config.models.items()
    }
    if isinstance(config.store, str) and _PASSWORD.match(config.store):
        told.warning(("store",), "a password in the file: better !env DATABASE_URL")
    _check_retention(config, told)
    _check_nulls(data, told)
    for key, model in models.items():
        case = Case(key, model, config, data, told, lenient)
        _check_presence(case)
        _check_kinds(case)
        _check_roles(case)
        _check_task(case)
        _check_labels(case)
        _check_stretches(case)
        _check_segments(case)
        _check_descriptors(case)
        for name, evaluation in (model.evaluations or {}).items():
            _check_evaluation(case, name, evaluation)
    _check_stream_tags(config, models, data, told)
    _check_streams(config, models, told)
    return models


def _check_retention(config: Config, told: Told) -> None:
    keep = config.retention
    if keep and keep.metrics and keep.distributions and keep.distributions > keep.metrics:
        text = "distributions go with their snapshot: keep them no longer than `metrics`"
        told.problem(("retention", "distributions"), text)


def _check_nulls(data: Mapping[str, Any], told: Told) -> None:
    """Null removes what the defaults have: where they have nothing, something else was meant."""
    shared = data.get("defaults") or {}
    sections: list[tuple[Path, Any, Any]] = [(("defaults",), shared, {})]
    models = data.get("models")
    for key, model in models.items() if isinstance(models, Mapping) else ():
        sections.append((("models", key), model, shared))
    for at, section, theirs in sections:
        for kind in NAMED:
            given = section.get(kind) if isinstance(section, Mapping) else None
            for name, value in given.items() if isinstance(given, Mapping) else ():
                if value is None and name not in (theirs.get(kind) or {}):
                    meant = "{}" if kind == "segments" else "its value"
                    text = f"null removes what the defaults have, and they have no {name!r} here: write {meant}"
                    told.problem((*at, kind, name), text)


def _check_presence(case: Case) -> None:
    model, key = case.model, case.key
    if model.source is None:
        case.need("source", text=f"model {key!r} has no source, and neither have the defaults")
    if case.columns.time is None:
        case.need("columns", text=f"model {key!r} needs columns.time: windows are cut by it")
    if not model.evaluations:
        case.need("evaluations", text=f"model {key!r} has no evaluations")
    _check_built(case)


def _check_built(case: Case) -> None:
    """No key whose feature is to come: it would be ignored."""
    model = case.model
    for at, given in (
        ((), model),
        (("columns",), case.columns),
        (("source",), model.source),
        (("reference",), model.reference),
        *(
            (("evaluations", n, "reference"), e.reference)
            for n, e in (model.evaluations or {}).items()
        ),
    ):
        for name, advice in unbuilt_keys(type(given)).items() if given else ():
            if getattr(given, name) is not None:
                case.problem(*at, name, text=f"{name!r} is not built yet: {advice}")


def _check_kinds(case: Case) -> None:
    """No column in two lists, or twice in one; an outcome of the kind that its task makes it."""
    columns, seen = case.columns, dict[str, str]()
    forced: Mapping[str, str] = schema_of(case.model).roles
    if case.model.task in (None, "none"):
        forced = {n: k for n, k in forced.items() if n not in (columns.target, columns.prediction)}
    for kind in (*KINDS, "ignore"):
        for place, name in enumerate(getattr(columns, kind) or ()):
            at = ("columns", kind, place)
            if name in seen:
                case.problem(*at, text=f"column {name!r} is already listed under {seen[name]}")
            elif name == columns.id and kind != "ignore":
                case.problem(*at, text=f"{name!r} is the id, which no metric reads: take it out")
            elif forced.get(name, kind) != kind:
                text = f"{name!r} is {forced[name]}, as its part in the model tells: take it out"
                case.problem(*at, text=text)
            seen.setdefault(name, kind)
    for name in columns.embeddings or {}:
        if name in seen:
            text = f"{name!r} is a column as well: give the embeddings another name"
            case.problem("columns", "embeddings", name, text=text)


def _check_roles(case: Case) -> None:
    columns, seen = case.columns, dict[str, str]()
    many = probabilities_of(case.model)
    if isinstance(columns.probability, dict) and not many and probability_of(columns) is None:
        positive = text_of(columns.positive)
        hint = nearest(positive, columns.probability)
        text = f"no column is given for the positive class {positive!r}{hint}"
        case.problem("columns", "probability", text=text)
    parts = [(r, getattr(columns, r)) for r in ("id", "target", "prediction", "user", "item")]
    parts += [("probability", name) for name in many.values() or [probability_of(columns)]]
    for role, name in parts:
        if name is not None and name in seen:
            text = f"column {name!r} cannot be both {seen[name]} and {role}"
            case.problem("columns", role, text=text)
        elif name is not None:
            seen[name] = role


def _check_task(case: Case) -> None:
    task, columns = case.model.task, case.columns
    broken = case.is_broken("columns")
    if task == "regression" and not columns.prediction and not broken:
        case.problem("task", text="a regression model needs columns.prediction")
    judged = columns.prediction or columns.probability or broken
    if task in ("binary", "multiclass") and not judged:
        text = f"a {task} model needs columns.prediction or columns.probability"
        case.problem("task", text=text)
    if task == "multiclass" and not broken:
        _check_classes(case)
    if not broken:
        _check_ranking(case)


def _check_classes(case: Case) -> None:
    """A model of many classes has a probability of each, and neither positive class nor threshold."""
    given = case.columns.probability
    if isinstance(given, str) or (given is not None and len(given) < 2):
        text = "of a multiclass model give every class's column: {class: column, …}"
        case.problem("columns", "probability", text=text)
    for key in ("positive", "threshold"):
        if key in case.columns.model_fields_set:
            text = f"{key!r} is for two classes: a multiclass model has no use for it"
            case.warning("columns", key, text=text)


def _check_ranking(case: Case) -> None:
    """Recommendations are of an item to a user, in an order; other models have neither."""
    columns, said = case.columns, case.columns.model_fields_set
    if case.model.task != "ranking":
        own = "ranking" in case.config.models[case.key].model_fields_set
        for at in ([("ranking",)] if own else []) + [("columns", r) for r in sorted(_PAIR & said)]:
            case.warning(*at, text=f"{at[-1]!r} is for task: ranking, and nothing else reads it")
        return
    for role in ("user", "item", "prediction"):
        if not getattr(columns, role):
            case.problem("task", text=f"a ranking needs columns.{role}")
    for key in sorted(_OF_CLASSES & said):
        case.warning("columns", key, text=f"{key!r} is for classes: a ranking has no use for it")


def _check_labels(case: Case) -> None:
    labels, columns = case.model.labels, case.columns
    if labels is None or case.is_broken("columns"):
        return
    if not columns.id:
        case.problem("labels", text="labels are joined by columns.id, which is not given")
    if not columns.target:
        case.problem("labels", text="labels need columns.target, the column to take from them")


def _check_stretches(case: Case) -> None:
    """Times that exclude each other: a reference shorter than a window, windows gone before due."""
    model, keep = case.model, case.config.retention
    window = LENGTHS[model.batch or "1d"]
    _check_rolling(case, model.reference, "reference")
    patience = (model.wait or 0.0) + (model.labels.delay if model.labels else 0.0)
    if keep and keep.metrics and keep.metrics <= window + patience:
        text = (
            f"nothing of model {case.key!r} would be kept: its windows are due later "
            "(batch + wait + labels.delay) than this"
        )
        case.told.problem(("retention", "metrics"), text)


def _check_rolling(case: Case, reference: Any, *at: str) -> None:
    if isinstance(reference, Rolling) and reference.rolling < LENGTHS[case.model.batch or "1d"]:
        text = (
            f"shorter than a window ({case.model.batch or '1d'}): no batch would have a reference"
        )
        case.problem(*at, "rolling", text=text)


def _check_segments(case: Case) -> None:
    kinds = schema_of(case.model).kinds
    for column, segment in (case.model.segments or {}).items():
        near = nearest(column, kinds)
        if kinds and column not in kinds and near:
            case.warning("segments", column, text=f"no declared column is called {column!r}{near}")
        for place, name in enumerate(segment.evaluations or ()):
            known = case.model.evaluations or {}
            if name not in known:
                text = f"there is no evaluation {name!r}{nearest(name, known)}"
                case.problem("segments", column, "evaluations", place, text=text)


def _check_descriptors(case: Case) -> None:
    if case.is_broken("descriptors") or case.is_broken("columns"):
        return
    sound = [n for n in case.model.evaluations or {} if not case.is_broken("evaluations", n)]
    columns, problems = descriptors_of(case.model, evaluations=sound, at=case.at)
    _tell_all(case, problems)
    for missing in dict.fromkeys(column.spec.lack() for column in columns):
        if missing:
            case.warning("descriptors", text=missing)


def _check_evaluation(case: Case, name: str, given: Evaluation) -> None:
    at = ("evaluations", name)
    columns = case.columns
    if not given.metrics and not given.tests and not case.is_broken(*at):
        case.problem(*at, text=f"evaluation {name!r} has neither metrics nor tests")
    _check_rolling(case, given.reference, *at, "reference")
    broken = case.is_broken("columns")
    if given.requires == "target" and not columns.target and not broken:
        case.problem(*at, "requires", text="there is no columns.target")
    if given.requires == "prediction" and not (columns.prediction or columns.probability or broken):
        text = "there is neither columns.prediction nor columns.probability"
        case.problem(*at, "requires", text=text)
    plan = _plan(case, name, given)
    if plan.needs_target and not columns.target and not broken:
        text = f"evaluation {name!r} reads the target: give columns.target"
        case.problem(*at, text=text)
    _check_reference(case, name, given, plan)


def _plan(case: Case, name: str, given: Evaluation) -> Plan:
    found: list[Problem] = []
    hints: list[Problem] = []
    schema = None if case.is_broken("columns") else _evaluated(case.model, name)
    plan = make_plan(
        given.metrics,
        schema,
        tests=given.tests,
        automatic_tests=case.model.automatic_tests or "directional",
        min_rows=case.model.min_rows,
        at=case.at("evaluations", name),
        problems=found,
        hints=hints,
    )
    _tell_all(case, found)
    for hint in hints:
        case.told.warning(hint.path, hint.text)
    return plan


def _evaluated(model: Model, evaluation: str) -> Schema:
    """The schema that a plan is made for: the declared columns and those of descriptors."""
    schema = schema_of(model)
    columns, _ = descriptors_of(model, evaluations=[evaluation])
    if not columns or not schema.kinds:
        return schema
    from exporter.descriptors import described

    return described(schema, columns)


def _tell_all(case: Case, found: Iterable[Problem]) -> None:
    """Mistakes in what was asked for; what a plugin may bring is only warned of."""
    for problem in found:
        if case.lenient and _may_come(case, problem.text):
            text = f"{problem.text} (unless a plugin brings it: --plugins)"
            case.told.warning(problem.path, text)
        else:
            case.told.problem(problem.path, problem.text)


def _may_come(case: Case, text: str) -> bool:
    """Whether a plugin may bring what is missing: a name, or a described text's further column."""
    column = _NO_COLUMN.match(text)
    of_text = column is not None and column["text"] in (case.model.descriptors or {})
    return of_text or bool(_UNKNOWN.search(text))


def _check_reference(case: Case, name: str, given: Evaluation, plan: Plan) -> None:
    reference, labels = given.reference or case.model.reference, case.model.labels
    at = ("evaluations", name)
    if case.is_broken("reference") or case.is_broken(*at):
        return
    lost = [u.spec.id for u in plan.uses if u.spec.compares and not u.spec.alone]
    if reference is None and lost:
        text = f"{lost[0]} compares with a reference, and model {case.key!r} has none"
        case.warning(*at, text=text)
    late = labels and (plan.needs_target or given.requires == "target")
    if late and labels and isinstance(reference, Rolling):
        own = "lag" in reference.model_fields_set
        if own and reference.lag < labels.delay:
            place = (*at, "reference") if given.reference else ("reference",)
            text = (
                f"evaluation {name!r} reads labels: its reference lags as they do, by labels.delay"
            )
            case.warning(*place, "lag", text=text)


def _check_stream_tags(
    config: Config, models: Mapping[str, Model], data: Mapping[str, Any], told: Told
) -> None:
    for place, tag in enumerate(config.stream_tags):
        at = ("stream_tags", place)
        if tag in config.stream_tags[:place]:
            told.problem(at, f"stream tag {tag!r} is given twice")
            continue
        without = [key for key, model in models.items() if tag not in (model.tags or {})]
        known = {name for model in models.values() for name in model.tags or {}}
        if len(without) == len(models):
            told.problem(at, f"no model has a tag {tag!r}{nearest(tag, known)}")
        for key in without if len(without) < len(models) else ():
            hint = nearest(tag, models[key].tags or {})
            where = ("models", key, "tags")
            place_of = where if _has(data, where) else where[:2]
            told.warning(place_of, f"model {key!r} has no stream tag {tag!r}: it is empty{hint}")


def _check_streams(config: Config, models: Mapping[str, Model], told: Told) -> None:
    """Two entries that write the same streams would overwrite each other for ever."""
    seen: dict[Any, str] = {}
    for key, model in models.items():
        for name, stream in _streams(key, model, config.stream_tags):
            other = seen.setdefault(stream, key)
            if other != key:
                text = (
                    f"writes the same stream as {other!r} (evaluation {name!r}): give it another "
                    "model or evaluation name, or a stream tag of its own"
                )
                told.problem(("models", key), text)
                break


def _streams(
    key: str, model: Model, stream_tags: Iterable[str]
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    tags = model.tags or {}
    values = []
    for tag in stream_tags:
        given = tags.get(tag, "")
        values.append(given if isinstance(given, FromColumn) else text_of(given))
    for name in model.evaluations or {}:
        yield name, (model.model or key, name, *values)


def _has(data: Any, path: Path) -> bool:
    for step in path:
        if isinstance(data, Mapping):
            if step not in data:
                return False
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return False
    return True
