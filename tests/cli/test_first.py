"""`--help`, `init`, `validate`: what a new user types first, and what that costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cli.shop import Shop

from exporter import __version__
from exporter.cli import COMMANDS

HEAVY = {"pandas", "scipy", "numpy", "pyarrow"}


def loaded_by(code: str) -> set[str]:
    """The heavy modules that the code imports, in a process of its own."""
    told = f"import sys\n{code}\nprint('loaded', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stdout.rpartition("loaded")[2].split())


def command(*arguments: object) -> str:
    """Code that calls the command line and goes on."""
    given = [str(argument) for argument in arguments]
    return f"from exporter.cli import main\nmain({given!r}, standalone_mode=False)"


def test_help_names_every_command_and_the_exit_codes(files: Shop) -> None:
    text = files.call("--help").stdout
    assert all(f"  {name} " in text for name in COMMANDS)
    assert "Exit codes" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(files: Shop, name: str) -> None:
    result = files.call(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {name}")


def test_version_is_told(files: Shop) -> None:
    assert files.call("--version").stdout == f"exporter, version {__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    assert loaded_by(command("--help")) == set()


def test_validate_imports_what_metrics_are_written_with_and_nothing_heavier(files: Shop) -> None:
    assert loaded_by(command("validate", files.config)) == {"numpy"}


def test_the_package_is_lazy() -> None:
    assert loaded_by("import exporter") == set()
    assert loaded_by("import exporter\nexporter.evaluate") >= {"numpy", "pyarrow"}


def test_validate_counts_what_a_sound_config_has(files: Shop) -> None:
    result = files.call("validate", files.config)
    assert result.exit_code == 0
    assert result.stdout == f"{files.config}: 1 model, 2 evaluations\n"


def test_validate_tells_every_mistake_with_its_place(files: Shop) -> None:
    broken = files.write_config("broken.yaml", change=("row_count", "row_cont"))
    broken.write_text(broken.read_text().replace("batch: 1d", "batch: 1 day"))
    result = files.call("validate", broken)
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert [line.split(":")[2] for line in lines] == ["7", "13"]
    assert all(line.startswith(f"error: {broken}:") for line in lines)
    assert "did you mean 'row_count'?" in lines[1]


def test_validate_warns_of_a_secret_that_is_not_set(files: Shop) -> None:
    config = files.write_config("secret.yaml", "!env NO_SUCH_VARIABLE")
    result = files.call("validate", config)
    assert result.exit_code == 0
    assert result.stderr.startswith(f"warning: {config}:2:8: environment variable NO_SUCH_VARIABLE")


def test_init_writes_a_config_that_validates_and_runs(shop: Shop) -> None:
    made = shop.call("init", "data", "--project", "mine", "-o", "mine.yaml")
    assert made.exit_code == 0
    assert "wrote mine.yaml" in made.stdout
    assert "5 files, 300 rows" in made.stdout
    assert shop.call("validate", "mine.yaml").exit_code == 0
    config = shop.folder / "mine.yaml"
    config.write_text(config.read_text().replace("store: embedded", f"store: {shop.store}"))
    result = shop.call("run", "mine.yaml")
    assert result.exit_code == 0
    assert "5 snapshots" in result.stdout


def test_init_overwrites_only_when_told(files: Shop) -> None:
    before = files.config.read_text()
    refused = files.call("init", "data", "-o", files.config)
    assert refused.exit_code == 2
    assert "--force overwrites it" in refused.stderr
    assert files.config.read_text() == before
    assert files.call("init", "data", "-o", files.config, "--force").exit_code == 0
    assert files.config.read_text() != before
