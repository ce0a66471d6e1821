"""Generated files are as the code would write them, the same on every machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.checks import describe
from exporter.config import config_schema
from exporter.config.editor import is_ours
from exporter.distances import DRIFT_METHODS
from exporter.generate import ROOT, check, generated, metrics_page, write
from exporter.metrics import CATALOGUE
from exporter.metrics.drift import DRIFT_METRICS
from exporter.presets import METRICS, TESTS

PAGE = metrics_page()
OURS = list(filter(is_ours, CATALOGUE.values()))
METHODS = list(filter(is_ours, DRIFT_METHODS.values()))


def test_the_files_of_the_project_are_up_to_date() -> None:
    assert check() == [], "run make generate"


def test_writing_makes_every_file_and_a_second_time_none(tmp_path: Path) -> None:
    assert sorted(write(tmp_path)) == sorted(generated())
    assert check(tmp_path) == []
    assert write(tmp_path) == []


def test_a_file_that_is_missing_or_changed_is_told(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "docs" / "metrics.md").unlink()
    with (tmp_path / "docs" / "configuration.md").open("a", encoding="utf-8") as file:
        file.write("more")
    assert check(tmp_path) == ["docs/configuration.md", "docs/metrics.md"]
    assert write(tmp_path) == ["docs/configuration.md", "docs/metrics.md"]


def test_line_ends_count(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "docs" / "metrics.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(tmp_path) == ["docs/metrics.md"]


def test_checking_writes_nothing(tmp_path: Path) -> None:
    assert check(tmp_path) == list(generated())
    assert list(tmp_path.iterdir()) == []


def test_the_text_does_not_depend_on_the_order_of_hashes_or_the_locale(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from exporter.generate import write; write(Path(sys.argv[1]))"
    environment = {**os.environ, "PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=environment, cwd=ROOT, check=True)
    assert check(tmp_path) == []


def test_the_schema_is_the_one_for_editors() -> None:
    assert json.loads(generated()["docs/config.schema.json"]) == config_schema()


@pytest.mark.parametrize("text", generated().values(), ids=generated().keys())
def test_a_generated_file_ends_with_one_line_end_and_no_line_with_blanks(text: str) -> None:
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not re.search(r"[ \t]$", text, re.MULTILINE)


@pytest.mark.parametrize("spec", OURS, ids=lambda spec: spec.id)
def test_every_metric_has_its_row(spec: object) -> None:
    (line,) = [x for x in PAGE.splitlines() if x.startswith(f"| `{spec.id}` | {spec.help}")]
    assert f"| {spec.unit} |" in line
    assert f"`{CATALOGUE['column_drift'].gauge if spec.id in DRIFT_METRICS else spec.gauge}" in line
    assert all(f"`{option}`" in line for option in spec.options)


@pytest.mark.parametrize("spec", [s for s in OURS if s.automatic], ids=lambda spec: spec.id)
def test_every_automatic_condition_stands_there_in_words(spec: object) -> None:
    said = [describe(spec, m, reference=r) for m in ("directional", "evidently") for r in (True, False)]  # fmt: skip
    assert f"| `{spec.id}` | {' | '.join(said)} |\n" in PAGE


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)
def test_every_drift_method_stands_there_with_its_threshold(method: object) -> None:
    (line,) = [x for x in PAGE.splitlines() if x.startswith(f"| `{method.id}` | {method.help}")]
    assert f" {method.threshold:g}" in line.split("|")[-2]
    assert " or ".join(method.kinds) in line


@pytest.mark.parametrize(("name", "parts"), [*METRICS.items(), *TESTS.items()])
def test_every_preset_stands_there_with_its_parts(name: str, parts: tuple[object, ...]) -> None:
    lines = [x for x in PAGE.splitlines() if x.startswith(f"| `{name}` | ")]
    names = [part if isinstance(part, str) else next(iter(part)) for part in parts]
    assert any(all(re.search(rf"[`{{]{n}[`:]", line) for n in names) for line in lines)


def test_metrics_and_presets_are_listed_with_evidently_s_names_of_them() -> None:
    rows = {
        line.split("|")[1].strip(): line for line in reversed(PAGE.splitlines()) if line[:1] == "|"
    }
    told = {
        "`missing_ratio`": "TestColumnShareOfMissingValues", "`mae`": "TestValueMAE, MAE",
        "`column_drift`": "TestColumnDrift", "`data_drift`": "DataDriftTestPreset",
    }  # fmt: skip
    for ours, theirs in told.items():
        assert any(theirs in line for line in PAGE.splitlines() if line.startswith(f"| {ours} |"))
    assert "DatasetSummaryMetric" not in PAGE  # it is a dozen of them
    assert rows["`error_bias`"].endswith("RegressionErrorBiasTable |")


def test_the_formulas_of_the_page_are_where_it_says() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []


def test_the_examples_of_the_page_are_sound() -> None:
    from exporter import yaml
    from exporter.plan import make_plan

    text = "\n".join(re.findall(r"^    ((?:metrics|tests): .*)$", PAGE, re.MULTILINE))
    given = yaml.load(text).data
    assert make_plan(given["metrics"], None, tests=given["tests"]).checks


def test_a_metric_of_a_plugin_stands_in_no_generated_file(tmp_path: Path) -> None:
    plugin = """
import sys
from pathlib import Path
from exporter import drift_method, metric
from exporter.distances.shares import Shares
from exporter.profile.column import NumericProfile

@metric(per="column", unit="value")
def of_a_plugin(column: NumericProfile) -> float:
    "A metric."
    return 1.0

@drift_method(kinds=("numerical",), threshold=0.1)
def gap_of_a_plugin(current: Shares, reference: Shares) -> float:
    "A drift method."
    return 1.0

from exporter.generate import write
write(Path(sys.argv[1]))
"""
    script = tmp_path / "plugin.py"
    script.write_text(plugin, "utf-8")
    subprocess.run([sys.executable, script, tmp_path / "out"], check=True)
    for name, text in generated().items():
        assert (tmp_path / "out" / name).read_text("utf-8") == text
