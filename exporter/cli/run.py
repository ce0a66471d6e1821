"""`exporter run`: what is due, once or again and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import click

from exporter.cli.group import INTERRUPTED
from exporter.cli.options import config_argument, format_option, span
from exporter.cli.output import say, tell, warn
from exporter.cli.progress import Results, bar, ended_by_sigterm, tell_waiting
from exporter.cli.snapshots import print_results
from exporter.cli.tables import many

if TYPE_CHECKING:
    from exporter.config import Loaded
    from exporter.pipeline import Project, Selection, Work
    from exporter.snapshot import Snapshot


@click.command()
@config_argument
@click.option("--from", "since", metavar="TIME", help="Windows that begin at or after.")
@click.option("--to", "until", metavar="TIME", help="Windows that begin before.")
@click.option("--batch", default="", metavar="NAME", help="Further snapshots of those windows.")
@click.option("--model", "models", multiple=True, help="Only this entry under `models:`.")
@click.option("--evaluation", "evaluations", multiple=True, help="Only this evaluation.")
@click.option("--force", is_flag=True, help="Also what was evaluated, or deleted, before.")
@click.option("--gate", is_flag=True, help="Exit with 1 where a critical test failed.")
@click.option("--every", metavar="DURATION", help="Look again after each such time: 10m, 1h.")
@click.option("--processes", type=click.IntRange(1), help="How many; if not given, one a core.")
@format_option("table", "json")
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    config: Path,
    since: str | None,
    until: str | None,
    every: str | None,
    gate: bool,
    processes: int | None,
    form: str,
    **chosen: Any,
) -> None:
    """Evaluate every batch of CONFIG that is due, and store what is found.

    A batch is due when its window is over and its rows are not what they were when it was last
    looked at. Ctrl-C leaves whole snapshots; the next run goes on where this one stopped.

    With --gate, --from and --to the snapshots that the store has of those windows count, too: a
    gate that is asked twice answers the same.
    """
    from exporter.config import load_config
    from exporter.logs import configure
    from exporter.pipeline import Selection

    configure(context.obj["log_format"], verbose=every is not None)
    pause = _seconds(every)
    if pause is not None and (gate or chosen["batch"] or chosen["force"] or form != "table"):
        raise click.UsageError("--every goes with none of --gate, --batch, --force and --format")
    loaded = load_config(config, plugins=True)
    warn(loaded.warnings)
    start, end = span(since, until, loaded.config.timezone)
    selection = Selection(
        chosen["models"], chosen["evaluations"], start, end, chosen["batch"], chosen["force"]
    )
    if chosen["batch"] and not selection.says_which:
        raise click.UsageError(
            "--batch names further snapshots of some windows: say which, with --from and --to"
        )
    if pause is not None:
        from exporter.cli.scheduler import run_every

        run_every(loaded, selection, pause, processes)
        return
    _run_once(context, loaded, selection, gate=gate, processes=processes, form=form)


def _run_once(
    context: click.Context,
    loaded: Loaded,
    selection: Selection,
    *,
    gate: bool,
    processes: int | None,
    form: str,
) -> None:
    from exporter.pipeline import open_project

    now = datetime.now(UTC)
    with open_project(loaded, processes=processes) as project:
        project.introduce()
        work = project.plan_work(selection, now)
        warn(work.told)
        results = Results(errors=list(work.errors))
        try:
            with bar(work) as advance, ended_by_sigterm():
                results.take(project.run(work, now, force=selection.force), advance)
        except KeyboardInterrupt:
            _end_early(context, results, form, loaded)
        project.retain(now)
        found = list(results.made)
        if gate:
            found += _stored_before(project, selection, results.made)
    _print(found, form, loaded, work if not results.errors else None)
    if results.waiting:
        tell_waiting(results.waiting)
    tell(results.errors)
    if results.errors:
        context.exit(max(error.exit_code for error in results.errors))
    failed = sum(not snapshot.passed for snapshot in found)
    if gate and failed:
        say(f"gate: critical tests failed in {failed} of {many(len(found), 'snapshot')}")
        context.exit(1)


def _end_early(context: click.Context, results: Results, form: str, loaded: Loaded) -> NoReturn:
    """After Ctrl-C: what was made is shown."""
    _print(results.made, form, loaded, None)
    if results.waiting:
        tell_waiting(results.waiting)
    say(f"stopped: {many(len(results.made), 'snapshot')} kept; run again to go on")
    context.exit(INTERRUPTED)


def _stored_before(
    project: Project, selection: Selection, made: list[Snapshot]
) -> Iterator[Snapshot]:
    """What the store has of the windows that are named: a gate that is asked twice answers the same."""
    from exporter.errors import StoreError

    if selection.start is None and selection.end is None:
        return
    loaded = project.loaded
    names = {loaded.models[key].model or key for key in selection.models or loaded.models}
    new = {snapshot.id for snapshot in made}
    with suppress(StoreError):
        for head in project.stored(selection):
            wanted = not selection.evaluations or head.evaluation in selection.evaluations
            if head.model in names and wanted and head.id not in new:
                yield head


def _print(found: list[Snapshot], form: str, loaded: Loaded, work: Work | None) -> None:
    """The result; where there is none, when there will be: unless *work* could not be done."""
    zone = loaded.config.timezone
    if form == "json":
        heads = [snapshot.head() for snapshot in found]
        click.echo(json.dumps({"snapshots": heads}, ensure_ascii=False))
    elif found:
        print_results(found, zone)
    elif work is not None:
        at = work.next_due.astimezone(ZoneInfo(zone)) if work.next_due else None
        click.echo(
            "nothing is due" + (f"; the next batch is at {at:%Y-%m-%d %H:%M %Z}" if at else "")
        )


def _seconds(every: str | None) -> float | None:
    if every is None:
        return None
    from pydantic import TypeAdapter, ValidationError

    from exporter.config.fields import Span

    try:
        return float(TypeAdapter(Span).validate_python(every))
    except ValidationError as error:
        text = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.BadParameter(text, param_hint="--every") from None
