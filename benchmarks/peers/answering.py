"""Our answers to the questions that are put to Evidently, in its words, and what of both differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isclose, sqrt
from typing import Any

from benchmarks.peers.answering_unstructured import described, of_ranking, of_vectors
from benchmarks.peers.drawing import Case, Question
from exporter import evaluation
from exporter.batch import Schema
from exporter.checks import Mode
from exporter.evaluation import ReferenceProfile
from exporter.evidently import TESTS, UNDER_METRICS, translate
from exporter.evidently.translating import Named
from exporter.metrics import CATALOGUE
from exporter.plan import make_plan
from exporter.plan.asking import Told
from exporter.plan.choosing import Choosing
from exporter.profile.interactions import RankingColumns, read_ranking
from exporter.snapshot import Snapshot
from exporter.sources.frames import open_batch, resolve_schema
from exporter.sources.references import profile_of

Key = tuple[str, str, str]  # metric, column, label
OF_MISSING = (
    "missing_cells", "missing_cells_ratio", "missing_count", "missing_ratio", "rows_with_missing",
    "rows_with_missing_ratio", "columns_with_missing", "columns_with_missing_ratio",
)  # fmt: skip
NEAR, NEAR_P = 1e-6, 1e-6
ROUNDED = {  # what Evidently 0.4 rounds before it tests it, and how wide
    **dict.fromkeys(("min", "max", "mean", "median", "std"), 0.00501),
    **dict.fromkeys(("unique_ratio", "most_common_ratio"), 0.0000501),
    "column_drift": 0.000501,
    "embeddings_drift": 0.000501,
}
DEALS = {"TVD": (1000, 1000), "empirical_mmd": (100, 999)}  # lots that are drawn: theirs, ours
SPREADS = 5  # standard errors that two shares of lots may be apart


@dataclass(frozen=True, slots=True)
class Answer:
    """A figure, and of a test its status."""

    value: float | None
    status: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the two do not say the same."""

    case: str
    question: Question
    key: Key
    theirs: Answer
    ours: Answer | None


@dataclass(frozen=True)
class Answering:
    """One case, as the engine reads it."""

    case: Case

    def answers(self, question: Question) -> dict[Key, Answer]:
        """Every figure or test that the question gives here."""
        kind, name, options = question
        if kind == "descriptor":
            told = described(self.case, name, options)
            return {(name, "note", str(row)): Answer(value) for row, value in told}
        if kind == "embeddings":
            return _told(of_vectors(self.case, options))
        if kind == "test" and self.case.task == "ranking":
            return _told(of_ranking(self.case, name, options))
        under = "tests" if kind == "test" else "metrics"
        translated = translate(under, name, options).entries  # type: ignore[arg-type]
        entries = [entry for entry in translated if self._fits(entry)]
        asked = [{entry.name: _compatible(entry.name, entry.options)} for entry in entries]
        if self.case.task == "ranking":
            return {(e.name, "", ""): self._ranked(e.name, e.options) for e in entries}
        found = _told(self._evaluated(under, asked, "evidently"))
        if kind != "test" and name != "DatasetMissingValuesMetric":  # 0.7's, of nulls only
            nulls = _told(self._evaluated(under, asked, "directional"))
            found |= {key: answer for key, answer in nulls.items() if key[0] in OF_MISSING}
        return found

    def _fits(self, entry: Named) -> bool:
        """Whether the columns can be read, where the entry is one of several for columns of all kinds."""
        spec, columns = CATALOGUE.get(entry.name), entry.options.get("columns")
        if not entry.is_part or spec is None or not isinstance(columns, list):
            return True
        choosing = Choosing(self._read[0], Told([]))
        return all(choosing.fits(spec, column) for column in columns)

    def key_of(self, question: Question, result: Mapping[str, Any]) -> Key:
        """What one of Evidently's results is here."""
        kind, name, options = question
        label = _label(result.get("label", ""))
        if kind == "descriptor":
            return name, "note", str(result["row"])
        if kind == "embeddings":
            return "embeddings_drift", "picture", ""
        if kind == "test":
            (entry, *_) = TESTS[result["name"]].entries
            return _id(entry), result["column"], label
        column = options.get("column", "")
        if "ours" in result:
            return result["ours"], column, label
        return _id(UNDER_METRICS[name].entries[result["part"]]), column, label

    def _evaluated(self, under: str, entries: list[Any], mode: Mode) -> Snapshot:
        schema, reference = self._read
        asked = {"metrics": (), "tests": (), under: entries}
        plan = make_plan(
            asked["metrics"], schema, tests=asked["tests"], automatic_tests=mode, min_rows=0
        )
        return evaluation.evaluate(open_batch(self.case.current, schema), reference, plan)

    def _ranked(self, name: str, options: Mapping[str, Any]) -> Answer:
        return Answer(float(CATALOGUE[name].compute(self._ranking, **options)))

    @cached_property
    def _ranking(self) -> Any:
        columns = self.case.columns
        parts = [columns[part] for part in ("user", "item", "target", "prediction")]
        return read_ranking(open_batch(self.case.current), RankingColumns(*parts))

    @cached_property
    def _read(self) -> tuple[Schema, ReferenceProfile]:
        batch = open_batch(self.case.reference)
        task: Any = self.case.task
        schema = resolve_schema(batch, self.case.columns, task)
        return schema, profile_of(batch, schema, schema.columns())


def _told(found: Snapshot) -> dict[Key, Answer]:
    """Tests where there are any, or figures."""
    if found.tests:
        return {(t.metric, t.column, t.label): Answer(t.value, t.status) for t in found.tests}
    rows = {(m.metric, m.column, m.label): Answer(m.value) for m in found.metrics}
    return rows | {("column_drift", d.column, ""): Answer(d.score) for d in found.drift}


def compared(
    case: Case, question: Question, theirs: list[dict[str, Any]], ours: Mapping[Key, Answer]
) -> Iterator[Difference | None]:
    """For each of Evidently's figures None where ours is the same, or the difference."""
    answering = Answering(case)
    measured = question[0] in ("metric", "drift")
    known = len(UNDER_METRICS[question[1]].entries) if measured else 0
    for result in theirs:
        if result.get("part", -1) >= known > 0:
            continue  # the deviation of percentages, which nobody asks for
        key = answering.key_of(question, result)
        peer = Answer(result["value"], result.get("status", ""))
        mine = ours.get(key)
        same = mine is not None and _same(question, key, peer, mine)
        yield None if same else Difference(case.name, question, key, peer, mine)


def _same(question: Question, key: Key, theirs: Answer, ours: Answer) -> bool:
    if theirs.status != ours.status:
        return False
    if theirs.status == "error" or key[0] in ("mean_shift_sigmas", "type_mismatches"):
        return True  # it has no such figure
    if theirs.value is None:
        return theirs.status != "" or ours.value is None
    if ours.value is None:
        return False
    if question[0] != "descriptor" and question[2].get("method") in DEALS:
        return _alike(theirs.value, ours.value, DEALS[question[2]["method"]])
    if question[0] in ("test", "embeddings") and key[0] in ROUNDED:
        return abs(theirs.value - ours.value) <= ROUNDED[key[0]]
    width = NEAR_P if key[0] == "column_drift" else 1e-9
    return isclose(theirs.value, ours.value, rel_tol=NEAR, abs_tol=width)


def _alike(theirs: float, ours: float, deals: tuple[int, int]) -> bool:
    """Whether two p-values that hang on lots may be of one chance."""
    m, n = deals
    chance = (theirs * m + ours * n + 1) / (m + n + 2)
    return abs(theirs - ours) <= SPREADS * sqrt(chance * (1 - chance) * (1 / m + 1 / n)) + 1 / m


def _compatible(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with Evidently's own figure where a method of ours was mended."""
    spec = CATALOGUE.get(name)
    return {**options, "compat": True} if spec and "compat" in spec.options else dict(options)


def _id(entry: Any) -> str:
    return entry if isinstance(entry, str) else str(next(iter(entry)))


def _label(label: str) -> str:
    return label.removesuffix(".0")
