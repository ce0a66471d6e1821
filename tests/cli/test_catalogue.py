"""`exporter metrics` and `exporter generate`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cli.shop import Shop

from exporter import presets
from exporter.distances import DRIFT_METHODS
from exporter.metrics import CATALOGUE

PLUGIN = '''\
from exporter import metric
from exporter.profile.column import NumericProfile


@metric(per="column", unit="value")
def value_range(column: NumericProfile) -> float:
    """Largest value minus the smallest."""
    return column.moments.most - column.moments.least
'''


def test_every_metric_method_and_preset_is_listed(files: Shop) -> None:
    first = {line.split()[0] for line in files.call("metrics").stdout.splitlines() if line}
    assert first >= {*CATALOGUE, *DRIFT_METHODS}
    text = files.call("metrics").stdout
    assert all(f"metrics preset {name} " in text for name in presets.METRICS)
    assert all(f"tests preset {name} " in text for name in presets.TESTS)


def test_named_ones_are_told_in_full(files: Shop) -> None:
    text = files.call("metrics", "missing_ratio", "ks").stdout
    assert "evaluation_missing_ratio" in text
    assert "p-value < 0.05" in text
    assert len(text.splitlines()) == 5


def test_json_tells_the_same(files: Shop) -> None:
    told = files.json("metrics")
    assert [m["id"] for m in told["metrics"]] == list(CATALOGUE)
    assert [m["id"] for m in told["drift_methods"]] == list(DRIFT_METHODS)
    quantile = next(m for m in told["metrics"] if m["id"] == "quantile")
    assert "q" in quantile["options"]


def test_a_name_that_is_none_suggests_the_nearest(files: Shop) -> None:
    result = files.call("metrics", "missing_ratoi")
    assert result.exit_code == 2
    assert result.stderr.endswith("did you mean 'missing_ratio'?\n")


def test_a_name_of_evidently_s_tells_of_ours(files: Shop) -> None:
    result = files.call("metrics", "TestColumnQuantile")
    assert result.stdout == files.call("metrics", "quantile").stdout
    assert "TestColumnQuantile is quantile here" in result.stderr
    refused = files.call("metrics", "ColumnValuePlot")
    assert refused.exit_code == 2
    assert "Evidently's ColumnValuePlot is not here: a plot" in refused.stderr


def test_metrics_of_ones_own_are_listed_with_their_module(tmp_path: Path) -> None:
    (tmp_path / "mychecks.py").write_text(PLUGIN)
    done = subprocess.run(  # in a process of its own: the catalogue would keep the metric
        [sys.executable, "-m", "exporter", "metrics", "--plugin", "mychecks", "value_range"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": f"{tmp_path}"},
    )  # fmt: skip
    assert "Largest value minus the smallest." in done.stdout


def test_a_plugin_that_is_not_there_is_told(files: Shop) -> None:
    result = files.call("metrics", "--plugin", "no_such_module")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --plugin no_such_module cannot be imported: ")
    assert len(result.stderr.splitlines()) == 1


def test_generated_files_are_written_and_then_as_they_should_be(files: Shop) -> None:
    assert files.call("generate", "--check").exit_code == 1
    written = files.call("generate").stdout.splitlines()
    assert "wrote docs/metrics.md" in written
    result = files.call("generate", "--check")
    assert result.exit_code == 0
    (files.folder / "docs/metrics.md").write_text("edited")
    again = files.call("generate", "--check")
    assert again.exit_code == 1
    assert again.stderr.startswith("docs/metrics.md is not what the code would write")


def test_a_folder_that_cannot_be_written_is_told(files: Shop) -> None:
    (files.folder / "file").write_text("")
    result = files.call("generate", "--out", "file/inside")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
