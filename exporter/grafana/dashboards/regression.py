"""Regression: how wrong it is, which way, and for whom; and how good a ranking is."""

from __future__ import annotations

from exporter.grafana.cells import name_cell
from exporter.grafana.charts import bar_chart, dashed, heatmap, timeseries
from exporter.grafana.colours import CURRENT, FAINT, LATE, PALE, REFERENCE, Json, steps
from exporter.grafana.dashboard import Dashboard, Section
from exporter.grafana.distributions import BATCH_AND_REFERENCE, beside_reference
from exporter.grafana.distributions import over_time as bins_over_time
from exporter.grafana.figures import (
    NOT_MEASURED,
    TO_MODEL,
    TO_TESTS,
    batches,
    by_label,
    chosen,
    coverage,
    first_stream,
    newest,
    now,
    over_time,
    segments,
    variables,
)
from exporter.grafana.navigation import choice, datasources, events, link_to
from exporter.grafana.panels import override, sql, table
from exporter.grafana.queries import OF_MODEL, OPTIONS, history

MAIN = {
    "mae": "MAE",
    "rmse": "RMSE",
    "mape": "MAPE",
    "r2": "R²",
    "mean_error": "Bias",
    "max_absolute_error": "Worst",
}
_NO_RANKING = "this model is not a ranking"
_NO_ERRORS = "this model has no errors of numbers; if it ranks, see the last section"
OF_RANKING = {
    "precision_at_k": "Prec.",
    "recall_at_k": "Recall",
    "map_at_k": "MAP",
    "ndcg_at_k": "NDCG",
    "mrr_at_k": "MRR",
    "hit_rate_at_k": "Hits",
}
TO_COLUMN = link_to("column", "Open it", row=("column",), keep=("project", "model", "stream"))

NOW = [now(at, title, i) for at, (i, title) in enumerate(MAIN.items(), 1)]
TRENDS = [
    [
        over_time(10, "MAE", "mae", baseline="baseline_mae"),
        over_time(11, "RMSE", "rmse", baseline="baseline_rmse"),
        over_time(12, "R²", "r2", baseline="0"),
    ],
    [
        over_time(13, "MAPE", "mape", baseline="baseline_mape"),
        over_time(
            14, "Largest error", "max_absolute_error", baseline="baseline_max_absolute_error"
        ),
        over_time(15, "Spread of the errors", "error_std"),
    ],
]

# Three quantiles side by side, of the first stream only: a band has one lower and one upper end.
_QUANTILES = ("0.05", "0.5", "0.95")
_BAND = f"""\
(select time, window_end, evaluation, segment, stream, snapshot_id,
  max(value) filter (where q = 0.05) as low, max(value) filter (where q = 0.5) as middle, max(value) filter (where q = 0.95) as high,
  max(reference) filter (where q = 0.05) as low_reference, max(reference) filter (where q = 0.95) as high_reference
from (select *, (params ->> 'q')::float8 as q from {first_stream(chosen("error_quantile"))}) e
where q in ({", ".join(_QUANTILES)})
group by time, window_end, evaluation, segment, stream, snapshot_id) b"""


def _band(field: str, name: str, **look: object) -> Json:
    fixed = {"mode": "fixed", "fixedColor": CURRENT}
    return override(field, displayName=name, color=fixed, **look)


BAND = timeseries(
    20,
    "Where nine of ten errors lie",
    "Errors are prediction minus truth: below zero was underestimated. The band holds all but the lowest and the highest "
    "5 % of the errors, the line is their median; dashed grey: the reference's ends. The narrower, and the nearer to zero, the "
    "better. Of several streams the first. Source: grafana.metrics, metric error_quantile.",
    [
        sql(
            history(
                _BAND,
                "true",
                named="''",
                values={i: i for i in ("low", "middle", "high", "low_reference", "high_reference")},
            )
        )
    ],
    size=(12, 9),
    defaults={"noValue": NOT_MEASURED},
    overrides=[
        _band("low", "5 %", custom__lineWidth=0, custom__showPoints="never"),
        _band(
            "high",
            "95 %",
            custom__lineWidth=0,
            custom__showPoints="never",
            custom__fillBelowTo="5 %",
            custom__fillOpacity=20,
        ),
        _band("middle", "median", custom__lineWidth=2),
        dashed("low_reference", "5 % of the reference", REFERENCE),
        dashed("high_reference", "95 % of the reference", REFERENCE),
    ],
    links=[TO_TESTS, TO_MODEL],
)
BIAS = [
    over_time(21, "Mean error", "mean_error", baseline="0", size=(12, 9)),
    over_time(22, "Share underestimated", "underestimation_ratio", baseline="0.5"),
    over_time(23, "Share of the worst 5 %", "top_error_share"),
    over_time(24, "How normal the errors are", "error_normality"),
]
GROUPS = [
    by_label(
        25,
        "Mean error by group",
        "Mean error of the 5 % most underestimated rows, of the 5 % most overestimated ones, and of all others.",
        "mean_error_by_group",
        size=(12, 8),
    ),
    by_label(
        26,
        "Spread of the errors by group",
        "Standard deviation of the errors in the same groups.",
        "error_std_by_group",
        size=(12, 8),
    ),
]
FEATURES = table(
    27,
    "Which features differ where it is most wrong",
    "Features by how far their means are apart between the most underestimated and the most overestimated rows, as a share "
    "of their range: 0 = the errors do not depend on it. It needs the metrics error_bias and error_bias_range. "
    "Source: grafana.latest_metrics.",
    [
        sql(
            f"""\
select column_name as "column",
  max(value) filter (where metric = 'error_bias_range') as apart,
  max(value) filter (where metric = 'error_bias' and label = 'underestimation') as under,
  max(value) filter (where metric = 'error_bias' and label = 'majority') as majority,
  max(value) filter (where metric = 'error_bias' and label = 'overestimation') as over
from {newest(chosen("error_bias", "error_bias_range", whole=False))}
group by 1 order by apart desc nulls last, 1 limit 30"""
        )
    ],
    size=(24, 5),
    nothing="ask for the metrics error_bias and error_bias_range to see it",
    overrides=[
        override("column", **name_cell("Feature", 140), links=[TO_COLUMN]),
        override(
            "apart",
            displayName="How far apart",
            unit="percentunit",
            min=0,
            max=1,
            decimals=0,
            thresholds=steps((None, FAINT), (0.05, PALE), (0.2, LATE)),
            custom__width=170,
            custom__cellOptions={"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
        ),
        override("under", displayName="Where underestimated", custom__width=170, decimals=2),
        override("majority", displayName="Elsewhere", custom__width=120, decimals=2),
        override("over", displayName="Where overestimated", custom__width=170, decimals=2),
    ],
)

# The columns with a histogram: first those that are no features, for drift is asked of features; target and prediction.
_COLUMN = choice(
    "column",
    "Column",
    f"""\
select column_name as "column" from grafana.series
where kind in ('distribution', 'drift') and column_name <> '' and {OF_MODEL}
group by 1 having bool_or(kind = 'distribution') order by bool_or(kind = 'drift'), 1 limit 500""",
    otherwise="no columns yet",
    description="Of which column the distribution is shown: the prediction's, or the target's, where it is known.",
)
_TO_THIS = link_to("column", "Open the column", keep=("project", "model", "column", "stream"))
DISTRIBUTIONS = [
    bar_chart(
        *(28, "Distribution of ${column}"),
        "Share of each bin in the newest batch (blue) and in the reference (grey): choose the prediction or the target above. "
        "Source: grafana.distributions.",
        sql(beside_reference()),
        size=(12, 9),
        by="bin_name",
        overrides=BATCH_AND_REFERENCE,
        defaults={"min": 0, "noValue": "no histogram of this column"},
        links=[_TO_THIS],
    ),
    heatmap(
        *(29, "${column} over time"),
        "The more a cell stands out, the larger the share of a batch's values in a bin; bins stay the same. A band that moves is drift. "
        "Source: grafana.distributions.",
        sql(bins_over_time(otherwise="no histogram of this column"), series=True),
        size=(12, 9),
        links=[_TO_THIS],
    ),
]

RANKING_NOW = [
    now(at, title, i, nothing="–") for at, (i, title) in enumerate(OF_RANKING.items(), 40)
]


# A line's name: k, and the other options where they are not the same for all.
_BY_K = f"""\
concat_ws(' ', name, 'k: ' || (params ->> 'k'), case when min((params - 'k')::text) over () <> max((params - 'k')::text) over ()
    then {OPTIONS.replace("(params)", "(params - 'k')")} end)"""


def _at_k(id_: int, title: str, metric: str) -> Json:
    return over_time(id_, title, metric, size=(8, 7), named=_BY_K)


RANKING = [
    [
        _at_k(50, "Precision at k", "precision_at_k"),
        _at_k(51, "Recall at k", "recall_at_k"),
        _at_k(52, "Hit rate at k", "hit_rate_at_k"),
    ],
    [
        _at_k(53, "NDCG at k", "ndcg_at_k"),
        _at_k(54, "MAP at k", "map_at_k"),
        _at_k(55, "MRR at k", "mrr_at_k"),
    ],
    [
        _at_k(56, "Novelty", "novelty_at_k"),
        _at_k(57, "Diversity", "diversity_at_k"),
        _at_k(58, "Serendipity", "serendipity_at_k"),
    ],
    [
        _at_k(59, "Popularity", "average_popularity"),
        _at_k(60, "Items covered", "item_coverage"),
        _at_k(61, "Personalization", "personalization_at_k"),
    ],
    [
        _at_k(62, "Inequality of the items", "item_gini"),
        _at_k(63, "Entropy of the scores", "score_entropy"),
        _at_k(64, "Rows left out", "unranked_rows"),
    ],
]

DASHBOARD = Dashboard(
    name="regression",
    title="Regression and ranking",
    question="How wrong is it, which way, and for whom? And how good is a ranking?",
    about="quality",
    variables=[
        *variables("mae", "rmse", "mean_error", "ndcg_at_k", "map_at_k"),
        _COLUMN,
        *datasources(),
    ],
    events=events(OF_MODEL),
    rows=[
        NOW,
        *TRENDS,
        [BAND, BIAS[0]],
        [segments(70, "regression", MAIN, "mae", nothing=_NO_ERRORS)],
        Section(900, "Which way, and how unevenly", [BIAS[1:], GROUPS, DISTRIBUTIONS, [FEATURES]]),
        Section(902, "Labels and batches", [[coverage(80, size=(24, 7))], [batches(81, MAIN)]]),
        Section(
            901,
            "Ranking",
            [
                RANKING_NOW,
                *RANKING,
                [segments(72, "regression", OF_RANKING, "ndcg_at_k", nothing=_NO_RANKING)],
                [batches(82, OF_RANKING, nothing=_NO_RANKING)],
            ],
            collapsed=True,
        ),
    ],
)
