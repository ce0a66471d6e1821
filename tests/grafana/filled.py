"""A store with made-up models of every task, filled once by the demo's fleet through the real pipeline."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from exporter.demo.fleet import fleet_of, prepare_fleet, run_fleet
from exporter.store import Store, migrate

DATABASE = "exporter_fleet"
MODELS, DAYS = 30, 12
NOW = datetime.now(UTC).replace(
    minute=0, second=0, microsecond=0
)  # dashboards tell what is late now
SPAN = (NOW - timedelta(days=30), NOW + timedelta(hours=2))  # it is filled after NOW
_LOCK = 2


def filled_store(server: str) -> str:
    """The URL of the fleet's database; the first worker fills it, the others wait."""
    url = server.rpartition("/")[0] + f"/{DATABASE}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        full = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
        told = connection.execute(full, (DATABASE,)).fetchone()
        if told is None or told[0] != "full":
            connection.execute(f"drop database if exists {DATABASE}")
            connection.execute(f"create database {DATABASE}")
            migrate(url)
            _fill(url)
            connection.execute(f"comment on database {DATABASE} is 'full'")
    return url


def _fill(url: str) -> None:
    with tempfile.TemporaryDirectory(prefix="exporter-fleet-") as folder:
        fleet = fleet_of(MODELS, NOW, days=DAYS)
        configs = prepare_fleet(Path(folder), fleet)
        for config in configs:
            text = config.read_text("utf-8")
            assert "store: embedded" in text
            config.write_text(text.replace("store: embedded", f"store: {url}"), "utf-8")
        _, errors = run_fleet(configs, fleet, processes=1)
        assert not [e for e in errors if "O'Brien" not in str(e)], errors
    with Store(url) as store:  # one batch known better later on
        newest = store.find(project="demo-media", limit=1)[-1]
        told = store.read(newest.id or 0)
        store.write(
            replace(told, rows=told.rows + 1, computed_at=told.computed_at + timedelta(minutes=1))
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
