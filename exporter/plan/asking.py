"""Entries as they stand under `metrics:` and `tests:`, presets spelt out: one metric or test each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from exporter.batch import Schema
from exporter.checks import OPERATORS
from exporter.distances import DRIFT_METHODS
from exporter.errors import Path, Problem, nearest
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.metrics.drift import COLUMN_DRIFT, EMBEDDINGS_DRIFT
from exporter.plan.describing import OWN_OPTIONS, read_by_preset
from exporter.plan.fitting import OUTCOMES, foreign_to, has_alike, lacking, outcome_columns, unlike
from exporter.presets import (
    METRICS,
    REQUIRED,
    TESTS,
    TEXT,
    WITH_FEATURES,
    Entry,
)
from exporter.profile.outcome import ScoreProfile

DRIFT, EMBEDDINGS = COLUMN_DRIFT, EMBEDDINGS_DRIFT


_OF_EVERY_TEST = {"critical", "alert"}


@dataclass
class Told:
    """The mistakes found so far, each once, and what is worth knowing beside them."""

    problems: list[Problem]
    hints: list[Problem] = field(default_factory=list)

    def __call__(self, at: Path, text: str) -> None:
        """Enter a mistake."""
        if not any(p.path == at and p.text == text for p in self.problems):
            self.problems.append(Problem(at, text))

    def hint(self, at: Path, text: str) -> None:
        """Enter what the user may want to know."""
        self.hints.append(Problem(at, text))


@dataclass(frozen=True, slots=True)
class Selector:
    """A list of columns, or a role, and where it is said."""

    wanted: Any
    at: Path


@dataclass(frozen=True, slots=True)
class Asked:
    """One metric or test as it was asked for."""

    spec: MetricSpec
    options: Mapping[str, Any]  # without `columns`
    selectors: Sequence[Selector]  # all of them must choose a column
    at: Path
    test: bool = False
    preset: bool = False
    narrowed: bool = False  # to the columns that its preset was given, which another part compares


@dataclass(frozen=True, slots=True)
class Asking:
    """Reads one list: that of the metrics, or that of the tests."""

    kind: Literal["metrics", "tests"]
    schema: Schema | None
    tell: Told
    presets: Mapping[str, Sequence[Entry]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "presets", TESTS if self.kind == "tests" else METRICS)

    def read(self, entries: Sequence[Entry], at: Path) -> list[Asked]:
        """Everything the list asks for."""
        if isinstance(entries, str | Mapping) or not isinstance(entries, Sequence):
            self.tell(at, "expected a list")
            return []
        return [asked for i, entry in enumerate(entries) for asked in self._entry(entry, (*at, i))]

    def _entry(self, entry: Any, at: Path) -> Iterator[Asked]:
        if isinstance(entry, str):
            name, options = entry, dict[str, Any]()
        elif isinstance(entry, Mapping) and len(entry) == 1:
            name, options = next(iter(entry.items()))
            at = (*at, name)
        else:
            self.tell(at, "expected a name, or one name with its options")
            return
        options = {} if options is None else options
        if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
            self.tell(at, "expected options, such as {columns: [age]}")
        elif name not in CATALOGUE and name not in self.presets and _is_evidently(name):
            yield from self._translated(name, options, at)
        else:
            yield from self._named(name, options, at)

    def _named(self, name: Any, options: Mapping[str, Any], at: Path) -> Iterator[Asked]:
        if name in self.presets:
            yield from self._preset(name, options, at)
        elif name in CATALOGUE:
            rest = {key: value for key, value in options.items() if key != "columns"}
            selectors = _selectors(options, (*at, "columns"))
            yield Asked(CATALOGUE[name], rest, selectors, at, test=self.kind == "tests")
        else:
            self.tell(at, self._unknown(name))

    def _translated(self, name: str, options: Mapping[str, Any], at: Path) -> Iterator[Asked]:
        """What one of Evidently's names stands for, with a hint at ours."""
        from exporter.evidently import translate

        found = translate(self.kind, name, options)
        for problem in found.problems:
            self.tell(at, problem)
        if found.hint:
            self.tell.hint(at, found.hint)
        for entry in found.entries:
            for asked in self._named(entry.name, entry.options, at):
                yield replace(asked, preset=asked.preset or entry.is_part)

    def _unknown(self, name: Any) -> str:
        other = METRICS if self.kind == "tests" else TESTS
        hint = ""
        if name in other:
            here, there = ("tests", "metrics") if self.kind == "tests" else ("metrics", "tests")
            hint = f" among the {here}: it is a preset of {there}"
        from exporter.evidently import UNDER_METRICS, UNDER_TESTS

        evidently = UNDER_TESTS if self.kind == "tests" else UNDER_METRICS
        known_names = [*CATALOGUE, *self.presets, *evidently]
        return f"there is no metric or preset {name!r}{hint}" + nearest(name, known_names)

    def _preset(self, name: str, given: Mapping[str, Any], at: Path) -> Iterator[Asked]:
        known = {"columns"} | (_OF_EVERY_TEST if self.kind == "tests" else set())
        if self.kind == "metrics" and name == TEXT:
            known |= set(OWN_OPTIONS)
            read = read_by_preset(given, self.schema, at, self.tell)
            if read is None:
                return
            given = read
        needed = REQUIRED.get(name) if self.kind == "tests" else None
        if needed and needed not in given:
            self.tell(at, f"{name} needs {needed!r}")
        taken = decisions(self.presets[name])
        narrowed = "columns" in given and {DRIFT: {"columns": "features"}} in self.presets[name]
        foreign, left = "", False
        for part in self.presets[name]:
            metric, fixed = (part, {}) if isinstance(part, str) else next(iter(part.items()))
            spec, fixed = CATALOGUE[metric], dict(fixed or {})
            own = (spec.options.keys() - fixed.keys()) | (_OF_EVERY_TEST & known)
            own -= taken if spec.id == DRIFT else set()
            known |= own
            own -= _of_others(spec, fixed, given)
            foreign = foreign or (foreign_to(spec, self.schema) if self.schema else "")
            if not self._out_of_place(spec, fixed.get("columns")):
                left = True
                part_of = _part(spec, fixed, given, own, at)
                part_of = replace(part_of, test=self.kind == "tests", narrowed=narrowed)
                yield part_of
                yield from self._texts(part_of)
        if foreign:
            self.tell(at, f"{name} {foreign}")
        elif not left:
            self.tell.hint(at, f"{name} gives nothing: the model has neither target nor prediction")
        for option in given.keys() - known:
            self.tell((*at, option), self._unknown_option(name, option, known))

    def _texts(self, part: Asked) -> Iterator[Asked]:
        """The texts among the features, by `auto`: a method for numbers or categories is not theirs."""
        method = DRIFT_METHODS.get(str(part.options.get("method")))
        of_features = any(s.wanted == "features" for s in part.selectors)
        if part.spec.id != DRIFT or method is None or "text" in method.kinds or not of_features:
            return
        if self.schema is not None and "text" in self.schema.kinds.values():
            said = {key: value for key, value in part.options.items() if key in _OF_EVERY_TEST}
            yield replace(
                part, options=said, selectors=(*part.selectors, Selector("text", part.at))
            )

    def _out_of_place(self, spec: MetricSpec, role: Any) -> bool:
        """Whether every batch of this model would only have the metric's error, or nothing."""
        if self.schema is None:
            return False
        if foreign_to(spec, self.schema) or lacking(spec, self.schema):
            return True
        if role in OUTCOMES and not outcome_columns(self.schema, role):
            return True
        if spec.id in WITH_FEATURES and not has_alike(spec, self.schema):
            return True
        return bool(unlike(spec, self.schema))

    def _unknown_option(self, name: str, option: str, known: set[str]) -> str:
        if option in (*OPERATORS, "name", "label"):
            return f"{option!r} belongs to one test: add that test beside the preset"
        return f"no part of preset {name!r} has the option {option!r}" + nearest(option, known)


def _of_others(spec: MetricSpec, fixed: Mapping[str, Any], given: Mapping[str, Any]) -> set[str]:
    """Options of drift that are not for these columns: texts and what describes them have methods of their own."""
    role = fixed.get("columns")
    if spec.id != DRIFT or role not in ("text", "descriptors"):
        return set()
    method = DRIFT_METHODS.get(str(given.get("method")))
    of_texts = method is not None and "text" in method.kinds
    options = set(spec.options)
    if role == "text":
        return set() if of_texts else options - {"words"}
    return options if of_texts else {"words"}


def decisions(parts: Iterable[Entry]) -> set[str]:
    """The options that in this preset say how a classifier decides: not when a column has drifted."""
    names = [part if isinstance(part, str) else next(iter(part)) for part in parts]
    specs = [CATALOGUE[name] for name in names]
    return {option for s in specs if ScoreProfile in s.reads for option in s.options}


def _is_evidently(name: Any) -> bool:
    """Whether it is one of Evidently's names; the tables are read only for a name that is none of ours."""
    from exporter.evidently import is_evidently

    return is_evidently(name)


def _part(
    spec: MetricSpec, fixed: dict[str, Any], given: Mapping[str, Any], own: set[str], at: Path
) -> Asked:
    """One part of a preset, with the options that it knows.

    What it says of features the user's `columns` narrow; the target stays the target.
    """
    options = {key: value for key, value in given.items() if key in own}
    role = fixed.pop("columns", None)
    selectors = [] if role is None else [Selector(role, at)]
    if role not in ("target", "prediction") and spec.per != "dataset":
        selectors += _selectors(given, (*at, "columns"))
    return Asked(spec, {**fixed, **options}, tuple(selectors), at, preset=True)


def _selectors(options: Mapping[str, Any], at: Path) -> tuple[Selector, ...]:
    return (Selector(options["columns"], at),) if "columns" in options else ()
