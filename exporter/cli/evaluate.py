"""`exporter evaluate`: one file beside another, without config or store."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from exporter.batch import TASKS
from exporter.cli.options import file_path, format_option
from exporter.cli.output import say, warn, write_file
from exporter.cli.snapshots import print_snapshot
from exporter.errors import BatchError, PlanError

if TYPE_CHECKING:
    from exporter.presets import Entry
    from exporter.snapshot import Snapshot


@click.command()
@click.argument("current")
@click.option("--reference", help="A file, glob or folder to compare with.")
@click.option("--metrics", help="Metrics and presets, with commas, or a YAML list.")
@click.option("--tests", help="Tests and presets, with commas, or a YAML list.")
@click.option(
    "--task",
    type=click.Choice(TASKS),
    help="Of the model.",
)
@click.option("--target", help="The column with the truth.")
@click.option("--prediction", help="The column with the prediction.")
@click.option("--probability", help="The positive class's column, or '{class: column, …}'.")
@click.option("--user", help="Of a ranking: the column with whom something is recommended to.")
@click.option("--item", help="Of a ranking: the column with what is recommended.")
@click.option("--ranking", help="'{by: rank, train: {path: …}, items: {path: …}}', as in a config.")
@click.option("--time", help="The time column: it is not evaluated.")
@click.option("--missing-values", help="What counts as missing, too: '[\"\", n/a, -999]'.")
@click.option("--columns", type=file_path, help="A YAML file with what stands under `columns:`.")
@click.option(
    "--automatic-tests", type=click.Choice(["directional", "evidently"]), default="directional",
    show_default=True, help="Conditions of tests that are given none.",
)  # fmt: skip
@click.option("-o", "--output", type=file_path, help="Write the result to this file.")
@format_option("table", "json", "html")
def evaluate(
    *,
    current: str,
    reference: str | None,
    metrics: str | None,
    tests: str | None,
    columns: Path | None,
    task: Any,
    ranking: str | None,
    missing_values: str | None,
    automatic_tests: Any,
    output: Path | None,
    form: str,
    **roles: str | None,
) -> None:
    """Evaluate the file CURRENT (parquet, csv or jsonl; a glob or folder, too).

    Without --metrics and --tests a summary is shown, the drift where there is a reference, and
    the model's quality where --task, --target and --prediction or --probability are given.
    Entries may have options: --tests '[{missing_ratio: {columns: [age], lte: 0.05}}]'.
    Exits with 1 where a critical test failed.
    """
    from exporter.api import evaluate as evaluate_data

    form = _form(form, output)
    wanted, asked = _entries(metrics, "--metrics"), _entries(tests, "--tests")
    named = {name: _role(name, role) for name, role in roles.items() if role}
    given = {**_columns(columns), **named}
    if not wanted and not asked:
        wanted = _usual(task, given, beside=reference is not None)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        snapshot = evaluate_data(
            current, reference, metrics=wanted, tests=asked, columns=given or None,
            task=task, automatic_tests=automatic_tests, ranking=_ranking(ranking),
            missing_values=_list(missing_values, "--missing-values"),
        )  # fmt: skip
    warn(warning.message for warning in told)
    _say(snapshot, form, output)
    if not snapshot.passed:
        click.get_current_context().exit(1)


def _usual(task: str | None, columns: Mapping[str, Any], *, beside: bool) -> list[Entry]:
    """What is shown where nothing is asked for: the data, how they moved, how good the model is."""
    scored = "target" in columns and ("prediction" in columns or "probability" in columns)
    quality = {
        "regression": "regression", "binary": "classification", "multiclass": "classification",
        "ranking": "ranking",
    }.get(task or "")  # fmt: skip
    wanted: list[Entry] = ["data_summary"]
    if beside:
        wanted.append("data_drift")
    if quality and scored:
        wanted.append(quality)
    elif quality:
        warn(["no quality is shown without --target, and --prediction or --probability"])
    return wanted


def _entries(text: str | None, option: str) -> list[Entry]:
    """`a,b` or a YAML list of names and mappings."""
    if text is None or not text.strip():
        return []
    if not text.lstrip().startswith(("[", "{", "-")):
        return [name.strip() for name in text.split(",") if name.strip()]
    from exporter import yaml

    document = yaml.load(text)
    entries = document.data if isinstance(document.data, list) else [document.data]
    if document.mistakes or not all(isinstance(entry, str | dict) for entry in entries):
        reason = document.mistakes[0].text if document.mistakes else "names or mappings expected"
        raise click.BadParameter(f"no YAML list of entries: {reason}", param_hint=option)
    return entries


def _role(name: str, text: str) -> Any:
    """A column's name, or of probabilities a YAML mapping of each class to its column."""
    if name != "probability" or not text.startswith("{"):
        return text
    return _mapping(text, "--probability", "{class: column, …}")


def _ranking(text: str | None) -> dict[str, Any] | None:
    """What stands under `ranking:` in a config, on one line."""
    return None if text is None else _mapping(text, "--ranking", "{by: rank, train: {path: …}}")


def _list(text: str | None, option: str) -> list[Any]:
    from exporter import yaml

    document = yaml.load(text or "[]")
    if document.mistakes or not isinstance(document.data, list):
        raise click.BadParameter('expected a YAML list, such as ["", -999]', param_hint=option)
    return document.data


def _mapping(text: str, option: str, example: str) -> dict[str, Any]:
    from exporter import yaml

    document = yaml.load(text)
    if document.mistakes or not isinstance(document.data, dict):
        raise click.BadParameter(f"expected {example}", param_hint=option)
    return document.data


def _columns(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    from exporter import yaml

    try:
        document = yaml.load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if document.mistakes:
        first = document.mistakes[0]
        raise PlanError(f"{path}:{first.line}:{first.column}: {first.text}")
    data = document.data or {}
    if not isinstance(data, dict):
        raise PlanError(f"{path}: expected a mapping such as {{numerical: [age], target: y}}")
    inner = data.get("columns", data)  # the key itself may stand there, as in a config
    return dict(inner) if isinstance(inner, dict) else dict(data)


def _say(snapshot: Snapshot, form: str, output: Path | None) -> None:
    if form == "table":
        print_snapshot(snapshot)
        return
    if form == "html":
        from exporter.report import page

        text = page(snapshot)
    else:
        text = snapshot.to_json(indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text)
    say(f"{snapshot.status if snapshot.tests else 'done'}: wrote {output}")


def _form(given: str, output: Path | None) -> str:
    """The form of the result: of a file, unless --format says it, what its name ends in."""
    source = click.get_current_context().get_parameter_source("form")
    if output is None:
        return given
    if source is None or source is ParameterSource.DEFAULT:
        return "html" if output.suffix in (".html", ".htm") else "json"
    if given == "table":
        raise click.UsageError("a file is written as --format json or html")
    return given
