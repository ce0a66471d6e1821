"""Rankings from files to the store and its gauges: batches, segments, every kind of reference, late labels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from metrics.rankings import by_the_book, lists_of
from test_prometheus import samples

import exporter
from exporter.errors import BatchError, PlanError
from exporter.prometheus import Exposition
from exporter.snapshot import MetricRow, Snapshot
from exporter.store.latest import LatestReader

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 20, tzinfo=UTC)
USERS, ITEMS, SHOWN = 40, 30, 6
COLUMNS = {"user": "who", "item": "what", "prediction": "score", "target": "clicked"}
JUDGED = ("precision_at_k", "recall_at_k", "map_at_k", "ndcg_at_k", "mrr_at_k", "hit_rate_at_k")
CONFIG = """
project: shop
store: {store}
models:
  home:
    task: ranking
    source: {{path: "shown-*.{ending}"}}
    reference: {reference}
    columns: {{time: at, id: row, user: who, item: what, prediction: score, target: clicked, categorical: [city]}}
    ranking: {ranking}
    segments: {{city: {{max: 2, min_rows: 0}}}}
    {extra}
    evaluations:
      inputs: {{metrics: [{{item_gini: {{k: 3}}}}, data_summary], tests: [{{unranked_rows: {{eq: 0}}}}]}}
      quality: {{metrics: [{{ranking: {{k: 3}}}}], tests: [{{ranking: {{k: 3}}}}]}}
"""
KNOWN = "{train: {path: train.csv}, items: {path: items.jsonl}}"


def shown(day: int, *, users: int = USERS) -> pd.DataFrame:
    """What was recommended on a day: each user has a city, and six items with scores that differ."""
    rng = np.random.default_rng(day)
    rows = users * SHOWN
    who = np.repeat([f"{u:03d}" for u in range(users)], SHOWN)
    what = np.concatenate([rng.choice(ITEMS, SHOWN, replace=False) for _ in range(users)])
    return pd.DataFrame(
        {
            "at": [START + timedelta(days=day, minutes=m) for m in range(rows)],
            "row": [f"{day}-{i}" for i in range(rows)],
            "who": who,
            "what": [f"{w:02d}" for w in what],
            "score": rng.permutation(rows) / rows + day / 1e4,  # other than on any other day
            "clicked": (rng.random(rows) < 0.3).astype(int),
            "city": np.where(who < f"{users // 4:03d}", "Oslo", "Rome"),
        }
    )


def train() -> pd.DataFrame:
    return shown(99, users=20)[["who", "what"]]


def items() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    names = [f"{i:02d}" for i in range(ITEMS)]
    return pd.DataFrame(
        {"what": names, "price": rng.normal(9, 2, ITEMS), "size": rng.random(ITEMS)}
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for day in range(4):
        shown(day).to_parquet(tmp_path / f"shown-{day}.parquet", index=False)
    train().to_csv(tmp_path / "train.csv", index=False)
    items().to_json(tmp_path / "items.jsonl", orient="records", lines=True)
    return tmp_path


def run(folder: Path, store: str, reference: str = "{rolling: 7d}", **given: str) -> list[Snapshot]:
    path = folder / "shop.yaml"
    asked = {"ranking": KNOWN, "extra": "", "ending": "parquet"} | given
    path.write_text(CONFIG.format(store=store, reference=reference, **asked))
    return exporter.load(path).run(now=NOW, force=True)


def of(snapshots: list[Snapshot], evaluation: str, segment: str = "") -> list[Snapshot]:
    """The snapshots of one stream, in order of time."""
    return [s for s in snapshots if (s.evaluation, s.segment) == (evaluation, segment)]


def figure(snapshot: Snapshot, metric: str, label: str = "") -> MetricRow:
    (found,) = (m for m in snapshot.metrics if (m.metric, m.label) == (metric, label))
    return found


def expected(frames: list[pd.DataFrame], metric: str, k: int = 3) -> float:
    """The figure from its formula, user by user."""
    frame = pd.concat(frames)
    told = list(frame[["who", "what", "clicked", "score"]].itertuples(index=False, name=None))
    return by_the_book(metric, lists_of(told), k)


@pytest.mark.parametrize("metric", JUDGED)
def test_figures_of_files_are_those_of_the_formulas(
    metric: str, folder: Path, database: str
) -> None:
    shown(9).to_parquet(folder / "before.parquet", index=False)
    found = of(run(folder, database, "{path: before.parquet}"), "quality")
    assert len(found) == 4
    for day, snapshot in enumerate(found):
        row = figure(snapshot, metric)
        assert row.value == pytest.approx(expected([shown(day)], metric))
        assert row.reference == pytest.approx(expected([shown(9)], metric))
        assert (row.n, row.params["k"]) == (USERS, 3)


def test_windows_of_a_rolling_reference_become_one_list_of_each_user(
    folder: Path, database: str
) -> None:
    last = of(run(folder, database), "quality")[-1]
    assert last.reference_rows == 3 * USERS * SHOWN
    for metric in JUDGED:
        earlier = [shown(day) for day in range(3)]
        assert figure(last, metric).reference == pytest.approx(expected(earlier, metric))
    assert figure(last, "novelty_at_k").reference is not None
    assert figure(last, "item_bias", "price").reference is not None


def test_the_batch_before_is_a_reference(folder: Path, database: str) -> None:
    last = of(run(folder, database, "{previous: 1}"), "quality")[-1]
    assert figure(last, "map_at_k").reference == pytest.approx(expected([shown(2)], "map_at_k"))


def test_a_segment_is_ranked_on_its_own(folder: Path, database: str) -> None:
    last = of(run(folder, database), "quality", "city=Oslo")[-1]
    frame = shown(3)
    oslo = frame[frame.city == "Oslo"]
    assert figure(last, "precision_at_k").value == pytest.approx(expected([oslo], "precision_at_k"))
    assert figure(last, "precision_at_k").n == oslo.who.nunique() == 10


def test_the_store_and_the_gauges_have_what_was_computed(folder: Path, database: str) -> None:
    last = of(run(folder, database), "quality")[-1]
    assert last.labelled_rows == USERS * SHOWN
    assert {t.test for t in last.tests} >= {"precision_at_k", "ndcg_at_k"}
    reader = LatestReader(lambda: database)
    exposition = Exposition(reader)
    exposition.refresh(NOW)
    whole = {"project": "shop", "model": "home", "evaluation": "quality", "k": "3"}
    shown_as = samples(exposition.body(), "evaluation_ndcg_at_k")
    value = {tuple(labels): told for labels, told in shown_as if "segment" not in labels}
    assert [x for labels, x in shown_as if whole.items() <= labels.items()]
    assert list(value.values()) == [pytest.approx(figure(last, "ndcg_at_k").value)]
    biases = samples(exposition.body(), "evaluation_item_bias")
    assert {labels["label"] for labels, _ in biases} == {"price", "size"}
    reader.close()


def test_what_is_not_given_is_not_looked_at(folder: Path, database: str) -> None:
    found = of(run(folder, database, ranking="{}"), "quality")[-1]
    ids = {m.metric for m in found.metrics}
    assert not ids & {"novelty_at_k", "diversity_at_k", "serendipity_at_k", "item_bias"}
    assert {"precision_at_k", "personalization_at_k", "score_entropy"} <= ids
    assert not [m for m in found.metrics if m.error]


def test_predictions_may_be_places(folder: Path, database: str) -> None:
    for day in range(4):
        frame = shown(day)
        frame["score"] = frame.groupby("who")["score"].rank(ascending=False)
        frame.to_parquet(folder / f"shown-{day}.parquet", index=False)
    found = of(run(folder, database, ranking="{by: rank}"), "quality")[-1]
    assert figure(found, "ndcg_at_k").value == pytest.approx(expected([shown(3)], "ndcg_at_k"))
    assert "score_entropy" not in {m.metric for m in found.metrics}


def test_text_files_keep_the_zeros_of_users_and_items(folder: Path, database: str) -> None:
    by_parquet = of(run(folder, database), "quality")[-1]
    for day in range(4):
        shown(day).to_csv(folder / f"shown-{day}.csv", index=False)
    by_csv = of(run(folder, database, ending="csv"), "quality")[-1]
    values = [(m.metric, m.label, pytest.approx(m.value)) for m in by_parquet.metrics]
    assert [(m.metric, m.label, m.value) for m in by_csv.metrics] == values


def test_labels_that_come_late_judge_and_change_nothing_else(folder: Path, database: str) -> None:
    for day in range(4):
        frame = shown(day).drop(columns="clicked")
        frame.to_parquet(folder / f"shown-{day}.parquet", index=False)
    labels = shown(3)[["row", "clicked"]]
    labels[labels.clicked == 0].head(1).to_csv(folder / "clicks.csv", index=False)
    extra = "labels: {path: clicks.csv}"
    before = run(folder, database, "{previous: 1}", extra=extra)
    assert figure(of(before, "quality")[-1], "hit_rate_at_k").error == "no value"
    labels[labels.clicked == 1].to_csv(
        folder / "clicks.csv", index=False
    )  # the log has clicks only
    after = exporter.load(folder / "shop.yaml").run(now=NOW)
    last = of(after, "quality")[-1]
    assert figure(last, "recall_at_k").value == pytest.approx(expected([shown(3)], "recall_at_k"))
    assert last.labelled_rows == int(labels.clicked.sum())
    assert of(after, "inputs") == []
    assert of(before, "inputs")[-1].labelled_rows is None


def test_a_file_of_training_that_is_gone_is_told_by_name(folder: Path, database: str) -> None:
    (folder / "train.csv").unlink()
    with pytest.raises(BatchError, match=r"train\.csv"):
        run(folder, database)


def evaluated(current: Any, reference: Any = None, **given: Any) -> Snapshot:
    asked = {"metrics": ["ranking"], "columns": COLUMNS, "task": "ranking"} | given
    return exporter.evaluate(current, reference, **asked)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_api_takes_frames_and_paths_alike(ending: str, folder: Path) -> None:
    for day in range(2):
        frame, path = shown(day), folder / f"day-{day}.{ending}"
        frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path, index=False)
    by_frame = evaluated(shown(1), shown(0), ranking={"train": train(), "items": items()})
    paths = {"train": folder / "train.csv", "items": {"path": folder / "items.jsonl"}}
    day = [folder / f"day-{day}.{ending}" for day in range(2)]
    by_path = evaluated(day[1], day[0], ranking=paths)
    told = [(m.metric, m.label, pytest.approx(m.value), pytest.approx(m.reference)) for m in by_frame.metrics]  # fmt: skip
    assert [(m.metric, m.label, m.value, m.reference) for m in by_path.metrics] == told
    assert {m.label for m in by_frame.metrics if m.metric == "item_bias"} == {"price", "size"}


def test_a_reference_profiled_before_serves_with_any_training_data() -> None:
    reference = exporter.profile_reference(shown(0), columns=COLUMNS, task="ranking")
    known = {"train": train(), "items": items()}
    again = evaluated(shown(1), reference, ranking=known)
    assert again.metrics == evaluated(shown(1), shown(0), ranking=known).metrics


def test_features_of_items_can_be_chosen(folder: Path) -> None:
    chosen = {"path": folder / "items.jsonl", "features": ["price"]}
    found = evaluated(shown(1), ranking={"train": train(), "items": chosen}, metrics=["item_bias"])
    assert [m.label for m in found.metrics] == ["price"]


def test_without_a_reference_a_ranking_is_judged_all_the_same() -> None:
    found = evaluated(shown(1), tests=["ranking"])
    assert found.status == "success"
    assert figure(found, "map_at_k").value == pytest.approx(expected([shown(1)], "map_at_k", 10))


@pytest.mark.parametrize(
    ("column", "lost"),
    [
        ("clicked", {*JUDGED, "f_beta_at_k", "serendipity_at_k"}),
        ("who", None),
        ("what", None),
        ("score", None),
        ("city", set()),
    ],
)
def test_a_column_that_is_gone_costs_its_own_figures_only(
    column: str, lost: set[str] | None
) -> None:
    columns = {**COLUMNS, "categorical": ["city"]}
    found = evaluated(
        shown(1).drop(columns=column), shown(0), metrics=["ranking", "missing_ratio"], columns=columns,
        ranking={"train": train(), "items": items()},
    )  # fmt: skip
    rankings = {m.metric: m.error for m in found.metrics if m.metric != "missing_ratio"}
    assert {name for name, error in rankings.items() if error} == (
        set(rankings) if lost is None else lost
    )
    assert all(column in (error or column) for error in rankings.values())
    gone = {m.column for m in found.metrics if m.metric == "missing_ratio" and m.error}
    assert gone == {column} - {"who", "what"}


@pytest.mark.parametrize(
    ("ranking", "text"),
    [
        ({"trian": "train.csv"}, r"ranking: there is no key 'trian'; did you mean 'train'\?"),
        ({"by": "scores"}, r"ranking.by: expected score or rank; did you mean 'score'\?"),
        ({"items": {"path": "items.csv", "feature": ["price"]}}, r"ranking.items: .* did you mean 'features'\?"),
    ],
)  # fmt: skip
def test_a_misspelt_key_suggests_the_nearest(ranking: dict[str, Any], text: str) -> None:
    with pytest.raises(PlanError, match=text):
        evaluated(shown(1), ranking=ranking)


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ({"train": train().drop(columns="who")}, r"ranking.train: column 'who'"),
        ({"train": train(), "items": items()[["what"]]}, r"ranking.items: needs at least one numerical column"),
        ({"train": train(), "items": items().assign(price="x")[["what", "price"]]}, r"ranking.items: needs at least one numerical"),
    ],
)  # fmt: skip
def test_data_that_lack_what_they_are_for_are_refused_by_name(
    known: dict[str, Any], text: str
) -> None:
    with pytest.raises(BatchError, match=text):
        evaluated(shown(1), ranking=known)


def recommended(seed: int, users: int, skill: float) -> pd.DataFrame:
    """Ten items for each user; the higher the score, the likelier the click, as far as there is skill."""
    rng = np.random.default_rng(seed)
    rows = users * 10
    score = rng.random(rows)
    return pd.DataFrame(
        {
            "who": np.repeat(np.arange(users), 10),
            "what": rng.integers(0, 500, rows),
            "score": score,
            "clicked": rng.random(rows) < 0.3 * skill * score**3 + 0.15 * (1 - skill),
        }
    )


def test_few_users_are_judged_by_what_chance_does_to_so_many() -> None:
    before = recommended(0, 2000, skill=1.0)
    reference = exporter.profile_reference(before, columns=COLUMNS, task="ranking")
    tests = [{"ranking": {"k": 5}}]
    sound = [
        evaluated(recommended(i, 50, 1.0), reference, tests=tests).status for i in range(1, 30)
    ]
    assert sound == ["success"] * len(sound)
    assert evaluated(recommended(99, 400, skill=0.0), reference, tests=tests).status == "fail"


def test_below_min_rows_users_a_ranking_is_not_judged() -> None:
    found = evaluated(shown(1, users=20), shown(0), tests=["ranking", {"unranked_rows": {"eq": 0}}])
    status = {t.test: t.status for t in found.tests}
    assert status["ndcg_at_k"] == "skipped"
    assert status["unranked_rows"] == "success"
