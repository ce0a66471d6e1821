"""Figures of words and sentences, and which words a text has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.descriptors._registry import Result, Texts, descriptor
from exporter.descriptors.buffers import integers, scalar
from exporter.descriptors.characters import Characters, characters, ratio
from exporter.descriptors.patterns import Mode, Names, any_pattern, combined, literal
from exporter.descriptors.vocabulary import is_known
from exporter.profile.arrays import Bools, Ints

_SPACE = r"[\s\x{b}\x{1c}-\x{1f}\x{85}\p{Z}]"  # what Python calls white space
_WIDE = r"。\x{ff01}\x{ff1f}"  # full stop, ! and ? of Chinese and Japanese: no space follows
_CLOSING = r"""["'”’)\]»」』\x{ff09}]"""
_TRAILING_ENDS = rf"(?:[.!?…{_WIDE}]|{_SPACE}|{_CLOSING})+$"
_ENDS = rf"[.!?…]{_CLOSING}*{_SPACE}|[{_WIDE}]+{_CLOSING}*"
_INITIALS = r"[\p{L}\p{N}_]\.[\p{L}\p{N}_][.?]" + _SPACE  # `e.g. `, `U.S. `
_TITLES = r"[A-Z][a-z]\." + _SPACE  # `Mr. `, `Dr. `
_EDGE = r"[^\p{L}\p{N}_]"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a slice of texts: each word once, and which stands where."""

    known: list[str]
    codes: Ints  # of each word in the texts
    rows: Ints  # the text that it stands in
    texts: int

    def count(self, chosen: Bools | None = None) -> Ints:
        """How many words each text has; of the chosen ones only."""
        rows = self.rows if chosen is None else self.rows[chosen]
        return np.bincount(rows, minlength=self.texts)


def words_of(texts: pa.Array) -> Words:
    """The words in lower case: letters, digits and apostrophes within.

    Links, e-mail addresses and @names are no words.
    """
    read = characters(pc.binary_join_element_wise(pc.utf8_lower(texts), scalar(""), scalar(" ")))
    inside = _word_characters(read) & ~_addresses(read)
    split = pc.ascii_split_whitespace(read.blanked(inside))
    encoded = split.flatten().dictionary_encode()
    known, codes = encoded.dictionary.to_pylist(), integers(encoded.indices)
    rows = np.repeat(np.arange(len(texts)), integers(pc.list_value_length(split)))
    there = codes != (known.index("") if "" in known else -1)  # beside spaces at the ends
    return Words(known, codes[there], rows[there], len(texts))


def distinct(values: Ints) -> Ints:
    """The different values in order; numpy's unique takes far longer."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def _word_characters(read: Characters) -> Bools:
    """Letters and digits, and what joins or marks them: apostrophes between two, combining accents."""
    inside = read.among(str.isalnum) | read.among(_is_mark)
    apostrophes = (read.codes == ord("'")) | (read.codes == ord("’"))
    joined = apostrophes[1:-1] & inside[:-2] & inside[2:]
    inside[1:-1] |= joined
    return inside


def _is_mark(character: str) -> bool:
    from unicodedata import category

    return category(character) in ("Mn", "Mc")


def _addresses(read: Characters) -> Bools:
    """The characters of links, addresses and @names: all from white space to white space."""
    signs: Bools = read.codes == ord("@")
    slashes = read.codes == ord("/")
    signs[:-2] |= (read.codes[:-2] == ord(":")) & slashes[1:-1] & slashes[2:]
    if not signs.any():
        return signs
    stretch = np.cumsum(read.starts(~read.among(str.isspace)))
    taken = np.zeros(int(stretch[-1]) + 1, bool)
    taken[stretch[signs]] = True
    of_address: Bools = taken[stretch]
    return of_address


@descriptor(kind="numerical")
def word_count(texts: Texts, *, compat: bool = False) -> Result:
    """Words of the text: what stands between white space.

    With *compat* Evidently's figure: all but the letters a to z and spaces is taken out before,
    so that lines grow together and words of other alphabets do not count.
    """
    if compat:
        texts = pc.replace_substring_regex(texts, "[^a-zA-Z ]+", "")
    read = characters(texts)
    return read.count(read.starts(~read.among(str.isspace)))


@descriptor(kind="numerical")
def sentence_count(texts: Texts, *, compat: bool = False) -> Result:
    """Sentences of the text; what remains without an end is one as well, an empty text has none.

    `e.g.` and `Dr.` end none. With *compat* Evidently's figure: `!` ends no sentence, white space
    at the end begins another one, and an empty text has one.
    """
    if compat:
        return _ends_of_sentences(texts, "[.?]" + _SPACE) + 1
    read = characters(texts)
    written = read.count(~read.among(str.isspace)) > 0
    trimmed = pc.replace_substring_regex(texts, _TRAILING_ENDS, "")
    ends = _ends_of_sentences(trimmed, _ENDS)
    return np.where(written, ends + 1, 0)


def _ends_of_sentences(texts: pa.Array, pattern: str) -> Ints:
    """How often the pattern matches, but for the ends of abbreviations."""
    found, *others = (
        integers(pc.count_substring_regex(texts, each)) for each in (pattern, _INITIALS, _TITLES)
    )
    return found - sum(others)


@descriptor(kind="numerical")
def average_word_length(texts: Texts) -> Result:
    """Characters between white space, for each word; 0 of a text without words."""
    read = characters(texts)
    inside = ~read.among(str.isspace)
    return ratio(read.count(inside), read.count(read.starts(inside)))


@descriptor(kind="numerical")
def unique_word_ratio(texts: Texts) -> Result:
    """Share of different words among the words, case aside; 0 of a text without words."""
    words = words_of(texts)
    size = max(len(words.known), 1)
    pairs = distinct(words.rows * size + words.codes)
    different = np.bincount(pairs // size, minlength=words.texts)
    return ratio(different, words.count())


@descriptor(kind="numerical")
def out_of_vocabulary_ratio(texts: Texts, *, ignore: list[str] | None = None) -> Result:
    """Share of words that no English word list has, simple inflections aside; 0 of a text without words.

    Numbers, and words with digits in them, do not count; *ignore* are words that count as known.
    """
    words = words_of(texts)
    extra = {word.lower() for word in ignore or ()}
    judged = [not any(map(str.isdigit, word)) for word in words.known]
    strange = [
        judge and word not in extra and not is_known(word)
        for word, judge in zip(words.known, judged, strict=True)
    ]
    counted = words.count(np.array(judged, bool)[words.codes])
    return ratio(words.count(np.array(strange, bool)[words.codes]), counted)


@descriptor(kind="categorical")
def trigger_words(
    texts: Texts, *, words: Names, mode: Mode = "any", lowercase: bool = True, plurals: bool = True
) -> Result:
    """Whether any, or all, of the words stand in the text, as whole words.

    *lowercase*: case makes no difference; *plurals*: `refund` is found in `refunds` as well.
    """
    return _with_words(texts, words, mode, lowercase, plurals)


@descriptor(kind="categorical")
def excludes_words(
    texts: Texts, *, words: Names, mode: Mode = "any", lowercase: bool = True, plurals: bool = True
) -> Result:
    """Whether none of the words stand in the text; with `mode: all`, whether one at least does not.

    The opposite of `trigger_words`.
    """
    return pc.invert(_with_words(texts, words, mode, lowercase, plurals))


def _with_words(
    texts: pa.Array, words: Sequence[str], mode: Mode, lowercase: bool, plurals: bool
) -> pa.Array:
    flag = "(?i)" if lowercase else ""
    forms = [_forms(word) if plurals else literal(word) for word in words]
    return combined(
        texts, forms, mode, lambda some: rf"{flag}(?:\A|{_EDGE}){any_pattern(some)}(?:{_EDGE}|\z)"
    )


def _forms(word: str) -> str:
    """A pattern of the word and its plural."""
    if len(word) > 2 and word[-1] in "yY" and word[-2].lower() not in "aeiou":
        return f"{literal(word[:-1])}(?:{word[-1]}|ies)"
    return f"{literal(word)}(?:s|es)?"
