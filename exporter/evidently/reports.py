"""The metrics and metric presets of Evidently 0.4 and 0.7."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.evidently._forms import Alias, label_of_kind, means, refused
from exporter.presets import Entry

_QUARTILES: tuple[Entry, ...] = tuple({"quantile": {"q": q}} for q in (0.25, 0.5, 0.75))
_MISSING: tuple[Entry, ...] = (
    "missing_cells", "missing_cells_ratio", "rows_with_missing", "rows_with_missing_ratio",
    "columns_with_missing", "columns_with_missing_ratio",
)  # fmt: skip
_SHAPE: tuple[Entry, ...] = (
    "row_count", "column_count", "missing_cells", "duplicated_rows", "duplicated_columns",
    "almost_duplicated_columns", "almost_constant_columns", "constant_columns", "empty_rows",
    "empty_columns",
)  # fmt: skip
_COLUMN: tuple[Entry, ...] = (
    "missing_count", "missing_ratio", "unique_count", "unique_ratio", "most_common_ratio",
    "infinite_count", "infinite_ratio", "min", "max", "mean", "std", *_QUARTILES,
    "new_categories", "gone_categories", "first", "last",
)  # fmt: skip
_CORRELATIONS: tuple[Entry, ...] = tuple(
    {"correlation": {"method": method}} for method in ("pearson", "spearman", "kendall", "cramer_v")
)
_QUALITY: tuple[Entry, ...] = (
    "accuracy", "precision", "recall", "f1", "roc_auc", "log_loss", "tpr", "tnr", "fpr", "fnr",
)  # fmt: skip
_BY_LABEL: tuple[Entry, ...] = (
    "f1_by_label", "precision_by_label", "recall_by_label", "roc_auc_by_label",
)  # fmt: skip
_GUESSES: tuple[Entry, ...] = (
    "baseline_accuracy", "baseline_precision", "baseline_recall", "baseline_f1", "baseline_tnr",
    "baseline_log_loss",
)  # fmt: skip
_ERRORS: tuple[Entry, ...] = (
    "mean_error", "error_std", "mae", "absolute_error_std", "mape", "rmse", "r2",
    "max_absolute_error",
)  # fmt: skip
_POPULARITY: tuple[Entry, ...] = ("average_popularity", "item_coverage", "item_gini")
_PLOT = "a plot: {}"
_ROWS = refused(_PLOT.format("the rows are in your data; snapshots hold figures"))
_GROUPS = refused("quality by value of a feature is a segment: `segments: {country: {max: 10}}`")
_DESCRIBED = refused("the preset text has the figures and the drift of descriptors")
_OWN = refused("write it as a metric of your own, in a plugin")
_RECSYS_ROWS = refused("it lists recommendations of single users: query your data")
_OF_USERS = refused("of users there is none: item_bias is that of items; or use segments")

METRICS_04: Mapping[str, Alias] = {
    "DatasetSummaryMetric": means(*_SHAPE, "type_mismatches"),
    "ColumnSummaryMetric": means(*_COLUMN, note="nothing is rounded"),
    "DatasetMissingValuesMetric": means(
        *_MISSING, "missing_cell_kinds", "missing_count", "missing_ratio"
    ),
    "DatasetCorrelationsMetric": means(
        *_CORRELATIONS, "strongest_correlation", "strongest_feature_correlation",
        "strongest_target_correlation", "strongest_prediction_correlation",
        "target_prediction_correlation",
    ),
    "DataQualityStabilityMetric": means("conflicting_targets", "conflicting_predictions"),
    "ColumnMissingValuesMetric": means(
        "missing_count", "missing_ratio", "missing_kinds", "missing_count_by_kind"
    ),
    "ColumnRegExpMetric": means("regexp_mismatch_count", "regexp_mismatch_ratio"),
    "ColumnDistributionMetric": refused(
        "distributions of columns are kept beside any column metric, such as unique_count"
    ),
    "ColumnQuantileMetric": means("quantile"),
    "ColumnCorrelationsMetric": means(*_CORRELATIONS, note="pairs with the column"),
    "ColumnValueListMetric": means(
        "in_list_count", "in_list_ratio", "out_of_list_count", "out_of_list_ratio"
    ),
    "ColumnValueRangeMetric": means(
        "in_range_count", "in_range_ratio", "out_of_range_count", "out_of_range_ratio"
    ),
    "ColumnCategoryMetric": means("category_count", "category_ratio"),
    "ColumnValuePlot": _ROWS,
    "ColumnInteractionPlot": refused(_PLOT.format("correlation tells how two columns go together")),
    "ConflictTargetMetric": means("conflicting_targets"),
    "ConflictPredictionMetric": means("conflicting_predictions"),
    "ColumnDriftMetric": means("column_drift"),
    "DatasetDriftMetric": Alias(("data_drift",), by_kind=True),
    "DataDriftTable": Alias(("data_drift",), by_kind=True),
    "EmbeddingsDriftMetric": means("embeddings_drift", embeddings_name="columns"),
    "TargetByFeaturesTable": _GROUPS,
    "TextDescriptorsDriftMetric": _DESCRIBED,
    "TextDescriptorsCorrelationMetric": refused(
        "{correlation: {columns: [comment.text_length, age]}}, of columns that describe texts"
    ),
    "TextDescriptorsDistribution": _DESCRIBED,
    "FeatureImportanceMetric": refused(
        "it trains a model on every batch: store the importances of your own model as a table"
    ),
    "CustomValueMetric": _OWN,
    "Comment": refused("text of a report: `tags` tell snapshots apart"),
    # classification
    "ClassificationQualityMetric": means(*_QUALITY, k="top_k"),
    "ClassificationClassBalance": means({"category_ratio": {"columns": "target"}}),
    "ClassificationConfusionMatrix": means("confusion", k="top_k"),
    "ClassificationQualityByClass": means(*_BY_LABEL, k="top_k"),
    "ClassificationQualityByFeatureTable": _GROUPS,
    "ClassificationClassSeparationPlot": refused(_PLOT.format("calibration and roc_curve")),
    "ClassificationProbDistribution": refused(
        _PLOT.format("the probability's distribution is kept: ask for its quantile")
    ),
    "ClassificationRocCurve": means("roc_curve"),
    "ClassificationPRCurve": means("pr_curve"),
    "ClassificationPRTable": means("pr_curve", note="at each recall, not at each threshold"),
    "ClassificationLiftCurve": means("lift"),
    "ClassificationLiftTable": means("lift"),
    "ClassificationDummyMetric": means(*_GUESSES, k="top_k"),
    # regression
    "RegressionQualityMetric": means(
        *_ERRORS, "underestimation_ratio", "mean_error_by_group", "error_std_by_group"
    ),
    "RegressionPerformanceMetrics": means(*_ERRORS),
    "RegressionPredictedVsActualScatter": _ROWS,
    "RegressionPredictedVsActualPlot": _ROWS,
    "RegressionErrorPlot": refused(_PLOT.format("mean_error of each batch is the line")),
    "RegressionAbsPercentageErrorPlot": refused(_PLOT.format("mape of each batch is the line")),
    "RegressionErrorDistribution": means(
        *({"error_quantile": {"q": q}} for q in (0.05, 0.25, 0.5, 0.75, 0.95)),
        note="quantiles instead of bars",
    ),
    "RegressionErrorNormality": means("error_normality"),
    "RegressionTopErrorMetric": means(
        "mean_error_by_group", "error_std_by_group", "top_error_share"
    ),
    "RegressionErrorBiasTable": means("error_bias", "error_bias_range", top_error="share"),
    "RegressionDummyMetric": means(
        "baseline_mae", "baseline_rmse", "baseline_mape", "baseline_max_absolute_error"
    ),
    # rankings
    "PrecisionTopKMetric": means("precision_at_k"),
    "RecallTopKMetric": means("recall_at_k"),
    "FBetaTopKMetric": means("f_beta_at_k"),
    "MAPKMetric": means("map_at_k"),
    "MARKMetric": means("mar_at_k"),
    "NDCGKMetric": means("ndcg_at_k"),
    "MRRKMetric": means("mrr_at_k"),
    "HitRateKMetric": means("hit_rate_at_k"),
    "NoveltyMetric": means("novelty_at_k"),
    "DiversityMetric": means("diversity_at_k"),
    "SerendipityMetric": means("serendipity_at_k"),
    "PersonalizationMetric": means("personalization_at_k"),
    "PopularityBias": means(*_POPULARITY),
    "ItemBiasMetric": means("item_bias", note="of every feature of the items"),
    "UserBiasMetric": _OF_USERS,
    "RecCasesTable": _RECSYS_ROWS,
    "ScoreDistribution": means("score_entropy"),
}  # fmt: skip

METRICS_07: Mapping[str, Alias] = {
    # columns
    "CategoryCount": means("category_count", "category_ratio"),
    "InListValueCount": means("in_list_count", "in_list_ratio"),
    "OutListValueCount": means("out_of_list_count", "out_of_list_ratio"),
    "InRangeValueCount": means("in_range_count", "in_range_ratio"),
    "OutRangeValueCount": means("out_of_range_count", "out_of_range_ratio"),
    "MissingValueCount": means("missing_count", "missing_ratio"),
    "UniqueValueCount": means("unique_count", "category_count", "category_ratio"),
    "MinValue": means("min", "first", note="first is of times"),
    "MaxValue": means("max", "last", note="last is of times"),
    "MeanValue": means("mean"),
    "MedianValue": means("median"),
    "StdValue": means("std"),
    "SumValue": means("sum"),
    "QuantileValue": means("quantile"),
    "ValueDrift": means("column_drift"),
    "DriftedColumnsCount": Alias(
        ("drifted_columns", "drifted_columns_ratio", "data_drift"), by_kind=True
    ),
    # the whole table
    "RowCount": means("row_count"),
    "ColumnCount": means("column_count", column_type=label_of_kind),
    "DuplicatedRowCount": means("duplicated_rows"),
    "DuplicatedColumnsCount": means("duplicated_columns"),
    "AlmostDuplicatedColumnsCount": means("almost_duplicated_columns"),
    "AlmostConstantColumnsCount": means("almost_constant_columns"),
    "ConstantColumnsCount": means("constant_columns"),
    "EmptyRowsCount": means("empty_rows"),
    "EmptyColumnsCount": means("empty_columns"),
    "DatasetMissingValueCount": means("missing_cells", "missing_cells_ratio"),
    "ColumnCorrelations": means(*_CORRELATIONS, note="pairs with the column"),
    "ColumnCorrelationMatrix": means("correlation", kind="method"),
    "CorrelationMatrix": means("correlation", kind="method"),
    "DatasetCorrelations": means(*_CORRELATIONS),
    "EmbeddingsDrift": means("embeddings_drift", embeddings_name="columns"),
    "GroupBy": _GROUPS,
    "RowTestSummary": refused("all_of under `descriptors:`, and category_ratio of its column"),
    # classification
    "Accuracy": means("accuracy", k="top_k"),
    "Precision": means("precision", k="top_k"),
    "Recall": means("recall", k="top_k"),
    "F1Score": means("f1", k="top_k"),
    "TPR": means("tpr", k="top_k"),
    "TNR": means("tnr", k="top_k"),
    "FPR": means("fpr", k="top_k"),
    "FNR": means("fnr", k="top_k"),
    "RocAuc": means("roc_auc"),
    "LogLoss": means("log_loss"),
    "F1ByLabel": means("f1_by_label", k="top_k"),
    "PrecisionByLabel": means("precision_by_label", k="top_k"),
    "RecallByLabel": means("recall_by_label", k="top_k"),
    "RocAucByLabel": means("roc_auc_by_label"),
    "DummyAccuracy": means("baseline_accuracy"),
    "DummyPrecision": means("baseline_precision", k="top_k"),
    "DummyRecall": means("baseline_recall", k="top_k"),
    "DummyF1Score": means("baseline_f1", k="top_k"),
    "DummyTPR": means("baseline_recall", k="top_k"),
    "DummyFPR": means("baseline_recall", k="top_k"),
    "DummyTNR": means("baseline_tnr", k="top_k"),
    "DummyFNR": means("baseline_tnr", k="top_k"),
    "DummyLogLoss": means("baseline_log_loss"),
    "DummyRocAuc": refused("it is 0.5 always: {roc_auc: {gt: 0.5}}"),
    # regression
    "MeanError": means("mean_error", "error_std"),
    "MAE": means("mae", "absolute_error_std"),
    "MAPE": means("mape"),
    "RMSE": means("rmse"),
    "R2Score": means("r2"),
    "AbsMaxError": means("max_absolute_error"),
    "DummyMAE": means("baseline_mae"),
    "DummyMAPE": means("baseline_mape"),
    "DummyRMSE": means("baseline_rmse"),
    # rankings
    "PrecisionTopK": means("precision_at_k"),
    "RecallTopK": means("recall_at_k"),
    "FBetaTopK": means("f_beta_at_k"),
    "MAP": means("map_at_k"),
    "NDCG": means("ndcg_at_k"),
    "MRR": means("mrr_at_k"),
    "HitRate": means("hit_rate_at_k"),
    "ScoreDistribution": means("score_entropy"),
    "PopularityBiasMetric": means(*_POPULARITY),
    "Personalization": means("personalization_at_k"),
    "Diversity": means("diversity_at_k"),
    "Serendipity": means("serendipity_at_k"),
    "Novelty": means("novelty_at_k"),
    "ItemBias": means("item_bias", note="of every feature of the items"),
    "UserBias": _OF_USERS,
    "RecCasesTable": _RECSYS_ROWS,
}

METRIC_PRESETS: Mapping[str, Alias] = {
    "DataQualityPreset": means("data_quality"),
    "DataSummaryPreset": means("data_summary"),
    "DatasetStats": means(*_SHAPE),
    "ValueStats": means(
        "row_count", "missing_count", "missing_ratio", "unique_count", "min", "max", "mean",
        "std", *_QUARTILES, "first", "last",
    ),
    "DataDriftPreset": Alias(("data_drift",), by_kind=True),
    "TargetDriftPreset": means("target_drift"),
    "RegressionPreset": means("regression"),
    "RegressionQuality": means(*_ERRORS),
    "RegressionDummyQuality": means("baseline_mae", "baseline_mape", "baseline_rmse"),
    "ClassificationPreset": means("classification", k="top_k"),
    "ClassificationQuality": means(*_QUALITY, k="top_k"),
    "ClassificationQualityByLabel": means(*_BY_LABEL, k="top_k"),
    "ClassificationDummyQuality": means(*_GUESSES, k="top_k"),
    "TextEvals": means("text"),
    "TextOverviewPreset": means("text"),
    "RecsysPreset": means("ranking"),
}  # fmt: skip
