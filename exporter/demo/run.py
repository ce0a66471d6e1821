"""`exporter demo`: make the data, run the config, tell what was found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from exporter.config import Loaded, load_config
from exporter.demo.flights import LAST_DAY, DemoData, weeks_to, write_files
from exporter.demo.story import ZONE, Story, story
from exporter.errors import BatchError
from exporter.pipeline import Done, Failed, Selection, Work, open_project, store_location
from exporter.store import open_store

CONFIG = "late-flights.yaml"
YEAR = 365
Watch = Callable[[Iterable[Done | Failed], Work], Iterator[Done | Failed]]


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo run leaves."""

    config: Path
    data: DemoData
    story: Story
    snapshots: int
    failed: int


def prepare(folder: Path, now: datetime) -> tuple[DemoData, Path]:
    """The data and the config in *folder*; files that are there and still recent are kept."""
    today = now.astimezone(ZONE).date()
    note = folder / "data" / "moved.json"
    weeks = weeks_to(today)
    if note.exists() and json.loads(note.read_text()).get("weeks") == weeks:
        data = DemoData(folder / "data", weeks)
    else:
        shutil.rmtree(folder / "data", ignore_errors=True)
        data = write_files(folder / "data", today)
        note.write_text(json.dumps({"weeks": weeks}))
    config = folder / CONFIG
    if not config.exists():
        config.write_text(_shipped_config(), encoding="utf-8")
    return data, config


def run_demo(
    folder: Path,
    now: datetime,
    *,
    days: int = YEAR,
    processes: int | None = None,
    watch: Watch = lambda results, _: iter(results),
) -> Demo:
    """Run the year, or its last *days*; `watch` sees every result on its way (a progress bar)."""
    data, config = prepare(folder, now)
    loaded: Loaded = load_config(config)
    first = LAST_DAY + timedelta(weeks=data.weeks, days=1 - days)
    start = datetime.combine(first, datetime.min.time(), ZONE) if days < YEAR else None
    location = store_location(loaded)
    with open_project(loaded, processes=processes) as project, open_store(location) as store:
        work = project.plan_work(Selection(start=start), now)
        snapshots = failed = 0
        for result in watch(project.run(work, now), work):
            failed += isinstance(result, Failed)
            snapshots += isinstance(result, Done)
        since = max(first, data.day("2013-02-01"))
        return Demo(config, data, story(store, data, since=since), snapshots, failed)


def _shipped_config() -> str:
    """The example that users read, from the package or, in a checkout, from `examples/`."""
    inside = files("exporter.demo") / CONFIG
    beside = Path(__file__).parents[2] / "examples" / CONFIG
    for place in (inside, beside):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise BatchError(f"{CONFIG} is missing from this installation: install the package again")
