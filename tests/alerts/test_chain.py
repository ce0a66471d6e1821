"""From a bad batch to a message, through real servers: what is told, what is not, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from alerts.chain import Chain, chained
from alerts.servers import until
from conftest import open_folder

pytestmark = pytest.mark.server
OF_CHURN = {"alertname": "EvaluationTestsFailing", "model": "churn"}
OF_LOANS = {"alertname": "EvaluationTestsFailing", "model": "loans"}
OF_RETURNS = {"alertname": "EvaluationTestsFailing", "model": "returns"}
LATE = {"alertname": "EvaluationBatchLate", "model": "returns"}
DOWN = {"alertname": "EvaluationExporterDown"}
AWAY = {"alertname": "EvaluationStoreUnreachable"}
SILENCED = {"suppressed"}
PAGE, WARNING = {"severity": "page"}, {"severity": "warning"}


@dataclass
class Story:
    """What was seen at each stage."""

    warned: Mapping[str, Any]
    paged: Mapping[str, Any]
    pages: Mapping[str, tuple[int, str]]  # what the links of the message lead to
    late: Mapping[str, Any]
    late_pages: int
    asked: str  # what `exporter alerts` says while it pages
    trial: str
    tried: Mapping[str, Any]
    mended: Mapping[str, Any]
    warned_again: bool
    down: Mapping[str, Any]
    kept_while_down: bool
    back: Mapping[str, Any]
    away: Mapping[str, Any]
    kept_while_away: bool
    resolved: int  # messages that say that what still fails is mended


def begin(chain: Chain) -> None:
    """Good hours of two models, and a model whose last hour, a bad one, is long past."""
    for hour in (4, 3, 2, 1):
        chain.write("churn", hour)
        chain.write("loans", hour)
        chain.write("returns", hour + 5, bad=hour == 1)
    chain.call("run", "--processes", 1)


@pytest.fixture(scope="module")
def story(program: Callable[[str], str]) -> Iterator[Story]:
    """All of it, once: it takes a minute."""
    with open_folder() as folder, chained(folder, program, begin=begin) as chain:
        yield _told(chain)


def _told(chain: Chain) -> Story:
    seen: dict[str, Any] = {"warned": chain.message("firing", **OF_CHURN, **WARNING)}
    seen |= _bad_batch(chain) | _late(chain) | _trial(chain) | _mended(chain)
    seen |= _exporter_killed(chain)
    seen["resolved"] = len(chain.messages("resolved", **OF_LOANS, **PAGE))
    return Story(**seen)


def _bad_batch(chain: Chain) -> dict[str, Any]:
    for model in ("churn", "loans"):
        chain.write(model, 0, bad=True)
    chain.call("run", "--processes", 1)
    paged = chain.message("firing", **OF_CHURN, **PAGE)
    until(lambda: chain.states(**OF_CHURN, **WARNING) == SILENCED)
    links = {name: paged["annotations"][f"{name}_url"] for name in ("report", "runbook")}
    answers = {name: chain.ask(address) for name, address in links.items()}
    pages = {name: (answer.status_code, answer.text) for name, answer in answers.items()}
    return {"paged": paged, "pages": pages, "asked": chain.call("alerts")}


def _late(chain: Chain) -> dict[str, Any]:
    late = chain.message("firing", **LATE)
    until(lambda: chain.states(**OF_RETURNS, **PAGE) == SILENCED)
    return {"late": late, "late_pages": len(chain.messages("firing", **OF_RETURNS, **PAGE))}


def _trial(chain: Chain) -> dict[str, Any]:
    way = ("--prometheus", chain.prometheus, "--alertmanager", chain.alertmanager.url)
    trial = chain.call("alerts", "--test", *way)
    return {"trial": trial, "tried": chain.message("firing", alertname="EvaluationTestAlert")}


def _mended(chain: Chain) -> dict[str, Any]:
    chain.write("churn", 0)
    which = ("--model", "churn", "--force", "--from", f"{chain.hour(0):%Y-%m-%dT%H:%M}")
    chain.call("run", "--processes", 1, *which)
    mended = chain.message("resolved", **OF_CHURN, **PAGE)
    heard = until(lambda: chain.states(**OF_CHURN, **WARNING) == {"active"})
    return {"mended": mended, "warned_again": heard}


def _exporter_killed(chain: Chain) -> dict[str, Any]:
    chain.kill_exporter()
    down = chain.message("firing", **DOWN)
    until(lambda: chain.states(**OF_LOANS, **PAGE) == SILENCED)
    seen = {"down": down, "kept_while_down": chain.fires(**OF_LOANS, **PAGE)}
    with chain.exporting():
        seen["back"] = chain.message("resolved", **DOWN)
        return seen | _database_killed(chain)


def _database_killed(chain: Chain) -> dict[str, Any]:
    chain.kill_database()
    away = chain.message("firing", **AWAY)
    until(lambda: chain.states(**OF_LOANS, **PAGE) == SILENCED)
    return {"away": away, "kept_while_away": chain.fires(**OF_LOANS, **PAGE)}


def test_a_failing_test_that_is_not_critical_warns(story: Story) -> None:
    assert story.warned["receiver"] == "warning"
    assert story.warned["annotations"]["description"].startswith("row_count (4 windows in a row); ")


def test_a_bad_batch_pages_with_what_it_is_about(story: Story) -> None:
    assert story.paged["receiver"] == "page"
    labels = {
        "project": "shop", "model": "churn", "evaluation": "inputs", "arm": "champion", "stream": "arm=champion",
        "component": "tests", "severity": "page", "alertname": "EvaluationTestsFailing",
    }  # fmt: skip
    assert story.paged["labels"] == labels


def test_the_message_names_the_tests_and_the_columns_that_are_worst(story: Story) -> None:
    said = story.paged["annotations"]
    assert said["summary"] == "shop / churn, inputs: 1 test fails."
    assert said["description"].startswith("missing_ratio of age; Most drifted: income (")


def test_its_links_lead_to_the_report_the_dashboard_and_what_to_do(story: Story) -> None:
    status, text = story.pages["report"]
    assert (status, "missing_ratio" in text, "churn" in text) == (200, True, True)
    status, text = story.pages["runbook"]
    assert (status, "EvaluationTestsFailing" in text) == (200, True)
    assert story.paged["annotations"]["dashboard_url"].startswith("https://grafana.example/d/")


def test_the_command_says_the_same_as_the_message(story: Story) -> None:
    assert "page  EvaluationTestsFailing  shop / churn / inputs / arm=champion" in story.asked
    assert "is not sent while EvaluationBatchLate fires" in story.asked


def test_a_late_batch_is_told_and_its_tests_are_not(story: Story) -> None:
    assert story.late["receiver"] == "warning"
    assert story.late["annotations"]["summary"] == "No new batch of shop / returns, inputs."
    assert story.late_pages == 0


def test_a_test_alert_arrives_where_pages_go(story: Story) -> None:
    assert "Prometheus fires it: firing" in story.trial
    assert "Alertmanager has it: for page" in story.trial
    assert story.tried["receiver"] == "page"


def test_a_mended_batch_ends_the_page_and_the_warning_is_heard_again(story: Story) -> None:
    assert story.mended["receiver"] == "page"
    assert story.warned_again


def test_an_exporter_that_is_killed_is_told_and_what_failed_stays_as_it_was(story: Story) -> None:
    assert story.down["receiver"] == "platform"
    assert story.kept_while_down
    assert story.back["receiver"] == "platform"


def test_a_database_that_is_killed_is_told_and_what_failed_stays_as_it_was(story: Story) -> None:
    assert story.away["receiver"] == "platform"
    assert story.kept_while_away
    assert story.resolved == 0
