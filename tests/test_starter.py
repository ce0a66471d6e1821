"""`exporter init`: from data to a config that validates and runs, and says why it is as it is."""

from __future__ import annotations

import gzip
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import exporter
from exporter import yaml
from exporter.config import Loaded, Previous, Rolling, load_config
from exporter.demo import flights
from exporter.errors import BatchError
from exporter.snapshot import Snapshot
from exporter.starter import Draft, sampling, starter_config

START = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = [
    "no", "on", "a: b", "it's", 'say "hi"', " leading", "trailing ", "naïve 🛫", "- dash", "# hash",
    "{brace", "[bracket", "*star", "&amp", "!bang", "null", "1e3", "0x1F", "~", "two\nlines", "tab\there",
    "%percent", "@at", "`tick`", "back\\slash", "a,b", "?", "2026-01-01", "<<", "x-y", "\u2028line", "line\x85end",
]  # fmt: skip


def frame(
    rows: int = 3000, *, days: int = 10, zone: str | None = "UTC", seed: int = 0
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    times = pd.date_range(START.replace(tzinfo=None), periods=rows, freq=f"{days * 86400 // rows}s")
    return pd.DataFrame(
        {
            "order_id": [f"o-{i}" for i in range(rows)],
            "age": rng.normal(40, 9, rows).round(1),
            "rooms": rng.integers(1, 6, rows),
            "city": rng.choice(["Rome", "Oslo", "Bonn"], rows),
            "created_at": times.tz_localize(zone) if zone else times,
        }
    )


def with_regression(data: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    price = 100 + data["age"] * 2
    return data.assign(
        price=price + rng.normal(0, 9, len(data)),
        predicted_price=price,
    )


def with_classes(data: pd.DataFrame, names: tuple[Any, Any] = (0, 1)) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    proba = rng.uniform(0.01, 0.99, len(data))
    label = np.where(rng.uniform(0, 1, len(data)) < proba, *reversed(names))
    return data.assign(label=label, proba=proba)


def written(
    folder: Path, data: pd.DataFrame, name: str = "orders.parquet", **options: Any
) -> Draft:
    """The draft for a frame in a file of that name, also in `exporter.yaml` beside it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if ".csv" in name:
        data.to_csv(path, index=False)
    elif ".jsonl" in name:
        data.to_json(path, orient="records", lines=True, date_format="iso")
    else:
        data.to_parquet(path, index=False)
    return drafted(folder, str(path), **options)


def drafted(folder: Path, data: str, **options: Any) -> Draft:
    draft = starter_config(data, config_path=folder / "exporter.yaml", **options)
    (folder / "exporter.yaml").write_text(draft.text, encoding="utf-8")
    return draft


def loaded(folder: Path) -> Loaded:
    config = load_config(folder / "exporter.yaml")
    assert config.warnings == ()
    return config


def model(folder: Path) -> Any:
    (only,) = loaded(folder).models.values()
    return only


def run(folder: Path, database: str) -> list[Snapshot]:
    path = folder / "exporter.yaml"
    text = path.read_text(encoding="utf-8")
    assert "\nstore: embedded " in text
    path.write_text(text.replace("\nstore: embedded ", f"\nstore: {database} "), encoding="utf-8")
    return exporter.load(path).run(now=START + timedelta(days=400))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("late-flights")
    flights.write_files(folder / "data", date(2026, 3, 2))
    return folder


# ---- the file that is written runs at once


@pytest.mark.parametrize(
    "name", ["orders.parquet", "orders.csv", "orders.csv.gz", "orders.csv.zip", "orders.jsonl"]
)
def test_a_file_of_each_format_gives_a_config_that_runs(
    tmp_path: Path, database: str, name: str
) -> None:
    written(tmp_path, with_regression(frame()), name)
    columns = model(tmp_path).columns
    assert (columns.time.column, columns.id) == ("created_at", "order_id")
    assert (columns.target, columns.prediction) == ("price", "predicted_price")
    assert (columns.numerical, columns.categorical) == (["age"], ["rooms", "city"])
    snapshots = run(tmp_path, database)
    assert {s.evaluation for s in snapshots} == {"inputs", "predictions", "quality"}
    assert {s.window_start for s in snapshots} == {START + timedelta(days=i) for i in range(10)}
    assert not [row.error for s in snapshots for row in s.metrics if row.error]


def test_a_folder_of_daily_files_is_one_source(tmp_path: Path, database: str) -> None:
    for day, rows in frame().groupby(frame()["created_at"].dt.strftime("%Y-%m-%d")):
        written(tmp_path, rows, f"orders/{day}.parquet")
    draft = drafted(tmp_path, str(tmp_path / "orders"))
    assert loaded(tmp_path).models.keys() == {"orders"}
    assert model(tmp_path).source.path == "orders"
    assert "10 files" in draft.text
    assert len(run(tmp_path, database)) == 10


def test_hive_partitions_can_be_the_time(tmp_path: Path, database: str) -> None:
    data = frame().drop(columns="created_at")
    for day in range(6):
        written(tmp_path, data[day * 500 :][:500], f"orders/day=2026-03-0{day + 2}/part.parquet")
    drafted(tmp_path, str(tmp_path / "orders"))
    assert model(tmp_path).columns.time.column == "day"
    assert len(run(tmp_path, database)) == 6


def test_names_that_mean_something_in_yaml_come_back_as_they_are(
    tmp_path: Path, database: str
) -> None:
    rng = np.random.default_rng(0)
    data = frame(900, days=3).assign(**{name: rng.normal(0, 1, 900) for name in HOSTILE})
    written(tmp_path, data)
    assert model(tmp_path).columns.numerical == ["age", *HOSTILE]
    snapshots = run(tmp_path, database)
    assert {row.column for row in snapshots[0].metrics} >= set(HOSTILE)


@pytest.mark.parametrize("name", ["no", "a: b", "wann? 🕐", " t", "yes\n"])
def test_a_hostile_name_can_play_every_part(tmp_path: Path, database: str, name: str) -> None:
    data = with_regression(frame(900, days=3)).rename(
        columns={
            "created_at": name,
            "order_id": f"id {name}",
            "predicted_price": f"pred {name}",
            "price": f"true {name}",
        }
    )
    written(tmp_path, data, f"{name.strip()} x.parquet")
    columns = model(tmp_path).columns
    assert (columns.time.column, columns.id) == (name, f"id {name}")
    assert (columns.target, columns.prediction) == (f"true {name}", f"pred {name}")
    assert len(run(tmp_path, database)) == 9


def test_columns_without_a_name_are_left_out_and_told(tmp_path: Path, database: str) -> None:
    pq.write_table(
        pa.table({"": range(900), **{n: pa.array(frame(900)[n]) for n in frame(1)}}),
        tmp_path / "orders.parquet",
    )
    draft = drafted(tmp_path, str(tmp_path / "orders.parquet"))
    assert any("1 column has no name" in line for line in draft.found)
    assert run(tmp_path, database)


def test_one_row_is_enough(tmp_path: Path, database: str) -> None:
    written(tmp_path, with_regression(frame(10)).head(1))
    assert model(tmp_path).columns.numerical == ["age"]
    assert len(run(tmp_path, database)) == 3


def test_data_with_nothing_but_times_can_be_watched(tmp_path: Path, database: str) -> None:
    written(tmp_path, frame()[["created_at"]])
    assert len(run(tmp_path, database)) == 10


def test_what_is_large_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "ROWS", 600)
    monkeypatch.setattr(sampling, "HEAD", 200_000)
    monkeypatch.setattr(sampling, "TAIL", 80_000)
    data = with_regression(frame(20_000, days=40))
    for name in ("orders.parquet", "orders.csv", "orders.csv.gz", "orders.jsonl"):
        draft = written(tmp_path / name, data, name)
        given = model(tmp_path / name)
        assert (given.batch, given.columns.target) == ("1d", "price")
        assert "about" in draft.found[0]
        assert re.search(r"about (3[5-9]|4[0-5]) days of (4|5)\d\d rows", draft.found[1])
        assert len(sampling.sampled(str(tmp_path / name / name)).table) < 6000


def test_rows_of_large_files_are_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "HEAD", 20_000)
    monkeypatch.setattr(sampling, "TAIL", 8_000)
    monkeypatch.setattr(sampling, "ALL_FILES", 10)
    for day in range(20):
        written(tmp_path, frame(2000, seed=day), f"orders/{day}.csv")
    assert sampling.sampled(str(tmp_path / "orders")).rows == pytest.approx(40_000, rel=0.05)


def test_lines_in_quotes_are_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "HEAD", 10_000)
    monkeypatch.setattr(sampling, "TAIL", 5_000)
    data = frame(3000).assign(note="one\ntwo, three\nfour\nfive")
    written(tmp_path, data, "orders.csv")
    assert set(model(tmp_path).columns.ignore) == {"note"}


# ---- what it decides


def test_the_demo_is_configured_as_a_person_would(demo: Path) -> None:
    draft = drafted(
        demo,
        str(demo / "data/flights-*.parquet"),
        reference=str(demo / "data/training.parquet"),
    )
    given = model(demo)
    columns = given.columns
    assert loaded(demo).models.keys() == {"flights"}
    assert loaded(demo).config.project == demo.name
    assert (given.task, given.batch) == ("regression", "1d")
    assert (columns.time.column, columns.id) == ("sched_dep", "flight_id")
    assert (columns.target, columns.prediction) == ("arr_delay", "pred_champion")
    assert columns.numerical == flights.NUMERICAL
    assert columns.categorical == flights.CATEGORICAL
    assert set(columns.ignore) == {"pred_challenger", "proba_champion", "proba_challenger"}
    assert given.source.path == "data/flights-*.parquet"
    assert given.reference.path == "data/training.parquet"
    assert given.labels.path == "data/labels-*.parquet"
    assert draft.text.count("\n") < 50


def test_the_config_of_the_demo_runs(demo: Path, database: str) -> None:
    drafted(demo, str(demo / "data/flights-2025-03*.parquet"))
    snapshots = run(demo, database)
    assert {s.evaluation for s in snapshots} == {"inputs", "predictions", "quality"}
    assert len(snapshots) > 60


@pytest.mark.parametrize(
    ("names", "positive"),
    [((0, 1), 1), ((False, True), True), (("no", "yes"), "yes"), (("churned", "stayed"), "stayed")],
)
def test_two_classes_and_a_probability_are_a_binary_model(
    tmp_path: Path, database: str, names: tuple[Any, Any], positive: Any
) -> None:
    written(tmp_path, with_classes(frame(), names))
    given = model(tmp_path)
    assert given.task == "binary"
    assert (given.columns.target, given.columns.probability) == ("label", "proba")
    assert given.columns.positive in (positive, str(positive).lower())
    quality = [s for s in run(tmp_path, database) if s.evaluation == "quality"]
    assert not [row.error for s in quality for row in s.metrics if row.error]
    auc = [row.value for s in quality for row in s.metrics if row.metric == "roc_auc"]
    assert len(auc) == 10
    assert all(value is not None and value > 0.6 for value in auc)


def test_a_predicted_class_goes_with_the_probability(tmp_path: Path) -> None:
    data = with_classes(frame())
    written(tmp_path, data.assign(prediction=(data["proba"] > 0.5).astype(int)))
    columns = model(tmp_path).columns
    assert (columns.prediction, columns.probability) == ("prediction", "proba")


def test_a_prediction_between_0_and_1_beside_two_classes_is_a_probability(tmp_path: Path) -> None:
    written(tmp_path, with_classes(frame()).rename(columns={"proba": "prediction"}))
    columns = model(tmp_path).columns
    assert (columns.prediction, columns.probability) == (None, "prediction")


def test_a_score_tells_what_is_predicted(tmp_path: Path) -> None:
    data = with_classes(frame()).rename(columns={"proba": "fraud_score", "label": "is_fraud"})
    written(tmp_path, data.assign(credit_score=range(3000, 6000)))
    columns = model(tmp_path).columns
    assert (columns.target, columns.probability) == ("is_fraud", "fraud_score")
    written(tmp_path, data.rename(columns={"fraud_score": "return_score", "is_fraud": "returned"}))
    columns = model(tmp_path).columns
    assert (columns.target, columns.probability) == ("returned", "return_score")


def test_a_target_that_no_name_tells_is_asked_for(tmp_path: Path) -> None:
    draft = written(tmp_path, with_classes(frame()).rename(columns={"label": "won"}))
    assert "# target: none found by its name; won?" in draft.text
    assert model(tmp_path).columns.categorical == ["rooms", "city", "won"]


def test_of_a_probability_a_class_that_of_the_positive_one_counts(tmp_path: Path) -> None:
    data = with_classes(frame()).rename(columns={"proba": "proba_1"})
    data.insert(0, "proba_0", 1 - data["proba_1"])
    written(tmp_path, data)
    columns = model(tmp_path).columns
    assert (columns.probability, columns.ignore) == ("proba_1", ["proba_0"])


def test_more_than_two_classes_are_judged_as_such(tmp_path: Path, database: str) -> None:
    rng = np.random.default_rng(0)
    kinds = ["cat", "dog", "owl"]
    data = frame().assign(target=rng.choice(kinds, 3000), prediction=rng.choice(kinds, 3000))
    draft = written(tmp_path, data)
    given = model(tmp_path)
    assert (given.task, given.columns.target, given.columns.prediction) == (
        "multiclass", "target", "prediction",
    )  # fmt: skip
    assert "'target' holds 3 classes" in draft.text
    snapshots = run(tmp_path, database)
    assert {s.evaluation for s in snapshots} == {"inputs", "predictions", "quality"}
    assert not [row for s in snapshots for row in s.metrics if row.error]


def test_without_a_target_the_prediction_is_watched(tmp_path: Path, database: str) -> None:
    draft = written(tmp_path, with_regression(frame()).drop(columns="price"))
    assert "not decided: the target" in draft.found
    assert {s.evaluation for s in run(tmp_path, database)} == {"inputs", "predictions"}


def test_a_table_without_a_model_is_watched_too(tmp_path: Path, database: str) -> None:
    written(tmp_path, frame())
    assert model(tmp_path).task == "none"
    assert {s.evaluation for s in run(tmp_path, database)} == {"inputs"}


def test_late_labels_beside_the_data_are_found(tmp_path: Path, database: str) -> None:
    data = with_regression(frame())
    data[["order_id", "price"]].to_csv(tmp_path / "truths.csv", index=False)
    (tmp_path / "notes.txt").write_text("not data")
    written(tmp_path, data.drop(columns="price"))
    given = model(tmp_path)
    assert (given.labels.path, given.columns.target) == ("truths.csv", "price")
    quality = [s for s in run(tmp_path, database) if s.evaluation == "quality"]
    assert [s.labelled_rows for s in quality] == [300] * 10


def test_sound_batches_do_not_fail(tmp_path: Path, database: str) -> None:
    written(tmp_path, with_classes(frame(20_000, days=40)))
    statuses = [s.status for s in run(tmp_path, database)]
    assert len(statuses) == 120
    assert {"fail", "error", "warning"} & set(statuses) == set()


def test_the_drift_test_that_a_comment_offers_is_sound(tmp_path: Path) -> None:
    text = written(tmp_path, with_classes(frame())).text
    offered = "{column_drift: {threshold: 0.5, critical: false}}"
    assert offered in text
    text = text.replace("tests: [data_stability]", f"tests: [data_stability, {offered}]")
    (tmp_path / "exporter.yaml").write_text(text, encoding="utf-8")
    assert loaded(tmp_path).models


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        (["day", "event_time"], "event_time"),
        (["updated_at", "created_at"], "created_at"),
        (["date_of_birth", "when"], "when"),
        (["signed_up", "ts"], "ts"),
    ],
)
def test_of_several_columns_of_times_the_name_decides(
    tmp_path: Path, columns: list[str], time: str
) -> None:
    data = frame()
    times = data.pop("created_at")
    draft = written(tmp_path, data.assign(**dict.fromkeys(columns, times)))
    given = model(tmp_path).columns
    assert given.time.column == time
    assert given.datetime == [name for name in columns if name != time]
    assert f"or by {given.datetime[0]}" in draft.text


def test_a_time_that_is_mostly_missing_is_not_the_one(tmp_path: Path) -> None:
    data = frame()
    data["timestamp"] = data["created_at"].where(data.index % 5 == 0)
    written(tmp_path, data)
    assert model(tmp_path).columns.time.column == "created_at"


def test_rows_without_a_time_are_told(tmp_path: Path) -> None:
    data = frame()
    data["created_at"] = data["created_at"].where(data.index >= 30)
    draft = written(tmp_path, data)
    assert any("30 of 3,000 rows" in line for line in draft.found)


def test_iso_text_is_a_time(tmp_path: Path) -> None:
    data = frame()
    data["created_at"] = data["created_at"].dt.strftime("%Y-%m-%dT%H:%M:%S+02:00")
    draft = written(tmp_path, data)
    assert model(tmp_path).columns.time.column == "created_at"
    assert "the times carry an offset" in draft.text


def test_the_zone_of_the_times_is_taken(tmp_path: Path) -> None:
    written(tmp_path, frame(zone="Europe/Berlin"))
    assert loaded(tmp_path).config.timezone == "Europe/Berlin"


def test_naive_times_are_read_in_utc_and_the_machines_zone_is_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/Lima")
    draft = written(tmp_path, frame(zone=None))
    assert loaded(tmp_path).config.timezone == "UTC"
    assert "the times carry no zone; this machine's is America/Lima" in draft.text


def test_an_offset_in_jsonl_is_not_lost(tmp_path: Path) -> None:
    data = frame()
    data["created_at"] = data["created_at"].dt.strftime("%Y-%m-%dT%H:%M:%S+02:00")
    assert "the times carry an offset" in written(tmp_path, data, "orders.jsonl").text


@pytest.mark.parametrize(
    ("rows", "days", "batch"),
    [
        (20_000, 2, "1h"),
        (3000, 10, "1d"),
        (3000, 365, "1mo"),
        (20_000, 365, "1w"),
        (40, 10, "1d"),
        (2, 1, "1d"),
    ],
)
def test_windows_have_some_hundred_rows_and_there_are_several(
    tmp_path: Path, rows: int, days: int, batch: str
) -> None:
    written(tmp_path, frame(rows, days=days))
    assert model(tmp_path).batch == batch


def test_data_that_come_once_a_month_are_cut_by_months(tmp_path: Path) -> None:
    months = pd.date_range("2025-01-01", periods=12, freq="MS")
    written(tmp_path, frame(6000).assign(created_at=np.repeat(months.to_numpy(), 500)))
    assert model(tmp_path).batch == "1mo"


def test_few_windows_are_compared_with_the_one_before(tmp_path: Path) -> None:
    written(tmp_path, frame(days=6))
    assert model(tmp_path).reference == Previous(previous=1)


def test_a_reference_needs_no_times(tmp_path: Path, database: str) -> None:
    training = tmp_path / "training.parquet"
    frame().drop(columns="created_at").to_parquet(training)
    written(tmp_path, frame(), "data/orders.parquet", reference=str(training))
    assert model(tmp_path).reference.path == "training.parquet"
    assert {s.reference_rows for s in run(tmp_path, database)} == {len(frame())}


def test_many_windows_are_compared_with_the_weeks_before(tmp_path: Path) -> None:
    written(tmp_path, frame(30_000, days=60))
    assert isinstance(model(tmp_path).reference, Rolling)


def test_a_reference_is_written_down_and_what_it_lacks_is_left_out(
    tmp_path: Path, database: str
) -> None:
    data = with_regression(frame())
    training = data.drop(columns=["rooms", "predicted_price"])
    training.to_parquet(tmp_path / "training.parquet")
    draft = written(
        tmp_path, data, "data/orders.parquet", reference=str(tmp_path / "training.parquet")
    )
    given = model(tmp_path)
    assert given.reference.path == "training.parquet"
    assert given.columns.ignore == ["rooms"]
    assert "not in the reference" in draft.text
    assert isinstance(given.evaluations["predictions"].reference, Rolling)
    snapshots = run(tmp_path, database)
    assert not [row.error for s in snapshots for row in s.metrics if row.error]
    assert not [row.error for s in snapshots for row in s.drift if row.error]


def test_ids_texts_constants_and_nothing_are_left_out_with_the_reason(tmp_path: Path) -> None:
    data = frame().assign(
        customer_id=np.random.default_rng(0).integers(0, 500, 3000),
        comment=[f"the {i}th of many comments" for i in range(3000)],
        currency="EUR",
        empty=None,
        tags=pd.Series([["a", "b"]] * 3000),
        row=range(3000),
    )
    draft = written(tmp_path, data)
    assert set(model(tmp_path).columns.ignore) == {
        "customer_id", "comment", "currency", "empty", "tags", "row",
    }  # fmt: skip
    for reason in ("ids by", "most of them different", "one value only", "no value at all"):
        assert reason in draft.text


def test_codes_with_leading_zeros_are_categories(tmp_path: Path) -> None:
    written(tmp_path, frame().assign(zip=[f"{i % 50:05}" for i in range(3000)]), "orders.csv")
    assert model(tmp_path).columns.categorical == ["rooms", "city", "zip"]


def test_postal_codes_are_categories(tmp_path: Path) -> None:
    written(tmp_path, frame().assign(zipCode=[10000 + i % 90 for i in range(3000)]))
    assert model(tmp_path).columns.categorical == ["rooms", "city", "zipCode"]


def test_values_that_mean_nothing_are_missing_values(tmp_path: Path, database: str) -> None:
    data = frame()
    data["age"] = data["age"].where(data.index % 7 > 0, -999)
    data["city"] = data["city"].where(data.index % 9 > 0, "N/A")
    draft = written(tmp_path, data, "orders.csv")
    assert model(tmp_path).missing_values == [-999.0, "N/A"]
    assert "seen in age, city" in draft.text
    rows = {(r.metric, r.column): r.value for r in run(tmp_path, database)[0].metrics}
    assert rows["missing_count", "age"] == 43
    assert (rows["min", "age"] or 0) > 0


# ---- what it writes


def test_the_file_fits_on_a_screen(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    more = {f"feature_{i}": rng.normal(0, 1, 3000) for i in range(16)}
    draft = written(tmp_path, with_regression(frame()).assign(**more, comment="x", region="EU"))
    lines = draft.text.splitlines()
    assert len(lines) < 50
    assert max(map(len, lines)) <= 110


def test_every_guess_has_a_comment(tmp_path: Path) -> None:
    text = written(tmp_path, with_regression(frame())).text
    guesses = ("timezone", "task", "source", "batch", "reference", "time", "id", "target")
    lines = [line for line in text.splitlines() if line.strip().startswith(guesses)]
    assert len(lines) == len(guesses)
    assert all("  # " in line for line in lines)


def test_paths_are_written_from_the_configs_folder(tmp_path: Path, database: str) -> None:
    written(tmp_path, frame(), "data/orders-2026.parquet")
    (tmp_path / "configs").mkdir()
    drafted(tmp_path / "configs", str(tmp_path / "data/orders-2026.parquet"))
    assert model(tmp_path / "configs").source.path == "../data/orders-2026.parquet"
    assert run(tmp_path / "configs", database)


def test_paths_lead_out_of_a_folder_that_is_a_link(tmp_path: Path, database: str) -> None:
    written(tmp_path, frame(), "data/orders.parquet")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    drafted(tmp_path / "link", str(tmp_path / "data/orders.parquet"))
    assert run(tmp_path / "link", database)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("orders-2026-03-01.parquet", "orders"),
        ("2026-03.csv", "shop"),
        ("part-0000-8f14e45f-ceea-467a-9af8-1c5b2f0d8a11.parquet", "shop"),
        ("x-ray.parquet", "model-x-ray"),
        ("Flüge 2026.csv.gz", "Flüge"),
    ],
)
def test_the_model_is_called_as_its_file_without_numbers(
    tmp_path: Path, file: str, name: str
) -> None:
    written(tmp_path / "shop", frame(), file)
    assert list(loaded(tmp_path / "shop").models) == [name]


def test_the_project_is_called_as_its_folder_or_as_is_said(tmp_path: Path) -> None:
    written(tmp_path / "shop", frame())
    assert loaded(tmp_path / "shop").config.project == "shop"
    written(tmp_path / "shop", frame(), project="a: b")
    assert loaded(tmp_path / "shop").config.project == "a: b"


def test_the_terminal_is_told_what_was_found(tmp_path: Path) -> None:
    draft = written(tmp_path, with_regression(frame()))
    assert draft.found[1:] == (
        "time: created_at, read in UTC; 10 days of 300 rows",
        (
            "task: regression, 'price' holds numbers "
            "(id order_id, target price, prediction predicted_price)"
        ),
        "columns: 1 numerical, 2 categorical, 0 left out",
    )
    assert draft.found[0].endswith("orders.parquet: 1 file, 3,000 rows, 2026-03-02 to 2026-03-11")


# ---- rankings


def shown(days: int = 4, users: int = 20, items: int = 5) -> pd.DataFrame:
    """Every day each user is shown some items, of which one in three is clicked."""
    rng = np.random.default_rng(3)
    rows = days * users * items
    lists = np.repeat(np.arange(days * users), items)
    return pd.DataFrame(
        {
            "shown_at": pd.to_datetime(START) + pd.to_timedelta(lists // users, unit="D"),
            "user_id": [f"u{i % users}" for i in lists],
            "product_id": rng.integers(1000, 1060, rows),
            "price": rng.normal(20, 3, rows).round(2),
            "score": rng.normal(0, 1, rows),
            "clicked": (rng.uniform(0, 1, rows) < 0.3).astype(int),
        }
    )


def test_users_with_many_items_in_the_order_of_a_score_are_a_ranking(
    tmp_path: Path, database: str
) -> None:
    draft = written(tmp_path, shown())
    found = model(tmp_path)
    columns = found.columns
    assert (found.task, columns.user, columns.item) == ("ranking", "user_id", "product_id")
    assert (columns.target, columns.prediction, columns.probability) == ("clicked", "score", None)
    assert columns.numerical == ["price"]
    assert "task: ranking" in draft.text
    assert "many 'product_id' of each 'user_id'" in draft.text
    quality = [s for s in run(tmp_path, database) if s.evaluation == "quality"]
    figures = {row.metric: row for row in quality[-1].metrics}
    assert figures["ndcg_at_k"].value is not None
    assert figures["ndcg_at_k"].error is None


def test_a_column_of_places_is_the_order_of_a_ranking(tmp_path: Path, database: str) -> None:
    data = shown().assign(position=np.tile(np.arange(1, 6), 80))
    draft = written(tmp_path, data)
    found = model(tmp_path)
    assert (found.columns.prediction, found.ranking.by) == ("position", "rank")
    assert "another order than that of 'position'" in draft.text
    assert "predictions" not in found.evaluations
    quality = [s for s in run(tmp_path, database) if s.evaluation == "quality"]
    assert {row.metric: row for row in quality[-1].metrics}["mrr_at_k"].value is not None


@pytest.mark.parametrize(
    ("change", "task"),
    [
        ({"user_id": [f"u{i}" for i in range(400)]}, "none"),  # one item a user
        ({"product_id": "same"}, "none"),
        ({"user_id": [f"u{i // 2}" for i in range(400)]}, "none"),  # two are no list
    ],
)
def test_few_items_a_user_are_no_ranking(tmp_path: Path, change: dict[str, Any], task: str) -> None:
    written(tmp_path, shown().assign(**change))
    assert model(tmp_path).columns.user is None
    assert model(tmp_path).task == task


def test_without_an_order_users_and_items_are_no_ranking(tmp_path: Path) -> None:
    written(tmp_path, shown().drop(columns="score"))
    assert model(tmp_path).task == "none"


# ---- what it cannot do, it says in one line


def refusal(data: Path | str, **options: Any) -> str:
    with pytest.raises(BatchError) as caught:
        starter_config(str(data), **options)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    return str(caught.value)


def test_without_a_column_of_times_the_nearest_are_named(tmp_path: Path) -> None:
    data = frame().drop(columns="created_at").assign(ts=1772409600, day="2.3.2026")
    data.to_parquet(tmp_path / "orders.parquet")
    text = refusal(tmp_path / "orders.parquet")
    assert "'ts' holds numbers such as 1772409600 and 'day' holds text such as '2.3.2026'" in text
    assert "exporter evaluate" in text


def test_dates_that_are_not_iso_are_named_whatever_the_column_is_called(tmp_path: Path) -> None:
    pd.DataFrame({"datum": ["02.03.2026"], "x": [1]}).to_csv(tmp_path / "a.csv", index=False)
    assert "'datum' holds text such as '02.03.2026'" in refusal(tmp_path / "a.csv")


def test_without_anything_like_a_time_the_columns_are_named(tmp_path: Path) -> None:
    frame().drop(columns="created_at").to_csv(tmp_path / "orders.csv", index=False)
    assert "it has 'order_id', 'age', 'rooms', 'city'" in refusal(tmp_path / "orders.csv")


@pytest.mark.parametrize("name", ["empty.csv", "empty.parquet", "empty.jsonl", "empty.csv.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert "the file is empty" in refusal(tmp_path / name)


def test_packed_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b""))
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w"):
        pass
    assert refusal(tmp_path / "a.csv.gz")
    assert refusal(tmp_path / "a.csv.zip")


def test_files_without_rows_are_refused(tmp_path: Path) -> None:
    frame().head(0).to_parquet(tmp_path / "a.parquet")
    pa_csv.write_csv(pa.table({"t": pa.array([], pa.string())}), tmp_path / "a.csv")
    assert "no rows" in refusal(tmp_path / "a.parquet")
    assert "no rows" in refusal(tmp_path / "a.csv")


def test_what_is_broken_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and then nothing")
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n1,2,3,4\n")
    (tmp_path / "a.jsonl").write_text("{not json}\n")
    assert "a.parquet" in refusal(tmp_path / "a.parquet")
    assert "a.csv" in refusal(tmp_path / "a.csv")
    assert "a.jsonl" in refusal(tmp_path / "a.jsonl")
    assert "no such file" in refusal(tmp_path / "b.parquet")


def test_a_folder_of_different_files_asks_for_those_that_belong_together(demo: Path) -> None:
    text = refusal(demo / "data")
    assert "labels-" in text
    assert "flights-*.parquet'" in text


def test_the_draft_is_plain_yaml_to_every_reader(tmp_path: Path) -> None:
    document = yaml.load(written(tmp_path, with_regression(frame())).text)
    assert document.mistakes == []
