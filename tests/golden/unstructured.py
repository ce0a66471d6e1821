"""Texts and vectors drawn from seeds: with numpy's old generator, whose numbers are fixed for ever.

A text is up to fifteen words of a vocabulary of 400, the first of them the most frequent, some
stop words among them; of a batch so large a share of the words as its *shift* is drawn from the
vocabulary read backwards. Some texts are missing, some are empty. A vector is eight normal
numbers with deviations from 0.5 to 4; a batch's are moved up by *shift*, the first two by twice
that.
"""

from __future__ import annotations

import numpy as np

STOP_WORDS = ["the", "and", "of", "it"]
WORDS = [a + b + c for a in "bdfklmnrst" for b in "aeiou" for c in ("ba", "de", "ki", "lo", "mu", "ne", "ri", "sto")]  # fmt: skip
LONGEST, COMPONENTS = 15, 8

TEXTS = {  # reference rows, batch rows, shift of the batch
    "small, alike": (800, 400, 0.0),
    "small, moved": (800, 400, 0.3),
    "few, far": (60, 40, 0.6),
    "large, alike": (1500, 600, 0.0),
    "large, moved": (1500, 600, 0.15),
}
VECTORS = {
    "small, alike": (300, 200, 0.0),
    "small, moved": (300, 200, 0.4),
    "large, alike": (1200, 700, 0.0),
    "large, moved": (1200, 700, 0.2),
}
METHODS = {  # what Evidently's method is given, by ours and an option of it
    "embedding_model": ({}, {"bootstrap": True}, {"pca_components": 3}, {"bootstrap": True, "quantile": 0.5}),
    "embedding_ratio": ({}, {"component_method": "ks", "component_threshold": 0.05}, {"component_method": "psi"}, {"pca_components": 3}),
    "embedding_distance": ({}, {"distance": "cosine"}, {"distance": "cityblock"}, {"distance": "chebyshev"}, {"bootstrap": True}, {"pca_components": 3}),
    "embedding_mmd": ({}, {"bootstrap": True}, {"bootstrap": True, "quantile": 0.5}, {"pca_components": 3}),
}  # fmt: skip


def texts(rows: int, shift: float, seed: int) -> list[str | None]:
    """So many texts."""
    rng = np.random.RandomState(seed)
    vocabulary = np.array([*STOP_WORDS, *WORDS])
    chance = 1 / (np.arange(len(vocabulary)) + 10.0)
    chance /= chance.sum()
    drawn = (1 - shift) * chance + shift * chance[::-1]
    told: list[str | None] = []
    for length in rng.randint(0, LONGEST + 1, rows):
        words = rng.choice(vocabulary, length, p=drawn)
        told.append(None if rng.rand() < 0.02 else " ".join(words))
    return told


def vectors(rows: int, shift: float, seed: int) -> np.ndarray:
    """So many vectors, a row each."""
    rng = np.random.RandomState(seed)
    spread = np.linspace(0.5, 4, COMPONENTS)
    moved = np.where(np.arange(COMPONENTS) < 2, 2 * shift, shift)
    return rng.normal(size=(rows, COMPONENTS)) * spread + moved
