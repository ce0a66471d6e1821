from itertools import pairwise

import psycopg
import pytest

from exporter.grafana.distributions import BIN


def names(url: str, edges: list[float]) -> list[str]:
    """The names of the bins between the edges, and of both outside them, in their order."""
    ends = [None, *edges, None]
    rows = [("column", number, low, high) for number, (low, high) in enumerate(pairwise(ends), 1)]
    query = f"""
        select {BIN} from unnest(%s::text[], %s::integer[], %s::float8[], %s::float8[])
          as b(column_name, bin, bin_from, bin_to), (select null::text as category) c
        order by bin"""
    with psycopg.connect(url) as connection:
        return [
            name for (name,) in connection.execute(query, [*map(list, zip(*rows, strict=True))])
        ]


@pytest.mark.parametrize(
    "edges",
    [
        [-1.5, -0.5, 0.5, 1.5],
        [0.001, 0.0011, 0.0012],
        [1_000_000.25, 1_000_000.5, 1_000_000.75],
        [1e-9, 2e-9, 3e-9],
        [1e12, 2e12, 3e12],
    ],
)
def test_bins_are_told_apart_and_sort_by_the_number_they_begin_with(
    reader: str, edges: list[float]
) -> None:
    found = names(reader, edges)

    begins = [float(name.split()[0]) for name in found]
    assert len(set(found)) == len(found)
    assert begins == sorted(begins)


def test_a_bin_is_named_by_its_ends_without_needless_digits(reader: str) -> None:
    assert names(reader, [0.1 + 0.2, 1.3]) == ["0.3 or less", "0.3 to 1.3", "1.3 or more"]


def test_a_single_edge_has_two_bins(reader: str) -> None:
    assert names(reader, [0.0]) == ["0 or less", "0 or more"]
