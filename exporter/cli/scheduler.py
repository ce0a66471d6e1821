"""`run --every`: the scheduler for those who have none."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING

from exporter.errors import ExporterError
from exporter.logs import logger
from exporter.pipeline import Failed, open_project

if TYPE_CHECKING:
    from exporter.config import Loaded
    from exporter.pipeline import Project, Selection
    from exporter.snapshot import Snapshot

_log = logger(__name__)


def run_every(loaded: Loaded, selection: Selection, pause: float, processes: int | None) -> None:
    """Look for what is due, evaluate it, wait; until SIGTERM or Ctrl-C, which leave whole snapshots.

    Errors are logged and do not end it: the next look may find the file mended, the store back.
    """
    stop = _stopped_by_signals()
    _log.info("looking for what is due", every_seconds=pause)
    while not stop.is_set():
        try:
            with open_project(loaded, processes=processes) as project:
                look_again(project, selection, stop)
                while not stop.wait(pause):
                    look_again(project, selection, stop)
        except ExporterError as error:
            if not stop.is_set():  # a signal to all of us ends our processes, too
                _log.error(str(error))
            stop.wait(pause)
    _log.info("stopped")


def look_again(project: Project, selection: Selection, stop: threading.Event) -> int:
    """Evaluate what is due now; how many snapshots there were."""
    now = datetime.now(UTC)
    project.refresh()
    work = project.plan_work(selection, now)
    for text in (*work.told, *work.errors):
        _log.warning(str(text))
    count = 0
    for result in project.run(work, now, force=selection.force):
        if isinstance(result, Failed):
            _log.error(str(result.error))
            continue
        count += 1
        _log.info("evaluated", **_told(result.snapshot))
        if stop.is_set():
            break
    project.retain(now)
    return count


def _told(snapshot: Snapshot) -> dict[str, object]:
    head = snapshot.head()
    names = ("model", "evaluation", "segment", "tags", "window_start", "batch", "rows", "status")
    told = {name: head[name] for name in names if head[name]}
    return {**told, "failed_tests": len(snapshot.failed)}


def _stopped_by_signals() -> threading.Event:
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set():  # asked twice: now
            signal.default_int_handler(number, frame)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
