"""docker-compose.yml as Compose reads it: variables put in, `$$` made one `$`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text("utf-8")
COMPOSE: Mapping[str, Any] = yaml.safe_load(TEXT)
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
ONCE = {"migrate", "demo"}  # they do their work, and end
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


def variables() -> Iterator[tuple[str, str, str]]:
    """Every variable: its name, `-` where it has a default or `?` where it must be set, and what follows."""
    for found in _VARIABLE.finditer(TEXT):
        if found[1]:
            yield found[1], found[2] or "", found[3] or ""


def defaults() -> dict[str, str]:
    """What .env.example sets."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    pairs = (line.partition("=")[::2] for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def put_in(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables' values."""
    return _VARIABLE.sub(
        lambda found: values.get(found[1], found[3] or "") if found[1] else "$", text
    )


def mounts(service: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Of each mount what is mounted, where, and how."""
    for text in service.get("volumes", ()):
        source, target, *how = put_in(text, defaults()).split(":")
        yield source, target, how[0] if how else "rw"


def environment(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """A service's environment."""
    given = SERVICES[name].get("environment", {})
    return {key: put_in(str(value), values) for key, value in given.items()}
