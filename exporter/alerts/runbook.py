"""docs/runbook.md: what every alert means, where to look, what to do, and how to silence it."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.alerts.definitions import Rule
from exporter.alerts.rules import RULES

_HEAD = """\
# Runbook

What to do when an alert arrives. Each links to its heading here; `exporter serve` shows this page under `/runbook`.
[alerts.md](alerts.md) tells how alerts come about and where they go.

First, whatever it is: `exporter alerts CONFIG` says what would be told now, and why, from the store alone.

"""
_WORDS = {"page": "pages", "warning": "warns", "info": "is only worth knowing", "": "by the test"}


def runbook_page() -> str:
    """The Markdown of docs/runbook.md."""
    return _HEAD + "\n".join(line for rule in RULES for line in _section(rule))


def _section(rule: Rule) -> Iterator[str]:
    dashboard, panel = rule.panel
    yield f"## {rule.name}\n"
    yield f"Severity: {_WORDS[rule.severity]}. Component: {rule.component}. For {rule.hold}.\n"
    yield f"**Means.** {rule.meaning}\n"
    yield f"**Look.** {rule.look} Dashboard `evaluation-{dashboard}`, panel {panel}.\n"
    yield f"    {rule.promql}\n"
    yield f"**Do.** {rule.act}\n"
    yield f"**Silence.** {rule.silence}\n"
