"""`exporter run`: what is due becomes snapshots and a table; the gate; the store that is away."""

from __future__ import annotations

import json

import pandas as pd
import psycopg
from cli.shop import BAD_DAY, START, Shop, stored


def test_every_due_batch_is_a_line_with_its_worst_column(shop: Shop) -> None:
    result = shop.run()
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["batch", "evaluation", "rows", "status", "failed", "worst"]
    assert lines[-1] == "10 snapshots: 9 success, 1 fail"
    bad = next(line for line in lines if "fail " in line)
    assert bad.startswith(f"2026-03-0{BAD_DAY + 1}  sales / inputs")
    assert "1 of 2  x: mean_shift_sigmas" in bad


def test_a_second_run_has_nothing_to_do_and_says_so(shop: Shop) -> None:
    shop.run()
    result = shop.run()
    assert result.exit_code == 0
    assert result.stdout == "nothing is due\n"


def test_when_the_next_batch_is_due_is_told_in_the_projects_time(shop: Shop) -> None:
    config = shop.write_config("wait.yaml", change=("batch: 1d", "batch: 1d\n    wait: 100y"))
    config.write_text(
        config.read_text().replace("project: shop", "project: w\ntimezone: Asia/Tokyo")
    )
    result = shop.call("run", config)
    assert result.stdout.startswith("nothing is due; the next batch is at 2126-")
    assert result.stdout.endswith("00:00 JST\n")


def test_json_is_the_heads_of_what_was_made(shop: Shop) -> None:
    result = shop.run("--format", "json")
    made = json.loads(result.stdout)["snapshots"]
    assert len(made) == 10
    assert made == shop.listed()


def test_processes_share_the_work_without_changing_it(shop: Shop) -> None:
    shop.write(*range(5, 16))
    result = shop.run("--processes", "2")
    assert result.stdout.endswith("32 snapshots: 31 success, 1 fail\n")
    assert stored(shop.store) == 32


def test_windows_and_evaluations_are_chosen(shop: Shop) -> None:
    shop.run("--from", "2026-03-02", "--to", "2026-03-04T00:00+00:00", "--evaluation", "inputs")
    assert [s["window_start"][:10] for s in shop.listed()] == ["2026-03-02", "2026-03-03"]


def test_a_batch_name_makes_further_snapshots(shop: Shop) -> None:
    shop.run()
    shop.run("--batch", "again", "--from", "2026-03-02", "--to", "2026-03-03")
    assert [s["batch"] for s in shop.listed("--from", "2026-03-02", "--to", "2026-03-03")] == [
        "", "", "again", "again",
    ]  # fmt: skip


def test_force_evaluates_again(shop: Shop) -> None:
    shop.run()
    result = shop.run("--force", "--evaluation", "quality")
    assert result.stdout.endswith("5 snapshots: 5 success\n")
    assert stored(shop.store) == 10


def test_without_the_gate_failed_tests_end_well(shop: Shop) -> None:
    assert shop.run().exit_code == 0


def test_the_gate_exits_with_1_and_says_why(shop: Shop) -> None:
    result = shop.run("--gate")
    assert result.exit_code == 1
    assert result.stderr == "gate: critical tests failed in 1 of 10 snapshots\n"


def test_the_gate_lets_pass_what_is_sound(shop: Shop) -> None:
    assert shop.run("--gate", "--to", "2026-03-03").exit_code == 0


def test_a_gate_that_is_asked_twice_answers_the_same(shop: Shop) -> None:
    window = ("--from", "2026-03-04", "--to", "2026-03-05")
    first, second = shop.run("--gate", *window), shop.run("--gate", *window)
    assert first.exit_code == second.exit_code == 1
    assert "sales / inputs     60  fail" in second.stdout
    assert first.stderr == second.stderr == "gate: critical tests failed in 1 of 2 snapshots\n"


def test_a_file_that_cannot_be_read_costs_only_itself(shop: Shop) -> None:
    (shop.folder / "data" / "99.parquet").write_text("no parquet\n")
    result = shop.run()
    assert result.exit_code == 3
    assert result.stdout.endswith("10 snapshots: 9 success, 1 fail\n")
    assert result.stderr.startswith("error: ")
    assert "99.parquet" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_what_is_told_of_the_data_is_a_warning(shop: Shop) -> None:
    frame = pd.read_parquet(shop.folder / "data" / "00.parquet")
    frame.loc[:4, "at"] = pd.NaT
    frame.to_parquet(shop.folder / "data" / "00.parquet", index=False)
    result = shop.run()
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: ")
    assert "5 rows" in result.stderr


def test_snapshots_wait_on_disk_while_the_store_is_away_and_are_delivered(shop: Shop) -> None:
    away = shop.write_config("away.yaml", "postgresql://127.0.0.1:1/nobody")
    window = ("--from", "2026-03-02", "--to", "2026-03-04")
    result = shop.call("run", away, *window)
    assert result.exit_code == 0
    assert result.stdout.endswith("4 snapshots: 4 success\n")
    assert result.stderr == (
        "warning: the store is away: 4 snapshots on disk, for the next run to deliver\n"
    )


def test_snapshots_are_also_files_where_the_config_says_so(shop: Shop) -> None:
    config = shop.write_config("files.yaml")
    config.write_text(config.read_text() + "snapshots: {path: made}\n")
    shop.call("run", config)
    files = sorted((shop.folder / "made").rglob("*.json"))
    assert len(files) == 10
    made = json.loads(files[0].read_text())
    assert made["snapshot"]["window_start"].startswith(f"{START:%Y-%m-%d}")


def test_a_run_tells_the_store_where_its_reports_are_found(shop: Shop) -> None:
    links = "links: {exporter: 'https://ml.example.com'}\nmodels:"
    shop.write_config("shop.yaml", change=("models:", links))
    assert shop.run().exit_code == 0
    with psycopg.connect(shop.store) as connection:
        asked = "select distinct split_part(report_url, '/snapshots/', 1) from grafana.snapshots"
        assert connection.execute(asked).fetchall() == [("https://ml.example.com",)]
