"""The table profile: what only rows, or columns side by side, can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from threading import Lock
from zlib import crc32

import numpy as np

from exporter.batch import Kind
from exporter.profile.arrays import MISSING_HASH, Bools, Hashes, Ints
from exporter.profile.column import (
    CategoryProfile,
    ColumnProfile,
    NumericProfile,
    OpaqueProfile,
    TimeProfile,
)

SAMPLE = 1024  # rows on which two columns are compared before they are compared in full
ALMOST = 0.95
SIEVE = 0.8  # of the sampled rows must be equal for two columns to be compared in full
SIEVE_OF_PARTS = 0.5  # the same in a part of a table: the whole may be more alike than a part is
HashRows = Callable[[Ints | None, int], Hashes]  # rows (None = all) and a seed -> a hash a row
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class TableProfile:
    """Figures of a table that outlive its columns.

    `duplicated_rows` of merged parts is exact where all of them kept their row hashes, and the
    sum of theirs otherwise. `alike` holds pairs that a sieve of 1,024 rows let through; of a
    merged table a pair is missed only if it is below half alike in some part and the rest of the
    table outweighs that part twenty to one.
    """

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
    failed: Mapping[str, str] = field(default_factory=dict)  # columns that could not be read: why
    row_hashes: Hashes | None = None  # in ascending order: kept where parts are to merge
    equal: tuple[Pair, ...] = ()  # pairs of columns that are equal, missing values included
    alike: tuple[tuple[str, str, int], ...] = ()  # similar pairs, and in how many rows they agree
    gaps: Mapping[str, int] = field(default_factory=dict)  # kinds of missing values: how many cells
    beyond: Mapping[str, int] = field(default_factory=dict)  # by column: empty texts and infinities
    rows_with_gaps: int = 0  # rows that miss a value or hold one of those


def merged_table(
    parts: Sequence[TableProfile], columns: Mapping[str, ColumnProfile]
) -> TableProfile:
    """The profile of the whole from those of its parts, and its merged columns, which tell what is constant."""
    rows = sum(part.rows for part in parts)
    kinds = {name: kind for part in parts for name, kind in part.kinds.items()}
    alike: Counter[Pair] = Counter()
    for part in parts:
        alike.update({(a, b): count for a, b, count in part.alike})
    equal = set.intersection(*({(a, b) for a, b in part.equal} for part in parts))
    return TableProfile(
        rows,
        kinds,
        _summed([part.missing for part in parts]),
        tuple(sorted(n for n, c in columns.items() if is_constant(c))),
        tuple(sorted(n for n, c in columns.items() if is_almost_constant(c, rows))),
        sum(part.rows_with_missing for part in parts),
        sum(part.empty_rows for part in parts),
        *_merged_doubles(parts),
        len(equal),
        sum(count >= ALMOST * rows for count in alike.values()),
        _types(parts),
        {name: why for part in parts for name, why in part.failed.items()},
        _merged_hashes(parts),
        tuple(sorted(equal)),
        _triples(alike),
        _summed([part.gaps for part in parts]),
        _summed([part.beyond for part in parts]),
        sum(part.rows_with_gaps for part in parts),
    )


def _summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def _triples(alike: Mapping[Pair, int]) -> tuple[tuple[str, str, int], ...]:
    return tuple((a, b, count) for (a, b), count in sorted(alike.items()))


def is_constant(column: ColumnProfile) -> bool:
    """At most one value, whatever is missing; infinity counts as a value."""
    return column.distinct + _infinities(column) <= 1


def is_almost_constant(column: ColumnProfile, rows: int) -> bool:
    """One value fills 95 % of the rows."""
    return rows > 0 and column.top >= ALMOST * rows


def gaps(column: ColumnProfile) -> dict[str, int]:
    """How many values are missing, by kind, of every kind that the column may have.

    `null` (NaN is the same), empty text (`""`), `inf` and `-inf`; and what the source made null by
    what it was.
    """
    null = {"null": column.missing - sum(column.replaced.values())}
    if isinstance(column, NumericProfile):
        positive = column.infinite - column.negative_infinite
        null |= {"inf": positive, "-inf": column.negative_infinite}
    elif not isinstance(column, TimeProfile):
        null |= {kind_of(""): empty_texts(column)}
    return null | {kind: count + null.get(kind, 0) for kind, count in column.replaced.items()}


def kind_of(label: str) -> str:
    """What a value is called as a kind of missing values: as it is, but for empty text and the text `null`."""
    return f'"{label}"' if label in ("", "null") else label


def beyond(column: ColumnProfile) -> int:
    """How many values are empty texts or infinite."""
    return _infinities(column) or (0 if isinstance(column, NumericProfile) else empty_texts(column))


def empty_texts(column: CategoryProfile | OpaqueProfile) -> int:
    """How many values are texts without a character."""
    return column.empty if isinstance(column, OpaqueProfile) else column.count_of.get("", 0)


def _infinities(column: ColumnProfile) -> int:
    return column.infinite if isinstance(column, NumericProfile) else 0


def _merged_hashes(parts: Sequence[TableProfile]) -> Hashes | None:
    kept = [part.row_hashes for part in parts if part.row_hashes is not None]
    return np.sort(np.concatenate(kept)) if len(kept) == len(parts) else None


def _merged_doubles(parts: Sequence[TableProfile]) -> tuple[int]:
    whole = _merged_hashes(parts)
    if whole is None:
        return (sum(part.duplicated_rows for part in parts),)
    return (doubles(whole),)


def _types(parts: Sequence[TableProfile]) -> dict[str, str]:
    """The family that most rows have, of those that say anything."""
    votes: dict[str, Counter[str]] = {}
    for part in parts:
        for name, kind in part.types.items():
            votes.setdefault(name, Counter())[kind] += part.rows if kind != "null" else 0
    return {name: max(sorted(found), key=found.__getitem__) for name, found in votes.items()}


def doubles(ascending: Hashes) -> int:
    """How many repeat the one before."""
    return int(np.count_nonzero(ascending[1:] == ascending[:-1]))


@dataclass
class TableBuilder:
    """Takes columns in any order, from several threads, and gives the table profile.

    Duplicate rows: a row that differs from every other in one column is out, so hashing goes on
    with the rows that are still in. The first column without repeats leaves only the rows where
    it is missing, and the rest of the table costs next to nothing. A `mergeable` table keeps the
    hashes of all rows instead.
    """

    rows: int
    kinds: Mapping[str, Kind]
    mergeable: bool = False
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
    _gaps: Counter[str] = field(default_factory=Counter)
    _beyond: dict[str, int] = field(default_factory=dict)
    _wide: Bools | None = None  # rows with empty texts or infinities; None = not one

    def add(
        self,
        column: ColumnProfile,
        absent: Bools,
        hashes: HashRows,
        *,
        unique: bool = False,
        beyond: Bools | None = None,
    ) -> None:
        """Enter a column: which rows miss it, and the hashes of some rows (None = all).

        `unique`: no present value occurs twice. `beyond`: which rows are empty text or infinite;
        None = not one.
        """
        sample = hashes(self._sample_rows, 0)
        constant = is_constant(column)
        almost = self._may_be_almost_constant(column) and is_almost_constant(column, self.rows)
        with self._lock:
            self._samples[column.name] = sample
            self._missing[column.name] = column.missing
            self._gaps.update({kind: n for kind, n in gaps(column).items() if n})
            if constant:
                self._constant.append(column.name)
            if almost:
                self._almost.append(column.name)
            self._mark_missing(absent)
            self._mark_beyond(column, beyond)
            self._narrow(column.name, absent, hashes, unique=unique)

    def build(
        self,
        hashes_of: Callable[[str], Hashes],
        types: Mapping[str, str],
        failed: Mapping[str, str],
    ) -> TableProfile:
        """The profile of all columns entered; `hashes_of` is asked for every row of columns that look alike."""
        equal, alike = self._alike(hashes_of)
        hashes = self._all_hashes() if self.mergeable else None
        return TableProfile(
            self.rows,
            self.kinds,
            dict(sorted(self._missing.items())),
            tuple(sorted(self._constant)),
            tuple(sorted(self._almost)),
            int(np.count_nonzero(self._gap)) if self._gap is not None else 0,
            int(np.count_nonzero(self._empty)) if self._empty is not None else 0,
            self._doubles() if hashes is None else doubles(hashes),
            len(equal),
            sum(count >= ALMOST * self.rows for count in alike.values()) if self.rows else 0,
            types,
            failed,
            hashes,
            tuple(sorted(equal)),
            _triples(alike),
            dict(sorted(self._gaps.items())),
            dict(sorted(self._beyond.items())),
            self._rows_with_gaps(),
        )

    def _may_be_almost_constant(self, column: ColumnProfile) -> bool:
        """Whether it is worth counting: without this, every column's most common value would be looked for."""
        most = column.top_at_most if isinstance(column, NumericProfile) else column.top
        return most >= ALMOST * self.rows

    def _mark_missing(self, absent: Bools) -> None:
        if self._gap is None or self._empty is None:
            self._gap, self._empty = absent.copy(), absent.copy()
        else:
            self._gap |= absent
            self._empty &= absent

    def _mark_beyond(self, column: ColumnProfile, rows: Bools | None) -> None:
        if rows is not None:
            self._beyond[column.name] = beyond(column)
            self._wide = rows if self._wide is None else self._wide | rows

    def _rows_with_gaps(self) -> int:
        marks = [mark for mark in (self._gap, self._wide) if mark is not None]
        return int(np.count_nonzero(np.logical_or.reduce(marks))) if marks else 0

    def _narrow(self, name: str, absent: Bools, hashes: HashRows, *, unique: bool) -> None:
        if unique and not self.mergeable:
            keep = np.flatnonzero(absent if self._inside is None else absent[self._inside])
            self._hashes = None if self._hashes is None else self._hashes[keep]
            self._inside = keep if self._inside is None else self._inside[keep]
            return
        more = hashes(self._inside, crc32(name.encode("utf-8", "surrogatepass")))
        self._hashes = (
            more if self._hashes is None else np.add(self._hashes, more, out=self._hashes)
        )
        self._seen += 1
        if self._seen in (4, 12, 28) and len(more) > SAMPLE and not self.mergeable:
            self._drop_singles()

    def _drop_singles(self) -> None:
        """Keep the rows whose hash so far occurs again, if they are few."""
        assert self._hashes is not None  # noqa: S101  just set
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
        return doubles(np.sort(self._hashes))

    def _all_hashes(self) -> Hashes:
        return np.empty(0, np.uint64) if self._hashes is None else np.sort(self._hashes)

    @cached_property
    def _sample_rows(self) -> Ints:
        if self.rows <= SAMPLE:
            return np.arange(self.rows)
        return np.random.default_rng(0).integers(0, self.rows, SAMPLE)

    def _alike(self, hashes_of: Callable[[str], Hashes]) -> tuple[list[Pair], dict[Pair, int]]:
        """Pairs of equal columns (missing equals missing), and in how many rows similar ones are equal (it does not)."""
        equal: list[Pair] = []
        alike: dict[Pair, int] = {}
        for pair in chain.from_iterable(self._similar(kind) for kind in set(self.kinds.values())):
            a, b = hashes_of(pair[0]), hashes_of(pair[1])
            same = a == b
            if same.all():
                equal.append(pair)
            alike[pair] = int(np.count_nonzero(same & (a != MISSING_HASH)))
        return equal, alike

    def _similar(self, kind: Kind) -> list[Pair]:
        """Pairs of one kind's columns that agree in most of the sampled rows."""
        names = sorted(n for n in self._samples if self.kinds[n] == kind)
        if len(names) < 2 or not self.rows:
            return []
        table = np.stack([self._samples[n] for n in names])
        least = SIEVE_OF_PARTS if self.mergeable else SIEVE
        out: list[Pair] = []
        for i, name in enumerate(names[:-1]):
            share = (table[i + 1 :] == table[i]).mean(axis=1)
            out += [(name, names[i + 1 + j]) for j in np.flatnonzero(share >= least)]
        return out


def _repeated(hashes: Hashes) -> Hashes:
    ordered = np.sort(hashes)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
