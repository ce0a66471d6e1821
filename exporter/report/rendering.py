"""Snapshots as HTML: whole pages under a strict content security policy, and a fragment for notebooks."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from exporter.report.drifted import columns_of
from exporter.report.figures import dataset_figures, quality_figures, quality_tables
from exporter.report.findings import BAD, MOST_SHOWN, WORST_FIRST, faults, findings_of, untested
from exporter.report.numbers import plural
from exporter.report.overview import Mark, marks_of, projects_of
from exporter.report.times import window_short
from exporter.report.verdict import shortened, verdict_of
from exporter.snapshot import Snapshot

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

SAFE_SCHEMES = ("", "http", "https")
# Control characters, those that turn the direction of what follows, halves of characters.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a page leads on: a Grafana dashboard, the index, the JSON form.

    `href` is relative, or http(s); a ValueError otherwise.
    """

    text: str
    href: str

    def __post_init__(self) -> None:
        if urlsplit(self.href.strip()).scheme.lower() not in SAFE_SCHEMES:
            raise ValueError(f"a link leads to http, https or a relative address: {self.href!r}")


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a sheet: paragraphs under a heading that is linked to by *anchor*."""

    anchor: str
    title: str
    parts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Snapshots of the same stream before and after this one, oldest first; heads are enough."""

    earlier: Sequence[Snapshot] = ()
    later: Sequence[Snapshot] = ()


def page(
    snapshot: Snapshot,
    *,
    neighbours: Neighbours | None = None,
    links: Sequence[Link] = (),
    timezone: tzinfo | None = None,
    folder: str | None = "",
) -> str:
    """The report of a snapshot: a whole HTML document, nothing of it from elsewhere.

    A neighbour's page is *folder* and its id, by default beside this page's own address; with
    None neighbours are shown, and lead nowhere. Times are told in *timezone*, or in the one that
    they carry.
    """
    verdict = verdict_of(snapshot, timezone)
    when = snapshot.batch or window_short(snapshot.window_start, snapshot.window_end, timezone)
    parts = (verdict.status.upper(), verdict.title, snapshot.evaluation, when)
    return _render(
        "page.html",
        title=" · ".join(shortened(part) for part in parts if part),
        strip=_strip(snapshot, neighbours, when, timezone, folder),
        links=links,
        level=1,
        **_content(snapshot, timezone),
    )


def notebook_cell(snapshot: Snapshot) -> str:
    """The report of a snapshot as a fragment that brings its own style and leaves the notebook's alone."""
    return _render("cell.html", level=2, **_content(snapshot, None))


def index(
    heads: Sequence[Snapshot],
    *,
    links: Sequence[Link] = (),
    timezone: tzinfo | None = None,
    folder: str = "snapshots/",
    note: str = "",
) -> str:
    """Projects, models and the latest snapshot of each of their streams; a whole HTML document.

    Heads (snapshots without rows) are enough. Where a stream has several, they are shown in a
    row, the newest last. A snapshot's page is *folder* and its id; *note* says what is not shown.
    """
    projects = projects_of(heads, timezone, folder)
    found = Counter(s.status for p in projects for m in p.models for s in m.streams)
    return _render(
        "index.html",
        projects=projects,
        counts=[(status, found[status]) for status in WORST_FIRST if found[status]],
        totals=(
            plural(sum(found.values()), "stream"),
            plural(sum(len(p.models) for p in projects), "model"),
            plural(len(projects), "project"),
        ),
        links=links,
        note=note,
    )


def sheet(title: str, text: str, sections: Sequence[Part], *, links: Sequence[Link] = ()) -> str:
    """A page to be read, such as the runbook; what stands in `backticks` is code."""
    return _render("sheet.html", title=title, text=text, sections=sections, links=links)


def notice(title: str, text: str, *, links: Sequence[Link] = ()) -> str:
    """A page that says what is the matter, and where to go from there; a whole HTML document."""
    return _render("notice.html", title=title, text=text, links=links)


@cache
def content_security_policy() -> str:
    """The value of the header `Content-Security-Policy` under which pages look and work as they should."""
    return f"{_policy()}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@cache
def _policy() -> str:
    """What a page says of itself, so that it also holds where it is a file."""
    style = _environment().get_template("report.css").render()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'"


def _content(snapshot: Snapshot, zone: tzinfo | None) -> dict[str, Any]:
    findings = findings_of(snapshot)
    bad = [f for f in findings if f.status in BAD]
    return {
        "verdict": verdict_of(snapshot, zone),
        "findings": findings,
        "bad": bad[:MOST_SHOWN],
        "more_bad": len(bad) - len(bad[:MOST_SHOWN]),
        "columns": columns_of(snapshot),
        "quality": quality_figures(snapshot),
        "tables": quality_tables(snapshot),
        "dataset": dataset_figures(snapshot),
        "untested": untested(snapshot),
        "faults": faults(snapshot),
    }


def _strip(
    snapshot: Snapshot,
    neighbours: Neighbours | None,
    when: str,
    zone: tzinfo | None,
    folder: str | None,
) -> list[Mark]:
    """The snapshot among its neighbours; nothing where it has none."""
    if neighbours is None or not (neighbours.earlier or neighbours.later):
        return []
    (here,) = marks_of([snapshot], zone)
    return [
        *marks_of(neighbours.earlier, zone, folder),
        replace(here, when=when or here.when, address=None, here=True),
        *marks_of(neighbours.later, zone, folder),
    ]


def _render(template: str, **content: Any) -> str:
    """The page; what no document may hold (control characters, halves of characters) is replaced."""
    text = _environment().get_template(template).render(policy=_policy(), **content)
    return _UNPRINTABLE.sub("\ufffd", text)


def _with_code(text: str) -> Markup:
    """Escaped, with what stands in backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  escaped


@cache
def _environment() -> jinja2.Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("exporter.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["short"] = shortened
    made.filters["code"] = _with_code
    return made
