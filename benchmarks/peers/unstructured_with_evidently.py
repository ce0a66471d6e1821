"""Evidently's drift of texts and embeddings: run by an interpreter that has Evidently.

`unstructured_with_evidently.py` writes tests/golden/unstructured.json, from the texts and vectors
that tests/golden/unstructured.py draws.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import evidently
import pandas as pd
import sklearn
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.legacy.metrics.data_drift import embedding_drift_methods as theirs
from evidently.legacy.utils.data_drift_utils import get_text_data_for_plots

TESTS = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(TESTS))

from golden.unstructured import METHODS, TEXTS, VECTORS, texts, vectors  # noqa: E402

NAMES = {
    "component_method": "component_stattest", "component_threshold": "component_stattest_threshold",
    "quantile": "quantile_probability", "distance": "dist",
}  # fmt: skip
QUANTILE = 0.95  # what its documentation says is the default: in its code that of mmd is 0.05


def main() -> None:
    """Write the figures."""
    told = {
        "versions": {"evidently": evidently.__version__, "scikit-learn": sklearn.__version__},
        "texts": {name: _texts(*case) for name, case in TEXTS.items()},
        "vectors": {name: _vectors(*case) for name, case in VECTORS.items()},
    }
    path = TESTS / "golden" / "unstructured.json"
    path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def _texts(m: int, n: int, shift: float) -> dict[str, Any]:
    reference, current = pd.Series(texts(m, 0, 1)).dropna(), pd.Series(texts(n, shift, 2)).dropna()
    default = get_stattest(reference, current, ColumnType.Text, None)
    out: dict[str, Any] = {"default": default.name}
    for method in ("abs_text_content_drift", "perc_text_content_drift"):
        test = get_stattest(reference, current, ColumnType.Text, method)
        found = test(reference, current, ColumnType.Text, None)
        out[method] = {
            "score": float(found.drift_score), "threshold": found.actual_threshold,
            "drifted": bool(found.drifted),
        }  # fmt: skip
    _, _, out["words of the batch"], out["words of the reference"] = get_text_data_for_plots(
        reference, current
    )
    return out


def _vectors(m: int, n: int, shift: float) -> list[dict[str, Any]]:
    out = []
    for method, cases in METHODS.items():
        for options in cases:
            given = {NAMES.get(name, name): value for name, value in options.items()}
            if options.get("bootstrap"):
                given = {"quantile_probability": QUANTILE, **given}
            compare = getattr(theirs, method.removeprefix("embedding_"))(**given)
            reference, current = pd.DataFrame(vectors(m, 0, 3)), pd.DataFrame(vectors(n, shift, 4))
            for frame in (reference, current):
                frame.columns = frame.columns.map(str)
            score, drifted, _ = compare(current, reference)
            out.append(
                {
                    "method": method, "options": options, "score": float(score),
                    "threshold": getattr(compare, "threshold", None), "drifted": bool(drifted),
                }
            )  # fmt: skip
    return out


if __name__ == "__main__":
    main()
