"""Where reports and dashboards of a project are found: the views make `report_url` of it, pages link by it."""

from __future__ import annotations

from typing import NamedTuple

import psycopg

from exporter.store.dimensions import project_id

_TELL = (
    "update evaluation.project set exporter_url = %s, grafana_url = %s"
    " where project_id = %s and (exporter_url, grafana_url) <> (%s, %s)"
)
LOOPBACK = "http://127.0.0.1:"
_TOLD = "select exporter_url, grafana_url from evaluation.project where name = %s"


class Links(NamedTuple):
    """Addresses without a slash at the end; empty where nobody said."""

    exporter: str = ""  # of `exporter serve`
    grafana: str = ""

    @property
    def of_this_machine(self) -> bool:
        """Whether nobody said anything that others could reach, too."""
        return all(not address or address.startswith(LOOPBACK) for address in self)


def tell_links(connection: psycopg.Connection, project: str, links: Links) -> None:
    """Keep a project's addresses; what is told again is not written again."""
    with connection.transaction():
        connection.execute(_TELL, (*links, project_id(connection, project), *links))


def read_links(connection: psycopg.Connection, project: str) -> Links:
    """The addresses of a project as they were told last."""
    row = connection.execute(_TOLD, (project,)).fetchone()
    return Links(*row) if row else Links()


def read_all_links(connection: psycopg.Connection) -> dict[str, Links]:
    """The same of every project that the store knows, by its name."""
    rows = connection.execute("select name, exporter_url, grafana_url from evaluation.project")
    return {name: Links(*told) for name, *told in rows}
