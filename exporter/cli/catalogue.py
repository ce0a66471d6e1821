"""`exporter metrics` and `exporter generate`: what the catalogue holds, and what is drawn from it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.cli.options import Place, format_option, only_place, store_option
from exporter.cli.output import say, warn
from exporter.cli.tables import print_table
from exporter.errors import ExporterError, PlanError, nearest

if TYPE_CHECKING:
    from exporter.distances import DriftMethod
    from exporter.metrics import MetricSpec


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--plugin", "plugins", multiple=True, help="A module of your own, installed or in this folder."
)
@format_option("table", "json")
def metrics(names: tuple[str, ...], plugins: tuple[str, ...], form: str) -> None:
    """List metrics, drift methods and presets, or tell all of those that are NAMEd."""
    from exporter import presets
    from exporter.distances import DRIFT_METHODS
    from exporter.metrics import CATALOGUE

    for plugin in plugins:
        _import(plugin)
    names = tuple(ours for name in names for ours in _ours(name))
    known = [*CATALOGUE, *DRIFT_METHODS, *presets.METRICS, *presets.TESTS]
    for name in names:
        if name not in known:
            raise PlanError(f"no metric, method or preset {name!r}" + nearest(name, known))
    chosen = [spec for spec in CATALOGUE.values() if not names or spec.id in names]
    methods = {m: method for m, method in DRIFT_METHODS.items() if not names or m in names}
    lists = {
        f"{kind} preset {name}": list(parts)
        for kind, some in (("metrics", presets.METRICS), ("tests", presets.TESTS))
        for name, parts in some.items()
        if not names or name in names
    }
    if form == "json":
        forms = [_metric_form(spec) for spec in chosen]
        drift = [_method_form(name, method) for name, method in methods.items()]
        click.echo(json.dumps({"metrics": forms, "drift_methods": drift, "presets": lists}))
        return
    _print(chosen, methods, lists)


def _ours(name: str) -> list[str]:
    """The name, or what one of Evidently's stands for."""
    from exporter.evidently import UNDER_METRICS, is_evidently, translate

    if not is_evidently(name):
        return [name]
    found = translate("metrics" if name in UNDER_METRICS else "tests", name, {})
    if found.problems:
        raise PlanError(found.problems[0])
    warn([found.hint])
    return [entry.name for entry in found.entries]


def _import(plugin: str) -> None:
    from exporter.config import import_plugin

    try:
        import_plugin(plugin, Path())
    except (Exception, SystemExit) as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        raise PlanError(
            f"--plugin {plugin} cannot be imported: {text}; is it installed, or in this folder,"
            " or its folder in PYTHONPATH?"
        ) from error


def _print(
    chosen: Sequence[MetricSpec], methods: dict[str, DriftMethod], lists: dict[str, list[Any]]
) -> None:
    from exporter.metrics import CATALOGUE

    if chosen and len(chosen) == len(CATALOGUE):  # a list to look through
        print_table(
            ("metric", "of a", "options", "what"),
            [(s.id, s.per, _options(s), s.help) for s in chosen],
        )
    elif chosen:
        print_table(
            ("metric", "of a", "options", "unit", "better", "gauge", "what"),
            [(s.id, s.per, _options(s), s.unit, s.better, s.gauge, s.help) for s in chosen],
        )
    if methods:
        forms = [_method_form(name, method) for name, method in methods.items()]
        click.echo()
        print_table(
            ("drift method", "of", "drifted", "what"),
            [(f["id"], ", ".join(f["kinds"]), f["drifted"], f["help"]) for f in forms],
        )
    if lists:
        click.echo()
        rows = [
            (name, ", ".join(p if isinstance(p, str) else next(iter(p)) for p in parts))
            for name, parts in lists.items()
        ]
        print_table(("preset", "parts"), rows)


def _options(spec: MetricSpec) -> str:
    required = inspect.Parameter.empty
    return ", ".join(
        name if default is required else f"{name}={default}"
        for name, default in spec.options.items()
    )


def _metric_form(spec: MetricSpec) -> dict[str, Any]:
    required = inspect.Parameter.empty
    options = {
        name: {"required": True} if default is required else {"default": default}
        for name, default in spec.options.items()
    }
    return {
        "id": spec.id, "help": spec.help, "per": spec.per, "unit": spec.unit, "better": spec.better,
        "gauge": spec.gauge, "labels": spec.labels, "options": options,
    }  # fmt: skip


def _method_form(name: str, method: DriftMethod) -> dict[str, Any]:
    sign = "<" if method.score == "p_value" else ">="
    score = {"p_value": "p-value"}.get(method.score, method.score)
    return {
        "id": name, "help": method.help, "kinds": list(method.kinds), "score": score,
        "threshold": method.threshold, "drifted": f"{score} {sign} {method.threshold:g}",
    }  # fmt: skip


@click.command()
@click.argument("place", nargs=-1, metavar="[CONFIG]")
@store_option
@click.option("--model", help="Only the dashboards of this model, fixed to it, with its columns.")
@click.option("--project", help="Its project, where the store has several of that name.")
@click.option(
    "--check", "only_check", is_flag=True, help="Write nothing; exit with 1 if one differs."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True,
    help="The folder of the project.",
)  # fmt: skip
def generate(
    place: tuple[str, ...],
    url: str | None,
    model: str | None,
    project: str | None,
    out: Path,
    *,
    only_check: bool,
) -> None:
    """Write the files that are drawn from the code: documentation, dashboards, alert rules.

    With --model it writes dashboards of one model of the store of CONFIG, or the one at --store URL,
    into the folder --out: fixed to the model, with a panel for each column that it has figures of.
    """
    from exporter.generate import check, write

    if model is not None:
        if only_check:
            raise click.UsageError("--check is for the project's own files, without --model")
        _generate_for(model, project, only_place(place, url), out)
        return
    if place or url or project:
        raise click.UsageError("CONFIG, --store and --project go with --model NAME")
    if not only_check:
        for name in _writing(out, lambda: write(out)):
            click.echo(f"wrote {name}")
        return
    differing = check(out)
    for name in differing:
        say(f"{name} is not what the code would write: run `exporter generate`")
    if differing:
        click.get_current_context().exit(1)
    click.echo("every generated file is as the code would write it")


def _generate_for(model: str, project: str | None, place: Place, out: Path) -> None:
    from exporter.grafana.static import static_dashboards

    with place.opened() as store:
        found = store.columns(model, project or place.project)
    if len({p for p, _ in found}) > 1:
        names = ", ".join(sorted({p for p, _ in found}))
        raise click.UsageError(f"several projects have a model {model!r}: --project {names}")
    if not found:
        raise ExporterError(
            f"the store has no figures of a model {model!r}: `exporter list` shows what it has"
        )
    (named,) = {p for p, _ in found}
    files = static_dashboards(named, model, [column for _, column in found if column])
    _writing(out, lambda: _write_all(files, out))
    for name in files:
        click.echo(f"wrote {out / name}")


def _write_all(files: Mapping[str, str], out: Path) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, "utf-8", newline="\n")
    return list(files)


def _writing(out: Path, write: Callable[[], list[str]]) -> list[str]:
    try:
        return write()
    except OSError as error:
        reason = f"{error.filename or out} cannot be written ({error.strerror})"
        raise ExporterError(f"{reason}: name another folder with --out") from error
