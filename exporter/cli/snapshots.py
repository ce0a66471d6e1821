"""Snapshots as a person reads them in a terminal: one in full, or many as a line each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from exporter.cli.tables import figure, many, one_line, print_table, tags_text, window_of

if TYPE_CHECKING:
    from exporter.snapshot import CheckResult, MetricRow, Snapshot

HEADS = (
    "id",
    "window",
    "model",
    "evaluation",
    "segment",
    "tags",
    "batch",
    "rows",
    "status",
    "failed",
)
_WORST_FIRST = ("error", "fail", "warning", "skipped", "success")
_MANY = 40  # lines of a run's table on a terminal
_LONGEST_LIST = 60  # figures shown on a terminal of a snapshot that has tests, too
_TIMES = ("first", "last")  # figures that are seconds since 1970


def print_snapshot(snapshot: Snapshot, zone: str = "UTC") -> None:
    """What it is about, then its tests, worst first, its drift, and its figures."""
    for line in _about(snapshot, zone):
        click.echo(one_line(line))
    if snapshot.tests:
        click.echo()
        print_table(
            ("test", "column", "status", "value", "why"),
            [
                (t.test, _place(t.column, t.label), t.status, figure(t.value), t.message)
                for t in sorted(snapshot.tests, key=lambda t: _WORST_FIRST.index(t.status))
            ],
            right=("value",),
        )
    if snapshot.drift:
        click.echo()
        print_table(
            ("drift of", "method", "score", "threshold", "drifted", "severity"),
            [
                (d.column, d.method, figure(d.score), figure(d.threshold), d.error or _yes(d.drifted),
                 figure(d.severity))
                for d in sorted(snapshot.drift, key=lambda d: -(d.severity or 0))
            ],
            right=("score", "threshold", "severity"),
        )  # fmt: skip
    _print_figures(snapshot)


def head_line(snapshot: Snapshot, zone: str) -> tuple[str, ...]:
    """A snapshot as a row under HEADS."""
    counts = snapshot.counts
    return (
        str(snapshot.id or ""),
        window_of(snapshot.window_start, snapshot.window_end, zone),
        snapshot.model,
        snapshot.evaluation,
        snapshot.segment,
        tags_text(dict(snapshot.tags)),
        snapshot.batch,
        f"{snapshot.rows:,}",
        snapshot.status,
        _of(counts["fail"] + counts["error"], sum(counts.values())),
    )


def print_results(made: Sequence[Snapshot], zone: str) -> None:
    """What a run has made, a line a snapshot; of many, on a terminal, those that want a look."""
    shown = list(made)
    if len(made) > _MANY and sys.stdout.isatty():
        bad = [s for s in made if s.status not in ("success", "skipped")]
        shown = bad[-_MANY:]
        if len(shown) < len(bad):
            click.echo(f"the newest {_MANY} of {len(bad)} that want a look:\n")
    if shown:
        rows = [_result_line(snapshot, zone) for snapshot in shown]
        print_table(
            ("batch", "evaluation", "rows", "status", "failed", "worst"), rows, right=("rows",)
        )
    found = [s.status for s in made]
    told = ", ".join(f"{found.count(s):,} {s}" for s in reversed(_WORST_FIRST) if s in found)
    click.echo(f"{many(len(made), 'snapshot')}: {told}")


def _result_line(snapshot: Snapshot, zone: str) -> tuple[str, ...]:
    tags = ", ".join(snapshot.stream.values())
    names = (snapshot.model, tags, snapshot.evaluation, snapshot.segment)
    window = window_of(snapshot.window_start, snapshot.window_end, zone)
    counts = snapshot.counts
    return (
        " ".join(x for x in (window, snapshot.batch) if x),
        " / ".join(name for name in names if name),
        f"{snapshot.rows:,}",
        snapshot.status,
        _of(counts["fail"] + counts["error"], sum(counts.values())),
        worst_of(snapshot),
    )


def worst_of(snapshot: Snapshot) -> str:
    """What went wrong most, and how: of the failed tests, else the column that drifted farthest.

    A test of a column goes before one of the whole: it says where to look.
    """
    tests = [t for t in snapshot.tests if t.status in ("fail", "error", "warning")]
    if tests:
        first = min(tests, key=lambda t: (_WORST_FIRST.index(t.status), not t.column, _beyond(t)))
        place = f"{first.column}: " if first.column else ""
        said = figure(first.value) if first.value is not None else f"({first.message})"
        return f"{place}{first.test} {said}"
    drifted = [d for d in snapshot.drift if d.drifted]
    if not drifted:
        return ""
    far = max(drifted, key=lambda d: d.severity or 0)
    return f"{far.column}: drifted, severity {figure(far.severity)}"


def _beyond(test: CheckResult) -> float:
    """Minus how far the value lies beyond its bound, relative to it."""
    bounds = [b for b in (test.lower, test.upper) if b is not None]
    if test.value is None or not bounds:
        return 0.0
    return -min(abs(test.value - b) / (abs(b) or 1.0) for b in bounds)


def _about(snapshot: Snapshot, zone: str) -> Iterator[str]:
    names = (snapshot.project, snapshot.model, snapshot.evaluation, snapshot.segment)
    title = " / ".join(name for name in names if name)
    window = window_of(snapshot.window_start, snapshot.window_end, zone)
    about = ", ".join(
        x for x in (title, window, snapshot.batch, tags_text(dict(snapshot.tags))) if x
    )
    if about:
        yield about
    counts = ", ".join(f"{n} {status}" for status, n in snapshot.counts.items() if n)
    rows = f"{snapshot.rows:,} rows"
    if snapshot.reference_rows:
        rows += f" beside {snapshot.reference_rows:,} of the reference"
    yield f"{snapshot.status}: {rows}; tests: {counts}" if counts else f"{rows}; no tests"
    if snapshot.labelled_rows is not None:
        yield f"{snapshot.labelled_rows:,} rows have both prediction and target"


def _print_figures(snapshot: Snapshot) -> None:
    few = snapshot.tests and sys.stdout.isatty()
    rows = snapshot.metrics[:_LONGEST_LIST] if few else snapshot.metrics
    if not rows:
        return
    click.echo()
    print_table(
        ("metric", "column", "value", "reference", ""),
        [
            (
                _name(m),
                _place(m.column, m.label),
                _said(m, m.value),
                _said(m, m.reference),
                m.error or "",
            )
            for m in rows
        ],
        right=("value", "reference"),
    )
    if len(rows) < len(snapshot.metrics):
        left = len(snapshot.metrics) - len(rows)
        click.echo(f"and {left} more figures: --format json shows all")


def _said(row: MetricRow, value: float | None) -> str:
    if value is None or row.metric not in _TIMES:
        return figure(value)
    from exporter.snapshot import instant

    return instant(value)


def _name(row: MetricRow) -> str:
    options = ", ".join(f"{k}={v}" for k, v in row.params.items() if v is not None)
    return f"{row.name or row.metric}({options})" if options else row.name or row.metric


def _place(column: str, label: str) -> str:
    return f"{column} [{label}]".strip() if label else column


def _yes(drifted: bool | None) -> str:
    return "" if drifted is None else "yes" if drifted else "no"


def _of(count: int, of: int) -> str:
    return f"{count} of {of}" if of else ""
