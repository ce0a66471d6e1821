"""Checksums of rows: equal in every process, whatever file, order or type the same values come in.

A row's hash is made of its columns' hashes, a window's checksum is the sum of its rows' hashes:
rows that move to another file, or change places, do not change it. A missing value adds nothing,
so that a column which one file lacks is a column of missing values.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from exporter.profile.arrays import BLOCK, Hashes, Ints
from exporter.sources.buffers import absent, indices, microseconds, values
from exporter.sources.tables import as_text, is_text

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LARGE = np.uint64(0xD1B54A32D192ED03)  # tells whole numbers that no float holds from floats
_EXACT = 1 << 53


class RowHashes:
    """One 64-bit hash a row of the columns that are added, in whatever order."""

    def __init__(self, rows: int) -> None:
        self._total = np.zeros(rows, np.uint64)

    def add(self, name: str, hashes: Hashes) -> None:
        """Enter a column by the hashes of its values."""
        seed = np.uint64(2 * crc32(name.encode()) + 1)
        self._total += scrambled(hashes * seed) * (hashes != 0)

    def of_rows(self) -> Hashes:
        """The hashes of the rows, as of the columns added so far."""
        return scrambled(self._total + _GOLDEN)


def value_hashes(column: pa.ChunkedArray) -> Hashes:
    """One 64-bit hash a value, 0 where it is missing; 1 and 1.0 are equal, 1 and "1" are not."""
    parts = [_chunk_hashes(chunk) for chunk in column.chunks if len(chunk)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def whole_hashes(whole: Ints) -> Hashes:
    """One 64-bit hash a whole number: that of the float it equals, where there is one."""
    bits = whole.astype(np.float64).view(np.uint64)
    if whole.dtype.itemsize == 8:
        large = whole > _EXACT
        if whole.dtype.kind == "i":
            large |= whole < -_EXACT
        if large.any():
            bits = np.where(large, scrambled(whole.astype(np.uint64) ^ _LARGE), bits)
    return _filled(bits)


def sums_by(place: Ints, hashes: Hashes, size: int) -> list[int]:
    """The sums, modulo 2^64, of the hashes in each place from 0 to size - 1."""
    if (place[1:] < place[:-1]).any():
        order = np.argsort(place, kind="stable")
        place, hashes = place[order], hashes[order]
    total = np.concatenate((np.zeros(1, np.uint64), np.cumsum(hashes, dtype=np.uint64)))
    edges = total[np.searchsorted(place, np.arange(size + 1))]
    sums: list[int] = (edges[1:] - edges[:-1]).tolist()
    return sums


def scrambled(bits: Hashes) -> Hashes:
    """Every bit of the result depends on every bit given (the finalizer of splitmix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _chunk_hashes(chunk: pa.Array) -> Hashes:
    kind = chunk.type
    if pa.types.is_null(kind):
        return np.zeros(len(chunk), np.uint64)
    if pa.types.is_dictionary(kind):
        return _dictionary_hashes(chunk)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _present(chunk, whole_hashes(microseconds(chunk)))
    if pa.types.is_integer(kind):
        return _present(chunk, whole_hashes(values(chunk)))
    if pa.types.is_boolean(kind):
        return _present(chunk, whole_hashes(values(chunk.cast(pa.int8()))))
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        real = values(chunk.cast(pa.float64(), safe=False)) + 0.0  # -0.0 is 0.0
        hashes = np.where(np.isnan(real), np.uint64(0), _filled(real.view(np.uint64)))
        return _present(chunk, hashes)
    if not is_text(kind):
        chunk = as_text(pa.chunked_array([chunk])).combine_chunks()
    return _text_hashes(chunk.cast(pa.large_string()))


def _dictionary_hashes(chunk: pa.DictionaryArray) -> Hashes:
    return np.append(_chunk_hashes(chunk.dictionary), np.uint64(0))[indices(chunk)]


def _present(chunk: pa.Array, hashes: Hashes) -> Hashes:
    return np.where(absent(chunk), np.uint64(0), hashes) if chunk.null_count else hashes


def _filled(bits: Hashes) -> Hashes:
    """Scrambled, and never 0, which stands for a missing value."""
    return scrambled(bits + _GOLDEN) | np.uint64(1)


def _text_hashes(chunk: pa.Array) -> Hashes:
    """Each byte times a fixed random number of its place, summed: a block of rows at a time."""
    ends = np.frombuffer(chunk.buffers()[1], np.int64, len(chunk) + 1, chunk.offset * 8)
    data = chunk.buffers()[2]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    out = np.empty(len(chunk), np.uint64)
    longest = int(np.diff(ends).max(initial=0))
    weights = scrambled((np.arange(longest, dtype=np.uint64) + np.uint64(1)) * _GOLDEN) | np.uint64(
        1
    )
    for first in range(0, len(chunk), BLOCK):
        edges = ends[first : first + BLOCK + 1]
        out[first : first + BLOCK] = _sums(letters[edges[0] : edges[-1]], edges - edges[0], weights)
    return _present(chunk, _filled(out))


def _sums(letters: npt.NDArray[np.uint8], edges: Ints, weights: Hashes) -> Hashes:
    lengths = np.diff(edges)
    places = np.arange(len(letters)) - np.repeat(edges[:-1], lengths)
    products = (letters.astype(np.uint64) + np.uint64(1)) * weights[places]
    total = np.concatenate((np.zeros(1, np.uint64), np.cumsum(products, dtype=np.uint64)))
    return total[edges[1:]] - total[edges[:-1]]
