"""Cells of tables: what a status, a figure, a trend and a report look like in every table."""

from __future__ import annotations

from exporter.grafana.colours import (
    DRIFTED_SHARE,
    FAIL,
    LATE,
    SEVERITY,
    STATUS,
    VS_REFERENCE,
    Json,
    steps,
)
from exporter.grafana.navigation import report_link

Properties = dict[str, object]  # of an override

STATUS_CELL: Properties = {
    "displayName": "Status",
    "mappings": STATUS,
    "custom__cellOptions": {"type": "color-background", "mode": "basic"},
    "custom__width": 66,
    "custom__align": "center",
}
# A share of missing values as a number: none and little are plain.
MISSING_TEXT = steps((None, "text"), (0.05, LATE), (0.5, FAIL))
GAUGE_CELL = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
REPORT_CELL: Properties = {
    "displayName": "Report",
    "custom__width": 60,
    "mappings": [
        {"type": "regex", "options": {"pattern": ".+", "result": {"text": "open ↗", "index": 0}}}
    ],
    "links": [report_link()],
}
DRIFT_CELL: Properties = {
    "displayName": "Drift",
    "unit": "percentunit",
    "min": 0,
    "max": 0.5,
    "decimals": 0,
    "thresholds": DRIFTED_SHARE,
    "custom__width": 98,
    "custom__cellOptions": GAUGE_CELL,
}
SEVERITY_CELL: Properties = {
    "displayName": "Severity",
    "min": 0,
    "max": 3,
    "decimals": 2,
    "thresholds": SEVERITY,
    "custom__width": 120,
    "custom__cellOptions": GAUGE_CELL,
}


def name_cell(title: str, least: int = 0, *, width: int = 0) -> Properties:
    """A name: in a narrow column it goes on in a second line, since what is cut tells nothing apart.

    It has its *width*, or else takes the room that is left, at *least* so much.
    """
    return {
        "displayName": title,
        **({"custom__width": width} if width else {"custom__minWidth": least}),
        "custom__wrapText": True,
        "custom__cellOptions": {"type": "auto", "wrapText": True},  # as Grafana 11 says it
    }


def text_cell(title: str, width: int, scale: Json, **more: object) -> Properties:
    """A number in the colour of its scale."""
    return {
        "displayName": title,
        "thresholds": scale,
        "custom__cellOptions": {"type": "color-text"},
        "custom__width": width,
        "custom__align": "right",
        **more,
    }


FAILED_CELL = text_cell("Failed", 60, steps((None, "text"), (1, FAIL)), decimals=0)


def against(title: str) -> Properties:
    """A figure against another one, as a share: negative is worse."""
    return text_cell(title, 76, VS_REFERENCE, unit="percentunit", decimals=1)


def sparkline_cell(title: str, colour: str) -> Properties:
    """The past of a figure, without its number."""
    cell = {
        "type": "sparkline",
        "hideValue": True,
        "lineWidth": 1,
        "fillOpacity": 15,
        "drawStyle": "line",
        "showPoints": "never",
    }
    fixed = {"mode": "fixed", "fixedColor": colour}
    return {
        "displayName": title,
        "color": fixed,
        "custom__cellOptions": cell,
        "custom__minWidth": 60,
    }
