"""Figures in words: of the model, of the batch as a whole, of each column; the reference's beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from exporter.metrics import CATALOGUE
from exporter.metrics.classification import classes_of_cell
from exporter.metrics.drift import DriftRows
from exporter.profile.table import TableProfile
from exporter.report.findings import meaning_of, options_said
from exporter.report.numbers import NOTHING, TIME, measure, number, unit_of
from exporter.snapshot import DriftRow, MetricRow, Snapshot

BASELINE = "baseline_"
KEY_FIGURES = (  # and from which figure on they say something
    ("missing", "missing_ratio", 0.01), ("mean", "mean", -inf), ("new categories", "new_categories", 1),
)  # fmt: skip
SAME = 1e-9  # a relative change that is none
MOST_POINTS = 63  # of a table of curves: those of three classes


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure, what it means, and how it compares."""

    name: str
    options: str
    meaning: str
    value: str
    reference: str
    baseline: str
    change: str
    verdict: str  # better, worse, or nothing
    note: str


@dataclass(frozen=True, slots=True)
class Table:
    """Figures by row and column: the classes of a classifier."""

    title: str
    corner: str
    head: Sequence[str]
    rows: Sequence[
        tuple[str, Sequence[tuple[str, str]]]
    ]  # a name, and figure and reference of each


def quality_figures(snapshot: Snapshot) -> list[FigureLine]:
    """How well the model does: figures of the batch that read target and prediction."""
    rows = [r for r in _of_batch(snapshot) if not _reads(r, TableProfile, DriftRows)]
    plain = [r for r in rows if not r.label and not _tabled(r)]
    known = {r.metric for r in plain}
    baselines = {
        r.metric: r for r in plain if r.metric.removeprefix(BASELINE) in known - {r.metric}
    }
    return [
        _line(r, baselines.get(BASELINE + r.metric), compared=True)
        for r in plain
        if r.metric not in baselines
    ] + [_line(r) for r in rows if r.label and not _tabled(r)]


def quality_tables(snapshot: Snapshot) -> list[Table]:
    """The confusion matrix, the figures of each class, and curves unless they have very many points."""
    rows = [r for r in _of_batch(snapshot) if r.label and _tabled(r)]
    by_class = [r for r in rows if _labelled_by(r) == "class"]
    cells = {r.label: r for r in rows if _labelled_by(r) == "cell"}
    points = [r for r in rows if _labelled_by(r) == "point"]
    bins = [r for r in points if r.metric == "calibration"]
    tables = (
        _confusion(cells),
        _by_label("Quality of each class", "class", by_class),
        _by_label("Share of the class by its probability", "probability", bins, MOST_POINTS),
        _by_label("Curves", "at", [r for r in points if r not in bins], MOST_POINTS),
    )
    return [t for t in tables if t is not None]


def dataset_figures(snapshot: Snapshot) -> list[FigureLine]:
    """What the batch as a whole is like: rows, missing values, repeats, drifted columns."""
    return [_line(r) for r in _of_batch(snapshot) if _reads(r, TableProfile, DriftRows)]


def column_figures(rows: Iterable[MetricRow]) -> list[FigureLine]:
    """The figures of one column."""
    return [_line(r) for r in rows]


def key_facts(
    drift: DriftRow, rows: Mapping[tuple[str, str], MetricRow]
) -> list[tuple[str, str, str]]:
    """What explains a drifted column in a glance: name, figure and reference's figure of what it has."""
    found = []
    if drift.n is not None:
        there = "" if drift.reference_n is None else number(drift.reference_n)
        found.append(("values", number(drift.n), there))
    for name, metric, least in KEY_FIGURES:
        row = rows.get((metric, ""))
        if row is None or row.value is None or max(row.value, row.reference or 0.0) < least:
            continue
        unit = unit_of(metric)
        there = "" if row.reference is None else measure(row.reference, unit)
        found.append((name, measure(row.value, unit), there))
    return found


def _of_batch(snapshot: Snapshot) -> list[MetricRow]:
    return [r for r in snapshot.metrics if not r.column]


def _reads(row: MetricRow, *profiles: type) -> bool:
    return row.metric in CATALOGUE and bool({*profiles} & {*CATALOGUE[row.metric].reads})


def _labelled_by(row: MetricRow) -> str:
    return CATALOGUE[row.metric].labels if row.metric in CATALOGUE else ""


def _tabled(row: MetricRow) -> bool:
    """Whether it stands in a table of its own; with a threshold of its own it is a line."""
    kind = _labelled_by(row)
    return row.error is None and (kind == "point" or (kind in ("class", "cell") and not row.params))


def _line(
    row: MetricRow, baseline: MetricRow | None = None, *, compared: bool = False
) -> FigureLine:
    unit = unit_of(row.metric)
    change, verdict = _change(row) if compared else ("", "")
    between = ""
    if row.low is not None and row.high is not None:
        between = f"between {measure(row.low, unit)} and {measure(row.high, unit)}"
    name = (row.name or row.metric) + (f" · {row.label}" if row.label else "")
    return FigureLine(
        name,
        options_said(row.params),
        meaning_of(row.metric),
        measure(row.value, unit),
        "" if row.reference is None else measure(row.reference, unit),
        "" if baseline is None else measure(baseline.value, unit),
        change,
        verdict,
        row.error or between,
    )


def _change(row: MetricRow) -> tuple[str, str]:
    """From the reference to here: ratios in points, others in percent; whether that is for the better."""
    if row.value is None or row.reference is None or unit_of(row.metric) in ("", TIME):
        return "", ""
    spec, gap = CATALOGUE[row.metric], row.value - row.reference
    if abs(gap) <= SAME * max(abs(row.value), abs(row.reference)):
        return "the same", ""
    sign = "+" if gap > 0 else ""
    if spec.unit in ("ratio", "percent"):
        points = 100 * gap if spec.unit == "ratio" else gap
        said = f"{sign}{number(points, 3)}\u00a0points"
    elif abs(gap) >= 10 * abs(row.reference) or row.reference < 0:  # a share of little says nothing
        said = f"{sign}{number(gap, 3)}"
    else:
        said = f"{sign}{number(100 * gap / row.reference, 3)}\u00a0%"
    if spec.better == "neutral":
        return said, ""
    return said, "better" if (gap > 0) == (spec.better == "higher") else "worse"


def _confusion(cells: Mapping[str, MetricRow]) -> Table | None:
    """None where the names of the classes cannot be told apart."""
    named = {classes_of_cell(label): row for label, row in cells.items()}
    pairs = {pair: row for pair, row in named.items() if pair is not None}
    if not pairs or len(pairs) < len(cells):
        return None
    classes = list(dict.fromkeys(name for pair in pairs for name in pair))
    rows = [
        (f"is {actual}", [_cell(pairs.get((actual, predicted))) for predicted in classes])
        for actual in classes
    ]
    return Table("Rows by actual and predicted class", "", [f"said {c}" for c in classes], rows)


def _by_label(
    title: str, corner: str, rows: Sequence[MetricRow], most: int | None = None
) -> Table | None:
    """Figures by label and metric; None where there are none, or more labels than `most`."""
    metrics = list(dict.fromkeys(r.metric for r in rows))
    cells = {(r.label, r.metric): r for r in rows}
    labels = list(dict.fromkeys(r.label for r in rows))
    if not labels or (most is not None and len(labels) > most):
        return None
    lines = [(label, [_cell(cells.get((label, metric))) for metric in metrics]) for label in labels]
    head = [metric.removesuffix("_by_label") for metric in metrics]
    return Table(title, corner, head, lines)


def _cell(row: MetricRow | None) -> tuple[str, str]:
    if row is None:
        return NOTHING, ""
    unit = "" if unit_of(row.metric) == "rows" else unit_of(row.metric)
    return measure(row.value, unit), "" if row.reference is None else measure(row.reference, unit)
