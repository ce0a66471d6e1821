"""Jobs on all cores: each process opens the config once and evaluates stretches of windows."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context, parent_process
from multiprocessing.synchronize import Event

from exporter.config import Loaded, import_plugin
from exporter.errors import BatchError, ExporterError
from exporter.evaluation import Grid
from exporter.snapshot import Snapshot
from exporter.watch import Job, Watched

WORTH_A_PROCESS = 12  # jobs below which starting a process costs more than it gives
STRETCH = 16  # windows that one process does in a row: their rolling references overlap
AHEAD = 3  # stretches in flight for each process

_log = logging.getLogger(__name__)
Made = list[tuple[str, Snapshot]]
Result = tuple[Job, "Made | ExporterError"]


@dataclass(frozen=True, slots=True)
class _Task:
    """What every stretch of a run has in common."""

    loaded: Loaded
    grids: Mapping[str, Mapping[str, Grid]]
    now: datetime


def evaluated(
    task_of: tuple[Loaded, Mapping[str, Mapping[str, Grid]], datetime],
    watched: MutableMapping[str, Watched],
    jobs: Sequence[Job],
    processes: int | None = None,
) -> Iterator[Result]:
    """Each job with its snapshots, in order; or with the error that kept it from being evaluated."""
    task = _Task(*task_of)
    count = processes or len(os.sched_getaffinity(0))
    if count == 1 or len(jobs) < WORTH_A_PROCESS:
        for job in jobs:
            yield _evaluate(task, watched, job)
        return
    context = get_context("spawn")
    stopped = context.Event()
    with ProcessPoolExecutor(
        count, mp_context=context, initializer=_start, initargs=(task, stopped)
    ) as pool:
        try:
            yield from _in_order(pool, _stretches(jobs), count * AHEAD)
        except BrokenProcessPool as error:
            raise BatchError(
                "a process was killed while it evaluated, perhaps for lack of memory: "
                "what was finished is kept; run again, with fewer --processes"
            ) from error
        finally:
            stopped.set()  # what is under way ends with its present window
            pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, stretches: Sequence[Sequence[Job]], ahead: int
) -> Iterator[Result]:
    """Results in the order of the jobs, with a bounded number of stretches under way."""
    waiting: deque[Future[list[Result]]] = deque()
    for stretch in stretches:
        if len(waiting) >= ahead:
            yield from waiting.popleft().result()
        with _deaf_children():
            waiting.append(pool.submit(_work, stretch))
    while waiting:
        yield from waiting.popleft().result()


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Processes that start inside never hear Ctrl-C, not even while they import: the parent does."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stretches(jobs: Sequence[Job]) -> list[Sequence[Job]]:
    """Neighbouring windows of one model, a handful at a time."""
    out: list[list[Job]] = []
    for job in jobs:
        if out and out[-1][-1].model == job.model and len(out[-1]) < STRETCH:
            out[-1].append(job)
        else:
            out.append([job])
    return list(out)


def _evaluate(task: _Task, watched: MutableMapping[str, Watched], job: Job) -> Result:
    try:
        if job.model not in watched:
            watched[job.model] = Watched(task.loaded, job.model)
        one = watched[job.model]
        one.grids = task.grids.get(job.model, {})
        return job, list(one.evaluate(job, task.now))
    except ExporterError as error:
        return job, error
    except Exception as error:  # noqa: BLE001  one window never costs the others
        _log.exception("unforeseen, please report it")
        place = job.window.start.isoformat() if job.window else job.batch
        return job, BatchError(f"{job.model} {place}: {type(error).__name__}: {error}")


_task: _Task
_stopped: Event
_watched: dict[str, Watched] = {}


def _start(task: _Task, stopped: Event) -> None:
    """A new process: it ends with its parent, and plugins have to be imported again."""
    global _task, _stopped
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for name in task.loaded.config.plugins:
        import_plugin(name, task.loaded.folder)
    _task, _stopped = task, stopped


def _end_with_parent() -> None:
    """A pool's processes wait for work for ever when their parent was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(jobs: Sequence[Job]) -> list[Result]:
    return [_evaluate(_task, _watched, job) for job in jobs if not _stopped.is_set()]
