"""What Grafana reads at its start: it ignores keys that it does not know, and dies of some mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.stack.grafana import VARIABLES

ROOT = Path(__file__).parents[2] / "grafana_dashboards"
FILES = [ROOT / "provisioning" / kind / "evaluation.yaml" for kind in ("datasources", "dashboards")]
SOURCES = yaml.safe_load((ROOT / "provisioning" / "datasources" / "evaluation.yaml").read_text())
PROVIDERS = yaml.safe_load((ROOT / "provisioning" / "dashboards" / "evaluation.yaml").read_text())
TEXT, YES, NUMBER = str, bool, int
SOURCE = {
    "name": TEXT, "uid": TEXT, "type": TEXT, "access": TEXT, "url": TEXT, "user": TEXT,
    "isDefault": YES, "editable": YES, "jsonData": dict, "secureJsonData": dict, "orgId": NUMBER,
}  # fmt: skip
JSON_DATA = {
    "grafana-postgresql-datasource": {
        "database": TEXT, "sslmode": TEXT, "postgresVersion": NUMBER, "timescaledb": YES,
        "maxOpenConns": NUMBER, "maxIdleConns": NUMBER, "connMaxLifetime": NUMBER, "timeInterval": TEXT,
    },
    "prometheus": {
        "httpMethod": TEXT, "prometheusType": TEXT, "timeInterval": TEXT, "manageAlerts": YES,
        "alertmanagerUid": TEXT,
    },
    "alertmanager": {"implementation": TEXT, "handleGrafanaManagedAlerts": YES},
}  # fmt: skip
PROVIDER = {
    "name": TEXT, "orgId": NUMBER, "folder": TEXT, "folderUid": TEXT, "type": TEXT,
    "disableDeletion": YES, "allowUiUpdates": YES, "updateIntervalSeconds": NUMBER, "options": dict,
}  # fmt: skip
OPTIONS = {"path": TEXT, "foldersFromFilesStructure": YES}
UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")


def wrong(given: dict[str, Any], known: dict[str, type]) -> list[str]:
    """The keys that are not known, or hold another type."""
    return [key for key, value in given.items() if type(value) is not known.get(key)]


def values_of(data: Any) -> list[str]:
    """Every text in it."""
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return (
        [data] if isinstance(data, str) else [text for value in inner for text in values_of(value)]
    )


def test_the_data_sources_have_no_key_that_grafana_would_ignore() -> None:
    assert SOURCES.keys() == {"apiVersion", "prune", "datasources"}
    assert (SOURCES["apiVersion"], SOURCES["prune"]) == (1, True)
    for source in SOURCES["datasources"]:
        assert wrong(source, SOURCE) == []
        assert wrong(source["jsonData"], JSON_DATA[source["type"]]) == []
        assert source.get("secureJsonData", {}).keys() <= {"password"}
        assert source["access"] == "proxy"
        assert source["editable"] is False


def test_a_mistake_in_a_key_or_type_would_be_seen() -> None:
    assert wrong({"uid": "x", "uuid": "x", "isDefault": "true"}, SOURCE) == ["uuid", "isDefault"]
    assert wrong({"updateIntervalSeconds": True}, PROVIDER) == ["updateIntervalSeconds"]


def test_the_data_sources_have_the_uids_that_everything_names() -> None:
    kinds = {source["uid"]: source["type"] for source in SOURCES["datasources"]}
    assert kinds == {
        "evaluation-postgres": "grafana-postgresql-datasource",
        "evaluation-prometheus": "prometheus",
        "evaluation-alertmanager": "alertmanager",
    }
    names = [source["name"] for source in SOURCES["datasources"]]
    assert len(set(names)) == len(names)
    assert [s["uid"] for s in SOURCES["datasources"] if s.get("isDefault")] == [
        "evaluation-postgres"
    ]
    (prometheus,) = (s for s in SOURCES["datasources"] if s["type"] == "prometheus")
    assert prometheus["jsonData"]["alertmanagerUid"] in kinds


def test_the_database_is_named_where_every_grafana_looks() -> None:
    postgres = SOURCES["datasources"][0]
    assert postgres["jsonData"]["database"] == "$POSTGRES_DB"
    assert "database" not in postgres
    assert postgres["url"] == "$POSTGRES_HOST:$POSTGRES_PORT"


def test_the_provider_has_no_key_that_grafana_would_ignore() -> None:
    assert PROVIDERS.keys() == {"apiVersion", "providers"}
    for provider in PROVIDERS["providers"]:
        assert wrong(provider, PROVIDER) == []
        assert wrong(provider["options"], OPTIONS) == []
        assert provider["updateIntervalSeconds"] > 10
    provider = PROVIDERS["providers"][0]
    assert UID.fullmatch(provider["folderUid"])
    assert (
        provider["options"]["foldersFromFilesStructure"] is False
    )  # it wants no folder of its own


def test_not_all_providers_have_one_folder_since_grafana_would_make_its_dashboards_anew_at_each_start() -> (
    None
):
    first, second = PROVIDERS["providers"]
    assert first["folder"] != second.get("folder", "")
    assert second["options"] == {"path": "/dev/null"}  # it is there everywhere, and has nothing


def test_grafana_finds_every_folder_that_it_looks_for_and_nothing_that_it_skips() -> None:
    folders = {path.name: path for path in (ROOT / "provisioning").iterdir()}
    assert folders.keys() == {"alerting", "dashboards", "datasources", "examples", "plugins"}
    read = (file for name, path in folders.items() if name != "examples" for file in path.iterdir())
    assert {file.suffix for file in read if file.name != ".gitkeep"} == {".yaml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_variable_is_a_plain_name_that_the_stack_gives(file: Path) -> None:
    for text in values_of(yaml.safe_load(file.read_text())):
        names = re.findall(r"\$([A-Z_]+)", text)
        assert text.count("$") == len(names), text  # no ${…}, no $__env{…}, no default, no $$
        assert set(names) <= VARIABLES
    assert "${" not in file.read_text()


def test_every_variable_is_used() -> None:
    texts = [text for file in FILES for text in values_of(yaml.safe_load(file.read_text()))]
    assert {name for text in texts for name in re.findall(r"\$([A-Z_]+)", text)} == VARIABLES


def test_no_text_could_be_read_as_a_number_or_a_truth() -> None:
    for file in FILES:
        for text in values_of(yaml.safe_load(file.read_text())):
            assert not re.fullmatch(r"[-+\d.eE]+|true|false|null|", text), text


def test_the_folder_holds_only_dashboards_and_what_is_provisioned() -> None:
    found = {path.name for path in ROOT.iterdir() if path.suffix != ".json"}
    assert found <= {"provisioning", "alerting"}
    titles = [json.loads(path.read_text())["title"] for path in ROOT.glob("*.json")]
    assert len(set(titles)) == len(titles)  # two of one title, and Grafana applies no file at all


def test_batches_of_prometheus_are_as_often_as_the_data_source_thinks() -> None:
    config = yaml.safe_load((ROOT.parent / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (prometheus,) = (s for s in SOURCES["datasources"] if s["type"] == "prometheus")
    assert config["global"]["scrape_interval"] == prometheus["jsonData"]["timeInterval"]
