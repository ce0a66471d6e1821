"""`exporter stack`: all of it on this machine, for development and a first look."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from exporter.cli.options import config_argument
from exporter.cli.output import say, warn
from exporter.cli.tables import print_table

_LOOK = 0.5  # seconds between two looks at what runs
_PORT = click.IntRange(1, 65535)


@click.command()
@config_argument
@click.option("--prometheus", type=click.Path(path_type=Path), metavar="PATH",
              help="The program; if not given, the one on the PATH.")  # fmt: skip
@click.option("--alertmanager", type=click.Path(path_type=Path), metavar="PATH",
              help="The program; if not given, the one on the PATH.")  # fmt: skip
@click.option("--grafana-home", type=click.Path(path_type=Path), metavar="FOLDER",
              help="The folder with Grafana's bin, conf and public; else what is installed.")  # fmt: skip
@click.option("--exporter-port", type=_PORT, help="If not given 9877, or any that is free.")
@click.option("--prometheus-port", type=_PORT, help="If not given 9090, or any that is free.")
@click.option("--alertmanager-port", type=_PORT, help="If not given 9093, or any that is free.")
@click.option("--grafana-port", type=_PORT, help="If not given 3000, or any that is free.")
@click.pass_context
def stack(context: click.Context, /, *, config: Path, **chosen: Any) -> None:
    """Start CONFIG's store, `exporter serve`, and the Prometheus, Alertmanager and Grafana of this machine.

    They take the files that a deployment mounts, listen on 127.0.0.1 only, keep their data in the
    user's state folder, and all end with Ctrl-C. Evaluate in another terminal: `exporter run`.
    """
    from exporter.config import load_config
    from exporter.logs import configure
    from exporter.stack import Settings, Stack

    configure(context.obj["log_format"], verbose=False)
    loaded = load_config(config, plugins=False)
    warn(loaded.warnings)
    made = Stack(loaded, Settings(config, **chosen), tell=say)
    say("starting: half a minute, and longer the first time")
    with _ended_by_signals(), made.opened():
        try:
            print_table(("part", "address", "what is there"), made.rows)
            click.echo("Ctrl-C stops all of it.")
            sys.stdout.flush()
            while made.watch():
                time.sleep(_LOOK)
        except KeyboardInterrupt:
            say("stopping")
    if not made.sound:
        context.exit(1)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a terminal that is closed, do inside what Ctrl-C does.

    SIGINT itself, too: a shell makes what it starts with `&` deaf to it.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
