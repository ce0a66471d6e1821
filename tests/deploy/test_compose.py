"""docker-compose.yml: what Compose would refuse, and what nobody should have to find out on a server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.composed import (
    COMPOSE,
    FILE,
    ONCE,
    ROOT,
    SERVICES,
    TEXT,
    defaults,
    environment,
    mounts,
    put_in,
    variables,
)

import exporter
from exporter.config import load_config
from exporter.stack.grafana import VARIABLES

every = pytest.mark.parametrize("name", sorted(SERVICES))


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """What Compose's own schema says of a file."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    return subprocess.run([*command, file], capture_output=True, text=True, check=False)


def test_the_schema_of_compose_finds_nothing_wrong() -> None:
    done = checked(FILE)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        ("    command: [run,", "    comand: [run,"),
        ("service_completed_successfully", "service_completed"),
        ("\nvolumes:\n", "\nvolume:\n"),
    ],
)
def test_a_key_or_word_that_compose_does_not_know_would_be_seen(
    given: str, instead: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(TEXT.replace(given, instead, 1), "utf-8")
    assert checked(wrong).returncode == 1


def test_every_variable_is_told_in_the_example_and_none_is_there_in_vain() -> None:
    assert {name for name, _, _ in variables()} == set(defaults())


def test_a_default_is_said_the_same_in_both_files() -> None:
    given = defaults()
    assert {name: text for name, how, text in variables() if how == "-"} == {
        name: value for name, value in given.items() if value
    }


def test_a_secret_has_no_default_and_must_be_set() -> None:
    empty = {name for name, value in defaults().items() if not value}
    assert {name for name, how, _ in variables() if how == "?"} == empty
    assert empty == {name for name in defaults() if re.search("PASSWORD|TOKEN", name)}


def test_no_secret_stands_in_the_file() -> None:
    for name in SERVICES:
        for key, value in SERVICES[name].get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET", key):
                assert str(value).startswith("${"), f"{name}: {key}"


def test_the_script_fills_every_secret_with_one_of_its_own(tmp_path: Path) -> None:
    command = ["sh", str(ROOT / "deploy" / "env.sh")]
    made = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    lines = [line.partition("=")[::2] for line in made.splitlines() if re.match(r"[A-Z_]+=", line)]
    found = dict(lines)
    secrets = {name: value for name, value in found.items() if not defaults()[name]}
    assert found.keys() == defaults().keys()
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in secrets.values())
    assert len(set(secrets.values())) == len(secrets)
    assert {n: v for n, v in found.items() if n not in secrets} == {n: v for n, v in defaults().items() if v}  # fmt: skip


@every
def test_an_image_has_a_full_version(name: str) -> None:
    repository, _, version = SERVICES[name]["image"].rpartition(":")
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-[a-z]+[\d.]*)?", version)
    assert repository
    assert repository != "evaluation-exporter" or version == exporter.__version__


def test_one_service_builds_the_image_and_all_others_of_it_wait_for_that_one() -> None:
    ours = {n: s for n, s in SERVICES.items() if s["image"].startswith("evaluation-exporter:")}
    assert [name for name, service in SERVICES.items() if "build" in service] == ["migrate"]
    others = {name: service for name, service in ours.items() if name != "migrate"}
    assert others.keys() == {"exporter", "runner", "demo"}
    for service in others.values():
        assert service["pull_policy"] == "never"  # it is nowhere to be had
        assert "migrate" in service["depends_on"]


def test_addresses_that_people_click_have_the_ports_that_are_chosen() -> None:
    chosen = {name: f"4{value}" for name, value in defaults().items() if name.endswith("_PORT")}
    for name, port in (("prometheus", "PROMETHEUS_PORT"), ("alertmanager", "ALERTMANAGER_PORT")):
        (script,) = SERVICES[name]["command"]
        assert f"--web.external-url=http://127.0.0.1:{chosen[port]}/" in put_in(script, chosen)


@every
def test_a_port_is_open_on_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@every
def test_a_container_can_write_only_where_it_must_and_has_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith(("0", "root"))
    assert "privileged" not in service
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@every
def test_what_runs_on_says_whether_it_is_well_and_starts_again(name: str) -> None:
    service = SERVICES[name]
    assert ("healthcheck" in service) == (name not in ONCE)
    assert (service["restart"] == "unless-stopped") == (name not in ONCE)


@every
def test_what_is_mounted_is_there_and_cannot_be_written(name: str) -> None:
    for source, _, how in mounts(SERVICES[name]):
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert how == "ro", source
        else:
            assert source in COMPOSE["volumes"]


def test_every_volume_is_used() -> None:
    used = {source for service in SERVICES.values() for source, _, _ in mounts(service)}
    assert set(COMPOSE["volumes"]) <= used


@every
def test_a_service_waits_for_what_tells_that_it_is_ready(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
        assert how["condition"] == wanted
        assert "profiles" not in SERVICES[other]


def test_grafana_has_every_variable_that_its_files_name() -> None:
    given = environment("grafana", {name: value or "x" for name, value in defaults().items()})
    assert given.keys() >= VARIABLES
    assert all(given[name] for name in VARIABLES)


def test_the_roles_have_the_passwords_that_the_services_use() -> None:
    values = {name: name for name in defaults()}
    script = (ROOT / "deploy" / "postgres" / "roles.sql").read_text("utf-8")
    told = environment("postgres", values)
    for variable in re.findall(r"\\getenv \w+ (\w+)", script):
        assert told[variable] == variable
    assert environment("migrate", values)["PGPASSWORD"] == "EVALUATION_OWNER_PASSWORD"
    assert environment("runner", values)["PGPASSWORD"] == "EVALUATION_WRITER_PASSWORD"
    assert environment("grafana", values)["GRAFANA_DB_PASSWORD"] == "EVALUATION_READER_PASSWORD"


def test_names_within_the_network_are_those_of_services() -> None:
    files = [ROOT / "deploy" / "prometheus" / "prometheus.yml", FILE]
    files.append(ROOT / "deploy" / "alertmanager" / "receivers" / "mailpit.yml")
    hosts = {
        found
        for file in files
        for found in re.findall(r"(?:[@/\" ])([a-z]+):(?:\d{4,5})\b", file.read_text("utf-8"))
    }
    assert {"exporter", "alertmanager", "postgres", "mailpit"} <= hosts
    assert hosts <= set(SERVICES) | {"localhost"}


def test_only_demo_and_mailbox_have_to_be_asked_for() -> None:
    asked = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert {n: p for n, p in asked.items() if p} == {"demo": ["demo"], "mailpit": ["mail"]}


def test_the_config_to_start_from_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1/x")
    loaded = load_config(ROOT / "deploy" / "evaluation" / "evaluation.yaml")
    assert not loaded.warnings
    assert loaded.models


def test_secrets_and_receivers_of_a_site_are_never_committed(tmp_path: Path) -> None:
    never = [
        ".env", "deploy/alertmanager/secrets/slack-url", "deploy/alertmanager/receivers/slack.yml",
        "deploy/evaluation/data/churn-2026-01.parquet",
    ]  # fmt: skip
    kept = ["deploy/alertmanager/receivers/none.yml", "deploy/alertmanager/secrets/.gitignore"]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for source in (".gitignore", "deploy/alertmanager/secrets/.gitignore"):
        target = tmp_path / source
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text((ROOT / source).read_text("utf-8"), "utf-8")
    command = ["git", "-C", str(tmp_path), "check-ignore", *never, *kept]
    ignored = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    assert ignored == never


def described(value: Any) -> Mapping[str, Any]:
    assert isinstance(value, Mapping)
    return value


def test_merged_keys_are_whole() -> None:
    """YAML's `<<` replaces a list or mapping as a whole: a service that names its own has all it needs."""
    demo = described(SERVICES["demo"]["environment"])
    assert demo.keys() >= {"DATABASE_URL", "PGPASSWORD", "XDG_STATE_HOME"}
    assert yaml.safe_load(TEXT)["services"]["migrate"]["volumes"] == []
