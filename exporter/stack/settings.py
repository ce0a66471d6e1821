"""What is known before anything starts: programs, ports, folders, and the files that all of them share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exporter.errors import ExporterError
from exporter.store.folders import private, state_folder
from exporter.store.ports import free_port

ALERTMANAGERS = ("prometheus-alertmanager", "alertmanager")  # Debian's name, and everybody else's
GET_PROMETHEUS = (
    "apt-get install prometheus, or an archive of https://prometheus.io/download/ and"
    " --prometheus PATH"
)
GET_ALERTMANAGER = (
    "apt-get install prometheus-alertmanager, or an archive of https://prometheus.io/download/ and"
    " --alertmanager PATH"
)
GET_GRAFANA = (
    "unpack an archive of https://grafana.com/grafana/download (11 to 13) and say"
    " --grafana-home FOLDER"
)
_PACKAGED = Path("/usr/share/grafana")  # where Debian's and Red Hat's packages have its files


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each program listens, on the loopback."""

    exporter: int = 9877
    prometheus: int = 9090
    alertmanager: int = 9093
    grafana: int = 3000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; None = what is found, or is free."""

    config: Path
    prometheus: Path | None = None  # the program
    alertmanager: Path | None = None  # the program
    grafana_home: Path | None = None  # the folder with bin/, conf/ and public/
    exporter_port: int | None = None
    prometheus_port: int | None = None
    alertmanager_port: int | None = None
    grafana_port: int | None = None

    def ports(self) -> Ports:
        """The chosen ports, else the usual ones, else any that are free.

        Raises ExporterError where somebody has a chosen one.
        """
        usual = Ports()
        return Ports(
            port_of(self.exporter_port, usual.exporter),
            port_of(self.prometheus_port, usual.prometheus),
            port_of(self.alertmanager_port, usual.alertmanager),
            port_of(self.grafana_port, usual.grafana),
        )


@dataclass(frozen=True, slots=True)
class Grafana:
    """A Grafana on this machine."""

    program: Path
    home: Path


def find_prometheus(named: Path | None, environment: Mapping[str, str]) -> Path | None:
    """The program that was named, or the one on the PATH; None where there is none.

    Raises ExporterError where the named one cannot be run.
    """
    return _found(named, "--prometheus", ("prometheus",), environment)


def find_alertmanager(named: Path | None, environment: Mapping[str, str]) -> Path | None:
    """As `find_prometheus`, by either of its names."""
    return _found(named, "--alertmanager", ALERTMANAGERS, environment)


def find_grafana(
    named: Path | None, environment: Mapping[str, str], packaged: Path = _PACKAGED
) -> Grafana | None:
    """The Grafana in the named folder, else the one of the PATH or of a package; None where there is none.

    Raises ExporterError where the named folder is none of Grafana's.
    """
    if named is not None:
        if not _is_home(named):
            raise ExporterError(
                f"--grafana-home {named}: there is no conf/defaults.ini, so this is no Grafana:"
                " name the folder that holds bin, conf and public"
            )
        return Grafana(_runnable(named / "bin" / "grafana", "--grafana-home"), named.resolve())
    on_path = shutil.which("grafana", path=environment.get("PATH"))
    if on_path is None:
        return None
    beside = Path(on_path).resolve().parents[1]
    homes = [home for home in (beside, beside / "share" / "grafana", packaged) if _is_home(home)]
    return Grafana(Path(on_path), homes[0]) if homes else None


def port_of(chosen: int | None, usual: int) -> int:
    """The chosen port, else the usual one, else any that is free.

    Raises ExporterError where somebody has the chosen one.
    """
    port = free_port(chosen if chosen is not None else usual)
    if chosen and port != chosen:
        raise ExporterError(
            f"port {chosen} of 127.0.0.1 is in use: choose another, or leave it to be found"
        )
    return port


def state_of_stack() -> Path:
    """The folder for the logs, the time series and Grafana's database: this user's alone."""
    return private(state_folder() / "stack")


def shipped(*names: str) -> Path:
    """A file or folder that a deployment mounts, from the package or, in a checkout, from its root."""
    inside, beside = Path(__file__).parent / "files", Path(__file__).parents[2]
    for root in (inside, beside):
        if (found := root.joinpath(*names)).exists():
            return found.resolve()
    raise ExporterError(
        f"{'/'.join(names)} is missing from this installation: install the package again"
    )


def _found(
    named: Path | None, option: str, names: Sequence[str], environment: Mapping[str, str]
) -> Path | None:
    if named is not None:
        return _runnable(named, option)
    found = (shutil.which(name, path=environment.get("PATH")) for name in names)
    return next((Path(path) for path in found if path), None)


def _runnable(program: Path, option: str) -> Path:
    if not program.is_file() or not os.access(program, os.X_OK):
        raise ExporterError(f"{option}: {program} is no program that can be run")
    return program.resolve()


def _is_home(folder: Path) -> bool:
    return (folder / "conf" / "defaults.ini").is_file()
