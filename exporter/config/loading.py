"""A file becomes a sound config, or a list of all its mistakes with their places."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from exporter import yaml
from exporter.config.forms import Config, Model
from exporter.config.reporting import problem_of
from exporter.config.rules import Told, check
from exporter.errors import ConfigError, Problem
from exporter.errors import Path as Place

LARGEST = 4_000_000  # bytes
_NAMES_OF_USERS = ("tags", "segments", "probability", "embeddings", "descriptors")
_PASSES = 4  # a form that is mended once can show what is wrong deeper


@dataclass(frozen=True, slots=True)
class Loaded:
    """A config that is sound, where it lies, and what to warn of."""

    config: Config
    folder: Path
    models: Mapping[str, Model]  # defaults merged in
    warnings: tuple[str, ...]


def load_config(path: Path, *, plugins: bool = False) -> Loaded:
    """The config; a ConfigError with a line `file:line:column: …` for every mistake.

    With *plugins* its modules are imported, so that their metrics are known; without, metrics that
    nobody knows are only warned of where there are plugins.
    """
    document = yaml.load(_text_of(path), str(path.parent))
    told = Told()
    config, models = None, dict[str, Model]()
    if document.root is not None:
        folder = path.parent if plugins else None
        config, models = _checked(document.data, told, folder)
    elif not document.mistakes:
        told.problem((), "the file is empty: `exporter init` writes one")
    mistakes = [*document.mistakes, *_located(document, told.problems)]
    if mistakes or config is None:
        raise ConfigError(_listed(path, mistakes))
    unset = [place for secret, place in document.secrets if not secret.is_there]
    warnings = _listed(path, [*_located(document, told.warnings), *unset])
    return Loaded(config, path.parent, models, tuple(warnings.splitlines()))


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file: `exporter init` writes one") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if len(data) > LARGEST:
        raise ConfigError(f"{path}:1:1: more than {LARGEST:,} bytes: this is no config")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message = f"{path}:{line}:{column}: this is not UTF-8: save the file as UTF-8"
        raise ConfigError(message) from error


def _located(document: yaml.Document, problems: Sequence[Problem]) -> list[yaml.Mistake]:
    return [
        yaml.Mistake(*document.locate(problem.path), problem.text)
        for problem in problems
        if not document.is_broken(problem.path)
    ]


def _listed(path: Path, mistakes: Sequence[yaml.Mistake]) -> str:
    return "\n".join(f"{path}:{m.line}:{m.column}: {m.text}" for m in sorted(set(mistakes)))


def import_plugin(name: str, folder: Path) -> None:
    """Import a module of the user's: an installed one, or one beside the config.

    The config's *folder* is looked into last, and stays on the path for what the module imports
    later: a file there cannot take the place of an installed package.
    """
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)
        importlib.invalidate_caches()
    importlib.import_module(name)


def _checked(data: Any, told: Told, folder: Path | None) -> tuple[Config | None, dict[str, Model]]:
    """The config of the data; plugins are looked for in *folder* as well, or not imported at all."""
    if not isinstance(data, Mapping):
        told.problem((), "expected a mapping with `project:` and `models:`")
        return None, {}
    plain = _without_anchors(data, "", (), told)
    config = _validated(plain, told)
    if config is None:
        return None, {}
    if folder is not None:
        _import(config.plugins, folder, told)
    return config, check(config, plain, told, lenient=bool(config.plugins) and folder is None)


def _without_anchors(data: Any, key: str, at: tuple[str, ...], told: Told) -> Any:
    """The data without the `x-…` keys of the format's own mappings: they hold anchors."""
    if not isinstance(data, Mapping) or key in ("metrics", "tests"):
        return data
    out = {}
    for name, value in data.items():
        if name.startswith("x-") and key not in _NAMES_OF_USERS:
            if key in ("models", "evaluations"):
                told.warning((*at, name), f"{name!r} is ignored, as every key that begins with x-")
            continue
        named = key in ("models", "evaluations")
        out[name] = _without_anchors(value, "" if named else name, (*at, name), told)
    return out


def _validated(data: Mapping[str, Any], told: Told) -> Config | None:
    """The config as far as its form is sound: what is wrong is told, left out, and the rest read."""
    for attempt in range(_PASSES):
        try:
            return Config.model_validate(data)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        for found in errors:
            problem = problem_of(found)
            if attempt == 0 or not _is_consequence(found, problem.path, told):
                told.problem(problem.path, problem.text)
                told.broken.add(problem.path)
        for found in errors:
            data = _mended(data, found["loc"], found["type"] == "missing")
    return None


def _is_consequence(found: Any, path: Place, told: Told) -> bool:
    """Whether something is only wrong because what was wrong inside has been left out."""
    return found["type"] == "missing" or any(b[: len(path)] == path for b in told.broken)


def _mended(data: Any, path: tuple[Any, ...], is_missing: bool) -> Any:
    """The data without the innermost key on the path, or with a name where that is missing."""
    if path == ("project",):
        return {**data, "project": "?"}
    path = path[:-1] if is_missing else path
    if not path or not isinstance(data, Mapping) or path[0] not in data:
        return data
    inner = data[path[0]]
    if len(path) > 1 and isinstance(inner, Mapping) and path[1] != "[key]":
        return {**data, path[0]: _mended(inner, path[1:], False)}
    return {key: value for key, value in data.items() if key != path[0]}


def _import(names: Sequence[str], folder: Path, told: Told) -> None:
    for place, name in enumerate(names):
        try:
            import_plugin(name, folder)
        except (Exception, SystemExit) as error:  # noqa: BLE001  it is somebody else's code
            text = f"{type(error).__name__}: {error}".splitlines()[0]
            told.problem(
                ("plugins", place),
                f"cannot be imported: {text}; is it installed, or beside the config, or its folder in PYTHONPATH?",
            )
