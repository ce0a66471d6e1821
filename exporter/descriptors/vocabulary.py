"""English words: the packaged list, and the simple inflections of what is in it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from unicodedata import normalize

_ENDINGS = (  # what a word ends with, and what its stem ends with instead
    ("ies", "y"), ("ied", "y"), ("iest", "y"), ("ier", "y"), ("ily", "y"),
    ("es", ""), ("s", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"),
    ("er", ""), ("er", "e"), ("est", ""), ("est", "e"), ("ly", ""), ("ness", ""), ("less", ""),
)  # fmt: skip
_SHORTEST = 3  # letters of a stem: `as` is no plural of `a`


@cache
def vocabulary() -> frozenset[str]:
    """Some 75,000 English words in lower case, with accents and without."""
    packed = files("exporter.descriptors").joinpath("english", "words.txt.gz").read_bytes()
    words = gzip.decompress(packed).decode("utf-8").splitlines()
    plain = (_unaccented(word) for word in words if not word.isascii())
    return frozenset([*words, *plain])


@lru_cache(200_000)
def is_known(word: str) -> bool:
    """Whether a word in lower case is English: in the list itself, or a simple inflection of what is."""
    word = word.replace("’", "'").removesuffix("'s")
    listed = vocabulary()
    return word in listed or any(stem in listed for stem in _stems(word))


@lru_cache(200_000)
def stem(word: str) -> str:
    """The word in lower case without its simple inflection, where the list has what remains."""
    word = word.replace("’", "'").removesuffix("'s")
    return next((found for found in _stems(word) if found in vocabulary()), word)


def _stems(word: str) -> Iterator[str]:
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if len(stem) < len(word) and len(stem) >= _SHORTEST:
            yield stem + instead
            if not instead and len(stem) > _SHORTEST and stem[-1] == stem[-2]:
                yield stem[:-1]  # tagged, bigger


def _unaccented(word: str) -> str:
    return normalize("NFD", word).encode("ascii", "ignore").decode("ascii")
