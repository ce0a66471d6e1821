"""Every drift method on every feature of every month: whole months, and a thousand flights of each."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from golden import flights
from golden.evaluations import golden, near, near_p, reference_of, schema_of

from exporter.distances import DRIFT_METHODS
from exporter.metrics.drift import compare
from exporter.plan import make_plan
from exporter.profile.column import ColumnProfile

MONTHS = range(2, 13)
METHODS = ("ks", "wasserstein", "psi", "jensenshannon", "kl_div", "hellinger", "chisquare", "z")
SCHEMA = schema_of(
    dict.fromkeys(flights.NUMERICAL, "numerical")
    | dict.fromkeys((*flights.CATEGORICAL, "cancelled"), "categorical")
)


@cache
def profiles(month: int, size: str) -> dict[str, ColumnProfile]:
    rows = flights.month(month)
    if size == "n1000":
        rows = rows.take(pa.array(np.arange(1000) * rows.num_rows // 1000))
    cancelled = np.isnan(rows["dep_time"].to_numpy()).astype(int)
    rows = rows.append_column("cancelled", pa.array(cancelled))
    return dict(reference_of(rows, make_plan(["missing_count"], SCHEMA)).columns)


def _same(method: str, ours: float | None, theirs: float) -> bool:
    """To 1e-6 of the figure, far into the tails; of z they have no tail, but 1 minus the rest."""
    if method == "z":
        return near_p(ours, theirs)
    tail = 1e-200 if DRIFT_METHODS[method].score == "p_value" else 1e-11
    return near(ours, theirs, abs_=tail)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", ["full", "n1000"])
@pytest.mark.parametrize("month", MONTHS)
def test_a_month_drifts_from_january_as_far_as_evidently_says(month, size, method):
    told = golden("nyc_stattests.json")[size][f"2013-{month:02d}"]
    seen = 0
    for column, scores in told.items():
        if method not in scores:
            continue
        score, drifted = scores[method]
        ours = compare(profiles(month, size)[column], profiles(1, size)[column], method, None)
        assert _same(method, ours.score, score), column
        assert ours.drifted == drifted, column
        seen += 1
    assert seen >= (1 if method == "z" else 4)


@pytest.mark.parametrize("month", MONTHS)
def test_beside_a_small_reference_the_method_is_chosen_as_evidently_chooses(month):
    for column, scores in golden("nyc_stattests.json")["n1000"][f"2013-{month:02d}"].items():
        name, score, drifted = scores["default"]
        pair = (profiles(m, "n1000")[column] for m in (month, 1))
        ours = compare(*pair, "auto", None, per_batch=True)
        assert (ours.method, ours.drifted) == (name, drifted), column
        assert near_p(ours.score, score), column


@pytest.mark.parametrize("method", METHODS)
def test_drift_begins_where_evidently_s_does(method):
    for threshold in golden("nyc_stattests.json")["thresholds"][method].values():
        assert DRIFT_METHODS[method].threshold == threshold
