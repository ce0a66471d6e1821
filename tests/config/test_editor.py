"""The JSON Schema for editors accepts what the exporter accepts, and marks what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from config.samples import COLUMNS, INPUTS, MODEL, SOUND, changed, mistakes, without
from config.test_loading import ACCEPTED
from jsonschema import Draft202012Validator

from exporter import yaml
from exporter.config import config_schema, forms
from exporter.config.editor import _metric_options, is_ours
from exporter.config.fields import Strict
from exporter.metrics import CATALOGUE
from exporter.presets import METRICS, TESTS

ROOT = Path(__file__).parents[2]
SCHEMA = config_schema()
OURS = list(filter(is_ours, CATALOGUE.values()))
VALIDATOR = Draft202012Validator(SCHEMA)
FORMS = [
    form
    for form in vars(forms).values()
    if isinstance(form, type) and issubclass(form, Strict) and form is not Strict
]


def refused(data: Any) -> bool:
    return not VALIDATOR.is_valid(data)


def test_the_schema_is_one_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def configs_of_pages() -> list[Any]:
    from test_project import PAGES, blocks_of

    blocks = [pytest.param(block, id=page.name) for page in PAGES for block in blocks_of(page, "yaml")]  # fmt: skip
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    return blocks + [pytest.param(path.read_text("utf-8"), id=path.name) for path in examples]


def seen_by_an_editor(data: Any) -> Any:
    """The data with the names of secrets, which is all that a language server knows of them."""
    if isinstance(data, yaml.Secret):
        return data.name
    if isinstance(data, dict):
        return {key: seen_by_an_editor(value) for key, value in data.items()}
    return [seen_by_an_editor(x) for x in data] if isinstance(data, list) else data


@pytest.mark.parametrize("text", configs_of_pages())
def test_the_configs_of_the_documentation_are_accepted(text: str) -> None:
    data = seen_by_an_editor(yaml.load(text).data)
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []


@pytest.mark.parametrize(("path", "value"), ACCEPTED, ids=lambda x: str(x)[:40])
def test_what_the_exporter_accepts_the_schema_accepts(path: tuple[str, ...], value: Any) -> None:
    assert not refused(changed(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("projekt",), "shop"),
        (("stream_tags",), ["le"]),
        (("stream_tags",), ["no-label"]),
        (("retention",), {"metrics": "2 years"}),
        (("retention",), {"metrics": "0d"}),
        (("prometheus",), {"max_series": 5}),
        (("prometheus",), {"segments": "some"}),
        (("models",), {}),
        (("plugins",), "my_company"),
        ((*MODEL, "task"), "regresion"),
        ((*MODEL, "batch"), "2d"),
        ((*MODEL, "wait"), 5),
        ((*MODEL, "min_rows"), -1),
        ((*MODEL, "source"), {"sql": "select 1", "url": "postgresql://h/d"}),
        ((*MODEL, "source"), "orders.parquet"),
        ((*MODEL, "reference"), {"rolling": "28d", "previous": 1}),
        ((*MODEL, "tags"), {"version": ["a"]}),
        ((*MODEL, "tags"), {"le": "a"}),
        ((*MODEL, "tags"), {"version": {"colum": "a"}}),
        ((*MODEL, "segments"), {"country": {"max": 0}}),
        ((*COLUMNS, "numerical"), "age"),
        ((*COLUMNS, "embeddings"), {"image": []}),
        ((*COLUMNS, "embeddings"), ["e1"]),
        ((*MODEL, "ranking"), {"by": "place"}),
        ((*MODEL, "ranking"), {"train": "train.parquet"}),
        ((*MODEL, "ranking"), {"items": {"path": "items.parquet", "features": []}}),
        ((*COLUMNS, "threshold"), 1.5),
        ((*COLUMNS, "time"), {"colum": "t"}),
        ((*INPUTS, "requires"), "prediction_"),
        ((*INPUTS, "metrics"), "data_summary"),
        ((*INPUTS, "metrics"), ["data_sumary"]),
        ((*INPUTS, "metrics"), ["data_stability"]),
        ((*INPUTS, "metrics"), [{"mean": {"lt": 5}}]),
        ((*INPUTS, "metrics"), [{"quantile": {"q": "high"}}]),
        ((*INPUTS, "metrics"), [{"row_count": {"columns": ["age"]}}]),
        ((*INPUTS, "metrics"), [{"mean": {"columns": []}}]),
        ((*INPUTS, "metrics"), [{"column_drift": {"method": "kss"}}]),
        ((*INPUTS, "metrics"), [{"mean": None, "std": None}]),
        ((*INPUTS, "metrics"), [{"regexp_mismatch_count": None}]),
        ((*INPUTS, "metrics"), [{"data_drift": {"methd": "psi"}}]),
        ((*INPUTS, "tests"), ["data_summary"]),
        ((*INPUTS, "tests"), [{"mean": {"less": 5}}]),
        ((*INPUTS, "tests"), [{"mean": {"lt": "5"}}]),
        ((*INPUTS, "tests"), [{"mean": {"between": [1]}}]),
        ((*INPUTS, "tests"), [{"mean": {"lt": {"reference": True, "relativ": 0.1}}}]),
        ((*INPUTS, "tests"), [{"mean": {"lt": 5, "critical": "no"}}]),
        ((*INPUTS, "tests"), [{"mean": {"lt": 5, "label": "a"}}]),
        (("defaults", "evaluations"), {"more": {"metrics": ["nonsense"]}}),
    ],
    ids=str,
)  # fmt: skip
def test_what_the_schema_refuses_the_exporter_refuses(
    path: tuple[str, ...], value: Any, tmp_path: Path
) -> None:
    data = changed(path, value)
    assert refused(data)
    assert mistakes(tmp_path, data)


@pytest.mark.parametrize("path", [("project",), ("models",)])
def test_the_schema_misses_what_must_be_there(path: tuple[str, ...]) -> None:
    assert refused(without(path))


def test_names_of_metrics_are_not_checked_where_plugins_may_bring_them() -> None:
    data = changed((*INPUTS, "metrics"), ["of_a_plugin"])
    assert refused(data)
    assert not refused({**data, "plugins": ["my_company.checks"]})


@pytest.mark.parametrize("at", [(), ("models",), MODEL, COLUMNS, (*MODEL, "evaluations"), INPUTS])
def test_keys_that_begin_with_x_may_hold_anything(at: tuple[str, ...]) -> None:
    assert not refused(changed((*at, "x-mine"), {"any": ["thing", 5]}))


@pytest.mark.parametrize("kind", ["tags", "segments", "evaluations"])
def test_null_takes_away_what_the_defaults_have(kind: str) -> None:
    assert not refused(changed((*MODEL, kind, "theirs"), None))


@pytest.mark.parametrize("name", [s.id for s in OURS] + [*METRICS, *TESTS])
def test_every_metric_and_preset_is_known(name: str) -> None:
    where = "metrics" if name in CATALOGUE or name in METRICS else "tests"
    needs_options = name == "regexp_mismatch_count"
    entry = {name: {"pattern": "a"}} if needs_options else name
    assert not refused(changed((*INPUTS, where), [entry]))


@pytest.mark.parametrize("spec", OURS, ids=lambda spec: spec.id)
def test_the_options_of_a_metric_are_those_of_the_schema(spec: Any) -> None:
    columns = {"columns"} if spec.per != "dataset" else set()
    assert _metric_options(spec)["properties"].keys() == spec.options.keys() | columns


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_the_examples_of_a_key_are_accepted_by_its_own_form_and_by_the_schema(form: Any) -> None:
    at = SCHEMA if form is forms.Config else SCHEMA["$defs"][form.__name__]
    for name, field in form.model_fields.items():
        assert field.examples, name
        for example in field.examples:
            given = _completed(form, name, example)
            assert getattr(form.model_validate(given), name) is not None
            key = {"$defs": SCHEMA["$defs"], **at["properties"][name]}
            unbuilt = "Not built yet" in key["description"]
            assert Draft202012Validator(key).is_valid(example) is not unbuilt, name


def _completed(form: Any, name: str, example: Any) -> dict[str, Any]:
    """A mapping that the form accepts, with the example in it."""
    needed = {n: f.examples[0] for n, f in form.model_fields.items() if f.is_required()}
    given = {**needed, name: example}
    secret = {n: v for n, v in given.items() if isinstance(v, str) and v.startswith("!env ")}
    return given | {n: yaml.Secret("env", v[5:]) for n, v in secret.items()}


def test_defaults_in_the_schema_are_values_that_it_accepts() -> None:
    found = 0
    for form in (SCHEMA, *SCHEMA["$defs"].values()):
        for key in form.get("properties", {}).values():
            if isinstance(key, dict) and "default" in key:
                found += 1
                whole = {"$defs": SCHEMA["$defs"], **key}
                assert Draft202012Validator(whole).is_valid(key["default"]), key
    assert found > 10


def test_the_schema_is_plain_json() -> None:
    def numbers(value: Any) -> list[float]:
        if isinstance(value, dict | list):
            inner = value.values() if isinstance(value, dict) else value
            return [n for x in inner for n in numbers(x)]
        return [value] if isinstance(value, float) else []

    assert all(map(math.isfinite, numbers(SCHEMA)))


def test_the_sample_is_accepted() -> None:
    assert not refused(SOUND)


def test_names_of_evidently_are_accepted_where_they_belong() -> None:
    tests = ["TestNumberOfRows", {"TestColumnValueMin": {"column_name": "age", "gte": 0}}]
    assert not refused(changed((*INPUTS, "tests"), tests))
    assert not refused(changed((*INPUTS, "metrics"), ["DataDriftPreset", {"RowCount": None}]))
    assert refused(changed((*INPUTS, "metrics"), ["TestNumberOfRows"]))
    assert refused(changed((*INPUTS, "metrics"), ["ColumnValuePlot"]))
    assert refused(changed((*INPUTS, "tests"), [{"TestNumberOfRows": 5}]))
