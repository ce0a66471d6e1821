"""`list`, `show`, `report`, `delete`, `import`: snapshots that are in the store, or are to go there."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from exporter.cli.options import (
    Place,
    file_path,
    format_option,
    ids_of,
    only_place,
    place_and_rest,
    selecting,
    store_option,
)
from exporter.cli.output import say, write_file
from exporter.cli.snapshots import HEADS, head_line, print_snapshot
from exporter.cli.tables import many, print_table
from exporter.errors import PlanError, SnapshotError
from exporter.snapshot import Snapshot

if TYPE_CHECKING:
    from exporter.store import Store

SHOWN = 50  # lines of a table on a terminal, unless --limit says otherwise
_NONE = "no snapshots: `exporter run` makes some"

arguments = click.argument("place", nargs=-1, metavar="[CONFIG]")
arguments_and_ids = click.argument("place", nargs=-1, metavar="[CONFIG] [ID]")
arguments_and_many = click.argument("place", nargs=-1, metavar="[CONFIG] [ID]...")


@click.command("list")
@arguments
@store_option
@selecting
@click.option(
    "--limit",
    type=click.IntRange(0),
    help=f"The newest so many; if not given, {SHOWN} on a terminal, else all; 0 = all.",
)
@format_option("table", "json")
def list_(
    place: tuple[str, ...], url: str | None, limit: int | None, form: str, **chosen: Any
) -> None:
    """List the snapshots of CONFIG's project, or of a store, oldest first."""
    where = only_place(place, url)
    few = form == "table" and sys.stdout.isatty()
    most = limit if limit is not None else SHOWN if few else 0
    question = where.question(chosen)
    with where.opened() as store:
        found = store.find(**question, limit=most + 1 if most else None)
    if form == "json":
        some = found[-most:] if most else found
        click.echo(json.dumps({"snapshots": [s.head() for s in some]}, ensure_ascii=False))
        return
    shown = found[-most:] if most else found
    if not shown:
        asked = any(chosen.values())
        click.echo(f"no snapshots that fit{where.unknown(chosen)}" if asked else _NONE)
        return
    print_table(HEADS, [head_line(s, where.zone) for s in shown], right=("id", "rows"))
    if len(found) > len(shown):
        say(f"the newest {len(shown)}: --limit 0 lists all")


@click.command()
@arguments_and_ids
@store_option
@selecting
@format_option("table", "json", "html")
def show(place: tuple[str, ...], url: str | None, form: str, **chosen: Any) -> None:
    """Show the snapshot with this ID, or the newest that fits: figures, drift, tests."""
    where, rest = _place_and_id(place, url)
    with where.opened() as store:
        snapshot = _one(store, where, rest, chosen)
        if form == "html":
            click.echo(_page(store, where, snapshot), nl=False)
            return
    if form == "json":
        click.echo(snapshot.to_json(indent=2))
    else:
        print_snapshot(snapshot, where.zone)


@click.command()
@arguments_and_ids
@store_option
@selecting
@click.option("-o", "--output", type=file_path, help="The file to write; else report-ID.html.")
def report(place: tuple[str, ...], url: str | None, output: Path | None, **chosen: Any) -> None:
    """Write the snapshot with this ID, or the newest that fits, as a page of HTML.

    It leads to the exporter's pages and to Grafana where `links:` of the config says where they are.
    """
    where, rest = _place_and_id(place, url)
    with where.opened() as store:
        snapshot = _one(store, where, rest, chosen)
        text = _page(store, where, snapshot)
    target = output or Path(f"report-{snapshot.id}.html")
    write_file(target, text)
    click.echo(f"wrote {target}")


@click.command()
@arguments_and_many
@store_option
@selecting
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(place: tuple[str, ...], url: str | None, yes: bool, **chosen: Any) -> None:
    """Delete snapshots, by ID or all that fit the options.

    A later run or import does not bring them back, not even with other data, unless with --force.
    """
    where, rest = place_and_rest(place, url)
    if not rest and not any(chosen.values()):
        raise click.UsageError("say which: IDs, or options such as --model and --from")
    with where.opened() as store:
        asked = ids_of(rest)
        ids = asked or [s.id for s in store.find(**where.question(chosen)) if s.id]
        if asked and where.project is not None:
            own = {head.id for head in store.find(project=where.project)}
            ids = [snapshot_id for snapshot_id in asked if snapshot_id in own]
        if not ids and not asked:
            click.echo("nothing fits: nothing deleted")
            return
        if ids and not yes and not _agreed(f"delete {many(len(ids), 'snapshot')}?"):
            click.echo("nothing deleted")
            return
        count = store.delete(ids)
    click.echo(f"deleted {many(count, 'snapshot')}")
    if count < len(asked):
        missing = f"{len(asked) - count} of {len(asked)} not in the store"
        whose = f", or not of project {where.project!r}" if where.project is not None else ""
        raise PlanError(f"{missing}{whose}: `exporter list` shows what is")


@click.command("import")
@click.argument("place", nargs=-1, metavar="[CONFIG] PATH...")
@store_option
@click.option("--force", is_flag=True, help="Also what was deleted.")
def import_(place: tuple[str, ...], url: str | None, force: bool) -> None:
    """Store the snapshots in JSON files, or in folders of them, such as `snapshots: {path: …}` writes.

    What the store has already is left as it is; what it has in another content is replaced by what
    was computed later.
    """
    from exporter.store.files import read_snapshots

    if len(place) < (2 if url is None else 1):
        raise click.UsageError(
            "name the CONFIG, or --store URL, and then the files, or folders of them"
        )
    where, rest = place_and_rest(place, url)
    results: dict[str, int] = {}
    errors: list[SnapshotError] = []
    with where.opened() as store:
        for path, found in read_snapshots(map(Path, rest)):
            try:
                if isinstance(found, SnapshotError):
                    raise found
                written = store.write(found, force=force)
                results[written.result] = results.get(written.result, 0) + 1
            except SnapshotError as error:
                errors.append(
                    error if str(path) in str(error) else SnapshotError(f"{path}: {error}")
                )
    click.echo(", ".join(f"{n} {result}" for result, n in results.items()) or "no snapshots")
    if errors:
        raise SnapshotError("\n".join(map(str, errors)))


def _place_and_id(place: tuple[str, ...], url: str | None) -> tuple[Place, list[str]]:
    where, rest = place_and_rest(place, url)
    if len(rest) > 1:
        raise click.UsageError("one ID at a time")
    return where, rest


def _one(store: Store, where: Place, rest: list[str], chosen: dict[str, Any]) -> Snapshot:
    if rest:
        return _of_project(where, store.read(ids_of(rest)[0]))
    found = store.find(**where.question(chosen), limit=1)
    if not found or found[0].id is None:
        hint = where.unknown(chosen) or ": `exporter list` shows what there is"
        raise PlanError(f"no snapshot fits{hint}")
    return store.read(found[0].id)


def _of_project(where: Place, snapshot: Snapshot) -> Snapshot:
    """The snapshot, if it is the config's: several projects may share a store."""
    from exporter.store.door import storable_text

    if where.project is not None and snapshot.project != storable_text(where.project):
        raise PlanError(
            f"snapshot {snapshot.id} is of project {snapshot.project!r}, not {where.project!r}: "
            "`exporter list` shows this project's"
        )
    return snapshot


def _agreed(question: str) -> bool:
    """What the user answers; where there is nobody to ask, --yes has to say it."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} nobody is there to answer: say --yes")
    return click.confirm(question, err=True)


def _page(store: Store, where: Place, snapshot: Snapshot) -> str:
    """The report among its neighbours; a file leads on where somebody said where that is."""
    from exporter.grafana.addresses import addresses_of
    from exporter.pipeline import links_of
    from exporter.report import Link, Neighbours, page

    told = (where.loaded and links_of(where.loaded)) or store.links(snapshot.project)
    pages = f"{told.exporter}/snapshots/" if told.exporter else None
    links = [Link("In the exporter", f"{pages}{snapshot.id}")] if pages else []
    if told.grafana:
        links += [Link(text, href) for text, href in addresses_of(snapshot, told.grafana)]
    near = Neighbours(*store.beside(snapshot.id)) if snapshot.id else None
    zone = ZoneInfo(where.zone)
    return page(snapshot, neighbours=near, links=links, timezone=zone, folder=pages)
