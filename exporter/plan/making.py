"""From wishes to a plan: metrics and tests resolved, every mistake found, not the first only."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exporter.batch import Schema
from exporter.checks import OPERATORS, Check, Condition, Mode, read_conditions, shared_params
from exporter.errors import Path, Problem, refuse
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.metrics.drift import DriftRows
from exporter.plan.alerting import read_alert
from exporter.plan.asking import DRIFT, EMBEDDINGS, Asked, Asking, Told
from exporter.plan.choosing import Choosing
from exporter.plan.drifting import Drifting
from exporter.plan.overlaps import enter
from exporter.plan.pairing import paired
from exporter.plan.resolved import Plan, Use
from exporter.presets import Entry

DEFAULT_MIN_ROWS: Mapping[Mode, int] = {"directional": 30, "evidently": 0}
Group = tuple[Mapping[str, Any], tuple[str, ...] | None, frozenset[str]]
_OWN = (*OPERATORS, "critical", "name", "label", "alert")


def make_plan(
    metrics: Sequence[Entry],
    schema: Schema | None,
    *,
    tests: Sequence[Entry] = (),
    automatic_tests: Mode = "directional",
    min_rows: int | None = None,
    at: Path = (),
    problems: list[Problem] | None = None,
    hints: list[Problem] | None = None,
    reference_expected: bool = False,
) -> Plan:
    """The plan that entries as they stand under `metrics:` and `tests:` ask for.

    Without a schema, or with one whose columns are not known yet, columns are taken as they are
    named. `reference_expected` says that a reference is configured: conditions for those who have
    none are left out. Mistakes go to *problems*, with their paths under *at*; without that list
    they raise one PlanError that has them all. Names of Evidently's go to *hints*, with ours.
    """
    found: list[Problem] = [] if problems is None else problems
    told = Told(found, [] if hints is None else hints)
    maker = _Maker(schema, told, reference_expected=reference_expected)
    plan_of = maker.read(metrics, tests, at)
    if automatic_tests not in DEFAULT_MIN_ROWS:
        maker.tell((*at, "automatic_tests"), "expected directional or evidently")
        automatic_tests = "directional"
    if problems is None:
        refuse(found)
    rows = DEFAULT_MIN_ROWS[automatic_tests] if min_rows is None else min_rows
    uses = tuple(map(_as_evidently, plan_of.uses)) if automatic_tests == "evidently" else None
    return replace(plan_of, uses=uses or plan_of.uses, mode=automatic_tests, min_rows=rows)


def _as_evidently(use: Use) -> Use:
    """The use with Evidently's own figure, where the metric has one."""
    other = use.spec.evidently
    return replace(use, spec=replace(use.spec, compute=other)) if other else use


@dataclass
class _Maker:
    schema: Schema | None
    tell: Told
    reference_expected: bool
    uses: list[Use] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    choosing: Choosing = field(init=False)
    drifting: Mapping[str, Drifting] = field(init=False)

    def __post_init__(self) -> None:
        self.choosing = Choosing(self.schema, self.tell)
        self.drifting = {name: Drifting(name, self.tell) for name in (DRIFT, EMBEDDINGS)}

    def read(self, metrics: Sequence[Entry], tests: Sequence[Entry], at: Path) -> Plan:
        """The plan; its mode and least rows are the caller's."""
        wanted = Asking("metrics", self.schema, self.tell).read(metrics, (*at, "metrics"))
        tested = Asking("tests", self.schema, self.tell).read(tests, (*at, "tests"))
        for asked in wanted:
            self._metric(asked)
        drift = [asked for asked in tested if asked.spec.id in self.drifting]
        for asked in drift:
            self._hear_test(asked)
        for asked in tested:
            self._test(asked)
        for check in self.checks:
            self._read_by(check)
        counting = [asked for asked in (*wanted, *tested) if DriftRows in asked.spec.reads]
        if counting and not any(asked.narrowed for asked in counting):
            self._compare_features(at)
        uses = (*self.uses, *(use for heard in self.drifting.values() for use in heard.uses()))
        expected = self.reference_expected
        schema = self.schema or Schema({}, ())
        return Plan(uses, schema, tuple(self.checks), reference_expected=expected)

    def _metric(self, asked: Asked) -> None:
        columns = self.choosing.columns(asked)
        params = self.choosing.params(asked, asked.options)
        if params is None or columns == ():
            return
        columns = paired(asked, params, columns, self.schema, self.tell)
        if columns == ():
            return
        heard = self.drifting.get(asked.spec.id)
        if heard is not None and columns is not None:
            heard.hear(columns, params, asked, said=bool(asked.options))
        else:
            self._need(Use(asked.spec, params, columns))

    def _hear_test(self, asked: Asked) -> None:
        """How a drift test wants its columns compared, before any test is resolved."""
        columns = Choosing(self.schema, Told([])).columns(asked)
        options = {key: value for key, value in asked.options.items() if key not in _OWN}
        params = Choosing(self.schema, Told([])).params(asked, options)
        if columns and params is not None:
            self.drifting[asked.spec.id].hear(columns, params, asked, said=bool(options))

    def _test(self, asked: Asked) -> None:
        columns = self.choosing.columns(asked)
        conditions = self._conditions(asked)
        critical, name, label = self._said(asked)
        alert = read_alert(
            asked.options.get("alert"), (*asked.at, "alert"), self.tell, critical=critical
        )
        options = {key: value for key, value in asked.options.items() if key not in _OWN}
        for params, found, without in self._groups(asked, options, columns):
            names = paired(asked, params, found, self.schema, self.tell)
            if names == ():
                continue
            check = Check(
                name, asked.spec, params, names, conditions, critical, label, asked.preset,
                asked.at, without, alert,
            )  # fmt: skip
            self._refuse_unsure(check)
            enter(self.checks, check, self.schema, self.tell)

    def _conditions(self, asked: Asked) -> tuple[Condition, ...]:
        spec, given = asked.spec, [op for op in OPERATORS if op in asked.options]
        if not given and spec.automatic is None:
            self.tell(asked.at, _no_condition(spec))
        conditions = read_conditions(asked.options, asked.at, self.tell)
        of_both = (spec.compares and not spec.alone) or DriftRows in spec.reads
        for condition in conditions:
            if of_both and condition.follows:
                text = f"{spec.id} compares already: the reference has no such figure of its own"
                self.tell((*asked.at, condition.op), text)
        return conditions

    def _said(self, asked: Asked) -> tuple[bool, str, str | None]:
        """What else a test can say: critical, name, label."""
        options, spec = asked.options, asked.spec
        critical, name = options.get("critical", True), options.get("name", spec.id)
        label = options.get("label")
        if not isinstance(critical, bool):
            self.tell((*asked.at, "critical"), "expected true or false")
        if not isinstance(name, str) or not name.strip():
            self.tell((*asked.at, "name"), "expected a name")
        if label is not None and not spec.labels:
            self.tell((*asked.at, "label"), f"{spec.id} has one figure, without labels")
        elif label is not None and not isinstance(label, str | int | float):
            self.tell((*asked.at, "label"), "expected a label, such as a class")
        return critical is not False, str(name), None if label is None else _label(label)

    def _refuse_unsure(self, check: Check) -> None:
        """The score of `auto` may be a p-value or a distance, for which more is worse or better."""
        unsure = check.params.get("method") == "auto" and check.params.get("threshold") is None
        if check.spec.id == DRIFT and check.conditions and unsure:
            text = (
                "a condition on the score needs a `method`: that of `auto` may be a p-value or a "
                "distance; or give a `threshold` instead"
            )
            self.tell(check.at, text)

    def _groups(
        self, asked: Asked, options: Mapping[str, Any], columns: tuple[str, ...] | None
    ) -> Iterable[Group]:
        """The test's options, column by column: its own, or those of the same metric in the evaluation."""
        heard = self.drifting.get(asked.spec.id)
        if heard is not None and columns is not None:
            known = [name for name in columns if heard.heard(name)]
            self.choosing.params(asked, options)
            return [(p, names, frozenset()) for p, names in heard.groups(known)]
        if not options:
            return self._inherited(asked, columns)
        params = self.choosing.params(asked, options)
        return [] if params is None else [(params, columns, frozenset())]

    def _inherited(self, asked: Asked, columns: tuple[str, ...] | None) -> Iterable[Group]:
        groups: list[Group] = []
        taken: set[str] = set()
        for use in self._meant(asked, columns):
            names = _common(columns, use.columns)
            if groups and (names is None or not taken.isdisjoint(names) or groups[0][1] is None):
                self.tell(asked.at, self._ambiguous(asked.spec))
                return []
            groups.append((use.params, names, frozenset()))
            taken |= set(names or ())
        if groups and (groups[0][1] is None or _required(asked.spec)):
            return groups
        rest = None if columns is None else tuple([c for c in columns if c not in taken])
        params = None if rest == () else self.choosing.params(asked, {})
        without = frozenset(taken) if rest is None else frozenset[str]()
        return groups if params is None else [*groups, (params, rest, without)]

    def _meant(self, asked: Asked, columns: tuple[str, ...] | None) -> list[Use]:
        """The uses whose options a test takes that has none of its own.

        The one without options, where there is one and the test comes from a preset, which cannot
        say more, or is of a metric that is told by its options.
        """
        spec = asked.spec
        uses = [u for u in self.uses if u.spec.id == spec.id and _common(columns, u.columns) != ()]
        if _required(spec) or not (asked.preset or spec.terse):
            return uses
        plain = spec.params({})
        return [use for use in uses if use.params == plain] or uses

    def _ambiguous(self, spec: MetricSpec) -> str:
        said = [_options(use.params) for use in self.uses if use.spec.id == spec.id]
        return f"{spec.id} is computed with {' and with '.join(said)}: say which this test means"

    def _read_by(self, check: Check) -> None:
        """What a test reads is a metric of the evaluation, whether it was asked for or not."""
        if check.spec.id not in self.drifting or check.columns is None:
            self._need(Use(check.spec, check.params, check.columns))
        auto = check.spec.automatic
        if auto is None or check.conditions:
            return
        alone = None if self.reference_expected else auto.alone
        for bound in (auto.beside, auto.directional, alone):
            for other in (bound.spread, bound.metric) if bound else ():
                if other:
                    self._need(Use(CATALOGUE[other], shared_params(check, other)))

    def _compare_features(self, at: Path) -> None:
        """Metrics that count drifted columns count those of the features, unless columns are chosen."""
        if self.schema:
            spec = CATALOGUE[DRIFT]
            asked = Asked(spec, {}, (), at, preset=True)
            columns = self.choosing.columns(asked) or ()
            self.drifting[DRIFT].hear(columns, spec.params({}), asked, said=False)

    def _need(self, wanted: Use) -> None:
        """Enter a use, joined with that of the same metric and options.

        A column alone stands for its pairs with all others, and stays so.
        """
        for i, use in enumerate(self.uses):
            same = use.spec.id == wanted.spec.id and use.params == wanted.params
            if same and (use.columns == wanted.columns or not (_alone(use) or _alone(wanted))):
                both = None
                if use.columns is not None and wanted.columns is not None:
                    both = tuple(dict.fromkeys((*use.columns, *wanted.columns)))
                self.uses[i] = replace(use, columns=both)
                return
        self.uses.append(wanted)


def _alone(use: Use) -> bool:
    pairs = use.spec.per == "pair" and use.spec.labels == "column"
    return pairs and use.columns is not None and len(use.columns) == 1


def _common(
    columns: tuple[str, ...] | None, others: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    if columns is None or others is None:
        return others if columns is None else columns
    return tuple([column for column in columns if column in others])


def _no_condition(spec: MetricSpec) -> str:
    operators = ", ".join(OPERATORS)
    side = "gte" if spec.better == "higher" else "lte"
    follows = not spec.compares and DriftRows not in spec.reads
    value = "{reference: true, relative: 0.1}" if follows else "0"
    said = f"{spec.id} has no automatic condition: say one of {operators}"
    return f"{said}; such as {side}: {value}"


def _required(spec: MetricSpec) -> bool:
    return any(default is inspect.Parameter.empty for default in spec.options.values())


def _options(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in params.items()) or "its defaults"


def _label(label: str | float) -> str:
    """As labels are written: `1`, never `1.0`; `true`."""
    from exporter.metrics.values import label_of

    return label_of(label)
