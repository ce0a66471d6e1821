"""The runbook: what every alert means, where to look, what to do, and how to silence it."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.alerts.definitions import Rule
from exporter.alerts.rules import RULES

HEAD = "What to do when an alert arrives. First, whatever it is: `exporter alerts CONFIG` says what would be told now, and why, from the store alone."
_ABOUT = """\
Each alert links to its heading; `exporter serve` shows the same under `/runbook`. [alerts.md](alerts.md) tells how alerts
come about and where they go.
"""
_WORDS = {
    "page": "pages",
    "warning": "warns",
    "info": "is only worth knowing",
    "of tests": "by its tests",
    "of exporter": "pages, or warns where another exporter shows the same",
}
Section = tuple[str, str, list[tuple[str, str]]]  # an anchor, a heading, and labelled paragraphs


def sections() -> Iterator[Section]:
    """One section for each alert."""
    for rule in RULES:
        yield rule.name.lower(), rule.name, list(_parts(rule))


def runbook_page() -> str:
    """The Markdown of docs/runbook.md."""
    parts = [f"# Runbook\n\n{HEAD}\n\n{_ABOUT}"]
    for _, title, paragraphs in sections():
        parts += [f"## {title}\n", *(f"**{label}.** {said}\n" for label, said in paragraphs)]
    return "\n".join(parts)


def _parts(rule: Rule) -> Iterator[tuple[str, str]]:
    dashboard, panel = rule.panel
    severity = _WORDS[rule.severity or f"of {rule.component}"]
    yield "Severity", f"{severity}; component {rule.component}"
    yield "Means", rule.meaning
    yield "Look", f"{rule.look} Dashboard `evaluation-{dashboard}`, panel {panel}."
    yield "Query", f"`{rule.promql}`"
    yield "Do", rule.act
    yield "Silence", rule.silence
