"""What is seen while a run goes on: a bar on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

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


def results_of(
    results: Iterable[Done | Failed], advance: Advance, errors: list[ExporterError]
) -> Iterator[Snapshot]:
    """The snapshots as they are made; what failed is added to *errors*."""
    from exporter.pipeline import Failed

    for result in results:
        advance(result.jobs_done)
        if isinstance(result, Failed):
            errors.append(result.error)
        else:
            yield result.snapshot


def tell(errors: Sequence[ExporterError]) -> None:
    """Each error once, on stderr."""
    for text in dict.fromkeys(str(error) for error in errors):
        click.echo(f"error: {text}", err=True)
