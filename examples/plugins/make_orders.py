"""Writes data/: a reference and three days of orders, the last of them typed in by hand, and angry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

COMMENTS = ("thank you", "all fine", "please call", "gift wrapped")


def orders(day: str, rows: int, *, by_hand: bool = False) -> pd.DataFrame:
    """The orders of one day."""
    rng = np.random.default_rng(int(pd.Timestamp(day).timestamp()))
    amount = rng.lognormal(3, 0.5, rows).round(2)
    comment = rng.choice(COMMENTS, rows).astype(object)
    if by_hand:
        amount = (amount * 2 / 10).round() * 10
        comment[: rows // 2] = "WHERE IS MY ORDER"
    return pd.DataFrame({
        "ordered_at": pd.Timestamp(day, tz="UTC") + pd.to_timedelta(rng.integers(0, 86400, rows), "s"),
        "amount": amount,
        "country": rng.choice(["IT", "NO", "DE"], rows),
        "comment": comment,
    })  # fmt: skip


def main() -> None:
    """Write the files."""
    folder = Path("data")
    folder.mkdir(exist_ok=True)
    orders("2026-01-31", 2000).to_parquet(folder / "reference.parquet", index=False)
    for day in ("2026-02-01", "2026-02-02", "2026-02-03"):
        frame = orders(day, 300, by_hand=day.endswith("03"))
        frame.to_parquet(folder / f"orders-{day}.parquet", index=False)


if __name__ == "__main__":
    main()
