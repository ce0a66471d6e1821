"""How the programs are started: with the files of a deployment, and what has to differ."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from exporter.stack.database import Database, _described
from exporter.stack.grafana import VARIABLES, Sources, environment_of, provisioning_in
from exporter.stack.parts import alertmanager, prometheus, prometheus_config
from exporter.stack.settings import Ports, shipped

PORTS = Ports(exporter=9877, prometheus=9555, alertmanager=9556)
STORE = Database("postgresql://x@127.0.0.1:5433/e", "127.0.0.1", "5433", "e", "disable", "pa$$word")


def test_the_copy_for_prometheus_has_the_addresses_of_the_stack_and_all_else_of_the_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXPORTER_TOKEN", raising=False)
    ours = yaml.safe_load(prometheus_config(PORTS, tmp_path, alerting=True))
    theirs = yaml.safe_load(shipped("deploy", "prometheus", "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in ours["scrape_configs"]}
    assert jobs["evaluation-exporter"]["static_configs"] == [{"targets": ["127.0.0.1:9877"]}]
    assert jobs["prometheus"]["static_configs"] == [{"targets": ["127.0.0.1:9555"]}]
    managers = ours["alerting"]["alertmanagers"]
    assert managers == [{"static_configs": [{"targets": ["127.0.0.1:9556"]}]}]
    assert ours["global"] == theirs["global"]
    for mine, job in zip(ours["scrape_configs"], theirs["scrape_configs"], strict=True):
        kept = job.keys() - {"static_configs", "authorization"}
        assert {key: mine.get(key) for key in kept} == {key: job[key] for key in kept}
        assert "authorization" not in mine


def test_a_token_of_the_exporter_is_given_to_prometheus_in_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORTER_TOKEN", "s3cret\n")
    text = prometheus_config(PORTS, tmp_path, alerting=True)
    assert "s3cret" not in text
    job = yaml.safe_load(text)["scrape_configs"][0]
    file = Path(job["authorization"]["credentials_file"])
    assert file.read_text() == "s3cret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_prometheus_without_an_alertmanager_sends_to_none(tmp_path: Path) -> None:
    assert "alerting" not in yaml.safe_load(prometheus_config(PORTS, tmp_path, alerting=False))


def test_alertmanager_has_the_very_file_of_a_deployment_data_of_its_own_and_no_cluster(
    tmp_path: Path,
) -> None:
    part = alertmanager(Path("/usr/bin/alertmanager"), tmp_path, 9556)
    given = dict(word.split("=", 1) for word in part.command[1:])
    shipped_file = shipped("deploy", "alertmanager", "alertmanager.yml")
    assert Path(given["--config.file"]) == shipped_file
    assert Path(given["--storage.path"]).parent == tmp_path
    assert given["--web.listen-address"] == "127.0.0.1:9556"
    assert given["--cluster.listen-address"] == ""


@pytest.mark.parametrize("alerting", [True, False])
def test_prometheus_finds_nothing_wrong_with_either_file(
    alerting: bool, tmp_path: Path, program: Callable[[str], str]
) -> None:
    part = prometheus(Path("/usr/bin/prometheus"), tmp_path, PORTS, alerting=alerting)
    copy = next(a for a in part.command if a.startswith("--config.file=")).partition("=")[2]
    promtool = program("promtool")
    subprocess.run([promtool, "check", "config", copy], check=True, capture_output=True)
    source = shipped("deploy", "prometheus", "prometheus.yml")
    command = [promtool, "check", "config", "--syntax-only", str(source)]
    subprocess.run(command, check=True, capture_output=True)


def test_the_rules_of_a_deployment_are_those_of_the_stack(tmp_path: Path) -> None:
    patterns = yaml.safe_load(prometheus_config(PORTS, tmp_path, alerting=False))["rule_files"]
    found = [path for p in map(Path, patterns) for path in p.parent.glob(p.name)]
    assert sorted(found) == sorted(shipped("deploy", "prometheus", "rules").glob("*.yml"))
    assert found


def test_grafana_has_every_variable_that_its_files_name(tmp_path: Path) -> None:
    given = environment_of(tmp_path, 3001, Sources(STORE, "http://127.0.0.1:9555"))
    assert given.keys() >= VARIABLES
    assert all(given[name] for name in VARIABLES)
    assert given["GRAFANA_DB_PASSWORD"] == "pa$$word"
    assert given["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert given["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert Path(given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()


def test_the_administrators_password_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    first, again = (environment_of(tmp_path, 1, Sources(STORE)) for _ in range(2))
    assert first == again
    assert len(first["GF_SECURITY_ADMIN_PASSWORD"]) > 20
    assert stat.S_IMODE((tmp_path / "admin-password").stat().st_mode) == 0o600


def test_grafana_reads_the_very_files_and_rules_only_where_somebody_takes_their_alerts(
    tmp_path: Path,
) -> None:
    made = provisioning_in(tmp_path, alerting=False)
    for name in ("datasources", "dashboards"):
        assert (made / name).resolve() == shipped("grafana_dashboards", "provisioning", name)
    assert list((made / "alerting").iterdir()) == []
    provisioning_in(tmp_path, alerting=True)
    assert (made / "alerting" / "rules.yaml").is_file()
    provisioning_in(tmp_path, alerting=False)
    assert list((made / "alerting").iterdir()) == []
    assert shipped("grafana_dashboards", "provisioning", "alerting", "rules.yaml").is_file()


@pytest.mark.parametrize(
    ("url", "host", "port", "name", "mode"),
    [
        ("postgresql://w:p@db.example.com/evaluations", "db.example.com", "5432", "evaluations", "require"),
        ("postgresql://w:p@db.example.com:6543/e?sslmode=verify-full", "db.example.com", "6543", "e", "verify-full"),
        ("postgresql://w:p@db.example.com/e?sslmode=prefer", "db.example.com", "5432", "e", "require"),
        ("postgresql://w:p@127.0.0.1:5544/e", "127.0.0.1", "5544", "e", "disable"),
        ("postgresql:///e", "localhost", "5432", "e", "disable"),
        ("postgresql://a.example.com:1,b.example.com:2/e", "a.example.com", "1", "e", "require"),
    ],
)  # fmt: skip
def test_a_database_of_the_users_is_told_as_grafana_wants_it(
    url: str, host: str, port: str, name: str, mode: str
) -> None:
    found = _described(url, "secret", "")
    assert (found.host, found.port, found.name, found.sslmode) == (host, port, name, mode)
    assert "secret" not in found.shown
    assert ":p@" not in found.shown
