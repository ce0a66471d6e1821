"""YAML in; plain data, the place of every value, and all mistakes of the text at once out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from exporter.errors import ConfigError

DEEPEST = 32  # levels
LARGEST = 100_000  # values, aliases spelt out: they multiply
_YAML = "tag:yaml.org,2002:"
_FLOAT = (
    r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that stands elsewhere: read when it is used, never shown."""

    kind: str  # "env" or "file"
    name: str
    folder: str = ""  # from which a file's path is read

    def reveal(self) -> str:
        """The secret itself; a ConfigError where there is none."""
        try:
            text = os.environ[self.name] if self.kind == "env" else self._path.read_text("utf-8")
        except KeyError:
            raise ConfigError(f"{self}: set it where the exporter is started") from None
        except UnicodeDecodeError:
            raise ConfigError(f"file {self._path} (from !file) is not UTF-8 text") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConfigError(f"file {self._path} (from !file) cannot be read: {reason}") from None
        if not text.strip():
            raise ConfigError(f"{self._what} is empty: it should hold the value")
        return text.strip()

    @property
    def is_there(self) -> bool:
        """Whether it can be read."""
        if self.kind == "env":
            return bool(os.environ.get(self.name, "").strip())
        return self._path.is_file() and os.access(self._path, os.R_OK)

    def __str__(self) -> str:
        return f"{self._what} is not {'set' if self.kind == 'env' else 'there'}"

    @property
    def _path(self) -> Path:
        try:
            return Path(self.folder, Path(self.name).expanduser())
        except RuntimeError:  # ~name of somebody who is not there
            return Path(self.folder, self.name)

    @property
    def _what(self) -> str:
        if self.kind == "env":
            return f"environment variable {self.name} (from !env)"
        return f"file {self._path} (from !file)"


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Where something is wrong, line and column counted from 1, and what."""

    line: int
    column: int
    text: str


@dataclass
class Document:
    """A loaded text: its data as far as they could be read, and what is wrong with it."""

    data: Any = None
    root: Node | None = None
    mistakes: list[Mistake] = field(default_factory=list)
    secrets: list[tuple[Secret, Mistake]] = field(default_factory=list)
    entries: dict[int, dict[str, tuple[Node, Node]]] = field(default_factory=dict, repr=False)
    broken: set[int] = field(default_factory=set, repr=False)  # nodes whose data could not be read

    def locate(self, path: tuple[int | str, ...]) -> tuple[int, int]:
        """Line and column of the deepest value on *path*; of its key where it is a mapping's."""
        node, mark = self.root, self.root.start_mark if self.root else None
        for step in path:
            hit = self._child(node, step)
            if hit is None:
                break
            mark, node = hit[0].start_mark, hit[1]
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def is_broken(self, path: tuple[int | str, ...]) -> bool:
        """Whether the value at *path* could not be read, so that no more need be said of it."""
        node = self.root
        for step in path:
            hit = self._child(node, step)
            if hit is None:
                return False
            node = hit[1]
            if id(node) in self.broken:
                return True
        return False

    def _child(self, node: Node | None, step: int | str) -> tuple[Node, Node] | None:
        if isinstance(node, MappingNode):
            return self.entries.get(id(node), {}).get(str(step))
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            return node.value[step], node.value[step]
        return None


class _Resolver(yaml.resolver.BaseResolver):
    """YAML 1.2: true and false only, no times, no octal 010, no base 60; 1e3 is a number."""


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^<<$", ["<"]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+)$", list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _Resolver.add_implicit_resolver(_YAML + _tag, re.compile(_pattern), _first)


class _PurePython(
    yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer, _Resolver
):
    """For machines whose PyYAML was built without libyaml."""

    def __init__(self, text: str) -> None:
        yaml.reader.Reader.__init__(self, text)
        yaml.scanner.Scanner.__init__(self)
        yaml.parser.Parser.__init__(self)
        yaml.composer.Composer.__init__(self)
        _Resolver.__init__(self)


_LOADER: Any = _PurePython
try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs re-export it tacitly
except ImportError:
    pass
else:

    class _Libyaml(CParser, _Resolver):
        """Ten times as fast."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            _Resolver.__init__(self)

    _LOADER = _Libyaml


class _TooManyError(Exception):
    """The aliases of a text multiply."""


def load(text: str, folder: str = "", *, loader: Any = None) -> Document:
    """The document: what could be read of it, and all that is wrong with it.

    *folder* is where the paths of `!file` start. Keys are text as it is written: `1:` is `"1"`.
    """
    document = Document()
    try:
        document.root = (loader or _LOADER)(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        lines = text.split("\n")
        rest = lines[where[0] - 1][where[1] - 1 :] if where[0] <= len(lines) else ""
        document.mistakes.append(Mistake(*where, _said(error, rest)))
    except yaml.reader.ReaderError as error:
        document.mistakes.append(
            Mistake(*_place(text, error), "a character that YAML does not allow")
        )
    except RecursionError:
        document.mistakes.append(Mistake(1, 1, "nested too deeply"))
    if document.root is not None:
        try:
            document.data = _Builder(document, folder).value(document.root, 0)
        except _TooManyError:
            text = f"more than {LARGEST:,} values, aliases spelt out: split the file"
            document.mistakes.append(Mistake(1, 1, text))
    return document


class _Builder:
    """Makes data of nodes."""

    def __init__(self, document: Document, folder: str) -> None:
        self._document = document
        self._folder = folder
        self._count = 0

    def value(self, node: Node, depth: int) -> Any:
        """The node's data; None where they are wrong, which is told."""
        self._count += 1
        if self._count > LARGEST:
            raise _TooManyError
        if depth > DEEPEST:
            return self._wrong(node, f"nested deeper than {DEEPEST} levels")
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if node.tag not in (f"{_YAML}map", f"{_YAML}seq"):
            return self._wrong(node, _unknown_tag(node))
        if isinstance(node, MappingNode):
            return self._mapping(node, depth)
        return [self.value(item, depth + 1) for item in node.value]

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag in ("!env", "!file"):
            return self._secret(node)
        kind = node.tag.removeprefix(_YAML)
        if kind not in ("null", "bool", "int", "float", "str", "merge", "!"):
            return self._wrong(node, _unknown_tag(node))
        try:
            return _plain(kind, node.value)
        except ValueError:
            wanted = {"int": "a whole number", "float": "a number", "bool": "true or false"}
            return self._wrong(node, f"expected {wanted.get(kind, 'null')} of a sensible length")

    def _secret(self, node: ScalarNode) -> Secret | None:
        kind, name = node.tag[1:], node.value.strip()
        if not name or "\0" in name:
            self._wrong(node, f"write {node.tag} {'NAME' if kind == 'env' else 'PATH'}")
            return None
        secret = Secret(kind, name, "" if kind == "env" else self._folder)
        self._document.secrets.append((secret, _at(node, str(secret))))
        return secret

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        places = self._document.entries.setdefault(id(node), {})
        given: dict[str, Node] = {}
        for key, value in node.value:
            if key.tag == f"{_YAML}merge":
                merged = {**self._merged(value, places, depth), **merged}
            elif not isinstance(key, ScalarNode) or key.tag.startswith("!"):
                self._wrong(key, "a key must be plain text")
            elif key.value in given:
                first = given[key.value].start_mark.line + 1
                self._wrong(key, f"key {key.value!r} is given twice, first in line {first}")
            else:
                given[key.value] = key
                places[key.value] = (key, value)
                own[key.value] = self.value(value, depth + 1)
        return {**merged, **own}

    def _merged(
        self, value: Node, places: dict[str, tuple[Node, Node]], depth: int
    ) -> dict[str, Any]:
        """What `<<` brings in: of several mappings the first that has a key."""
        out: dict[str, Any] = {}
        for part in value.value if isinstance(value, SequenceNode) else [value]:
            data = self.value(part, depth + 1)
            if not isinstance(data, dict):
                self._wrong(part, "<< merges mappings: expected *NAME of one, or a list of them")
                continue
            out = {**data, **out}
            for name, place in self._document.entries.get(id(part), {}).items():
                places.setdefault(name, place)
        return out

    def _wrong(self, node: Node, text: str) -> None:
        mistake = _at(node, text)
        self._document.broken.add(id(node))
        if mistake not in self._document.mistakes[-50:]:  # an alias repeats it
            self._document.mistakes.append(mistake)


def _plain(kind: str, text: str) -> Any:
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind == "int":
        base = {"0x": 16, "0o": 8}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)
    if kind == "float":
        lowered = text.lower().replace(".inf", "inf").replace(".nan", "nan")
        return float(lowered)
    return text


def _at(node: Node, text: str) -> Mistake:
    return Mistake(node.start_mark.line + 1, node.start_mark.column + 1, text)


def _unknown_tag(node: Node) -> str:
    name = node.tag.replace(_YAML, "!!")
    if node.tag in ("!env", "!file"):
        return f"{name} takes plain text"
    return f"there is no tag {name}; there are !env NAME and !file PATH"


def _said(error: yaml.MarkedYAMLError, rest: str) -> str:
    """The parser's words; of two places it names, the message stands at the second, where *rest* begins."""
    text = (error.problem or error.context or "this is not YAML").strip().removeprefix("but ")
    if rest.startswith("\t"):
        return "a tab: indent with spaces"
    hints = dict(_hints())
    return text + next((f": {hint}" for part, hint in hints.items() if part in text), "")


def _hints() -> Iterator[tuple[str, str]]:
    yield "cannot start any token", "text that begins so has to stand in quotes"
    yield "mapping values are not allowed", "is a quote missing, or the indentation wrong?"
    yield "did not find expected key", "is the indentation of this line right?"
    yield "another document", "one file is one document: take the --- out"
    yield "undefined alias", "text that begins with * has to stand in quotes"


def _place(text: str, error: yaml.reader.ReaderError) -> tuple[int, int]:
    """Line and column of a character; libyaml counts bytes."""
    before = text[: error.position]
    if error.encoding != "unicode":
        raw = text.encode("utf-8", "surrogatepass")[: error.position]
        before = raw.decode("utf-8", "ignore")
    return before.count("\n") + 1, len(before) - before.rfind("\n")
