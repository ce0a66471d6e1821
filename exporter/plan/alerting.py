"""What a test says about being woken up: `alert: {severity: page, after: 2 of 3}`, or `alert: false`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast, get_args

from exporter.errors import Path, nearest
from exporter.plan.asking import Told
from exporter.snapshot import Alert, Severity

MOST = 100  # windows that are looked back at
_AFTER = re.compile(r"(\d+)(?:\s+of\s+(\d+))?")
_KEYS = ("severity", "after")
_GIVEN = tuple(severity for severity in get_args(Severity) if severity != "none")


def read_alert(given: Any, at: Path, tell: Told, *, critical: bool) -> Alert | None:
    """The alert that a test asks for; None where it says nothing, or something wrong."""
    if given is None or given is True:
        return None
    if given is False:
        return Alert("none")
    if not isinstance(given, Mapping):
        tell(at, "expected false, or {severity: page, after: 2 of 3}")
        return None
    for key in given.keys() - set(_KEYS):
        tell((*at, key), f"an alert has no {key!r}" + nearest(str(key), _KEYS))
    severity = given.get("severity", "page" if critical else "warning")
    if severity not in _GIVEN:
        text = f"there is no severity {severity!r}: {', '.join(_GIVEN)}, or `alert: false` for none"
        tell((*at, "severity"), text + nearest(str(severity), _GIVEN))
        return None
    after = _after(given.get("after", 1))
    if after is None:
        text = (
            f"expected failures and windows, such as 3 (in a row) or 2 of 3; at most {MOST} windows"
        )
        tell((*at, "after"), text)
        return None
    return Alert(cast("Severity", severity), *after)


def _after(given: Any) -> tuple[int, int] | None:
    """So many failures of so many windows: 3 is three in a row."""
    found = _AFTER.fullmatch(str(given).strip())
    if found is None or isinstance(given, bool):
        return None
    failures = int(found[1])
    windows = int(found[2] or failures)
    return (failures, windows) if 1 <= failures <= windows <= MOST else None
