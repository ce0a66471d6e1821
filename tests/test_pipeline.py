"""The flow from files to stored snapshots, on a real store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from exporter.config import load_config
from exporter.errors import BatchError, PlanError, StoreError
from exporter.pipeline import Done, Failed, Selection, open_project
from exporter.snapshot import Snapshot, content_hash
from exporter.store.files import read_snapshots
from exporter.watch import Job, Watched

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 20, tzinfo=UTC)
EVERYTHING = Selection()
CONFIG = """
project: shop
store: {store}
stream_tags: [arm]
defaults:
  batch: 1d
  source: {{path: "data/*.parquet"}}
  reference: {reference}
  columns: {{time: at, id: id, target: y, prediction: p, numerical: [x, amount], categorical: [city]}}
models:
  sales:
    task: regression
    tags: {{arm: {arm}, version: {{column: version}}}}
    {extra}
    evaluations:
      inputs: {{metrics: [data_summary, data_drift], tests: [row_count, missing_ratio]}}
      quality: {{requires: target, metrics: [regression], tests: [{{rmse: {{lt: 5}}}}]}}
"""


def rows_of(day: int, *, rows: int = 60, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(1000 * seed + day)
    start = START + day * DAY
    y = rng.normal(10, 2, rows)
    return pd.DataFrame(
        {
            "at": [start + timedelta(minutes=20 * i) for i in range(rows)],
            "id": [f"{day}-{i}" for i in range(rows)],
            "x": rng.normal(0, 1, rows),
            "amount": rng.exponential(3, rows),
            "city": rng.choice(["Rome", "Oslo", "Bonn"], rows, p=[0.6, 0.3, 0.1]),
            "version": ["1"] * (rows // 2) + ["2"] * (rows - rows // 2),
            "y": y,
            "p": y + rng.normal(0, 1, rows),
        }
    )


class Shop:
    """A folder with a config and daily files, run as a user would."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        self.store = store
        (folder / "data").mkdir()

    def write(self, day: int, frame: pd.DataFrame | None = None) -> None:
        data = rows_of(day) if frame is None else frame
        data.to_parquet(self.folder / "data" / f"{day:02d}.parquet", index=False)

    def config(
        self,
        *,
        reference: str = "{rolling: 7d}",
        arm: str = "champion",
        extra: str = "",
        top: str = "",
    ) -> Path:
        path = self.folder / "shop.yaml"
        text = CONFIG.format(store=self.store, reference=reference, arm=arm, extra=extra)
        path.write_text(text + top)
        return path

    def run(
        self,
        selection: Selection = EVERYTHING,
        *,
        now: datetime = NOW,
        processes: int = 1,
        **config: str,
    ) -> list[Done | Failed]:
        loaded = load_config(self.config(**config))
        with open_project(loaded, processes=processes) as project:
            work = project.plan_work(selection, now)
            return list(project.run(work, now, force=selection.force))


@pytest.fixture
def shop(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = Shop(tmp_path, database)
    for day in range(4):
        made.write(day)
    return made


def snapshots(results: list[Done | Failed]) -> list[Snapshot]:
    assert not [r for r in results if isinstance(r, Failed)]
    return [r.snapshot for r in results if isinstance(r, Done)]


def windows(results: list[Done | Failed], evaluation: str = "inputs") -> list[int]:
    found = [s for s in snapshots(results) if s.evaluation == evaluation and not s.segment]
    return [(s.window_start - START).days for s in found if s.window_start]


def test_every_due_window_becomes_a_snapshot_of_each_evaluation(shop: Shop) -> None:
    results = shop.run()
    assert windows(results) == windows(results, "quality") == [0, 1, 2, 3]
    assert {r.outcome for r in results if isinstance(r, Done)} == {"new"}


def test_a_second_run_finds_nothing_due(shop: Shop) -> None:
    shop.run()
    assert shop.run() == []


def test_a_file_that_changed_makes_only_its_windows_due(shop: Shop) -> None:
    shop.run()
    shop.write(2, rows_of(2, seed=9))
    shop.write(4)
    results = shop.run()
    assert windows(results) == [2, 4]
    assert [r.outcome for r in results if isinstance(r, Done)] == ["replaced"] * 2 + ["new"] * 2


def test_a_file_rewritten_with_the_same_rows_is_not_due(shop: Shop) -> None:
    shop.run()
    shop.write(2)
    assert shop.run() == []


def test_a_window_is_due_only_when_its_wait_is_over(shop: Shop) -> None:
    end = START + 4 * DAY
    assert windows(shop.run(now=end + timedelta(hours=1), extra="wait: 2h")) == [0, 1, 2]
    assert windows(shop.run(now=end + timedelta(hours=3), extra="wait: 2h")) == [3]


def test_force_evaluates_again_and_changes_nothing_that_is_the_same(shop: Shop) -> None:
    shop.run()
    results = shop.run(Selection(force=True))
    assert {r.outcome for r in results if isinstance(r, Done)} == {"same"}


def test_windows_can_be_chosen(shop: Shop) -> None:
    chosen = Selection(evaluations=("inputs",), start=START + DAY, end=START + 3 * DAY)
    results = shop.run(chosen)
    assert windows(results) == [1, 2]
    assert windows(results, "quality") == []


def test_a_misspelt_model_suggests_the_nearest(shop: Shop) -> None:
    with pytest.raises(PlanError, match="did you mean 'sales'"):
        shop.run(Selection(models=("sale",)))


def test_the_first_window_of_a_rolling_reference_has_none_and_says_so(shop: Shop) -> None:
    first, second = [s for s in snapshots(shop.run()) if s.evaluation == "inputs"][:2]
    assert first.reference.kind == "rolling"
    assert first.reference_rows is None
    assert {t.status for t in first.tests if t.test != "row_count"} == {"skipped"}
    assert second.reference_rows == 60
    assert second.reference.start == START
    assert second.status == "success"


def test_a_fixed_reference_is_named_by_its_content(shop: Shop) -> None:
    rows_of(0).to_parquet(shop.folder / "train.parquet", index=False)
    found = snapshots(shop.run(reference="{path: train.parquet}"))
    kinds = {(s.reference.kind, s.reference.hash) for s in found if s.evaluation == "inputs"}
    assert len(kinds) == 1
    assert next(iter(kinds))[0] == "fixed"
    assert all(s.reference_rows == 60 for s in found)


def test_a_fixed_reference_of_many_days_judges_a_day_by_its_own(shop: Shop) -> None:
    days = [rows_of(day).assign(x=lambda f, day=day: f["x"] + 3 * (day % 4)) for day in range(16)]
    pd.concat(days[4:]).to_parquet(shop.folder / "train.parquet", index=False)
    for day, frame in enumerate(days[:4]):
        shop.write(day, frame)
    path = shop.config(reference="{path: train.parquet}")
    path.write_text(path.read_text().replace("[row_count, missing_ratio]", "[data_drift]"))
    with open_project(load_config(path)) as project:
        found = snapshots(list(project.run(project.plan_work(EVERYTHING, NOW), NOW)))
    tests = [t for s in found for t in s.tests if (t.metric, t.column) == ("column_drift", "x")]
    assert [t.status for t in tests] == ["success"] * 4
    assert all("the reference's own windows differ as much" in t.message for t in tests)


def test_a_fixed_reference_needs_no_times(shop: Shop) -> None:
    rows_of(0).drop(columns="at").to_parquet(shop.folder / "train.parquet", index=False)
    first = snapshots(shop.run(reference="{path: train.parquet}"))
    assert {s.reference_rows for s in first} == {60}
    assert {s.reference.start for s in first} == {None}
    rows_of(9).drop(columns="at").to_parquet(shop.folder / "train.parquet", index=False)
    again = snapshots(shop.run(Selection(force=True), reference="{path: train.parquet}"))
    assert {s.reference.hash for s in first}.isdisjoint({s.reference.hash for s in again})


def test_the_batches_themselves_need_times(shop: Shop) -> None:
    for day in range(4):
        shop.write(day, rows_of(day).drop(columns="at"))
    with open_project(load_config(shop.config()), processes=1) as project:
        work = project.plan_work(EVERYTHING, NOW)
    assert not work.jobs
    assert "there is no time column 'at'" in str(work.errors[0])


def test_the_previous_batch_is_the_last_one_that_has_rows(shop: Shop) -> None:
    (shop.folder / "data" / "02.parquet").unlink()
    found = [s for s in snapshots(shop.run(reference="{previous: 1}")) if s.evaluation == "inputs"]
    assert [s.reference.start for s in found] == [None, START, START + DAY]


def test_a_describing_tag_is_joined_and_a_given_one_kept(shop: Shop) -> None:
    first = snapshots(shop.run())[0]
    assert first.tags == {"arm": "champion", "version": "1,2"}
    assert first.stream == {"arm": "champion"}


def test_a_stream_tag_read_from_a_column_splits_the_batch(shop: Shop) -> None:
    found = snapshots(shop.run(arm="{column: city}"))
    day = [s for s in found if s.evaluation == "inputs" and s.window_start == START + DAY]
    assert [s.tags["arm"] for s in day] == ["Bonn", "Oslo", "Rome"]
    assert sum(s.rows for s in day) == 60
    rome = next(s for s in day if s.tags["arm"] == "Rome")
    assert rome.reference_rows == int((rows_of(0)["city"] == "Rome").sum())


def test_segments_are_evaluated_on_their_own_and_the_rest_is_counted(shop: Shop) -> None:
    found = snapshots(shop.run(extra="segments: {city: {max: 2, min_rows: 10}}"))
    day = [s for s in found if s.evaluation == "inputs" and s.window_start == START + DAY]
    assert [s.segment for s in day] == ["", "city=Rome", "city=Oslo"]
    frame = rows_of(1)
    assert [s.rows for s in day[1:]] == [
        int((frame["city"] == "Rome").sum()),
        int((frame["city"] == "Oslo").sum()),
    ]
    rest = int((frame["city"] == "Bonn").sum())
    assert day[0].metadata["rows_in_other_segments"] == {"city": rest}


def with_labels(shop: Shop, *days: int, share: float = 1.0) -> None:
    for day in days:
        frame = rows_of(day)
        labels = frame[["id", "y"]].head(round(share * len(frame)))
        labels.to_parquet(shop.folder / f"labels-{day:02d}.parquet", index=False)


def without_target(shop: Shop) -> None:
    for day in range(4):
        shop.write(day, rows_of(day).drop(columns="y"))


LABELS = 'labels: {path: "labels-*.parquet", delay: 2d, mature_at: 0.9}'


def test_quality_waits_for_labels_and_inputs_do_not(shop: Shop) -> None:
    without_target(shop)
    with_labels(shop, 0, 1, 2, 3)
    results = shop.run(now=START + 4 * DAY, extra=LABELS)
    assert windows(results) == [0, 1, 2, 3]
    assert windows(results, "quality") == [0, 1]


def test_labels_that_come_later_make_only_their_windows_quality_due(shop: Shop) -> None:
    without_target(shop)
    with_labels(shop, 0)
    shop.run(extra=LABELS)
    with_labels(shop, 2)
    results = shop.run(extra=LABELS)
    assert windows(results) == []
    assert windows(results, "quality") == [2]


def test_late_labels_do_not_change_what_the_inputs_were(shop: Shop) -> None:
    without_target(shop)
    with_labels(shop, 0)
    before = snapshots(shop.run(extra=LABELS))
    with_labels(shop, 1, 2, 3)
    after = snapshots(shop.run(Selection(force=True), extra=LABELS))
    hashes = [
        [content_hash(s) for s in some if s.evaluation == "inputs"] for some in (before, after)
    ]
    assert hashes[0] == hashes[1]


def test_immature_quality_has_figures_and_skipped_tests(shop: Shop) -> None:
    without_target(shop)
    with_labels(shop, 0, share=0.5)
    quality = [s for s in snapshots(shop.run(extra=LABELS)) if s.evaluation == "quality"]
    assert len(quality) == 1
    assert quality[0].labelled_rows == 30
    assert quality[0].rows == 60
    assert {t.status for t in quality[0].tests} == {"skipped"}
    assert "30 of 60 predicted rows have labels" in quality[0].tests[0].message
    assert next(m for m in quality[0].metrics if m.metric == "rmse").value is not None


def test_one_broken_file_does_not_keep_the_others_from_being_evaluated(shop: Shop) -> None:
    (shop.folder / "data" / "02.parquet").write_bytes(b"PAR1 not really")
    with open_project(load_config(shop.config()), processes=1) as project:
        work = project.plan_work(EVERYTHING, NOW)
        results = list(project.run(work, NOW))
    assert windows(results) == [0, 1, 3]
    assert [type(e) for e in work.errors] == [BatchError]
    assert "02.parquet" in str(work.errors[0])
    shop.write(2)
    assert 2 in windows(shop.run())


def test_a_model_without_data_does_not_keep_the_others_from_being_evaluated(shop: Shop) -> None:
    other = """
  returns:
    source: {path: "elsewhere/*.parquet"}
    evaluations: {inputs: {metrics: [row_count]}}
"""
    with open_project(load_config(shop.config(top=other)), processes=1) as project:
        work = project.plan_work(EVERYTHING, NOW)
    assert {job.model for job in work.jobs} == {"sales"}
    assert "elsewhere" in str(work.errors[0])


def test_a_window_that_nobody_foresaw_is_told_and_the_others_are_evaluated(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate = Watched.evaluate

    def broken(self: Watched, job: Job, now: datetime) -> object:
        if job.window and job.window.start == START + DAY:
            raise RuntimeError("no such thing")
        return evaluate(self, job, now)

    monkeypatch.setattr(Watched, "evaluate", broken)
    results = shop.run()
    failed = [r for r in results if isinstance(r, Failed)]
    assert ["RuntimeError: no such thing" in str(f.error) for f in failed] == [True]
    assert len([r for r in results if isinstance(r, Done)]) == 6
    monkeypatch.undo()
    assert windows(shop.run()) == [1]


def test_windows_older_than_the_retention_are_never_due(shop: Shop) -> None:
    results = shop.run(now=START + 10 * DAY, top="retention: {metrics: 8d, distributions: 8d}\n")
    assert windows(results) == [2, 3]


def kept_for(database: str) -> list[tuple[timedelta, timedelta]]:
    with psycopg.connect(database) as connection:
        asked = "select keep_metrics, keep_distributions from evaluation.project"
        return connection.execute(asked).fetchall()


def test_a_config_that_keeps_all_for_ever_again_says_so(shop: Shop, database: str) -> None:
    for top in ("retention: {metrics: 30d, distributions: 8d}\n", ""):
        with open_project(load_config(shop.config(top=top)), processes=1) as project:
            project.retain(NOW)
        assert (kept_for(database)[0][1] > timedelta(days=3000)) == (not top)


@pytest.mark.parametrize(
    ("top", "told"),
    [
        ("links: {exporter: 'https://ml.example.com/', grafana: 'https://g.example.com'}\n", ("https://ml.example.com", "https://g.example.com")),
        ("links: {exporter: 'https://ml.example.com'}\n", ("https://ml.example.com", "")),
        ("links: {}\n", ("", "")),
        ("", ("https://before.example.com", "https://before.example.com")),
    ],
)  # fmt: skip
def test_the_store_is_told_where_reports_and_dashboards_are_found(
    shop: Shop, database: str, top: str, told: tuple[str, str]
) -> None:
    before = (
        "links: {exporter: 'https://before.example.com', grafana: 'https://before.example.com'}\n"
    )
    for given in (before, top):
        with open_project(load_config(shop.config(top=given)), processes=1) as project:
            project.introduce()
    with psycopg.connect(database) as connection:
        asked = "select exporter_url, grafana_url from evaluation.project"
        assert connection.execute(asked).fetchall() == [told]


def test_the_store_is_told_what_the_config_evaluates(shop: Shop, database: str) -> None:
    asked = "select model, evaluation, interval_seconds, wait_seconds from evaluation.expected"
    with open_project(load_config(shop.config()), processes=1) as project:
        project.introduce()
    with psycopg.connect(database) as connection:
        found = sorted(connection.execute(asked).fetchall())
    assert found == [("sales", "inputs", 86400, 0), ("sales", "quality", 86400, 0)]


def test_a_batch_name_gives_a_further_snapshot_of_the_same_window(shop: Shop) -> None:
    shop.run()
    results = shop.run(Selection(batch="replay", start=START, end=START + DAY))
    assert [s.batch for s in snapshots(results)] == ["replay", "replay"]
    assert [r.outcome for r in results if isinstance(r, Done)] == ["new", "new"]
    assert shop.run() == []


def test_what_is_cut_off_is_finished_by_the_next_run(shop: Shop) -> None:
    loaded = load_config(shop.config())
    with open_project(loaded, processes=1) as project:
        steps = project.run(project.plan_work(Selection(), NOW), NOW)
        first = [next(steps) for _ in range(3)]
        steps.close()
    rest = shop.run()
    done = [(s.window_start, s.evaluation) for s in snapshots(first) + snapshots(rest)]
    assert len(done) == 8
    assert len(set(done)) == 8


def test_all_cores_give_what_one_gives(shop: Shop) -> None:
    for day in range(4, 19):
        shop.write(day)
    one = snapshots(shop.run(processes=1))
    two = snapshots(shop.run(Selection(force=True), processes=2))
    assert [content_hash(s) for s in one] == [content_hash(s) for s in two]
    assert len(one) == 38


def test_snapshots_are_also_files_that_read_back_as_they_were(shop: Shop) -> None:
    found = snapshots(shop.run(top="snapshots: {path: kept}\n"))
    back = [s for _, s in read_snapshots([shop.folder / "kept"])]
    assert len(back) == len(found)
    assert {json.dumps(s.as_dict()) for s in back if isinstance(s, Snapshot)} == {
        json.dumps(s.as_dict()) for s in found
    }


def test_rows_in_the_future_and_without_a_time_are_told(shop: Shop) -> None:
    frame = rows_of(5)
    frame.loc[:4, "at"] = pd.NaT
    frame.loc[5:7, "at"] = START + 365 * DAY
    shop.write(5, frame)
    with open_project(load_config(shop.config()), processes=1) as project:
        work = project.plan_work(Selection(), NOW)
    assert any("5 rows without a time" in line for line in work.told)
    assert any("3 rows" in line and "future" in line for line in work.told)
    assert all(job.window and job.window.start < NOW for job in work.jobs)


def test_without_a_store_named_windows_wait_on_disk_and_others_are_refused(
    shop: Shop, database: str
) -> None:
    good = shop.store
    shop.store = "postgresql://nobody:secret@127.0.0.1:9/none"
    with pytest.raises(StoreError, match="--from and --to"):
        shop.run()
    results = shop.run(Selection(start=START, end=START + DAY))
    assert {r.outcome for r in results if isinstance(r, Done)} == {"spooled"}
    shop.store = good
    assert windows(shop.run()) == [0, 1, 2, 3]


def test_the_edges_of_a_distribution_stay_those_of_the_first_reference(shop: Shop) -> None:
    for day in range(4, 8):
        frame = rows_of(day)
        frame["x"] += 100
        shop.write(day, frame)
    found = [s for s in snapshots(shop.run()) if s.evaluation == "inputs"]
    edges = [tuple(d.edges or ()) for s in found for d in s.distributions if d.column == "x"]
    assert len(set(edges)) == 1
    last = next(d for d in found[-1].distributions if d.column == "x")
    assert last.current[-1] == 60
