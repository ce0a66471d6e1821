"""Whether a text is valid JSON or Python; texts are parsed, never run."""

from __future__ import annotations

import ast
import json
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Annotated, Any, Literal

from exporter.descriptors._registry import Result, Texts, descriptor
from exporter.options import Checked

JsonType = Literal["any", "string", "number", "integer", "boolean", "array", "object"]
DEEPEST = 200  # brackets in brackets: hostile nesting must not reach the interpreter's own bound
LONGEST = 100_000  # characters that are parsed as Python
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|([\[{])|([\]}])', re.DOTALL)
_LONGEST_NUMBER = 4_000  # digits that Python turns into an int
_warnings_lock = threading.Lock()


def _without_blank(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    if not keys:
        raise ValueError("expected one key at least")
    return keys


Keys = Annotated[dict[str, JsonType], Checked(_without_blank)]


class NotJsonError(ValueError):
    """A text that is no JSON, or is nested deeper than is read."""


def json_of(text: str) -> Any:
    """The value of strict JSON; a NotJsonError for what is none (NaN included) or too deep."""
    try:
        if _is_deep(text):
            raise NotJsonError("nested too deep")
        return json.loads(text, parse_int=_whole, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error)) from error


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < _LONGEST_NUMBER else Decimal(digits)


def _refuse_constant(name: str) -> None:
    raise NotJsonError(f"{name} is no JSON")


def _is_deep(text: str) -> bool:
    """Whether brackets stand deeper in each other than is read; few brackets need no closer look."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += bool(found[1]) - bool(found[2])
        if depth > DEEPEST:
            return True
    return False


@descriptor(kind="categorical", distinct=True)
def is_valid_json(texts: Texts) -> Result:
    """Whether the text is strict JSON (no NaN), nested 200 deep at most."""
    return [_is_json(text) for text in texts.to_pylist()]


def _is_json(text: str) -> bool:
    try:
        json_of(text)
    except NotJsonError:
        return False
    return True


@descriptor(kind="categorical", distinct=True)
def json_schema_match(texts: Texts, *, keys: Keys, exact: bool = False) -> Result:
    """Whether the text is a JSON object with these keys, none null, each of its type.

    Types are those of JSON (`integer`: without fraction; `any`: whatever is not null). With
    *exact* the object has no other keys.
    """
    return [_fits(text, keys, exact=exact) for text in texts.to_pylist()]


def _fits(text: str, keys: Mapping[str, JsonType], *, exact: bool) -> bool:
    try:
        found = json_of(text)
    except NotJsonError:
        return False
    if not isinstance(found, dict) or (exact and found.keys() != keys.keys()):
        return False
    return all(_is_of(found.get(key), kind) for key, kind in keys.items())


def _is_of(value: Any, kind: JsonType) -> bool:
    """Whether a JSON value is of a type; true is no number."""
    if isinstance(value, bool):
        return kind in ("boolean", "any")
    types: dict[JsonType, type | tuple[type, ...]] = {
        "any": object,
        "string": str,
        "number": (int, float, Decimal),
        "integer": (int, Decimal),
        "boolean": bool,
        "array": list,
        "object": dict,
    }
    return value is not None and isinstance(value, types[kind])


@descriptor(kind="categorical", distinct=True)
def is_valid_python(texts: Texts) -> Result:
    """Whether the text is Python of the interpreter's version: parsed, never run.

    Of texts beyond 100,000 characters nobody knows: they have no value.
    """
    with _without_warnings():
        return [None if len(text) > LONGEST else _is_python(text) for text in texts.to_pylist()]


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False  # Python itself refuses it; the last three: nested too deep
    return True


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Texts with doubtful escapes are no business of the log; filters belong to all threads."""
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
