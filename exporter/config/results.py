"""What becomes of results: files, how long they are kept, gauges, and where people find them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from exporter.config.fields import Address, Span, Strict, Text


class Folder(Strict):
    """A place for files."""

    path: Text = Field(description="A folder, relative to the config's.", examples=["snapshots/"])


class Retention(Strict):
    """How long results are kept, counted from their window's end."""

    metrics: Span | None = Field(
        default=None,
        description="Snapshots, figures, drift and tests; for ever if not given.",
        examples=["2y"],
    )
    distributions: Span | None = Field(
        default=None,
        description="Distributions; as long as figures if not given.",
        examples=["90d"],
    )


class Gauges(Strict):
    """What `exporter serve` shows."""

    max_series: Annotated[int, Field(ge=100)] = Field(
        default=20_000,
        description="The most samples on `/metrics`; what is left out is counted.",
        examples=[50_000],
    )
    forget: Span = Field(
        default="30d",
        validate_default=True,
        description="A stream silent for so long vanishes, after three intervals at least.",
        examples=["60d"],
    )
    segments: Literal["tests", "all", "none"] = Field(
        default="tests",
        description="Of segments: tests and figures of the whole batch, all, or nothing.",
        examples=["all"],
    )


class Links(Strict):
    """Addresses that people open: every run tells them to the store, where pages and dashboards read them."""

    exporter: Address | None = Field(
        default=None,
        description="Of `exporter serve`: dashboards lead from a batch to its report there; "
        "`http://127.0.0.1:9877`, if not given.",
        examples=["https://exporter.example.com"],
    )
    grafana: Address | None = Field(
        default=None,
        description="Of Grafana: report pages lead to its dashboards.",
        examples=["https://grafana.example.com"],
    )
