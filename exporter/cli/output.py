"""Results that go to a file; and what is said beside results, on stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from exporter.errors import ExporterError


def write_file(target: Path, text: str) -> None:
    """Write the text; an ExporterError that says what to do where that is not possible."""
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        advice = "make its folder first" if not target.parent.exists() else "name another file"
        raise ExporterError(f"{target} cannot be written ({error.strerror}): {advice}") from error


def tell(errors: Iterable[Exception]) -> None:
    """Each error once, on stderr; one that lists several mistakes is a line each."""
    lines = (line for error in errors for line in str(error).splitlines())
    for line in dict.fromkeys(lines):
        say(line, "error")


def warn(texts: Iterable[object]) -> None:
    """Each warning once, on stderr."""
    for text in dict.fromkeys(map(str, texts)):
        say(text, "warning")


def say(text: str, level: Literal["info", "warning", "error"] = "info") -> None:
    """A line on stderr, in the form that --log-format asks for."""
    from exporter.cli.tables import one_line

    context = click.get_current_context(silent=True)
    options = context.find_root().obj if context else None
    if options and options["log_format"] == "json":
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        text = json.dumps({"event": text, "level": level, "timestamp": now}, ensure_ascii=False)
    else:
        text = one_line(text if level == "info" else f"{level}: {text}")
    click.echo(text, err=True)
