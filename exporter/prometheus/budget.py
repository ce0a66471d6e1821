"""A budget of series, spent rank by rank and, within a rank, on all streams alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from exporter.prometheus.rendering import RANKS, Chunk, Rendered


def within(streams: Sequence[Rendered], budget: int) -> Iterator[Chunk]:
    """The chunks of the streams, cut so that they hold at most *budget* samples."""
    left = budget
    for rank in range(RANKS):
        offered = [sum(chunk.size for chunk in stream.ranks[rank]) for stream in streams]
        shares = fair_shares(offered, left)
        for stream, share in zip(streams, shares, strict=True):
            yield from _first(stream.ranks[rank], share)
        left -= sum(shares)


def fair_shares(wanted: Sequence[int], budget: int) -> list[int]:
    """What each gets of the budget: as much as it wants, or as much as any other that wants more."""
    shares = [0] * len(wanted)
    left = budget
    waiting = sorted(range(len(wanted)), key=lambda i: wanted[i])
    for place, i in enumerate(waiting):
        shares[i] = min(wanted[i], left // (len(waiting) - place))
        left -= shares[i]
    return shares


def _first(chunks: Sequence[Chunk], size: int) -> Iterator[Chunk]:
    for chunk in chunks:
        if size <= 0:
            return
        yield chunk.first(size)
        size -= chunk.size
