"""What pydantic says of a wrong form, in our words, with the nearest name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exporter.config import forms, results
from exporter.config.fields import Strict
from exporter.errors import Path, Problem, nearest
from exporter.yaml import Secret

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a number",
}
_LIMITS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
_FORMS: Mapping[str, tuple[type[Strict], ...]] = {
    "source": (forms.Files, forms.Query),
    "reference": (forms.Files, forms.Query, forms.Rolling, forms.Previous),
    "columns": (forms.Columns,),
    "labels": (forms.Labels,),
    "ranking": (forms.Ranking,),
    "retention": (results.Retention,),
    "links": (results.Links,),
    "prometheus": (results.Gauges,),
    "snapshots": (results.Folder,),
    "defaults": (forms.Shared,),
}
_NAMED: Mapping[str, tuple[type[Strict], ...]] = {
    "segments": (forms.Segment,),
    "tags": (forms.FromColumn,),
    "evaluations": (forms.Evaluation,),
}


def problem_of(error: Any) -> Problem:
    """One of pydantic's errors as a problem; what was given is never repeated, it may be secret."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    if error["type"] == "extra_forbidden":
        known = {name for form in _forms_at(path[:-1]) for name in form.model_fields}
        return Problem(path, f"there is no key {path[-1]!r} here{nearest(path[-1], known)}")
    if error["type"] == "missing":
        return Problem(path[:-1], f"{path[-1]!r} is missing")
    if isinstance(error["input"], Secret):
        return Problem(path, "!env and !file are for `store` and `url` only: write the value here")
    return Problem(path, _said(error))


def _said(error: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _EXPECTED:
        found = ", found nothing" if error["input"] is None else ""
        return f"expected {_EXPECTED[kind]}{found}"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"expected {context['expected']}" + nearest(error["input"], choices)
    for limit, words in _LIMITS.items():
        if limit in context:
            return f"expected {words} {context[limit]:g}"
    if kind == "too_short":
        return "expected at least one entry"
    text = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    return text[0].lower() + text[1:]


def _forms_at(path: Path) -> tuple[type[Strict], ...]:
    """The forms of which one stands at *path*."""
    match path:
        case ():
            return (forms.Config,)
        case ("models", _):
            return (forms.Model,)
        case ("models", _, *rest) | ("defaults", *rest) if rest:
            return _inside(rest)
        case (str(name),):
            return _FORMS.get(name, ())
    return ()


def _inside(path: list[int | str]) -> tuple[type[Strict], ...]:
    match path:
        case ["columns", "time"]:
            return (forms.Time,)
        case ["ranking", "train"]:
            return (forms.Files,)
        case ["ranking", "items"]:
            return (forms.Items,)
        case [_, _, "reference"]:
            return _FORMS["reference"]
        case [str(name), _]:
            return _NAMED.get(name, ())
        case [str(name)]:
            return _FORMS.get(name, ())
    return ()
