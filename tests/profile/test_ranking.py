"""Ranking profiles: order, ties, what is left out, and parts that make a whole."""

from __future__ import annotations

from io import BytesIO
from math import inf, nan
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.rankings import ranked, rows, training, vectors

from exporter.batch import Batch
from exporter.errors import BatchError
from exporter.profile.arrays import hash_labels
from exporter.profile.interactions import RankingColumns, read_items, read_ranking, read_train
from exporter.profile.ranking import RankingProfile, merge_rankings
from exporter.sources.profile_files import ProfileWriter, open_profile


def items_of(profile: RankingProfile, user: str) -> list[int]:
    """The items of one user by place, as their position among 0 to 9."""
    at = int(np.flatnonzero(profile.users == hash_labels([user])[0])[0])
    mine = slice(profile.starts[at], profile.starts[at + 1])
    names = hash_labels([str(i) for i in range(10)])[:-1]
    return [int(np.flatnonzero(names == profile.items[i])[0]) for i in profile.item_codes[mine]]


def assert_equal(one: RankingProfile, other: RankingProfile) -> None:
    for name in ("users", "starts", "items", "item_codes", "relevance", "predictions", "places"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert (one.ranked_by, one.left_out) == (other.ranked_by, other.left_out)


def batch_of(**columns: pa.Array) -> Batch:
    table = pa.table(columns)
    return Batch(table.num_rows, {f.name: f.type for f in table.schema}, table.column)


INTERACTIONS = {
    "user": pa.array([7, 7, 8], pa.int64()),
    "item": pa.array(["1", "2", "1"]).dictionary_encode(),
    "clicked": pa.array([True, False, None]),
    "score": pa.array([0.5, 0.75, 0.25], pa.float32()),
}
COLUMNS = RankingColumns("user", "item", "clicked", "score")


def test_the_highest_score_comes_first():
    profile = ranked([("a", 1, 0, 0.1), ("b", 3, 0, 5.0), ("a", 2, 1, 0.9), ("a", 4, 0, -2.0)])
    assert items_of(profile, "a") == [2, 1, 4]
    assert items_of(profile, "b") == [3]
    assert sorted(profile.places.tolist()) == [1, 1, 2, 3]


def test_the_lowest_rank_comes_first_and_keeps_its_place():
    profile = ranked([("a", 1, 0, 9), ("a", 2, 0, 2), ("a", 3, 0, 5)], "rank")
    assert items_of(profile, "a") == [2, 3, 1]
    assert profile.places.tolist() == [2, 5, 9]


def test_ranks_that_begin_at_zero_or_are_taken_move_back():
    told = [("a", i, 0, rank) for i, rank in enumerate([0, 1, 1, 2, 7])]
    assert ranked(told, "rank").places.tolist() == [1, 2, 3, 4, 7]


def test_a_rank_out_of_all_bounds_is_a_place_beyond_any_list():
    told = [("a", 1, 0, 1e300), ("a", 2, 0, -1e300), ("b", 3, 0, 1.0)]
    assert sorted(ranked(told, "rank").places.tolist()) == [1, 1, 1 << 31]


def test_ties_are_settled_by_user_and_item_and_not_alike_for_everybody():
    told = [(user, item, 0, 1.0) for user in range(50) for item in range(5)]
    orders = {tuple(items_of(ranked(told), str(user))) for user in range(50)}
    assert len(orders) > 20
    first = [items_of(ranked(told), str(user))[0] for user in range(50)]
    assert set(first) == {0, 1, 2, 3, 4}


def test_rows_that_cannot_be_ranked_are_left_out_and_counted():
    told = [
        ("a", 1, 1, 0.5), (None, 2, 1, 0.5), ("a", None, 1, 0.5), ("a", 3, 1, nan),
        ("a", 4, 1, inf), ("a", 5, 1, -inf),
    ]  # fmt: skip
    profile = ranked(told)
    assert (profile.rows, profile.left_out) == (1, 5)
    assert len(profile.users) == len(profile.items) == 1


def test_a_row_without_target_keeps_its_place():
    profile = ranked([("a", 1, nan, 3.0), ("a", 2, 1, 2.0), ("a", 3, inf, 1.0)])
    assert profile.places.tolist() == [1, 2, 3]
    assert (profile.rows, profile.labelled) == (3, 1)


@given(rows, st.randoms(use_true_random=False), st.sampled_from(["score", "rank"]))
def test_the_order_of_rows_does_not_matter(told, random: Random, kind):
    shuffled = random.sample(told, len(told))
    assert_equal(ranked(told, kind), ranked(shuffled, kind))


@given(st.lists(rows, min_size=1, max_size=4), st.sampled_from(["score", "rank"]))
def test_parts_that_share_users_make_the_whole(parts, kind):
    whole = ranked([row for part in parts for row in part], kind)
    assert_equal(merge_rankings([ranked(part, kind) for part in parts]), whole)


@given(rows)
def test_places_are_distinct_and_count_from_one(told):
    for kind in ("score", "rank"):
        profile = ranked(told, kind)
        pairs = set(zip(profile.user_codes.tolist(), profile.places.tolist(), strict=True))
        assert len(pairs) == profile.rows
        assert profile.places.min(initial=1) >= 1


def test_scores_and_ranks_do_not_merge():
    with pytest.raises(BatchError, match="some parts are ordered by score and others by rank"):
        merge_rankings([ranked([("a", 1, 1, 1.0)]), ranked([("a", 1, 1, 1.0)], "rank")])


def test_a_merge_keeps_what_was_known_before():
    train, features = training([("a", "1")]), vectors([("1", 1.0)])
    part = ranked([("a", 1, 1, 1.0)]).beside(train, features)
    merged = merge_rankings([part, part])
    assert (merged.train, merged.features) == (train, features)


def test_a_profile_comes_back_from_its_file(tmp_path):
    file = BytesIO()
    profile = ranked([("a", 1, 1, 0.5), ("b", 2, nan, 0.1), ("a", 3, 0, 0.7)])
    writer = ProfileWriter(file)
    writer.finish({"outcome": writer.pack(profile)})
    (tmp_path / "kept").write_bytes(file.getvalue())
    kept = open_profile(tmp_path / "kept")
    assert_equal(kept.unpack(kept.footer["outcome"]), profile)


def test_popularity_counts_the_users_of_an_item_once_each():
    profile = training([("a", "1"), ("a", "1"), ("b", "1"), ("b", "2"), (None, "2"), ("c", None)])
    told = dict(zip(profile.items.tolist(), profile.popularity.tolist(), strict=True))
    one, two, _ = hash_labels(["1", "2"]).tolist()
    assert told == {one: 2, two: 1}
    assert len(profile.users) == 2
    assert np.diff(profile.starts).sum() == 4


def test_vectors_have_length_one_and_items_without_a_feature_none():
    profile = vectors([("1", 3.0, 4.0), ("2", nan, 1.0), ("3", 0.0, 0.0), (None, 1.0, 1.0)])
    told = dict(zip(profile.items.tolist(), profile.vectors.tolist(), strict=True))
    one, three, _ = hash_labels(["1", "3"]).tolist()
    assert told == {one: pytest.approx([0.6, 0.8]), three: [0.0, 0.0]}


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1e300])
def test_vectors_of_any_size_have_length_one(size):
    assert vectors([("1", size, size)]).vectors.tolist() == [pytest.approx([2**-0.5] * 2)]


def test_an_item_on_several_rows_has_their_mean():
    assert vectors([("1", 1.0, 0.0), ("1", 0.0, 1.0)]).vectors.tolist() == [
        pytest.approx([2**-0.5] * 2)
    ]


def test_columns_of_any_type_are_read():
    profile = read_ranking(batch_of(**INTERACTIONS), COLUMNS)
    assert items_of(profile, "7") == [2, 1]
    assert (profile.rows, profile.labelled) == (3, 2)


def test_items_meet_whatever_the_types_of_their_columns():
    profile = read_ranking(batch_of(**INTERACTIONS), COLUMNS)
    whole = batch_of(who=pa.array(["7"]), what=pa.array([1.0]), size=pa.array([2], pa.int8()))
    assert set(read_train(whole, "who", "what").items) < set(profile.items)
    assert set(read_items(whole, "what", ["size"]).items) < set(profile.items)


@pytest.mark.parametrize("column", COLUMNS.names())
def test_a_column_that_is_gone_is_named(column):
    rest = {name: values for name, values in INTERACTIONS.items() if name != column}
    with pytest.raises(BatchError, match=f"column '{column}': the batch has no such column"):
        read_ranking(batch_of(**rest), COLUMNS)


def test_a_column_that_holds_something_else_is_named():
    with pytest.raises(BatchError, match=r"column 'score': holds text \(string\), not numbers"):
        read_ranking(batch_of(**INTERACTIONS | {"score": pa.array(["x"] * 3)}), COLUMNS)


def test_items_need_a_feature():
    with pytest.raises(BatchError, match="at least one numerical column"):
        read_items(batch_of(**INTERACTIONS), "item", [])


def test_a_target_that_is_gone_or_holds_something_else_leaves_the_recommendations() -> None:
    rest = {name: values for name, values in INTERACTIONS.items() if name != "clicked"}
    for told in (rest, rest | {"clicked": pa.array(["x"] * 3)}):
        profile = read_ranking(batch_of(**told), COLUMNS)
        assert (profile.rows, profile.labelled) == (3, 0)
        assert "column 'clicked': " in profile.unjudged


def test_a_ranking_is_judged_where_one_of_its_parts_has_targets() -> None:
    parts = [read_ranking(batch_of(**INTERACTIONS), COLUMNS)]
    rest = {name: values for name, values in INTERACTIONS.items() if name != "clicked"}
    parts.append(read_ranking(batch_of(**rest), COLUMNS))
    assert merge_rankings(parts).unjudged == ""
    assert merge_rankings(parts[1:]).unjudged == parts[1].unjudged


def test_lists_of_chosen_users_are_whole_and_come_as_often_as_they_are_chosen() -> None:
    told = [("a", 1, 1, 3.0), ("b", 2, 0, 2.0), ("b", 3, 1, 1.0), ("c", 4, 0, 1.0)]
    whole = ranked(told)
    chosen = whole.of_users(np.array([0, 2, 2]))
    assert chosen.users.tolist() == whole.users[[0, 2, 2]].tolist()
    assert chosen.sizes.tolist() == whole.sizes[[0, 2, 2]].tolist()
    assert chosen.places.tolist() == [
        place for user in (0, 2, 2) for place in range(1, whole.sizes[user] + 1)
    ]
    again = whole.of_users(np.arange(3))
    assert_equal(again, whole)
