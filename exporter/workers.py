"""Jobs on all cores: each process opens the config once and evaluates stretches of windows."""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from multiprocessing import get_context

from exporter.config import Loaded
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
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_start, initargs=(task,)
    ) as pool:
        try:
            yield from _in_order(pool, _stretches(jobs), count * AHEAD)
        except BrokenProcessPool as error:
            raise BatchError(
                "a process was killed while it evaluated, perhaps for lack of memory: "
                "what was finished is kept; run again, with fewer --processes"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, stretches: Sequence[Sequence[Job]], ahead: int
) -> Iterator[Result]:
    """Results in the order of the jobs, with a bounded number of stretches under way."""
    waiting: deque[Future[list[Result]]] = deque()
    for stretch in stretches:
        if len(waiting) >= ahead:
            yield from waiting.popleft().result()
        waiting.append(pool.submit(_work, stretch))
    while waiting:
        yield from waiting.popleft().result()


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
_watched: dict[str, Watched] = {}


def _start(task: _Task) -> None:
    """A new process: Ctrl-C is the parent's business, plugins have to be imported again."""
    global _task  # noqa: PLW0603  what a pool's initializer leaves for its tasks has no other place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in task.loaded.config.plugins:
        import_module(name)
    _task = task


def _work(jobs: Sequence[Job]) -> list[Result]:
    return [_evaluate(_task, _watched, job) for job in jobs]
