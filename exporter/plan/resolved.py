"""What evaluation knows of the user's wishes: metrics with their options and columns, and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exporter.batch import Schema
from exporter.checks import Check, Mode
from exporter.metrics import MetricSpec
from exporter.profile.histogram import Grid
from exporter.profile.outcome import ErrorProfile, ScoreProfile
from exporter.profile.table import TableProfile


@dataclass(frozen=True, slots=True)
class Use:
    """A metric with its options and, where it is per column, its columns; None = all that it can read."""

    spec: MetricSpec
    params: Mapping[str, Any]
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The uses and tests of one evaluation."""

    uses: tuple[Use, ...]
    schema: Schema
    checks: tuple[Check, ...] = ()
    mode: Mode = "directional"
    min_rows: int = 30
    grids: Mapping[str, Grid] = field(
        default_factory=dict
    )  # of distributions; empty: see evaluation
    reference_expected: bool = (
        False  # one is configured: while it is empty, what needs it is skipped
    )

    def for_column(self, name: str) -> list[Use]:
        """The column metrics that look at this column."""
        return [
            use
            for use in self.uses
            if use.spec.per == "column" and (use.columns is None or name in use.columns)
        ]

    def for_dataset(self) -> list[Use]:
        """The metrics of the whole batch, and those of pairs of columns."""
        return [use for use in self.uses if use.spec.per != "column"]

    def columns(self) -> list[str]:
        """The columns that must be profiled: all, where a figure is read from the whole table."""
        whole = any(TableProfile in use.spec.reads for use in self.uses)
        return [name for name in self.schema.columns() if whole or self.for_column(name)]

    @property
    def needs_target(self) -> bool:
        """Whether any figure is read from the target."""
        named = {name for use in self.uses for name in use.columns or ()}
        return self.schema.target in named or any(
            {ErrorProfile, ScoreProfile} & set(use.spec.reads) or "target" in use.spec.needs
            for use in self.uses
        )
