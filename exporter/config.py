"""The YAML format, as frozen pydantic models, and every mistake of a file with its line and column."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from exporter import yaml
from exporter.batch import Kind, Schema, Task
from exporter.errors import ConfigError, Problem, nearest
from exporter.plan import make_plan

NOT_YET = {"text", "embeddings", "user", "item", "descriptors", "prometheus", "retention"}
KINDS: tuple[Kind, ...] = ("numerical", "categorical", "datetime")
RESERVED_TAGS = {
    "project",
    "model",
    "evaluation",
    "segment",
    "column",
    "label",
    "job",
    "instance",
    "le",
    "quantile",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2629800, "y": 31557600}


def _seconds(value: Any) -> float:
    hit = (
        re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|d|w|mo|y)", value) if isinstance(value, str) else None
    )
    if hit is None:
        raise ValueError("expected a duration such as 30m, 2h, 7d, 4w")
    return float(hit[1]) * _UNITS[hit[2]]


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}", value):
        raise ValueError("a name has letters, digits, '.', '_' and '-' only, at most 100")
    return value


def _zone(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected the name of a time zone such as Europe/Berlin")
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        raise ValueError(
            f"there is no time zone {value!r}" + nearest(value, available_timezones())
        ) from None
    return value


def _tag(value: Any) -> str:
    if value in RESERVED_TAGS:
        raise ValueError(f"{value!r} is a label of its own: choose another name")
    return _name(value)


Zone = Annotated[str, BeforeValidator(_zone)]
Tag = Annotated[str, BeforeValidator(_tag)]
Duration = Annotated[float, BeforeValidator(_seconds)]
Name = Annotated[str, BeforeValidator(_name)]
Entry = str | dict[str, Any]


class Strict(BaseModel):
    """No key that is not known; no value that changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class Files(Strict):
    """Parquet, csv or jsonl files."""

    path: str
    format: Literal["parquet", "csv", "jsonl"] | None = None


class Query(Strict):
    """Rows of a database."""

    sql: str
    url: str | yaml.Secret


class Rolling(Strict):
    """The stretch of windows before the batch's, without the last `lag`."""

    rolling: Duration
    lag: Duration = 0.0


class Previous(Strict):
    """The batch so many windows earlier that has rows."""

    previous: Annotated[int, Field(ge=1)]


def _by_key(choices: Mapping[str, type[Strict]]) -> BeforeValidator:
    """Which of several forms is meant is seen by its first key; its own mistakes are then told, and no other form's."""

    def choose(value: Any) -> Any:
        if isinstance(value, Strict):
            return value
        for key, form in choices.items():
            if isinstance(value, Mapping) and key in value:
                if both := [
                    k for k in choices if k in value and k != key and k not in form.model_fields
                ]:
                    raise ValueError(f"{key!r} and {both[0]!r} exclude each other")
                return form.model_validate(value)
        raise ValueError("expected one of " + ", ".join(f"{{{key}: …}}" for key in choices))

    return BeforeValidator(choose)


Source = Annotated[Files | Query, _by_key({"path": Files, "sql": Query})]
Reference = Annotated[
    Files | Query | Rolling | Previous,
    _by_key({"path": Files, "sql": Query, "rolling": Rolling, "previous": Previous}),
]


class Time(Strict):
    """A time column with the zone its naive times are in."""

    column: str
    timezone: Zone | None = None


def _time(value: Any) -> Any:
    return Time(column=value) if isinstance(value, str) else value


class Columns(Strict):
    """What part each column plays."""

    time: Annotated[Time, BeforeValidator(_time)] | None = None
    id: str | None = None
    target: str | None = None
    prediction: str | None = None
    probability: str | dict[str, str] | None = None
    positive: str | int | float | bool = 1
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    numerical: list[str] | None = None
    categorical: list[str] | None = None
    datetime: list[str] | None = None
    text: list[str] | None = None
    embeddings: dict[str, list[str]] | None = None
    user: str | None = None
    item: str | None = None
    ignore: list[str] | None = None


class Labels(Files):
    """Targets that come later, joined by the id column."""

    delay: Duration = 0.0
    mature_at: Annotated[float, Field(ge=0, le=1)] = 0.0


class Segment(Strict):
    """How a column's values become segments."""

    min_rows: int | None = None
    max: Annotated[int, Field(ge=1)] = 20


class FromColumn(Strict):
    """A tag that is read from the data."""

    column: str


class Evaluation(Strict):
    """A named set of metrics and tests."""

    requires: Literal["target", "prediction"] | None = None
    reference: Reference | None = None  # other than the model's
    metrics: list[Entry] = []
    tests: list[Entry] = []


class Shared(Strict):
    """What may stand under `defaults` as well as in a model."""

    task: Literal["regression", "binary", "multiclass", "ranking", "none"] | None = None
    tags: dict[Tag, str | int | float | bool | FromColumn] | None = None
    source: Source | None = None
    columns: Columns | None = None
    missing_values: list[str | float | None] | None = None
    descriptors: dict[str, list[str]] | None = None
    labels: Labels | None = None
    segments: dict[str, Segment | None] | None = None
    evaluations: dict[Name, Evaluation | None] | None = (
        None  # null takes away what the defaults have
    )
    batch: Literal["1h", "1d", "1w", "1mo"] | None = None
    wait: Duration | None = None
    reference: Reference | None = None
    min_rows: Annotated[int, Field(ge=0)] | None = None
    automatic_tests: Literal["directional", "evidently"] | None = None


class Model(Shared):
    """One watched model or table."""

    model: Name | None = None


class Config(Strict):
    """A whole file."""

    project: Name
    timezone: Zone = "UTC"
    store: str | yaml.Secret = "embedded"
    snapshots: Files | None = None
    stream_tags: list[Tag] = []
    retention: dict[str, Duration] | None = None
    automatic_tests: Literal["directional", "evidently"] = "directional"
    defaults: Shared = Shared()
    models: dict[Name, Model] = Field(min_length=1)
    plugins: list[str] = []
    prometheus: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that is sound, where it lies, and what to warn of."""

    config: Config
    folder: Path
    models: Mapping[str, Model]  # defaults merged in
    warnings: tuple[str, ...]


def load_config(path: Path, *, plugins: bool = False) -> Loaded:
    """The config; a ConfigError that lists every mistake where there are any."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    document = yaml.load(text)
    mistakes = {(m.line, m.column): m.text for m in document.mistakes}
    loaded: Loaded | None = None
    if document.root is None and not mistakes:
        mistakes[1, 1] = "the file is empty: `exporter init` writes an example"
    elif document.root is not None:
        loaded, problems = _checked(document.data, path.parent, plugins=plugins)
        for problem in problems:
            mistakes.setdefault(document.locate(problem.path), problem.text)
    if mistakes or loaded is None:
        raise ConfigError(
            "\n".join(
                f"{path}:{line}:{column}: {said}"
                for (line, column), said in sorted(mistakes.items())
            )
        )
    unset = tuple(
        f"{path}:{m.line}:{m.column}: {m.text}"
        for secret, m in document.secrets
        if not secret.there
    )
    return Loaded(loaded.config, loaded.folder, loaded.models, loaded.warnings + unset)


def _checked(data: Any, folder: Path, *, plugins: bool) -> tuple[Loaded | None, list[Problem]]:
    problems: list[Problem] = []
    if not isinstance(data, Mapping):
        return None, [Problem((), "expected a mapping with `project:` and `models:`")]
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += [_problem(e) for e in error.errors(include_url=False)]
        config = None
    for name in data.get("plugins") or [] if plugins else []:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  somebody else's code
            problems.append(
                Problem(("plugins", data["plugins"].index(name)), f"cannot be imported: {error}")
            )
    _not_yet(data, (), problems)
    if config is None:
        _entries_of_broken(data, problems)
        return None, problems
    models = {
        key: merged(config.defaults, model, config.automatic_tests)
        for key, model in config.models.items()
    }
    warnings: list[str] = []
    for key, model in models.items():
        _model(key, model, config, bool(config.plugins) and not plugins, problems, warnings)
    _same_streams(models, config, problems)
    return Loaded(config, folder, models, tuple(warnings)), problems


def merged(defaults: Shared, model: Model, automatic_tests: str) -> Model:
    """The model with the defaults for what it does not say; `columns`, `tags` and `evaluations` merge key by key."""
    out = {name: getattr(model, name) for name in model.model_fields_set}
    for name in defaults.model_fields_set:
        mine, theirs = out.get(name), getattr(defaults, name)
        if mine is None:
            out[name] = theirs
        elif isinstance(mine, Columns):
            out[name] = mine.model_copy(
                update={
                    k: getattr(theirs, k) for k in theirs.model_fields_set - mine.model_fields_set
                }
            )
        elif name in ("tags", "evaluations", "segments"):
            out[name] = {**theirs, **mine}
    out.setdefault("automatic_tests", automatic_tests)
    if out.get("evaluations"):
        out["evaluations"] = {k: e for k, e in out["evaluations"].items() if e is not None}
    return Model.model_construct(**out)


def schema_of(model: Model) -> Schema:
    """The schema as far as the config tells it."""
    columns = model.columns or Columns()
    kinds: dict[str, Kind] = {}
    for kind in KINDS:
        kinds |= dict.fromkeys(getattr(columns, kind) or (), kind)
    features = tuple(n for n, k in kinds.items() if k in ("numerical", "categorical"))
    outcome: Kind = "numerical" if model.task == "regression" else "categorical"
    probability = columns.probability if isinstance(columns.probability, str) else None
    roles: tuple[tuple[str | None, Kind], ...] = (
        (columns.target, outcome),
        (columns.prediction, outcome),
        (probability, "numerical"),
    )
    if kinds:
        for name, kind in roles:
            if name:
                kinds.setdefault(name, kind)
    task: Task = model.task if model.task in ("regression", "binary") else "none"  # type: ignore[assignment]
    positive = columns.positive
    text = (
        str(positive).lower()
        if isinstance(positive, bool)
        else str(int(positive))
        if isinstance(positive, float) and positive.is_integer()
        else str(positive)
    )
    missing = tuple(x for x in model.missing_values or () if x is not None)
    if model.missing_values is None and model.automatic_tests == "evidently":
        missing = ("", float("inf"), float("-inf"))
    return Schema(
        kinds,
        features,
        columns.target,
        columns.prediction,
        probability,
        text,
        task,
        columns.threshold,
        missing,
    )


def _model(
    key: str,
    model: Model,
    config: Config,
    lenient: bool,
    problems: list[Problem],
    warnings: list[str],
) -> None:
    at = ("models", key)
    columns = model.columns or Columns()

    def need(ok: object, text: str, path: tuple[int | str, ...] = at) -> None:
        if not ok:
            problems.append(Problem(path, text))

    need(model.source, f"model {key!r} has no source, and neither have the defaults")
    need(columns.time, f"model {key!r} needs columns.time: windows are cut by it")
    need(model.evaluations, f"model {key!r} has no evaluations")
    need(
        not model.labels or columns.id,
        "labels are joined by columns.id, which is not given",
        (*at, "labels"),
    )
    need(
        not model.labels or columns.target,
        "labels need columns.target, the column to take from them",
        (*at, "labels"),
    )
    need(
        model.task not in ("regression", "binary") or columns.prediction or columns.probability,
        f"a {model.task} model needs columns.prediction"
        + (" or columns.probability" if model.task == "binary" else ""),
        (*at, "task"),
    )
    need(
        model.task not in ("multiclass", "ranking"), f"{model.task} is not built yet", (*at, "task")
    )
    if isinstance(model.source, Query):
        problems.append(Problem((*at, "source", "sql"), "SQL sources are not built yet"))
    seen: dict[str, str] = {}
    for kind in (*KINDS, "ignore"):
        for i, name in enumerate(getattr(columns, kind) or ()):
            if name in seen:
                problems.append(
                    Problem(
                        (*at, "columns", kind, i),
                        f"column {name!r} is already listed under {seen[name]}",
                    )
                )
            seen[name] = kind
    for tag in config.stream_tags:
        if tag not in (model.tags or {}):
            problems.append(Problem((*at, "tags"), f"stream tag {tag!r} is missing"))
    schema = schema_of(model)
    for name in model.segments or {}:
        if schema.kinds and name not in schema.kinds:
            warnings.append(f"models.{key}.segments.{name}: not among the declared columns")
    for name, evaluation in (model.evaluations or {}).items():
        where = (
            (*at, "evaluations", name)
            if name in (config.models[key].evaluations or {})
            else ("defaults", "evaluations", name)
        )
        found: list[Problem] = []
        plan = make_plan(
            evaluation.metrics,
            schema,
            tests=evaluation.tests,
            automatic_tests=model.automatic_tests or "directional",
            at=where,
            problems=found,
        )
        problems += [p for p in found if not (lenient and "there is no metric or preset" in p.text)]
        need(
            evaluation.metrics or evaluation.tests,
            f"evaluation {name!r} has neither metrics nor tests",
            where,
        )
        need(
            not plan.needs_target or schema.target,
            f"evaluation {name!r} reads the target: give columns.target",
            where,
        )


def _same_streams(models: Mapping[str, Model], config: Config, problems: list[Problem]) -> None:
    """Two entries that write the same streams would overwrite each other for ever."""
    seen: dict[Any, str] = {}
    for key, model in models.items():
        tags = tuple((t, repr((model.tags or {}).get(t))) for t in config.stream_tags)
        for name in model.evaluations or {}:
            stream = (model.model or key, name, tags)
            if stream in seen:
                problems.append(
                    Problem(
                        ("models", key),
                        f"writes the same stream as {seen[stream]!r} (evaluation {name!r}): give them another model or a stream tag",
                    )
                )
                break
            seen[stream] = key


def _not_yet(data: Any, at: tuple[int | str, ...], problems: list[Problem]) -> None:
    if isinstance(data, Mapping):
        for key, value in data.items():
            inside = at[:1] in (("models",), ("defaults",)) or not at
            if key in NOT_YET and inside and "evaluations" not in at:
                problems.append(Problem((*at, key), f"{key!r} is not built yet: leave it out"))
            elif key != "evaluations":
                _not_yet(value, (*at, key), problems)


def _entries_of_broken(data: Mapping[Any, Any], problems: list[Problem]) -> None:
    """The metrics and tests of a file whose form is wrong elsewhere: all mistakes are told at once."""
    sections = [(("defaults",), data.get("defaults"))]
    if isinstance(data.get("models"), Mapping):
        sections += [(("models", key), model) for key, model in data["models"].items()]
    for at, section in sections:
        evaluations = section.get("evaluations") if isinstance(section, Mapping) else None
        for name, evaluation in evaluations.items() if isinstance(evaluations, Mapping) else ():
            if isinstance(evaluation, Mapping):
                both = [evaluation.get(k) or [] for k in ("metrics", "tests")]
                make_plan(
                    both[0], None, tests=both[1], at=(*at, "evaluations", name), problems=problems
                )


_FORMS = {
    "source": (Files, Query),
    "reference": (Files, Query, Rolling, Previous),
    "time": (Time,),
    "labels": (Labels,),
    "columns": (Columns,),
    "defaults": (Shared,),
    "snapshots": (Files,),
}


def _problem(error: Any) -> Problem:
    path = tuple(
        x
        for x in error["loc"]
        if not (isinstance(x, str) and (x in _TAGS or "[" in x or x.startswith("function-")))
    )
    if error["type"] == "extra_forbidden":
        return Problem(path, f"there is no key {path[-1]!r} here" + nearest(path[-1], _known(path)))
    if error["type"] == "missing":
        return Problem(path[:-1], f"{path[-1]!r} is missing")
    text = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    if error["type"] == "literal_error":
        text += nearest(error["input"], re.findall(r"'([^']*)'", text))
    return Problem(path, text[0].lower() + text[1:])


_TAGS = {
    "str",
    "int",
    "float",
    "bool",
    "FromColumn",
    "Secret",
    "Time",
    "Files",
    "Query",
    "dict[str,any]",
}


def _known(path: tuple[int | str, ...]) -> list[str]:
    parent = path[-2] if len(path) > 1 else None
    if parent is None:
        return list(Config.model_fields)
    if parent in _FORMS:
        return [name for form in _FORMS[str(parent)] for name in form.model_fields]
    above = path[-3] if len(path) > 2 else None
    return list(
        {"models": Model, "evaluations": Evaluation, "segments": Segment, "tags": FromColumn}.get(
            str(above), Shared
        ).model_fields
    )
