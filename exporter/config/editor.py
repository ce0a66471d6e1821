"""The format as a JSON Schema, drawn from the forms and the catalogue: editors complete and check with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exporter.checks import OPERATORS
from exporter.config.fields import RESERVED_TAGS, UNBUILT
from exporter.config.forms import Config
from exporter.distances import DriftMethod
from exporter.evidently import UNDER_METRICS, UNDER_TESTS, Alias
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.metrics.drift import COLUMN_DRIFT, EMBEDDINGS_DRIFT, methods_of
from exporter.plan.asking import DRIFT, decisions
from exporter.presets import METRICS, REQUIRED, ROLES, TESTS, TEXT, Entry

_ANCHORS = {"^x-": True}
_NULL = {"type": "null"}
_NUMBER = {"type": "number"}
_SCALAR = {"type": ["string", "number", "boolean"]}
_NAMES = {"type": "array", "items": {"type": "string"}, "minItems": 1}


def _around(center: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """A value with a tolerance."""
    width = {"type": "number", "minimum": 0}
    return {
        "type": "object",
        "properties": {center: form, "relative": width, "absolute": width},
        "required": [center],
        "additionalProperties": False,
    }


_SHARED: Mapping[str, Any] = {
    "ColumnsOrRole": {"anyOf": [{"enum": list(ROLES)}, _NAMES]},
    "Wanted": {
        "description": "A number, or a number or the reference's own figure, give or take.",
        "anyOf": [_NUMBER, _around("reference", {"const": True}), _around("value", _NUMBER)],
    },
    "WantedPair": {
        "type": "array",
        "items": {"$ref": "#/$defs/Wanted"},
        "minItems": 2,
        "maxItems": 2,
    },
    "Numbers": {"type": "array", "items": _NUMBER, "minItems": 1},
}
_OF_EVERY_TEST: dict[str, Any] = {
    "critical": {"type": "boolean"},
    "alert": {
        "anyOf": [
            {"const": False},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "severity": {"enum": ["page", "warning", "info"]},
                    "after": {"type": ["integer", "string"], "pattern": "^\\d+( +of +\\d+)?$"},
                },
            },
        ]
    },
}
_CONDITIONS = {"in": "Numbers", "not_in": "Numbers", "between": "WantedPair"}
Options = Callable[[MetricSpec], dict[str, Any]]


_ONE = {  # a name, or one name with its options
    "anyOf": [
        {"type": "string"},
        {"type": "object", "minProperties": 1, "maxProperties": 1},
    ]
}


def config_schema() -> dict[str, Any]:
    """The schema of a config file (draft 2020-12): its form, and the catalogue's metrics.

    Where a file names plugins, names of metrics are not checked: nobody knows them. Time zones, and
    what has to fit together, only `exporter validate` knows.
    """
    schema = _tidy(Config.model_json_schema())
    kinds = schema.pop("$defs")
    for form in (schema, *kinds.values()):
        form["patternProperties"] = _ANCHORS
    _open_forms(schema, kinds)
    kinds |= _SHARED
    kinds["MetricEntry"] = _entry(METRICS, _metric_options, "EvidentlyMetric")
    kinds["TestEntry"] = _entry(TESTS, _test_options, "EvidentlyTest")
    kinds["EvidentlyMetric"] = _evidently(UNDER_METRICS)
    kinds["EvidentlyTest"] = _evidently(UNDER_TESTS)
    kinds["KnownMetrics"] = _known_metrics()
    everywhere = {"$ref": "#/$defs/KnownMetrics"}
    models = {"patternProperties": _ANCHORS, "additionalProperties": everywhere}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Evaluation Exporter",
        **schema,
        "if": {"required": ["plugins"]},
        "else": {"properties": {"defaults": everywhere, "models": models}},
        "$defs": dict(sorted(kinds.items())),
    }


def is_ours(entry: MetricSpec | DriftMethod) -> bool:
    """Whether it is the exporter's own: those of plugins come and go with what is imported."""
    return entry.compute.__module__.startswith("exporter.")


def _open_forms(schema: dict[str, Any], kinds: dict[str, Any]) -> None:
    """What validators accept beyond the types: short forms, null that removes, anchors."""
    schema["properties"]["models"]["patternProperties"] = _ANCHORS
    reserved = {"not": {"enum": sorted(RESERVED_TAGS)}}
    schema["properties"]["stream_tags"]["items"] |= reserved
    for form in (kinds["Shared"], kinds["Model"]):
        fields = form["properties"]
        for name in ("segments", "evaluations"):
            named = _mapping_of(fields[name])
            named["additionalProperties"] = {"anyOf": [named["additionalProperties"], _NULL]}
        _mapping_of(fields["evaluations"])["patternProperties"] = _ANCHORS
        tags = _mapping_of(fields["tags"])
        ((pattern, _),) = tags.pop("patternProperties").items()
        tags["propertyNames"] = {"pattern": pattern, **reserved}
        tags["additionalProperties"] = {"anyOf": [_SCALAR, {"$ref": "#/$defs/FromColumn"}, _NULL]}
    kinds["Columns"]["properties"]["time"]["anyOf"].append({"type": "string", "minLength": 1})
    for form in (kinds["Shared"], kinds["Model"]):
        _mapping_of(form["properties"]["descriptors"])["additionalProperties"]["items"] = _ONE
    for name in ("metrics", "tests"):
        kinds["Evaluation"]["properties"][name]["items"] = _ONE


def _mapping_of(field: dict[str, Any]) -> dict[str, Any]:
    """The mapping's own schema within a field that may be null."""
    found: dict[str, Any] = next(x for x in field["anyOf"] if x.get("type") == "object")
    return found


def _known_metrics() -> dict[str, Any]:
    """A model, or the defaults, whose evaluations name nothing that the catalogue does not have."""
    lists = {
        name: {"items": {"$ref": f"#/$defs/{entry}"}}
        for name, entry in (("metrics", "MetricEntry"), ("tests", "TestEntry"))
    }
    evaluations = {"patternProperties": _ANCHORS, "additionalProperties": {"properties": lists}}
    return {"properties": {"evaluations": evaluations}}


def _evidently(names: Mapping[str, Alias]) -> dict[str, Any]:
    """One of Evidently's names, or one with options, which only `exporter validate` knows."""
    known = {"enum": sorted(name for name, alias in names.items() if not alias.instead)}
    options = {"type": ["object", "null"]}
    one = {"minProperties": 1, "maxProperties": 1}
    mapping = {"type": "object", "propertyNames": known, "additionalProperties": options, **one}
    return {"description": "A name of Evidently's.", "anyOf": [known, mapping]}


def _entry(
    presets: Mapping[str, Iterable[Entry]], options: Options, evidently: str
) -> dict[str, Any]:
    """An entry of a list: a name, or one name with its options."""
    ours = {name: spec for name, spec in CATALOGUE.items() if is_ours(spec)}
    named = {name: _with_options(options(spec), spec.help) for name, spec in ours.items()}
    for name, parts in presets.items():
        form = _preset_options(parts, options)
        if presets is METRICS and name == TEXT:
            form["properties"]["descriptors"] = {"type": "array", "items": _ONE, "minItems": 1}
        if presets is TESTS and name in REQUIRED:
            form["required"] = [REQUIRED[name]]
        named[name] = _with_options(form, f"The preset {name}.")
    mapping = {
        "type": "object",
        "properties": dict(sorted(named.items())),
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"anyOf": [{"enum": sorted(named)}, mapping, {"$ref": f"#/$defs/{evidently}"}]}


def _with_options(form: dict[str, Any], text: str) -> dict[str, Any]:
    """Options as a mapping; nothing will do where none of them must be given."""
    form = {"type": "object", **form, "additionalProperties": False}
    if form.get("required"):
        return {"description": text, **form}
    return {"description": text, "anyOf": [_NULL, form]}


def _metric_options(spec: MetricSpec) -> dict[str, Any]:
    """The options of a metric, and which of them must be given."""
    form = _tidy(spec.model.model_json_schema())
    options = dict(form["properties"])
    if spec.id in (COLUMN_DRIFT, EMBEDDINGS_DRIFT):
        methods = sorted(method.id for method in methods_of(spec.id).values() if is_ours(method))
        auto = ["auto"] if spec.id == COLUMN_DRIFT else []
        options["method"] = {"enum": [*auto, *methods]}
    if spec.id == EMBEDDINGS_DRIFT:
        options["columns"] = {"anyOf": [{"enum": ["all"]}, _NAMES]}
    elif spec.per != "dataset":
        options["columns"] = {"$ref": "#/$defs/ColumnsOrRole"}
    required = {"required": form["required"]} if "required" in form else {}
    return {"properties": options, **required}


def _test_options(spec: MetricSpec) -> dict[str, Any]:
    """The options of a test: the metric's own, which it can inherit, and the condition."""
    own = _metric_options(spec)["properties"]
    conditions = {op: {"$ref": f"#/$defs/{_CONDITIONS.get(op, 'Wanted')}"} for op in OPERATORS}
    said = {**_OF_EVERY_TEST, "name": {"type": "string", "minLength": 1}}
    label = {"label": {"type": ["string", "number", "boolean"]}} if spec.labels else {}
    return {"properties": {**own, **conditions, **said, **label}}


def _preset_options(parts: Iterable[Entry], options: Options) -> dict[str, Any]:
    """What the parts of a preset know, and what is handed to all."""
    out: dict[str, Any] = {"columns": {"$ref": "#/$defs/ColumnsOrRole"}}
    for part in parts:
        name, fixed = (part, {}) if isinstance(part, str) else next(iter(part.items()))
        spec = CATALOGUE[name]
        own = options(spec)["properties"]
        if spec.id == DRIFT:  # a threshold is that of the decisions, where the preset has any
            own = {key: form for key, form in own.items() if key not in decisions(parts)}
        known = (own.keys() & spec.options.keys() - set(fixed or {})) | (
            _OF_EVERY_TEST.keys() & own.keys()
        )
        out |= {option: own[option] for option in known}
    return {"properties": dict(sorted(out.items()))}


def _tidy(schema: Any) -> Any:
    """The schema without titles that repeat names and defaults that say nothing; what is refused takes null."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if UNBUILT in schema:
        text = f"Not built yet: {schema[UNBUILT]}."
        return {"type": "null", "description": f"{schema['description']} {text}"}
    named = ("properties", "$defs", "patternProperties")
    out = {
        key: {name: _tidy(inner) for name, inner in value.items()} if key in named else _tidy(value)
        for key, value in schema.items()
        if key not in ("title", "examples", "default")
    }
    if not isinstance(schema.get("default", None), dict | None):
        out["default"] = schema["default"]
    if "examples" in schema:
        out["examples"] = schema["examples"]
    return out
