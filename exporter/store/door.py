"""What PostgreSQL or an index cannot hold is decided here, before anything is looked up or written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import isfinite, isnan
from typing import Any, TypeVar

from exporter.errors import SnapshotError
from exporter.snapshot import (
    INFINITE,
    NO_VALUE,
    CheckResult,
    Distribution,
    DriftRow,
    MetricRow,
    Snapshot,
)

FUTURE = timedelta(days=32)  # how far ahead of its evaluation a window may start
NAME = 500  # bytes of a name that an index holds
MESSAGE = 8000
METADATA = 1 << 20
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_Row = TypeVar("_Row", MetricRow, DriftRow, CheckResult)


def storable(snapshot: Snapshot) -> Snapshot:
    """The snapshot with texts and numbers that PostgreSQL can hold.

    NUL and lone surrogates become U+FFFD, names are cut at 500 bytes with a hash that keeps them
    apart, an empty tag is an absent one, a figure that is not finite is none, with its reason.

    Raises SnapshotError where its identity or its window cannot be stored, or a value has a type
    that no column holds.
    """
    with refusing():
        _refuse(snapshot)
        names = ("project", "model", "evaluation", "segment", "batch", "exporter_version")
        texts: dict[str, Any] = {name: storable_text(getattr(snapshot, name)) for name in names}
        about = snapshot.reference
        return replace(
            snapshot,
            **texts,
            tags=_tags(snapshot.tags),
            stream_tags=tuple(storable_text(name) for name in snapshot.stream_tags),
            reference=replace(
                about, kind=storable_text(about.kind), hash=storable_text(about.hash)
            ),
            metadata=_metadata(snapshot.metadata),
            metrics=[_metric(row) for row in snapshot.metrics],
            drift=[_drift(row) for row in snapshot.drift],
            tests=[_test(row) for row in snapshot.tests],
            distributions=[_distribution(row) for row in snapshot.distributions],
        )


@contextmanager
def refusing() -> Iterator[None]:
    """A value of a wrong type or size, as a file or a caller may bring it, is a SnapshotError."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise SnapshotError(f"the snapshot has a value that cannot be stored: {error}") from error


def storable_text(text: str, limit: int = NAME) -> str:
    """The text without NUL and lone surrogates, in at most *limit* bytes."""
    if text.isascii() and len(text) <= limit and "\0" not in text:
        return text
    clean = _UNSTORABLE.sub("\ufffd", text)
    raw = clean.encode()
    if len(raw) <= limit:
        return clean
    kept = raw[: limit - 11].decode("utf-8", "ignore")
    return f"{kept}…{sha256(raw).hexdigest()[:8]}"


def storable_json(value: Any) -> Any:
    """The same for every text inside a JSON value; numbers that are not finite become texts."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {storable_text(str(k)): storable_json(v) for k, v in value.items()}
    return [storable_json(v) for v in value] if isinstance(value, list | tuple) else value


def _refuse(snapshot: Snapshot) -> None:
    for name in ("project", "model", "evaluation"):
        if not getattr(snapshot, name):
            raise SnapshotError(f"a snapshot without `{name}` cannot be stored: give it one")
    start, end, computed = snapshot.window_start, snapshot.window_end, snapshot.computed_at
    if computed is None:
        raise SnapshotError(
            "a snapshot without `computed_at` cannot be stored: say when it was made"
        )
    if start is None and end is None and not snapshot.batch:
        raise SnapshotError("a snapshot needs a window or a batch name to be stored")
    if (start is None) != (end is None):
        raise SnapshotError("a window needs both its start and its end")
    for moment in (start, end, computed, snapshot.reference.start, snapshot.reference.end):
        _refuse_moment(moment)
    if start and end and start >= end:
        raise SnapshotError(f"the window ends ({end}) before it starts ({start})")
    if start and start > computed + FUTURE:
        raise SnapshotError(f"the window starts long after its evaluation: {start.isoformat()}")


def _refuse_moment(moment: datetime | None) -> None:
    if moment is None:
        return
    if moment.tzinfo is None:
        raise SnapshotError(f"{moment.isoformat()} needs a timezone")
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise SnapshotError(f"{moment.isoformat()} is out of range") from None


def _tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Texts, whatever Python's callers put there; an empty tag is an absent one."""
    texts = {name: "" if value is None else str(value) for name, value in tags.items()}
    return {storable_text(name): storable_text(text) for name, text in texts.items() if text}


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    size = len(json.dumps(metadata, default=str))
    if size > METADATA:
        raise SnapshotError(f"metadata of {size:,} bytes are too large: {METADATA:,} is the limit")
    return {storable_text(str(k)): _long_json(v) for k, v in metadata.items()}


def _long_json(value: Any) -> Any:
    """Metadata are read by people, no index holds them: only what JSONB cannot hold goes."""
    if isinstance(value, str):
        return storable_text(value, METADATA)
    if isinstance(value, Mapping):
        return {storable_text(str(k)): _long_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_long_json(v) for v in value]
    return storable_json(value)


def _metric(row: MetricRow) -> MetricRow:
    row = _clean(row, ("metric", "column", "label", "name"), ("reference", "low", "high"))
    if row.error is not None:
        row = replace(row, error=storable_text(row.error, MESSAGE))
    if row.value is not None and not isfinite(row.value):
        row = replace(row, value=None, error=row.error or _reason(row.value))
    return row


def _drift(row: DriftRow) -> DriftRow:
    numbers = ("threshold", "severity", "low", "high")
    row = _clean(row, ("column", "type", "method"), numbers)
    if row.contributions is not None:
        row = replace(row, contributions=storable_json(row.contributions))
    if row.error is not None:
        row = replace(row, error=storable_text(row.error, MESSAGE))
    if row.score is not None and not isfinite(row.score):
        row = replace(row, score=None, error=row.error or _reason(row.score))
    return row


def _test(row: CheckResult) -> CheckResult:
    row = _clean(row, ("test", "metric", "column", "label"), ("lower", "upper"))
    if row.value is not None and not isfinite(row.value):
        row = replace(row, value=None, message=row.message or _reason(row.value))
    return replace(row, message=storable_text(row.message, MESSAGE)) if row.message else row


def _clean(row: _Row, names: Sequence[str], numbers: Sequence[str]) -> _Row:
    changed: dict[str, Any] = {}
    for name in names:
        text = getattr(row, name)
        if text and (clean := storable_text(text)) is not text:
            changed[name] = clean
    for name in numbers:
        number = getattr(row, name)
        if number is not None and not isfinite(number):
            changed[name] = None
    if not isinstance(row, DriftRow) and row.params:
        changed["params"] = storable_json(row.params)
    return replace(row, **changed) if changed else row


def _distribution(row: Distribution) -> Distribution:
    categories = row.categories
    return replace(
        row,
        column=storable_text(row.column),
        edges=None if row.edges is None else [float(edge) for edge in row.edges],
        categories=None if categories is None else [storable_text(c) for c in categories],
    )


def _reason(value: float) -> str:
    return NO_VALUE if isnan(value) else INFINITE
