"""The answer at the top of a report: what is wrong, in one sentence or two, and what it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from exporter.report.findings import BAD, WORST_FIRST
from exporter.report.numbers import number, plural
from exporter.report.times import moment_said, window_said
from exporter.snapshot import ReferenceInfo, Snapshot, Status

BAR = 1000  # length of the bar of counts, in its own units
MOST_COLUMNS = 3  # that a sentence names


@dataclass(frozen=True, slots=True)
class Verdict:
    """The head of a report."""

    status: Status
    title: str
    about: str
    answers: Sequence[str]
    counts: Sequence[tuple[Status, int]]  # those there are, the worst first
    bar: Sequence[tuple[Status, int, int]]  # status, from, length
    facts: Sequence[tuple[str, str]]
    tags: Sequence[tuple[str, str, bool]]  # the last: whether it tells streams apart
    metadata: Sequence[tuple[str, str]]


def verdict_of(snapshot: Snapshot, zone: tzinfo | None) -> Verdict:
    """What the head of a report says."""
    s, counts = snapshot, snapshot.counts
    there = [(status, counts[status]) for status in WORST_FIRST if counts[status]]
    parts = (s.evaluation, s.segment, s.batch and f"batch {s.batch}")
    return Verdict(
        s.status,
        s.model or s.project or "Evaluation",
        " · ".join(part for part in parts if part),
        [text for text in (_tested(s), _drift(s), _nothing(s)) if text],
        there,
        _bar(there),
        [(name, text) for name, text in _facts(s, zone) if text],
        [(name, value, name in s.stream_tags) for name, value in sorted(s.tags.items()) if value],
        [(str(name), _written(value)) for name, value in s.metadata.items()],
    )


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def listed(names: Sequence[str], most: int = MOST_COLUMNS) -> str:
    """`a, b, c and 9 more`."""
    if len(names) <= most + 1:
        return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def shortened(name: str, most: int = 60) -> str:
    """A name on one line, cut in the middle: both ends tell names apart."""
    line = "".join("↵" if c in "\r\n\u2028\u2029" else c for c in name)
    return line if len(line) <= most else f"{line[: most * 2 // 3]}…{line[-most // 3 :]}"


def _tested(s: Snapshot) -> str:
    total = len(s.tests) or sum(s.counts.values())
    if not total:
        return "Nothing was tested: the evaluation has no tests."
    c = s.counts
    judged = total - c["skipped"]
    if not judged:
        return f"None of {plural(total, 'test')} was judged: {_main_reason(s)}."
    if not any(c[status] for status in BAD):
        some = f", {c['skipped']:,} skipped" if c["skipped"] else ""
        return f"{'All ' if judged > 1 else ''}{plural(judged, 'test')} passed{some}."
    return f"{_bad_counts(c, judged)}{_where(s)}."


def _bad_counts(c: Mapping[Status, int], judged: int) -> str:
    """`21 of 61 tests failed, 2 could not be judged`."""
    said: dict[Status, str] = {
        "fail": "failed", "warning": "gave a warning", "error": "could not be judged",
    }  # fmt: skip
    found = [(c[name], text) for name, text in said.items() if c[name]]
    first, *others = found
    head = f"{first[0]:,} of {plural(judged, 'test')} {first[1]}"
    return ", ".join([head, *(f"{count:,} {text}" for count, text in others)])


def _where(s: Snapshot) -> str:
    """Which of the batch as a whole, and in which columns, those with the most trouble first."""
    bad = [t for t in s.tests if t.status in BAD]
    if 0 < len(bad) <= MOST_COLUMNS:
        return ": " + listed([_named(t.test, t.column) for t in bad])
    whole = list(dict.fromkeys(shortened(t.test, 40) for t in bad if not t.column))
    found = Counter(t.column for t in bad if t.column)
    severity = {row.column: row.severity or 0.0 for row in s.drift}
    ordered = sorted(found, key=lambda name: (-found[name], -severity.get(name, 0.0)))
    parts = [listed(whole)] if whole else []
    if found:
        names = listed([shortened(n, 40) for n in ordered])
        parts.append(f"in {plural(len(found), 'column')} ({names})")
    return ": " + "; ".join(parts) if parts else ""


def _named(test: str, column: str) -> str:
    return shortened(test, 40) + (f" of {shortened(column, 40)}" if column else "")


def _main_reason(s: Snapshot) -> str:
    reasons = Counter(t.message for t in s.tests if t.message)
    return reasons.most_common(1)[0][0] if reasons else "no reason given"


def _drift(s: Snapshot) -> str:
    if not s.drift:
        return ""
    compared = [row for row in s.drift if row.error is None]
    drifted = [row for row in compared if row.drifted]
    lost = len(s.drift) - len(compared)
    untold = f" {plural(lost, 'column')} could not be compared." if lost else ""
    if not compared:
        return untold.strip()
    if not drifted:
        return f"No drift in {plural(len(compared), 'column')}.{untold}"
    worst = max(drifted, key=lambda row: row.severity or 0.0)
    return (
        f"{len(drifted):,} of {plural(len(compared), 'column')} drifted, most of all"
        f" {shortened(worst.column, 40)} (severity {number(worst.severity, 3)}).{untold}"
    )


def _nothing(s: Snapshot) -> str:
    return "" if s.rows else "The batch has no rows."


def _bar(counts: Sequence[tuple[Status, int]]) -> list[tuple[Status, int, int]]:
    """Where each status lies on the bar."""
    total, ends, seen = sum(count for _, count in counts), [0], 0
    for _, count in counts:
        seen += count
        ends.append(round(BAR * seen / total))
    return [
        (status, start, end - start)
        for (status, _), start, end in zip(counts, ends, ends[1:], strict=False)
    ]


def _facts(s: Snapshot, zone: tzinfo | None) -> list[tuple[str, str]]:
    labelled = (
        "" if s.labelled_rows is None else f", {s.labelled_rows:,} with target and prediction"
    )
    again = f"{s.revision:,}" + (
        f" (replaced {plural(s.revision - 1, 'time')})" if s.revision > 1 else ""
    )
    return [
        ("Window", window_said(s.window_start, s.window_end, zone) or (s.batch and "none: a named batch")),
        ("Rows", f"{s.rows:,}{labelled}"),
        ("Reference", _reference_said(s.reference, s.reference_rows, zone)),
        ("Computed", moment_said(s.computed_at, zone)),
        ("Revision", again),
        ("Project", s.project),
        ("Snapshot", "" if s.id is None else str(s.id)),
        ("Exporter", s.exporter_version),
    ]  # fmt: skip


def _reference_said(about: ReferenceInfo, rows: int | None, zone: tzinfo | None) -> str:
    if not about.kind and rows is None:
        return "none"
    parts = [
        about.kind,
        window_said(about.start, about.end, zone),
        "" if rows is None else plural(rows, "row"),
    ]
    return "; ".join(part for part in parts if part)
