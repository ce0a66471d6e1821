"""What is seen while a run goes on: a bar on a terminal, log lines elsewhere."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from exporter.cli.output import warn
from exporter.cli.tables import many

if TYPE_CHECKING:
    from exporter.errors import ExporterError
    from exporter.pipeline import Done, Failed, Work
    from exporter.snapshot import Snapshot

Advance = Callable[[int], None]


@contextmanager
def bar(work: Work, label: str = "evaluating") -> Iterator[Advance]:
    """A progress bar over the work's windows with the time that is left; nothing where stderr is no terminal."""
    if not sys.stderr.isatty() or not work.jobs:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn("batches,"),
        TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(work.jobs))
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM, which schedulers send, does inside what Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def tell_waiting(count: int) -> None:
    """Say that the store is away and what that means for the snapshots that were made."""
    some = f"{many(count, 'snapshot')} on disk, for the next run to deliver"
    warn([f"the store is away: {some}"])


@dataclass
class Results:
    """What a run has made so far."""

    made: list[Snapshot] = field(default_factory=list)
    errors: list[ExporterError] = field(default_factory=list)
    waiting: int = 0  # snapshots that wait on disk, because the store is away

    def take(self, results: Iterable[Done | Failed], advance: Advance) -> None:
        """Take in the results as they come."""
        from exporter.pipeline import Failed

        for result in results:
            advance(result.jobs_done)
            if isinstance(result, Failed):
                self.errors.append(result.error)
            else:  # of a year of batches only what the table tells is kept in memory
                self.made.append(replace(result.snapshot, metrics=(), distributions=()))
                self.waiting += result.outcome == "spooled"
