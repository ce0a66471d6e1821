"""The small records that the store takes and gives: what became of a write, a series' names, an input."""

from __future__ import annotations

from typing import Literal, NamedTuple

Result = Literal["new", "replaced", "same", "older", "deleted"]


class Written(NamedTuple):
    """What became of a snapshot that was handed over.

    `older`: newer content is there and stands. `deleted`: it was deleted, and `force` not given.
    """

    result: Result
    snapshot_id: int
    revision: int


class Key(NamedTuple):
    """A series within its stream: `name` is the metric's id or the test's name."""

    kind: str
    name: str
    column: str
    label: str
    params: str
    metric: str = ""  # what a test reads
    given_name: str = ""  # what the user called a metric


class Input(NamedTuple):
    """What a window's input looked like: the memory of "due"."""

    entry: str
    fingerprint: str
