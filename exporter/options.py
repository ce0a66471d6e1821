"""Checks of options' values, for models that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Checked:
    """A check of an option's value, for its pydantic model, without importing pydantic before it is needed."""

    check: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """What pydantic asks of an annotation."""
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self.check, handler(source))


def as_names(given: Any) -> list[str] | None:
    """A list of names, be it pandas' own or an array; None for anything else."""
    if isinstance(given, str | Mapping | set) or not isinstance(given, Iterable):
        return None
    names = list(given)
    return [str(n) for n in names] if all(isinstance(n, str) for n in names) else None


def re2(pattern: str) -> str:
    """The pattern, if it is a regular expression to RE2, which hostile text cannot hang."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.nulls(1, pa.string()), pattern)
    except pa.ArrowInvalid as error:
        raise ValueError(f"not a regular expression to RE2: {error}") from error
    return pattern
