"""Parts are started, watched and stopped with all that they started, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporter.config import Loaded
from exporter.errors import ExporterError
from exporter.stack.parts import Part
from exporter.stack.running import Running, Stack, _started
from exporter.stack.settings import Settings

PATIENCE = 60
NOBODY = "http://127.0.0.1:1/"
CHILD = "import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stack(said: list[str]) -> Iterator[Stack]:
    """A stack that nothing was started of yet."""
    loaded: Loaded = None  # type: ignore[assignment]  # what is tested here asks no config
    made = Stack(loaded, Settings(Path("x.yaml")), tell=said.append)
    yield made
    made._end(0.0)


def start(stack: Stack, folder: Path, code: str, name: str = "part") -> Running:
    part = Part(name, [sys.executable, "-c", code], NOBODY, NOBODY, "nothing")
    stack.running.append(_started(part, folder))
    return stack.running[-1]


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether there is such a process that has not ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_part_ends_with_its_children(stack: Stack, tmp_path: Path) -> None:
    running = start(stack, tmp_path, CHILD)
    wait_for(lambda: running.log.read_text().strip())
    child = int(running.log.read_text())
    assert is_alive(child)
    stack._end(PATIENCE)
    assert running.process.returncode == -signal.SIGTERM
    wait_for(lambda: not is_alive(child))


def test_a_part_that_does_not_listen_is_ended_all_the_same(stack: Stack, tmp_path: Path) -> None:
    running = start(stack, tmp_path, DEAF)
    wait_for(running.log.read_text)
    stack._end(0.2)
    assert running.process.returncode == -signal.SIGKILL


def test_what_we_did_not_start_is_left_alone(stack: Stack, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other:
        start(stack, tmp_path, "import time; time.sleep(600)")
        stack._end(PATIENCE)
        assert other.poll() is None
        other.kill()


def test_a_part_that_ended_is_told_once_with_what_it_said_last(
    stack: Stack, said: list[str], tmp_path: Path
) -> None:
    running = start(
        stack, tmp_path, "import sys; print('line'); print('no disk left\\n'); sys.exit(3)", "db"
    )
    running.process.wait(PATIENCE)
    assert not stack.watch()
    assert not stack.watch()
    assert said == [f"db ended: exit code 3 (no disk left); its log is {tmp_path / 'db.log'}"]
    assert not stack.sound


def test_when_one_has_ended_the_others_go_on(stack: Stack, said: list[str], tmp_path: Path) -> None:
    running = start(stack, tmp_path, "import time; time.sleep(600)", "one")
    start(stack, tmp_path, "import time; time.sleep(600)", "two")
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(PATIENCE)
    assert stack.watch()
    assert [text.split(":")[0] for text in said] == ["one ended"]


def test_the_children_of_one_that_ended_do_not_stay_behind(stack: Stack, tmp_path: Path) -> None:
    running = start(stack, tmp_path, CHILD)
    wait_for(lambda: running.log.read_text().strip())
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(PATIENCE)
    stack.watch()
    wait_for(lambda: not is_alive(int(running.log.read_text())))


def test_without_the_exporter_nothing_goes_on(stack: Stack, tmp_path: Path) -> None:
    start(stack, tmp_path, "raise SystemExit(4)", "exporter").process.wait(PATIENCE)
    with pytest.raises(ExporterError, match="without the exporter"):
        stack._wait()


def test_a_part_that_does_not_get_ready_is_told_with_its_log(
    stack: Stack, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.stack.running.PATIENCE", 0.5)
    start(stack, tmp_path, "import time; time.sleep(600)", "slow")
    stack._wait()
    assert stack.rows == []
    assert said[0].startswith("slow is not ready after")


def test_a_program_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    part = Part("p", [str(tmp_path / "text")], NOBODY, NOBODY, "nothing")
    with pytest.raises(ExporterError, match=r"text cannot be started: Exec format error"):
        _started(part, tmp_path)
