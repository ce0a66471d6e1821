"""What an address asks for: `?project=…&model=…&status=fail` as a question to the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from starlette.datastructures import QueryParams

from exporter.errors import PlanError, nearest
from exporter.snapshot import STATUSES
from exporter.store.find import Question

FEW, MOST = 1000, 10_000  # snapshots of a list, if not said otherwise, and at all
KNOWN = (
    "project", "model", "evaluation", "segment", "tag", "batch", "status", "from", "to", "limit",
)  # fmt: skip


def question_of(given: QueryParams, zone: tzinfo) -> Question:
    """The question; a PlanError where something in it is not known.

    An empty project, model, evaluation or status asks nothing; an empty segment is the whole
    batch, an empty batch one without a name. Times are read in *zone* where they do not say.
    """
    refuse_unknown(given, KNOWN)
    start, end = _moment(given, "from", zone), _moment(given, "to", zone)
    return Question(
        project=given.get("project") or None,
        model=given.get("model") or None,
        evaluation=given.get("evaluation") or None,
        segment=given.get("segment"),
        tags=_tags(given.getlist("tag")) or None,
        batch=given.get("batch"),
        status=_statuses(given.getlist("status")) or None,
        start=start,
        end=end,
        limit=_limit(given.get("limit")),
    )


def refuse_unknown(given: QueryParams, known: Sequence[str]) -> None:
    """A PlanError for the first name that nobody knows, with the nearest one."""
    for name in given:
        if name not in known:
            hint = nearest(name, known) or f"; there are {', '.join(known)}"
            raise PlanError(f"nothing is asked by {name!r}{hint}")


def _statuses(given: Sequence[str]) -> list[str]:
    asked = [status for status in given if status]
    for status in asked:
        if status not in STATUSES:
            hint = nearest(status, STATUSES) or f"; there are {', '.join(STATUSES)}"
            raise PlanError(f"there is no status {status!r}{hint}")
    return asked


def _tags(given: Sequence[str]) -> dict[str, str]:
    for text in given:
        if "=" not in text:
            raise PlanError(f"tag: {text!r} should be NAME=VALUE, with = written as %3D")
    return dict(text.split("=", 1) for text in given)


def _moment(given: QueryParams, name: str, zone: tzinfo) -> datetime | None:
    if not (text := given.get(name)):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    except ValueError:
        raise PlanError(
            f"{name}: {text!r} is no day or time: write 2026-03-01 or 2026-03-01T06:00Z"
        ) from None


def _limit(text: str | None) -> int:
    if not text:
        return FEW
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 0 < int(text) <= MOST):
        raise PlanError(f"limit: {text!r} is no whole number from 1 to {MOST}")
    return int(text)
