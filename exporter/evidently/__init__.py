"""Evidently's names, of 0.4 and of 0.7, and what each is here."""

from exporter.evidently._forms import Alias
from exporter.evidently.reports import METRIC_PRESETS, METRICS_04, METRICS_07
from exporter.evidently.suites import TEST_PRESETS, TESTS
from exporter.evidently.translating import (
    UNDER_METRICS,
    UNDER_TESTS,
    Translated,
    is_evidently,
    said,
    translate,
)

__all__ = [
    "METRICS_04",
    "METRICS_07",
    "METRIC_PRESETS",
    "TESTS",
    "TEST_PRESETS",
    "UNDER_METRICS",
    "UNDER_TESTS",
    "Alias",
    "Translated",
    "is_evidently",
    "said",
    "translate",
]
