"""What a run in a real Grafana came to, and the page that records it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.results import machine

PAGE = Path(__file__).parents[1] / "docs" / "grafana-tests.md"
HEAD = """\
# In a real Grafana

`make test-grafana GRAFANA_HOME=folder` starts a real Grafana on this machine with the files and the environment of a
deployment, beside a real PostgreSQL, exporter, Prometheus and Alertmanager with theirs. The store is filled by the
pipeline: thirty made-up models of every task, and one whose project, model, columns, categories, classes, tests,
segments and versions are all named like `<script>alert(1)</script>`, O'Brien or `"><svg onload=alert(3)>`. All is asked
as whoever looks, a Viewer, and Grafana reads the store as the role `grafana`. The run fails where

- Grafana logs an error, or does not give back a dashboard as its file has it;
- a query of a panel, variable or annotation is answered with an error, or with other columns or another number of rows
  than the suite's own expansion of macros and variables gives (`tests/grafana/`, without Grafana);
- an alert rule is missing, or was evaluated with an error, also one that its state hides;
- a failing test of the store does not reach Alertmanager, with all of its labels, within two minutes of firing;
- a hostile name runs as a script, or as markup, in a browser: in tables, legends, headers, events, or report pages.

This page is what the last run wrote.

"""


@dataclass
class Outcome:
    """Figures of a run, as far as it came."""

    version: str = ""
    dashboards: int = 0
    queries: dict[str, dict[str, int]] = field(default_factory=dict)  # dashboard -> what -> number
    seconds: list[float] = field(default_factory=list)  # each request's
    slowest: tuple[float, str] = (0.0, "")
    rules: int = 0
    told: int = 0  # alerts that reached Alertmanager
    fired_after: float = 0.0  # seconds from Grafana's first answer to the first alert that fires
    told_after: float = 0.0  # seconds from there to Alertmanager having all of them
    logged: int | None = None  # entries
    shown: dict[str, int] = field(default_factory=dict)  # dashboard in a browser -> panels
    reports: int = 0  # pages of the exporter's in a browser

    @property
    def is_whole(self) -> bool:
        """Whether everything that needs no browser was tried."""
        return bool(self.dashboards and len(self.queries) == self.dashboards and self.told) and (
            self.logged is not None
        )

    def count(self, dashboard: str, what: str, number: int) -> None:
        """Add queries that were answered."""
        counted = self.queries.setdefault(dashboard, {})
        counted[what] = counted.get(what, 0) + number

    def timed(self, seconds: float, what: str) -> None:
        """Keep what a request took."""
        self.seconds.append(seconds)
        self.slowest = max(self.slowest, (seconds, what))


def write(outcome: Outcome) -> None:
    """Write the page."""
    PAGE.write_text(HEAD + "\n".join(_lines(outcome)) + "\n", "utf-8")


def _lines(outcome: Outcome) -> Iterator[str]:
    ordered = sorted(outcome.seconds)
    yield f"{machine()} Grafana {outcome.version}.\n"
    yield f"- {outcome.dashboards} dashboards in the folder Evaluation, each as its file."
    yield (
        f"- {sum(sum(q.values()) for q in outcome.queries.values()):,} queries in {len(ordered):,} requests, one"
        f" after the other, in {sum(ordered):.0f} s: half of them within {_at(ordered, 0.5):.0f} ms, 99 of 100 within"
        f" {_at(ordered, 0.99):.0f} ms, the slowest in {outcome.slowest[0] * 1000:.0f} ms ({outcome.slowest[1]})."
    )
    yield (
        f"- {outcome.rules} alert rules, all of them evaluated in good health. The first fired {outcome.fired_after:.0f} s"
        f" after Grafana's start; {outcome.told_after:.0f} s later Alertmanager had all {outcome.told} alerts of failing tests."
    )
    yield f"- {outcome.logged} entries in Grafana's log at level warn or above, no error among them."
    if outcome.shown and outcome.reports:
        yield (
            f"- In a browser, of the model with hostile names: {len(outcome.shown)} dashboards with {sum(outcome.shown.values())} panels,"
            f" none of them broken, and {outcome.reports} pages of the exporter's. No script ran, and names made no markup."
        )
    else:
        yield "- Without a browser: `playwright` was not there."
    yield "\nQueries by dashboard, of so many openings of it:\n"
    yield "| dashboard | openings | variables | events | panels |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, counted in sorted(outcome.queries.items()):
        numbers = (counted.get(w, 0) for w in ("openings", "variables", "events", "panels"))
        yield f"| {name} | {' | '.join(map(str, numbers))} |"


def _at(ordered: list[float], share: float) -> float:
    return ordered[int(share * (len(ordered) - 1))] * 1000
