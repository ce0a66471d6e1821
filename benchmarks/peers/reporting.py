"""What came of it: known differences with their reasons, and the page that records all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers.answering import Difference
from benchmarks.results import machine
from exporter.evidently import UNDER_METRICS, UNDER_TESTS

PAGE = Path(__file__).parents[2] / "docs" / "peer-tests.md"
Meets = Callable[[Difference], bool]
HEAD = """\
# Beside Evidently

`make test-peers` puts one set of questions, in Evidently's own names and options, to a pinned Evidently in an
environment of its own and to this exporter, which takes those names ([Coming from Evidently](evidently.md)), and compares
what both say: figures to 1e-6, p-values to 1e-6 absolute, and of tests the status too, with `automatic_tests: evidently`.
What 0.4 rounds before it tests is compared as far as it goes: two decimals of a column's figures, three of a drift score.
Where a method of Evidently's was mended here, it is asked for with `compat: true`.

Frames are drawn anew from seeds: tables of 40 to 3,000 rows with numbers, few numbers, categories, times and missing
values, moved away from the reference; tables with infinities, empty texts, columns with one value or none, equal columns
and rows; regressions, classifiers of two classes with probabilities or decisions, of three classes, and rankings, also
with the interactions of training and features of items; texts, single texts and their descriptors row by row, and
vectors. p-values of methods that draw lots may be five standard errors of those lots apart. The run fails where a
figure differs for a reason that is not listed below, or where Evidently has a name that the tables do not have. This
page is what the last run wrote.

"""


def _missing(difference: Difference) -> bool:
    return difference.key[1] in ("city", "income")


def _on(column: str) -> Meets:
    return lambda d: d.key[1] == column and d.case.startswith("hostile")


def _metric(*ids: str) -> Meets:
    return lambda d: d.key[0] in ids


KNOWN: tuple[tuple[str, Meets], ...] = (
    ("0.7 divides the missing cells of a dataset by its rows, not by its cells",
     lambda d: d.question[1] == "DatasetMissingValueCount"),
    ("a link may stand in brackets here, and not in 0.7",
     lambda d: d.question[1] == "ContainsLink" and d.theirs.value == 0),
    ("`NaN` is no JSON here",
     lambda d: d.question[1] == "IsValidJSON" and d.theirs.value == 1),
    ("a list of one item has no diversity here, and 0 in 0.4",
     lambda d: d.key[0] == "diversity_at_k" and d.question[2]["k"] == 1),
    ("0.4's coverage of the reference counts all of its items, at any rank and unknown to training or not: the bound is another",
     lambda d: d.key[0] == "item_coverage" and d.ours is not None and d.theirs.value == d.ours.value),
    ("0.7 divides the rows of a category by those that have any; here, as in 0.4, by all rows",
     lambda d: d.question[1] == "CategoryCount" and d.key[1] == "city"),
    ("0.4 counts a missing value as one that is not in the list",
     lambda d: d.key[0].startswith("out_of_list") and d.key[1] == "city"),
    ("0.4 counts missing values among the rows that share, or repeat, a value",
     lambda d: _metric("unique_ratio", "most_common_ratio")(d) and _missing(d)),
    ("0.7 numbers NDCG and MRR at k as those at k + 1",
     lambda d: d.question[1] in ("NDCG", "MRR")),
    ("0.4's strongest correlation of target, or prediction, is the strongest of any two columns",
     _metric("strongest_target_correlation", "strongest_prediction_correlation")),
    ("0.4 has no most common time: the test ends in an error",
     lambda d: d.key[:2] == ("most_common_ratio", "seen") and d.theirs.status == "error"),
    ("with infinities Evidently has no mean, no deviation and no ends of a column; here they are those of the rest",
     lambda d: _on("income")(d) and d.theirs.value is None),
    ("a column without values has no figure, and its test an error; Evidently passes or fails it",
     _on("void")),
    ("0.4 wants the mean strictly inside the reference's deviations, also where there are none",
     lambda d: d.key[:2] == ("mean_shift_sigmas", "fixed")),
    ("a column without values ends Evidently's drift of the dataset",
     lambda d: d.key[0] == "drifted_columns_ratio" and d.theirs.status == "error"),
    ("Evidently's p-value of two columns with one and the same value is none; here it is 1",
     lambda d: d.key[0] == "column_drift" and d.theirs.value is None and d.key[1] in ("fixed", "word")),
)  # fmt: skip


@dataclass
class Outcome:
    """Counts, and what differs."""

    version: str
    seeds: int
    names: dict[str, list[str]]
    frames: int = 0
    compared: Counter[tuple[str, str]] = field(default_factory=Counter)
    raised: Counter[tuple[str, str]] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    unknown: list[Difference] = field(default_factory=list)

    def differs(self, difference: Difference) -> None:
        """Enter a difference under its reason, or among the unknown."""
        reason = next((text for text, meets in KNOWN if meets(difference)), None)
        if reason is None:
            self.unknown.append(difference)
        else:
            self.known[reason] += 1

    @property
    def missing(self) -> list[str]:
        """Names of Evidently's that no table has."""
        tables = {"tests": UNDER_TESTS, "metrics": UNDER_METRICS}
        return [n for kind, names in self.names.items() for n in names if n not in tables[kind]]


def page(outcome: Outcome) -> str:
    """The page's Markdown."""
    lines = [
        HEAD.rstrip(),
        "",
        "## The last run",
        "",
        f"Evidently {outcome.version}; {machine()}",
        "",
        _counts(outcome),
        "",
        *_table("what was asked", "compared", _by_kind(outcome)),
        "",
        "## Where the two differ",
        "",
        *_table("why", "times", outcome.known.most_common()),
        "",
        "## Where Evidently has no answer",
        "",
        "It raised an exception, so that nothing could be compared:",
        "",
        *_table("what it raised", "times", _raised(outcome)),
        "",
        "## What is not asked here",
        "",
        "Descriptors that need a download (sentiment, words out of the vocabulary, lemmas) or a model, and those of",
        "SQL, for which its environment lacks the parser; methods that draw lots beyond 1,000 rows of a reference,",
        "where its own take minutes; components (`pca_components`) before `model`, whose last digits are the machine's.",
        "0.4's tests of rankings read the figure at k + 1 (not those of NDCG and MRR): ours are asked at that k.",
    ]
    return "\n".join(lines) + "\n"


def _counts(outcome: Outcome) -> str:
    total, differing = outcome.compared.total(), outcome.known.total()
    names, asked = sum(map(len, outcome.names.values())), {name for _, name in outcome.compared}
    return (
        f"{outcome.frames} pairs of frames from {outcome.seeds} seed{'s' * (outcome.seeds != 1)}, {total:,} figures and tests "
        f"compared: {total - differing - len(outcome.unknown):,} the same, {differing:,} different "
        f"for a reason below, {len(outcome.unknown)} for none. All {names} names that Evidently "
        f"has are in the tables, {len(asked)} of them were asked."
    )


def write(outcome: Outcome) -> None:
    """Write the page."""
    PAGE.write_text(page(outcome), "utf-8")


def _by_kind(outcome: Outcome) -> Iterator[tuple[str, int]]:
    said = {
        "test": "tests and their presets", "metric": "metrics", "drift": "drift methods",
        "embeddings": "methods of embeddings", "descriptor": "descriptors, text by text",
    }  # fmt: skip
    for kind, text in said.items():
        yield text, sum(n for (k, _), n in outcome.compared.items() if k == kind)


def _raised(outcome: Outcome) -> Iterator[tuple[str, int]]:
    found: Counter[str] = Counter()
    for (name, text), times in outcome.raised.items():
        found[f"`{name}`: {text[:100].replace('|', '/')}"] += times
    return iter(found.most_common())


def _table(left: str, right: str, rows: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield f"| {left} | {right} |"
    yield "| --- | ---: |"
    yield from (f"| {text} | {number:,} |" for text, number in rows)
