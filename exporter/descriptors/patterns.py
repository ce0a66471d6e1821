"""What a text contains, begins with, ends with: texts as they are given, and regular expressions in RE2."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.compute as pc

from exporter.descriptors._registry import Result, Texts, descriptor
from exporter.options import Checked, re2

Mode = Literal["any", "all"]
_AT_ONCE = 100  # items of one regular expression: RE2 bounds the memory of each


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("expected a text that is not empty: every text contains the empty one")
    return text


def _some(items: list[str]) -> list[str]:
    if not items:
        raise ValueError("expected one text at least")
    return items


Name = Annotated[str, Checked(_not_empty)]
Names = Annotated[list[Name], Checked(_some)]
Pattern = Annotated[str, Checked(re2)]


def literal(text: str) -> str:
    """A regular expression that matches this text and nothing else."""
    return re.escape(text)


def any_pattern(patterns: Sequence[str]) -> str:
    """A regular expression that matches what one of them does."""
    return f"(?:{'|'.join(patterns)})"


def combined(
    texts: pa.Array, patterns: Sequence[str], mode: Mode, around: Callable[[Sequence[str]], str]
) -> pa.Array:
    """Whether texts match any, or all, of the patterns; *around* makes one of several."""
    step = _AT_ONCE if mode == "any" else 1
    parts = [patterns[at : at + step] for at in range(0, len(patterns), step)]
    found = (pc.match_substring_regex(texts, around(part)) for part in parts)
    return reduce(pc.or_ if mode == "any" else pc.and_, found)


@descriptor(kind="categorical")
def regexp_match(texts: Texts, *, pattern: Pattern, whole: bool = False) -> Result:
    r"""Whether a regular expression (RE2) matches a part of the text, or, with `whole`, all of it."""
    return pc.match_substring_regex(texts, rf"\A(?:{pattern})\z" if whole else pattern)


@descriptor(kind="numerical")
def regexp_count(texts: Texts, *, pattern: Pattern) -> Result:
    """How often a regular expression (RE2) matches, without overlaps."""
    return pc.count_substring_regex(texts, pattern)


@descriptor(kind="categorical")
def contains(
    texts: Texts, *, items: Names, mode: Mode = "any", case_sensitive: bool = True
) -> Result:
    """Whether any, or all, of the items are a part of the text."""
    return _containing(texts, items, mode, case_sensitive)


@descriptor(kind="categorical")
def does_not_contain(
    texts: Texts, *, items: Names, mode: Mode = "any", case_sensitive: bool = True
) -> Result:
    """Whether none of the items are a part of the text; with `mode: all`, whether one at least is not.

    The opposite of `contains`.
    """
    return pc.invert(_containing(texts, items, mode, case_sensitive))


def _containing(
    texts: pa.Array, items: Sequence[str], mode: Mode, case_sensitive: bool
) -> pa.Array:
    flag = "" if case_sensitive else "(?i)"
    return combined(texts, list(map(literal, items)), mode, lambda some: flag + any_pattern(some))


@descriptor(kind="categorical")
def begins_with(texts: Texts, *, prefix: Name, case_sensitive: bool = True) -> Result:
    """Whether the text begins with the prefix."""
    return pc.starts_with(texts, prefix, ignore_case=not case_sensitive)


@descriptor(kind="categorical")
def ends_with(texts: Texts, *, suffix: Name, case_sensitive: bool = True) -> Result:
    """Whether the text ends with the suffix."""
    return pc.ends_with(texts, suffix, ignore_case=not case_sensitive)


@descriptor(kind="categorical")
def contains_link(texts: Texts) -> Result:
    """Whether there is a link in the text: a scheme, `://` and a host."""
    return pc.match_substring_regex(texts, r"(?i)[a-z][a-z0-9+.\-]*://[^\s/?#]")
