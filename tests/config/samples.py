"""Configs for the tests: one that is sound, and ways to change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from exporter.config import Loaded, load_config
from exporter.errors import ConfigError

NAME = "shop.yaml"
SOUND: dict[str, Any] = {
    "project": "shop",
    "models": {
        "returns": {
            "task": "regression",
            "source": {"path": "orders-*.parquet"},
            "columns": {
                "time": "ordered_at",
                "id": "order_id",
                "target": "amount",
                "prediction": "said",
                "numerical": ["age"],
                "categorical": ["country"],
            },
            "evaluations": {"inputs": {"metrics": ["data_summary"]}},
        }
    },
}
MODEL = ("models", "returns")
COLUMNS = (*MODEL, "columns")
INPUTS = (*MODEL, "evaluations", "inputs")


def changed(path: tuple[Any, ...], value: Any, data: Any = SOUND) -> Any:
    """The config with another value at a place; mappings on the way there are made."""
    if not path:
        return value
    inner = data.get(path[0], {}) if isinstance(data, dict) else {}
    return {**data, path[0]: changed(path[1:], value, inner)}


def without(path: tuple[Any, ...], data: Any = SOUND) -> Any:
    """The config without a key."""
    if len(path) == 1:
        return {key: value for key, value in data.items() if key != path[0]}
    return {**data, path[0]: without(path[1:], data[path[0]])}


def written(data: Any) -> str:
    """The config as a file would have it, a key a line."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)


def load(folder: Path, data: Any, **options: Any) -> Loaded:
    """What a config, as data, text or bytes, is read as."""
    path = folder / NAME
    if isinstance(data, bytes):
        path.write_bytes(data)
    else:
        path.write_text(data if isinstance(data, str) else written(data), "utf-8")
    return load_config(path, **options)


def mistakes(folder: Path, data: Any, **options: Any) -> list[str]:
    """Every mistake of a config as `line:column: text`, none where it is sound."""
    try:
        load(folder, data, **options)
    except ConfigError as error:
        return untold(folder, str(error).splitlines())
    return []


def warnings(folder: Path, data: Any, **options: Any) -> list[str]:
    """What is warned of, as `line:column: text`."""
    return untold(folder, load(folder, data, **options).warnings)


def untold(folder: Path, lines: Any) -> list[str]:
    """Messages without the file's name, which each of them must begin with."""
    prefix = f"{folder / NAME}:"
    assert all(line.startswith(prefix) for line in lines), lines
    return [line.removeprefix(prefix) for line in lines]


def place_of(text: str, key: str) -> str:
    """Line and column of the only line that begins with a key."""
    lines = text.splitlines()
    ((number, line),) = [
        (n, line)
        for n, line in enumerate(lines, 1)
        if line.lstrip(" -").startswith((f"{key}:", f"'{key}':"))
    ]
    return f"{number}:{len(line) - len(line.lstrip(' -')) + 1}"
