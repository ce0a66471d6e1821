"""`exporter demo`: a year of flights, or a fleet of made-up models, evaluated, and what it shows."""

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
    from collections.abc import Iterable, Iterator, Sequence

    from exporter.demo.run import Demo
    from exporter.errors import ExporterError
    from exporter.pipeline import Done, Failed, Work

YEAR = 365


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default="demo",
              show_default=True, help="Where data and config are put.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 365),
              help="Only the last so many; all 365, of a fleet 45, if not given.")  # fmt: skip
@click.option("--fleet", type=click.IntRange(1, 210), is_flag=False, flag_value=30, metavar="[N]",
              help="Another demo: so many made-up models of four teams, 30 where N is left out.")  # fmt: skip
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="Of a fleet: the last day that has data; yesterday, if not given.")  # fmt: skip
def demo(folder: Path, days: int | None, fleet: int | None, until: datetime | None) -> None:
    """Make a year of real flights with two models' predictions, evaluate it, and tell what is found.

    The flights left New York in 2013 and are moved by whole weeks, so that the last day is recent.
    With --fleet the data are made up instead: 30 models for dashboards to show, most of them well.
    """
    if fleet:
        return _show_fleet(folder / "fleet", fleet, days, until)
    if until:
        raise click.UsageError("--until is for --fleet: the flights end in the last week")
    return _show_flights(folder, days or YEAR)


def _show_flights(folder: Path, days: int) -> None:
    from exporter.demo.run import run_demo

    say("Late flights: two models predict how late a flight from New York arrives.")
    say(f"Making the flights and evaluating them in {folder}, day by day.")
    found = run_demo(folder, datetime.now(UTC), days=days, watch=_with_bar)
    _tell(found)
    _end(found.errors)


def _show_fleet(folder: Path, count: int, days: int | None, until: datetime | None) -> None:
    from exporter.demo.fleet import DAYS, fleet_of, prepare_fleet, run_fleet
    from exporter.demo.fleet_story import fleet_story
    from exporter.store import open_store

    say(f"A fleet of {many(count, 'model')} whose data are made up.")
    say(f"Making them in {folder} and evaluating them, team by team.")
    day = until.date() if until else None
    fleet = fleet_of(count, datetime.now(UTC), until=day, days=days or DAYS)
    configs = prepare_fleet(folder, fleet)
    with open_store("embedded") as store:  # it stays open, and so does its server, between teams
        snapshots, errors = run_fleet(configs, fleet, watch=_with_bar)
        story = fleet_story(store, fleet)
    new = f"{many(snapshots, 'snapshot')}." if snapshots else "Nothing new is due."
    click.echo(f"{new} {story.well} of {many(story.models, 'model')} are well.")
    if story.incidents:
        click.echo("What was done to some, and how it shows:\n")
        print_table(("model", "what", "how it shows"), story.incidents)
    config, ours = shlex.quote(str(configs[0])), _called()
    click.echo(
        f"\nNext:\n"
        f"  {ours} list {config} --status fail\n"
        f"  {ours} report {config} --status fail -o report.html\n"
        f"  {ours} stack {config}"
    )
    _end(errors)


def _end(errors: Sequence[ExporterError]) -> None:
    """With the exit code of the worst error, where there is one."""
    tell(errors)
    if errors:
        click.get_current_context().exit(max(error.exit_code for error in errors))


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
        f"  {ours} stack {config}"
    )


def _called() -> str:
    """How the command is called from here: `make demo` has it in an environment of its own."""
    beside = Path(sys.executable).with_name("exporter")
    if shutil.which("exporter") or not beside.exists():
        return "exporter"
    return shlex.quote(os.path.relpath(beside))
