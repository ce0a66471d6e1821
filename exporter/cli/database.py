"""`exporter db`: the store's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click

from exporter.cli.options import Place, format_option, only_place, store_option
from exporter.cli.stored import arguments
from exporter.errors import StoreError


@click.group()
def db() -> None:
    """Migrate the store of CONFIG, or the one at --store URL, or look at it."""


@db.command(short_help="Bring tables, views and rights up to date.")
@arguments
@store_option
def migrate(place: tuple[str, ...], url: str | None) -> None:
    """Bring tables, views and rights up to date; again: nothing but the rights.

    Wants the role that owns the tables, or one that may create them.
    """
    from exporter.store import migrate as migrate_store

    with _url_of(only_place(place, url)) as address:
        applied = migrate_store(address)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("up to date")


@db.command(short_help="Show which migrations the store has had, and lacks.")
@arguments
@store_option
@format_option("table", "json")
def status(place: tuple[str, ...], url: str | None, form: str) -> None:
    """Show which migrations the store has had, and lacks.

    Exits with 4 where this program cannot use the store.
    """
    from exporter.store import status as status_of

    with _url_of(only_place(place, url)) as address:
        found = status_of(address)
    if form == "json":
        applied = [
            {"version": a.version, "name": a.name, "applied_at": a.applied_at.isoformat()}
            for a in found.applied
        ]
        about = {"store": found.place, "server": found.server, "ready": found.ready}
        click.echo(json.dumps({**about, "applied": applied, "pending": list(found.pending)}))
    else:
        click.echo(f"{found.place}, PostgreSQL {found.server}")
        for step in found.applied:
            click.echo(f"  {step.name}  applied {step.applied_at:%Y-%m-%d %H:%M} UTC")
        for name in found.pending:
            click.echo(f"  {name}  pending: `exporter db migrate`")
    if not found.ready:
        newer = "upgrade evaluation-exporter" if found.newer else "run `exporter db migrate`"
        raise StoreError(f"the store {found.place} is not ready: {newer}")


@db.command("url", short_help="Print the store's URL, for psql and Grafana.")
@arguments
@store_option
def url_(place: tuple[str, ...], url: str | None) -> None:
    """Print the store's URL, password and all: for psql and Grafana.

    The embedded server runs while any exporter command that uses it does: leave `exporter serve`
    running.
    """
    with _url_of(only_place(place, url)) as address:
        click.echo(address)


@contextmanager
def _url_of(place: Place) -> Iterator[str]:
    """How to connect; the embedded server runs meanwhile."""
    from exporter.store import EMBEDDED

    if place.location != EMBEDDED:
        yield place.location
        return
    from exporter.store.embedded import EmbeddedPostgres

    with EmbeddedPostgres() as server:
        yield server.url
