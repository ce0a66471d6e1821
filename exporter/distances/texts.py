"""Drift of texts: how well a classifier of words tells the batch's texts from the reference's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exporter.distances._registry import Verdict, drift_method
from exporter.distances.contributions import short
from exporter.distances.separation import SEED, beside, by_chance, halves, learning, roc_auc
from exporter.errors import BatchError
from exporter.profile.arrays import Bools
from exporter.profile.rows import Rows

if TYPE_CHECKING:  # a config is checked without Arrow
    import pyarrow as pa

MOST_TEXTS = 50_000  # of a column that has more, so many are chosen, with a fixed seed
MOST_BYTES = 1 << 28  # and fewer of long ones
CHOICE = 20_130_101
GUESSES = 1000  # classifiers that know nothing
WORDS = 25  # of either side


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a column in the order of its rows; what is missing is left out."""

    values: list[str]


@drift_method(kinds=("text",), threshold=0.55, inclusive=False, module="sklearn")
def abs_text_content_drift(current: Texts, reference: Texts, *, words: bool = False) -> Verdict:
    """Texts: ROC AUC of a classifier of words that learns to tell batch from reference.

    It learns from a half of the texts, its score is that on the other half: 0.5 where nothing
    tells them apart, 1 where every text gives itself away. `words`: the words that tell, as
    contributions.
    """
    return _judged(current, reference, words=words)[0]


@drift_method(
    kinds=("text",), threshold=0.95, score="percentile", inclusive=False, module="sklearn"
)
def perc_text_content_drift(
    current: Texts, reference: Texts, *, threshold: float = 0.95, words: bool = False
) -> Verdict:
    """Texts: the same score, beside that of classifiers that know nothing.

    Drifted where it is above the `threshold` quantile of 1,000 that guess, with a fixed seed: that
    quantile is the row's threshold.
    """
    verdict, held = _judged(current, reference, words=words)
    seeds = np.random.RandomState(SEED).randint(0, 10 * GUESSES, size=GUESSES)
    return Verdict(verdict.score, by_chance(held, seeds.tolist(), threshold), verdict.told)


def texts_of(rows: Rows, name: str) -> Texts:
    """The texts of a column, at most 50,000 and 256 MB of them, chosen with a fixed seed.

    Raises BatchError where the column is not there or holds no texts.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        column = pc.cast(rows.arrow(name), pa.large_string(), safe=False).drop_null()
        return Texts(_some(column).to_pylist())
    except (pa.ArrowException, UnicodeDecodeError) as error:
        kind = rows.types[name]
        raise BatchError(f"column {name!r}: holds {kind} that cannot be read as text") from error


def _some(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    size = pc.sum(pc.binary_length(column)).as_py() or 0
    most = min(MOST_TEXTS, len(column) * MOST_BYTES // max(size, MOST_BYTES))
    if len(column) <= most:
        return column
    chosen = np.random.default_rng(CHOICE).choice(len(column), most, replace=False)
    chosen.sort()
    return column.take(pa.array(chosen))


def _judged(current: Texts, reference: Texts, *, words: bool) -> tuple[Verdict, Bools]:
    """The score, and which of the texts that it was judged by are of the batch."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import SGDClassifier

    texts = [*reference.values, *current.values]
    labels = beside(len(reference.values), len(current.values))
    learnt, held = halves(labels)
    vectorizer = TfidfVectorizer(sublinear_tf=True, max_df=0.5, stop_words="english")
    classifier = SGDClassifier(
        alpha=1e-4, max_iter=50, penalty="l1", loss="modified_huber", random_state=SEED
    )
    try:
        seen = vectorizer.fit_transform([texts[i] for i in learnt.tolist()])
    except ValueError as error:
        text = "no word, stop words aside, stands in half of the texts or fewer: none can tell"
        raise ValueError(text) from error
    with learning():
        classifier.fit(seen, labels[learnt])
    judged = vectorizer.transform([texts[i] for i in held.tolist()])
    score = roc_auc(labels[held], classifier.predict_proba(judged)[:, 1])
    told = _telling(vectorizer, classifier) if words else None
    return Verdict(score, told=told), labels[held]


def _telling(vectorizer: Any, classifier: Any) -> list[dict[str, Any]]:
    """The words that tell of the batch, and those of the reference, the most telling first."""
    weights = classifier.coef_[0]
    names = vectorizer.get_feature_names_out()
    told = []
    for side, sign in (("batch", 1.0), ("reference", -1.0)):
        order = np.argsort(-sign * weights, kind="stable")[:WORDS]
        told += [
            {"word": str(names[i]), "of": side, "weight": short(abs(weights[i]))}
            for i in order.tolist()
            if sign * weights[i] > 0
        ]
    return told
