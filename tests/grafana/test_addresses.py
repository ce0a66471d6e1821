"""Where a snapshot is found in Grafana."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from store.samples import DAY, FIRST, snapshot

from exporter.grafana.addresses import addresses_of, fleet_address
from exporter.snapshot import Snapshot

GRAFANA = "https://grafana.example.com/team"


def variables(address: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}


def moment(text: str) -> datetime:
    return datetime.fromtimestamp(int(text) / 1000, UTC)


def test_a_snapshot_is_shown_by_its_model_and_by_the_column_that_drifted_farthest() -> None:
    (first, model), (second, column) = addresses_of(snapshot(), GRAFANA)
    assert (first, second) == ("Model in Grafana", "Column temp in Grafana")
    assert model.startswith(f"{GRAFANA}/d/evaluation-model-overview?")
    assert column.startswith(f"{GRAFANA}/d/evaluation-column?")
    assert variables(column)["var-column"] == "temp"
    given = variables(model)
    assert moment(given["from"]) < FIRST < FIRST + DAY < moment(given["to"])
    assert {k: v for k, v in given.items() if k.startswith("var-")} == {
        "var-project": "p",
        "var-model": "m",
        "var-evaluation": "inputs",
        "var-segment": "whole batch",
        "var-stream": "arm=champion",
    }


def test_names_from_the_data_are_quoted() -> None:
    hostile = snapshot("a&var-model=b#?/\"'<é", segment="x=1&2", tags={}, stream_tags=())
    (_, address), _ = addresses_of(hostile, GRAFANA)
    given = variables(address)
    assert (given["var-model"], given["var-segment"]) == (hostile.model, "x=1&2")
    assert given["var-stream"] == "no tags"
    assert not set("\"'<") & set(address)


def test_without_drift_the_column_is_that_of_a_failed_test_and_else_there_is_none() -> None:
    calm = snapshot(drift=())
    assert [text for text, _ in addresses_of(calm, GRAFANA)][1] == "Column temp in Grafana"
    assert len(list(addresses_of(replace(calm, tests=()), GRAFANA))) == 1


@pytest.mark.parametrize(
    "odd",
    [
        snapshot(window_start=None, window_end=None, batch="replay"),
        snapshot(window_start=datetime(1970, 1, 1, tzinfo=UTC), window_end=FIRST),
        snapshot(window_start=datetime(1, 1, 1, tzinfo=UTC), window_end=datetime(1, 1, 2, tzinfo=UTC)),
        snapshot(window_start=FIRST, window_end=datetime(9999, 12, 31, tzinfo=UTC)),
        snapshot(window_start=FIRST, window_end=FIRST + timedelta(microseconds=1)),
    ],
)  # fmt: skip
def test_every_snapshot_has_a_range(odd: Snapshot) -> None:
    for _, address in addresses_of(odd, GRAFANA):
        assert int(variables(address)["from"]) < int(variables(address)["to"])


def test_the_fleet_has_an_address() -> None:
    assert fleet_address(GRAFANA) == f"{GRAFANA}/d/evaluation-fleet-overview"
