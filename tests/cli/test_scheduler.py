"""`exporter run --every`: looks again and again, and ends cleanly."""

from __future__ import annotations

import json
import signal

import pytest
from cli.shop import Command, Shop, stored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_evaluates_what_comes_and_ends_cleanly(shop: Shop, number: signal.Signals) -> None:
    command = Command("run", shop.config, "--every", "1s", "--processes", 1)
    command.until(lambda: stored(shop.store) == 10)
    shop.write(5)
    command.until(lambda: stored(shop.store) == 12)
    command.signal(number)
    code, out, err = command.end()
    assert code == 0
    assert out == ""
    assert err.count(" evaluated ") == 12
    assert err.splitlines()[-1].split("]")[1].split()[0] == "stopped"


def test_its_log_can_be_json(shop: Shop) -> None:
    command = Command("--log-format", "json", "run", shop.config, "--every", "1h")
    command.until(lambda: stored(shop.store) == 10)
    command.signal(signal.SIGTERM)
    lines = [json.loads(line) for line in command.end()[2].splitlines()]
    told = [line for line in lines if line["event"] == "evaluated"]
    assert len(told) == 10
    assert {line["level"] for line in lines} == {"info"}
    assert told[0]["model"] == "sales"
    assert sum(line["failed_tests"] for line in told) == 1


def test_an_error_does_not_end_it(shop: Shop) -> None:
    (shop.folder / "data" / "04.parquet").write_text("no parquet\n")
    command = Command("run", shop.config, "--every", "1s", "--processes", 1)
    command.until(lambda: stored(shop.store) == 8)
    shop.write(4)
    command.until(lambda: stored(shop.store) == 10)
    command.signal(signal.SIGTERM)
    code, _, err = command.end()
    assert code == 0
    assert "04.parquet: this is no parquet file" in err
    assert "Traceback" not in err
