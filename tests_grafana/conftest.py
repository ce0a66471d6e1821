"""One real Grafana for all tests of this folder, and the page about the run once all of them are through."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import server

from exporter.stack.settings import GET_GRAFANA, Grafana, find_grafana
from tests_grafana.chain import Chain, chained
from tests_grafana.outcome import Outcome, write

__all__ = ["server"]  # a fixture of the suite's
_OUTCOME = pytest.StashKey[Outcome]()


@pytest.fixture(scope="session")
def found() -> Grafana:
    """The Grafana that is tried."""
    named = os.environ.get("GRAFANA_HOME")
    found = find_grafana(Path(named) if named else None, os.environ)
    assert found, f"there is no Grafana here: make test-grafana GRAFANA_HOME=folder; {GET_GRAFANA}"
    return found


@pytest.fixture(scope="session")
def chain(server: str, found: Grafana, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """Grafana, and what it stands beside, at work."""
    with chained(server, found, tmp_path_factory.mktemp("chain")) as running:
        yield running


@pytest.fixture(scope="session")
def outcome(request: pytest.FixtureRequest) -> Outcome:
    """What is recorded of this run."""
    return request.config.stash.setdefault(_OUTCOME, Outcome())


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the page, where nothing failed and nothing was left out but the browser."""
    outcome = session.config.stash.get(_OUTCOME, Outcome())
    if exitstatus == 0 and outcome.is_whole:
        write(outcome)
