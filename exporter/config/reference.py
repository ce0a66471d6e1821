"""The page that says what a config file can hold, drawn from the forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from exporter.config import forms, results
from exporter.config.fields import Strict, unbuilt_keys

_HEAD = """\
# Configuration

One YAML file is one project. `exporter init DATA` writes a first one, `exporter validate FILE` tells all its
mistakes at once, each as `file:line:column: what is wrong`, with the nearest name where one is misspelt.

```yaml
project: shop
timezone: Europe/Berlin
store: embedded
retention: {metrics: 2y, distributions: 90d}
stream_tags: [arm]
defaults:
  batch: 1d
  wait: 2h
  reference: {rolling: 28d}
models:
  returns:
    task: binary
    tags: {arm: champion, version: {column: model_version}}
    source: {path: "data/orders-*.parquet"}
    labels: {path: "data/returned-*.csv", delay: 14d, mature_at: 0.9}
    columns:
      time: ordered_at
      id: order_id
      target: returned
      probability: score
      numerical: [age, amount]
      categorical: [country]
    segments: {country: {min_rows: 200, max: 10}}
    evaluations:
      inputs:
        metrics: [data_summary, data_drift]
        tests: [data_stability, {missing_ratio: {columns: [age], lte: 0.05}}]
      quality:
        requires: target
        reference: {path: data/training.parquet}
        metrics: [classification]
        tests: [{roc_auc: {gte: 0.75}}, {recall: {gte: {reference: true, relative: 0.2}, critical: false}}]
```

What can stand under `metrics` and `tests` is on the page [Metrics](metrics.md); what the words mean under
[Concepts](concepts.md).

## In an editor

[config.schema.json](config.schema.json) is a JSON Schema (draft 2020-12) of the format: every key, metric, option and
preset with its meaning. Editors that read YAML with a language server complete and check with it when the first line of
the config names it, by a path from the config or an address:

    # yaml-language-server: $schema=config.schema.json

and know `!env` and `!file` when their settings hold `"yaml.customTags": ["!env scalar", "!file scalar"]`. What has to
fit together, such as a test and the columns it reads, only `exporter validate` knows; where `plugins` are named, the
names of metrics too.

## How a file is read

- **YAML 1.2**: only `true` and `false` are booleans, so a column may be called `on`, `no` or `y`; `2024-01-31` is text;
  keys are text as they are written. A key that is given twice is a mistake.
- **Secrets** stand elsewhere: `!env NAME` is the value of an environment variable, `!file PATH` what a file holds. Both
  are for `store` and `url`, are read when they are used, and are never shown; `validate` warns of what is not there.
- **Paths** are relative to the config's folder.
- **Durations** are a number and a unit: `30s`, `15m`, `2h`, `7d`, `4w`, `6mo`, `2y`; a month is a twelfth of a year of
  365.25 days. `0` needs no unit.
- **Defaults** are what every model has unless it says otherwise. `columns`, `tags`, `segments` and `evaluations` are
  merged key by key; everything else is replaced as a whole. `name: null` takes away what the defaults have.
- **Keys that begin with `x-`** are ignored: a place for YAML anchors. `<<: *name` merges one.
- **Limits**: 4 MB, 32 levels, 100,000 values with aliases spelt out.
"""
_TO_COME = """\
## Not built yet

These are part of the format. A file that uses one is refused, with the reason, instead of being evaluated without it.
"""
_SECTIONS: tuple[tuple[str, str, tuple[type[Strict], ...]], ...] = (
    ("The file", "", (forms.Config,)),
    (
        "A model",
        "Under `models`, by name. All but `model` may stand under `defaults`, too.",
        (forms.Model,),
    ),
    ("source", "Of a model.", (forms.Files, forms.Query)),
    (
        "reference",
        "Of a model or an evaluation: data as under [source](#source), or one of these.",
        (forms.Rolling, forms.Previous),
    ),
    ("columns", "Of a model.", (forms.Columns,)),
    ("time", "Of `columns`: a column's name, or this.", (forms.Time,)),
    ("ranking", "Of a model.", (forms.Ranking,)),
    ("items", "Of `ranking`.", (forms.Items,)),
    ("labels", "Of a model.", (forms.Labels,)),
    ("tags", "Of a model, by name: text, a number, true or false, or this.", (forms.FromColumn,)),
    ("segments", "Of a model, by column.", (forms.Segment,)),
    ("evaluations", "Of a model, by name.", (forms.Evaluation,)),
    ("snapshots", "Of the file.", (results.Folder,)),
    ("retention", "Of the file.", (results.Retention,)),
    ("links", "Of the file.", (results.Links,)),
    ("prometheus", "Of the file.", (results.Gauges,)),
)
_HOMES: Mapping[str, str] = {"Shared": "a-model"} | {
    form.__name__: title.lower().replace(" ", "-")
    for title, _, kinds in reversed(_SECTIONS)
    for form in kinds
}
_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
_PLAIN = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
}


def config_reference() -> str:
    """The Markdown of docs/configuration.md: every key with type, default, meaning and example."""
    parts = [_HEAD]
    for title, where, kinds in _SECTIONS:
        parts.append(f"## {title}\n")
        if where:
            parts.append(where + "\n")
        parts += [_table(form) for form in kinds]
    return "\n".join([*parts, _to_come()])


def row(cells: Iterable[str]) -> str:
    """A line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def inline(value: Any) -> str:
    """A value as YAML on one line, in code: `{path: data/*.parquet}`."""
    if isinstance(value, str) and value.startswith(("!env ", "!file ")):
        return f"`{value}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    wide = float("inf")
    text = yaml.safe_dump(
        [value], default_flow_style=True, width=wide, allow_unicode=True, sort_keys=False
    )
    return f"`{text.strip()[1:-1]}`"


def _table(form: type[Strict]) -> str:
    schema = form.model_json_schema()
    required, refused = schema.get("required", ()), unbuilt_keys(form)
    head = ["key", "type", "default", "meaning", "example"]
    lines = [f"{form.__doc__}\n", row(head), row(["---"] * len(head))]
    for name, field in schema["properties"].items():
        default = "**required**" if name in required else _default(field.get("default"))
        meaning = field["description"]
        if name in refused:
            meaning += f" **Not built yet, refused**: {refused[name]}."
        examples = ", ".join(map(inline, form.model_fields[name].examples or ()))
        lines.append(row([f"`{name}`", _type(field), default, meaning, examples]))
    return "\n".join(lines) + "\n"


def _default(value: Any) -> str:
    """Nothing where a missing key means nothing, or what its own table says."""
    return "" if value is None or isinstance(value, dict) else inline(value)


def _type(field: Mapping[str, Any]) -> str:
    """What a key takes, in words; that it may be null goes without saying."""
    if words := field.get("$comment"):
        return str(words)
    if ref := field.get("$ref"):
        home = _HOMES[ref.rpartition("/")[2]]
        return f"[{home.replace('-', ' ')}](#{home})"
    if "enum" in field:
        return "one of " + ", ".join(f"`{choice}`" for choice in field["enum"])
    if "anyOf" in field:
        found = dict.fromkeys(_type(x) for x in field["anyOf"] if x.get("type") != "null")
        return " or ".join(x for x in found if x != "whole number" or "number" not in found)
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if field.get("type") == "object":
        return f"names with {_type(_values(field))}"
    return ", ".join([_PLAIN[field["type"]], *_limits(field)])


def _values(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a mapping's values; of tags and the like pydantic leaves it out."""
    patterns = field.get("patternProperties") or {"": field.get("additionalProperties")}
    found: Mapping[str, Any] = next(iter(patterns.values()))
    return found


def _limits(field: Mapping[str, Any]) -> Iterator[str]:
    for key, words in _LIMITS.items():
        if key in field:
            yield f"{words} {field[key]:g}"


def _to_come() -> str:
    """What is refused for now: it would be worse to ignore it."""
    lines = [
        _TO_COME,
        row(["where", "what", "for now"]),
        row(["---"] * 3),
    ]
    for title, _, kinds in _SECTIONS:
        for form in kinds:
            lines += [
                row([f"[{title}](#{title.lower().replace(' ', '-')})", f"`{name}`", advice])
                for name, advice in unbuilt_keys(form).items()
            ]
    return "\n".join(lines) + "\n"
