"""Results that go to a file, and errors that go to stderr."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

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
        click.echo(f"error: {line}", err=True)
