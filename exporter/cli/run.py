"""`exporter run`: what is due, once or again and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.cli.options import config_argument, format_option, moment
from exporter.cli.progress import bar, results_of, tell
from exporter.cli.snapshots import print_results

if TYPE_CHECKING:
    from exporter.config import Loaded
    from exporter.errors import ExporterError
    from exporter.pipeline import Project, Selection
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
    """
    from exporter.config import load_config
    from exporter.logs import configure
    from exporter.pipeline import Selection

    configure(context.obj["log_format"], verbose=every is not None)
    pause = _seconds(every)
    if pause is not None and (gate or chosen["batch"]):
        raise click.UsageError("--every goes neither with --gate nor with --batch")
    loaded = load_config(config, plugins=True)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    zone = loaded.config.timezone
    selection = Selection(
        chosen["models"], chosen["evaluations"],
        moment(since, zone, "--from"), moment(until, zone, "--to"),
        chosen["batch"], chosen["force"],
    )  # fmt: skip
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
        work = project.plan_work(selection, now)
        for line in work.told:
            click.echo(f"warning: {line}", err=True)
        made: list[Snapshot] = []
        errors: list[ExporterError] = list(work.errors)
        try:
            with bar(work) as advance:
                results = project.run(work, now, force=selection.force)
                made.extend(results_of(results, advance, errors))
        except KeyboardInterrupt:
            _print(made, form, loaded.config.timezone)
            click.echo(f"stopped: {len(made)} snapshots are kept; run again to go on", err=True)
            context.exit(130)
        project.retain(now)
        judged = [*made, *_stored_before(project, selection, made)] if gate else []
    _print(made, form, loaded.config.timezone)
    if not made and not errors and form == "table" and work.next_due:
        click.echo(f"the next batch is due at {work.next_due.astimezone():%Y-%m-%d %H:%M %Z}")
    tell(errors)
    if errors:
        context.exit(max(error.exit_code for error in errors))
    if not all(snapshot.passed for snapshot in judged):
        context.exit(1)


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


def _print(made: list[Snapshot], form: str, zone: str) -> None:
    if form == "json":
        heads = [snapshot.head() for snapshot in made]
        click.echo(json.dumps({"snapshots": heads}, ensure_ascii=False))
    else:
        print_results(made, zone)


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
