"""The drift methods that are asked for by name, with `compat`: Evidently's own scores."""

from __future__ import annotations

from functools import cache
from math import isfinite, sqrt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden import flights
from golden.evaluations import HERE, golden, near, near_p, reference_of, schema_of

from exporter.distances import DRIFT_METHODS
from exporter.metrics.drift import compare
from exporter.plan import make_plan
from exporter.profile.column import ColumnProfile
from exporter.snapshot import DriftRow

NUMERICAL = ("anderson", "cramer_von_mises", "ed", "es", "t_test", "mannw")
CATEGORICAL = ("g_test", "fisher_exact")
KINDS = {"num": "numerical", "cat": "categorical"}
TOY = [
    (size, column, kind, method)
    for size, columns in golden("presets/stattests.json").items()
    for column, kind in (name.split(":") for name in columns)
    for method in (NUMERICAL if kind == "num" else (*CATEGORICAL, "TVD"))
    if method in columns[f"{column}:{kind}"]
]
# Evidently's figures that depend on rounding, or are none: what ours are instead
ROUNDING = {("large", "bin", "es")}
NO_DIFFERENCE = {("const", "anderson"): 0.25, ("const", "t_test"): 1.0}


@cache
def toy(name: str, column: str, kind: str) -> ColumnProfile:
    rows = pd.read_csv(HERE / "presets" / f"{name}.csv")[[column]]
    schema = schema_of({column: KINDS[kind]})
    plan = make_plan(["missing_count"], schema)
    return reference_of(pa.Table.from_pandas(rows, preserve_index=False), plan).columns[column]


def compared(method: str, current, reference) -> DriftRow | str:
    try:
        return compare(current, reference, method, None, compat=True)
    except ValueError as reason:
        return str(reason)


def drawn_alike(ours: float, theirs: float, draws: int) -> bool:
    """Two shares of random deals: of so many draws, within five deviations of each other."""
    share = min(max((ours + theirs) / 2, 1 / draws), 1 - 1 / draws)
    return abs(ours - theirs) <= 5 * sqrt(2 * share * (1 - share) / draws) + 1 / draws


@pytest.mark.parametrize(("size", "column", "kind", "method"), TOY)
def test_a_toy_column_has_evidently_s_score(size, column, kind, method):
    theirs = golden("presets/stattests.json")[size][f"{column}:{kind}"][method]
    ours = compared(method, *(toy(f"{size}_{part}", column, kind) for part in ("cur", "ref")))
    if (column, method) in NO_DIFFERENCE:
        assert (ours.score, ours.drifted) == (NO_DIFFERENCE[column, method], False)
        return
    if "error" in theirs:
        assert method in ours
        return
    assert isfinite(theirs["score"])
    if method == "TVD":
        assert drawn_alike(ours.score, theirs["score"], 1000)
        return
    same = near_p if DRIFT_METHODS[method].score == "p_value" else near
    assert same(ours.score, theirs["score"]) or (size, column, method) in ROUNDING
    assert (ours.drifted, ours.threshold) == (theirs["detected"], theirs["threshold"])


@cache
def month(number: int, size: str) -> dict[str, ColumnProfile]:
    rows = flights.month(number)
    if size != "full":
        size_of = int(size.removeprefix("n"))
        rows = rows.take(pa.array(np.arange(size_of) * rows.num_rows // size_of))
    cancelled = np.isnan(rows["dep_time"].to_numpy()).astype(int)
    rows = rows.append_column("cancelled", pa.array(cancelled))
    schema = schema_of(
        dict.fromkeys(flights.NUMERICAL, "numerical")
        | dict.fromkeys((*flights.CATEGORICAL, "cancelled"), "categorical")
    )
    return dict(reference_of(rows, make_plan(["missing_count"], schema)).columns)


@pytest.mark.parametrize("size", ["full", "n1000"])
@pytest.mark.parametrize("number", range(2, 13))
def test_a_month_has_evidently_s_scores(number, size):
    seen = 0
    for column, scores in golden("nyc_stattests.json")[size][f"2013-{number:02d}"].items():
        for method in (*NUMERICAL, *CATEGORICAL, "TVD"):
            if method not in scores:
                continue
            seen += 1
            ours = compared(method, month(number, size)[column], month(1, size)[column])
            score, drifted = scores[method]
            place = f"{column} {method}"
            if isinstance(score, str):
                assert isinstance(ours, str), place
                continue
            if method == "TVD":
                assert drawn_alike(ours.score, score, 1000), place
                continue
            same = near_p if DRIFT_METHODS[method].score == "p_value" else near
            assert same(ours.score, score), place
            assert ours.drifted == drifted, place
    assert seen > 40


@pytest.mark.parametrize("number", range(2, 13))
def test_a_month_s_maximum_mean_discrepancy_is_evidently_s_but_for_the_draws(number):
    for column, (score, _) in golden("nyc_stattests.json")["n300_mmd"][
        f"2013-{number:02d}"
    ].items():
        ours = compared("empirical_mmd", month(number, "n300")[column], month(1, "n300")[column])
        assert drawn_alike(ours.score, score, 100), column


@pytest.mark.parametrize("method", [*NUMERICAL, *CATEGORICAL, "TVD", "empirical_mmd"])
def test_drift_begins_where_evidently_s_does(method):
    told = golden("nyc_stattests.json")["thresholds"][method]
    assert [DRIFT_METHODS[method].threshold] == list(told.values())
