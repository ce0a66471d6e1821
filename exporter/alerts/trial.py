"""A test alert on its way: at which station it is, and where to look where it does not arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import requests

from exporter.errors import ExporterError

LENGTH = timedelta(minutes=10)
PATIENCE = 90.0  # seconds for each station
_PAUSE = 1.0
_LONGEST = 5.0  # of one request
_ALERT = "EvaluationTestAlert"
_GAUGE = "evaluation_exporter_test_alert"


@dataclass(frozen=True, slots=True)
class Station:
    """A place that the alert comes by."""

    what: str
    look: Callable[[], str]  # what is seen there; empty while it is not there
    advice: str

    def reached(self, patience: float = PATIENCE) -> str:
        """What is seen when it is there; an ExporterError where it does not come in time."""
        end = time.monotonic() + patience
        problem = ""
        while True:
            try:
                if seen := self.look():
                    return seen
                problem = ""
            except (requests.RequestException, ValueError, KeyError, TypeError) as error:
                problem = f" ({_reason(error)})"
            if time.monotonic() >= end:
                raise ExporterError(
                    f"not within {patience:g} s: {self.what}{problem}. {self.advice}"
                )
            time.sleep(_PAUSE)


def stations(prometheus: str | None, alertmanager: str | None) -> Iterator[Station]:
    """The stations that can be watched, in the order of the way; none where no address is given."""
    if prometheus:
        place = prometheus.rstrip("/")
        yield Station(
            "Prometheus sees it on /metrics",
            lambda: _scraped(place),
            f"Does `exporter serve` run on this store, and is it up on {place}/targets?"
            f" `curl …/metrics | grep {_GAUGE}` shows 1.",
        )
        yield Station(
            "Prometheus fires it",
            lambda: _fired(place),
            f"Is {_ALERT} on {place}/rules? deploy/prometheus/rules/evaluation.yml belongs under `rule_files:`.",
        )
    if alertmanager:
        there = alertmanager.rstrip("/")
        yield Station(
            "Alertmanager has it",
            lambda: _arrived(there),
            f"Is {there} under `alerting:` of Prometheus' configuration? Its log says what it could not send.",
        )


def _scraped(place: str) -> str:
    found = _asked(f"{place}/api/v1/query?{urlencode({'query': f'{_GAUGE} == 1'})}")
    shown = [sample["metric"].get("instance", "") for sample in found["data"]["result"]]
    return f"from {', '.join(shown)}" if shown else ""


def _fired(place: str) -> str:
    found = _asked(f"{place}/api/v1/alerts")["data"]["alerts"]
    states = [a["state"] for a in found if a["labels"].get("alertname") == _ALERT]
    return "firing" if "firing" in states else ""


def _arrived(place: str) -> str:
    wanted = urlencode({"filter": f'alertname="{_ALERT}"'})
    found = _asked(f"{place}/api/v2/alerts?{wanted}")
    if not found:
        return ""
    receivers = sorted({receiver["name"] for alert in found for receiver in alert["receivers"]})
    quiet = all(alert["status"]["state"] == "suppressed" for alert in found)
    return f"for {', '.join(receivers)}" + (", but silenced or inhibited there" if quiet else "")


def _asked(address: str) -> Any:
    answer = requests.get(address, timeout=_LONGEST)
    answer.raise_for_status()
    return answer.json()


def _reason(error: Exception) -> str:
    """What happened, without the address that requests repeats."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP {error.response.status_code}"
    if isinstance(error, requests.ConnectionError):
        return "nobody listens there"
    return "no answer in time" if isinstance(error, requests.Timeout) else "not its answer"
