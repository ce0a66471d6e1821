"""Whatever stands in a file: a sound config, or mistakes with their places, never another exception."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from config.samples import NAME, changed, load, written
from hypothesis import example, given
from hypothesis import strategies as st

from exporter import yaml as own
from exporter.errors import ConfigError

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "examples" / "late-flights.yaml").read_text("utf-8")
SOUND = own.load(TEXT).data
FULL = changed(
    ("models", "lateness", "evaluations", "more"),
    {
        "reference": {"previous": 1},
        "metrics": [{"quantile": {"columns": ["temp"], "q": 0.9}}, {"data_drift": {"method": "psi"}}],
        "tests": [{"mean": {"columns": ["temp"], "between": [0, 9], "critical": False, "name": "m"}}],
    },
    {
        **SOUND,
        "retention": {"metrics": "2y", "distributions": "90d"},
        "prometheus": {"max_series": 500, "forget": "30d", "segments": "tests"},
        "snapshots": {"path": "snapshots"},
        "links": {"exporter": "https://ml.example.com", "grafana": "https://grafana.example.com"},
        "x-note": [1],
    },
)  # fmt: skip
WORDS = [
    "", " ", "x", "x-y", "1d", "28d", "target", "data_drift", "mean", "psi", "auto", "arm", "[key]",
    "path", "rolling", "columns", "reference", "temp", "origin", "embedded", "é🐘", "a\0b", "\ud800",
    "'", '"; drop', "a" * 3000, "9" * 400, "{}", "!env A", "0", "-1", "nan", "UTC", "..", "/", "*.csv",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=9)
)  # fmt: skip
KEYS = st.one_of(st.sampled_from(WORDS), st.text(max_size=9))
VALUES = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=3), max_leaves=6
)


def paths_of(data: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()  # fmt: skip
    return [at, *(path for key, value in inner for path in paths_of(value, (*at, key)))]


def replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if not isinstance(data, list | dict):
        return data  # what stood there was replaced before
    if isinstance(data, list):
        return [replaced(x, path[1:], value) if i == path[0] else x for i, x in enumerate(data)]
    return {key: replaced(x, path[1:], value) if key == path[0] else x for key, x in data.items()}


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


PATHS = paths_of(FULL)
INNER = [path for path in PATHS if isinstance(at(FULL, path), dict)]


def hold(folder: Path, data: Any) -> None:
    """A config, or a message a line: file, line and column within the file, and words."""
    told = told_of(folder, data)
    text = (folder / NAME).read_bytes().decode("utf-8", "replace")
    lines = len(re.findall(r"\r\n|[\n\r\x85\u2028\u2029]", text)) + 2
    for line in re.split(r"\n(?=/)", told) if told else ():
        hit = re.match(re.escape(f"{folder / NAME}:") + r"(\d+):(\d+): \S", line)
        assert hit, line
        assert 1 <= int(hit[1]) <= lines
        assert int(hit[2]) >= 1


def told_of(folder: Path, data: Any) -> str:
    """What is wrong, "" where nothing is; any other exception ends the test."""
    try:
        load(folder, data)
    except ConfigError as error:
        return str(error) or "nothing was told"
    return ""


def test_the_config_that_is_changed_is_sound(tmp_path: Path) -> None:
    assert load(tmp_path, FULL).models


@given(st.sampled_from(PATHS), VALUES)
@example((), None)
@example(("models",), {"": {}})
@example(("models", "lateness", "columns", "positive"), 10**400)
@example(("models", "lateness", "columns", "probability"), {"[key]": "x"})
@example(("models", "lateness", "tags"), {"[key]": {"[key]": "x"}})
@example(("models", "lateness", "segments"), {"": {"max": "x"}})
def test_any_value_at_any_place_is_read_or_told(
    tmp_path: Path, path: tuple[Any, ...], value: Any
) -> None:
    hold(tmp_path, yaml_of(replaced(FULL, path, value)))


@given(st.sampled_from(INNER), KEYS, VALUES)
def test_any_further_key_at_any_place_is_read_or_told(
    tmp_path: Path, path: tuple[Any, ...], key: str, value: Any
) -> None:
    hold(tmp_path, yaml_of(replaced(FULL, path, {**at(FULL, path), key: value})))


@given(st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS)), min_size=1, max_size=4))
def test_parts_that_have_changed_places_are_read_or_told(
    tmp_path: Path, swaps: list[tuple[tuple[Any, ...], tuple[Any, ...]]]
) -> None:
    data = FULL
    for to, source in swaps:
        data = replaced(data, to, at(FULL, source))
    hold(tmp_path, yaml_of(data))


@given(st.data())
def test_a_text_with_any_cut_or_insertion_is_read_or_told(tmp_path: Path, data: Any) -> None:
    raw = TEXT.encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(start + 60, len(raw))))
    between = data.draw(st.binary(max_size=6) | st.sampled_from([b"\t", b"&a ", b"*a", b"<<: ", b"!", b"? ", b"- ", b"\r", b"{", b"]", b": ", b"'", b"|", b"\x00", b"\xef\xbb\xbf"]))  # fmt: skip
    hold(tmp_path, raw[:start] + between + raw[end:])


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda x: x.encode("utf-8", "ignore")))
def test_any_bytes_are_read_or_told(tmp_path: Path, raw: bytes) -> None:
    hold(tmp_path, raw)


def test_every_key_without_a_value_is_read_or_told(tmp_path: Path) -> None:
    for path in PATHS:
        if len(path) < 5:
            hold(tmp_path, written(replaced(FULL, path, None)))


def yaml_of(data: Any) -> str:
    """The data as text, also what a file can say only escaped."""
    return yaml.safe_dump(data, allow_unicode=False)
