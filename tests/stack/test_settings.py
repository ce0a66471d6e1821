"""Which programs are found, which ports are taken, and where the files of a deployment are."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from stack.stand_in import grafana_in

from exporter.errors import ExporterError
from exporter.stack.settings import (
    Ports,
    Settings,
    find_alertmanager,
    find_grafana,
    find_prometheus,
    port_of,
    shipped,
)


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / name
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def test_prometheus_is_the_named_program_else_that_of_the_path(tmp_path: Path) -> None:
    named, installed = program(tmp_path / "a", "prom"), program(tmp_path / "b", "prometheus")
    path = {"PATH": str(tmp_path / "b")}
    assert find_prometheus(named, path) == named
    assert find_prometheus(None, path) == installed
    assert find_prometheus(None, {"PATH": str(tmp_path / "a")}) is None


@pytest.mark.parametrize("name", ["prometheus-alertmanager", "alertmanager"])
def test_alertmanager_is_the_named_program_else_either_name_on_the_path(
    name: str, tmp_path: Path
) -> None:
    named, installed = program(tmp_path / "a", "am"), program(tmp_path / "b", name)
    path = {"PATH": str(tmp_path / "b")}
    assert find_alertmanager(named, path) == named
    assert find_alertmanager(None, path) == installed
    assert find_alertmanager(None, {"PATH": str(tmp_path / "a")}) is None
    with pytest.raises(ExporterError, match=r"--alertmanager: .* is no program that can be run"):
        find_alertmanager(tmp_path, {})


def test_a_named_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").touch()
    for named in (tmp_path / "nothing", tmp_path / "text", tmp_path):
        with pytest.raises(ExporterError, match=r"--prometheus: .* is no program that can be run"):
            find_prometheus(named, {})


def test_grafana_is_the_named_folder(tmp_path: Path) -> None:
    home = grafana_in(tmp_path)
    found = find_grafana(home, {"PATH": ""})
    assert found is not None
    assert (found.program, found.home) == (home / "bin" / "grafana", home)


def test_a_folder_that_is_none_of_grafanas_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExporterError, match=r"no conf/defaults\.ini, so this is no Grafana"):
        find_grafana(tmp_path, {})
    home = grafana_in(tmp_path)
    (home / "bin" / "grafana").unlink()
    with pytest.raises(ExporterError, match="is no program that can be run"):
        find_grafana(home, {})


def test_grafana_of_the_path_has_its_files_beside_it_or_where_packages_put_them(
    tmp_path: Path,
) -> None:
    home = grafana_in(tmp_path / "one")
    found = find_grafana(None, {"PATH": str(home / "bin")}, tmp_path / "nowhere")
    assert found is not None
    assert found.home == home
    alone = program(tmp_path / "two" / "sbin", "grafana")
    path = {"PATH": str(alone.parent)}
    packaged = find_grafana(None, path, home)
    assert packaged is not None
    assert (packaged.program, packaged.home) == (alone, home)
    assert find_grafana(None, path, tmp_path / "nowhere") is None
    assert find_grafana(None, {"PATH": str(tmp_path)}, home) is None


def test_a_port_is_the_usual_one_where_it_is_free_and_the_chosen_one_or_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port_of(None, port) != port
        with pytest.raises(ExporterError, match=rf"port {port} of 127\.0\.0\.1 is in use"):
            port_of(port, 9)
    assert port_of(None, port) == port_of(port, 9) == port


def test_every_program_has_the_port_that_was_chosen_for_it() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as two,
    ):
        first, second = one.getsockname()[1], two.getsockname()[1]
    chosen = Settings(Path("x.yaml"), alertmanager_port=first, grafana_port=second).ports()
    assert (chosen.alertmanager, chosen.grafana) == (first, second)
    assert len({chosen.exporter, chosen.prometheus, first, second}) == 4
    assert (Ports().exporter, Ports().prometheus) == (9877, 9090)


def test_the_files_of_a_deployment_are_found_in_a_checkout() -> None:
    assert (shipped("grafana_dashboards") / "fleet-overview.json").is_file()
    assert shipped("deploy", "prometheus", "prometheus.yml").is_file()
    with pytest.raises(ExporterError, match=r"deploy/nothing is missing from this installation"):
        shipped("deploy", "nothing")
