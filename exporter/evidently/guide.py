"""What someone who leaves Evidently has to know, as data for a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from exporter.evidently._forms import Alias
from exporter.evidently.reports import METRIC_PRESETS, METRICS_04, METRICS_07
from exporter.evidently.suites import TEST_PRESETS, TESTS
from exporter.evidently.translating import Named, said

FEW = 4  # entries that one of Evidently's names may stand for, to be named beside each of them
HEAD = """\
# Coming from Evidently

Every metric, test and preset of Evidently 0.4 (`Report`, `TestSuite`) and 0.7 is here under a name of its own, with
the same figure. A config, and `exporter.evaluate`, take Evidently's names too, with its names of options, and say what
each is called here:

    metrics:
      - DataDriftPreset
      - ColumnSummaryMetric: {column_name: age}
      - ValueDrift: {column: age, method: psi}
    tests:
      - TestNumberOfRows
      - TestColumnValueMin: {column_name: age, gte: 0}
      - TestMeanInNSigmas: {column_name: age, n_sigmas: 3}
      - TestCategoryShare: {column_name: plan, category: basic, lt: 0.3, is_critical: false}

`exporter validate` warns of each with its place: *TestColumnValueMin is {min: {columns: [age], gte: 0}} here*; in Python
the warning is a `UserWarning`. Figures are kept under our names, whichever name asked for them. What is a plot, or does
not exist here, is refused with what to use instead.

## Options and conditions

| Evidently | here |
| --- | --- |
| `column_name="age"`, `column="age"` | `columns: [age]` |
| `columns="num"`, `"cat"`, `"text"`, `"all"`, `"features"` of generators | the role `columns: numerical`, `categorical`, `text`, `all`, `features` |
| `stattest`, `stattest_threshold` | `method`, `threshold` of `column_drift`; the methods have the same names |
| `num_stattest`, `cat_stattest`, `text_stattest` (0.7: `num_method` …) | `{column_drift: {columns: numerical, method: …}}` and so on, beside the preset |
| `per_column_stattest` (0.7: `per_column_method`) | `{column_drift: {columns: [age], method: …}}`, beside the preset |
| `drift_share` | `{drifted_columns_ratio: {lt: 0.5}}` under `tests` |
| `quantile`, `reg_exp`, `category`, `values`, `left`, `right` | `q`, `pattern`, `categories: [x]`, `values`, `left`, `right` |
| `probas_threshold`, `k` of classifiers | `threshold`, `top_k` |
| `k`, `min_rel_score`, `no_feedback_users`, `normalize_arp` of rankings | `k`, `min_relevance`, `no_feedback_users`, `normalized` |
| `eq`, `not_eq`, `gt`, `gte`, `lt`, `lte`, `is_in`, `not_in` | the same; `is_in` is `in`; `between: [a, b]` is one more |
| `approx(300, relative=0.1)` | `{value: 300, relative: 0.1}`, with `absolute:` likewise |
| `Reference(relative=0.1)` | `{reference: true, relative: 0.1}` |
| `is_critical=False` | `critical: false` |
| `missing_values`, `replace` | `missing_values:` of the model; in Python `missing_values=` of `exporter.evaluate` |
| `tests=[gte(0)]` of a metric in 0.7 | an entry under `tests`: `{min: {columns: [age], gte: 0}}` |
| `Report`, `TestSuite`, `include_tests=True` | `metrics:` and `tests:` of an evaluation, stored as one snapshot |
| `ColumnMapping`, `DataDefinition` | `columns:` and `task:` of the model |
| `GroupBy`, tables by feature | `segments:` of the model |
| descriptors | `descriptors:` of the model: [Texts](text.md) |

A test that is given no condition takes ours. `automatic_tests: evidently` takes Evidently's, two-sided ones included;
[Metrics](metrics.md#automatic-conditions) has both beside each other.

## Generators of tests

`generate_column_tests(TestColumnQuantile, columns="num", parameters={"quantile": 0.9})` is one entry: a test of a column
metric covers as many columns as `columns` chooses, and each has a result of its own.

    tests:
      - quantile: {columns: numerical, q: 0.9}
      - missing_ratio: {columns: all, lte: 0.05}
      - most_common_ratio: {columns: categorical}
      - column_drift: {columns: features}
      - missing_ratio: {columns: text, eq: 0, name: texts_are_there}
      - mean: {columns: [age, income]}

"""
BOTH = """\
## Run both

Nothing stands in the way of both on the same frames: Evidently in an environment of its own (it pins pandas), this one
beside it. Give both the same reference, and this one `automatic_tests: evidently`, where conditions are to be equal:

```python
import exporter

snapshot = exporter.evaluate(
    "february.parquet",
    "january.parquet",
    tests=["data_stability", "data_drift"],  # or DataStabilityTestPreset, DataDriftTestPreset
    automatic_tests="evidently",
)
```

Two things must be told to both alike: the types of columns, which Evidently infers anew from each pair of frames (an
integer column with few values is a category to it) and which are declared once here; and values such as -999 that stand
for none, which `missing_values:` makes null to every figure. With `automatic_tests: evidently` figures about missing
values count null, empty text and infinities, as 0.4's tests do, and to all others those are values like any; otherwise
only null is missing, infinities are left out of a column's figures, and `missing_kinds` tells of both.

`make test-peers` does it for every name of the tables above on frames drawn at random, and writes what came of it:
[Beside Evidently](peer-tests.md).
"""
FAULTS = (  # what Evidently does, what happens here
    ("0.7: without a reference a regression fails always: `Dummy*` return the model's own error",
     "`baseline_*` are those of 0.4: median, mean and the best constant percentage"),
    ("0.7: one metric that fails, a column that is empty, new or gone, ends the whole report",
     "each figure stands alone: a row with its `error`, a test with status `error`; all others are there"),
    ("0.7: an empty batch ends in an unrelated exception",
     "a snapshot with 0 rows, its tests skipped with the reason"),
    ("0.7: the share of missing values of a dataset divides by rows, not by cells, and exceeds 1",
     "`missing_cells_ratio` divides by cells, as 0.4 does"),
    ("0.7: MAPE of negative or zero targets is astronomic; its parts have different units",
     "`mape` leaves out targets of zero and takes the size of negative ones"),
    ("two-sided defaults fail a batch for being better, and for its number of rows",
     "`automatic_tests: directional`: only what is worse fails, and counts are scaled to the batch"),
    ("0.7: results hold neither the reference's values nor a test's numbers, only text",
     "`value`, `reference`, `lower` and `upper` are numbers in every row"),
    ("results may hold a bare `NaN`, which is no JSON; labels become text, integers floats",
     "what has no value is null, and `error` says why"),
    ("naive local times; a p-value and a distance look alike",
     "times in UTC; `method`, `threshold`, `drifted` and `severity` (1 = drifted, for every method)"),
    ("0.7: a metric's identity holds its tests and plots: a new threshold breaks the line",
     "a series is told by the metric's figure-making options only"),
    ("0.7: messages such as `Actual value 0.000 >= 0.000`, twice where count and share are tested",
     "messages have as many digits as tell the two numbers apart"),
    ("0.4: column figures are rounded to two decimals before they are tested: means of small scale pass, or fail, whatever they are",
     "nothing is rounded"),
    ("0.4: a missing value counts as out of the list, even where the reference has as many",
     "missing values are neither in nor out; `missing_ratio` is their test"),
    ("0.4: ranking tests at k read the figure at k + 1, or end in an error",
     "k is k; more in [Rankings](ranking.md#what-differs-from-evidently)"),
    ("0.7: NDCG and MRR at k stand in its tables as those at k + 1", "k is k"),
    ("0.4: the strongest correlation of the target with a feature is that of any two columns",
     "`strongest_target_correlation` is the target's"),
    ("0.4: missing values count as a value in shares of unique and most common values",
     "shares are of the values that are there, or of all rows, as each metric says"),
    ("0.4: a classifier's `k` takes the k-th row and the one after it",
     "`top_k` is k rows; `compat: true` gives its figure"),
    ("0.4: results of out-of-range and out-of-list tests name neither column nor bounds",
     "every row has `column`, `params`, `lower`, `upper`"),
    ("one-sided `mannw`, unnormalised `g_test`, `fisher_exact` of unequal sizes, unseeded permutations",
     "mended; `compat: true` gives its figure: [Drift](drift.md)"),
    ("a failed test and a test that could not be computed are told apart by text only, or not counted",
     "`fail` and `error` are two statuses, counted each"),
)  # fmt: skip


def sections() -> Iterator[tuple[str, Mapping[str, Alias]]]:
    """The tables of names, each with its heading."""
    yield "Tests of 0.4", TESTS
    yield "Metrics of 0.4", METRICS_04
    yield "Metrics of 0.7", METRICS_07
    yield "Presets of tests, 0.4", TEST_PRESETS
    yield "Presets of metrics, 0.4 and 0.7", METRIC_PRESETS


def described(name: str, alias: Alias) -> tuple[str, str, str]:
    """Evidently's name, the entries here as code, and what else there is to know."""
    entries = [_as_named(entry) for entry in alias.entries]
    ours = ", ".join(f"`{said(entry)}`" for entry in entries)
    return f"`{name}`", ours or "not here", alias.instead or alias.note


def names_by_entry(sections: Iterable[Mapping[str, Alias]]) -> dict[str, list[str]]:
    """Evidently's names of each metric or preset of ours; not those that stand for many at once."""
    found: dict[str, list[str]] = {}
    for name, alias in chain.from_iterable(aliases.items() for aliases in sections):
        entries = dict.fromkeys(_as_named(entry).name for entry in alias.entries)
        for ours in entries if len(entries) <= FEW else ():
            if name not in found.setdefault(ours, []):
                found[ours].append(name)
    return found


def _as_named(entry: object) -> Named:
    if isinstance(entry, str):
        return Named(entry, {})
    assert isinstance(entry, Mapping)  # noqa: S101  what an Entry is
    ((name, options),) = entry.items()
    return Named(name, options or {})
