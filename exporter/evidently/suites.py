"""The tests and test presets of Evidently 0.4."""

from __future__ import annotations

from collections.abc import Mapping

from exporter.evidently._forms import Alias, means, refused, rename
from exporter.presets import Entry


def _numerical(metric: str) -> Entry:
    return {metric: {"columns": "numerical"}}


def _categorical(metric: str) -> Entry:
    return {metric: {"columns": "categorical"}}


_DRIFT: tuple[Entry, ...] = ({"column_drift": {"columns": "features"}},)
_OWN_METHODS = "how columns are compared is said under metrics: {data_drift: {method: …}}"

TESTS: Mapping[str, Alias] = {
    # integrity
    "TestNumberOfRows": means("row_count"),
    "TestNumberOfColumns": means("column_count"),
    "TestNumberOfDifferentMissingValues": means("missing_cell_kinds"),
    "TestNumberOfMissingValues": means("missing_cells"),
    "TestShareOfMissingValues": means("missing_cells_ratio"),
    "TestNumberOfColumnsWithMissingValues": means("columns_with_missing"),
    "TestShareOfColumnsWithMissingValues": means("columns_with_missing_ratio"),
    "TestNumberOfRowsWithMissingValues": means("rows_with_missing"),
    "TestShareOfRowsWithMissingValues": means("rows_with_missing_ratio"),
    "TestColumnNumberOfMissingValues": means("missing_count"),
    "TestColumnShareOfMissingValues": means("missing_ratio"),
    "TestColumnNumberOfDifferentMissingValues": means("missing_kinds", missing_values="values"),
    "TestNumberOfConstantColumns": means("constant_columns"),
    "TestNumberOfEmptyRows": means("empty_rows"),
    "TestNumberOfEmptyColumns": means("empty_columns"),
    "TestNumberOfDuplicatedRows": means("duplicated_rows"),
    "TestNumberOfDuplicatedColumns": means("duplicated_columns"),
    "TestColumnsType": means("type_mismatches", note="a column that is gone counts"),
    "TestColumnAllConstantValues": means({"unique_count": {"gt": 1}}),
    "TestColumnAllUniqueValues": means({"unique_ratio": {"eq": 1}}),
    "TestColumnRegExp": means("regexp_mismatch_count"),
    # quality
    "TestConflictTarget": means("conflicting_targets"),
    "TestConflictPrediction": means("conflicting_predictions"),
    "TestTargetPredictionCorrelation": means("target_prediction_correlation"),
    "TestHighlyCorrelatedColumns": means("strongest_feature_correlation"),
    "TestTargetFeaturesCorrelations": means("strongest_target_correlation"),
    "TestPredictionFeaturesCorrelations": means("strongest_prediction_correlation"),
    "TestCorrelationChanges": means(
        "changed_correlations", corr_diff="by", column_name=rename("of")
    ),
    "TestColumnValueMin": means("min"),
    "TestColumnValueMax": means("max"),
    "TestColumnValueMean": means("mean"),
    "TestColumnValueMedian": means("median"),
    "TestColumnValueStd": means("std"),
    "TestNumberOfUniqueValues": means("unique_count"),
    "TestUniqueValuesShare": means("unique_ratio"),
    "TestMostCommonValueShare": means("most_common_ratio"),
    "TestMeanInNSigmas": means("mean_shift_sigmas", note="n_sigmas is a condition: between"),
    "TestValueRange": means("out_of_range_count"),
    "TestNumberOfOutRangeValues": means("out_of_range_count"),
    "TestShareOfOutRangeValues": means("out_of_range_ratio"),
    "TestValueList": means("out_of_list_count"),
    "TestNumberOfOutListValues": means("out_of_list_count"),
    "TestShareOfOutListValues": means("out_of_list_ratio"),
    "TestColumnQuantile": means("quantile"),
    "TestCategoryShare": means("category_ratio"),
    "TestCategoryCount": means("category_count"),
    # drift
    "TestColumnDrift": means("column_drift"),
    "TestShareOfDriftedColumns": Alias(("drifted_columns_ratio",), counts=True, note=_OWN_METHODS),
    "TestNumberOfDriftedColumns": Alias(("drifted_columns",), counts=True, note=_OWN_METHODS),
    "TestEmbeddingsDrift": means("embeddings_drift", embeddings_name="columns"),
    # classification
    "TestAccuracyScore": means("accuracy", k="top_k"),
    "TestPrecisionScore": means("precision", k="top_k"),
    "TestRecallScore": means("recall", k="top_k"),
    "TestF1Score": means("f1", k="top_k"),
    "TestTPR": means("tpr", k="top_k"),
    "TestTNR": means("tnr", k="top_k"),
    "TestFPR": means("fpr", k="top_k"),
    "TestFNR": means("fnr", k="top_k"),
    "TestRocAuc": means("roc_auc"),
    "TestLogLoss": means("log_loss"),
    "TestPrecisionByClass": means("precision_by_label", k="top_k"),
    "TestRecallByClass": means("recall_by_label", k="top_k"),
    "TestF1ByClass": means("f1_by_label", k="top_k"),
    # regression
    "TestValueMAE": means("mae"),
    "TestValueRMSE": means("rmse"),
    "TestValueMeanError": means("mean_error"),
    "TestValueMAPE": means("mape"),
    "TestValueAbsMaxError": means("max_absolute_error"),
    "TestValueR2Score": means("r2"),
    # rankings
    "TestPrecisionTopK": means("precision_at_k"),
    "TestRecallTopK": means("recall_at_k"),
    "TestFBetaTopK": means("f_beta_at_k"),
    "TestMAPK": means("map_at_k"),
    "TestMARK": means("mar_at_k"),
    "TestNDCGK": means("ndcg_at_k"),
    "TestMRRK": means("mrr_at_k"),
    "TestHitRateK": means("hit_rate_at_k"),
    "TestARP": means("average_popularity"),
    "TestGiniIndex": means("item_gini"),
    "TestCoverage": means("item_coverage"),
    "TestNovelty": means("novelty_at_k"),
    "TestDiversity": means("diversity_at_k"),
    "TestSerendipity": means("serendipity_at_k"),
    "TestPersonalization": means("personalization_at_k"),
    "TestScoreEntropy": means("score_entropy"),
    # over many columns
    "TestAllFeaturesValueDrift": Alias(_DRIFT, by_kind=True),
    "TestCustomFeaturesValueDrift": Alias(_DRIFT, by_kind=True),
    "TestAllColumnsShareOfMissingValues": means("missing_ratio"),
    "TestAllColumnsMostCommonValueShare": means("most_common_ratio"),
    "TestNumColumnsMeanInNSigmas": means(_numerical("mean_shift_sigmas")),
    "TestNumColumnsOutOfRangeValues": means(_numerical("out_of_range_ratio")),
    "TestCatColumnsOutOfListValues": means(_categorical("out_of_list_ratio")),
    "CustomValueTest": refused("write the figure as a metric of your own, in a plugin"),
}

TESTS_07: Mapping[str, Alias] = {
    "DriftedColumnsCount": Alias(("drifted_columns",), counts=True, note=_OWN_METHODS)
}  # metrics of 0.7 that are something else under `tests:`

TEST_PRESETS: Mapping[str, Alias] = {
    "DataStabilityTestPreset": means("data_stability"),
    "DataQualityTestPreset": means("data_quality"),
    "DataDriftTestPreset": Alias(("data_drift",), by_kind=True),
    "NoTargetPerformanceTestPreset": means("no_target_performance"),
    "RegressionTestPreset": means("regression"),
    "BinaryClassificationTestPreset": means("binary_classification"),
    "BinaryClassificationTopKTestPreset": means("binary_classification_top_k", k="top_k"),
    "MulticlassClassificationTestPreset": means("multiclass_classification"),
    "RecsysTestPreset": means("ranking"),
}
