"""What to evaluate, resolved: presets spelt out, options and columns checked; config and Python API both build it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.batch import Schema
from exporter.checks import OPERATORS, Check, Mode, Relative
from exporter.distances import DRIFT_METHODS
from exporter.errors import Path, PlanError, Problem, nearest
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.presets import METRICS, ROLES, TESTS, Entry
from exporter.profile.histogram import Grid

DRIFT = "column_drift"
OUTCOMES = ("ErrorProfile", "ScoreProfile")


@dataclass(frozen=True, slots=True)
class Use:
    """A metric with its options and, where it is per column, its columns; None = all that it can read."""

    spec: MetricSpec
    params: Mapping[str, Any]
    columns: tuple[str, ...] | None = None
    preset: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The uses and tests of one evaluation."""

    uses: tuple[Use, ...]
    schema: Schema
    checks: tuple[Check, ...] = ()
    mode: Mode = "directional"
    min_rows: int = 30
    grids: Mapping[str, Grid] = field(default_factory=dict)  # of distributions; empty: see evaluation

    def for_column(self, name: str) -> list[Use]:
        """The column metrics that look at this column."""
        return [
            u
            for u in self.uses
            if u.spec.per == "column" and (u.columns is None or name in u.columns)
        ]

    def for_dataset(self) -> list[Use]:
        """The dataset metrics."""
        return [u for u in self.uses if u.spec.per == "dataset"]

    def columns(self) -> list[str]:
        """The columns that must be profiled: all, where a figure is read from the whole table."""
        whole = any(r.__name__ == "TableProfile" for u in self.uses for r in u.spec.reads)
        return [c for c in self.schema.columns() if whole or self.for_column(c)]

    @property
    def needs_target(self) -> bool:
        """Whether any figure is read from the target."""
        named = {c for u in self.uses for c in u.columns or ()}
        return self.schema.target in named or any(
            r.__name__ in OUTCOMES for u in self.uses for r in u.spec.reads
        )


@dataclass(frozen=True, slots=True)
class _Single:
    """One metric or test as it was asked for."""

    spec: MetricSpec
    options: Mapping[str, Any]
    at: Path
    preset: bool


@dataclass
class _Builder:
    schema: Schema | None
    mode: Mode
    problems: list[Problem]

    def problem(self, at: Path, text: str) -> None:
        if not any(p.path == at and p.text == text for p in self.problems):
            self.problems.append(Problem(at, text))

    # ---- entries -> singles
    def singles(
        self, entries: Sequence[Entry], presets: Mapping[str, Sequence[Entry]], at: Path
    ) -> list[_Single]:
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            self.problem(at, "expected a list")
            return []
        return [
            s for i, entry in enumerate(entries) for s in self._spelt_out(entry, presets, (*at, i))
        ]

    def _spelt_out(
        self, entry: Any, presets: Mapping[str, Sequence[Entry]], at: Path
    ) -> list[_Single]:
        if isinstance(entry, str):
            name, options = entry, dict[str, Any]()
        elif isinstance(entry, Mapping) and len(entry) == 1:
            name, options = next(iter(entry.items()))
            at = (*at, name)
        else:
            self.problem(at, "expected a name, or one name with its options")
            return []
        if options is None:
            options = {}
        if not isinstance(options, Mapping):
            self.problem(at, f"the options of {name} must be a mapping")
            return []
        if name in presets:
            return self._preset(str(name), presets[name], options, at)
        if name not in CATALOGUE:
            other = METRICS if presets is TESTS else TESTS
            hint = (
                " (it is a preset of metrics, not of tests)"
                if name in METRICS and other is METRICS
                else ""
            )
            self.problem(
                at,
                f"there is no metric or preset {name!r}{hint}"
                + nearest(name, [*CATALOGUE, *presets]),
            )
            return []
        return [_Single(CATALOGUE[name], options, at, preset=False)]

    def _preset(
        self, name: str, parts: Sequence[Entry], given: Mapping[str, Any], at: Path
    ) -> list[_Single]:
        out, used = [], set()
        for part in parts:
            metric, fixed = (part, {}) if isinstance(part, str) else next(iter(part.items()))
            spec, fixed = CATALOGUE[metric], dict(fixed or {})
            mine = {k: v for k, v in given.items() if k in spec.options or k == "critical"}
            if (
                "columns" in given
                and spec.per == "column"
                and fixed.get("columns") in (None, "features", "numerical", "categorical")
            ):
                mine["columns"] = (
                    [c for c in given["columns"] if self._fits(spec, c, fixed.get("columns"))]
                    if isinstance(given["columns"], list)
                    else given["columns"]
                )
                used.add("columns")
            used |= mine.keys()
            if mine.get("columns") == []:
                continue
            if fixed.pop("optional", False) and self.schema and not self.schema.probability:
                continue
            out.append(_Single(spec, {**fixed, **mine}, at, preset=True))
        for option in given.keys() - used:
            known = {
                o
                for p in parts
                for o in CATALOGUE[p if isinstance(p, str) else next(iter(p))].options
            } | {"columns", "critical"}
            text = (
                "a condition belongs to one test: add it beside the preset"
                if option in OPERATORS
                else f"no part of preset {name!r} has the option {option!r}"
                + nearest(option, known)
            )
            self.problem((*at, option), text)
        return out

    def _fits(self, spec: MetricSpec, column: str, role: Any) -> bool:
        if self.schema is None or role not in ("numerical", "categorical"):
            return True
        return self.schema.kinds.get(column, role) == role

    # ---- columns
    def columns(self, single: _Single, wanted: Any) -> tuple[str, ...] | None:
        spec, at = single.spec, (*single.at, "columns")
        if spec.per != "column":
            if wanted is not None:
                self.problem(at, f"{spec.id} is a figure of the whole batch and takes no columns")
            return None
        if wanted is None:
            return self.schema.features if spec.id == DRIFT and self.schema else None
        if isinstance(wanted, str):
            if wanted not in ROLES:
                self.problem(
                    at,
                    f"expected a list of columns or one of {', '.join(ROLES)}"
                    + nearest(wanted, ROLES),
                )
                return ()
            return self._role(wanted, single)
        if not isinstance(wanted, list) or not all(isinstance(c, str) for c in wanted):
            self.problem(at, "expected a list of column names")
            return ()
        if self.schema is not None and self.schema.kinds:
            for i, column in enumerate(wanted):
                if column not in self.schema.kinds:
                    self.problem(
                        (*at, i),
                        f"{column!r} is not among the model's columns"
                        + nearest(column, self.schema.kinds),
                    )
        return tuple(wanted)

    def _role(self, role: str, single: _Single) -> tuple[str, ...] | None:
        if role == "all" or self.schema is None:
            return None
        if role in ("target", "prediction"):
            name = self.schema.target if role == "target" else self.schema.score
            if name is None and not single.preset:
                self.problem((*single.at, "columns"), f"the model has no {role}")
            return (name,) if name else ()
        chosen = self.schema.features
        return (
            chosen
            if role == "features"
            else tuple(c for c in chosen if self.schema.kinds[c] == role)
        )

    # ---- options
    def params(self, single: _Single, given: Mapping[str, Any]) -> dict[str, Any] | None:
        from pydantic import ValidationError

        try:
            params = single.spec.params(given)
        except ValidationError as error:
            for e in error.errors(include_url=False):
                self.problem((*single.at, *e["loc"]), _said(e, single.spec))
            return None
        if single.spec.id == DRIFT:
            if params["method"] not in ("auto", *DRIFT_METHODS):
                self.problem(
                    (*single.at, "method"),
                    f"there is no drift method {params['method']!r}"
                    + nearest(params["method"], DRIFT_METHODS),
                )
                return None
        return params

    # ---- metrics
    def uses(self, singles: Sequence[_Single]) -> list[Use]:
        out: dict[str, Use] = {}
        for single in singles:
            options = dict(single.options)
            columns = self.columns(single, options.pop("columns", None))
            params = self.params(single, options)
            if params is None or columns == ():
                continue
            use = Use(single.spec, params, columns, single.preset)
            if single.spec.id == DRIFT:
                self._one_method(out, use, single)
            out.setdefault(repr((use.spec.id, use.params, use.columns)), use)
        return [u for u in out.values() if u.columns != ()]

    def _one_method(self, out: dict[str, Use], new: Use, single: _Single) -> None:
        """A column has one drift method: an explicit use takes its columns out of a preset's."""
        for key, old in list(out.items()):
            both = set(old.columns or ()) & set(new.columns or ())
            if old.spec.id != DRIFT or not both or old.params == new.params:
                continue
            if not old.preset and not new.preset:
                self.problem(single.at, f"column {min(both)!r} has two drift methods")
            elif old.preset:
                out[key] = replace(
                    old, columns=tuple(c for c in old.columns or () if c not in both)
                )

    # ---- tests
    def checks(self, singles: Sequence[_Single], uses: Sequence[Use]) -> list[Check]:
        out: list[Check] = []
        for single in singles:
            for check in self._checks(single, uses):
                self._enter(out, check)
        return [c for c in out if c.columns != ()]

    def _checks(self, single: _Single, uses: Sequence[Use]) -> list[Check]:
        options = dict(single.options)
        columns = self.columns(single, options.pop("columns", None))
        conditions = tuple(
            (op, self._value(op, options.pop(op), (*single.at, op)))
            for op in OPERATORS
            if op in options
        )
        critical, name, label = (
            options.pop("critical", True),
            options.pop("name", single.spec.id),
            options.pop("label", None),
        )
        if not isinstance(critical, bool):
            self.problem((*single.at, "critical"), "expected true or false")
            critical = True
        params = self.params(single, options)
        if params is None or columns == ():
            return []
        if options and single.spec.automatic is None and not conditions:
            self.problem(
                single.at,
                f"{single.spec.id} has no automatic condition: say one of {', '.join(OPERATORS)}",
            )
        check = Check(
            str(name),
            single.spec,
            params,
            columns,
            conditions,
            critical,
            label,
            single.preset,
            single.at,
        )
        if options:
            return [check]
        return self._inherited(check, uses)

    def _inherited(self, check: Check, uses: Sequence[Use]) -> list[Check]:
        """A test without options takes those of the same metric in its evaluation, column by column."""
        mine = [u for u in uses if u.spec.id == check.spec.id]
        if not mine:
            return [check]
        if check.spec.per == "dataset" or check.columns is None:
            different = {repr(u.params) for u in mine}
            if len(different) > 1 and check.columns is None and self.schema is not None:
                self.problem(
                    check.at,
                    f"{check.spec.id} is used with different options: say which this test means",
                )
            return [replace(check, params=mine[0].params)]
        groups: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
        for column in check.columns:
            found = next(
                (u.params for u in mine if u.columns is None or column in u.columns), check.params
            )
            groups.setdefault(repr(found), (found, []))[1].append(column)
        return [replace(check, params=p, columns=tuple(cs)) for p, cs in groups.values()]

    def _enter(self, out: list[Check], new: Check) -> None:
        """An explicit test replaces a preset's on the same figure; two explicit ones need names."""
        for i, old in enumerate(out):
            if (old.name, old.label, dict(old.params)) != (new.name, new.label, dict(new.params)):
                continue
            mine = set(new.columns) if new.columns is not None else None
            theirs = set(old.columns) if old.columns is not None else None
            both = mine & theirs if mine is not None and theirs is not None else mine or theirs
            if both == set() or (old.preset and new.preset and both == theirs == mine):
                if both != set():
                    return
                continue
            if not old.preset and not new.preset:
                self.problem(
                    new.at,
                    f"a second test of {new.spec.id} on the same figure needs a name: of its own",
                )
            elif old.preset and old.columns is not None:
                out[i] = replace(
                    old, columns=tuple(c for c in old.columns if mine is not None and c not in mine)
                )
            elif old.preset and mine is None:
                out[i] = replace(old, columns=())
            elif old.preset and self.schema:
                rest = tuple(c for c in self.schema.columns() if mine is None or c not in mine)
                out[i] = replace(old, columns=rest)
        out.append(new)

    def _value(self, op: str, value: Any, at: Path) -> Any:
        if op in ("in", "not_in", "between"):
            if not isinstance(value, list) or (op == "between" and len(value) != 2):
                self.problem(
                    at, "expected [lower, upper]" if op == "between" else "expected a list"
                )
                return [0, 0]
            return value
        if isinstance(value, Mapping):
            for key in value.keys() - {"reference", "relative", "absolute"}:
                self.problem(
                    (*at, key),
                    f"there is no key {key!r}"
                    + nearest(key, ["reference", "relative", "absolute"]),
                )
            return Relative(float(value.get("relative", 0.0)), float(value.get("absolute", 0.0)))
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.problem(at, "expected a number, or {reference: true, relative: …}")
            return 0.0
        return float(value)


def make_plan(
    metrics: Sequence[Entry],
    schema: Schema | None,
    *,
    tests: Sequence[Entry] = (),
    automatic_tests: Mode = "directional",
    min_rows: int | None = None,
    at: Path = (),
    problems: list[Problem] | None = None,
) -> Plan:
    """Resolve entries as they stand under `metrics:` and `tests:`; every mistake is found, not the first only."""
    found: list[Problem] = [] if problems is None else problems
    builder = _Builder(schema, automatic_tests, found)
    uses = builder.uses(builder.singles(metrics, METRICS, (*at, "metrics")))
    checks = builder.checks(builder.singles(tests, TESTS, (*at, "tests")), uses)
    for check in checks:
        _need(uses, Use(check.spec, check.params, check.columns))
        auto = check.spec.automatic
        if auto and auto.beside and auto.beside.spread and not check.conditions:
            _need(uses, Use(CATALOGUE[auto.beside.spread], {}, None))
    if schema and any(
        r.__name__ == "DriftRows" for u in uses for r in u.spec.reads
    ):  # they count columns: of the features
        _need(
            uses,
            Use(
                CATALOGUE[DRIFT],
                builder.params(_Single(CATALOGUE[DRIFT], {}, at, preset=True), {}) or {},
                schema.features,
            ),
        )
    if problems is None and found:
        raise PlanError("\n".join(f"{'.'.join(map(str, p.path))}: {p.text}" for p in found))
    rows = (0 if automatic_tests == "evidently" else 30) if min_rows is None else min_rows
    return Plan(tuple(uses), schema or Schema({}, ()), tuple(checks), automatic_tests, rows)


def _need(uses: list[Use], wanted: Use) -> None:
    """What a test reads is a metric of the evaluation, whether it was asked for or not."""
    same = [u for u in uses if u.spec.id == wanted.spec.id and u.params == wanted.params]
    if any(u.columns is None for u in same):
        return
    if wanted.columns is None:
        for u in same:
            uses.remove(u)
        uses.append(wanted)
        return
    if wanted.spec.id == DRIFT:
        same = [u for u in uses if u.spec.id == DRIFT]
    covered = {c for u in same for c in u.columns or ()}
    rest = tuple(c for c in wanted.columns if c not in covered)
    if rest:
        uses.append(replace(wanted, columns=rest))


def _said(error: Any, spec: MetricSpec) -> str:
    if error["type"] == "extra_forbidden":
        known = [
            *spec.options,
            "columns",
            *OPERATORS,
            "critical",
            "name",
            "label",
        ]
        return f"{spec.id} has no option {error['loc'][-1]!r}" + nearest(error["loc"][-1], known)
    if error["type"] == "missing":
        return f"{spec.id} needs {error['loc'][-1]!r}"
    text = str(error["msg"])
    return text[0].lower() + text[1:]
