"""Drift of texts and embeddings beside scikit-learn's own estimators on the same lists and arrays."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import pairwise_distances, roc_auc_score
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import train_test_split

from benchmarks.distances import measure, value
from exporter.distances import method_named
from exporter.distances.texts import Texts
from exporter.distances.vectors import Vectors

Array = npt.NDArray[np.float64]
NOTE = "the peer is scikit-learn's own estimators; the figure is theirs to 1e-6"
GUESSES = 1000
COMPONENTS = 128


def main() -> None:
    """Print a line for each method."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    for method, n, m in (("abs", 10_000, 20_000), ("perc", 5_000, 1_000)):
        pair = _texts(rng, n, 20), _texts(rng, m, 0)
        peer = _content if method == "abs" else _percentile
        _measure(f"{method}_text_content_drift", f"{n:,} + {m:,} texts", Texts, pair, peer)
    current, reference = rng.normal(0.02, 1, (10_000, 128)), rng.normal(0, 1, (20_000, 128))
    of = f"10,000 + 20,000 x {COMPONENTS}"
    _measure("embedding_model", of, Vectors, (current, reference), _model)
    _measure("embedding_distance", of, Vectors, (current, reference), _distance, pca_components=8)
    few = current[:4000], reference[:4000]
    _measure("embedding_mmd", f"4,000 + 4,000 x {COMPONENTS}", Vectors, few, _discrepancy)


def _measure(method: str, size: str, form: Any, pair: Any, peer: Any, **options: Any) -> None:
    compute = method_named(method).compute
    sides = [form(side) for side in pair]
    name = f"drift by {method}, {size}"
    measure(name, lambda: value(compute(*sides, **options)), lambda: peer(*pair), note=NOTE)


def _texts(rng: np.random.Generator, rows: int, moved: int) -> list[str]:
    words = np.array([f"word{i}" for i in range(5000)])
    places = rng.zipf(1.3, (rows, 12)) % (len(words) - moved) + moved
    return [" ".join(row) for row in words[places]]


def _halves(current: Any, reference: Any, both: Any) -> Any:
    labels = np.repeat([0, 1], [len(reference), len(current)])
    return train_test_split(both, labels, test_size=0.5, random_state=42)


def _words(current: list[str], reference: list[str]) -> tuple[float, npt.NDArray[np.int64]]:
    learnt, held, known, labels = _halves(current, reference, reference + current)
    vectorizer = TfidfVectorizer(sublinear_tf=True, max_df=0.5, stop_words="english")
    classifier = SGDClassifier(
        alpha=1e-4, max_iter=50, penalty="l1", loss="modified_huber", random_state=42
    )
    classifier.fit(vectorizer.fit_transform(learnt), known)
    chances = classifier.predict_proba(vectorizer.transform(held))[:, 1]
    return float(roc_auc_score(labels, chances)), labels


def _content(current: list[str], reference: list[str]) -> float:
    return _words(current, reference)[0]


def _percentile(current: list[str], reference: list[str]) -> float:
    score, labels = _words(current, reference)
    rng = np.random.default_rng(42)
    np.percentile([roc_auc_score(labels, rng.random(len(labels))) for _ in range(GUESSES)], 95)
    return score


def _model(current: Array, reference: Array) -> float:
    both = np.concatenate((reference, current))
    learnt, held, known, labels = _halves(current, reference, both)
    classifier = SGDClassifier(loss="log_loss", random_state=42).fit(learnt, 1 - known)
    return float(roc_auc_score(1 - labels, classifier.predict_proba(held)[:, 1]))


def _distance(current: Array, reference: Array) -> float:
    pca = PCA(n_components=8, random_state=0)
    there, here = pca.fit_transform(reference), pca.transform(current)
    return float(np.linalg.norm(there.mean(axis=0) - here.mean(axis=0)))


def _discrepancy(current: Array, reference: Array) -> float:
    n, m = len(current), len(reference)
    some = np.random.RandomState(0).choice(n, 1000, replace=False)
    gamma = 1 / np.median(pairwise_distances(reference[some], current[some])) ** 2
    own = (rbf_kernel(reference, gamma=gamma).sum() - m) / (m * (m - 1))
    others = (rbf_kernel(current, gamma=gamma).sum() - n) / (n * (n - 1))
    cross = rbf_kernel(reference, current, gamma=gamma).mean()
    return float(max(own + others - 2 * cross, 0))


if __name__ == "__main__":
    main()
