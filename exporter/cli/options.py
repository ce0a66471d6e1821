"""Options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import click

from exporter.errors import nearest

if TYPE_CHECKING:
    from exporter.config import Loaded
    from exporter.store import Store

F = TypeVar("F", bound=Callable[..., Any])

file_path = click.Path(path_type=Path, dir_okay=False)
config_argument = click.argument("config", type=file_path)
store_option = click.option(
    "--store", "url", metavar="URL",
    help="The store, in place of a CONFIG: embedded or postgresql://…",
)  # fmt: skip


def format_option(*forms: str) -> Callable[[F], F]:
    """`--format`, whose first form is the default."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True,
        help="How the result is written.",
    )  # fmt: skip


def selecting(command: F) -> F:
    """The options that choose among stored snapshots; they arrive as `chosen`."""
    for option in reversed(
        (
            click.option("--model", help="Of this model."),
            click.option("--evaluation", help="Of this evaluation."),
            click.option("--segment", help="Of this segment, such as origin=EWR; '' = none."),
            click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="With this tag."),
            click.option("--batch", help="With this batch name; '' = none."),
            click.option("--status", multiple=True, type=click.Choice(
                ["success", "warning", "fail", "error", "skipped"]), help="With one of these."),
            click.option("--from", "since", metavar="TIME", help="Windows that begin at or after."),
            click.option("--to", "until", metavar="TIME", help="Windows that begin before."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def moment(text: str | None, zone: str, option: str) -> datetime | None:
    """A day or time as the user writes it (2026-03-01, 2026-03-01T06:00), in the project's timezone."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no day or time: write 2026-03-01 or 2026-03-01T06:00",
            param_hint=option,
        ) from None
    return given if given.tzinfo else given.replace(tzinfo=ZoneInfo(zone))


def tags_of(given: Sequence[str]) -> dict[str, str]:
    """`("arm=champion",)` as a mapping."""
    for text in given:
        if "=" not in text:
            raise click.BadParameter(f"{text!r} should be NAME=VALUE", param_hint="--tag")
    return dict(text.split("=", 1) for text in given)


def span(
    since: str | None, until: str | None, zone: str
) -> tuple[datetime | None, datetime | None]:
    """What --from and --to say."""
    start, end = moment(since, zone, "--from"), moment(until, zone, "--to")
    if start and end and start >= end:
        raise click.UsageError(f"--from {since} is not before --to {until}")
    return start, end


@dataclass(frozen=True, slots=True)
class Place:
    """A store, and what a config says of what is to be found there."""

    location: str  # `embedded` or a URL
    loaded: Loaded | None = None

    @property
    def project(self) -> str | None:
        """The config's project; None: all of the store."""
        return self.loaded.config.project if self.loaded else None

    @property
    def zone(self) -> str:
        """The timezone in which times are read and shown."""
        return self.loaded.config.timezone if self.loaded else "UTC"

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The store at work."""
        from exporter.store import open_store

        with open_store(self.location) as store:
            yield store

    def unknown(self, chosen: Mapping[str, Any]) -> str:
        """What explains that nothing fits: a model or evaluation that the config does not have."""
        models = self.loaded.models if self.loaded else {}
        known = {
            "model": {model.model or key for key, model in models.items()},
            "evaluation": {name for model in models.values() for name in model.evaluations or {}},
        }
        for option, names in known.items():
            name = chosen.get(option)
            if models and name and name not in names:
                hint = nearest(name, names) or f", but {', '.join(sorted(names))}"
                return f": there is no {option} {name!r}{hint}"
        return ""

    def question(self, chosen: dict[str, Any]) -> dict[str, Any]:
        """What `selecting` gave, as `Store.find` asks for it."""
        given = {k: chosen[k] for k in ("model", "evaluation", "segment", "batch")}
        start, end = span(chosen["since"], chosen["until"], self.zone)
        return {
            **given,
            "project": self.project,
            "tags": tags_of(chosen["tags"]) or None,
            "status": list(chosen["status"]) or None,
            "start": start,
            "end": end,
        }


def place_and_rest(arguments: Sequence[str], url: str | None) -> tuple[Place, list[str]]:
    """Where `[CONFIG] REST…` leads: with --store there is no CONFIG, and all is the rest."""
    if url is not None:
        return Place(url), list(arguments)
    if not arguments:
        raise click.UsageError("name the CONFIG, or give the store: --store URL")
    if arguments[0].isdigit() and not Path(arguments[0]).exists():
        raise click.UsageError("name the CONFIG before the ID, or give the store: --store URL")
    from exporter.config import load_config
    from exporter.pipeline import store_location

    loaded = load_config(Path(arguments[0]), plugins=False)
    return Place(store_location(loaded), loaded), list(arguments[1:])


def only_place(arguments: Sequence[str], url: str | None) -> Place:
    """The same for commands that take nothing else."""
    place, rest = place_and_rest(arguments, url)
    if rest:
        raise click.UsageError(f"unexpected argument {rest[0]!r}")
    return place


def ids_of(texts: Sequence[str]) -> list[int]:
    """Snapshot ids as `list` shows them."""
    for text in texts:
        if not text.isdigit():
            raise click.UsageError(f"{text!r} is no snapshot id: `exporter list` shows them")
    return [int(text) for text in texts]
