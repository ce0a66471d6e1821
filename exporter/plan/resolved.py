"""What evaluation knows of the user's wishes: metrics with their options and columns, and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from exporter.batch import Schema
from exporter.checks import Check, Mode
from exporter.metrics import MetricSpec, Role
from exporter.profile.histogram import Grid
from exporter.profile.outcome import ErrorProfile, Outcome, ScoreProfile
from exporter.profile.ranking import ItemFeatures, RankingProfile, TrainProfile
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
    train: TrainProfile | None = field(default=None, repr=False)  # what a ranking is looked at with
    items: ItemFeatures | None = field(default=None, repr=False)

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

    def needs(self, role: Role) -> bool:
        """Whether any figure has a use for it."""
        return any(role in use.spec.needs for use in self.uses)

    @property
    def reads_outcome(self) -> bool:
        """Whether any figure is read from target and prediction side by side, or from a ranking."""
        return any(set(get_args(Outcome)) & set(use.spec.reads) for use in self.uses)

    def informed(self, outcome: Outcome | None) -> Outcome | None:
        """A ranking with what is known of users and items; another outcome as it is."""
        if isinstance(outcome, RankingProfile):
            return outcome.beside(self.train, self.items)
        return outcome

    @property
    def needs_target(self) -> bool:
        """Whether any figure is read from the target; of a ranking some are not."""
        named = {name for use in self.uses for name in use.columns or ()}
        return (
            self.schema.target in named
            or self.needs("target")
            or any({ErrorProfile, ScoreProfile} & set(use.spec.reads) for use in self.uses)
        )
