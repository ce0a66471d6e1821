"""YAML in; plain data, every node's mark, and all mistakes of the file at once out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

_Parser: Any = getattr(yaml, "CParser", None)
DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that stands elsewhere; read when it is used, never shown."""

    kind: str  # "env" or "file"
    name: str

    def reveal(self) -> str:
        """The secret itself."""
        return os.environ[self.name] if self.kind == "env" else Path(self.name).read_text().strip()

    @property
    def there(self) -> bool:
        """Whether it can be read."""
        return self.name in os.environ if self.kind == "env" else Path(self.name).is_file()


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and where: a line and a column that count from 1."""

    line: int
    column: int
    text: str


@dataclass
class Document:
    """A loaded file."""

    data: Any
    root: Node | None
    mistakes: list[Mistake] = field(default_factory=list)
    secrets: list[tuple[Secret, Mistake]] = field(default_factory=list)

    def locate(self, path: tuple[int | str, ...]) -> tuple[int, int]:
        """Line and column of the deepest node on *path*; of its key where it is a mapping's."""
        node, mark = self.root, self.root.start_mark if self.root else None
        for step in path:
            hit = _child(node, step)
            if hit is None:
                break
            mark, node = hit[0].start_mark, hit[1]
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)


_RESOLVERS = {
    first: [
        (tag, rx)
        for tag, rx in rules
        if tag.rsplit(":", 1)[1] not in ("bool", "timestamp", "int", "float")
    ]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Resolver(yaml.resolver.BaseResolver):
    """YAML 1.2: true and false only, no times, no octal 010, no base 60, 1e3 is a number."""


_Resolver.yaml_implicit_resolvers = _RESOLVERS
for tag, pattern, first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
):
    _Resolver.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


if _Parser is not None:

    class _Loader(_Parser, yaml.constructor.SafeConstructor, _Resolver):  # type: ignore[misc,valid-type]
        def __init__(self, text: str) -> None:
            _Parser.__init__(self, text)
            yaml.constructor.SafeConstructor.__init__(self)
            _Resolver.__init__(self)
else:

    class _Loader(
        yaml.reader.Reader,
        yaml.scanner.Scanner,
        yaml.parser.Parser,
        yaml.composer.Composer,
        yaml.constructor.SafeConstructor,
        _Resolver,
    ):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)
            yaml.composer.Composer.__init__(self)
            yaml.constructor.SafeConstructor.__init__(self)
            _Resolver.__init__(self)


def load(text: str) -> Document:
    """The document: what could be read of it, and all that is wrong with it."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Document(None, None, [Mistake(*where, (error.problem or "not YAML").strip())])
    except yaml.YAMLError as error:
        return Document(None, None, [Mistake(1, 1, str(error).splitlines()[0])])
    document = Document(None, root)
    document.data = _build(root, document, loader, 0) if root else None
    return document


def _build(node: Node, document: Document, loader: Any, depth: int) -> Any:
    mark = node.start_mark
    if depth > DEEPEST:
        document.mistakes.append(
            Mistake(mark.line + 1, mark.column + 1, f"nested deeper than {DEEPEST} levels")
        )
        return None
    if isinstance(node, MappingNode):
        return _mapping(node, document, loader, depth)
    if isinstance(node, SequenceNode):
        return [_build(x, document, loader, depth + 1) for x in node.value]
    if node.tag in ("!env", "!file"):
        secret = Secret(node.tag[1:], node.value)
        kind = "environment variable" if secret.kind == "env" else "file"
        place = Mistake(
            mark.line + 1,
            mark.column + 1,
            f"{kind} {secret.name} is not set"
            if secret.kind == "env"
            else f"{kind} {secret.name} is not there",
        )
        document.secrets.append((secret, place))
        return secret
    try:
        return loader.construct_object(node)
    except (yaml.MarkedYAMLError, ValueError) as error:
        known = "; there are !env NAME and !file PATH" if node.tag.startswith("!") else ""
        document.mistakes.append(
            Mistake(
                mark.line + 1, mark.column + 1, f"{getattr(error, 'problem', None) or error}{known}"
            )
        )
        return None


def _mapping(node: MappingNode, document: Document, loader: Any, depth: int) -> dict[Any, Any]:
    out: dict[Any, Any] = {}
    first: dict[Any, Any] = {}
    merged: dict[Any, Any] = {}
    for key, value in node.value:
        at = key.start_mark
        if key.tag == "tag:yaml.org,2002:merge":
            for part in value.value if isinstance(value, SequenceNode) else [value]:
                merged = {**(_build(part, document, loader, depth + 1) or {}), **merged}
            continue
        name = _build(key, document, loader, depth + 1)
        if isinstance(name, dict | list | Secret):
            document.mistakes.append(
                Mistake(at.line + 1, at.column + 1, "a key must be plain text")
            )
            continue
        if name in first:
            text = f"key {name!r} is given twice, first in line {first[name].line + 1}"
            document.mistakes.append(Mistake(at.line + 1, at.column + 1, text))
            continue
        first[name] = at
        out[name] = _build(value, document, loader, depth + 1)
    return {**merged, **out}


def _child(node: Node | None, step: int | str) -> tuple[Node, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode) and key.value == str(step):
                return key, value
        for key, value in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                for part in value.value if isinstance(value, SequenceNode) else [value]:
                    if (hit := _child(part, step)) is not None:
                        return hit
    elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None
