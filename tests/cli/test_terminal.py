"""What is seen on a terminal: a bar while it runs, colours and a table that fits; and what is not, elsewhere."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli.shop import Shop

from exporter.cli.tables import one_line
from exporter.snapshot import CheckResult, Snapshot
from exporter.store import Store

FAILED = "\x1b[1;31mfail"


def on_terminal(*arguments: object, columns: int = 100) -> str:
    """All that `exporter …` writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    given = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-m", "exporter", *map(str, arguments)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=given | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            some = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not some:
            break
        seen += some
    os.close(ours)
    process.wait(60)
    return seen.decode()


def test_a_run_shows_a_bar_and_a_coloured_table(shop: Shop) -> None:
    seen = on_terminal("run", shop.config, "--processes", 1)
    assert "evaluating" in seen
    assert "/5" in seen
    assert "left" in seen
    assert FAILED in seen
    assert "10 snapshots: 9 success, 1 fail" in seen


def test_of_many_batches_a_terminal_shows_those_that_want_a_look(shop: Shop) -> None:
    shop.write(*range(5, 25))
    table = on_terminal("run", shop.config, "--processes", 1).rpartition("worst")[2]
    assert "x: mean_shift_sigmas" in table
    assert "quality" not in table
    assert "50 snapshots: 49 success, 1 fail" in table


def test_elsewhere_there_is_neither_bar_nor_colour(shop: Shop) -> None:
    result = shop.run()
    assert "\x1b" not in result.output
    assert result.stderr == ""


@pytest.mark.parametrize("columns", [60, 200])
def test_a_table_fits_the_terminal(shop: Shop, columns: int) -> None:
    shop.run()
    lines = on_terminal("list", shop.config, columns=columns).split("\r\n")
    rule = next(line for line in lines if line.startswith("─"))
    assert len(rule) <= columns


def test_names_cannot_move_the_cursor_or_change_colours() -> None:
    assert one_line("a\x1b[31mb\nc\td\x07") == "a\ufffd[31mb c d\ufffd"
    assert one_line("Zürich → 東京 🙂") == "Zürich → 東京 🙂"


def test_hostile_values_reach_neither_pipe_nor_terminal_raw(files: Shop) -> None:
    Path("hostile.csv").write_text("c,d\n" + "\x1b[2Jred,1\nblue,2\n" * 5)
    asked = ("evaluate", "hostile.csv", "--metrics", "category_ratio")
    assert "\x1b[2J" not in files.call(*asked).stdout
    assert "\x1b[2J" not in on_terminal(*asked)
    assert "red" in on_terminal(*asked)


def test_what_the_output_cannot_encode_is_no_error(files: Shop) -> None:
    Path("city.csv").write_text("c\n" + "東京\n" * 5, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "exporter", "evaluate", "city.csv", "--metrics", "category_ratio"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "\\u6771\\u4eac" in done.stdout
    assert done.stderr == ""


def test_the_log_format_holds_for_all_that_is_said(files: Shop) -> None:
    result = files.call("--log-format", "json", "run", "none.yaml")
    assert result.exit_code == 2
    assert '"level": "error"' in result.stderr
    assert result.stderr.startswith('{"event": "none.yaml: there is no such file')


def test_what_pages_is_red(shop: Shop) -> None:
    with Store(shop.store) as store:
        now = datetime.now(UTC)
        test = CheckResult("gaps", "missing_ratio", "x", status="fail", message="1, at most 0.5")
        made = Snapshot(9, "shop", "sales", "inputs", batch="b", computed_at=now, tests=(test,))
        store.write(made)
    seen = on_terminal("alerts", shop.config)
    assert "\x1b[31m\x1b[1mpage\x1b[0m  EvaluationTestsFailing  shop / sales / inputs" in seen
    assert "1, at most 0.5" in seen
