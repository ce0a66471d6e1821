"""Labels that arrive seven days late: what is known of a model's quality as of a date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from golden import flights
from golden.evaluations import Figures, evaluated, golden, near, regression_schema

TOLD = golden("nyc_delayed_labels.json")
LATE = pd.Timedelta(days=7)
SCHEMA = regression_schema("champion")
METRICS = ("rmse", {"missing_count": {"columns": ["pred_champion", "arr_delay"]}})


def known(month: int, as_of: str) -> Figures:
    """The month's figures from the flights before that date, with the labels that have arrived."""
    rows = flights.month(month)
    dates = rows["date"].to_pandas()
    then = pd.Timestamp(as_of)
    arrived = np.where(dates + LATE <= then, rows["arr_delay"].to_pandas(), np.nan)
    at = rows.column_names.index("arr_delay")
    told = rows.set_column(at, "arr_delay", pa.array(arrived))
    return Figures(evaluated(told.filter(pa.array(dates < then)), None, SCHEMA, *METRICS))


@pytest.mark.parametrize("as_of", TOLD["as_of"])
def test_quality_is_that_of_the_labels_which_have_arrived(as_of):
    for month, theirs in TOLD["as_of"][as_of]["months"].items():
        figures = known(int(month[-2:]), as_of)
        snapshot = figures.snapshot
        predicted = snapshot.rows - figures.value("missing_count", "pred_champion")
        assert (predicted, snapshot.labelled_rows) == (theirs["predicted"], theirs["labelled"])
        assert near(figures.value("rmse"), theirs["rmse_so_far"])
        assert figures.row("rmse").n == theirs["labelled"]


@pytest.mark.parametrize("month", TOLD["monthly_coverage"])
def test_in_the_end_only_flights_that_never_arrived_lack_a_label(month):
    theirs = TOLD["monthly_coverage"][month]
    figures = known(int(month[-2:]), "2014-02-01")
    predicted = figures.snapshot.rows - figures.value("missing_count", "pred_champion")
    assert figures.snapshot.rows == theirs["rows"]
    assert predicted - figures.snapshot.labelled_rows == theirs["never"]


def test_before_the_first_label_there_is_no_quality_and_the_reason():
    figures = known(1, "2013-01-05")
    assert figures.snapshot.labelled_rows == 0
    assert figures.row("rmse").error == "no value"
    assert figures.row("rmse").n == 0
