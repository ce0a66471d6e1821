"""Colours: each means one thing, on every dashboard."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

GREY = "#808080"  # nothing is known: the base of every scale, so that an error is never green
FAINT = "rgba(128, 128, 128, 0.18)"  # something is known, and it is nothing
SUCCESS, WARNING, FAIL, ERROR, LATE = "green", "yellow", "red", "purple", "orange"
CURRENT, REFERENCE = "blue", GREY
CHAMPION, CHALLENGER = "blue", "#12A5A5"
LINES = (CURRENT, CHALLENGER, "#7E57C2", "#26C6DA", "#D6409F", "#8C9EFF")  # the first of a chart
BOUND = "red"  # what a test allows
BASELINE = "#A16A3A"  # what a model that knows nothing would reach
EVENT = "#6E9FFF"  # a new version, a new reference
PALE = "#FFE79A"


def steps(*points: tuple[float | None, str]) -> Json:
    """A scale: from each value on its colour; the first value is None."""
    return {"mode": "absolute", "steps": [{"value": at, "color": colour} for at, colour in points]}


NEUTRAL = steps((None, "text"))
NONE_IS_GOOD = steps((None, GREY), (0, SUCCESS), (1, FAIL))
NONE_IS_GOOD_WARNING = steps((None, GREY), (0, SUCCESS), (1, WARNING))
NONE_IS_GOOD_LATE = steps((None, GREY), (0, SUCCESS), (1, LATE))
# Severity of drift: 1 is where the method says drift; twice that is far beyond.
SEVERITY = steps((None, FAINT), (0.5, PALE), (1, LATE), (2, FAIL))
DRIFTED_SHARE = steps((None, FAINT), (0.001, PALE), (0.1, LATE), (0.5, FAIL))
MISSING_SHARE = steps((None, FAINT), (0.001, PALE), (0.05, LATE), (0.5, FAIL))
# A figure against its reference, as a share of it: negative is worse.
VS_REFERENCE = steps((None, GREY), (-1e9, FAIL), (-0.1, LATE), (-0.03, SUCCESS))
AGREEMENT = steps((None, GREY), (0, FAIL), (0.95, WARNING), (0.99, SUCCESS))
STATUS = [
    {
        "type": "value",
        "options": {
            "0": {"text": "success", "color": SUCCESS, "index": 0},
            "1": {"text": "warning", "color": WARNING, "index": 1},
            "2": {"text": "fail", "color": FAIL, "index": 2},
            "3": {"text": "error", "color": ERROR, "index": 3},
            "4": {"text": "skipped", "color": GREY, "index": 4},
            "5": {"text": "late", "color": LATE, "index": 5},
        },
    }
]
