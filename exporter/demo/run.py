"""`exporter demo`: make the data, run the config, tell what was found."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from exporter.config import Loaded, load_config
from exporter.demo.flights import LAST_DAY, DemoData, weeks_to, write_files
from exporter.demo.story import ZONE, Story, story
from exporter.errors import BatchError, ExporterError
from exporter.pipeline import Done, Failed, Selection, Work, open_project, store_location
from exporter.store import open_store

CONFIG = "late-flights.yaml"
YEAR = 365
WAIT = timedelta(hours=2)  # what the config says
Watch = Callable[[Iterable[Done | Failed], Work], Iterator[Done | Failed]]


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo run leaves."""

    config: Path
    data: DemoData
    story: Story
    snapshots: int  # made by this run
    errors: list[ExporterError]  # of what could not be evaluated


def prepare(folder: Path, now: datetime) -> tuple[DemoData, Path]:
    """The data and the config in *folder*; files of today are kept, on another day labels have come.

    Raises an ExporterError where the folder cannot be written.
    """
    today = today_of(now)
    note = folder / "data" / "written_on"
    try:
        if note.exists() and note.read_text() == f"{today}":
            data = DemoData(folder / "data", weeks_to(today))
        else:
            shutil.rmtree(folder / "data", ignore_errors=True)
            data = write_files(folder / "data", today)
            note.write_text(f"{today}")
        return data, _config_in(folder)
    except OSError as error:
        raise ExporterError(
            f"{folder} cannot be written ({error.strerror}): name another with --folder"
        ) from error


def today_of(now: datetime) -> date:
    """New York's day, which begins when the day before is due."""
    return (now.astimezone(ZONE) - WAIT).date()


def _config_in(folder: Path) -> Path:
    config = folder / CONFIG
    if not config.exists():
        config.write_text(_shipped_config(), encoding="utf-8")
    return config


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
        snapshots, errors = 0, list[ExporterError](work.errors)
        for result in watch(project.run(work, now), work):
            if isinstance(result, Failed):
                errors.append(result.error)
            else:
                snapshots += 1
        since = max(first, data.day("2013-02-01"))  # in January the reference is still filling
        return Demo(config, data, story(store, data, since=since), snapshots, errors)


def _shipped_config() -> str:
    """The example that users read, from the package or, in a checkout, from `examples/`."""
    inside = files("exporter.demo") / CONFIG
    beside = Path(__file__).parents[2] / "examples" / CONFIG
    for place in (inside, beside):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    raise BatchError(f"{CONFIG} is missing from this installation: install the package again")
