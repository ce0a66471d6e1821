"""A batch, a reference profile and a plan in, a snapshot out; no file, clock or log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.batch import Batch, Schema
from exporter.checks import Earlier, Evidence, Situation, check_all
from exporter.checks.drawn import Drawn
from exporter.checks.naming import named
from exporter.distances.texts import Texts, texts_of
from exporter.errors import LONGEST_REASON, BatchError, reason_of
from exporter.figures import attempt, figures, result_rows
from exporter.metrics.drift import (
    COLUMN_DRIFT,
    EMBEDDING,
    EMBEDDINGS_DRIFT,
    DriftRows,
    compare,
)
from exporter.metrics.embeddings import compare_sets
from exporter.plan import Plan, Use
from exporter.profile.column import PROFILE_OF, ColumnProfile
from exporter.profile.histogram import Grid, bin_names, grid_for, histogram
from exporter.profile.merge import merge_columns, merge_outcomes, merge_tables
from exporter.profile.outcome import Outcome
from exporter.profile.ranking import RankingProfile
from exporter.profile.rows import Rows, rows_of
from exporter.profile.table import TableProfile
from exporter.snapshot import (
    OUTCOME,
    Distribution,
    DriftRow,
    MetricRow,
    Snapshot,
    canonical,
    each_once,
)

if TYPE_CHECKING:  # descriptors cost 30 ms, and few models have texts
    from exporter.descriptors import DescriptorColumn

__all__ = [
    "Grid",
    "Outcome",
    "ReferenceProfile",
    "evaluate",
    "grids_of",
    "merge_references",
    "outcome_of",
]

FEWEST_OF_FIXED = 7  # windows from which fixed data tell more than chance does
QUIETLY = np.errstate(all="ignore")  # what is not finite is told at the end, with its reason
Dataset = TableProfile | DriftRows | Outcome


def _keep(name: str) -> None:
    """Nothing is to be released."""


@dataclass(frozen=True, slots=True)
class ReferenceProfile:
    """All that evaluations read of a reference."""

    schema: Schema
    columns: Mapping[str, ColumnProfile]
    table: TableProfile
    outcome: Outcome | None = None
    windows: tuple[ReferenceProfile, ...] = ()  # its own, as far as it has times
    grids: Mapping[str, Grid] = field(default_factory=dict)
    release: Callable[[str], None] = field(default=_keep, repr=False)  # a column is done with
    rows: Callable[[], Rows] | None = field(default=None, repr=False)  # read when a metric asks
    descriptors: tuple[DescriptorColumn, ...] = ()  # that batches beside it are described with
    kept: dict[tuple[str, str, tuple[str, ...]], Any] = field(default_factory=dict, repr=False)
    rolls: bool = False  # it is those windows and no fixed data

    def grid(self, column: str) -> Grid | None:
        """The grid on which a column is counted: the one that is fixed, else its own, found once."""
        key = ("distribution", column, ())
        if column not in self.grids and key not in self.kept and column in self.columns:
            self.kept[key] = grid_for(self.columns[column])
        return self.grids.get(column) or self.kept.get(key)


@dataclass(frozen=True, slots=True)
class ColumnResult:
    """What one column adds to the snapshot."""

    metrics: Sequence[MetricRow]
    drift: Sequence[DriftRow]
    distribution: Distribution | None


@QUIETLY
def evaluate(batch: Batch, reference: ReferenceProfile | None, plan: Plan) -> Snapshot:
    """The snapshot of the plan on the batch: every column once, then what reads the whole.

    Only rows and counts are filled in; whose snapshot it is, the caller knows. Nothing that is
    wrong with the data raises: a figure that cannot be had is a row with an error text.
    """
    reference = _informed(reference, plan)
    whole = rows_of(batch, plan.schema)
    opened = cache(reference.rows) if reference is not None and reference.rows else None
    columns = _Columns(plan, reference, whole, opened)
    kinds = {name: plan.schema.kinds[name] for name in plan.columns()}
    results, table = _profile_table(batch, kinds, columns.visit, columns.failed)
    drift = [row for result in results for row in result.drift]
    outcome, why = _outcome(batch, reference, plan)
    dataset = _Dataset(batch.rows, reference, table, DriftRows(drift), outcome, why, whole, opened)
    metrics = each_once([row for use in plan.for_dataset() for row in dataset.rows(use)])
    metrics += [row for result in results for row in result.metrics]
    there = (reference.table,) if reference and reference.table.rows else ()
    names = named([check.spec for check in plan.checks], (table, DriftRows(drift)), there)
    drift = [*drift, *columns.of_sets()]
    situation = replace(_situation(batch.rows, reference, plan), names=names)
    return Snapshot(
        batch.rows,
        reference_rows=reference.table.rows if reference else None,
        labelled_rows=outcome.labelled if outcome and plan.needs_target else None,
        metrics=tuple(metrics),
        drift=tuple(drift),
        tests=check_all(plan.checks, metrics, drift, situation),
        distributions=tuple(r.distribution for r in results if r.distribution),
        metadata={OUTCOME: [*plan.schema.roles]} if plan.schema.roles else {},
    )


def _situation(rows: int, reference: ReferenceProfile | None, plan: Plan) -> Situation:
    """What tests may depend on besides the figures."""
    if reference is None or not reference.table.rows:
        expected = plan.reference_expected or reference is not None
        return Situation(plan.mode, rows, min_rows=plan.min_rows, reference_expected=expected)
    return Situation(
        plan.mode,
        rows,
        reference.table.rows,
        len(reference.windows) or None if reference.rolls else None,
        plan.min_rows,
        reference_expected=True,
        evidence=_evidence(rows, reference, plan),
    )


def _evidence(rows: int, reference: ReferenceProfile, plan: Plan) -> Evidence | None:
    """What the reference tells of how far sound batches are from it."""
    if plan.mode == "evidently":
        return None
    drift = {c: u.params for u in plan.uses if u.spec.id == COLUMN_DRIFT for c in u.columns or ()}
    if reference.rolls and reference.windows:
        return Earlier(reference, reference.windows, drift, plan.min_rows)
    if sum(w.table.rows >= max(plan.min_rows, 1) for w in reference.windows) < FEWEST_OF_FIXED:
        return Drawn(reference, rows, drift, reference.kept)
    key = ("windows", canonical(drift), (str(plan.min_rows),))
    if key not in reference.kept:  # the next batch stands beside the same ones
        reference.kept[key] = Earlier(reference, reference.windows, drift, plan.min_rows)
    found: Earlier = reference.kept[key]
    return found


@QUIETLY
def outcome_of(batch: Batch, plan: Plan) -> Outcome | None:
    """The outcome of a reference, where the plan reads one and its columns can be read.

    A reference without one still tells what it can: figures of quality stand alone then.
    """
    if not plan.reads_outcome or any(
        name not in batch.types for name in _outcome_columns(plan.schema)
    ):
        return None
    try:
        return _read_outcome(batch, plan.schema, None)
    except BatchError:
        return None


def grids_of(reference: ReferenceProfile) -> dict[str, Grid]:
    """The grids on which distributions are told beside this reference: those that it fixes, else its own.

    Numbers: 20 equal bins between the 1 % and the 99 % quantiles, and an overflow bin at either
    end. Categories: the 20 most frequent, and `other`. Columns without values have none.
    """
    return {n: grid for n in reference.columns if (grid := reference.grid(n)) is not None}


@QUIETLY
def merge_references(parts: Sequence[ReferenceProfile]) -> ReferenceProfile:
    """A rolling reference from the profiles of its windows, of which there is at least one.

    A column that some windows lack is merged from the others. Raises BatchError where a column is
    of different kinds.
    """
    if not parts:
        raise BatchError("a rolling reference needs at least one window")
    names = {name: None for part in parts for name in part.columns}
    columns = {
        name: merge_columns([p.columns[name] for p in parts if name in p.columns], gridded=True)
        for name in names
    }
    return ReferenceProfile(
        parts[0].schema,
        columns,
        merge_tables([part.table for part in parts], columns),
        merge_outcomes([part.outcome for part in parts]),
        tuple(parts),
        {name: grid for part in parts for name, grid in part.grids.items()},
        rolls=True,
    )


@dataclass(frozen=True, slots=True)
class _Columns:
    """What is asked of each column."""

    plan: Plan
    reference: ReferenceProfile | None
    whole: Rows
    opened: Callable[[], Rows] | None  # those of the reference

    def visit(self, column: ColumnProfile) -> ColumnResult:
        """Every metric of a column; one that fails is a row with an error text."""
        metrics: list[MetricRow] = []
        drift: list[DriftRow] = []
        beside = self.reference.columns.get(column.name) if self.reference else None
        uses = self._uses(column.name)
        for use in uses:
            if use.spec.id == COLUMN_DRIFT:
                drift += self._drift(use, column, beside)
            else:
                metrics += self._figures(use, column, beside)
        told = self._distribution(column, beside) if uses else None
        if self.reference is not None:
            self.reference.release(column.name)
        return ColumnResult(metrics, drift, told)

    def failed(self, name: str, error: Exception) -> ColumnResult:
        """What is told of a column that is not there or cannot be read: every figure asked for, with the reason."""
        metrics: list[MetricRow] = []
        drift: list[DriftRow] = []
        reason = reason_of(error)
        beside = self.reference.columns.get(name) if self.reference else None
        for use in self._uses(name):
            if use.spec.id == COLUMN_DRIFT:
                drift += self._no_drift(use, name, beside, reason, 0)
            else:
                metrics.append(
                    MetricRow(
                        use.spec.id, name, params=use.params, n=self.whole.count, error=reason
                    )
                )
        return ColumnResult(metrics, drift, None)

    def _uses(self, name: str) -> list[Use]:
        profile = PROFILE_OF[self.plan.schema.kinds[name]]
        return [u for u in self.plan.for_column(name) if profile in u.spec.reads]

    def _figures(
        self, use: Use, column: ColumnProfile, beside: ColumnProfile | None
    ) -> list[MetricRow]:
        n = column.rows - column.missing
        rows = figures(use, column.name, n, column, beside)
        if rows or self.reference is None:
            return rows
        reason = "the reference has no such column"
        return [MetricRow(use.spec.id, column.name, params=use.params, n=n, error=reason)]

    def _drift(
        self, use: Use, column: ColumnProfile, beside: ColumnProfile | None
    ) -> list[DriftRow]:
        if beside is None:
            reason = "the reference has no such column"
            return self._no_drift(use, column.name, None, reason, column.rows - column.missing)
        evidently = self.plan.mode == "evidently"
        texts = (
            None if self.opened is None else partial(_texts, column.name, self.whole, self.opened)
        )
        try:
            return [compare(column, beside, **use.params, per_batch=evidently, texts=texts)]
        except Exception as error:  # noqa: BLE001  the seam at which a method may fail
            return self._no_drift(use, column.name, beside, reason_of(error), column.count)

    def _no_drift(
        self, use: Use, name: str, beside: ColumnProfile | None, reason: str, n: int
    ) -> list[DriftRow]:
        if self.reference is None:
            return []
        kind, method = self.plan.schema.kinds[name], use.params["method"]
        there = beside.count if beside else 0
        return [DriftRow(name, kind, method, n=n, reference_n=there, error=reason)]

    def of_sets(self) -> list[DriftRow]:
        """The drift of the sets of embeddings that were asked for; each is read from the rows."""
        if self.reference is None:
            return []
        uses = [use for use in self.plan.uses if use.spec.id == EMBEDDINGS_DRIFT]
        return [self._of_set(use, name) for use in uses for name in use.columns or ()]

    def _of_set(self, use: Use, name: str) -> DriftRow:
        try:
            return compare_sets(name, self.whole, self.opened, **use.params)
        except Exception as error:  # noqa: BLE001  the seam at which a method may fail
            n, method = self.whole.count, use.params["method"]
            return DriftRow(name, EMBEDDING, method, n=n, error=reason_of(error))

    def _distribution(
        self, column: ColumnProfile, beside: ColumnProfile | None
    ) -> Distribution | None:
        """The column's histogram, on edges or categories that are fixed or come from the reference, where there is one."""
        grid = self.plan.grids.get(column.name)
        if grid is None and self.reference is not None:
            grid = self.reference.grid(column.name)
        grid = grid or grid_for(column)
        counts = histogram(column, grid) if grid else None
        if grid is None or counts is None:
            return None
        there = histogram(beside, grid)
        return Distribution(column.name, grid.edges, bin_names(grid), counts, there)


@dataclass(frozen=True, slots=True)
class _Dataset:
    """What is asked of the batch as a whole."""

    n: int
    reference: ReferenceProfile | None
    table: TableProfile
    drift: DriftRows
    outcome: Outcome | None
    why: str  # there is no outcome
    whole: Rows
    opened: Callable[[], Rows] | None

    def rows(self, use: Use) -> list[MetricRow]:
        """The figures of one metric of the whole batch, or of pairs of columns."""
        if Rows in use.spec.reads:
            return self._of_rows(use)
        current, why = self._current(use)
        if current is None or why:
            return [MetricRow(use.spec.id, params=use.params, n=self.n, error=why)]
        beside = self._beside(use)
        n = current.count if isinstance(current, Outcome) else self.n
        if DriftRows in use.spec.reads:
            return [] if self.reference is None else figures(use, "", n, current, None)
        return figures(use, "", n, current, beside)

    def _of_rows(self, use: Use) -> list[MetricRow]:
        """Figures that no profile can give; the reference's are computed once."""
        columns = self.whole.columns if use.columns is None else use.columns
        current, reference, opened = self.whole.of(columns), self.reference, self.opened
        if use.spec.compares:
            beside = opened().of(columns) if opened is not None else None
            return figures(use, "", self.n, current, beside)
        there = None
        if reference is not None and opened is not None:
            key = (use.spec.id, canonical(use.params), columns)
            if key not in reference.kept:
                reference.kept[key] = attempt(use, opened().of(columns))
            there = reference.kept[key]
        return result_rows(use, "", self.n, attempt(use, current), there)

    def _current(self, use: Use) -> tuple[Dataset | None, str]:
        if TableProfile in use.spec.reads:
            gone = [f"column {n!r}: {why}" for n, why in sorted(self.table.failed.items())]
            return self.table, "" if use.spec.survives else "; ".join(gone)[:LONGEST_REASON]
        if DriftRows in use.spec.reads:
            return self.drift, ""
        if isinstance(self.outcome, use.spec.reads):
            return self.outcome, ""
        return None, self.why or "the model's task has no such figure"

    def _beside(self, use: Use) -> Dataset | None:
        parts = (self.reference.table, self.reference.outcome) if self.reference else ()
        return next((part for part in parts if isinstance(part, use.spec.reads)), None)


def _texts(name: str, current: Rows, opened: Callable[[], Rows]) -> tuple[Texts, Texts]:
    return texts_of(current, name), texts_of(opened(), name)


def _informed(reference: ReferenceProfile | None, plan: Plan) -> ReferenceProfile | None:
    """A ranking's reference, and its windows, with what the plan knows; they are kept without it."""
    if reference is None or not isinstance(reference.outcome, RankingProfile):
        return reference
    windows = [replace(w, outcome=plan.informed(w.outcome)) for w in reference.windows]
    return replace(reference, outcome=plan.informed(reference.outcome), windows=tuple(windows))


def _outcome(
    batch: Batch, reference: ReferenceProfile | None, plan: Plan
) -> tuple[Outcome | None, str]:
    """The outcome that the plan reads, or why there is none."""
    if not plan.reads_outcome:
        return None, ""
    try:
        read = _read_outcome(batch, plan.schema, reference.outcome if reference else None)
        return plan.informed(read), ""
    except Exception as error:  # noqa: BLE001  whatever is wrong with target or prediction
        return None, reason_of(error)


def _outcome_columns(schema: Schema) -> list[str]:
    from exporter.profile.read import outcome_columns

    return outcome_columns(schema)


def _read_outcome(batch: Batch, schema: Schema, known: Outcome | None) -> Outcome:
    from exporter.profile.read import read_outcome

    return read_outcome(batch, schema, known)


def _profile_table(*given: Any) -> tuple[list[ColumnResult], TableProfile]:
    from exporter.profile.build import profile_table

    return profile_table(*given)
