"""The result of one evaluation of one batch, as flat rows: what is written, sent and shown."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isfinite, isnan
from typing import Any, Literal, get_args

from exporter.errors import SnapshotError

FORMAT = 1
NO_VALUE = "no value"  # the error of a figure that does not exist, such as the mean of nothing
INFINITE = "infinite"
WAIT = "wait_seconds"  # in the metadata: how long after its end a window is due
OUTCOME = "outcome"  # likewise: the columns of target, prediction and probabilities
Status = Literal["success", "warning", "fail", "error", "skipped"]
STATUSES: tuple[Status, ...] = get_args(Status)
Severity = Literal["page", "warning", "info", "none"]  # of an alert: whom it is for
_WORST_FIRST: tuple[Status, ...] = ("error", "fail", "warning", "success")


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One figure; `error` tells why there is no value, `name` is what the user called it."""

    metric: str
    column: str = ""
    label: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None
    reference: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    error: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One column compared with its reference; `severity` >= 1 means drifted, for every method."""

    column: str
    type: str
    method: str
    score: float | None = None
    threshold: float | None = None
    drifted: bool | None = None
    severity: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reference_n: int | None = None
    contributions: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Who is told of a failing test, once it has failed in `failures` of its last `windows` windows."""

    severity: Severity
    failures: int = 1
    windows: int = 1


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One test and what became of it."""

    test: str
    metric: str
    column: str = ""
    label: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "success"
    critical: bool = True
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    message: str = ""
    alert: Alert | None = None  # None: at the first failure a page if critical, else a warning


@dataclass(frozen=True, slots=True)
class Distribution:
    """A column's histogram, the reference's beside it; numeric ones have an overflow bin at either end."""

    column: str
    edges: Sequence[float] | None
    categories: Sequence[str] | None
    current: Sequence[int]
    reference: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class ReferenceInfo:
    """What a batch was compared with: `fixed`, `rolling`, `previous`, or nothing."""

    kind: str = ""
    start: datetime | None = None
    end: datetime | None = None
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The result of one evaluation of one batch (and segment); evaluation fills in the rows, its caller the rest."""

    rows: int
    project: str = ""
    model: str = ""
    evaluation: str = ""
    segment: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    stream_tags: Sequence[str] = ()
    batch: str = ""
    window_start: datetime | None = None
    window_end: datetime | None = None
    computed_at: datetime | None = None
    reference_rows: int | None = None
    labelled_rows: int | None = None
    reference: ReferenceInfo = field(default_factory=ReferenceInfo)
    exporter_version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[MetricRow] = ()
    drift: Sequence[DriftRow] = ()
    tests: Sequence[CheckResult] = ()
    distributions: Sequence[Distribution] = ()
    id: int | None = None
    revision: int = 1

    def __repr__(self) -> str:
        """In one line what came of it: its rows may be thousands."""
        where = "/".join(filter(None, (self.project, self.model, self.evaluation, self.segment)))
        tests = ", ".join(f"{count} {status}" for status, count in self.counts.items() if count)
        drifted = sum(bool(row.drifted) for row in self.drift)
        drift = f", {drifted} of {len(self.drift)} columns drifted" if self.drift else ""
        said = f"{self.rows:,} rows, {len(self.metrics):,} figures{drift}; tests: {tests or 'none'}"
        return f"<Snapshot {where + ': ' if where else ''}{self.status}, {said}>"

    @property
    def stream(self) -> dict[str, str]:
        """The tags that tell this stream from others; an empty one is an absent one."""
        return {name: self.tags[name] for name in sorted(self.stream_tags) if self.tags.get(name)}

    @property
    def counts(self) -> dict[Status, int]:
        """How many tests ended how; all five statuses are there."""
        found = [t.status for t in self.tests]
        return {status: found.count(status) for status in STATUSES}

    @property
    def status(self) -> Status:
        """The worst of the tests; an error in a test that is not critical counts as a warning.

        `skipped` where nothing was tested: a snapshot without tests is never green.
        """
        found = {
            "warning" if t.status == "error" and not t.critical else t.status for t in self.tests
        }
        return next((s for s in _WORST_FIRST if s in found), "skipped")

    @property
    def passed(self) -> bool:
        """No critical test failed or could not be done."""
        return not self.failed

    @property
    def failed(self) -> list[CheckResult]:
        """The critical tests that failed or could not be done."""
        return [t for t in self.tests if t.critical and t.status in ("fail", "error")]

    def raise_for_tests(self) -> Snapshot:
        """The snapshot itself, for chaining; a TestsFailed that names every failed critical test otherwise."""
        from exporter.errors import TestsFailed

        if self.failed:
            raise TestsFailed([_told(t) for t in self.failed])
        return self

    def as_dict(self) -> dict[str, Any]:
        """The one JSON form: from Python, `--format json`, the API and files."""
        return {
            "format": FORMAT,
            "snapshot": self.head(),
            "metrics": [_plain(row) for row in self.metrics],
            "drift": [_plain(row) for row in self.drift],
            "tests": [_plain_test(row) for row in self.tests],
            "distributions": [_plain(row) for row in self.distributions],
        }

    def head(self) -> dict[str, Any]:
        """The "snapshot" object of the JSON form: identity, counts and status."""
        return {
            "id": self.id,
            "revision": self.revision,
            "project": self.project,
            "model": self.model,
            "evaluation": self.evaluation,
            "segment": self.segment,
            "tags": dict(self.tags),
            "stream_tags": list(self.stream_tags),
            "batch": self.batch,
            "window_start": _iso(self.window_start),
            "window_end": _iso(self.window_end),
            "computed_at": _iso(self.computed_at),
            "rows": self.rows,
            "reference_rows": self.reference_rows,
            "labelled_rows": self.labelled_rows,
            "reference": {
                "kind": self.reference.kind,
                "start": _iso(self.reference.start),
                "end": _iso(self.reference.end),
                "hash": self.reference.hash,
            },
            "status": self.status,
            "tests": self.counts,
            "exporter_version": self.exporter_version,
            "metadata": dict(self.metadata),
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """The same as strict JSON: no NaN, no Infinity."""
        return json.dumps(self.as_dict(), allow_nan=False, ensure_ascii=False, indent=indent)

    def to_frame(self) -> Any:
        """Metrics, drift and tests as one pandas frame, a row a figure; `kind` tells which."""
        import pandas as pd

        rows = [{"kind": "metric", **_plain(r)} for r in self.metrics]
        rows += [
            {"kind": "drift", "metric": "column_drift", "value": d.score, **_plain(d)}
            for d in self.drift
        ]
        rows += [{"kind": "test", **_plain_test(t)} for t in self.tests]
        return pd.DataFrame(rows)

    def _repr_html_(self) -> str:
        from exporter.report import notebook_cell

        return notebook_cell(self)


def from_dict(form: Mapping[str, Any]) -> Snapshot:
    """The snapshot of that JSON form; a SnapshotError says what is wrong with it."""
    try:
        if form["format"] != FORMAT:
            raise SnapshotError(
                f"snapshot format {form['format']!r} is not known: this program reads {FORMAT}"
            )
        head = {k: v for k, v in form["snapshot"].items() if k not in ("status", "tests")}
        for moment in ("window_start", "window_end", "computed_at"):
            head[moment] = _moment(head.get(moment))
        about = dict(head.pop("reference", None) or {})
        about = {**about, "start": _moment(about.get("start")), "end": _moment(about.get("end"))}
        return Snapshot(
            **head,
            reference=ReferenceInfo(**about),
            metrics=tuple(MetricRow(**row) for row in form["metrics"]),
            drift=tuple(DriftRow(**row) for row in form["drift"]),
            tests=tuple(_test(row) for row in form["tests"]),
            distributions=tuple(Distribution(**row) for row in form["distributions"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SnapshotError(f"not a snapshot: {type(error).__name__}: {error}") from error


def content_hash(snapshot: Snapshot) -> bytes:
    """What tells two contents apart: all figures at 12 significant digits, and what they are about.

    Times, revision, exporter version and metadata are not content.
    """
    s = snapshot
    lines = [
        f"m|{r.metric}|{r.name}|{r.column}|{r.label}|{canonical(r.params)}|{r.error}|"
        + _digits((r.value, r.reference, r.low, r.high, r.n))
        for r in s.metrics
    ]
    lines += [
        f"d|{r.column}|{r.type}|{r.method}|{r.drifted}|{r.error}|"
        f"{json.dumps(r.contributions, sort_keys=True)}|"
        + _digits((r.score, r.threshold, r.severity, r.low, r.high, r.n, r.reference_n))
        for r in s.drift
    ]
    lines += [
        f"t|{r.test}|{r.metric}|{r.column}|{r.label}|{canonical(r.params)}|{r.status}|{r.critical}|"
        + _digits((r.value, r.lower, r.upper))
        + (f"|{r.alert}" if r.alert else "")
        for r in s.tests
    ]
    lines += [
        f"h|{r.column}|{list(r.categories or ())}|{list(r.current)}|{list(r.reference or ())}|"
        + _digits(tuple(r.edges or ()))
        for r in s.distributions
    ]
    reference = (s.reference.kind, _iso(s.reference.start), _iso(s.reference.end), s.reference.hash)
    about = [
        s.rows, s.reference_rows, s.labelled_rows, s.status, canonical(s.tags), reference
    ]  # fmt: skip
    digest = hashlib.sha256(repr(about).encode("utf-8", "surrogatepass"))
    digest.update("\n".join(sorted(lines)).encode("utf-8", "surrogatepass"))
    return digest.digest()


def canonical(params: Mapping[str, Any]) -> str:
    """A mapping as the one text that equal mappings share."""
    if not params:
        return "{}"
    return json.dumps(params, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def instant(seconds: float) -> str:
    """A time as people read it, to the minute, or to the second where that is not whole."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # no calendar goes so far
        return f"{seconds:g}"
    return f"{moment:%Y-%m-%d %H:%M}" if not moment.second else f"{moment:%Y-%m-%d %H:%M:%S}"


def each_once(rows: Iterable[MetricRow]) -> list[MetricRow]:
    """The figures, each once: a pair of columns may be asked for by either of them."""
    return list({(r.metric, r.column, r.label, canonical(r.params)): r for r in rows}.values())


def _told(test: CheckResult) -> str:
    place = f" of {test.column!r}" if test.column else ""
    label = f" [{test.label}]" if test.label else ""
    return f"{test.test}{place}{label}: {test.message or test.status}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _plain(row: MetricRow | DriftRow | CheckResult | Distribution) -> dict[str, Any]:
    """The row as JSON can say it: what is not finite is null, with a reason where there is room for one."""
    out = {name: getattr(row, name) for name in row.__slots__}
    for name, value in out.items():
        if isinstance(value, float) and not isfinite(value):
            out[name] = None
            if name in ("value", "score"):
                reason = "error" if "error" in out else "message"
                out[reason] = out[reason] or (NO_VALUE if isnan(value) else INFINITE)
    return out


def _plain_test(row: CheckResult) -> dict[str, Any]:
    """The same of a test; its alert only where it has one of its own."""
    out = _plain(row)
    alert = out.pop("alert")
    if alert is not None:
        out["alert"] = {name: getattr(alert, name) for name in alert.__slots__}
    return out


def _test(row: Mapping[str, Any]) -> CheckResult:
    alert = row.get("alert")
    return CheckResult(**{**row, "alert": Alert(**alert)}) if alert else CheckResult(**row)


def _digits(numbers: Iterable[float | None]) -> str:
    # + 0.0: no minus zero
    return ",".join(["" if x is None else f"{x + 0.0:.12g}" for x in numbers])
