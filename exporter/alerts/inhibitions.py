"""Which alerts of a model keep others of it from being sent.

As deploy/alertmanager/alertmanager.yml says it to Alertmanager; `exporter alerts` says it of what stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SAME = ("project", "model", "evaluation", "stream")  # of whole batches: of their segments, too


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert with the labels of `source` fires, those like `target` with the same stream are not sent.

    Labels are given with the regular expression that all of their value fits.
    """

    source: Mapping[str, str]
    target: Mapping[str, str]

    def holds(self, source: Mapping[str, str], target: Mapping[str, str]) -> bool:
        """Whether the one alert keeps the other from being sent."""
        return (
            _fits(source, self.source)
            and _fits(target, self.target)
            and all(source.get(name, "") == target.get(name, "") for name in SAME)
        )


INHIBITIONS = (
    Inhibition({"alertname": "EvaluationBatchLate"}, {"component": "tests|figures"}),
    Inhibition(
        {"component": "tests", "severity": "page"},
        {"component": "tests|figures", "severity": "warning|info"},
    ),
)


def inhibited_by(
    alert: Mapping[str, str], sources: Iterable[Mapping[str, str]]
) -> Mapping[str, str] | None:
    """The first of the *sources* that keeps an alert from being sent, by the first rule that says so."""
    found = (s for rule in INHIBITIONS for s in sources if rule.holds(s, alert))
    return next(found, None)


def is_source(alert: Mapping[str, str]) -> bool:
    """Whether an alert may keep others from being sent: few do."""
    return any(_fits(alert, rule.source) for rule in INHIBITIONS)


def _fits(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(re.fullmatch(value, labels.get(name, "")) for name, value in wanted.items())
