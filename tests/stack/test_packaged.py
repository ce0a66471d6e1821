"""An installed package brings the files that a stack and the demo start with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
ASK = """
import json
from exporter.demo.run import _shipped_config
from exporter.stack.settings import shipped

assert _shipped_config()
print(shipped("grafana_dashboards", "provisioning", "datasources", "evaluation.yaml"))
print(shipped("deploy", "prometheus", "prometheus.yml"))
print(shipped("deploy", "alertmanager", "alertmanager.yml"))
print(shipped("deploy", "alertmanager", "templates", "evaluation.tmpl"))
print(len(list(shipped("deploy", "prometheus", "rules").glob("*.yml"))))
print(len(list(shipped("grafana_dashboards").glob("*.json"))))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel of this checkout holds."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as file:
        file.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_has_all_that_a_stack_starts_with(installed: Path, tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert all(Path(path).is_relative_to(installed) for path in said[:4])
    assert int(said[4]) == len(list((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml")))
    assert int(said[5]) == len(list((ROOT / "grafana_dashboards").glob("*.json")))


def test_a_wheel_takes_no_folder_in_which_a_user_keeps_secrets(installed: Path) -> None:
    packed = installed / "exporter" / "stack" / "files" / "deploy" / "alertmanager"
    assert {path.name for path in packed.iterdir()} == {"alertmanager.yml", "templates"}


def test_a_wheel_has_one_package_and_nothing_beside_it(installed: Path) -> None:
    found = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert found == {"exporter"}
