"""`exporter db`: the store's tables."""

from __future__ import annotations

import psycopg
from cli.shop import Shop


def test_migrate_makes_the_store_ready(files: Shop, empty_database: str) -> None:
    first = files.call("db", "migrate", "--store", empty_database)
    assert first.exit_code == 0
    assert first.stdout.splitlines()[0] == "applied 0001_tables.sql"
    assert files.call("db", "migrate", "--store", empty_database).stdout == "up to date\n"
    status = files.json("db", "status", "--store", empty_database)
    assert status["ready"] is True
    assert status["pending"] == []
    assert status["applied"][0]["name"] == "0001_tables.sql"


def test_status_of_a_store_that_lacks_migrations_exits_with_4(
    files: Shop, empty_database: str
) -> None:
    result = files.call("db", "status", "--store", empty_database)
    assert result.exit_code == 4
    assert "0001_tables.sql  pending: `exporter db migrate`" in result.stdout
    assert result.stderr.endswith("is not ready: run `exporter db migrate`\n")
    assert len(result.stderr.splitlines()) == 1


def test_run_on_a_store_that_lacks_migrations_says_what_to_do(
    files: Shop, empty_database: str
) -> None:
    result = files.call("run", files.write_config("bare.yaml", empty_database))
    assert result.exit_code == 4
    assert "run `exporter db migrate`" in result.stderr


def test_status_takes_the_store_of_a_config(shop: Shop) -> None:
    text = shop.call("db", "status", shop.config).stdout
    assert "PostgreSQL" in text.splitlines()[0]
    assert "0002_views.sql  applied " in text


def test_url_can_be_connected_to(shop: Shop) -> None:
    url = shop.call("db", "url", shop.config).stdout.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from grafana.snapshots").fetchone() == (0,)


def test_no_password_is_shown_but_by_url(shop: Shop) -> None:
    secret = psycopg.conninfo.conninfo_to_dict(shop.store).get("password", "")
    assert secret
    assert secret in shop.call("db", "url", shop.config).stdout
    assert secret not in shop.call("db", "status", shop.config).stdout
