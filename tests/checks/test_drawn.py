"""Rows drawn from a fixed reference: sound batches seldom fail, changed ones do."""

from __future__ import annotations

from functools import cache
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from golden.evaluations import batch_of, evaluated, reference_of, schema_of

from exporter import evaluation
from exporter.checks.drawing import drawn_column, drawn_outcome
from exporter.checks.drawn import Drawn
from exporter.errors import PlanError
from exporter.evaluation import ReferenceProfile
from exporter.metrics import CATALOGUE
from exporter.metrics._registry import MetricSpec
from exporter.plan import Plan, make_plan
from exporter.profile.outcome import ErrorProfile, ScoreProfile, class_profile, score_profile
from exporter.profile.ranking import RankingProfile
from exporter.snapshot import CheckResult

FEATURES = ("x", "steps", "kind", "many")
DELAY = schema_of(
    {
        **dict.fromkeys(("x", "steps", "y", "p"), "numerical"),
        **dict.fromkeys(("kind", "many"), "categorical"),
    },
    FEATURES, target="y", prediction="p", task="regression",
)  # fmt: skip
CHURN = schema_of(
    {"late": "categorical", "p": "numerical"}, (), target="late", probability="p", positive="1",
    task="binary",
)  # fmt: skip
ROWS, REFERENCE_ROWS = 400, 4000
# Of pairs of columns, or of a task that neither model has.
ELSEWHERE = {"changed_correlations", "conflicting_targets", "conflicting_predictions"}


def wanted(spec: MetricSpec, outcome: type) -> bool:
    """Whether it is tested without a condition on such a model."""
    read = {ErrorProfile, ScoreProfile, RankingProfile} & set(spec.reads)
    other = spec.id in ELSEWHERE or "embedding" in spec.id
    other |= "correlation" in spec.id and outcome is ScoreProfile  # it has one column only
    return spec.automatic is not None and not other and read <= {outcome}


def delays(rng: np.random.Generator, rows: int, *, shift: float = 0.0) -> pa.Table:
    """Flights; `shift` moves all of them."""
    target = rng.normal(20, 2, rows)
    return pa.table(
        {
            "x": pa.array(rng.normal(shift, 1, rows), mask=rng.random(rows) < 0.02),
            "steps": rng.poisson(3, rows).astype(float),
            "kind": rng.choice(list("abcd"), rows, p=[0.5, 0.3, 0.15, 0.05]),
            "many": [f"k{i}" for i in rng.zipf(1.6, rows) % 5000],
            "y": target,
            "p": target + rng.normal(shift, 1, rows),
        }
    )


def churned(rng: np.random.Generator, rows: int, *, blur: float = 1.0) -> pa.Table:
    """Customers that leave, and how likely that seemed."""
    late = rng.random(rows) < 0.3
    score = 1 / (1 + np.exp(-(2.0 * late - 1 + blur * rng.normal(size=rows))))
    return pa.table({"late": np.where(late, "1", "0"), "p": score})


@cache
def plan_of(task: str) -> Plan:
    schema, outcome = (DELAY, ErrorProfile) if task == "delay" else (CHURN, ScoreProfile)
    tests: list[Any] = []
    for name, spec in CATALOGUE.items():
        entry: Any = {name: {"columns": ["steps", *FEATURES[2:]]}} if "list" in name else name
        if wanted(spec, outcome) and _fits(entry, schema):
            tests.append(entry)
    return make_plan((), schema, tests=tests, reference_expected=True)


def _fits(entry: Any, schema: Any) -> bool:
    try:
        return bool(make_plan((), schema, tests=[entry], reference_expected=True).checks)
    except PlanError:
        return False


@cache
def reference(task: str) -> ReferenceProfile:
    make = delays if task == "delay" else churned
    return reference_of(make(np.random.default_rng(1), REFERENCE_ROWS), plan_of(task))


def judged(table: pa.Table, task: str = "delay") -> list[CheckResult]:
    return list(evaluation.evaluate(batch_of(table), reference(task), plan_of(task)).tests)


@pytest.mark.parametrize(("task", "make"), [("delay", delays), ("churn", churned)])
def test_fewer_than_one_in_200_figures_of_sound_batches_fail(task, make):
    rng = np.random.default_rng(2)
    told = [t for _ in range(25) for t in judged(make(rng, ROWS), task)]
    failed = [(t.test, t.column, t.label) for t in told if t.status in ("fail", "error")]
    assert len(told) > 25 * 15
    assert len(failed) < len(told) / 200, failed


def test_drift_of_few_rows_is_no_news_where_chance_does_as_much():
    rng = np.random.default_rng(4)
    told = [t for _ in range(20) for t in judged(delays(rng, 60)) if t.test == "column_drift"]
    drifted = [t for t in told if t.value > 0.1]
    assert len(drifted) > 20
    assert not [t for t in told if t.status == "fail"]
    assert "0.1 widened: so few rows differ as much by chance" in drifted[0].message


def test_columns_that_drifted_by_chance_do_not_count_as_many_drifted_columns():
    tests = {t.test: t for t in judged(delays(np.random.default_rng(5), 60))}
    ratio, count = tests["drifted_columns_ratio"], tests["drifted_columns"]
    assert ratio.value >= 0.5
    assert count.value >= count.upper / 2
    assert ratio.status == count.status == "success"


@pytest.mark.parametrize("metric", ["column_drift", "mean", "rmse", "mean_error"])
def test_a_shift_by_a_deviation_fails(metric):
    told = judged(delays(np.random.default_rng(6), ROWS, shift=1.0))
    assert [t.status for t in told if t.test == metric and t.column in ("x", "")] == ["fail"]


@pytest.mark.parametrize("metric", ["roc_auc", "f1", "log_loss", "brier_score", "accuracy"])
def test_a_classifier_that_guesses_fails(metric):
    told = judged(churned(np.random.default_rng(6), ROWS, blur=40.0), "churn")
    assert [t.status for t in told if t.test == metric] == ["fail"]


def test_a_maximum_may_lie_beyond_the_reference_s_but_not_anywhere():
    sound = delays(np.random.default_rng(7), ROWS)
    wild = sound.set_column(0, "x", pa.array([30.0, *sound["x"].to_pylist()[1:]]))
    statuses = [
        {t.test: t.status for t in judged(table) if t.column == "x"}["max"]
        for table in (sound, wild)
    ]
    assert statuses == ["success", "fail"]


def most(seed: int, draw: str) -> float:
    """The bound on the maximum of a batch of 200 beside 250 rows."""
    rows = getattr(np.random.default_rng(seed), draw)(size=450)
    current, beside = pa.table({"x": rows[:200]}), pa.table({"x": rows[200:]})
    (told,) = evaluated(current, beside, schema_of({"x": "numerical"}), tests=["max"]).tests
    return told.upper or 0.0


@pytest.mark.parametrize(
    ("draw", "least", "greatest"),
    [("normal", 3, 12), ("random", 1, 2.5), ("standard_cauchy", 1000, 1e300)],
)
def test_a_maximum_s_bound_is_near_where_tails_are_light(draw, least, greatest):
    assert least < median([most(seed, draw) for seed in range(9)]) < greatest


# ---- the draws themselves


def test_the_same_batch_is_judged_the_same():
    table = delays(np.random.default_rng(8), ROWS)
    assert judged(table) == judged(table)


def test_what_was_drawn_is_kept_for_batches_of_about_the_same_size():
    spec = CATALOGUE["mean"]
    kept: dict[Any, Any] = {}
    near = [Drawn(reference("delay"), rows, {}, kept) for rows in (420, 430)]
    reaches = [d.reach(spec, {}, "x", "", center=0.0) for d in near]
    assert reaches[0] == reaches[1]
    assert len(kept) == 1


def test_chance_does_less_in_more_rows():
    spec = CATALOGUE["mean"]
    wide, narrow = (
        Drawn(reference("delay"), rows).reach(spec, {}, "x", "", center=0.0) for rows in (50, 3000)
    )
    assert wide is not None
    assert narrow is not None
    assert wide.upper - wide.lower > 2 * (narrow.upper - narrow.lower)


def test_many_values_are_judged_by_fewer_drawn():
    table = pa.concat_tables([delays(np.random.default_rng(9), REFERENCE_ROWS)] * 20)
    whole = reference_of(table, plan_of("delay"))
    spec = CATALOGUE["mean"]
    few, many = (Drawn(whole, r).reach(spec, {}, "x", "", center=0.0) for r in (5_000, 80_000))
    assert few is not None
    assert many is not None
    assert 0.2 < (many.upper - many.lower) / (few.upper - few.lower) < 0.6


def test_draws_have_as_many_categories_that_are_new_as_the_reference_has_once():
    whole = reference("delay").columns["many"]
    drawn = [drawn_column(whole, 1000, seed) for seed in range(10)]
    unseen = [sum(c for x, c in d.count_of.items() if x not in whole.count_of) for d in drawn]
    once = sum(c == 1 for c in whole.counts)
    assert np.mean(unseen) == pytest.approx(1000 * once / whole.count, rel=0.2)
    assert all(d.count == 1000 for d in drawn)


def test_drawn_decisions_and_scores_are_those_of_the_reference_in_the_mean():
    rng = np.random.default_rng(10)
    actual = (rng.random(3000) < 0.4).astype(float)
    chance = np.clip(0.3 * actual + 0.7 * rng.random(3000), 0, 1)
    whole = score_profile(actual, (chance > 0.5).astype(float), chance, ("0", "1"))
    for name in ("accuracy", "recall", "roc_auc", "log_loss", "brier_score"):
        figure = CATALOGUE[name].compute
        drawn = [figure(drawn_outcome(whole, 500, seed)) for seed in range(30)]
        assert np.mean(drawn) == pytest.approx(figure(whole), rel=0.05), name


def test_more_than_two_classes_are_drawn_as_well():
    rng = np.random.default_rng(11)
    actual = rng.integers(3, size=900)
    predicted = np.where(rng.random(900) < 0.7, actual, rng.integers(3, size=900))
    chances = {x: np.where(actual == i, 0.6, 0.2) for i, x in enumerate("abc")}
    whole = class_profile(("a", "b", "c"), actual, predicted, chances)
    recall = CATALOGUE["recall_by_label"].compute
    drawn = [recall(drawn_outcome(whole, 300, seed))["a"] for seed in range(30)]
    assert np.mean(drawn) == pytest.approx(recall(whole)["a"], rel=0.05)
