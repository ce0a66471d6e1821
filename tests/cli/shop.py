"""A small project as a user has it: a folder with data and a config; and the command, called in-process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psycopg
from click.testing import CliRunner, Result

from exporter.cli import main

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
BAD_DAY = 3  # its `x` is far from that of other days
STORE = "SHOP_STORE"
CONFIG = """\
project: shop
store: {store}
models:
  sales:
    task: regression
    source: {{path: "data/*.parquet"}}
    batch: 1d
    reference: {{rolling: 7d}}
    columns: {{time: at, id: id, target: y, prediction: p, numerical: [x, amount], categorical: [city]}}
    evaluations:
      inputs:
        metrics: [data_summary]
        tests: [row_count, {{mean_shift_sigmas: {{columns: [x]}}}}]
      quality: {{requires: target, metrics: [regression], tests: [{{rmse: {{lt: 5}}}}]}}
"""


def rows_of(day: int, *, rows: int = 60) -> pd.DataFrame:
    """A day's rows."""
    rng = np.random.default_rng(day)
    start, y = START + day * DAY, rng.normal(10, 2, rows)
    return pd.DataFrame(
        {
            "at": [start + timedelta(minutes=20 * i) for i in range(rows)],
            "id": [f"{day}-{i}" for i in range(rows)],
            "x": rng.normal(9 if day == BAD_DAY else 0, 1, rows),
            "amount": rng.exponential(3, rows),
            "city": rng.choice(["Rome", "Oslo", "Bonn"], rows, p=[0.6, 0.3, 0.1]),
            "y": y,
            "p": y + rng.normal(0, 1, rows),
        }
    )


class Shop:
    """A folder with a config and daily files."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        self.store = store
        (folder / "data").mkdir(exist_ok=True)
        os.environ[STORE] = store  # which the test's monkeypatch removes again
        self.config = self.write_config("shop.yaml")

    def write_config(self, name: str, store: str = "", change: tuple[str, str] = ("", "")) -> Path:
        """A config beside the first one, with one text in place of another."""
        path = self.folder / name
        path.write_text(CONFIG.format(store=store or f"!env {STORE}").replace(*change))
        return path

    def write(self, *days: int) -> None:
        """A file a day."""
        for day in days:
            rows_of(day).to_parquet(self.folder / "data" / f"{day:02d}.parquet", index=False)

    def call(self, *arguments: object, **more: Any) -> Result:
        """What `exporter …` does, in this process and in one process only."""
        given = [str(argument) for argument in arguments]
        if given[0] == "run" and "--processes" not in given and "--help" not in given:
            given += ["--processes", "1"]
        result = CliRunner().invoke(main, given, **more)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def run(self, *arguments: object) -> Result:
        """`exporter run` of the config."""
        return self.call("run", self.config, *arguments)

    def json(self, *arguments: object) -> Any:
        """The result of a command with `--format json`."""
        return json.loads(self.call(*arguments, "--format", "json").stdout)

    def listed(self, *arguments: object) -> list[dict[str, Any]]:
        """The snapshots that `exporter list` knows."""
        found: list[dict[str, Any]] = self.json("list", self.config, *arguments)["snapshots"]
        return found


class Command:
    """`exporter …` as a process of its own, and of its own group, as a terminal starts it."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "exporter", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to the process, or to all of its group, as Ctrl-C on a terminal does."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until that is so; what the command said otherwise, where it ends before."""
        while not reached():
            assert self.process.poll() is None, self.end()

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr, when it and all that it started have ended."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


def stored(url: str) -> int:
    """How many snapshots the database has."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from evaluation.snapshot").fetchone()
        return row[0] if row else 0


def contents(url: str) -> list[tuple[Any, ...]]:
    """What every snapshot is about and the hash of what it holds; and how many rows there are."""
    with psycopg.connect(url) as connection:
        heads = connection.execute(
            "select model, evaluation, window_start, revision, content_hash"
            " from evaluation.snapshot join evaluation.stream using (stream_id) order by 1, 2, 3"
        ).fetchall()
        rows = connection.execute(
            "select (select count(*) from evaluation.metric), (select count(*) from evaluation.test)"
        ).fetchall()
        return [*heads, *rows]
