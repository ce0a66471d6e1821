"""Figures of characters: lengths and shares of letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from exporter.descriptors._registry import Result, Texts, descriptor
from exporter.profile.arrays import Bools, Floats, Ints

_CODE_POINTS = 0x110000


@dataclass(frozen=True, slots=True)
class Characters:
    """The code points of a slice of texts, one text behind the other."""

    codes: npt.NDArray[np.integer]
    bounds: Ints  # where each text begins, and where the last one ends
    data: npt.NDArray[np.uint8]  # the same in UTF-8
    offsets: npt.NDArray[np.int64]

    def among(self, test: Callable[[str], bool]) -> Bools:
        """Which of the characters pass a test such as `str.isalpha`."""
        passing: Bools = class_of(test)[self.codes]
        return passing

    def count(self, chosen: Bools) -> Ints:
        """How many of the chosen characters each text has."""
        before = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum(chosen, out=before[1:])
        counts: Ints = np.diff(before[self.bounds])
        return counts

    def starts(self, inside: Bools) -> Bools:
        """The first characters of stretches, each within one text."""
        first = inside.copy()
        first[1:] &= ~inside[:-1]
        borders = self.bounds[:-1][self.bounds[:-1] < len(inside)]
        first[borders] = inside[borders]
        return first

    def blanked(self, kept: Bools) -> pa.Array:
        """The texts with all other characters turned into spaces."""
        if len(self.codes) < len(self.data):
            kept = kept[np.cumsum(_leading(self.data)) - 1]
        data = np.where(kept, self.data, np.uint8(ord(" ")))
        buffers = pa.py_buffer(np.ascontiguousarray(self.offsets)), pa.py_buffer(data)
        return pa.LargeStringArray.from_buffers(len(self.bounds) - 1, *buffers)


def characters(texts: pa.Array) -> Characters:
    """The characters of texts without nulls; UnicodeDecodeError where bytes are not UTF-8."""
    count = len(texts)
    offsets = np.frombuffer(texts.buffers()[1], np.int64, count + 1, texts.offset * 8)
    stretch = memoryview(texts.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    data, offsets = np.frombuffer(stretch, np.uint8), offsets - offsets[0]
    if not len(data) or data.max() < 0x80:
        return Characters(data, offsets, data, offsets)
    points = np.frombuffer(str(stretch, "utf-8").encode("utf-32-le"), np.uint32)
    before = np.zeros(len(data) + 1, np.int64)
    np.cumsum(_leading(data), out=before[1:])
    return Characters(points, before[offsets], data, offsets)


def _leading(data: npt.NDArray[np.uint8]) -> Bools:
    """Which bytes of UTF-8 begin a character."""
    leading: Bools = (data & 0xC0) != 0x80
    return leading


@cache
def class_of(test: Callable[[str], bool]) -> Bools:
    """Which code points pass a test; a megabyte each, made once."""
    return np.fromiter((test(chr(i)) for i in range(_CODE_POINTS)), bool, _CODE_POINTS)


def ratio(parts: npt.NDArray[np.number], wholes: npt.NDArray[np.number]) -> Floats:
    """Parts of wholes, 0 of nothing."""
    shares: Floats = np.divide(parts, wholes, out=np.zeros(len(parts)), where=wholes > 0)
    return shares


@descriptor(kind="numerical")
def text_length(texts: Texts) -> Result:
    """Characters (code points) of the text."""
    return pc.utf8_length(texts)


@descriptor(kind="numerical")
def non_letter_ratio(texts: Texts) -> Result:
    """Share of characters that are neither letters nor spaces; 0 of an empty text."""
    read = characters(texts)
    letters = read.count(read.among(str.isalpha) | (read.codes == ord(" ")))
    lengths = np.diff(read.bounds)
    return ratio(lengths - letters, lengths)


@descriptor(kind="numerical")
def uppercase_ratio(texts: Texts) -> Result:
    """Share of letters that are capital; 0 of a text without letters."""
    read = characters(texts)
    letters = read.among(str.isalpha)
    return ratio(read.count(read.among(str.isupper) & letters), read.count(letters))
