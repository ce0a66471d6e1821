"""How Grafana is started: with the files of a deployment, and all that differs in its environment."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exporter.stack.database import PASSWORD, READER, Database
from exporter.stack.settings import shipped

DASHBOARDS = "grafana_dashboards"
# What the files under provisioning/ name; a deployment gives the same.
VARIABLES = frozenset((
    "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_SSLMODE", "GRAFANA_DB_USER", PASSWORD,
    "PROMETHEUS_URL", "ALERTMANAGER_URL", "GRAFANA_DASHBOARDS",
))  # fmt: skip
# Who opens it on this machine looks; nothing is asked of, or told to, anybody outside.
_QUIET = {
    "GF_AUTH_ANONYMOUS_ENABLED": "true",
    "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
    "GF_ANALYTICS_REPORTING_ENABLED": "false",
    "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
    "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
    "GF_NEWS_NEWS_FEED_ENABLED": "false",
    "GF_SNAPSHOTS_EXTERNAL_ENABLED": "false",
    "GF_SECURITY_DISABLE_GRAVATAR": "true",
    "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    "GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED": "true",
    "GF_LOG_MODE": "console",
    "GF_LOG_LEVEL": "warn",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """What Grafana asks; an address is empty where there is no such server."""

    database: Database
    prometheus: str = ""
    alertmanager: str = ""


def provisioning_in(folder: Path, *, alerting: bool) -> Path:
    """A folder that leads to the very files of a deployment: links, made anew.

    Rules of alerts want the contact point that sends them: without an Alertmanager Grafana would
    not start with them.
    """
    made = folder / "provisioning"
    shutil.rmtree(made, ignore_errors=True)
    (made / "plugins").mkdir(parents=True)  # what is missing is an error in Grafana's log
    for name in ("datasources", "dashboards", "alerting"):
        if name != "alerting" or alerting:
            (made / name).symlink_to(shipped(DASHBOARDS, "provisioning", name))
        else:
            (made / name).mkdir()
    return made


def environment_of(folder: Path, port: int, sources: Sources) -> Mapping[str, str]:
    """The variables of a Grafana whose own data lie in *folder*."""
    dashboards, database = shipped(DASHBOARDS), sources.database
    (folder / "plugins").mkdir(exist_ok=True)
    return {
        **_QUIET,
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_SERVER_ROOT_URL": f"http://127.0.0.1:{port}/",
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "logs"),
        "GF_PATHS_PLUGINS": str(folder / "plugins"),
        "GF_PATHS_PROVISIONING": str(provisioning_in(folder, alerting=bool(sources.alertmanager))),
        "GF_SECURITY_ADMIN_PASSWORD": _password_in(folder),
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(dashboards / "fleet-overview.json"),
        "POSTGRES_HOST": database.host,
        "POSTGRES_PORT": database.port,
        "POSTGRES_DB": database.name,
        "POSTGRES_SSLMODE": database.sslmode,
        "GRAFANA_DB_USER": READER,
        PASSWORD: database.password,
        "PROMETHEUS_URL": sources.prometheus or "http://127.0.0.1:9090",
        "ALERTMANAGER_URL": sources.alertmanager or "http://127.0.0.1:9093",
        "GRAFANA_DASHBOARDS": str(dashboards),
    }


def _password_in(folder: Path) -> str:
    """The administrator's password: Grafana takes it at its first start and keeps it."""
    file = folder / "admin-password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(18))
    return file.read_text()
