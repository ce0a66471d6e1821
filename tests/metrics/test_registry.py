"""How a function becomes a metric, and which functions do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from golden.evaluations import Figures, evaluated, schema_of
from metrics.everything import table

from exporter.distances import DRIFT_METHODS, drift_method
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


def of_series(column: pd.Series) -> float:
    """Of a pandas column."""
    return float(column.mean())


def of_anything(column) -> float:
    """Of whatever comes."""
    return 0.0


def with_option(column: NumericProfile, *, by=2) -> float:
    """With an option of any type."""
    return 0.0


def sound(column: NumericProfile) -> float:
    """Something."""
    return 0.0


@pytest.mark.parametrize(
    ("func", "said", "text"),
    [
        (of_series, {}, "type of its first parameter says what it reads, such as NumericProfile"),
        (of_anything, {}, "type of its first parameter says what it reads"),
        (with_option, {}, "the option 'by' has no annotation"),
        (sound, {"unit": "ratios"}, "unit is 'ratios', .*; did you mean 'ratio'"),
        (sound, {"per": "row"}, "per is 'row', not one of dataset, column, pair"),
        (sound, {"better": "up"}, "better is 'up', not one of lower, higher, neutral"),
    ],
)
def test_a_function_that_would_have_no_figure_is_refused_when_it_is_declared(
    catalogue, func, said, text
):
    with pytest.raises(CatalogueError, match=text):
        metric(**{"per": "column", "unit": "value", **said})(func)
    assert func.__name__ not in CATALOGUE


def test_a_result_that_is_no_number_is_the_figure_s_error_and_no_one_else_s(catalogue):
    @metric(per="column", unit="value")
    def worded(column: NumericProfile) -> Any:
        """A word for a column."""
        return {"": "many", "b": 2}

    rows = table([dict.fromkeys(table([]).column_names) | {"x": x} for x in (1.0, 4.0)])
    figures = Figures(evaluated(rows, None, schema_of({"x": "numerical"}), "worded", "mean"))
    assert figures.row("worded", "x").error == "the metric gave 'many', which is no number"
    assert figures.value("worded", "x", "b") == 2
    assert figures.value("mean", "x") == 2.5


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"kinds": ("numerical")}, "kinds is 'numerical', not a tuple of numerical, .*, such as"),
        ({"kinds": ("numeric",)}, r"kinds is \('numeric',\), not a tuple of"),
        ({"score": "p-value"}, "score is 'p-value', not one of distance, p_value, percentile"),
        ({"threshold": 0}, "threshold is 0: a distance above 0"),
        ({"threshold": 3, "score": "p_value"}, "threshold is 3: .* a p-value between 0 and 1"),
    ],
)
def test_a_drift_method_that_nothing_could_use_is_refused_when_it_is_declared(said, text):
    def gap(current: NumericProfile, reference: NumericProfile) -> float:
        """Some gap."""
        return 0.0

    with pytest.raises(CatalogueError, match=text):
        drift_method(**{"kinds": ("numerical",), "threshold": 0.1, **said})(gap)
    assert "gap" not in DRIFT_METHODS


def test_a_misspelt_metric_suggests_the_nearest():
    with pytest.raises(PlanError, match="did you mean 'missing_ratio'"):
        metric_named("mising_ratio")
