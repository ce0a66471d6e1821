"""`columns.text` and `descriptors:`: more columns, and every mistake in them with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from exporter.config import descriptors_of, load_config
from exporter.errors import ConfigError

CONFIG = """\
project: shop
models:
  reviews:
    source: {{path: reviews.parquet}}
    columns: {{time: at, id: key, text: [comment], numerical: [stars]}}
    descriptors:
      {descriptors}
    evaluations:
      inputs:
        metrics: [data_summary, {{mean: {{columns: [comment.text_length]}}}}]
        tests: {tests}
"""


def written(folder: Path, descriptors: str, tests: str = "[row_count]") -> Path:
    path = folder / "shop.yaml"
    path.write_text(CONFIG.format(descriptors=descriptors, tests=tests))
    return path


def test_descriptors_make_columns_that_metrics_and_tests_can_name(tmp_path: Path) -> None:
    asked = "comment: [text_length, {contains: {items: [refund], name: asks_refund}}]"
    tests = "[{category_ratio: {columns: [comment.asks_refund], label: 'true', lte: 0.1}}]"
    loaded = load_config(written(tmp_path, asked, tests))
    columns, problems = descriptors_of(loaded.models["reviews"])
    assert [(c.name, c.kind) for c in columns] == [
        ("comment.text_length", "numerical"),
        ("comment.asks_refund", "categorical"),
    ]
    assert (problems, loaded.warnings) == ([], ())


@pytest.mark.parametrize(
    ("asked", "place", "text"),
    [
        ("coment: [text_length]", "7:7", "there is no column 'coment'; did you mean 'comment'?"),
        ("stars: [text_length]", "7:7", "'stars' is numerical: descriptors read texts"),
        (
            "comment: [text_length, text_lenght]",
            "7:30",
            "there is no descriptor 'text_lenght'; did you mean 'text_length'?",
        ),
        (
            "comment: [text_length, {contains: {item: [a]}}]",
            "7:42",
            "contains has no option 'item'; did you mean 'items'?",
        ),
        ("comment: [text_length, {contains: {}}]", "7:31", "contains needs 'items'"),
        ("comment: [text_length, text_length]", "7:30", "there is a column 'comment.text_length'"),
    ],
)
def test_a_mistake_in_descriptors_has_its_place(
    asked: str, place: str, text: str, tmp_path: Path
) -> None:
    path = written(tmp_path, asked)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert any(
        line.startswith(f"{path}:{place}: ") and text in line
        for line in str(caught.value).splitlines()
    ), str(caught.value)


@pytest.mark.parametrize(
    ("asked", "at", "text"),
    [
        ("{columns: [coment]}", "coment]", "no text of the model; did you mean 'comment'?"),
        ("{columns: [stars]}", "stars]}}]", "'stars' is no text of the model"),
        ("{columns: stars}", "columns: stars", "expected a list of texts, or text or all"),
        ("{descriptors: [text_lenght]}", "text_lenght", "did you mean 'text_length'?"),
        ("{descriptors: [{contains: {item: [a]}}]}", "item:", "did you mean 'items'?"),
        ("{descriptors: text_length}", "descriptors: text", "expected a list of descriptors"),
        ("{descriptors: []}", "descriptors: []", "expected a list of descriptors"),
        ("{descriptor: [text_length]}", "descriptor: [text", "did you mean 'descriptors'?"),
        ("{k: 3}", "k: 3", "no part of preset 'text' has the option 'k'"),
    ],
)
def test_a_mistake_in_the_preset_of_texts_has_its_place(
    asked: str, at: str, text: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "comment: [word_count, {text_length: {name: letters}}]")
    source = re.sub("metrics: .*", f"metrics: [{{text: {asked}}}]", path.read_text())
    path.write_text(source)
    number, line = next((n, x) for n, x in enumerate(source.splitlines(), 1) if at in x)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    told = str(caught.value).splitlines()
    assert any(x.startswith(f"{path}:{number}:{line.index(at) + 1}: ") and text in x for x in told)


def test_what_the_preset_of_texts_brings_can_be_tested_in_its_evaluation_only(
    tmp_path: Path,
) -> None:
    config = CONFIG.replace("{{mean: {{columns: [comment.text_length]}}}}", "text")
    tests = "[{mean: {columns: [comment.text_length], lt: 400}}]"
    path = tmp_path / "shop.yaml"
    path.write_text(config.format(descriptors="{}", tests=tests))
    loaded = load_config(path)
    names = [c.name for c in descriptors_of(loaded.models["reviews"])[0]]
    assert names[:2] == ["comment.text_length", "comment.word_count"]
    other = f"      other:\n        tests: {tests}\n"
    path.write_text(path.read_text() + other)
    with pytest.raises(ConfigError, match=r":13:35: 'comment.text_length' is not among the model"):
        load_config(path)


def test_a_metric_that_names_a_descriptor_nobody_asked_for_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"'comment.text_length' is not among the model's columns"
    ):
        load_config(written(tmp_path, "comment: [word_count]"))


def test_a_descriptor_that_a_plugin_may_bring_is_only_warned_of(tmp_path: Path) -> None:
    path = written(tmp_path, "comment: [text_length, rudeness]")
    path.write_text(path.read_text() + "plugins: [shop_checks]\n")
    (warning,) = load_config(path).warnings
    assert "there is no descriptor 'rudeness' (unless a plugin brings it: --plugins)" in warning


def test_a_column_of_a_descriptor_that_a_plugin_may_bring_is_only_warned_of(tmp_path: Path) -> None:
    tests = "[{mean: {columns: [comment.rudeness], lt: 1}}]"
    path = written(tmp_path, "comment: [text_length, rudeness]", tests)
    path.write_text(path.read_text() + "plugins: [shop_checks]\n")
    told = load_config(path).warnings
    assert any("'comment.rudeness' is not among the model's columns" in text for text in told)
