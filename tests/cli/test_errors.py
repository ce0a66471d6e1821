"""Bad input: an exit code and one line that says what to do, never a traceback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cli.shop import Shop

from exporter.store import spool

CURRENT = "data/00.parquet"


def one_line(result: object, code: int) -> str:
    """What stderr says, apart from how a command is used; it is one line."""
    assert getattr(result, "exit_code", None) == code, result
    text: str = getattr(result, "stderr", "")
    assert "Traceback" not in text
    lines = [line for line in text.splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert len(lines) == 1, text
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rnu",), "there is no command 'rnu'; did you mean 'run'?"),
        (("frobnicate",), "there is no command 'frobnicate'; there are init, validate"),
        (("run", "--gaet", "x.yaml"), "--gate"),
        (("run",), "Missing argument 'CONFIG'"),
        (("list",), "name the CONFIG, or give the store: --store URL"),
        (("show", "3"), "name the CONFIG before the ID"),
        (("run", "none.yaml"), "none.yaml: there is no such file: `exporter init` writes one"),
        (("run", "shop.yaml", "--model", "slaes"), "no model 'slaes'; did you mean 'sales'?"),
        (("run", "shop.yaml", "--evaluation", "input"), "did you mean 'inputs'?"),
        (("run", "shop.yaml", "--from", "yesterday"), "write 2026-03-01 or 2026-03-01T06:00"),
        (("run", "shop.yaml", "--from", "2026-03-02", "--to", "2026-03-01"), "is not before --to"),
        (("run", "shop.yaml", "--every", "10x"), "expected a duration such as 30m"),
        (("run", "shop.yaml", "--every", "10m", "--gate"), "--every goes with none of --gate"),
        (("run", "shop.yaml", "--batch", "x"), "say which, with --from and --to"),
        (("show", "shop.yaml", "abc"), "'abc' is no snapshot id: `exporter list` shows them"),
        (("show", "shop.yaml", "99"), "no snapshot 99 in the store: `exporter list` shows"),
        (("list", "shop.yaml", "--status", "fial"), "'fial' is not one of 'success'"),
        (("list", "shop.yaml", "--tag", "arm"), "'arm' should be NAME=VALUE"),
        (("import", "one.json"), "name the CONFIG, or --store URL, and then the files"),
        (("init", "data", "-o", "none/x.yaml"), "make its folder first"),
        (("report", "shop.yaml", "-o", "x.html"), "no snapshot fits"),
        (("serve", "shop.yaml", "--port", "99999"), "99999 is not in the range"),
        (("serve", "shop.yaml", "--host", "no such host"), "choose another with --host"),
        (("serve", "shop.yaml", "--host", "0.0.0.0"), "set EXPORTER_TOKEN"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_exits_with_2(
    shop: Shop, arguments: tuple[str, ...], says: str
) -> None:
    assert says in one_line(shop.call(*arguments), 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--metrics", "data_sumary"), "did you mean 'data_summary'?"),
        (("--tests", "row_cont"), "did you mean 'row_count'?"),
        (("--tests", "[{row_count: {gth: 1}}]"), "did you mean 'gt'?"),
        (("--tests", "[{missing_ratio: {columns: [amuont]}}]"), "did you mean 'amount'?"),
        (("--tests", "[{row_count: "), "no YAML list of entries"),
        (("--metrics", "[{column_drift: {method: kss}}]"), "did you mean 'ks'?"),
        (("--target", "yy", "--metrics", "row_count"), "does not have: yy; did you mean 'y'?"),
        (("--task", "regresion"), "'regression'"),
        (("-o", "none/x.json"), "make its folder first"),
        (("-o", "data"), "is a directory"),
        (("--columns", "shop.yaml"), "there is no key 'project'"),
    ],
)
def test_what_evaluate_cannot_do_exits_with_2(
    files: Shop, options: tuple[str, ...], says: str
) -> None:
    assert says in one_line(files.call("evaluate", CURRENT, *options), 2)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.parquet", None, "there is no such file: check the path"),
        ("none*.parquet", None, "no file matches"),
        ("text.parquet", "a,b\n1,2\n", "this is no parquet file"),
        ("ragged.csv", "a,b\n1,2\n3\n", "Expected 2 columns, got 1"),
        ("list.jsonl", "[1, 2\n", "list.jsonl"),
        ("data.xlsx", "x", "end it in .parquet, .csv"),
        ("empty.csv", "", "empty.csv"),
    ],
)
def test_data_that_cannot_be_read_exit_with_3(
    files: Shop, name: str, content: str | None, says: str
) -> None:
    if content is not None:
        Path(name).write_text(content)
    assert says in one_line(files.call("evaluate", name), 3)
    assert says in one_line(files.call("evaluate", CURRENT, "--reference", name), 3)
    assert says in one_line(files.call("init", name, "-o", "made.yaml"), 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("time: at", "time: att"), "there is no time column 'att'; did you mean 'at'?"),
        (("time: at", "time: x"), "write timestamps or ISO 8601 text"),
        (("data/*.parquet", "none/*.parquet"), "check the pattern"),
    ],
)
def test_a_run_without_usable_data_exits_with_3(
    shop: Shop, change: tuple[str, str], says: str
) -> None:
    result = shop.call("run", shop.write_config("bad.yaml", change=change), "--model", "sales")
    lines = set(result.stderr.splitlines())
    assert result.exit_code == 3
    assert result.stdout == ""
    assert all(line.startswith("error: ") and says in line for line in lines)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("numerical: [x, amount]", "numerical: [x, amount, ghost]"), "no such column"),
        (("numerical: [x, amount]", "numerical: [x, amount, city]"), "city"),
    ],
)
def test_a_column_that_is_gone_or_of_another_type_costs_only_its_own_figures(
    shop: Shop, change: tuple[str, str], says: str
) -> None:
    config = shop.write_config("bad.yaml", change=change)
    config.write_text(
        config.read_text()
        .replace(", categorical: [city]", "")
        .replace("[row_count,", "[missing_ratio,")
    )
    result = shop.call("run", config)
    assert result.exit_code == 0
    assert result.stderr == ""
    assert says in next(line for line in result.stdout.splitlines() if "inputs" in line)
    assert "5 success, 5 error" in result.stdout


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("postgresql://127.0.0.1:1/x", "does not answer (Connection refused): start it"),
        ("postgresql://127.0.0.1:port/x", "it is `embedded`, or a URL such as postgresql://"),
        ("mysql://127.0.0.1/x", "it is `embedded`, or a URL such as postgresql://"),
        ("embeded", "did you mean 'embedded'?"),
    ],
)
@pytest.mark.parametrize("command", ["list", "show", "db status", "db migrate", "import"])
def test_a_store_that_cannot_be_used_exits_with_4(
    files: Shop, command: str, store: str, says: str
) -> None:
    more = []
    if command == "import":
        made = files.json("evaluate", CURRENT, "--metrics", "row_count")
        named = {"project": "p", "model": "m", "evaluation": "e", "batch": "b"}
        Path("one.json").write_text(json.dumps({**made, "snapshot": made["snapshot"] | named}))
        more = ["one.json"]
    line = one_line(files.call(*command.split(), "--store", store, *more), 4)
    assert says in line


def test_a_refused_password_is_told_and_not_shown(shop: Shop) -> None:
    wrong = "postgresql://evaluation_writer:hunter2@" + shop.store.split("@")[1]
    line = one_line(shop.call("list", "--store", wrong), 4)
    assert "check user and password" in line
    assert "hunter2" not in line


def test_a_run_whose_store_is_down_says_how_to_go_on_without_it(files: Shop) -> None:
    line = one_line(files.run(), 4)
    assert "does not answer" in line
    assert "--from and --to" in line


def test_a_spool_without_room_exits_with_4(files: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool.Spool.__init__, "__defaults__", (1000,))
    line = one_line(files.run("--from", "2026-03-01", "--to", "2026-03-02"), 4)
    assert "leave no room" in line
    assert "start the store" in line


def test_snapshots_that_cannot_be_written_as_files_are_told(shop: Shop) -> None:
    shop.config.write_text(shop.config.read_text() + "snapshots: {path: shop.yaml/made}\n")
    line = one_line(shop.run(), 3)
    assert "change `snapshots: {path: …}`" in line


def test_a_port_in_use_exits_with_2(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = one_line(shop.call("serve", shop.config, "--port", port), 2)
    assert f"port {port} of 127.0.0.1 is in use" in line
    assert "--port" in line


def test_a_reader_that_goes_away_is_no_error(shop: Shop) -> None:
    code = f"{sys.executable} -m exporter metrics --format json | head -c 1"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{", "")
