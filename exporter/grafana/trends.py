"""A figure over time as it is always shown: beside its reference, and within what its tests allow."""

from __future__ import annotations

from collections.abc import Sequence

from exporter.grafana.charts import dashed, timeseries
from exporter.grafana.colours import BOUND, REFERENCE, Json
from exporter.grafana.panels import NOTHING, sql
from exporter.grafana.queries import CHOSEN, FIGURE, history, where

REFERENCE_LINE = dashed("reference", "reference", REFERENCE)
BOUND_LINES = (dashed("lower", "at least", BOUND), dashed("upper", "at most", BOUND))
HOW_TO_READ = (
    "Dashed grey: the reference. Dashed red: what tests of it allow. A missing batch is a gap. "
    "Sources: grafana.metrics, grafana.tests."
)


def bounds(figure: str, *, of: str = CHOSEN) -> Json:
    """What the tests of a figure allow, over time, to be drawn beside it by `BOUND_LINES`."""
    query = history(
        "grafana.tests",
        where(of, figure, "(lower is not null or upper is not null)"),
        named="test",
        values={"lower": "lower", "upper": "upper"},
        first="max(upper)",
    )
    return sql(query, "B")


def figure_trend(
    id_: int,
    title: str,
    description: str,
    figure: str,
    *,
    of: str = CHOSEN,
    size: tuple[int, int] = (12, 8),
    unit: str = "short",
    links: Sequence[Json] = (),
    nothing: str = NOTHING,
) -> Json:
    """A figure by batch, a dozen lines at most; *figure* holds of its metrics and of its tests.

    *nothing* is said where it was not measured.
    """
    query = history(
        "grafana.metrics",
        where(of, figure),
        named=FIGURE,
        values={"value": "value", "reference": "reference"},
        first="count(value) desc",
    )
    return timeseries(
        id_,
        title,
        f"{description} {HOW_TO_READ}",
        [sql(query), bounds(figure, of=of)],
        size=size,
        unit=unit,
        defaults={"noValue": nothing},
        overrides=[REFERENCE_LINE, *BOUND_LINES],
        links=links,
    )
