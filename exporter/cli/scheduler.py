"""`run --every`: the scheduler for those who have none."""

from __future__ import annotations

import signal
import time
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

_NAP = 0.25  # seconds after which a stop that was asked for is seen
_log = logger(__name__)


def run_every(loaded: Loaded, selection: Selection, pause: float, processes: int | None) -> None:
    """Look for what is due, evaluate it, wait; until SIGTERM or Ctrl-C, which leave whole snapshots.

    Errors are logged and do not end it: the next look may find the file mended, the store back.
    """
    stop = _stopped_by_signals()
    _log.info("looking for what is due", every_seconds=pause)
    while not stop.asked:
        try:
            with open_project(loaded, processes=processes) as project:
                look_again(project, selection, stop)
                while not stop.wait(pause):
                    look_again(project, selection, stop)
        except ExporterError as error:
            if not stop.asked:  # a signal to all of us ends our processes, too
                _log.error(str(error))
            stop.wait(pause)
    _log.info("stopped")


def look_again(project: Project, selection: Selection, stop: Stop) -> int:
    """Evaluate what is due now; how many snapshots there were."""
    now = datetime.now(UTC)
    project.refresh()
    project.introduce()
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
        if stop.asked:
            break
    project.retain(now)
    return count


def _told(snapshot: Snapshot) -> dict[str, object]:
    head = snapshot.head()
    names = ("model", "evaluation", "segment", "tags", "window_start", "batch", "rows", "status")
    told = {name: head[name] for name in names if head[name]}
    return {**told, "failed_tests": len(snapshot.failed)}


class Stop:
    """Whether to end, as a signal asks: in its handler no lock may be taken, so this is no Event.

    An Event that is set while the main thread is about to wait for it waits for ever.
    """

    def __init__(self) -> None:
        self.asked = False

    def wait(self, seconds: float) -> bool:
        """Let so much time pass, unless it is asked to end; whether it is."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP))
        return self.asked

    def ask(self, number: int, frame: FrameType | None) -> None:
        """What a signal does; the second one ends it at once."""
        if self.asked:
            signal.default_int_handler(number, frame)
        self.asked = True


def _stopped_by_signals() -> Stop:
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.ask)
    return stop
