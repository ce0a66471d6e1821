"""How well a classifier tells two samples apart: the deal of rows, ROC AUC, and what guessing gives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from distances.samples import few
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from exporter.distances.separation import beside, by_chance, halves, learning, roc_auc

sizes = st.integers(4, 60)
told = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.5, 1.0]) | st.floats(0, 1)), min_size=2
)


@few
@given(sizes, sizes)
def test_rows_are_dealt_out_as_scikit_learn_deals_them(m, n):
    labels = beside(m, n)
    assert labels.tolist() == [False] * m + [True] * n
    learnt, held = train_test_split(np.arange(m + n), test_size=0.5, random_state=42)
    try:
        ours = halves(labels)
    except ValueError:
        assert any(len(set(labels[half])) == 1 for half in (learnt, held))
    else:
        assert [part.tolist() for part in ours] == [learnt.tolist(), held.tolist()]


def test_too_few_rows_cannot_be_judged():
    with pytest.raises(ValueError, match="too few rows"):
        halves(beside(40, 1))


@few
@given(told)
def test_the_score_is_scikit_learn_s_roc_auc(rows):
    labels, scores = np.array([x for x, _ in rows]), np.array([x for _, x in rows])
    if labels.all() or not labels.any():
        return
    assert roc_auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_chance_is_that_of_classifiers_that_draw_from_a_seed():
    labels = beside(70, 40)
    theirs = [roc_auc_score(labels, np.random.RandomState(i).rand(110)) for i in range(50)]
    for quantile in (0.05, 0.5, 0.95):
        wanted = np.percentile(theirs, 100 * quantile)
        assert by_chance(labels, range(50), quantile) == pytest.approx(wanted, abs=1e-12)


def test_a_classifier_that_stops_before_its_best_warns_nobody_and_others_are_heard_again():
    with learning():
        warnings.warn("not yet", ConvergenceWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="heard"):
        warnings.warn("heard", stacklevel=1)
