"""Texts, vectors and rankings with what was known before, from seeds, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers.drawing import Case, Question, lists

WORDS = tuple(
    a + b for a in ("ba", "de", "ki", "lo", "mu", "ne", "ri", "sto") for b in ("nal", "dek", "mor", "tis", "lup")
)  # fmt: skip
PIECES = (
    "refund", "Refund", "refunds", "please", "c++", "https://a.example/x?y=1", "(http://b.example)",
    "größe", "привет", "👍", "a.b", "Wow!", "Really?", "No.", "x\ny", "  ", "7", "1e3", "don't",
)  # fmt: skip
WHOLE = (
    "", " ", '{"a": 1}', '{"a": "1"}', '{"a": null, "b": 2}', "[1, 2]", "NaN", "true", "x = 1",
    "def f(:", "print('x')", "select 1",
)  # fmt: skip
TEXT_METHODS: tuple[dict[str, Any], ...] = (
    {"method": "abs_text_content_drift"}, {"method": "perc_text_content_drift"}, {},
    {"method": "perc_text_content_drift", "threshold": 0.5},
)  # fmt: skip
DESCRIPTORS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("TextLength", {}), ("WordCount", {}), ("SentenceCount", {}), ("NonLetterCharacterPercentage", {}),
    ("RegExp", {"reg_exp": r".*refund.*"}), ("RegExp", {"reg_exp": r"[a-z ]*"}),
    ("Contains", {"items": ["refund", "7"]}),
    ("Contains", {"items": ["refund", "please"], "mode": "all", "case_sensitive": False}),
    ("DoesNotContain", {"items": ["refund", "please"], "case_sensitive": False}),
    ("BeginsWith", {"prefix": "Re"}), ("BeginsWith", {"prefix": "re", "case_sensitive": False}),
    ("EndsWith", {"suffix": "?"}), ("ContainsLink", {}), ("IsValidJSON", {}), ("IsValidPython", {}),
    ("ExactMatch", {"columns": ["note", "other"]}), ("JSONMatch", {"columns": ["note", "other"]}),
    ("ItemMatch", {"columns": ["note", "items"]}),
    ("ItemMatch", {"columns": ["note", "items"], "mode": "all", "case_sensitive": False}),
    ("ItemNoMatch", {"columns": ["note", "items"]}),
    ("WordMatch", {"columns": ["note", "items"], "mode": "any"}),
    ("WordNoMatch", {"columns": ["note", "items"], "mode": "all"}),
    ("IncludesWords", {"words_list": ["refund", "please"]}),
    ("IncludesWords", {"words_list": ["refund", "please"], "mode": "all"}),
    ("ExcludesWords", {"words_list": ["refund", "please"], "mode": "all"}),
    ("TriggerWordsPresent", {"words_list": ["wow", "no"]}),
    ("JSONSchemaMatch", {"expected_schema": ["a"]}),
)  # fmt: skip
VECTOR_METHODS: dict[str, tuple[dict[str, Any], ...]] = {  # by Evidently's names and options
    "model": ({}, {"bootstrap": True}, {"bootstrap": True, "quantile_probability": 0.5}),
    "ratio": ({}, {"component_stattest": "ks", "component_stattest_threshold": 0.05},
              {"component_stattest": "psi"}, {"pca_components": 3}),
    "distance": ({}, {"dist": "cosine"}, {"dist": "cityblock"}, {"dist": "chebyshev"},
                 {"bootstrap": True}, {"pca_components": 3}),
    "mmd": ({}, {"bootstrap": True, "quantile_probability": 0.95}, {"pca_components": 3}),
}  # fmt: skip
AT_K = ("TestPrecisionTopK", "TestRecallTopK", "TestFBetaTopK", "TestMAPK", "TestMARK", "TestNDCGK",
        "TestMRRK", "TestHitRateK")  # fmt: skip
OF_LISTS = ("TestPersonalization", "TestScoreEntropy", "TestARP", "TestGiniIndex", "TestCoverage",
            "TestNovelty")  # fmt: skip
OF_ITEMS = ("TestDiversity", "TestSerendipity")


def unstructured(seeds: range) -> Iterator[Case]:
    """Every shape, from every seed."""
    for seed in seeds:
        for m, n, shift in ((300, 150, 0.0), (300, 150, 0.4), (1300, 500, 0.2)):
            name, rng = f"{m} texts, {shift} away, {seed}", np.random.default_rng([seed, m, n, 5])
            yield _texts(name, rng, m, n, shift)
            name, rng = f"{m} vectors, {shift} away, {seed}", np.random.default_rng([seed, m, n, 6])
            yield _vectors(name, rng, m, n, shift)
        yield _notes(f"notes {seed}", np.random.default_rng([seed, 7]))
        yield _recommended(f"tested ranking {seed}", np.random.default_rng([seed, 8]))


def _texts(name: str, rng: np.random.Generator, m: int, n: int, shift: float) -> Case:
    reference, current = [
        pd.DataFrame({"said": _said(rng, rows, moved), "stars": rng.normal(moved, 1, rows)})
        for rows, moved in ((m, 0.0), (n, shift))
    ]
    case = Case(name, reference, current, {"text": ["said"], "numerical": ["stars"]}, None)
    for options in TEXT_METHODS:
        case.questions.append(("drift", "ValueDrift", {"column": "said", **options}))
    old = {"column_name": "said"}
    case.questions += [
        ("test", "TestColumnDrift", old),
        ("test", "TestColumnDrift", {**old, "stattest": "abs_text_content_drift"}),
        ("test", "DataDriftTestPreset", {}),
        ("test", "TestColumnShareOfMissingValues", old),
        ("metric", "DriftedColumnsCount", {}),
    ]
    return case


def _said(rng: np.random.Generator, rows: int, shift: float) -> list[str | None]:
    """Texts of a few words, frequent ones first; moved ones are drawn from the other end."""
    chance = 1 / (np.arange(len(WORDS)) + 3.0)
    chance /= chance.sum()
    drawn = (1 - shift) * chance + shift * chance[::-1]
    told: list[str | None] = [
        " ".join(rng.choice(WORDS, length, p=drawn)) for length in rng.integers(0, 9, rows)
    ]
    for row in np.flatnonzero(rng.random(rows) < 0.03):
        told[row] = None
    return told


def _vectors(name: str, rng: np.random.Generator, m: int, n: int, shift: float) -> Case:
    columns = [f"e{i}" for i in range(6)]
    reference, current = [
        pd.DataFrame(rng.normal(moved, 1, (rows, 6)) * np.linspace(0.5, 3, 6), columns=columns)
        for rows, moved in ((m, 0.0), (n, shift))
    ]
    case = Case(name, reference, current, {"embeddings": {"picture": columns}}, None)
    case.questions.append(("embeddings", "TestEmbeddingsDrift", {}))
    for method, cases in VECTOR_METHODS.items():
        for options in cases:
            asked = {"drift_method": method, **options}
            case.questions.append(("embeddings", "TestEmbeddingsDrift", asked))
    return case


def _notes(name: str, rng: np.random.Generator) -> Case:
    """Single texts, of which some are JSON, Python or nothing."""
    pool = [*PIECES, *WORDS[:6]]
    notes = [" ".join(rng.choice(pool, length)) for length in rng.integers(1, 7, 60)] + [*WHOLE]
    same = rng.random(len(notes)) < 0.4
    others = [
        note if alike else str(rng.choice(WHOLE)) for note, alike in zip(notes, same, strict=True)
    ]
    others[notes.index('{"a": 1}')] = '{"a":1}'
    items = [list(map(str, rng.choice(["refund", "Please", "no", "kinal"], 2))) for _ in notes]
    frame = pd.DataFrame({"note": notes, "other": others, "items": items})
    case = Case(name, frame, frame, {"text": ["note", "other"]}, None)
    case.questions += [("descriptor", what, options) for what, options in DESCRIPTORS]
    return case


def _recommended(name: str, rng: np.random.Generator) -> Case:
    items = pd.DataFrame({"item": [f"i{i}" for i in range(80)], **dict(zip("fg", rng.normal(size=(2, 80)), strict=True))})  # fmt: skip
    train = pd.DataFrame({
        "user": [f"u{u}" for u in rng.integers(0, 60, 700)],
        "item": [f"i{i}" for i in rng.integers(0, 75, 700)],
    }).drop_duplicates(ignore_index=True)  # fmt: skip
    reference, current = [lists(rng, users).merge(items, on="item") for users in (60, 40)]
    columns = {"user": "user", "item": "item", "target": "clicked", "prediction": "said"}
    case = Case(
        name,
        reference,
        current,
        columns,
        "ranking",
        beside={"train": train.merge(items, on="item"), "items": items},
    )
    case.questions.extend(_of_rankings())
    return case


def _of_rankings() -> Iterator[Question]:
    for k in (1, 5, 9):
        yield from (("test", what, {"k": k}) for what in (*AT_K, *OF_LISTS))
        yield from (("test", what, {"k": k, "item_features": ["f", "g"]}) for what in OF_ITEMS)
        yield "test", "TestPrecisionTopK", {"k": k, "gt": 0.3}
    yield "test", "TestARP", {"k": 5, "normalize_arp": True}
