"""An entry with one of Evidently's names becomes entries of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from exporter.checks import OPERATORS
from exporter.evidently._forms import DRAWN, EVERYWHERE, Alias, columns_of
from exporter.evidently.elsewhere import COUNTED, ELSEWHERE
from exporter.evidently.reports import METRIC_PRESETS, METRICS_04, METRICS_07
from exporter.evidently.suites import TEST_PRESETS, TESTS, TESTS_07
from exporter.metrics import CATALOGUE
from exporter.presets import Entry

Kind = Literal["metrics", "tests"]

UNDER_METRICS: Mapping[str, Alias] = {**METRICS_04, **METRICS_07, **METRIC_PRESETS}
UNDER_TESTS: Mapping[str, Alias] = {**TESTS, **TEST_PRESETS, **METRICS_07, **TESTS_07}
AT_LENGTH = 2  # so many entries are told with their options
_OF_TESTS = (*OPERATORS, "critical", "name", "label", "alert")
_PLAIN = re.compile(r"[A-Za-z_][\w./ -]*")


@dataclass(frozen=True, slots=True)
class Named:
    """An entry of ours."""

    name: str
    options: Mapping[str, Any]
    is_part: bool = False  # of several: columns that it cannot read are left to the others


@dataclass(frozen=True, slots=True)
class Translated:
    """The entries, what to tell the user, and what is wrong with the options."""

    entries: tuple[Named, ...] = ()
    hint: str = ""
    problems: tuple[str, ...] = ()


def names_of(kind: Kind) -> Mapping[str, Alias]:
    """The names of Evidently's that may stand under `metrics:`, or under `tests:`."""
    return UNDER_TESTS if kind == "tests" else UNDER_METRICS


def is_evidently(name: Any) -> bool:
    """Whether it is one of Evidently's names, of whatever kind."""
    return isinstance(name, str) and (name in UNDER_METRICS or name in UNDER_TESTS)


def translate(kind: Kind, name: str, options: Mapping[str, Any]) -> Translated:
    """What an entry under one of Evidently's names is here; the caller checks it like any other.

    What stands in the other list, or has nothing like it here, gives a problem instead.
    """
    alias = names_of(kind).get(name)
    if alias is None:
        other = "metrics" if kind == "tests" else "tests"
        return Translated(
            problems=(f"{name} is one of Evidently's {other}: put it under `{other}`",)
        )
    if alias.instead:
        return Translated(problems=(f"Evidently's {name} is not here: {alias.instead}",))
    reading = _Reading(alias, options)
    if kind == "metrics" and "column_type" in options:  # all types are told at once
        reading.ours.pop("label", None)
    whole = kind == "metrics" or name in TEST_PRESETS
    wanted = alias.entries if whole else alias.entries[:1]
    entries = tuple(reading.entries(wanted, kind))
    notes = [alias.note] if alias.note else []
    notes += [f"{option} only draws: it has no effect" for option in reading.drawn]
    hint = "; ".join((f"{name} is {_listed(entries)} here", *notes))
    return Translated(entries, hint, tuple(reading.problems))


def said(entry: Named) -> str:
    """An entry as it would stand in the YAML, on one line."""
    options = entry.options
    return f"{{{entry.name}: {_flow(options)}}}" if options else entry.name


def _listed(entries: tuple[Named, ...]) -> str:
    """All of them, one after the other; of many the names."""
    if len(entries) <= AT_LENGTH:
        return " and ".join(map(said, entries))
    return ", ".join(dict.fromkeys(entry.name for entry in entries))


class _Reading:
    """The options of one entry, read as ours."""

    def __init__(self, alias: Alias, options: Mapping[str, Any]) -> None:
        self.alias = alias
        self.problems: list[str] = []
        self.drawn: list[str] = []
        self.by_kind: dict[str, Any] = {}
        self.ours: dict[str, Any] = {}
        for option, value in options.items():
            self._read(option, value)

    def entries(self, parts: Iterable[Entry], kind: Kind) -> Iterator[Named]:
        """The parts, each with the options that it can have; what none has stands in the first."""
        named = [_named(part) for part in parts]
        takers = {o: [n for n, _ in named if _takes(n, o)] or [named[0][0]] for o in self.ours}
        for name, fixed in named:
            own = {o: value for o, value in self.ours.items() if name in takers[o]}
            judged = any(op in own for op in OPERATORS)  # the user's condition, not the table's
            kept = {k: v for k, v in fixed.items() if not (judged and k in OPERATORS)}
            yield Named(name, {**kept, **own}, is_part=len(named) > 1)
        yield from self._by_kind(kind)

    def _read(self, option: str, value: Any) -> None:
        own = self.alias.options.get(option)
        if self.alias.by_kind and option in _BY_KIND:
            self.by_kind[_BY_KIND[option]] = value
        elif self.alias.counts and (option in _BY_KIND or option in _OF_DRIFT):
            self.problems.append(COUNTED.format(option))
        elif callable(own):
            self.ours |= own(value)
        elif own is not None:
            self.ours |= columns_of(value) if own == "columns" else {own: value}
        elif option in EVERYWHERE:
            self.ours |= EVERYWHERE[option](value)
        elif option in DRAWN:
            self.drawn.append(option)
        elif option in ELSEWHERE or option.endswith("tests"):
            self.problems.append(ELSEWHERE.get(option, ELSEWHERE["tests"]).format(option))
        else:
            self.ours[option] = value

    def _by_kind(self, kind: Kind) -> Iterator[Named]:
        """Methods by kind as presets of these columns, those by column as entries of their own."""
        given = self.by_kind
        for role in ("numerical", "categorical", "text"):
            method, threshold = given.get(f"{role} method"), given.get(f"{role} threshold")
            if options := _some(method=method, threshold=threshold):
                name = "data_drift" if kind == "metrics" else "column_drift"
                yield Named(name, {"columns": role, **options})
        methods, thresholds = _mapping(given.get("method of")), _mapping(given.get("threshold of"))
        for column in dict.fromkeys((*methods, *thresholds)):
            options = _some(method=methods.get(column), threshold=thresholds.get(column))
            yield Named("column_drift", {"columns": [column], **options})
        if sets := given.get("embeddings"):
            method = _some(method=given.get("embeddings method"))
            yield Named("embeddings_drift", {"columns": sets, **method})
        if "share" in given and kind == "tests":
            yield Named("drifted_columns_ratio", {"lt": given["share"]})
        elif "share" in given:
            self.problems.append(ELSEWHERE["drift_share"].format("drift_share"))


_OF_DRIFT = ("columns", "method", "stattest", "stattest_threshold", "threshold")
_BY_KIND = {
    "drift_share": "share",
    "embeddings": "embeddings",
    "embeddings_drift_method": "embeddings method",
    "per_column_method": "method of",
    "per_column_stattest": "method of",
    "per_column_stattest_threshold": "threshold of",
    "per_column_threshold": "threshold of",
    **{
        f"{short}_{old}": f"{role} {new}"
        for short, role in (("num", "numerical"), ("cat", "categorical"), ("text", "text"))
        for old, new in (
            ("method", "method"),
            ("stattest", "method"),
            ("stattest_threshold", "threshold"),
            ("threshold", "threshold"),
        )
    },
}


def _some(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _named(entry: Entry) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    ((name, options),) = entry.items()
    return name, dict(options or {})


def _takes(name: str, option: str) -> bool:
    """Whether an entry can have the option; a preset hands on what any part can have."""
    spec = CATALOGUE.get(name)
    if spec is None or option in _OF_TESTS:
        return True
    return option in spec.options if option != "columns" else spec.per != "dataset"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if (
        isinstance(value, str)
        and _PLAIN.fullmatch(value)
        and value not in ("true", "false", "null")
    ):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
