"""`exporter demo`: a year of flights, evaluated, and what it shows."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exporter.cli.output import say, tell
from exporter.cli.progress import bar
from exporter.cli.tables import many, print_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exporter.demo.run import Demo
    from exporter.pipeline import Done, Failed, Work


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default="demo",
              show_default=True, help="Where data and config are put.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 365), default=365, show_default=True,
              help="Only the last so many.")  # fmt: skip
def demo(folder: Path, days: int) -> None:
    """Make a year of real flights with two models' predictions, evaluate it, and tell what is found.

    The flights left New York in 2013 and are moved by whole weeks, so that the last day is recent.
    """
    from exporter.demo.run import run_demo

    say("Late flights: two models predict how late a flight from New York arrives.")
    say(f"Making the flights and evaluating them in {folder}, day by day.")
    found = run_demo(folder, datetime.now(UTC), days=days, watch=_with_bar)
    _tell(found)
    tell(found.errors)
    if found.errors:
        click.get_current_context().exit(max(error.exit_code for error in found.errors))


def _with_bar(results: Iterable[Done | Failed], work: Work) -> Iterator[Done | Failed]:
    with bar(work) as advance:
        for result in results:
            advance(result.jobs_done)
            yield result


def _tell(found: Demo) -> None:
    """What was found, and what to type next."""
    from exporter.demo.story import told

    story = found.story
    lines = list(told(story))
    new = f"{many(found.snapshots, 'snapshot')}." if found.snapshots else "Nothing new is due."
    share = f"{story.sound_days} of {story.days} days have no critical failure."
    click.echo(f"{new} {share if story.days else ''}".rstrip())
    if lines:
        click.echo("What went wrong, and when:\n")
        print_table(("when", "what", "how it showed"), lines)
    config, ours = shlex.quote(str(found.config)), _called()
    click.echo(
        f"\nNext:\n"
        f"  {ours} list {config} --status fail\n"
        f"  {ours} show {config} --evaluation inputs --status fail\n"
        f"  {ours} report {config} --evaluation inputs --status fail -o report.html\n"
        f"  {ours} serve {config}"
    )


def _called() -> str:
    """How the command is called from here: `make demo` has it in an environment of its own."""
    beside = Path(sys.executable).with_name("exporter")
    if shutil.which("exporter") or not beside.exists():
        return "exporter"
    return shlex.quote(os.path.relpath(beside))
