"""VADER's compound score, beside the package itself."""

from __future__ import annotations

import sys

import pytest
from descriptors.answers import said
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from exporter.descriptors import DescriptorSpec, compute, descriptor_named
from exporter.errors import PlanError


def test_sentiment_is_vader_s_compound_score():
    texts = ["I love this!", "this is horrible :(", "a table", "", "great 😍"]
    analyser = SentimentIntensityAnalyzer()
    assert said("sentiment", *texts, None) == [
        *[analyser.polarity_scores(text)["compound"] for text in texts],
        None,
    ]


def test_praise_is_positive_and_blame_negative():
    love, hate, table = said("sentiment", "I love it", "I hate it", "a table")
    assert 1 >= love > 0 == table > hate >= -1


def test_of_a_huge_text_the_beginning_is_read():
    assert said("sentiment", "good " * 2_000 + "bad " * 500_000) == said(
        "sentiment", "good " * 2_000
    )


def test_a_package_that_is_missing_is_named_with_its_extra():
    spec = descriptor_named("sentiment")
    without = DescriptorSpec(**{**vars_of(spec), "module": "not_installed_here"})
    assert "extra `text`: pip install 'evaluation-exporter[text]'" in without.lack()
    with pytest.raises(PlanError, match="sentiment needs not_installed_here"):
        compute(without, {}, None)


def test_importing_the_descriptors_imports_no_extra(tmp_path):
    import subprocess

    code = "import exporter.descriptors, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"vaderSentiment", "sklearn", "sqlglot", "pandas", "scipy"})
    assert "exporter.descriptors.words" in loaded


def vars_of(spec: DescriptorSpec) -> dict:
    from dataclasses import fields

    return {field.name: getattr(spec, field.name) for field in fields(spec)}
