"""The project as a whole: what no single room can promise."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import exporter
from exporter.config import load_config

ROOT = Path(__file__).parents[1]
LOCKS = [ROOT / "requirements.lock", *sorted((ROOT / "benchmarks" / "peers").glob("*.lock"))]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("**/*.md"))]
LONGEST_FUNCTION, LONGEST_FILE = 60, 500
EMPTY_NAMES = {"utils", "helpers", "common", "base", "manager", "factory"}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".sql",
    ".lock",
    ".in",
    ".html",
    ".css",
    "",
}
# Addresses that may stand in the project: its own machine, examples, formats and further reading.
# Package registries are not among them: a lock must hold behind every mirror.
KNOWN_HOSTS = {
    "127.0.0.1", "localhost", "[::1]", "0.0.0.0", "json-schema.org", "keepachangelog.com",
    "semver.org", "www.apache.org", "prometheus.io", "grafana.com", "www.postgresql.org", "doi.org",
    "prometheus", "alertmanager",  # services of docker-compose.yml
}  # fmt: skip
EXAMPLE_HOST = re.compile(r"(^|\.)(example(\.(com|org|net))?|test|invalid|localhost)$")


def tracked() -> list[Path]:
    """The text files that git knows, or, where there is no git, all of them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = listed.stdout.split("\0") if listed.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or list((ROOT / "exporter").glob("**/*.py"))
    return [path for path in paths if path.suffix in TEXT and path.is_file()]


def test_no_file_holds_an_address_that_is_not_known() -> None:
    address = re.compile(r"\bhttps?://([^/\s\"'`<>()\\:{},]+|\[::1\])")
    strange = {
        f"{path.relative_to(ROOT)}: {host}"
        for path in tracked()
        if path.name != "LICENSE" and "golden" not in path.parts
        for host in address.findall(path.read_text("utf-8", errors="replace"))
        if host not in KNOWN_HOSTS and not EXAMPLE_HOST.search(host)
    }
    assert not strange


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    place = re.compile(r"(?<![\w.$}/])/(?:work|root|home/[a-z]+|tmp/[a-z]+)/[\w.]+")
    mine = Path(__file__)
    found = {
        f"{path.relative_to(ROOT)}: {hit}"
        for path in tracked()
        if path != mine and "golden" not in path.parts
        for hit in place.findall(path.read_text("utf-8", errors="replace"))
    }
    assert not found


def test_the_versions_agree() -> None:
    assert installed_version("evaluation-exporter") == exporter.__version__
    assert f"## [{exporter.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_lock_covers_everything_that_demo_tests_and_lint_install() -> None:
    pins = {name: versions for name, versions, _ in pinned(ROOT / "requirements.lock")}
    wrong = [
        f"{wanted} is locked at {sorted(map(str, pins.get(canonicalize_name(wanted.name), [])))}"
        for wanted in declared()
        if not any(v in wanted.specifier for v in pins.get(canonicalize_name(wanted.name), []))
    ]
    assert not wrong, "run make lock"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_a_hash_for_every_version(lock: Path) -> None:
    entries = pinned(lock)
    assert len(entries) > 20
    assert [name for name, _, hashes in entries if not hashes] == []


def pinned(lock: Path) -> list[tuple[str, list[Version], int]]:
    """Every name of a lock with its versions (they may differ by Python) and its number of hashes."""
    found: dict[str, tuple[list[Version], int]] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", lock.read_text("utf-8")):
        if head := re.match(r"([\w.-]+)==(\S+)", entry):
            versions, hashes = found.get(canonicalize_name(head[1]), ([], 0))
            count = entry.count("--hash=sha256:")
            found[canonicalize_name(head[1])] = ([*versions, Version(head[2])], hashes + count)
    return [(name, *rest) for name, rest in found.items()]


def declared() -> list[Requirement]:
    """What pyproject.toml asks for: dependencies, the extras of the demo, the groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = project["project"]["optional-dependencies"]
    texts = [
        *project["project"]["dependencies"],
        *extras["embedded"],
        *extras["demo"],
        *(text for group in project["dependency-groups"].values() for text in group),
    ]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda p: p.name)
def test_an_example_is_a_sound_config(path: Path) -> None:
    assert load_config(path).models


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_links_only_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_names_only_make_targets_that_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_python_of_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    blocks = blocks_of(page, "python")
    if blocks:
        _write_example_data(tmp_path)
        script = tmp_path / "page.py"
        script.write_text("\n".join(blocks), "utf-8")
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
        done = subprocess.run(
            [sys.executable, script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_config_of_a_page_is_sound(page: Path, tmp_path: Path) -> None:
    for number, block in enumerate(blocks_of(page, "yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block, "utf-8")
        assert load_config(path).models


def blocks_of(page: Path, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def _write_example_data(folder: Path) -> None:
    """What the pages call january.parquet and february.parquet."""
    for name, seed in (("january", 1), ("february", 2)):
        random = np.random.default_rng(seed)
        columns = {
            "age": random.normal(40, 12, 500),
            "amount": random.lognormal(3 + 0.2 * seed, 1, 500),
            "country": random.choice(["CH", "DE", "FR"], 500),
        }
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def test_tests_lie_in_the_folders_of_the_package() -> None:
    rooms = {path.name for path in (ROOT / "exporter").iterdir() if path.is_dir()}
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders - {"golden", "deploy"} <= rooms  # figures of elsewhere, and what compose mounts


def test_the_page_on_development_names_every_room() -> None:
    page = (ROOT / "docs" / "development.md").read_text("utf-8").partition("## Rooms")[2]
    table = page.partition("\nFrom `batch`")[0]
    named = {
        name.rstrip("/")
        for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE)
        for name in re.findall(r"`([\w/]+)`", row)
    }
    folder = ROOT / "exporter"
    there = {p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert named == {name for name in there if not name.startswith("_")}


def test_names_of_modules_say_what_is_in_them() -> None:
    stems = {path.stem.strip("_") for path in (ROOT / "exporter").glob("**/*.py")}
    assert stems & EMPTY_NAMES == set()


def test_functions_and_files_stay_short() -> None:
    files = {path: path.read_text("utf-8") for path in (ROOT / "exporter").glob("**/*.py")}
    long_files = {p.name: n for p, text in files.items() if (n := text.count("\n")) > LONGEST_FILE}
    lengths = {
        f"{path.relative_to(ROOT)}:{node.name}": lines_of(node)
        for path, text in files.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION} == {}
    assert sorted(lengths.values())[int(len(lengths) * 0.9)] <= 30
    assert median(lengths.values()) <= 10
    assert long_files == {}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring."""
    start = function.body[1] if ast.get_docstring(function) and function.body[1:] else function
    first = function.lineno if start is function else start.lineno - 1
    return (function.end_lineno or function.lineno) - first + 1
