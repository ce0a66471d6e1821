"""The example in examples/plugins: a metric, a drift method and a descriptor of the user's own, from file to gauge."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugins"
GAUGES = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from exporter.config import load_config
from exporter.prometheus import Exposition
from exporter.store.latest import LatestReader

load_config(Path(sys.argv[1]), plugins=True)
shown = Exposition(LatestReader(lambda: sys.argv[2]))
shown.refresh(datetime.now(UTC))
print(shown.body().decode())
"""


class Orders:
    """The example in a folder of its own, called from beside it: nothing is on the path."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder, database
        shutil.copytree(EXAMPLE, folder / "shop")
        self.python("make_orders.py", cwd=folder / "shop")

    def python(self, *words: str, cwd: Path | None = None) -> str:
        """What a process of its own prints: the catalogue of this one stays as it is."""
        state = {f"XDG_{kind}_HOME": str(self.folder / kind) for kind in ("CACHE", "STATE")}
        env = {**os.environ, **state, "DATABASE_URL": self.database}
        done = subprocess.run(
            [sys.executable, *words], cwd=cwd or self.folder, env=env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def exporter(self, *words: str) -> str:
        return self.python("-m", "exporter", *words)


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory, shared_database: str) -> Orders:
    """The example, run once."""
    made = Orders(tmp_path_factory.mktemp("plugins"), shared_database)
    made.exporter("run", "shop/orders.yaml", "--processes", "2")
    return made


def test_a_module_beside_the_config_is_found_from_any_folder(orders: Orders) -> None:
    assert "shop_checks" not in orders.exporter("validate", "shop/orders.yaml", "--plugins")


def test_own_figures_and_tests_are_in_the_store(orders: Orders) -> None:
    snapshots = json.loads(orders.exporter("list", "shop/orders.yaml", "--format", "json"))
    days = {s["window_start"][:10]: s for s in snapshots["snapshots"]}
    assert {day: s["status"] for day, s in days.items()} == {
        "2026-02-01": "success", "2026-02-02": "success", "2026-02-03": "fail",
    }  # fmt: skip
    told = json.loads(orders.exporter(
        "show", "shop/orders.yaml", str(days["2026-02-03"]["id"]), "--format", "json"
    ))  # fmt: skip
    metrics = {(m["metric"], m["column"]): m["value"] for m in told["metrics"]}
    assert metrics["round_ratio", "amount"] == 1
    assert metrics["complete_ratio", ""] == 1
    assert 0.4 < metrics["mean", "comment.shouting"] < 0.6
    (drift,) = told["drift"]
    assert (drift["method"], drift["threshold"], drift["drifted"]) == ("median_shift", 0.25, True)
    failed = {t["test"] for t in told["tests"] if t["status"] == "fail"}
    assert failed == {"round_ratio", "column_drift", "mean"}


def test_own_figures_are_gauges_with_their_help(orders: Orders) -> None:
    script = orders.folder / "gauges.py"
    script.write_text(GAUGES)
    body = orders.python(str(script), "shop/orders.yaml", orders.database)
    help_of = {line.split()[2]: line for line in body.splitlines() if line.startswith("# HELP")}
    assert "typed in, not measured" in help_of["evaluation_round_ratio"]
    values = dict(line.rsplit(" ", 1) for line in body.splitlines() if line[:1] not in ("#", ""))
    found: dict[str, Any] = {
        name.split("{")[0]: float(value) for name, value in values.items() if 'column="amount"' in name
    }  # fmt: skip
    assert found["evaluation_round_ratio"] == 1
    assert found["evaluation_column_drift_detected"] == 1


def test_a_plugin_s_metrics_and_methods_are_listed_where_it_is_named(orders: Orders) -> None:
    listed = ("-m", "exporter", "metrics", "--plugin", "shop_checks", "--format", "json")
    told = json.loads(orders.python(*listed, cwd=orders.folder / "shop"))
    ids = {m["id"]: m for m in told["metrics"]}
    assert ids["round_ratio"]["options"].keys() == {"to"}
    assert "median_shift" in {m["id"] for m in told["drift_methods"]}


def test_the_project_s_own_pages_do_not_list_what_a_plugin_brought(orders: Orders) -> None:
    script = (
        "import sys; sys.path.append('.'); import shop_checks; from exporter.generate import generated;"
        "print(any('round_ratio' in text for text in generated().values()))"
    )
    assert orders.python("-c", script, cwd=orders.folder / "shop") == "False\n"
