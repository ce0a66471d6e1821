"""Tests: conditions on the figures of an evaluation, given by the user or automatic."""

from exporter.checks.automatic import Mode, Situation, describe
from exporter.checks.conditions import (
    OPERATORS,
    Condition,
    Limits,
    Relative,
    demand,
    read_conditions,
)
from exporter.checks.earlier import Earlier, Evidence
from exporter.checks.judging import Check, check_all, shared_params

__all__ = [
    "OPERATORS",
    "Check",
    "Condition",
    "Earlier",
    "Evidence",
    "Limits",
    "Mode",
    "Relative",
    "Situation",
    "check_all",
    "demand",
    "describe",
    "read_conditions",
    "shared_params",
]
