"""The table profile: what only rows, or columns side by side, can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from exporter.batch import Kind
from exporter.profile.arrays import Bools, Hashes, Ints

SAMPLE = 1024  # rows on which two columns are compared before they are compared in full
ALMOST = 0.95
HashRows = Callable[[Ints | None, int], Hashes]  # rows (None = all) and a seed -> a hash a row


@dataclass(frozen=True, slots=True)
class TableProfile:
    """Figures of a table that outlive its columns."""

    rows: int
    kinds: Mapping[str, Kind]
    missing: Mapping[str, int]
    constant: tuple[str, ...]
    almost_constant: tuple[str, ...]
    rows_with_missing: int
    empty_rows: int
    duplicated_rows: int
    duplicated_columns: int
    almost_duplicated_columns: int
    types: Mapping[str, str] = field(default_factory=dict)  # the family of each column's type


@dataclass
class TableBuilder:
    """Takes columns in any order, from several threads, and gives the table profile.

    Duplicate rows: a row that differs from every other in one column is out, so hashing goes on
    with the rows that are still in. The first column without repeats leaves only the rows where
    it is missing, and the rest of the table costs next to nothing.
    """

    rows: int
    kinds: Mapping[str, Kind]
    _lock: Lock = field(default_factory=Lock)
    _hashes: Hashes | None = None
    _inside: Ints | None = None  # rows that may still have a double; None = all
    _seen: int = 0
    _gap: Bools | None = None
    _empty: Bools | None = None
    _missing: dict[str, int] = field(default_factory=dict)
    _constant: list[str] = field(default_factory=list)
    _almost: list[str] = field(default_factory=list)
    _samples: dict[str, Hashes] = field(default_factory=dict)

    def add(
        self,
        name: str,
        absent: Bools,
        hashes: HashRows,
        *,
        distinct: int | None,
        top: int,
        unique: bool = False,
    ) -> None:
        """Enter a column: which rows miss it, the hashes of some rows (None = all), how it repeats.

        `unique`: no present value occurs twice.
        """
        sample = hashes(self._sample_rows, 0)
        count = int(np.count_nonzero(absent))
        with self._lock:
            self._samples[name] = sample
            self._missing[name] = count
            if distinct is not None and distinct <= 1:
                self._constant.append(name)
            if self.rows and top >= ALMOST * self.rows:
                self._almost.append(name)
            self._mark_missing(absent)
            self._narrow(name, absent, hashes, unique=unique)

    def build(self, read: Callable[[str], pa.ChunkedArray]) -> TableProfile:
        """The profile of all columns entered; `read` is asked for columns that look alike."""
        same, almost = self._alike(read)
        return TableProfile(
            self.rows,
            self.kinds,
            dict(sorted(self._missing.items())),
            tuple(sorted(self._constant)),
            tuple(sorted(self._almost)),
            int(np.count_nonzero(self._gap)) if self._gap is not None else 0,
            int(np.count_nonzero(self._empty)) if self._empty is not None else 0,
            self._doubles(),
            same,
            almost,
        )

    def _mark_missing(self, absent: Bools) -> None:
        if self._gap is None or self._empty is None:
            self._gap, self._empty = absent.copy(), absent.copy()
        else:
            self._gap |= absent
            self._empty &= absent

    def _narrow(self, name: str, absent: Bools, hashes: HashRows, *, unique: bool) -> None:
        if unique:
            keep = np.flatnonzero(absent if self._inside is None else absent[self._inside])
            self._hashes = None if self._hashes is None else self._hashes[keep]
            self._inside = keep if self._inside is None else self._inside[keep]
            return
        more = hashes(self._inside, crc32(name.encode()))
        self._hashes = (
            more if self._hashes is None else np.add(self._hashes, more, out=self._hashes)
        )
        self._seen += 1
        if self._seen in (4, 12, 28) and len(more) > SAMPLE:
            self._drop_singles()

    def _drop_singles(self) -> None:
        """Keep the rows whose hash so far occurs again, if they are few."""
        assert self._hashes is not None
        again = _repeated(self._hashes)
        if len(again) > len(self._hashes) // 20:
            return
        place = np.minimum(np.searchsorted(again, self._hashes), max(len(again) - 1, 0))
        keep = np.flatnonzero(again[place] == self._hashes) if len(again) else np.empty(0, np.int64)
        self._inside = keep if self._inside is None else self._inside[keep]
        self._hashes = self._hashes[keep]

    def _doubles(self) -> int:
        """Rows that repeat an earlier one; rows that no hashed column has told apart are all alike."""
        if self._hashes is None:
            return 0 if self._inside is None else max(len(self._inside) - 1, 0)
        ordered = np.sort(self._hashes)
        return int(np.count_nonzero(ordered[1:] == ordered[:-1]))

    @cached_property
    def _sample_rows(self) -> Ints:
        if self.rows <= SAMPLE:
            return np.arange(self.rows)
        return np.random.default_rng(0).integers(0, self.rows, SAMPLE)

    def _alike(self, read: Callable[[str], pa.ChunkedArray]) -> tuple[int, int]:
        """Pairs of equal columns (missing equals missing), and of columns equal in 95 % of rows (it does not)."""
        same = almost = 0
        for kind in set(self.kinds.values()):
            names = sorted(n for n in self._samples if self.kinds[n] == kind)
            if len(names) < 2:
                continue
            table = np.stack([self._samples[n] for n in names])
            for i, name in enumerate(names[:-1]):
                share = (table[i + 1 :] == table[i]).mean(axis=1)
                for j in np.flatnonzero(share >= 0.8):
                    a, b = read(name), read(names[i + 1 + j])
                    same += a.equals(b)
                    equal = pc.equal(a, b)
                    almost += (pc.sum(equal).as_py() or 0) >= ALMOST * self.rows
        return same, almost


def _repeated(hashes: Hashes) -> Hashes:
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
