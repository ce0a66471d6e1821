"""The scalars of the format: each is one annotated type that says what it expects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    JsonValue,
    WithJsonSchema,
    WrapValidator,
)

from exporter.errors import nearest
from exporter.yaml import Secret

# Where a sample was scraped: several exporters on one store, one after another or at once, differ in nothing else.
REPLICA_LABELS = ("instance", "job", "pod", "node", "pod_template_hash")
# Labels of our own gauges and alerts, and names that Prometheus or its scrape gives a meaning to.
RESERVED_TAGS = frozenset((
    *REPLICA_LABELS,
    "project", "model", "evaluation", "segment", "column", "label", "metric", "test", "bound",
    "status", "critical", "name", "batch", "method", "threshold", "q", "k", "n", "left", "right",
    "pattern", "values", "categories", "le", "quantile", "severity", "component",
    "alertname", "dashboard", "report", "runbook", "reason", "stream",
))  # fmt: skip
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2629800, "y": 31557600}
_DURATION = r"^\d{1,9}(\.\d{1,6})?(s|m|h|d|w|mo|y)$"
_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
_ADDRESS = r"^https?://[^\x00-\x20/?#\"'<>\\]+(/[^\x00-\x20?#\"'<>\\]*)?$"
_STORE = r"^(embedded$|postgres(ql)?://)"
_LONGEST = 1000 * _UNITS["y"]
UNBUILT = "x-unbuilt"
Scalar = str | int | float | bool


class _Wrong(ValueError):  # noqa: N818  it never leaves pydantic
    """A value of a type that is not expected."""


class Strict(BaseModel):
    """No key that is not known, no value that is silently turned into another type, or changes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


def unbuilt(advice: str) -> dict[str, JsonValue]:
    """Marks a key whose feature is to come: it is refused with this advice, never ignored."""
    return {UNBUILT: advice}


def unbuilt_keys(form: type[Strict]) -> dict[str, str]:
    """The keys of a form that are refused for now, each with what to do instead."""
    marks = {name: field.json_schema_extra for name, field in form.model_fields.items()}
    return {n: str(mark[UNBUILT]) for n, mark in marks.items() if isinstance(mark, dict)}


def text_of(value: Scalar) -> str:
    """The canonical text of a value that stands for a category: `1`, never `1.0`; `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def either(forms: Mapping[str, type[Strict]]) -> BeforeValidator:
    """Which of several forms is meant is seen by its first key; only that form's mistakes are told."""

    def choose(value: Any) -> Any:
        if isinstance(value, Strict):
            return value
        keys = list(value) if isinstance(value, Mapping) else []
        chosen = [key for key in forms if key in keys]
        if not chosen:
            hints = (nearest(key, forms) for key in keys)
            wanted = ", ".join(f"{{{key}: …}}" for key in forms)
            raise ValueError(f"expected one of {wanted}{next(filter(None, hints), '')}")
        form = forms[chosen[0]]
        for other in chosen[1:]:
            if other not in form.model_fields:
                raise ValueError(f"{chosen[0]!r} and {other!r} exclude each other")
        return form.model_validate(value)

    return BeforeValidator(choose)


def removable() -> WrapValidator:
    """Null where a name takes away what the defaults have; it never leaves `merged`."""

    def check(value: Any, rest: Callable[[Any], Any]) -> Any:
        return None if value is None else rest(value)

    return WrapValidator(check)


def _seconds(value: Any) -> float:
    if value == 0 and not isinstance(value, bool):
        return 0.0
    hit = re.fullmatch(_DURATION[1:-1], value) if isinstance(value, str) else None
    if hit is None:
        raise ValueError("expected a duration such as 30m, 2h, 7d, 4w, 1mo or 2y")
    unit = hit[2]
    seconds = float(value.removesuffix(unit)) * _UNITS[unit]
    if seconds > _LONGEST:
        raise ValueError("expected a duration of at most 1000y")
    return seconds


def _positive_seconds(value: Any) -> float:
    seconds = _seconds(value)
    if seconds <= 0:
        raise ValueError("expected a duration above zero")
    return seconds


def _text(value: Any) -> str:
    if not isinstance(value, str):
        quoted = ": put it in quotes" if isinstance(value, int | float) else ""
        raise _Wrong(f"expected text{quoted or _found(value)}")
    if not value.strip():
        raise ValueError("expected text, found nothing")
    if "\0" in value:
        raise ValueError("a NUL character cannot be stored: take it out")
    return value


def _zone(value: Any) -> str:
    from zoneinfo import ZoneInfo

    if not isinstance(value, str) or not value:
        raise ValueError("expected the name of a time zone such as Europe/Berlin")
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        hint = nearest(value, available_timezones())
        raise ValueError(f"there is no time zone {value!r}{hint}") from None
    return value


def _tag(value: Any) -> str:
    if isinstance(value, str) and value in RESERVED_TAGS:
        raise ValueError(f"tag {value!r} is a label of its own in Prometheus: choose another name")
    if not isinstance(value, str) or not re.fullmatch(_LABEL[1:-1], value):
        raise ValueError(
            "a tag is a label in Prometheus: letters, digits and '_' only, no digit first"
        )
    if value.startswith("__"):
        raise ValueError("labels that begin with '__' are Prometheus' own: choose another name")
    return value


def scalar(value: Any) -> Scalar:
    """The value, if it is text, a number, true or false that can be stored."""
    if not isinstance(value, Scalar):
        raise _Wrong(f"expected text, a number, true or false{_found(value)}")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a NUL character cannot be stored: take it out")
    return value


def _number_or_text(value: Any) -> str | float | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(f"expected text, a number or null{_found(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("expected a number that a float can hold") from None


def _store(value: Any) -> str | Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or not re.match(_STORE, value):
        near = nearest(value, ["embedded"]) if isinstance(value, str) and len(value) < 20 else ""
        raise ValueError(f"expected embedded, postgresql://…, !env NAME or !file PATH{near}")
    return value


def _url(value: Any) -> str | Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or "://" not in value:
        raise ValueError("expected a URL such as postgresql://…, !env NAME or !file PATH")
    return value


def _address(value: Any) -> str:
    """An address as it may stand before a path: no slash at its end."""
    if not isinstance(value, str):
        raise _Wrong(f"expected an address such as https://host.example{_found(value)}")
    if not re.fullmatch(_ADDRESS[1:-1], value):
        raise ValueError("expected an address such as https://host.example, http or https only")
    if "@" in value.split("/")[2]:
        raise ValueError("an address that everybody is shown holds no user and no password")
    try:
        urlsplit(value).port  # noqa: B018  raises where it is none
    except ValueError:
        raise ValueError("expected a port below 65536, as in http://127.0.0.1:9877") from None
    return value.rstrip("/")


def _found(value: Any) -> str:
    if value is None:
        return ", found nothing"
    if isinstance(value, Mapping):
        return ", found a mapping"
    return ", found a list" if isinstance(value, Sequence) else ""


def _text_schema(words: str, **rest: Any) -> WithJsonSchema:
    """The schema of a scalar; `$comment` holds the words that the documentation has for it."""
    return WithJsonSchema({"type": "string", "$comment": words, **rest})


Text = Annotated[str, BeforeValidator(_text), _text_schema("text", minLength=1)]
Zone = Annotated[str, BeforeValidator(_zone), _text_schema("time zone", minLength=1)]
Tag = Annotated[str, BeforeValidator(_tag), _text_schema("text", pattern=r"^(?!__)" + _LABEL[1:])]
Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {"$comment": "duration", "anyOf": [{"type": "string", "pattern": _DURATION}, {"const": 0}]}
    ),
]
Span = Annotated[
    float,
    BeforeValidator(_positive_seconds),
    _text_schema("duration", pattern=r"^(?!0+(\.0+)?[a-z])" + _DURATION[1:]),
]
AnyScalar = Annotated[Scalar, BeforeValidator(scalar)]
Missing = Annotated[str | float | None, BeforeValidator(_number_or_text)]
# An editor sees of `!env NAME` only NAME: it could not tell a wrong address from a right name.
Store = Annotated[
    str | Secret,
    BeforeValidator(_store),
    _text_schema("`embedded`, `postgresql://…`, `!env` or `!file`", minLength=1),
]
Url = Annotated[
    str | Secret, BeforeValidator(_url), _text_schema("URL, `!env` or `!file`", minLength=1)
]
Address = Annotated[
    str, BeforeValidator(_address), _text_schema("http(s) address", pattern=_ADDRESS)
]
