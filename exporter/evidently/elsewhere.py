"""Options of Evidently's that are said elsewhere in a config, or not at all."""

from __future__ import annotations

from collections.abc import Mapping

_MODEL = "{0!r} is not said here: each model has its own entry under `models:`"
_MISSING = "{0!r} is not said here: what counts as missing is `missing_values` of the model"
_TESTS = "{0!r} is not said here: a test stands under `tests:`, with its condition"
_PERCENT = "there is no {0!r}: mape leaves targets of zero out"
_ALMOST = "there is no {0!r}: almost means 95 % of the rows here"
COUNTED = (
    "{0!r} is not said here: which columns are compared, and how, stands under `metrics:`, "
    "{{data_drift: {{columns: …, method: …}}}}"
)
ELSEWHERE: Mapping[str, str] = {  # by option; {0} is its name
    "almost_constant_threshold": _ALMOST,
    "almost_duplicated_threshold": _ALMOST,
    "classification_name": _MODEL,
    "columns_type": "{0!r} is not said here: types are declared under `columns:`",
    "descriptors": "{0!r} are not said here: they stand under `descriptors:` of the model",
    "drift_share": "{0!r} is not said here: as a test, {{drifted_columns_ratio: {{lt: 0.5}}}}",
    "epsilon": _PERCENT,
    "feature_importance": "there is no {0!r} here",
    "include_tests": _TESTS,
    "item_bias_columns": "{0!r} is not said here: ask for item_bias by name",
    "item_features": "{0!r} is not said here: they are `ranking: {{items: …}}` of the model",
    "min_success_rate": _TESTS,
    "missing_values": _MISSING,
    "ranking_name": _MODEL,
    "recommendations_type": "{0!r} is not said here: it is `ranking: {{rank: …}}` of the model",
    "regression_name": _MODEL,
    "replace": _MISSING,
    "replace_nan": _MISSING,
    "replace_value": _PERCENT,
    "tests": _TESTS,
    "user_bias_columns": "there is no {0!r} here: users can be segments",
    "zero_handling": _PERCENT,
}
