"""A run that is stopped or killed in the middle leaves whole snapshots, and the next goes on."""

from __future__ import annotations

import re
import signal

import pandas as pd
import pytest
from cli.shop import Command, Shop, contents, rows_of, stored
from conftest import made_database

DAYS = 50
ALL = 2 * DAYS


@pytest.fixture
def long(shop: Shop) -> Shop:
    """Fifty days in one file: work for a while."""
    for file in (shop.folder / "data").iterdir():
        file.unlink()
    days = pd.concat(rows_of(day) for day in range(DAYS))
    days.to_parquet(shop.folder / "data" / "all.parquet", index=False)
    return shop


@pytest.fixture(scope="module")
def whole(server: str, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """What a run that nobody disturbs leaves in the store."""
    with made_database(server) as url, pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("undisturbed")
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("SHOP_STORE", url)
        undisturbed = Shop(folder, url)
        days = pd.concat(rows_of(day) for day in range(DAYS))
        days.to_parquet(folder / "data" / "all.parquet", index=False)
        assert undisturbed.run().exit_code == 0
        return contents(url)


def ended_early(shop: Shop, number: signal.Signals, processes: int) -> tuple[int, str, str]:
    """The end of a run that gets a signal, with all its processes, when some snapshots are stored."""
    command = Command("run", shop.config, "--processes", processes)
    command.until(lambda: stored(shop.store) > 2)  # the first is told when the next is made
    command.signal(number, group=number is signal.SIGINT)
    return command.end()


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_stopped_run_keeps_what_was_made_and_a_second_one_goes_on(
    long: Shop, whole: object, number: signal.Signals, processes: int
) -> None:
    code, out, err = ended_early(long, number, processes)
    kept = stored(long.store)
    assert code == 130
    assert 0 < kept < ALL
    assert re.fullmatch(r"stopped: \d+ snapshots? kept; run again to go on\n", err)
    assert out.splitlines()[-1].split(":")[0] == err.split(": ")[1].split(" kept")[0]
    again = long.run()
    assert again.exit_code == 0
    assert f"\n{ALL - kept} snapshots: " in again.stdout
    assert contents(long.store) == whole


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_run_leaves_no_process_and_the_next_one_completes_it(
    long: Shop, whole: object, processes: int
) -> None:
    code, _, _ = ended_early(long, signal.SIGKILL, processes)  # ends when its processes have ended
    assert code == -signal.SIGKILL
    assert 0 < stored(long.store) < ALL
    assert long.run().exit_code == 0
    assert contents(long.store) == whole
