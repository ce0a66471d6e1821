"""What to evaluate, resolved: presets spelt out, options and columns checked; config and Python API both build it."""

from exporter.plan.making import make_plan
from exporter.plan.resolved import Plan, Use

__all__ = ["Plan", "Use", "make_plan"]
