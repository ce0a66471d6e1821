"""What can go wrong, as one small tree; `exit_code` is what the command line ends with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

Path = tuple[int | str, ...]
LONGEST_REASON = 300  # characters that a row tells of what went wrong


class ExporterError(Exception):
    """Something the user can act on: what is wrong, where, and what to do."""

    exit_code = 2


class PlanError(ExporterError):
    """A metric, preset, drift method, option or column that does not exist."""


class ConfigError(ExporterError):
    """A config that cannot be used; one line a mistake."""


class BatchError(ExporterError):
    """Data that cannot be read."""

    exit_code = 3


class SnapshotError(ExporterError):
    """A snapshot that cannot be read or stored as it is."""

    exit_code = 3


class StoreError(ExporterError):
    """The store cannot be reached, started, migrated or written to."""

    exit_code = 4


class TestsFailed(ExporterError):  # noqa: N818  it says what is
    """Critical tests failed: raised by `Snapshot.raise_for_tests`, one line a test."""

    __test__ = False  # not a class for pytest to collect
    exit_code = 1

    def __init__(self, tests: Sequence[str]) -> None:
        super().__init__(f"{len(tests)} critical tests failed:\n  " + "\n  ".join(tests))
        self.tests = list(tests)


class CatalogueError(TypeError):
    """A metric or drift method is declared in a way that the catalogue cannot honour."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in what was asked for: where in the nested data, and what."""

    path: Path
    text: str


def nearest(name: object, known: Iterable[str]) -> str:
    """A suggestion to end a message with: `; did you mean 'x'?`, or nothing."""
    near = get_close_matches(str(name), list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def refuse(problems: Iterable[Problem]) -> None:
    """Raise one PlanError that has all of these mistakes; nothing where there are none."""
    if told := [f"{'.'.join(map(str, p.path))}: {p.text}" for p in problems]:
        raise PlanError("\n".join(told))


def reason_of(error: Exception) -> str:
    """What went wrong in one line; its type as well, where the program did not foresee it."""
    text = (str(error) or type(error).__name__).splitlines()[0][:LONGEST_REASON]
    return (
        text if isinstance(error, ExporterError | ValueError) else f"{type(error).__name__}: {text}"
    )
