"""A group whose commands are imported when called, and whose errors end in one message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from exporter.cli.output import say, tell
from exporter.errors import ExporterError, nearest

INTERRUPTED = 130  # what a shell gives a command that Ctrl-C ended
BROKEN_PIPE = 141


class LazyGroup(click.Group):
    """Knows its commands by name and one line of help: `--help` imports none of them."""

    def __init__(
        self, *args: Any, commands_by_name: Mapping[str, tuple[str, str]] | None = None, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._places = commands_by_name or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in their order."""
        return [*self._places, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with this name, imported now."""
        if cmd_name not in self._places:
            return super().get_command(ctx, cmd_name)
        module, _, function = self._places[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; a misspelt one suggests the nearest."""
        name = args[0] if args else ""
        known = self.list_commands(ctx)
        if name and name not in known and not name.startswith("-"):
            hint = nearest(name, known) or f"; there are {', '.join(known)}"
            ctx.fail(f"there is no command {name!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        rows = [(name, text) for name, (_, text) in self._places.items()]
        for name in super().list_commands(ctx):
            command = super().get_command(ctx, name)
            rows.append((name, command.get_short_help_str() if command else ""))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what a user can act on is one message, without a traceback."""
        try:
            return super().invoke(ctx)
        except ExporterError as error:
            tell([error])
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):  # Abort: Ctrl-C at a question
            say("stopped")
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:  # the reader of our output has gone: `exporter list … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(BROKEN_PIPE)
