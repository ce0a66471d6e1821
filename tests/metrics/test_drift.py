"""Which method compares a column, and what is counted of the results."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.profiles import categories, figure, finite, labels, numbers, samples

from exporter.distances import DRIFT_METHODS
from exporter.metrics.drift import DriftRows, automatic_method, compare
from exporter.snapshot import DriftRow

METHODS = ("ks", "wasserstein", "psi", "jensenshannon", "kl_div", "hellinger", "chisquare", "z")


def row(column: str, *, drifted: bool | None = None, error: str | None = None) -> DriftRow:
    return DriftRow(column, "numerical", "ks", drifted=drifted, error=error)


@pytest.mark.parametrize(
    ("distinct", "repeated", "method"),
    [(6, 100, "ks"), (5, 100, "chisquare"), (3, 100, "chisquare"), (2, 100, "z"), (1, 100, "z"),
     (6, 1000, "wasserstein"), (5, 1000, "jensenshannon"), (2, 1000, "jensenshannon")],
)  # fmt: skip
def test_numbers_are_compared_by_how_many_there_are_and_how_many_differ(distinct, repeated, method):
    reference = numbers([float(x) for x in range(distinct)] * repeated)
    assert automatic_method(reference, None).id == method


@pytest.mark.parametrize(
    ("distinct", "repeated", "method"),
    [(3, 100, "chisquare"), (2, 100, "z"), (1, 100, "z"), (3, 1000, "jensenshannon")],
)
def test_labels_are_compared_by_how_many_there_are_and_how_many_differ(distinct, repeated, method):
    assert automatic_method(categories([*"abc"[:distinct]] * repeated), None).id == method


@pytest.mark.parametrize(("size", "method"), [(1000, "ks"), (1001, "wasserstein")])
def test_a_reference_of_more_than_a_thousand_values_is_large(size, method):
    assert automatic_method(numbers([float(x) for x in range(size)]), None).id == method


@given(samples, samples, st.sampled_from(["auto", *METHODS]))
def test_numbers_are_compared_or_the_reason_is_told(current, reference, method):
    told = compare(numbers(current), numbers(reference), method, None)
    if not len(finite(current)):
        assert told.error == "no values in the batch"
    elif not len(finite(reference)):
        assert told.error == "no values in the reference"
    elif method != "auto" and "numerical" not in DRIFT_METHODS[method].kinds:
        assert told.error == f"{method} does not compare numerical columns"
    else:
        assert told.error is None
    assert (told.n, told.reference_n) == (len(finite(current)), len(finite(reference)))


@given(labels, labels, st.booleans())
def test_labels_are_compared_alike_whichever_side_chooses_the_method(current, reference, per_batch):
    a, b = categories(current), categories(reference)
    told = compare(a, b, "auto", None, per_batch=per_batch)
    assert (told.error is None) == bool(a.count and b.count)
    many = len({*a.labels, *b.labels} if per_batch else b.labels) > 2
    if b.count:
        assert told.method == ("chisquare" if many else "z")


def test_a_threshold_of_one_s_own_decides():
    a, b = numbers([1.0, 2.0, 3.0] * 5), numbers([1.5, 2.5, 3.5] * 5)
    score = compare(a, b, "wasserstein", None).score
    assert compare(a, b, "wasserstein", score).drifted is True
    assert compare(a, b, "wasserstein", score * 1.01).drifted is False
    assert compare(a, b, "wasserstein", score / 2).severity == pytest.approx(2)


def test_drifted_columns_are_counted_and_shared_out_among_those_that_were_tested():
    told = DriftRows([row("a", drifted=True), row("b", drifted=False), row("c", error="no values")])
    assert figure("drifted_columns", told) == 1
    assert figure("drifted_columns_ratio", told) == 0.5
    assert figure("untested_columns", told) == 1


def test_where_no_column_could_be_tested_there_is_no_share():
    told = DriftRows([row("a", error="no values")])
    with pytest.raises(ValueError, match="no column could be compared"):
        figure("drifted_columns_ratio", told)
    assert figure("drifted_columns", told) == 0
