"""`exporter serve`."""

from __future__ import annotations

from pathlib import Path

import click

from exporter.cli.options import config_argument
from exporter.cli.output import warn


@click.command()
@config_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=9877, show_default=True, type=click.IntRange(0, 65535),
              help="The port; 0 = any that is free.")  # fmt: skip
@click.pass_context
def serve(context: click.Context, config: Path, host: str, port: int) -> None:
    """Serve the results in CONFIG's store: reports for people, gauges on /metrics.

    Any address but the loopback wants a token: set EXPORTER_TOKEN, give it to Prometheus as
    `authorization: {credentials: …}`, and to a browser as password.
    """
    from exporter.config import load_config
    from exporter.logs import configure
    from exporter.server import serve as serve_forever

    configure(context.obj["log_format"], verbose=True)
    loaded = load_config(config, plugins=True)
    warn(loaded.warnings)
    serve_forever(loaded, host, port)
