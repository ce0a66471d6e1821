"""The gauges: those of the catalogue by metric, and our own."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from exporter.metrics import CATALOGUE
from exporter.metrics._registry import PREFIX


class Family(NamedTuple):
    """All samples of one name."""

    name: str
    help: str
    kind: str = "gauge"

    @property
    def head(self) -> str:
        """The two lines that come before the samples."""
        text = self.help.replace("\\", r"\\").replace("\n", r"\n")
        return f"# HELP {self.name} {text}\n# TYPE {self.name} {self.kind}\n"


WINDOW_START = Family(
    "evaluation_window_start_timestamp_seconds", "Start of the latest evaluated window."
)
WINDOW_END = Family(
    "evaluation_window_end_timestamp_seconds", "End of the latest evaluated window."
)
COMPUTED = Family("evaluation_computed_timestamp_seconds", "When the latest window was evaluated.")
INTERVAL = Family("evaluation_batch_interval_seconds", "Length of the latest window.")
WAIT = Family("evaluation_batch_wait_seconds", "How long after its end a window is due.")
INFO = Family("evaluation_snapshot_info", "Describing tags of the latest snapshot, as labels.")
BATCH_ROWS = Family("evaluation_batch_rows", "Rows of the latest window.")
REFERENCE_ROWS = Family(
    "evaluation_reference_rows", "Rows of what the latest window was compared with."
)
LABELLED_ROWS = Family(
    "evaluation_labelled_rows", "Rows of the latest window that have prediction and target."
)
TESTS = Family("evaluation_tests", "Tests of the latest window by status.")
ALERTING = Family(
    "evaluation_alerting_tests", "Tests of the latest window that somebody is to be told of."
)
LINKS = Family(
    "evaluation_stream_links",
    "Addresses of the stream's dashboard, newest report and runbook, as labels.",
)
FAILED_FIGURES = Family(
    "evaluation_failed_figures", "Figures of the latest window that could not be computed."
)
TEST_FAILED = Family(
    "evaluation_test_failed", "1 where the test failed or could not be done, 0 where it passed."
)
STREAK = Family(
    "evaluation_test_consecutive_failures",
    "Windows in a row that the test has failed; skipped ones do not count.",
)
ALERT = Family(
    "evaluation_test_alert",
    "1 where somebody is to be told: the test failed in as many of its last windows as it says.",
)
BOUND = Family("evaluation_test_bound", "Bound that the test allows, lower or upper.")
SEVERITY = Family(
    "evaluation_column_drift_severity", "Drift of a column, the same for every method: 1 is drift."
)
DETECTED = Family("evaluation_column_drift_detected", "1 where the column has drifted.")
SCORE = Family("evaluation_column_drift_score", "Drift score of a column, as its method gives it.")

STORE_UP = Family("evaluation_store_up", "1 while the store answers.")
LOOKED = Family(
    "evaluation_exporter_last_refresh_timestamp_seconds", "When the store last answered."
)
REFRESHED = Family(
    "evaluation_exporter_refresh_duration_seconds", "Duration of the last look that found a change."
)
FAILURES = Family(
    "evaluation_exporter_refresh_failures_total",
    "Looks at the store that failed since the start.",
    "counter",
)
STREAMS = Family("evaluation_exporter_streams", "Streams shown.")
SERIES = Family("evaluation_exporter_series", "Series of the streams shown.")
DROPPED = Family(
    "evaluation_exporter_series_dropped",
    "Series left out: beyond max_series, or with the labels of another one.",
)
TEST_ALERT = Family(
    "evaluation_exporter_test_alert", "1 while somebody tries whether alerts arrive."
)
FIRST_DUE = Family(
    "evaluation_first_batch_due_timestamp_seconds",
    "When an evaluation of a config should have had its first batch; absent once it had one.",
)
BUILD = Family("evaluation_exporter_build_info", "Version of the exporter, as a label.")

# In the order in which a short budget is spent on them, within each rank.
STATE = (
    *(WINDOW_END, INTERVAL, WAIT, COMPUTED, ALERTING, TESTS, FAILED_FIGURES, INFO, LINKS),
    *(BATCH_ROWS, REFERENCE_ROWS, LABELLED_ROWS, WINDOW_START),
)
CHECKS = (ALERT, TEST_FAILED, STREAK, BOUND)
DRIFT = (SEVERITY, DETECTED, SCORE)
OWN = (
    STORE_UP,
    LOOKED,
    REFRESHED,
    FAILURES,
    STREAMS,
    SERIES,
    DROPPED,
    TEST_ALERT,
    FIRST_DUE,
    BUILD,
)
FAMILIES = (*STATE, *CHECKS, *DRIFT, *OWN)
_TAKEN = frozenset(family.name for family in FAMILIES)
_LAST = len(FAMILIES) + 10_000  # after every metric of the catalogue


@cache
def family_of(metric: str) -> Family:
    """The gauge of a metric; one that this process does not know has a name made of its own.

    What would have the name of a gauge of ours is `evaluation_metric_…`.
    """
    spec = CATALOGUE.get(metric)
    name = spec.gauge if spec else PREFIX + re.sub("[^a-zA-Z0-9_]", "_", metric)
    if name in _TAKEN:
        name = f"{PREFIX}metric_{name.removeprefix(PREFIX)}"
    if spec:
        return Family(name, spec.help)
    return Family(name, "A metric of a plugin that is not loaded here.")


def order_of(family: Family) -> int:
    """Where a family stands when the budget is short: drift, then the catalogue, then plugins."""
    if family in DRIFT:
        return DRIFT.index(family)
    return _order().get(family.name, _LAST)


@cache
def _order() -> dict[str, int]:
    names = dict.fromkeys(family_of(metric).name for metric in CATALOGUE)
    return {name: place for place, name in enumerate(names, len(DRIFT))}
