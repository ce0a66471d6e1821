"""Every generated file, as text by its path: documentation and schema follow the code, byte for byte."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from exporter.alerts import grafana, prometheus
from exporter.alerts.runbook import runbook_page
from exporter.batch import Schema
from exporter.checks import OPERATORS, Mode, describe
from exporter.config import config_reference, config_schema
from exporter.config.editor import is_ours
from exporter.config.merging import KINDS
from exporter.config.reference import inline, row
from exporter.distances import DRIFT_METHODS
from exporter.evidently import METRIC_PRESETS, METRICS_04, METRICS_07, TEST_PRESETS, guide
from exporter.evidently import TESTS as EVIDENTLY_TESTS
from exporter.evidently.translating import Kind
from exporter.grafana import DASHBOARDS, as_json, as_text
from exporter.grafana.guide import dashboards_page
from exporter.metrics import CATALOGUE, MetricSpec
from exporter.metrics.drift import COLUMN_DRIFT, DRIFT_METRICS, EMBEDDINGS_DRIFT
from exporter.plan.asking import Told
from exporter.plan.choosing import Choosing
from exporter.presets import METRICS, OF_PROBABILITIES, ROLES, TESTS

ROOT = Path(__file__).parents[1]  # the checkout
_MODES: tuple[Mode, ...] = ("directional", "evidently")
_CATALOGUE = ("id", "what it says", "of", "unit", "better", "options", "gauge", "Evidently")
_SIDES = [f"{mode}, {side}" for mode in _MODES for side in ("beside a reference", "alone")]
_CONDITIONS = ("metric", *_SIDES)
_METHODS = ("id", "what it says", "of columns", "drift")
_PRESETS = ("preset", "its parts", "Evidently")
_FORMULAS = {  # the page that has those of a module's metrics
    **dict.fromkeys(("baselines", "bias", "classification", "curves", "regression"), "quality"),
    **dict.fromkeys(("drift", "embeddings"), "drift"),
    "ranking": "ranking",
}
_HEAD = """\
# Metrics

What can stand under `metrics` and `tests` of an evaluation: a metric's id, a preset's name, or one of them with options:

    metrics: [data_summary, {quantile: {columns: [age], q: 0.99}}, {data_drift: {method: psi}}]
    tests: [data_stability, {missing_ratio: {columns: [age], lte: 0.05}}, {rmse: {lt: 25, critical: false}}]

`columns` of a column metric is a list, or a role:
ROLES.
Without it the metric covers every column it can read, and `column_drift` every feature. Each metric is a row in the store under its id, and a gauge for Prometheus.

A test is a metric with a condition:
OPERATORS.
A value is a number; or `{reference: true, relative: 0.1}`, the reference's own figure, give or take a tenth of it; or
`{value: 300, relative: 0.1}`, a number, give or take a tenth of it. `absolute:` gives a width in the figure's unit; of both the larger counts. `critical:
false` makes a failure a warning, `name:` gives a second test on the same figure a name of its own, `label:` chooses one
figure of a labelled metric.
"""
_AUTOMATIC = """\
## Automatic conditions

What a test asks for that is given no condition. `automatic_tests: directional`, the default, never fails a batch for
being better than its reference, allows for what a sound batch of its size may be off by chance, and is never narrower
than 1.25 times what the windows of a rolling reference did; `evidently` is what Evidently asks for, exactly. Metrics
that are not listed have none: their tests need a condition.
"""
_DRIFT = """\
## Drift methods

`method: auto` chooses once a model, by the reference: up to 1,000 values `ks` for numbers, `chisquare` for
categories and for numbers with at most 5 distinct values, `z` where there are at most 2, `perc_text_content_drift` for
texts; beyond 1,000 `wasserstein` for numbers, `abs_text_content_drift` for texts and `jensenshannon` for the rest.
Methods of embeddings are those of `embeddings_drift`. `severity` is 1 where drift begins, whatever the method.
"""


def generated() -> dict[str, str]:
    """Every generated file: its text by its path in the project."""
    schema = json.dumps(config_schema(), indent=1, ensure_ascii=False)
    return {
        "docs/config.schema.json": f"{schema}\n",
        "docs/configuration.md": config_reference(),
        "docs/evidently.md": evidently_page(),
        "docs/metrics.md": metrics_page(),
        "docs/dashboards.md": dashboards_page(),
        "docs/runbook.md": runbook_page(),
        **prometheus.rule_files(),
        **grafana.rule_files(),
        **{f"grafana_dashboards/{d.name}.json": as_text(as_json(d)) for d in DASHBOARDS},
    }


def write(root: Path = ROOT) -> list[str]:
    """Write every generated file under *root*; the paths of those that were not like this before."""
    files = generated()
    changed = _differing(root, files)
    for path in changed:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(files[path], "utf-8", newline="\n")
    return changed


def check(root: Path = ROOT) -> list[str]:
    """The paths of files under *root* that are missing, or not as they would be written."""
    return _differing(root, generated())


def metrics_page() -> str:
    """The Markdown of docs/metrics.md: the catalogue, drift methods and presets."""
    parts = [_HEAD.replace("ROLES", _ids(ROLES)).replace("OPERATORS", _ids(OPERATORS))]
    for module, specs in _by_module().items():
        parts += [f"## {module.rpartition('.')[2].capitalize()}\n", _first_line(module)]
        parts += [_source(module), "", *_table(_CATALOGUE, map(_described, specs)), ""]
    parts += [_AUTOMATIC, *_table(_CONDITIONS, _conditions()), ""]
    parts += [_DRIFT, *_table(_METHODS, _methods()), ""]
    parts += ["## Presets of metrics\n", *_table(_PRESETS, _presets("metrics")), ""]
    parts += [
        f"Where the model has no probability they go without {_ids(sorted(OF_PROBABILITIES))}.\n"
    ]
    parts += ["## Presets of tests\n", *_table(_PRESETS, _presets("tests"))]
    return "\n".join(parts) + "\n"


def evidently_page() -> str:
    """The Markdown of docs/evidently.md: Evidently's names and what each is here."""
    parts = [guide.HEAD]
    for title, aliases in guide.sections():
        rows = (guide.described(name, alias) for name, alias in aliases.items())
        parts += [f"## {title}\n", *_table(("Evidently", "here", "beside that"), rows), ""]
    parts += ["## What is different, and why\n", *_table(("Evidently", "here"), guide.FAULTS), ""]
    return "\n".join([*parts, guide.BOTH])


def _differing(root: Path, files: Mapping[str, str]) -> list[str]:
    return [path for path, text in files.items() if _bytes_of(root / path) != text.encode()]


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield row(head)
    yield row(["---"] * len(head))
    yield from map(row, rows)


def _by_module() -> dict[str, list[MetricSpec]]:
    """The catalogue by the module that declares a metric; those of plugins are not ours to describe."""
    out: dict[str, list[MetricSpec]] = {}
    for spec in CATALOGUE.values():
        if is_ours(spec):
            out.setdefault(spec.compute.__module__, []).append(spec)
    return dict(sorted(out.items()))


def _first_line(module: str) -> str:
    return (inspect.getdoc(sys.modules[module]) or "").splitlines()[0]


def _described(spec: MetricSpec) -> Iterator[str]:
    better = "" if spec.better == "neutral" else spec.better
    options = ", ".join(f"`{name}`{_default(value)}" for name, value in spec.options.items())
    yield from (f"`{spec.id}`", spec.help, _subject(spec), spec.unit, better, options)
    drift = f"`{CATALOGUE[COLUMN_DRIFT].gauge}_score` and others"
    yield drift if spec.id in DRIFT_METRICS else f"`{spec.gauge}`"
    yield ", ".join(_theirs().get(spec.id, []))


def _default(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return " (required)"
    return "" if value is None else f" = {inline(value)}"


def _subject(spec: MetricSpec) -> str:
    """Of what it is a figure: the batch, or columns of which kinds; and what else it is told by."""
    of = "batch"
    if spec.per == "pair" and spec.labels == "column":
        return "pair of columns"
    if spec.id == EMBEDDINGS_DRIFT:
        return "set of embeddings"
    if spec.per == "column":
        kinds = [k for k in KINDS if Choosing(Schema({k: k}, ()), Told([])).fits(spec, k)]
        of = "column" if len(kinds) == len(KINDS) else f"{' or '.join(kinds)} column"
    return f"{of}, by {spec.labels}" if spec.labels else of


def _conditions() -> Iterator[list[str]]:
    for specs in _by_module().values():
        for spec in specs:
            if spec.automatic:
                said = [describe(spec, m, reference=r) for m in _MODES for r in (True, False)]
                yield [f"`{spec.id}`", *said]


def _methods() -> Iterator[list[str]]:
    for method in sorted(filter(is_ours, DRIFT_METHODS.values()), key=lambda m: m.id):
        side = "below" if method.score == "p_value" else "above"
        beyond = f"at or {side}" if method.inclusive else side
        beyond = f"p-value {beyond}" if method.score == "p_value" else beyond
        chance = " quantile of chance" if method.score == "percentile" else ""
        kinds = " or ".join(method.kinds)
        yield [f"`{method.id}`", method.help, kinds, f"{beyond} {method.threshold:g}{chance}"]


def _presets(kind: Kind) -> Iterator[list[str]]:
    theirs = guide.names_by_entry([TEST_PRESETS if kind == "tests" else METRIC_PRESETS])
    for name, parts in (TESTS if kind == "tests" else METRICS).items():
        yield [f"`{name}`", ", ".join(map(inline, parts)), ", ".join(theirs.get(name, []))]


def _source(module: str) -> str:
    """Where the formulas of a module's metrics stand: a page, and the code."""
    name = module.rpartition(".")[2]
    page = _FORMULAS.get(name)
    said = f"[{page.capitalize()}]({page}.md), " if page else ""
    return f"Formulas: {said}[{name}.py](../exporter/metrics/{name}.py)."


@cache
def _theirs() -> dict[str, list[str]]:
    return guide.names_by_entry([EVIDENTLY_TESTS, METRICS_04, METRICS_07])


def _ids(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
