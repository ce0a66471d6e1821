"""Lines of YAML with comments beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import wrap

from exporter.starter.naming import quoted

BESIDE = 40  # the column in which comments begin
WIDEST = 110


@dataclass
class Page:
    """A text that grows by lines."""

    lines: list[str] = field(default_factory=list)

    def add(self, text: str = "", comment: str = "", indent: int = 0) -> None:
        """A line, its comment beside it, or above where it would be too long."""
        line = " " * indent + text
        if not comment:
            self.lines.append(line)
            return
        beside = f"{line:<{BESIDE - 1}}  # {comment}" if text else f"{line}# {comment}"
        if len(beside) <= WIDEST:
            self.lines.append(beside)
            return
        for part in wrap(comment, WIDEST - indent - 2, break_long_words=False):
            self.lines.append(" " * indent + f"# {part}")
        if text:
            self.lines.append(line)

    def listed(self, key: str, names: Iterable[str], indent: int) -> None:
        """`key: [names]`, over as many lines as it takes."""
        for line in _folded(f"{key}: [", names, "]", indent):
            self.lines.append(line)

    def reasons(self, key: str, ignored: Mapping[str, str], comment: str, indent: int) -> None:
        """`key: [names]` with a line a reason, and the reason beside it."""
        groups: dict[str, list[str]] = {}
        for name, reason in ignored.items():
            groups.setdefault(reason, []).append(name)
        self.add(f"{key}: [", comment, indent)
        for place, (reason, names) in enumerate(groups.items(), 1):
            end = "]" if place == len(groups) else ","
            *rest, last = _folded("", names, end, indent + 2)
            self.lines.extend(rest)
            self.add(last.strip(), reason, indent + 2)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(line.rstrip() for line in self.lines) + "\n"


def _folded(start: str, names: Iterable[str], end: str, indent: int) -> Iterator[str]:
    line = " " * indent + start
    written = [quoted(name) for name in names]
    for place, name in enumerate(written):
        part = name + ("," if place < len(written) - 1 else end)
        if line.strip() and len(line) + len(part) > WIDEST and not line.endswith("["):
            yield line.rstrip()
            line = " " * (indent + 2 if start else indent)
        line += part if not line.strip() or line.endswith("[") else f" {part}"
    yield line
