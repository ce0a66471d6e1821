"""`task: ranking`: what its columns and `ranking:` may hold, and every mistake in them with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from config.samples import mistakes, warnings

from exporter.config import load_config, schema_of

CONFIG = """\
project: shop
models:
  home:
    task: ranking
    source: {path: shown.parquet}
    columns: {time: shown_at, user: who, item: what, prediction: score, target: clicked}
    ranking:
      train: {path: train.csv}
      items: {path: items.parquet, features: [price]}
    evaluations:
      quality:
        metrics: [ranking]
        tests: [{ranking: {k: 5}}]
"""


def changed(before: str, after: str) -> str:
    assert CONFIG.count(before) == 1
    return CONFIG.replace(before, after)


def test_a_ranking_names_users_items_and_what_is_known_of_them(tmp_path: Path) -> None:
    assert mistakes(tmp_path, CONFIG) == []
    assert warnings(tmp_path, CONFIG) == []
    loaded = load_config(tmp_path / "shop.yaml")
    schema = schema_of(loaded.models["home"])
    assert (schema.task, schema.user, schema.item) == ("ranking", "who", "what")
    assert (schema.ranked_by, schema.known) == ("score", ("train", "items"))
    assert schema.roles == {"score": "numerical", "clicked": "numerical"}


def test_users_and_items_are_features_only_of_metrics_that_name_them(tmp_path: Path) -> None:
    columns = changed("target: clicked", "target: clicked, categorical: [what, city]")
    assert mistakes(tmp_path, columns) == []
    schema = schema_of(load_config(tmp_path / "shop.yaml").models["home"])
    assert schema.features == ("city",)
    assert schema.kinds["what"] == "categorical"
    assert "who" not in schema.kinds
    assert schema.apart == ("who", "what")


def test_what_is_known_may_stand_in_the_defaults(tmp_path: Path) -> None:
    known = "    ranking:\n      train: {path: train.csv}\n"
    data = CONFIG.replace(known + "      items: {path: items.parquet, features: [price]}\n", "")
    shared = "defaults:\n  ranking: {train: {path: train.csv}, by: rank}\nmodels:"
    assert mistakes(tmp_path, data.replace("models:", shared)) == []
    schema = schema_of(load_config(tmp_path / "shop.yaml").models["home"])
    assert (schema.ranked_by, schema.known) == ("rank", ("train",))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (" user: who,", "", "4:5: a ranking needs columns.user"),
        (" item: what,", "", "4:5: a ranking needs columns.item"),
        (" prediction: score,", "", "4:5: a ranking needs columns.prediction"),
        (", target: clicked", "", "11:7: evaluation 'quality' reads the target: give columns.target"),
        ("user: who", "user: what", "6:43: column 'what' cannot be both user and item"),
        ("item: what", "item: score", "6:42: column 'score' cannot be both prediction and item"),
        ("target: clicked", "target: clicked, text: [clicked]", "6:97: 'clicked' is numerical, as its part in the model tells: take it out"),
        ("train: {path", "trian: {path", "8:7: there is no key 'trian' here; did you mean 'train'?"),
        ("features: [price]", "feature: [price]", "9:36: there is no key 'feature' here; did you mean 'features'?"),
        ("features: [price]", "features: []", "9:36: expected at least one entry"),
        ("train: {path: train.csv}", "by: place", "8:7: expected 'score' or 'rank'"),
        ("[ranking]", "[ranking, {score_entropy: {k: 0}}]", "12:45: input should be greater than or equal to 1"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place(before: str, after: str, told: str, tmp_path: Path) -> None:
    assert told in mistakes(tmp_path, changed(before, after))


@pytest.mark.parametrize(
    ("metric", "gone", "told"),
    [
        ("novelty_at_k", "      train: {path: train.csv}\n", "needs the interactions of training"),
        ("diversity_at_k", "      items: {path: items.parquet, features: [price]}\n", "needs features of the items"),
        ("score_entropy", "      train: {path: train.csv}\n", "a ranking by rank has no scores"),
    ],
)  # fmt: skip
def test_a_figure_that_lacks_what_it_needs_is_refused_with_what_to_give(
    metric: str, gone: str, told: str, tmp_path: Path
) -> None:
    instead = "      by: rank\n" if metric == "score_entropy" else ""
    data = changed(gone, instead).replace("metrics: [ranking]", f"metrics: [ranking, {metric}]")
    (mistake,) = mistakes(tmp_path, data)
    assert f"{metric}: {told}" in mistake


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("task: ranking", "task: regression", ["'ranking' is for task: ranking", "'item' is for task: ranking", "'user' is for task: ranking"]),
        ("target: clicked", "target: clicked, threshold: 0.4", ["'threshold' is for classes: a ranking has no use for it"]),
    ],
)  # fmt: skip
def test_what_nothing_reads_is_warned_of(
    before: str, after: str, told: list[str], tmp_path: Path
) -> None:
    data = changed(before, after)
    if "regression" in after:
        data = data.replace("[ranking]", "[regression]").replace("[{ranking: {k: 5}}]", "[mae]")
    found = warnings(tmp_path, data)
    assert [any(text in line for line in found) for text in told] == [True] * len(told)


def test_recommendations_can_be_watched_without_a_target(tmp_path: Path) -> None:
    data = changed(", target: clicked", "").replace("[ranking]", "[item_gini, novelty_at_k]")
    assert mistakes(tmp_path, data.replace("[{ranking: {k: 5}}]", "[personalization_at_k]")) == []


def test_embeddings_are_columns_that_are_read_together(tmp_path: Path) -> None:
    data = changed("target: clicked", "target: clicked, embeddings: {photo: [e1, e2]}")
    assert mistakes(tmp_path, data) == []
    schema = schema_of(load_config(tmp_path / "shop.yaml").models["home"])
    assert schema.embeddings == {"photo": ("e1", "e2")}
    assert schema.apart == ("who", "what", "e1", "e2")
