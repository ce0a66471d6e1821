"""Rankings at k: worked out by hand, user by user, by scikit-learn, and as Evidently has them.

golden/ranking.json holds three seeded frames with the figures of Evidently 0.7.23. Of each the
interactions (user, item, target, prediction), where it has them the training interactions and item
features, and what benchmarks/peers/ranking_with_evidently.py printed of them in an environment with
Evidently: figures at k as lists from k = 1, the rest at the frame's k. The frames: 30 users with 15
scores each, best first; 25 users with 12 given ranks and targets from 0 to 4; 40 users with 1 to 13
scores, in any order.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import inf, isfinite, isnan, log, log2, nan
from random import Random
from typing import Any

import numpy as np
import pytest
from golden.evaluations import golden
from hypothesis import given
from hypothesis import strategies as st
from metrics.everything import options_of, reading
from metrics.profiles import figure
from metrics.rankings import (
    AT_K,
    beside,
    by_the_book,
    lists_of,
    ranked,
    rows,
    things,
    trained,
)
from scipy.stats import wasserstein_distance
from sklearn.metrics import ndcg_score

from exporter.errors import BatchError
from exporter.metrics import CATALOGUE
from exporter.profile.ranking import RankingProfile, merge_rankings

RANKING = reading(RankingProfile)
ratios = [spec.id for spec in RANKING if spec.unit == "ratio"]
short = st.integers(1, 9)
distinct = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 30).map(str),
        st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 0.5, -1.0, nan]),
        st.integers(-40, 40).map(float),
    ),
    max_size=30,
    unique_by=lambda row: (row[0], row[3]),
)
ONE = [("a", i, hit, -i) for i, hit in enumerate([0, 1, 0, 1, 1])]  # one user, hits at 2, 4 and 5
FEATURES = [("0", 1.0, 0.0), ("1", 0.0, 1.0), ("2", 1.0, 1.0), ("3", -1.0, 0.0)]


def every(profile: RankingProfile, **options: Any) -> dict[str, float]:
    """All figures of a ranking; those that the profile cannot give are left out."""
    out = {}
    for spec in RANKING:
        known = {name: value for name, value in options.items() if name in spec.options}
        try:
            result = figure(spec.id, profile, **options_of(spec), **known)
        except BatchError:
            continue
        labelled = result if isinstance(result, dict) else {"": result}
        out |= {f"{spec.id} {label}".strip(): value for label, value in labelled.items()}
    return out


def assert_near(one: dict[str, float], other: dict[str, float]) -> None:
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True)


# What holds of every metric that reads a ranking, also of one that is entered tomorrow.


@given(rows, trained, things, short)
def test_whatever_the_rows_hold_figures_are_sound(told, train, items, k):
    for metric, value in every(beside(told, train, items), k=k).items():
        assert isnan(value) or isfinite(value), metric
        assert metric not in ratios or isnan(value) or 0 <= value <= 1, metric


@given(rows, trained, things, st.randoms(use_true_random=False), short)
def test_the_order_of_rows_does_not_matter(told, train, items, random: Random, k):
    one = every(beside(told, train, items), k=k)
    told, train = random.sample(told, len(told)), random.sample(train, len(train))
    assert_near(every(beside(told, train, items), k=k), one)


@given(st.lists(rows, min_size=1, max_size=3), trained, things, short)
def test_parts_merged_give_what_the_whole_gives(parts, train, items, k):
    whole = beside([row for part in parts for row in part], train, items)
    merged = merge_rankings([beside(part, train, items) for part in parts])
    assert_near(every(merged, k=k), every(whole, k=k))


@given(rows, trained, things)
def test_beyond_the_longest_list_k_changes_nothing(told, train, items):
    profile = beside(told, train, items)
    longest = max(int(profile.sizes.max(initial=1)), 1)
    assert_near(every(profile, k=longest), every(profile, k=10_000))


def test_an_empty_ranking_has_no_figure_and_one_row_no_fault():
    empty = every(beside([], [], []))
    assert {metric for metric, value in empty.items() if not isnan(value)} == {"unranked_rows"}
    one = every(beside([("a", 1, 1, 0.5)], [("a", "1")], [("1", 1.0, 2.0)]))
    assert set(one) == set(empty)
    assert not any(map(np.isinf, one.values()))


@pytest.mark.parametrize("spec", RANKING, ids=lambda spec: spec.id)
def test_k_is_a_whole_number_of_at_least_one(spec):
    if "k" in spec.options:
        assert spec.options["k"] == 10
        with pytest.raises(ValueError, match="greater than or equal to 1"):
            spec.params({"k": 0})


@pytest.mark.parametrize("option", [{"beta": 0}, {"beta": inf}, {"min_relevance": nan}, {"k": 1.5}])
def test_options_that_mean_nothing_are_refused(option):
    with pytest.raises(ValueError, match=r"finite|greater than 0|valid integer"):
        CATALOGUE["f_beta_at_k"].params(option)


# Figures at k.


@given(
    distinct, st.sampled_from(AT_K), short, st.sampled_from([None, 0.0, 1.0, 2.0]), st.booleans()
)
def test_figures_at_k_are_what_their_formulas_say_of_each_user(told, metric, k, least, everyone):
    mine = figure(metric, ranked(told), k=k, min_relevance=least, no_feedback_users=everyone)
    book = by_the_book(metric, lists_of(told), k, least, everyone=everyone)
    assert mine == pytest.approx(book, rel=1e-9, abs=1e-12, nan_ok=True)


@given(distinct, st.sampled_from(AT_K), short)
def test_so_they_are_of_given_ranks_with_gaps(told, metric, k):
    ranks = [(*row[:3], abs(row[3]) + 41 * (row[3] < 0) + 1) for row in told]
    book = by_the_book(metric, lists_of(ranks, "rank"), k)
    assert figure(metric, ranked(ranks, "rank"), k=k) == pytest.approx(
        book, rel=1e-9, abs=1e-12, nan_ok=True
    )


@pytest.mark.parametrize(
    ("metric", "k", "value"),
    [
        ("precision_at_k", 1, 0.0),
        ("precision_at_k", 4, 2 / 4),
        ("precision_at_k", 10, 3 / 5),
        ("recall_at_k", 4, 2 / 3),
        ("f_beta_at_k", 4, 4 / 7),
        ("map_at_k", 4, (1 / 2 + 2 / 4) / 3),
        ("map_at_k", 10, (1 / 2 + 2 / 4 + 3 / 5) / 3),
        ("mar_at_k", 10, (1 / 3 + 2 / 3 + 3 / 3) / 3),
        ("ndcg_at_k", 4, (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / 2)),
        ("mrr_at_k", 1, 0.0),
        ("mrr_at_k", 10, 1 / 2),
        ("hit_rate_at_k", 1, 0.0),
        ("hit_rate_at_k", 2, 1.0),
    ],
)
def test_one_list_by_hand(metric, k, value):
    assert figure(metric, ranked(ONE), k=k) == pytest.approx(value)


def test_recall_counts_beta_times_as_much():
    assert figure("f_beta_at_k", ranked(ONE), k=4, beta=2.0) == pytest.approx(
        5 * (1 / 2) * (2 / 3) / (4 * 1 / 2 + 2 / 3)
    )


@pytest.mark.parametrize("metric", AT_K)
def test_users_without_anything_relevant_count_only_if_asked_for(metric):
    told = [("a", 1, 1, 0.9), ("b", 1, 0, 0.9)]
    assert figure(metric, ranked(told)) == 1
    assert figure(metric, ranked(told), no_feedback_users=True) == 0.5
    assert isnan(figure(metric, ranked(told[1:])))


def test_relevance_of_at_least_nothing_is_an_option_of_its_own():
    told = [("a", 1, -1, 0.9), ("a", 2, 0, 0.8), ("a", 3, nan, 0.7)]
    assert isnan(figure("precision_at_k", ranked(told)))
    assert figure("precision_at_k", ranked(told), min_relevance=0) == pytest.approx(1 / 3)
    assert figure("precision_at_k", ranked(told), min_relevance=-1) == pytest.approx(2 / 3)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=9), st.integers(1, 15))
def test_a_perfect_ranking_has_one_wherever_there_is_enough_to_find(found, k):
    told = [
        (user, item, float(item < hits), -item)
        for user, hits in enumerate(found)
        for item in range(hits + 2)
    ]
    profile = ranked(told)
    for metric in ("ndcg_at_k", "mrr_at_k", "hit_rate_at_k"):
        assert figure(metric, profile, k=k) == pytest.approx(1)
    if k <= min(found):
        assert figure("precision_at_k", profile, k=k) == 1
    if k >= max(found):
        assert figure("recall_at_k", profile, k=k) == 1
        assert figure("map_at_k", profile, k=k) == pytest.approx(1)


@given(st.integers(0, 999), st.integers(1, 12))
def test_gain_is_scikit_learns(seed, k):
    random = np.random.default_rng(seed)
    target, score = random.integers(0, 5, (6, 9)), random.random((6, 9))
    told = [(u, i, target[u, i], score[u, i]) for u in range(6) for i in range(9)]
    mine = figure("ndcg_at_k", ranked(told), k=k, no_feedback_users=True)
    assert mine == pytest.approx(ndcg_score(target, score, k=k, ignore_ties=True))


def test_equal_scores_are_as_good_as_chance_and_never_above_one():
    told = [(user, item, float(item < 3), 1.0) for user in range(400) for item in range(10)]
    for k in (1, 5, 10):
        assert figure("precision_at_k", ranked(told), k=k) == pytest.approx(0.3, abs=0.05)
        assert figure("recall_at_k", ranked(told), k=k) == pytest.approx(k / 10, abs=0.05)


def test_average_precision_of_short_lists_never_exceeds_one():
    told = [("a", 1, 1, 0.9), ("b", 1, 1, 0.2), ("b", 2, 1, 0.1)]
    assert figure("map_at_k", ranked(told), k=10) == 1
    assert figure("mar_at_k", ranked(told), k=10) == pytest.approx((1 + 3 / 4) / 2)


# Variety.


@given(distinct, short)
def test_personalization_is_the_mean_over_pairs_of_users(told, k):
    tops = [{item for place, _, item in rows if place <= k} for rows in lists_of(told)]
    value = figure("personalization_at_k", ranked(told), k=k)
    if len(tops) < 2:
        assert isnan(value)
        return
    longest = max(map(len, tops))
    apart = [1 - len(one & other) / longest for one, other in combinations(tops, 2)]
    assert value == pytest.approx(sum(apart) / len(apart))


def test_users_with_the_same_short_list_share_everything():
    told = [(user, item, 1, -item) for user in "abc" for item in range(3)]
    assert figure("personalization_at_k", ranked(told), k=10) == 0


@pytest.mark.parametrize(
    ("often", "value"), [([2, 2, 2], 0.0), ([1, 3], 0.5), ([1, 1, 4], 0.5), ([5], nan)]
)
def test_gini_is_zero_where_all_are_recommended_as_often(often, value):
    told = [(f"{i}-{n}", i, 1, 0.5) for i, times in enumerate(often) for n in range(times)]
    assert figure("item_gini", ranked(told)) == pytest.approx(value, nan_ok=True)


def test_entropy_is_that_of_the_first_scores_of_all_users():
    told = [("a", 1, 0, 2.0), ("a", 2, 0, 1.0), ("b", 1, 0, 2.0)]
    assert figure("score_entropy", ranked(told), k=1) == pytest.approx(log(2))
    huge = [("a", 1, 0, 1e300), ("a", 2, 0, -1e300)]
    assert figure("score_entropy", ranked(huge)) == 0


def test_ranks_have_no_entropy():
    with pytest.raises(BatchError, match="a ranking by rank has no scores"):
        figure("score_entropy", ranked([("a", 1, 0, 1)], "rank"))


TRAIN = [("a", "0"), ("b", "0"), ("c", "0"), ("c", "1"), ("d", "0"), ("d", "0"), ("d", "3")]


@pytest.mark.parametrize(
    ("metric", "options", "value"),
    [
        ("novelty_at_k", {}, ((0 + 2) / 2 + 2) / 2),
        ("novelty_at_k", {"k": 1}, (0 + 2) / 2),
        ("average_popularity", {}, ((4 + 1) / 2 + 1) / 2),
        ("average_popularity", {"normalized": True}, ((4 + 1) / 2 + 1) / 8),
        ("item_coverage", {}, 1.0),
        ("item_coverage", {"k": 1}, 2 / 3),
    ],
)
def test_what_is_known_of_training_by_hand(metric, options, value):
    told = [("a", "0", 1, 2), ("a", "1", 1, 1), ("x", "3", 0, 1), ("y", "new", 0, 1)]
    assert figure(metric, beside(told, TRAIN, []), **options) == pytest.approx(value)


@pytest.mark.parametrize(
    "metric",
    ["novelty_at_k", "average_popularity", "item_coverage", "serendipity_at_k", "item_bias"],
)
def test_what_needs_training_says_so(metric):
    with pytest.raises(BatchError, match="needs the interactions of training"):
        figure(metric, ranked(ONE))


def test_diversity_needs_features():
    with pytest.raises(BatchError, match="needs features of the items"):
        figure("diversity_at_k", ranked(ONE))


def test_diversity_is_the_mean_distance_of_pairs():
    told = [("a", item, 1, -int(item)) for item in "0129"] + [("b", "0", 1, 1.0)]
    apart = [1.0, 1 - 2**-0.5, 1 - 2**-0.5]
    profile = beside(told, [], FEATURES)
    assert figure("diversity_at_k", profile) == pytest.approx(sum(apart) / 3)
    assert figure("diversity_at_k", profile, k=2) == pytest.approx(1)
    assert figure("diversity_at_k", profile, compat=True) == pytest.approx((sum(apart) / 3 + 0) / 2)


def test_serendipity_is_the_mean_distance_of_what_hit_to_the_history():
    told = [
        ("a", "1", 1, 3),
        ("a", "3", 1, 2),
        ("a", "0", 0, 1),
        ("c", "1", 1, 1),
        ("n", "1", 1, 1),
    ]
    train = [("a", "0"), ("a", "2"), ("c", "1")]
    alike = [(0 + 2**-0.5) / 2, (-1 - 2**-0.5) / 2]
    profile = beside(told, train, FEATURES)
    assert figure("serendipity_at_k", profile) == pytest.approx((1 - sum(alike) / 2 + 0) / 2)
    theirs = figure("serendipity_at_k", profile, compat=True)
    assert theirs == pytest.approx((1 - sum(alike) + 0) / 2)


@given(distinct, trained, short)
def test_figures_of_features_are_the_sums_over_all_pairs(told, train, k):
    random = np.random.default_rng(3)
    features = {str(i): random.normal(size=3) for i in range(31)}
    unit = {item: v / np.linalg.norm(v) for item, v in features.items()}
    profile = beside(told, train, [(item, *v) for item, v in features.items()])
    within, unlike = [], []
    for user in sorted({row[0] for row in told}):
        top = [(x, i) for p, x, i in lists_of([r for r in told if r[0] == user])[0] if p <= k]
        if len(top) > 1:
            apart = [1 - unit[a] @ unit[b] for (_, a), (_, b) in combinations(top, 2)]
            within.append(np.mean(apart))
        history = [unit[item] for who, item in train if who == user and item is not None]
        hits = [unit[item] for relevance, item in top if relevance > 0]
        if history and hits:
            unlike.append(np.mean([1 - one @ other for one in hits for other in history]))
    for metric, book in (("diversity_at_k", within), ("serendipity_at_k", unlike)):
        expected = np.mean(book) if book else nan
        assert figure(metric, profile, k=k) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_item_bias_is_the_distance_of_what_is_recommended_to_all_there_was():
    told = [("a", "1", 0, 2), ("b", "1", 0, 2), ("b", "2", 0, 1)]
    train = [("a", "0"), ("a", "0"), ("a", "1"), ("b", "2")]
    profile = beside(told, train, [("0", 0.0, 5.0), ("1", 3.0, 5.0), ("2", 6.0, 5.0)])
    bias = figure("item_bias", profile)
    book = wasserstein_distance([3, 3, 6], [0, 3, 6]) / np.std([0, 3, 6])
    assert bias == {"f0": pytest.approx(book), "f1": 0}
    assert figure("item_bias", profile, k=1)["f0"] == pytest.approx(2 / np.std([0, 3, 6]))


def test_many_vectors_are_added_up_in_parts(monkeypatch):
    from exporter.metrics import ranking

    random = np.random.default_rng(0)
    told = [(u, str(i), 1, random.random()) for u in range(20) for i in range(9)]
    train = [(str(u), str(i)) for u in range(20) for i in range(u % 9)]
    items = [(str(i), *random.random(4)) for i in range(9)]
    whole = every(beside(told, train, items))
    monkeypatch.setattr(ranking, "BLOCK", 12)
    assert_near(every(beside(told, train, items)), whole)


# Evidently's figures.


@cache
def case(name: str) -> tuple[RankingProfile, dict[str, Any], int]:
    told = golden("ranking.json")[name]
    data, train, items = (told[part] for part in ("data", "train", "items"))
    listed = list(zip(*(data[c] for c in ("user", "item", "target", "prediction")), strict=True))
    profile = ranked(listed, told["ranked_by"])
    if train:
        pairs = list(zip(train["user"], train["item"], strict=True))
        known = beside(listed, pairs, list(zip(*items.values(), strict=True)))
        profile = profile.beside(known.train, known.features)
    return profile, told["figures"], told["k"]


@pytest.mark.parametrize("name", ["full lists in order", "given ranks, graded"])
@pytest.mark.parametrize("metric", AT_K)
def test_figures_at_every_k_are_theirs(name, metric):
    profile, theirs, _ = case(name)
    mine = [figure(metric, profile, k=k + 1) for k in range(len(theirs[metric]))]
    assert len(mine) == 10
    assert mine == pytest.approx(theirs[metric], rel=1e-6)


@pytest.mark.parametrize("metric", sorted({*AT_K} - {"map_at_k", "mar_at_k"}))
def test_of_lists_of_all_lengths_in_any_order_they_are_theirs_too(metric):
    profile, theirs, _ = case("lists of all lengths, shuffled")
    mine = [figure(metric, profile, k=k + 1) for k in range(len(theirs[metric]))]
    assert mine == pytest.approx(theirs[metric], rel=1e-6)


@pytest.mark.parametrize("metric", ["map_at_k", "mar_at_k"])
def test_averages_do_not_follow_the_order_of_rows_nor_pass_the_end_of_a_list_as_theirs_do(metric):
    profile, theirs, _ = case("lists of all lengths, shuffled")
    assert figure(metric, profile, k=1) == pytest.approx(theirs[metric][0], rel=1e-6)
    assert theirs[metric][-1] > 1
    assert figure(metric, profile, k=10) < 1


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("personalization_at_k", {}),
        ("score_entropy", {}),
        ("novelty_at_k", {}),
        ("average_popularity", {}),
        ("item_coverage", {}),
        ("item_gini", {}),
        ("diversity_at_k", {"compat": True}),
        ("serendipity_at_k", {"compat": True}),
    ],
)
def test_figures_of_variety_are_theirs(metric, options):
    profile, theirs, k = case("full lists in order")
    assert figure(metric, profile, k=k, **options) == pytest.approx(theirs[metric], rel=1e-6)


def test_normalized_popularity_is_theirs():
    profile, theirs, k = case("full lists in order")
    mine = figure("average_popularity", profile, k=k, normalized=True)
    assert mine == pytest.approx(theirs["average_popularity, normalized"], rel=1e-6)
