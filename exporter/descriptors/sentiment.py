"""How positive or negative an English text sounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from exporter.descriptors._registry import Result, Texts, descriptor

LONGEST = 10_000  # characters that are read: the analyser's time grows with the square of the words


@descriptor(kind="numerical", distinct=True, module="vaderSentiment")
def sentiment(texts: Texts) -> Result:
    """How positive (1) or negative (-1) the text sounds: VADER's compound score, 0 where it knows no word.

    English only. Of a longer text the first 10,000 characters are read.
    """
    score = _analyser()
    return [score(text[:LONGEST])["compound"] for text in texts.to_pylist()]


@cache
def _analyser() -> Callable[[str], dict[str, float]]:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    scores: Callable[[str], dict[str, float]] = SentimentIntensityAnalyzer().polarity_scores
    return scores
