"""The command line. Each command is a module that is imported when the command is called."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper

import click

from exporter import __version__
from exporter.cli.group import LazyGroup

# Processes share the cores out, and columns do: a BLAS with threads of its own only gets in the way,
# and costs a tenth of a second when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
gc.set_threshold(50_000, 20, 50)  # imports make many objects, and all of them stay

# In the order of a user's first day; each is `module:function`, imported when it is called.
COMMANDS = {
    "init": ("exporter.cli.first:init", "Write a commented config for the files at DATA."),
    "validate": ("exporter.cli.first:validate", "Check CONFIG: every mistake with its place."),
    "evaluate": ("exporter.cli.evaluate:evaluate", "Evaluate files without config or store."),
    "run": ("exporter.cli.run:run", "Evaluate every batch of CONFIG that is due."),
    "list": ("exporter.cli.stored:list_", "List the snapshots in the store."),
    "show": ("exporter.cli.stored:show", "Show a snapshot."),
    "report": ("exporter.cli.stored:report", "Write a snapshot as an HTML page."),
    "delete": ("exporter.cli.stored:delete", "Delete snapshots from the store."),
    "import": ("exporter.cli.stored:import_", "Store snapshots that are JSON files."),
    "serve": ("exporter.cli.serving:serve", "Serve reports, and gauges for Prometheus."),
    "alerts": ("exporter.cli.alerts:alerts", "Show what would be told now, and why."),
    "stack": ("exporter.cli.stack:stack", "Start store, exporter, Prometheus and Grafana here."),
    "metrics": ("exporter.cli.catalogue:metrics", "Show what can be computed and tested."),
    "generate": ("exporter.cli.catalogue:generate", "Write every generated file anew."),
    "db": ("exporter.cli.database:db", "Migrate the store, or look at it."),
    "demo": ("exporter.cli.demo:demo", "Make a year of flights, or a fleet, and evaluate it."),
}


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="exporter")
@click.option(
    "--log-format",
    type=click.Choice(["console", "json"]),
    default="console",
    envvar="EXPORTER_LOG_FORMAT",
    help="How the log on stderr is written.",
)
@click.pass_context
def main(context: click.Context, log_format: str) -> None:
    """Evaluate every batch of your data and models.

    Results go to PostgreSQL as rows and to Prometheus as gauges. Start with
    `exporter demo`, or with `exporter init DATA` for data of your own.

    Exit codes: 0 fine, 1 a critical test failed (with --gate, or in evaluate), 2 usage or
    config, 3 data that cannot be read, 4 the store.
    """
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no error
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    context.obj = {"log_format": log_format}
