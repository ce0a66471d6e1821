"""Snapshots as reports meet them, and what a browser would see of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd

import exporter
from exporter.snapshot import ReferenceInfo, Snapshot

DAY = datetime(2026, 3, 1, tzinfo=UTC)
SPACED = {
    "td",
    "th",
    "li",
    "dt",
    "dd",
    "p",
    "br",
    "h1",
    "h2",
    "h3",
    "h4",
    "div",
    "text",
    "caption",
    "desc",
}
VOID = {"meta", "link", "br", "img", "hr", "input"}
HOSTILE = (
    '"><script>alert(1)</script>', "new\nline\tand tab", "O'Brien & “Söhne”", "💥🛫", "x" * 1000,
    "\u202egnp.exe", "' onmouseover='alert(1)", "{{ 7*7 }}{% raw %}", "</style><b>", "nul\x00\x1b",
    "half \ud800 a character", "javascript:alert(1)",
)  # fmt: skip


class Seen(HTMLParser):
    """A document taken apart: its tags with attributes, its text, its styles, tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.styles: list[str] = []
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " " * (tag in SPACED)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["style"]:
            self.styles.append(data)
        else:
            self.text += data

    def names(self) -> set[str]:
        """The tags that occur."""
        return {tag for tag, _ in self.tags}

    def attributes(self) -> list[tuple[str, str | None]]:
        """All attributes of all tags."""
        return [pair for _, attributes in self.tags for pair in attributes.items()]

    def words(self) -> str:
        """The text on one line."""
        return " ".join(self.text.split())


def frame(columns: int, shift: float = 0.0, seed: int = 0, rows: int = 500) -> pd.DataFrame:
    """Two numerical columns to one categorical one."""
    random = np.random.default_rng(seed)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    made: dict[str, Any] = {}
    for i in range(columns):
        chances = np.roll(np.linspace(1, 3, 26) / 52, int(4 * shift))
        made[f"feature_{i:03d}"] = (
            random.choice(letters, rows, p=chances)
            if i % 3 == 2
            else random.lognormal(3 + shift, 1, rows)
        )
    return pd.DataFrame(made)


def drifted(columns: int = 3, **options: Any) -> Snapshot:
    """A stored snapshot in which every column has moved and tests fail."""
    found = exporter.evaluate(
        frame(columns, 1.5, 1),
        frame(columns),
        metrics=["data_quality", "data_drift"],
        tests=["data_stability", "data_drift"],
    )
    return stored(found, **options)


def stored(snapshot: Snapshot, **options: Any) -> Snapshot:
    """A snapshot with everything that a store or a run adds."""
    about: Mapping[str, Any] = {
        "id": 7,
        "project": "shop",
        "model": "churn",
        "evaluation": "inputs",
        "tags": {"arm": "champion", "version": "3"},
        "stream_tags": ("arm",),
        "window_start": DAY,
        "window_end": DAY.replace(day=2),
        "computed_at": DAY.replace(day=2, hour=2),
        "reference": ReferenceInfo("fixed", DAY.replace(month=2), DAY, "ab"),
    }
    return replace(snapshot, **{**about, **options})


def hostile() -> Snapshot:
    """Names of columns, categories, tags, tests and messages that try to be markup."""
    columns = [name for name in HOSTILE if name.isprintable() or "\n" in name]
    made = {}
    for seed, shift in ((0, 0), (1, 3)):
        random = np.random.default_rng(seed)
        chances = np.roll(np.linspace(1, 3, len(columns)) / (2 * len(columns)), shift)
        made[seed] = pd.DataFrame(
            {
                name: random.choice(columns, 300, p=chances / chances.sum())
                if i % 2
                else random.normal(shift, 1, 300)
                for i, name in enumerate(columns)
            }
        )
    found = exporter.evaluate(made[1], made[0], metrics=["data_quality", "data_drift"], tests=["data_stability"])  # fmt: skip
    tests = tuple(
        replace(test, test=HOSTILE[i % len(HOSTILE)], message=HOSTILE[-1 - i % len(HOSTILE)])
        for i, test in enumerate(found.tests)
    )
    return stored(
        replace(found, tests=tests),
        project=HOSTILE[0],
        model=HOSTILE[8],
        evaluation=HOSTILE[7],
        segment=HOSTILE[10],
        batch=HOSTILE[9],
        tags=dict(zip(HOSTILE, reversed(HOSTILE), strict=True)),
        stream_tags=HOSTILE[:3],
        metadata={HOSTILE[0]: HOSTILE[6]},
    )
