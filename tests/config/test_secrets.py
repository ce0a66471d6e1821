"""Secrets stand elsewhere: they are read when used, missed early, and never shown."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
from config.samples import SOUND, load, mistakes, warnings, without, written

from exporter.errors import ConfigError
from exporter.yaml import Secret

URL = "postgresql://writer:hunter2@db.example.com/evaluations"
REST = written(SOUND)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_URL", raising=False)


def store_of(folder: Path, text: str) -> Secret:
    store = load(folder, f"store: {text}\n{REST}").config.store
    assert isinstance(store, Secret)
    return store


def test_a_variable_is_read_when_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = store_of(tmp_path, "!env SHOP_URL")
    monkeypatch.setenv("SHOP_URL", URL)
    assert secret.reveal() == URL


def test_a_file_is_read_when_it_is_used_from_the_configs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = store_of(tmp_path, "!file secrets/url")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "url").write_text(f"{URL}\n", "utf-8")
    monkeypatch.chdir("/")
    assert secret.reveal() == URL


def test_a_file_may_stand_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text(URL, "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_of(tmp_path, f"!file {tmp_path / 'url'}").reveal() == URL
    assert store_of(tmp_path, "!file ~/url").reveal() == URL
    assert not store_of(tmp_path, "!file ~nobody-of-that-name/url").is_there


def test_what_is_not_set_is_warned_of_with_its_place(tmp_path: Path) -> None:
    assert warnings(tmp_path, f"store: !env SHOP_URL\n{REST}") == [
        "1:8: environment variable SHOP_URL (from !env) is not set"
    ]
    assert warnings(tmp_path, f"store: !file nowhere\n{REST}") == [
        f"1:8: file {tmp_path / 'nowhere'} (from !file) is not there"
    ]


def test_what_is_set_is_not_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", URL)
    assert warnings(tmp_path, f"store: !env SHOP_URL\n{REST}") == []


def test_a_variable_that_is_not_set_says_what_to_do_when_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"SHOP_URL .* is not set: set it where the exporter is"):
        store_of(tmp_path, "!env SHOP_URL").reveal()


@pytest.mark.parametrize("value", ["", "  \n"])
def test_an_empty_variable_is_no_value(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", value)
    assert len(warnings(tmp_path, f"store: !env SHOP_URL\n{REST}")) == 1
    with pytest.raises(ConfigError, match=r"SHOP_URL .* is empty"):
        store_of(tmp_path, "!env SHOP_URL").reveal()


@pytest.mark.parametrize(
    ("make", "said"), [("none", "No such file"), ("folder", "Is a directory"), ("bytes", "not UTF-8")]
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_when_used(make: str, said: str, tmp_path: Path) -> None:
    if make == "folder":
        (tmp_path / "url").mkdir()
    if make == "bytes":
        (tmp_path / "url").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=said):
        store_of(tmp_path, "!file url").reveal()


def test_a_secret_never_shows_its_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_URL", URL)
    loaded = load(tmp_path, f"store: !env SHOP_URL\n{REST}")
    shown = [repr(loaded), str(loaded.config), str(loaded.config.store), f"{loaded.config.store}"]
    assert all("hunter2" not in text for text in shown)


def test_a_secret_stays_one_in_another_process() -> None:
    assert b"hunter2" not in pickle.dumps(Secret("env", "SHOP_URL"))
    assert pickle.loads(pickle.dumps(Secret("env", "SHOP_URL"))) == Secret("env", "SHOP_URL")


@pytest.mark.parametrize("wrong", ["timezone: !env TZ_NAME", "project: !file name", "x: !env X"])
def test_secrets_are_refused_where_nothing_is_secret(wrong: str, tmp_path: Path) -> None:
    rest = written(without(("project",))) if wrong.startswith("project") else REST
    (told,) = mistakes(tmp_path, f"{wrong}\n{rest}")
    expected = (
        "no key 'x'" if wrong.startswith("x:") else "!env and !file are for `store` and `url`"
    )
    assert expected in told


def test_a_password_in_the_file_is_warned_of_and_not_repeated(tmp_path: Path) -> None:
    assert warnings(tmp_path, f"store: {URL}\n{REST}") == [
        "1:1: a password in the file: better !env DATABASE_URL"
    ]


def test_an_address_without_password_is_not_warned_of(tmp_path: Path) -> None:
    assert warnings(tmp_path, f"store: postgresql://db.example.com:5432/x\n{REST}") == []


def test_errors_never_repeat_an_address(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path, f"store: {URL.replace('postgresql', 'postgre')}\nbatch: {URL}\n{REST}"
    )
    assert len(told) == 2
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize("key", ["source", "reference"])
def test_an_address_of_a_source_is_not_repeated_either(key: str, tmp_path: Path) -> None:
    text = REST.replace("    source:", f"    {key}: {{url: '{URL}'}}\n    x-source:", 1)
    told = mistakes(tmp_path, text)
    assert told
    assert "hunter2" not in "".join(told)


def test_the_environment_is_not_changed_by_reading_a_config(tmp_path: Path) -> None:
    before = dict(os.environ)
    load(tmp_path, f"store: !env SHOP_URL\n{REST}")
    assert dict(os.environ) == before
