"""What each measurement must reach, and the table that says whether it does."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.measure import Result

Compare = Callable[[float, float], bool]
_SIGNS: dict[str, Compare] = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}


@dataclass(frozen=True, slots=True)
class Bar:
    """A bound on one field of a result."""

    field: Literal["ratio", "ours"]
    sign: Literal["≥", "≤", "<"]
    bound: float

    def reached(self, result: Result) -> bool:
        """Whether *result* keeps it; a figure that is missing does not."""
        figure = getattr(result, self.field)
        return figure is not None and _SIGNS[self.sign](figure, self.bound)

    def text(self, unit: str) -> str:
        """The bound as the table shows it."""
        return f"{self.sign} {self.bound:.3g}" + ("×" if self.field == "ratio" else f" {unit}")


DRIFT_METHODS = (
    "anderson", "cramer_von_mises", "ed", "es", "mannw", "t_test", "g_test", "fisher_exact",
)  # fmt: skip

# By the start of a measurement's name.
BARS = {
    "drift + summary, 1M x 50, wall": Bar("ratio", "≥", 20),
    "drift + summary, 1M x 50, peak": Bar("ours", "≤", 400),
    "drift + summary, 1M x 50, over decode + one sort": Bar("ratio", "≤", 2),
    "data quality + drift + classification, 1M x 50, over drift + summary": Bar("ratio", "≤", 1.5),
    "drift + summary, 1M x 200 over 1M x 50": Bar("ratio", "≤", 4.2),
    "drift + summary, 1M x 200, peak": Bar("ours", "<", 500),
    "a batch of 5k x 30 against 100k": Bar("ratio", "≥", 15),
    "exporter --help": Bar("ours", "<", 150),
    "exporter validate": Bar("ours", "<", 400),
    "store a snapshot of 2,000 points": Bar("ours", "≤", 25),
    "store a snapshot of 2,000 points, over rows by autocommit": Bar("ratio", "≥", 30),
    "read one series of 30 days among 24M rows": Bar("ours", "≤", 5),
    "/metrics: 100,000 series rendered": Bar("ratio", "≥", 10),
    "/metrics: a scrape of 100,000 series, gzip": Bar("ours", "<", 10),
    **{
        f"drift by {method}, {size}": Bar("ratio", "≥", 1 / 1.1)
        for method in DRIFT_METHODS
        for size in ("1M + 1M", "5k + 100k")
    },
    "drift by TVD, 20k + 20k": Bar("ratio", "≥", 1 / 1.1),
    "drift by empirical_mmd, 1k + 1k": Bar("ratio", "≥", 1 / 1.1),
    "drift by abs_text_content_drift, 10,000 + 20,000 texts": Bar("ratio", "≥", 1 / 1.1),
    "drift by perc_text_content_drift, 5,000 + 1,000 texts": Bar("ratio", "≥", 1 / 1.1),
    "drift by embedding_model, 10,000 + 20,000 x 128": Bar("ratio", "≥", 1 / 1.1),
    "drift by embedding_distance, 10,000 + 20,000 x 128": Bar("ratio", "≥", 1 / 1.1),
    "drift by embedding_mmd, 4,000 + 4,000 x 128": Bar("ratio", "≥", 1 / 1.1),
    **{
        f"correlation, {method}, {size} rows": Bar("ratio", "≥", 1 / 1.1)
        for method in ("pearson", "spearman", "kendall", "cramer_v")
        for size in ("5k", "1M")
    },
    "dashboards: a panel's query, a month, median": Bar("ours", "<", 300),
    "dashboards: a panel's query, a month, slowest": Bar("ours", "<", 300),
    "dashboards: a panel's query, a year, median": Bar("ours", "<", 300),
    "demo: a year of daily batches": Bar("ours", "<", 90),
    "Evidently, drift + summary, 1M x 50": Bar("ratio", "≥", 200),
    "Evidently, ranking at 10, 100k interactions": Bar("ratio", "≥", 10),
    "Evidently, ranking at 10, 1M interactions": Bar("ratio", "≥", 10),
    "ranking at 10, 1M interactions": Bar("ratio", "≥", 1),
    "NannyML, a batch of 5k x 30 against 100k": Bar("ratio", "≥", 5),
}


def bar_of(result: Result) -> Bar | None:
    """The bar of a result, None where it is told for information only."""
    return BARS.get(result.name)


def missed(results: Sequence[Result]) -> list[str]:
    """The names of the results that stay below their bars."""
    return [r.name for r in results if (bar := bar_of(r)) and not bar.reached(r)]


def markdown(results: Sequence[Result]) -> str:
    """The results as a Markdown table with a column that says whether the bar is reached."""
    lines = [
        "| | ours | beside | ratio | bar | | note |",
        "|---|---|---|---|---|---|---|",
        *(_line(result) for result in results),
    ]
    return "\n".join(lines) + "\n"


def _line(result: Result) -> str:
    bar = bar_of(result)
    mark = "" if bar is None else "✓" if bar.reached(result) else "**missed**"
    cells = (
        result.name,
        _figure(result.ours, result.unit),
        "" if result.peer is None else _figure(result.peer, result.unit),
        "" if result.ratio is None else f"{result.ratio:.3g}×",
        "" if bar is None else bar.text(result.unit),
        mark,
        result.note,
    )
    return "| " + " | ".join(cells) + " |"


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"
