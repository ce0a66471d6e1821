"""`exporter init` and `exporter validate`: the first two commands of a new user."""

from __future__ import annotations

from pathlib import Path

import click

from exporter.cli.options import config_argument, file_path
from exporter.cli.output import warn, write_file
from exporter.cli.tables import many


@click.command()
@click.argument("data")
@click.option("--reference", help="Files that batches are to be compared with.")
@click.option("--project", help="The project's name; if not given, the folder's.")
@click.option("-o", "--output", type=file_path, default="exporter.yaml", show_default=True,
              help="The file to write.")  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(data: str, reference: str | None, project: str | None, output: Path, force: bool) -> None:
    """Write a commented config for the files at DATA: a file, a glob or a folder.

    Types, time column, window, task and timezone are read from the data; each choice is said.
    """
    if output.exists() and not force:
        raise click.UsageError(f"{output} exists: --force overwrites it, -o names another file")
    from exporter.starter import starter_config

    draft = starter_config(data, reference=reference, config_path=output, project=project)
    write_file(output, draft.text)
    for line in draft.found:
        click.echo(line)
    click.echo(f"\nwrote {output}; next:\n  exporter validate {output}\n  exporter run {output}")


@click.command()
@config_argument
@click.option(
    "--plugins", is_flag=True, help="Import the plugins, so that their metrics are known."
)
def validate(config: Path, plugins: bool) -> None:
    """Check CONFIG: every mistake at once, as file:line:column.

    Only the file is read: no data, no store. Plugins run code and are imported with --plugins only.
    """
    from exporter.config import load_config

    loaded = load_config(config, plugins=plugins)
    warn(loaded.warnings)
    evaluations = sum(len(model.evaluations or {}) for model in loaded.models.values())
    click.echo(f"{config}: {many(len(loaded.models), 'model')}, {many(evaluations, 'evaluation')}")
