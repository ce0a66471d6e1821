"""How a function becomes a metric, and which functions do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from golden.evaluations import Figures, evaluated, schema_of
from metrics.everything import table

from exporter.errors import CatalogueError, PlanError
from exporter.metrics import CATALOGUE, _registry, metric, metric_named
from exporter.profile.column import CategoryProfile, NumericProfile


@pytest.fixture
def catalogue() -> Iterator[dict]:
    """The catalogue, which is afterwards as it was."""
    before = dict(_registry._specs)
    yield _registry._specs
    _registry._specs.clear()
    _registry._specs.update(before)


def test_a_decorated_function_is_a_metric_at_once(catalogue):
    @metric(per="column", unit="value", better="lower")
    def value_range(column: NumericProfile, *, factor: float = 1.0) -> float:
        """Largest value minus the smallest.

        More for those who read the code.
        """
        return factor * (column.moments.most - column.moments.least)

    spec = CATALOGUE["value_range"]
    assert spec.help == "Largest value minus the smallest."
    assert spec.gauge == "evaluation_value_range"
    assert (spec.reads, spec.compares, dict(spec.options)) == (
        (NumericProfile,), False, {"factor": 1.0},
    )  # fmt: skip
    rows = table([dict.fromkeys(table([]).column_names) | {"x": x} for x in (1.0, 4.0)])
    wanted = {"value_range": {"factor": 2}}
    figures = Figures(evaluated(rows, None, schema_of({"x": "numerical"}), wanted))
    assert figures.value("value_range", "x", factor=2.0) == 6


def test_a_second_parameter_called_reference_makes_it_compare(catalogue):
    @metric(per="column", unit="value")
    def moved(
        column: NumericProfile | CategoryProfile, reference: NumericProfile | CategoryProfile
    ) -> float:
        """Something that needs both."""
        return float(column.count - reference.count)

    spec = CATALOGUE["moved"]
    assert (spec.reads, spec.compares, spec.alone) == (
        (NumericProfile, CategoryProfile), True, False,
    )  # fmt: skip


def test_a_metric_without_help_is_refused(catalogue):
    def silent(column: NumericProfile) -> float:
        return 0.0

    with pytest.raises(CatalogueError, match=r"silent has no docstring: it is the metric's help"):
        metric(per="column", unit="value")(silent)


def test_a_second_metric_of_a_name_is_refused(catalogue):
    def mean(column: NumericProfile) -> float:
        """Another mean."""
        return 0.0

    with pytest.raises(CatalogueError, match="mean is declared in"):
        metric(per="column", unit="value")(mean)


def test_a_misspelt_metric_suggests_the_nearest():
    with pytest.raises(PlanError, match="did you mean 'missing_ratio'"):
        metric_named("mising_ratio")
