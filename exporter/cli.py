"""The command line: `init`, `validate`, `evaluate`, `run`; every import that costs is made by the command that needs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.errors import ExporterError

if TYPE_CHECKING:
    from exporter.pipeline import Done
    from exporter.snapshot import Snapshot

EXAMPLE = """\
# What this file can say: docs/configuration.md. `exporter validate {name}` checks it.
project: my-project
timezone: UTC                       # windows are cut in it
store: embedded                     # or postgresql://..., or !env DATABASE_URL
defaults:
  batch: 1d                         # 1h, 1d, 1w, 1mo
  wait: 2h                          # a window is evaluated so long after its end
  reference: {{rolling: 28d}}         # or {{path: reference.parquet}}, or {{previous: 1}}
models:
  my-model:
    source: {{path: "{path}"}}
    columns:
      time: {time}
{columns}    evaluations:
      inputs:
        metrics: [data_summary, data_drift]
        tests: [data_stability]
"""


class Group(click.Group):
    """Turns the package's errors into one message and its exit code."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except ExporterError as error:
            click.echo(str(error), err=True)
            context.exit(error.exit_code)


@click.group(cls=Group)
@click.version_option("0.0.0", prog_name="exporter")
def main() -> None:
    """Evaluate batches of data and models, and show them in Grafana."""


@main.command()
@click.argument("config", type=click.Path(path_type=Path), default="exporter.yaml")
@click.option(
    "--data", type=click.Path(path_type=Path, exists=True), help="Take the columns from this file."
)
@click.option("--force", is_flag=True, help="Overwrite.")
def init(config: Path, data: Path | None, force: bool) -> None:
    """Write an example CONFIG."""
    if config.exists() and not force:
        raise click.UsageError(f"{config} exists: --force overwrites it")
    time, columns, path = (
        "event_time",
        "      numerical: []\n      categorical: []\n",
        "data/*.parquet",
    )
    if data is not None:
        time, columns, path = _columns_of(data, config.parent)
    config.write_text(EXAMPLE.format(name=config, path=path, time=time, columns=columns))
    click.echo(f"wrote {config}", err=True)


def _columns_of(data: Path, folder: Path) -> tuple[str, str, str]:
    from exporter.sources.files import batch_of, read_table
    from exporter.sources.frames import resolve_schema

    schema = resolve_schema(batch_of(read_table(data)), None, None)
    times = [n for n, k in schema.kinds.items() if k == "datetime"]
    lists = {
        kind: [n for n in schema.features if schema.kinds[n] == kind]
        for kind in ("numerical", "categorical")
    }
    text = "".join(f"      {kind}: {json.dumps(names)}\n" for kind, names in lists.items())
    resolved = data.resolve()
    inside = resolved.is_relative_to(folder.resolve())
    return (
        times[0] if times else "event_time  # which column?",
        text,
        str(resolved.relative_to(folder.resolve()) if inside else resolved),
    )


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--plugins", is_flag=True, help="Import the plugins too.")
def validate(config: Path, plugins: bool) -> None:
    """Check CONFIG: every mistake with its line and column."""
    from exporter.config import load_config

    loaded = load_config(config, plugins=plugins)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(
        f"{config}: {len(loaded.models)} models, {sum(len(m.evaluations or {}) for m in loaded.models.values())} evaluations"
    )


@main.command()
@click.argument("current", type=click.Path(path_type=Path))
@click.option("--reference", type=click.Path(path_type=Path))
@click.option("--metrics", default="", help="Names, with commas.")
@click.option("--tests", default="", help="Names, with commas.")
@click.option("--task", type=click.Choice(["regression", "binary", "none"]))
@click.option("--target")
@click.option("--prediction")
@click.option("--probability")
@click.option("--time")
@click.option(
    "--columns",
    type=click.Path(path_type=Path),
    help="YAML file with what stands under `columns:`.",
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def evaluate(
    current: Path,
    reference: Path | None,
    metrics: str,
    tests: str,
    columns: Path | None,
    form: str,
    **roles: str | None,
) -> None:
    """Evaluate the file CURRENT beside a reference, without config or store."""
    from exporter.api import evaluate as evaluate_data
    from exporter.sources.files import read_table

    task = roles.pop("task")
    given: dict[str, Any] = {k: v for k, v in roles.items() if v}
    if columns is not None:
        from exporter import yaml

        given |= yaml.load(columns.read_text()).data or {}
    both = [
        None if p is None else read_table(p) if p.suffix != ".parquet" else p
        for p in (current, reference)
    ]
    wanted = [x for x in metrics.split(",") if x] or (
        [] if tests else ["data_summary", *(["data_drift"] if reference else [])]
    )
    snapshot = evaluate_data(
        both[0],
        both[1],
        metrics=wanted,
        tests=[x for x in tests.split(",") if x],
        columns=given or None,
        task=task,
    )  # type: ignore[arg-type]
    click.echo(snapshot.to_json()) if form == "json" else _table_of(snapshot)
    if snapshot.tests and not snapshot.passed:
        sys.exit(1)


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--to", "until", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--model", "models", multiple=True)
@click.option("--evaluation", "evaluations", multiple=True)
@click.option("--force", is_flag=True, help="Also what has been evaluated already.")
@click.option("--gate", is_flag=True, help="Exit with 1 where a critical test failed.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def run(
    config: Path,
    since: Any,
    until: Any,
    models: tuple[str, ...],
    evaluations: tuple[str, ...],
    force: bool,
    gate: bool,
    form: str,
) -> None:
    """Evaluate every batch of CONFIG that is due."""
    from zoneinfo import ZoneInfo

    from exporter.config import load_config
    from exporter.folder import Folder
    from exporter.pipeline import Job, now_utc
    from exporter.pipeline import run as run_all

    loaded = load_config(config, plugins=True)
    zone = ZoneInfo(loaded.config.timezone)
    for name in models:
        if name not in loaded.models:
            raise click.UsageError(
                f"there is no model {name!r}; there are {', '.join(loaded.models)}"
            )

    def choose(job: Job) -> bool:
        day = job.window.start.astimezone(zone).replace(tzinfo=None)
        return (
            (since is None or day >= since)
            and (until is None or day < until)
            and (not models or job.model in models)
        )

    folder = Folder(
        loaded.folder / (loaded.config.snapshots.path if loaded.config.snapshots else "snapshots")
    )
    steps = run_all(loaded, folder, now_utc(), choose=choose, force=force)
    count, told = next(steps)
    for line in told:  # type: ignore[union-attr]
        click.echo(f"warning: {line}", err=True)
    done = list(_with_progress(steps, count))
    if form == "json":
        click.echo(json.dumps({"snapshots": [d.snapshot.as_dict()["snapshot"] for d in done]}))
    else:
        _summary(done)
    if gate and not all(d.snapshot.passed for d in done):
        sys.exit(1)


def _with_progress(steps: Any, count: Any) -> Any:
    if not sys.stderr.isatty():
        yield from steps
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("evaluating"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bar:
        task, seen = bar.add_task("", total=count), set()
        for done in steps:
            head = done.snapshot.head
            seen.add((head["model"], str(head["tags"]), head["window_start"]))
            bar.update(task, completed=len(seen))
            yield done


def _summary(done: list[Done]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "model",
        "evaluation",
        "tags",
        "snapshots",
        "success",
        "warning",
        "fail",
        "error",
        "skipped",
        "last window",
    )
    groups: dict[tuple[str, str, str], list[Done]] = {}
    for d in done:
        h = d.snapshot.head
        groups.setdefault(
            (h["model"], h["evaluation"], ",".join(f"{k}={v}" for k, v in h["tags"].items())), []
        ).append(d)
    for (model, evaluation, tags), some in groups.items():
        counts = [
            sum(d.snapshot.status == s for d in some)
            for s in ("success", "warning", "fail", "error", "skipped")
        ]
        table.add_row(
            model,
            evaluation,
            tags,
            str(len(some)),
            *map(str, counts),
            max(d.snapshot.head["window_start"] for d in some)[:16],
        )
    Console().print(table if done else "nothing is due")


def _table_of(snapshot: Snapshot) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if snapshot.tests:
        table = Table("test", "column", "status", "value", "message")
        for t in sorted(
            snapshot.tests,
            key=lambda t: ("error", "fail", "warning", "skipped", "success").index(t.status),
        ):
            table.add_row(
                t.test, t.column, t.status, "" if t.value is None else f"{t.value:.6g}", t.message
            )
        console.print(table)
    else:
        table = Table("metric", "column", "label", "value", "reference")
        for r in snapshot.metrics:
            table.add_row(
                r.metric,
                r.column,
                r.label,
                "" if r.value is None else f"{r.value:.6g}",
                "" if r.reference is None else f"{r.reference:.6g}",
            )
        console.print(table)
    console.print(f"{snapshot.status}: {snapshot.rows} rows")


if __name__ == "__main__":
    main()
