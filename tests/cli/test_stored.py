"""`list`, `show`, `report`, `delete`, `import`: what the store has, read back and changed."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest
from cli.shop import BAD_DAY, Shop, contents, rows_of, stored

from exporter.store import Store
from exporter.store.links import Links


@pytest.fixture
def evaluated(shop: Shop) -> Shop:
    """The shop after its first run: ten snapshots, one failed."""
    shop.run()
    return shop


def failed(shop: Shop) -> int:
    """The id of the snapshot that failed."""
    return int(shop.listed("--status", "fail")[0]["id"])


def test_list_is_a_line_a_snapshot_oldest_first(evaluated: Shop) -> None:
    lines = evaluated.call("list", evaluated.config).stdout.splitlines()
    assert lines[0].split()[:4] == ["id", "window", "model", "evaluation"]
    assert [line.split()[1] for line in lines[1::2]] == [f"2026-03-0{d}" for d in range(1, 6)]


def test_list_of_an_empty_store_says_what_fills_it(shop: Shop) -> None:
    assert shop.call("list", shop.config).stdout == "no snapshots: `exporter run` makes some\n"
    assert shop.listed() == []


def test_list_is_not_cut_off_where_nobody_looks(shop: Shop) -> None:
    shop.write(*range(5, 30))
    shop.run()
    assert len(shop.call("list", shop.config).stdout.splitlines()) == 61
    assert len(shop.listed()) == 60


def test_list_limits_to_the_newest(evaluated: Shop) -> None:
    result = evaluated.call("list", evaluated.config, "--limit", 2)
    assert [line.split()[1] for line in result.stdout.splitlines()[1:]] == ["2026-03-05"] * 2
    assert result.stderr == "the newest 2: --limit 0 lists all\n"


def test_list_chooses(evaluated: Shop) -> None:
    assert [s["status"] for s in evaluated.listed("--status", "fail")] == ["fail"]
    assert len(evaluated.listed("--model", "sales", "--evaluation", "quality")) == 5
    assert len(evaluated.listed("--from", "2026-03-02", "--to", "2026-03-04")) == 4
    assert evaluated.listed("--tag", "arm=none") == []


def test_list_tells_a_name_that_the_config_does_not_have(evaluated: Shop) -> None:
    result = evaluated.call("list", evaluated.config, "--model", "slaes")
    assert result.exit_code == 0
    told = "no snapshots that fit: there is no model 'slaes'; did you mean 'sales'?\n"
    assert result.stdout == told


def test_a_store_can_be_asked_without_a_config(evaluated: Shop) -> None:
    made = evaluated.json("list", "--store", evaluated.store)["snapshots"]
    assert made == evaluated.listed()


def test_show_tells_all_of_a_snapshot(evaluated: Shop) -> None:
    text = evaluated.call("show", evaluated.config, failed(evaluated)).stdout
    assert text.startswith(
        f"shop / sales / inputs, 2026-03-0{BAD_DAY + 1}\nfail: 60 rows beside 180"
    )
    assert "mean_shift_sigmas  x       fail" in text
    assert "missing_ratio" in text


def test_show_takes_the_newest_that_fits(evaluated: Shop) -> None:
    made = evaluated.json("show", evaluated.config, "--status", "fail")
    assert made["snapshot"]["id"] == failed(evaluated)


def test_show_json_is_what_import_takes(evaluated: Shop, empty_database: str) -> None:
    Path("one.json").write_text(evaluated.call("show", evaluated.config, "--format", "json").stdout)
    assert evaluated.call("db", "migrate", "--store", empty_database).exit_code == 0
    result = evaluated.call("import", "--store", empty_database, "one.json")
    assert result.stdout == "1 new\n"
    assert stored(empty_database) == 1


def test_a_report_shows_its_neighbours_and_leads_on_only_where_it_is_known_to_what(
    evaluated: Shop,
) -> None:
    number = failed(evaluated)
    alone = evaluated.call("show", evaluated.config, number, "--format", "html").stdout
    assert alone.count('<li><span class="mark') == 5  # five days, of which none has an address
    assert "href=" not in alone
    links = "links: {exporter: 'https://ml.example.com', grafana: 'https://g.example.com'}\nmodels:"
    config = evaluated.write_config("linked.yaml", change=("models:", links))
    page = evaluated.call("show", config, number, "--format", "html").stdout
    assert f'href="https://ml.example.com/snapshots/{number}"' in page
    assert page.count('<a class="mark') == 4
    assert 'href="https://g.example.com/d/evaluation-model-overview?' in page


def test_a_report_of_a_store_leads_where_the_last_run_said(evaluated: Shop) -> None:
    number = failed(evaluated)
    with Store(evaluated.store) as store:
        store.tell_links("shop", Links("https://told.example.com", ""))
    result = evaluated.call("report", "--store", evaluated.store, number, "-o", "page.html")
    assert result.exit_code == 0
    assert f'href="https://told.example.com/snapshots/{number}"' in Path("page.html").read_text()


def test_show_html_and_report_are_the_same_page(evaluated: Shop) -> None:
    number = failed(evaluated)
    result = evaluated.call("report", evaluated.config, number)
    assert result.stdout == f"wrote report-{number}.html\n"
    page = Path(f"report-{number}.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert page == evaluated.call("show", evaluated.config, number, "--format", "html").stdout


def test_deleted_snapshots_stay_away_from_a_later_run(evaluated: Shop) -> None:
    numbers = [s["id"] for s in evaluated.listed("--from", "2026-03-05")]
    result = evaluated.call("delete", evaluated.config, *numbers, "--yes")
    assert result.stdout == "deleted 2 snapshots\n"
    assert evaluated.run().stdout == "nothing is due\n"
    assert len(evaluated.listed()) == 8
    evaluated.run("--force")
    assert len(evaluated.listed()) == 10


def test_other_data_do_not_bring_back_what_was_deleted_and_force_does(evaluated: Shop) -> None:
    evaluated.call("delete", evaluated.config, "--from", "2026-03-05", "--yes")
    rows_of(4, rows=50).to_parquet(evaluated.folder / "data" / "04.parquet", index=False)
    evaluated.run()
    assert len(evaluated.listed()) == 8
    evaluated.run("--force", "--from", "2026-03-05")
    assert [s["rows"] for s in evaluated.listed("--from", "2026-03-05")] == [50, 50]


def test_delete_takes_all_that_fit(evaluated: Shop) -> None:
    chosen = ("--evaluation", "quality", "--yes")
    assert evaluated.call("delete", evaluated.config, *chosen).stdout == "deleted 5 snapshots\n"
    assert evaluated.call("delete", evaluated.config, *chosen).stdout == (
        "nothing fits: nothing deleted\n"
    )


def test_delete_never_takes_everything_by_a_slip(evaluated: Shop) -> None:
    result = evaluated.call("delete", evaluated.config, "--yes")
    assert result.exit_code == 2
    assert "say which" in result.stderr
    assert len(evaluated.listed()) == 10


def test_delete_wants_an_answer_or_yes(evaluated: Shop) -> None:
    result = evaluated.call("delete", evaluated.config, failed(evaluated), input="y\n")
    assert result.exit_code == 2
    assert "say --yes" in result.stderr
    assert len(evaluated.listed()) == 10


def test_an_id_of_another_project_is_neither_shown_nor_deleted(evaluated: Shop) -> None:
    found = failed(evaluated)
    evaluated.config.write_text(evaluated.config.read_text().replace("project: shop", "project: b"))
    shown = evaluated.call("show", evaluated.config, found)
    assert shown.exit_code == 2
    assert "is of project 'shop', not 'b'" in shown.stderr
    deleted = evaluated.call("delete", evaluated.config, found, "--yes")
    assert deleted.exit_code == 2
    assert "1 of 1 not in the store, or not of project 'b'" in deleted.stderr
    assert len(evaluated.json("list", "--store", evaluated.store)["snapshots"]) == 10


def test_delete_tells_ids_that_are_not_there(evaluated: Shop) -> None:
    result = evaluated.call("delete", evaluated.config, failed(evaluated), 4_000_000, "--yes")
    assert result.exit_code == 2
    assert result.stdout == "deleted 1 snapshot\n"
    told = "1 of 2 not in the store, or not of project 'shop': `exporter list` shows what is"
    assert result.stderr == f"error: {told}\n"


def test_import_takes_back_what_run_wrote(shop: Shop, empty_database: str) -> None:
    shop.config.write_text(shop.config.read_text() + "snapshots: {path: made}\n")
    shop.run()
    shop.call("db", "migrate", "--store", empty_database)
    assert shop.call("import", "--store", empty_database, "made").stdout == "10 new\n"
    assert shop.call("import", "--store", empty_database, "made").stdout == "10 same\n"
    assert contents(empty_database) == contents(shop.store)


def test_import_tells_which_files_are_none_and_takes_the_others(shop: Shop) -> None:
    shop.config.write_text(shop.config.read_text() + "snapshots: {path: made}\n")
    shop.run("--to", "2026-03-02")
    with psycopg.connect(shop.store) as connection:
        connection.execute("delete from evaluation.snapshot")
    Path("made/broken.json").write_text("{")
    Path("made/other.json").write_text(json.dumps({"format": 99}))
    result = shop.call("import", shop.config, "made")
    assert result.exit_code == 3
    assert result.stdout == "2 new\n"
    told = result.stderr.splitlines()
    assert [line.split(":")[1].strip() for line in told] == ["made/broken.json", "made/other.json"]
