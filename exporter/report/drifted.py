"""Columns beside their reference: the drifted ones by severity, and all of them with their figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exporter.metrics.drift import DRIFT_METRICS
from exporter.report.figures import FigureLine, column_figures, key_facts
from exporter.report.findings import WORST_FIRST
from exporter.report.histograms import Drawing, drawing_of
from exporter.report.numbers import number, told_apart
from exporter.snapshot import Distribution, DriftRow, MetricRow, Snapshot, Status

MOST_CARDS = 24  # drifted columns with their histogram; the others stand among all columns


@dataclass(frozen=True, slots=True)
class DriftCard:
    """One column's drift in words, with its drawing."""

    column: str
    severity: str
    drifted: bool
    score: str
    facts: Sequence[tuple[str, str, str]]
    status: Status | None  # of its own drift test
    drawing: Drawing | None


@dataclass(frozen=True, slots=True)
class ColumnCard:
    """One column with all its figures."""

    column: str
    kind: str
    drift: str
    drawing: Drawing | None
    drawn: bool  # among the drifted columns
    figures: Sequence[FigureLine]


@dataclass(frozen=True, slots=True)
class Columns:
    """All that is told of columns."""

    drifted: Sequence[DriftCard]
    more_drifted: Sequence[DriftCard]
    calm: Sequence[DriftCard]
    every: Sequence[ColumnCard]
    has_reference: bool


def columns_of(snapshot: Snapshot) -> Columns:
    """The columns of a snapshot, drifted ones by severity."""
    reader = _Reader(snapshot)
    compared = [row for row in snapshot.drift if row.error is None]
    ordered = sorted(compared, key=lambda row: -(row.severity or 0.0))
    drifted = [row for row in ordered if row.drifted]
    cards = [reader.drift_card(row) for row in drifted[:MOST_CARDS]]
    drawn = {card.column for card in cards}
    return Columns(
        cards,
        [reader.drift_card(row) for row in drifted[MOST_CARDS:]],
        [reader.drift_card(row) for row in ordered if not row.drifted],
        [reader.column_card(name, drawn=name in drawn) for name in reader.names],
        any(d.reference for d in snapshot.distributions),
    )


class _Reader:
    """A snapshot's rows by column."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._metrics: dict[str, list[MetricRow]] = {}
        for row in snapshot.metrics:
            if row.column:
                self._metrics.setdefault(row.column, []).append(row)
        self._drift = {row.column: row for row in reversed(snapshot.drift)}
        self._distributions: dict[str, Distribution] = {d.column: d for d in snapshot.distributions}
        self._statuses = _drift_statuses(snapshot)
        self.names = list(dict.fromkeys([*self._metrics, *self._drift, *self._distributions]))

    def drift_card(self, row: DriftRow) -> DriftCard:
        rows: Mapping[tuple[str, str], MetricRow] = {
            (r.metric, r.label): r for r in self._metrics.get(row.column, ())
        }
        return DriftCard(
            row.column,
            number(row.severity, 3),
            bool(row.drifted),
            score_said(row),
            key_facts(row, rows),
            self._statuses.get(row.column),
            drawing_of(self._distributions.get(row.column)),
        )

    def column_card(self, name: str, *, drawn: bool) -> ColumnCard:
        row = self._drift.get(name)
        drift = "" if row is None else row.error or score_said(row)
        drawing = drawing_of(self._distributions.get(name))
        kind = row.type if row else self._kind(name)
        figures = column_figures(self._metrics.get(name, ()))
        if drawn:
            return ColumnCard(name, kind, drift, None, drawing is not None, figures)
        return ColumnCard(name, kind, drift, drawing, drawn=False, figures=figures)

    def _kind(self, name: str) -> str:
        found = self._distributions.get(name)
        return "" if found is None else "numerical" if found.categories is None else "categorical"


def score_said(row: DriftRow) -> str:
    """`wasserstein 2.637, threshold 0.1`."""
    score, threshold = told_apart(row.score, "", row.threshold)
    return f"{row.method} {score}, threshold {threshold}"


def _drift_statuses(snapshot: Snapshot) -> dict[str, Status]:
    """The worst status of each column's drift tests."""
    found: dict[str, Status] = {}
    for test in snapshot.tests:
        if test.metric in DRIFT_METRICS:
            known = (test.status, found.get(test.column, test.status))
            found[test.column] = min(known, key=WORST_FIRST.index)
    return found
