"""Our answers to what is asked of texts one by one, of vectors, and of rankings' tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import exporter
from benchmarks.peers.drawing import Case
from exporter.descriptors import descriptor_columns, with_descriptors
from exporter.descriptors.evidently import EVIDENTLY_NAMES
from exporter.snapshot import Snapshot
from exporter.sources.frames import open_batch

OFF_BY_ONE = ("TopK", "MAPK", "MARK", "HitRateK")  # they read the figure at k + 1
OF_VECTORS = {
    "component_stattest": "component_method", "component_stattest_threshold": "component_threshold",
    "quantile_probability": "quantile", "dist": "distance",
}  # fmt: skip
COMPATIBLE: Mapping[str, Mapping[str, Any]] = {  # what gives Evidently's figure here
    "WordCount": {"compat": True}, "SentenceCount": {"compat": True},
    "ItemNoMatch": {"mode": "none"}, "WordNoMatch": {"mode": "none"},
}  # fmt: skip
TURNED = {"any": "all", "all": "any"}  # ExcludesWords asks whether any, or all, are absent
RENAMED = {"reg_exp": "pattern", "words_list": "words"}


def described(
    case: Case, name: str, options: Mapping[str, Any]
) -> Iterator[tuple[int, float | None]]:
    """Each text's row and what the descriptor says of it; percentages as Evidently has them."""
    given: dict[str, Any] = {RENAMED.get(key, key): value for key, value in options.items()}
    if name == "ExcludesWords":
        given["mode"] = TURNED[given.get("mode", "any")]
    given.update(COMPATIBLE.get(name, {}))
    if pair := given.pop("columns", None):
        given["other"] = pair[1]
    if keys := given.pop("expected_schema", None):
        given = {"keys": dict.fromkeys(keys, "any")}
    asked = {"note": [{EVIDENTLY_NAMES[name]: {**given, "name": "told"}}]}
    columns, problems = descriptor_columns(asked, {"note": "text", "other": "text", "items": None})
    if problems:
        raise SystemExit(f"{name}: {problems}")
    batch = with_descriptors(open_batch(case.current), columns)
    times = 100 if name == "NonLetterCharacterPercentage" else 1
    for row, value in enumerate(batch.read(columns[0].name).to_pylist()):
        yield row, None if value is None else float(value) * times


def of_vectors(case: Case, options: Mapping[str, Any]) -> Snapshot:
    """The drift of the set, tested; a method that is named is as Evidently has it, without bootstrap."""
    given = {OF_VECTORS.get(key, key): value for key, value in options.items()}
    if method := given.pop("drift_method", None):
        given["method"] = f"embedding_{method}"
        if method != "ratio":
            given.setdefault("bootstrap", False)
    return exporter.evaluate(
        case.current, case.reference, tests=[{"embeddings_drift": given}], columns=case.columns,
        automatic_tests="evidently", min_rows=0,
    )  # fmt: skip


def of_ranking(case: Case, name: str, options: Mapping[str, Any]) -> Snapshot:
    """A test of a ranking, at the k that Evidently reads."""
    given = {key: value for key, value in options.items() if key != "item_features"}
    if name.endswith(OFF_BY_ONE):
        given["k"] += 1
    if "item_features" in options:
        given["compat"] = True
    names = ["user", "item", "clicked", "said"]
    items = case.beside["items"]
    with warnings.catch_warnings(action="ignore"):  # that Evidently's name is another here
        return exporter.evaluate(
        case.current[names], case.reference[names], tests=[{name: given}], columns=case.columns,
        task="ranking", automatic_tests="evidently", min_rows=0,
        ranking={"train": case.beside["train"][["user", "item"]], "items": items},
    )  # fmt: skip
